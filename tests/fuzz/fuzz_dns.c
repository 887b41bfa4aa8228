/* objects: emulator/services/dns.o emulator/services/message.o emulator/services/names.o emulator/services/forward.o emulator/model/ emulator/base/ */
/* libs: nettle expat -lresolv */
/*
 * DNS messages, as instances can send them, and replies of resolvers to them: a world with one VPC
 * answers. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "model/internet.h"
#include "model/subnet.h"
#include "replay.h"
#include "services/dns.h"
#include "services/message.h"

static struct model model;
static struct rid places[2]; /* a subnet, the Internet */

static void make_world(void)
{
	struct transaction transaction = transaction_begin(&model, 1);
	struct scope *scope = model_scope(&model, "123456789012", "us-east-1");
	struct subnet_request request = { .cidr_text = "10.0.0.0/24", .zone = "us-east-1a" };
	struct error error = ERROR_INIT;
	struct cidr block = { address_v4(0x0a000000), 16 };
	struct subnet *subnet;

	internet_create(&transaction);
	if (vpc_create(&transaction, scope, block, NULL, &request.vpc, &error) < 0)
		abort();
	request.cidr = (struct cidr){ block.address, 24 };
	if (subnet_create(&transaction, &request, &subnet, &error) < 0)
		abort();
	request.vpc->dns_hostnames = true;
	places[0] = subnet->resource.id;
	places[1] = internet_get(&model)->resource.id;
	transaction_commit(&transaction);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t answer[DNS_ANSWER_MAX];
	ns_msg message;
	bool elsewhere;

	if (!places[0].n)
		make_world();
	for (size_t i = 0; i < 2; i++) {
		size_t length = dns_answer_to(&model, places[i], data, size, answer, &elsewhere);

		/* What is said is a message, to the one who asked. */
		if (length && (ns_initparse(answer, (int)length, &message) < 0 ||
			       ns_msg_id(message) != (data[0] << 8 | data[1]) ||
			       !ns_msg_getflag(message, ns_f_qr)))
			abort();
	}
	dns_is_reply_to(data, size, data, size);
	return 0;
}
