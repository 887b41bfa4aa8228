/* objects: emulator/model/ emulator/services/imds.o emulator/services/imds_token.o emulator/services/imds_tree.o emulator/http/http.o emulator/http/microhttpd.o emulator/base/library.o emulator/base/base64.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/socket_address.o emulator/base/error.o emulator/base/id.o emulator/base/loop.o emulator/base/map.o emulator/base/text.o emulator/base/util.o */
/* libs: nettle jansson */
/*
 * Instance metadata: what is in the tree, who is answered what, tokens; and the server over real
 * connections from 127.0.0.2, which one instance is given as its address.
 */
#include "http/http.h"
#include "model/attachment.h"
#include "model/dhcp.h"
#include "model/elastic_ip.h"
#include "model/gateway.h"
#include "model/internet.h"
#include "model/tags.h"
#include "services/imds.h"
#include "services/imds_token.h"
#include "services/imds_tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW 1700000000

static struct model model;
static struct scope *scope;
static struct transaction transaction;
static struct error error;
static struct vpc *vpc;
static struct subnet *subnet;
static struct instance *instance;

/* ---- a world of one instance ---- */

static struct instance_template options = {
	.image_id = (char[]){ "ami-12345678" },
	.type = (char[]){ "t3.large" },
	.user_data = (char[]){ "IyEvYmluL3NoCg==" },
	.key_name = (char[]){ "my-key" },
	.public_key = (char[]){ "ssh-ed25519 AAAA" },
	.shutdown_behavior = (char[]){ "stop" },
	.tenancy = (char[]){ "default" },
	.http_tokens = (char[]){ "optional" },
	.http_endpoint = (char[]){ "enabled" },
	.metadata_tags = (char[]){ "disabled" },
	.metadata_ipv6 = (char[]){ "disabled" },
	.hop_limit = 3,
};

static struct instance *launch(size_t more_addresses)
{
	struct launch_interface card = { .make = { .subnet = subnet, .more = more_addresses },
					 .delete_on_termination = true };
	struct launch_request request = {
		.options = options,
		.interfaces = &card,
		.interface_count = 1,
		.public_address = &(bool){ true },
		.minimum = 1,
		.maximum = 1,
	};
	const struct resource_list *list = &scope->lists[KIND_INSTANCE];
	struct rid reservation;

	assert_int_equal(instance_launch(&transaction, &request, &reservation, &error), 0);
	instance = (struct instance *)list->items[list->count - 1];
	instance_settle(&transaction, instance);
	return instance;
}

static int set_up(void **state)
{
	struct subnet_request request = { .cidr_text = "10.0.1.0/24", .zone = "us-east-1b" };
	struct gateway *gateway;
	struct cidr cidr;

	(void)state;
	scope = model_scope(&model, "123456789012", "us-east-1");
	transaction = transaction_begin(&model, NOW);
	internet_create(&transaction);
	internet_get(&model)->metadata_key = xstrdup("0123456789abcdef");
	assert_int_equal(cidr_parse("10.0.0.0/16", &cidr), 0);
	assert_int_equal(vpc_create(&transaction, scope, cidr, NULL, &vpc, &error), 0);
	request.vpc = vpc;
	assert_int_equal(cidr_parse(request.cidr_text, &request.cidr), 0);
	assert_int_equal(subnet_create(&transaction, &request, &subnet, &error), 0);
	assert_int_equal(gateway_create(&transaction, scope, &gateway, &error), 0);
	assert_int_equal(gateway_attach(&transaction, gateway, vpc, &error), 0);
	launch(2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	transaction_rollback(&transaction);
	model_clear(&model);
	return 0;
}

static struct interface *card(void)
{
	return instance_primary(&model, instance);
}

/* ---- the tree ---- */

/* The text at a path; NULL: none. The caller frees it. */
static char *page(const char *path)
{
	struct buffer body = BUFFER_INIT;

	return imds_page(&model, instance, path, &body) ? buffer_steal(&body) : NULL;
}

static void expect(const char *path, const char *text)
{
	CLEANUP(freep) char *found = page(path);

	if (!found || !streq(found, text))
		fail_msg("%s: expected \"%s\", found \"%s\"", path, text,
			 found ? found : "nothing");
}

static void expect_none(const char *path)
{
	CLEANUP(freep) char *found = page(path);

	if (found)
		fail_msg("%s: expected nothing, found \"%s\"", path, found);
}

static char *under_mac(const char *name)
{
	CLEANUP(buffer_clear) struct buffer mac = BUFFER_INIT;

	interface_mac_text(card()->resource.id, &mac);
	return xasprintf("/latest/meta-data/network/interfaces/macs/%s/%s", mac.data, name);
}

static void expect_under_mac(const char *name, const char *text)
{
	CLEANUP(freep) char *path = under_mac(name);

	if (text)
		expect(path, text);
	else
		expect_none(path);
}

#define META "/latest/meta-data/"

static void an_instance_is_told_what_it_is(void **state)
{
	(void)state;
	expect(META "ami-id", "ami-12345678");
	expect(META "ami-launch-index", "0");
	expect(META "ami-manifest-path", "(unknown)");
	expect(META "block-device-mapping", "ami\nroot");
	expect(META "block-device-mapping/ami", "/dev/xvda");
	expect(META "block-device-mapping/root", "/dev/xvda");
	expect(META "events/maintenance/scheduled", "[]");
	expect(META "instance-action", "none");
	expect(META "instance-id", rid_format(instance->resource.id).text);
	expect(META "instance-life-cycle", "on-demand");
	expect(META "instance-type", "t3.large");
	expect(META "local-hostname", "ip-10-0-1-4.ec2.internal");
	expect(META "hostname", "ip-10-0-1-4.ec2.internal");
	expect(META "local-ipv4", "10.0.1.4");
	expect(META "placement/availability-zone", "us-east-1b");
	expect(META "placement/availability-zone-id", "use1-az2");
	expect(META "placement/region", "us-east-1");
	expect(META "profile", "default-hvm");
	expect(META "public-keys", "0=my-key");
	expect(META "public-keys/0", "openssh-key");
	expect(META "public-keys/0/openssh-key", "ssh-ed25519 AAAA my-key");
	expect(META "reservation-id", rid_format(instance->reservation).text);
	expect(META "security-groups", "default");
	expect(META "services/domain", "amazonaws.com");
	expect(META "services/partition", "aws");
	expect("/latest/user-data", "#!/bin/sh\n");
	expect_none(META "iam");
	expect_none(META "iam/security-credentials/");
	expect_none(META "spot");
}

static void an_interface_is_told_by_its_mac(void **state)
{
	CLEANUP(buffer_clear) struct buffer mac = BUFFER_INIT;
	CLEANUP(freep) char *line = NULL;

	(void)state;
	interface_mac_text(card()->resource.id, &mac);
	line = xasprintf("%s/", mac.data);
	expect(META "mac", mac.data);
	expect(META "network/interfaces/macs/", line);
	expect_under_mac("mac", mac.data);
	expect_under_mac("device-number", "0");
	expect_under_mac("interface-id", rid_format(card()->resource.id).text);
	expect_under_mac("local-hostname", "ip-10-0-1-4.ec2.internal");
	expect_under_mac("local-ipv4s", "10.0.1.4\n10.0.1.5\n10.0.1.6");
	expect_under_mac("owner-id", "123456789012");
	expect_under_mac("security-groups", "default");
	expect_under_mac("security-group-ids", rid_format(card()->groups[0].id).text);
	expect_under_mac("subnet-id", rid_format(subnet->resource.id).text);
	expect_under_mac("subnet-ipv4-cidr-block", "10.0.1.0/24");
	expect_under_mac("vpc-id", rid_format(vpc->resource.id).text);
	expect_under_mac("vpc-ipv4-cidr-block", "10.0.0.0/16");
	expect_under_mac("vpc-ipv4-cidr-blocks", "10.0.0.0/16");
	expect_under_mac("vpc-ipv6-cidr-blocks", NULL);
	expect_none(META "network/interfaces/macs/02:00:00:00:00:00/mac");
}

static void public_addresses_come_and_go(void **state)
{
	const struct address second = interface_address_at(card(), 1);
	struct elastic_ip *elastic_ip = NULL;
	CLEANUP(freep) char *first = NULL, *both = NULL, *association = NULL;
	bool on = true;

	(void)state;
	first = xstrdup(address_format(card()->public_address).text);
	expect(META "public-ipv4", first);
	expect_none(META "public-hostname"); /* enableDnsHostnames is off */
	expect_under_mac("public-ipv4s", first);
	expect_under_mac("ipv4-associations/", first);
	assert_int_equal(vpc_set_dns(&transaction, vpc, NULL, &on, &error), 0);
	expect(META "public-hostname", "ec2-198-18-1-0.compute-1.amazonaws.com");
	assert_int_equal(elastic_ip_allocate(&transaction, scope, &elastic_ip, &error), 0);
	assert_int_equal(
		elastic_ip_associate(&transaction, elastic_ip, card(), second, false, &error), 0);
	both = xasprintf("%s\n%s", first, address_format(elastic_ip->address).text);
	expect_under_mac("public-ipv4s", both);
	expect_under_mac("ipv4-associations", both);
	association = xasprintf("ipv4-associations/%s", address_format(elastic_ip->address).text);
	expect_under_mac(association, "10.0.1.5");
	elastic_ip_disassociate(&transaction, elastic_ip);
	interface_release_public(&transaction, card());
	expect_none(META "public-ipv4");
	expect_none(META "public-hostname");
	expect_under_mac("public-ipv4s", NULL);
	expect_under_mac("ipv4-associations", NULL);
	expect_under_mac(association, NULL);
}

static void tags_are_told_when_they_may_be(void **state)
{
	(void)state;
	assert_int_equal(tag_set(&transaction, &instance->resource, "Name", "web", &error), 0);
	assert_int_equal(tag_set(&transaction, &instance->resource, "a=b", "", &error), 0);
	expect_none(META "tags");
	expect_none(META "tags/instance/Name");
	free(instance->options.metadata_tags);
	instance->options.metadata_tags = xstrdup("enabled");
	expect(META "tags", "instance/");
	expect(META "tags/instance/", "Name\na=b");
	expect(META "tags/instance/Name", "web");
	expect(META "tags/instance/a%3Db", "");
	expect_none(META "tags/instance/a");
	expect_none("/2021-01-03/meta-data/tags/instance/Name"); /* since 2021-03-23 */
	expect("/2021-03-23/meta-data/tags/instance/Name", "web");
}

static void a_vpc_has_its_own_domain(void **state)
{
	const char *names[] = { "example.org lab.example.org" };
	const struct dhcp_request request = { "domain-name", names, 1 };
	struct dhcp_options *set = NULL;

	(void)state;
	assert_int_equal(dhcp_create(&transaction, scope, &request, 1, &set, &error), 0);
	dhcp_associate(&transaction, set, vpc);
	expect(META "local-hostname", "ip-10-0-1-4.example.org lab.example.org");
	dhcp_associate(&transaction, NULL, vpc);
	expect(META "local-hostname", "ip-10-0-1-4.ec2.internal");
}

static void paths_are_taken_as_clients_write_them(void **state)
{
	static const char *const same[] = { "/latest/meta-data", "/latest/meta-data/",
					    "//latest//meta-data//", "/latest/meta%2Ddata/" };
	CLEANUP(freep) char *listing = page(same[0]);
	CLEANUP(freep) char *versions = page("/");
	static const char *const none[] = { "/latest/meta-data/nothing",
					    "/latest/meta-data/instance-id/x",
					    "/latest/meta-data/instance-i",
					    "/latest/meta-data/%",
					    "/latest/meta-data/%zz",
					    "/latest/meta-data/%00",
					    "/latest/meta-data/../user-data",
					    "/2009/meta-data",
					    "/0.9/meta-data",
					    "/latest/api" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		expect(same[i], listing);
	expect(META "instance-type/", "t3.large");
	expect("/latest", "dynamic\nmeta-data\nuser-data");
	expect("/latest/dynamic/", "instance-identity/");
	expect("/1.0/", "meta-data\nuser-data");
	assert_int_equal(strncmp(versions, "1.0\n2007-01-19\n", 15), 0);
	assert_non_null(strstr(versions, "\n2009-04-04\n"));
	assert_string_equal(versions + strlen(versions) - 18, "\n2021-07-15\nlatest");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		expect_none(none[i]);
	expect("/1.0/meta-data/", "ami-id\nami-launch-index\nami-manifest-path\nhostname\n"
				  "instance-id\nlocal-ipv4\nprofile\npublic-keys/\n"
				  "reservation-id\nsecurity-groups");
	expect_none("/1.0/meta-data/placement/availability-zone");
}

/* Everything that is listed is there, down to the leaves. */
static size_t crawl(const char *path)
{
	CLEANUP(freep) char *listing = page(path);
	char *rest = listing, *line;
	size_t leaves = 0;

	if (!listing)
		fail_msg("%s: listed, but not there", path);
	while ((line = strsep(&rest, "\n"))) {
		const bool directory = line[strlen(line) - 1] == '/';
		CLEANUP(freep) char *inner = NULL;
		CLEANUP(freep) char *text = NULL;

		line[strcspn(line, "=")] = '\0';
		inner = xasprintf("%s%s", path, line);
		text = page(inner);
		if (!text)
			fail_msg("%s: listed, but not there", inner);
		leaves += directory ? crawl(inner) : 1;
	}
	return leaves;
}

static void what_is_listed_is_there(void **state)
{
	(void)state;
	assert_true(crawl(META) > 40);
	assert_int_equal(crawl("/latest/dynamic/"), 1);
}

static void the_document_says_who_it_is(void **state)
{
	CLEANUP(freep) char *text = page("/latest/dynamic/instance-identity/document");
	json_t *document = text ? json_loads(text, 0, NULL) : NULL;
	static const char *const expected[][2] = {
		{ "accountId", "123456789012" },
		{ "architecture", "x86_64" },
		{ "availabilityZone", "us-east-1b" },
		{ "imageId", "ami-12345678" },
		{ "instanceType", "t3.large" },
		{ "privateIp", "10.0.1.4" },
		{ "region", "us-east-1" },
		{ "version", "2017-09-30" },
		{ "pendingTime", "2023-11-14T22:13:20Z" },
	};

	(void)state;
	assert_non_null(document);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(json_string_value(json_object_get(document, expected[i][0])),
				    expected[i][1]);
	assert_string_equal(json_string_value(json_object_get(document, "instanceId")),
			    rid_format(instance->resource.id).text);
	assert_true(json_is_null(json_object_get(document, "ramdiskId")));
	json_decref(document);
}

static void without_user_data_or_key_there_is_none(void **state)
{
	(void)state;
	freep(&instance->options.user_data);
	freep(&instance->options.public_key);
	expect_none("/latest/user-data");
	expect("/latest/", "dynamic\nmeta-data");
	expect_none(META "public-keys/");
	expect_none(META "public-keys/0/openssh-key");
}

/* ---- tokens ---- */

static char *token_of(struct rid id, int64_t seconds)
{
	struct buffer token = BUFFER_INIT;

	imds_token_make("key", id, NOW, seconds, &token);
	return buffer_steal(&token);
}

static void a_token_is_its_instances_until_it_ends(void **state)
{
	const struct rid one = { KIND_INSTANCE, 1 }, other = { KIND_INSTANCE, 2 };
	CLEANUP(freep) char *token = token_of(one, 60);

	(void)state;
	assert_int_equal(strlen(token), 56);
	assert_int_equal(imds_token_left("key", one, NOW, token), 60);
	assert_int_equal(imds_token_left("key", one, NOW + 59, token), 1);
	assert_int_equal(imds_token_left("key", one, NOW + 60, token), 0);
	assert_int_equal(imds_token_left("key", other, NOW, token), 0);
	assert_int_equal(imds_token_left("another key", one, NOW, token), 0);
	assert_int_equal(imds_token_left("key", one, NOW, ""), 0);
	assert_int_equal(imds_token_left("key", one, NOW, "not a token"), 0);
	/* Every one of its characters counts (the last two are padding). */
	for (size_t i = 0; i < 54; i++) {
		const char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(imds_token_left("key", one, NOW, token), 0);
		token[i] = was;
	}
}

/* ---- who is answered what ---- */

struct reply {
	unsigned int status;
	char type[32], seconds[64], *body;
	unsigned int hops;
};

/* Of up to two headers. */
static struct reply ask(const char *method, const char *path, const struct http_header *headers)
{
	struct http_request request = { .method = method, .path = path, .query = "", .body = "" };
	struct http_reply reply = { .status = 200, .content_type = "text/plain" };
	struct reply said = { 0 };

	request.headers = headers;
	while (headers && request.header_count < 2 && headers[request.header_count].name)
		request.header_count++;
	imds_answer(&model, instance->resource.id, NOW, &request, &reply);
	said.status = reply.status;
	said.hops = reply.hop_limit;
	snprintf(said.type, sizeof(said.type), "%s", reply.content_type);
	for (size_t i = 0; i < reply.header_count; i++)
		if (streq(reply.headers[i].name, "X-aws-ec2-metadata-token-ttl-seconds"))
			snprintf(said.seconds, sizeof(said.seconds), "%s", reply.headers[i].value);
	said.body = buffer_steal(&reply.body);
	return said;
}

static void expect_status(unsigned int status, const char *method, const char *path,
			  const struct http_header *headers)
{
	struct reply said = ask(method, path, headers);

	if (said.status != status)
		fail_msg("%s %s: expected %u, got %u", method, path, status, said.status);
	if (status != 200) {
		CLEANUP(freep) char *title = xasprintf("<title>%u - ", status);

		assert_string_equal(said.type, "text/html");
		assert_non_null(strstr(said.body, title));
	}
	free(said.body);
}

#define ID    "/latest/meta-data/instance-id"
#define TOKEN "/latest/api/token"

static struct http_header seconds_header(const char *value)
{
	return (struct http_header){ "X-aws-ec2-metadata-token-ttl-seconds", value };
}

static char *get_token(const char *seconds)
{
	const struct http_header header[2] = { seconds_header(seconds) };
	struct reply said = ask("PUT", TOKEN, header);

	assert_int_equal(said.status, 200);
	assert_string_equal(said.seconds, seconds);
	assert_string_equal(said.type, "text/plain");
	assert_int_equal(said.hops, 3);
	return said.body;
}

static void tokens_are_given_to_who_asks_rightly(void **state)
{
	static const char *const bad[] = { "",	"0",  "-1",  "21601",  "1.5",
					   "x", "1 ", "0x1", "100000", "999999999999999999999" };
	const struct http_header forwarded[] = { seconds_header("60"),
						 { "x-forwarded-for", "10.0.0.1" } };
	CLEANUP(freep) char *least = get_token("1"), *most = get_token("21600");

	(void)state;
	assert_string_not_equal(least, most);
	expect_status(400, "PUT", TOKEN, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct http_header header[2] = { seconds_header(bad[i]) };

		expect_status(400, "PUT", TOKEN, header);
	}
	expect_status(403, "PUT", TOKEN, forwarded);
	expect_status(405, "GET", TOKEN, NULL);
	expect_status(405, "PUT", "/latest/api/tokens", NULL);
	expect_status(405, "PUT", ID, NULL);
	expect_status(405, "POST", ID, NULL);
	expect_status(405, "DELETE", "/", NULL);
	expect_status(200, "HEAD", ID, NULL);
}

static void version_1_is_refused_where_tokens_are_required(void **state)
{
	CLEANUP(freep) char *token = get_token("60");
	struct http_header good[2] = { { "x-aws-ec2-metadata-token", token } };
	const struct http_header bad[2] = { { "X-aws-ec2-metadata-token", "AQAAA==" } };
	struct reply said;

	(void)state;
	expect_status(200, "GET", ID, NULL);
	expect_status(401, "GET", ID, bad);
	said = ask("GET", ID, good);
	assert_int_equal(said.status, 200);
	assert_string_equal(said.body, rid_format(instance->resource.id).text);
	assert_string_equal(said.seconds, "60");
	assert_int_equal(said.hops, 0);
	free(said.body);
	free(instance->options.http_tokens);
	instance->options.http_tokens = xstrdup("required");
	expect_status(401, "GET", ID, NULL);
	expect_status(401, "GET", ID, bad);
	expect_status(401, "GET", META "nothing", NULL); /* and nobody learns what there is */
	expect_status(200, "GET", ID, good);
	expect_status(404, "GET", META "nothing", good);
	launch(0); /* with the first one's token */
	expect_status(401, "GET", ID, good);
}

static void an_endpoint_that_is_off_says_nothing(void **state)
{
	const struct http_header header[2] = { seconds_header("60") };

	(void)state;
	free(instance->options.http_endpoint);
	instance->options.http_endpoint = xstrdup("disabled");
	expect_status(403, "GET", ID, NULL);
	expect_status(403, "GET", "/", NULL);
	expect_status(403, "PUT", TOKEN, header);
}

static void what_has_no_page_is_404(void **state)
{
	(void)state;
	expect_status(404, "GET", META "iam/security-credentials/", NULL);
	expect_status(200, "GET", "/latest/user-data", NULL);
	freep(&instance->options.user_data);
	expect_status(404, "GET", "/latest/user-data", NULL);
}

/* ---- the server ---- */

static struct loop *loop;
static struct imds *imds;

static int open_server(void **state)
{
	const struct address address = address_v4(0x7f000002);

	set_up(state);
	/* It has no such address as AWS would give, but one that this machine can send from. */
	interface_type.index(&model, &card()->resource, false);
	card()->address = address;
	interface_type.index(&model, &card()->resource, true);
	assert_int_equal(loop_new(&loop, &error), 0);
	assert_int_equal(imds_open(loop, &model, &imds, &error), 0);
	return 0;
}

static int close_server(void **state)
{
	imds = imds_close(imds);
	loop = loop_free(loop);
	return tear_down(state);
}

/* A client at 127.0.0.`last`, its other end handed to the service. */
static int dial(unsigned int last)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &length), 0);
	assert_int_equal(
		bind(client,
		     (struct sockaddr *)&(struct sockaddr_in){
			     .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + last) },
		     sizeof(name)),
		0);
	assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
	imds_accept(imds, accept4(listener, NULL, NULL, SOCK_CLOEXEC), subnet->resource.id);
	close(listener);
	return client;
}

static void on_client(void *context, uint32_t events)
{
	(void)events;
	loop_stop(context);
}

static void on_late(void *context)
{
	(void)context;
	fail_msg("no reply in time");
}

/* What the server says until it closes. */
static char *hear(int client)
{
	struct buffer text = BUFFER_INIT;
	struct loop_source *source = NULL, *late = NULL;
	char bytes[4096];
	ssize_t n;

	assert_int_equal(loop_add_fd(loop, client, EPOLLIN, on_client, loop, &source, &error), 0);
	assert_int_equal(loop_add_timer(loop, 20000, on_late, NULL, &late, &error), 0);
	do {
		assert_int_equal(loop_run(loop, &error), 0);
		n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0)
			buffer_append(&text, bytes, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	loop_remove(source);
	loop_remove(late);
	return buffer_steal(&text);
}

static void say(int client, const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char *converse(unsigned int last, const char *request)
{
	int client = dial(last);
	char *reply;

	say(client, request);
	reply = hear(client);
	close(client);
	return reply;
}

#define GET_ID "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: 169.254.169.254\r\n"

static void an_instance_is_answered_with_its_own(void **state)
{
	CLEANUP(freep) char *reply = converse(2, GET_ID "\r\n");

	(void)state;
	assert_int_equal(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17), 0);
	assert_non_null(strstr(reply, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(reply, "\r\nServer: EC2ws\r\n"));
	assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
	assert_null(strstr(reply, "x-amzn-RequestId"));
	assert_string_equal(strstr(reply, "\r\n\r\n") + 4, rid_format(instance->resource.id).text);
}

static void nobody_else_is_answered(void **state)
{
	int client = dial(3); /* no interface has that address */
	CLEANUP(freep) char *nothing = NULL, *gone = NULL;

	(void)state;
	nothing = hear(client);
	assert_string_equal(nothing, "");
	close(client);
	instance->state = INSTANCE_STOPPED;
	client = dial(2);
	gone = hear(client);
	assert_string_equal(gone, "");
	close(client);
}

static void an_address_that_moved_tells_nothing_of_either(void **state)
{
	CLEANUP(freep) char *reply = NULL;
	int client = dial(2);
	struct interface *before = card();

	(void)state;
	say(client, GET_ID);
	interface_type.index(&model, &before->resource, false);
	before->address = address_v4(0x7f000009);
	interface_type.index(&model, &before->resource, true);
	launch(0);
	interface_type.index(&model, &card()->resource, false);
	card()->address = address_v4(0x7f000002);
	interface_type.index(&model, &card()->resource, true);
	say(client, "\r\n");
	reply = hear(client);
	assert_int_equal(strncmp(reply, "HTTP/1.1 403 ", 13), 0);
	close(client);
}

static void a_secondary_address_is_the_instances_too(void **state)
{
	CLEANUP(freep) char *reply = NULL;

	(void)state;
	interface_type.index(&model, &card()->resource, false);
	card()->secondaries[1].address = address_v4(0x7f000007);
	interface_type.index(&model, &card()->resource, true);
	reply = converse(7, GET_ID "\r\n");
	assert_non_null(strstr(reply, rid_format(instance->resource.id).text));
}

static void what_is_too_much_is_refused(void **state)
{
	CLEANUP(freep)
	char *large = converse(2, "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n"
				  "Content-Length: 5000\r\n\r\n");
	CLEANUP(freep) char *headers = NULL, *garbage = converse(2, "\r\n\r\nhello\r\n\r\n");
	CLEANUP(buffer_clear) struct buffer many = BUFFER_INIT;

	(void)state;
	assert_int_equal(strncmp(large, "HTTP/1.1 413 ", 13), 0);
	assert_int_equal(strncmp(garbage, "HTTP/1.1 400 ", 13), 0);
	buffer_puts(&many, GET_ID);
	for (int i = 0; i < 400; i++)
		buffer_printf(&many, "X-Header-%d: something to fill the memory\r\n", i);
	headers = converse(2, many.data);
	assert_int_equal(strncmp(headers, "HTTP/1.1 431 ", 13), 0);
}

/* One more is closed at once; when one has gone there is room again. */
static void an_instance_has_so_many_connections(void **state)
{
	int clients[32], more;
	CLEANUP(freep) char *nothing = NULL, *reply = NULL, *again = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = dial(2);
	more = dial(2);
	nothing = hear(more);
	assert_string_equal(nothing, "");
	close(more);
	say(clients[0], GET_ID "\r\n");
	reply = hear(clients[0]);
	assert_int_equal(strncmp(reply, "HTTP/1.1 200 ", 13), 0);
	again = converse(2, GET_ID "\r\n");
	assert_int_equal(strncmp(again, "HTTP/1.1 200 ", 13), 0);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		close(clients[i]);
}

/* Patience is 5 s: it is cut off, not before and not much later. */
static void who_says_nothing_is_cut_off(void **state)
{
	const time_t begin = time(NULL);
	int client = dial(2);
	CLEANUP(freep) char *reply = NULL;

	(void)state;
	say(client, "GET /latest/");
	reply = hear(client);
	assert_null(strstr(reply, " 200 "));
	assert_true(time(NULL) - begin >= 4);
	assert_true(time(NULL) - begin <= 10);
	close(client);
}

#define WITH_MODEL(test_)  cmocka_unit_test_setup_teardown(test_, set_up, tear_down)
#define WITH_SERVER(test_) cmocka_unit_test_setup_teardown(test_, open_server, close_server)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_MODEL(an_instance_is_told_what_it_is),
		WITH_MODEL(an_interface_is_told_by_its_mac),
		WITH_MODEL(public_addresses_come_and_go),
		WITH_MODEL(tags_are_told_when_they_may_be),
		WITH_MODEL(a_vpc_has_its_own_domain),
		WITH_MODEL(paths_are_taken_as_clients_write_them),
		WITH_MODEL(what_is_listed_is_there),
		WITH_MODEL(the_document_says_who_it_is),
		WITH_MODEL(without_user_data_or_key_there_is_none),
		cmocka_unit_test(a_token_is_its_instances_until_it_ends),
		WITH_MODEL(tokens_are_given_to_who_asks_rightly),
		WITH_MODEL(version_1_is_refused_where_tokens_are_required),
		WITH_MODEL(an_endpoint_that_is_off_says_nothing),
		WITH_MODEL(what_has_no_page_is_404),
		WITH_SERVER(an_instance_is_answered_with_its_own),
		WITH_SERVER(nobody_else_is_answered),
		WITH_SERVER(an_address_that_moved_tells_nothing_of_either),
		WITH_SERVER(a_secondary_address_is_the_instances_too),
		WITH_SERVER(what_is_too_much_is_refused),
		WITH_SERVER(an_instance_has_so_many_connections),
		WITH_SERVER(who_says_nothing_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
