/* objects: emulator/model/ emulator/services/imds.o emulator/services/imds_token.o emulator/services/imds_tree.o emulator/http/http.o emulator/http/microhttpd.o emulator/base/library.o emulator/base/base64.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/socket_address.o emulator/base/error.o emulator/base/id.o emulator/base/loop.o emulator/base/map.o emulator/base/text.o emulator/base/util.o */
/* libs: nettle jansson -lresolv */
/*
 * Instance metadata against any request of an instance's. The input's lines: method, path, token,
 * seconds, user data. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "services/imds.h"

#include <stdio.h>

#include "http/http.h"
#include "model/instance.h"
#include "model/internet.h"
#include "replay.h"

static struct model model;
static struct instance *instance;

/* One VPC with one instance, made once. */
static void make_world(void)
{
	struct transaction transaction = transaction_begin(&model, 1700000000);
	struct scope *scope = model_scope(&model, "123456789012", "us-east-1");
	struct subnet_request subnet = { .cidr_text = "10.0.1.0/24" };
	struct launch_interface card = { 0 };
	char text[] = "enabled", type[] = "t3.micro";
	struct launch_request launch = {
		.options = { .image_id = text,
			     .type = type,
			     .user_data = text,
			     .key_name = text,
			     .public_key = text,
			     .shutdown_behavior = text,
			     .tenancy = text,
			     .http_tokens = text,
			     .http_endpoint = text,
			     .metadata_tags = text,
			     .metadata_ipv6 = text },
		.interfaces = &card,
		.interface_count = 1,
		.minimum = 1,
		.maximum = 1,
	};
	struct error error = ERROR_INIT;
	struct rid reservation;
	struct cidr cidr;

	internet_create(&transaction);
	internet_get(&model)->metadata_key = xstrdup("key");
	if (cidr_parse("10.0.0.0/16", &cidr) < 0 ||
	    vpc_create(&transaction, scope, cidr, NULL, &subnet.vpc, &error) < 0 ||
	    cidr_parse(subnet.cidr_text, &subnet.cidr) < 0 ||
	    subnet_create(&transaction, &subnet, &card.make.subnet, &error) < 0 ||
	    instance_launch(&transaction, &launch, &reservation, &error) < 0)
		abort();
	instance = (struct instance *)scope->lists[KIND_INSTANCE].items[0];
	transaction_commit(&transaction);
}

static const char *take_line(char **rest)
{
	const char *line = *rest ? strsep(rest, "\n") : NULL;

	return line ? line : "";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *input = xcalloc(size + 1, 1);
	struct http_header headers[2] = { { "X-aws-ec2-metadata-token", NULL },
					  { "X-aws-ec2-metadata-token-ttl-seconds", NULL } };
	struct http_request request = { .query = "", .body = "", .headers = headers };
	struct http_reply reply = { .status = 200, .content_type = "text/plain" };
	char *rest = input;

	if (!instance)
		make_world();
	if (size)
		memcpy(input, data, size);
	request.method = take_line(&rest);
	request.path = take_line(&rest);
	headers[0].value = take_line(&rest);
	headers[1].value = take_line(&rest);
	free(instance->options.user_data);
	instance->options.user_data = xstrdup(take_line(&rest));
	request.headers = *headers[0].value ? headers : headers + 1;
	request.header_count = *headers[0].value ? 2 : 1;
	imds_answer(&model, instance->resource.id, 1700000000, &request, &reply);
	/* Nobody comes in with a token of his own making. */
	if (!reply.content_type ||
	    (reply.status == 200 && streq(request.method, "GET") && request.header_count == 2))
		abort();
	buffer_clear(&reply.body);
	return 0;
}
