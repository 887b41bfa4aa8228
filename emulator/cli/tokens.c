/* What can be typed, as tables: see tokens.h. */
#include "cli/tokens.h"

#include "base/cidr.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/completion.h"
#include "cli/why.h"
#include "picture/graph.h"

#include <stdio.h>

#define FIELD(name) offsetof(struct request, name)

/* ADDR:PORT, the address numeric; IPv6 in brackets as in a URL. */
static bool valid_listen(const char *value)
{
	const char *colon = strrchr(value, ':');
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	size_t length, digits;

	if (!colon || (size_t)(colon - value) >= sizeof(text))
		return false;
	length = (size_t)(colon - value);
	digits = strspn(colon + 1, "0123456789");
	if (digits < 1 || digits > 5 || colon[1 + digits] || atoi(colon + 1) > 65535)
		return false;
	if (length > 2 && value[0] == '[' && value[length - 1] == ']') {
		snprintf(text, sizeof(text), "%.*s", (int)length - 2, value + 1);
		return address_parse(text, &address) == 0 && address.family == AF_INET6;
	}
	snprintf(text, sizeof(text), "%.*s", (int)length, value);
	return address_parse(text, &address) == 0 && address.family == AF_INET;
}

/* The shape only (eu-west-1): which regions there are is the daemon's to say. */
static bool valid_region(const char *value)
{
	size_t length = strlen(value);

	return length >= 4 && length <= 32 && value[0] >= 'a' && value[0] <= 'z' &&
	       value[length - 1] != '-' && strchr(value, '-') &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* An empty disk is none, and less than this holds nothing. */
static bool valid_disk(const char *value)
{
	uint64_t size;

	return text_size(value, &size) == 0 && size >= 1024 * 1024;
}

/* Less than this would hold no instance. */
static bool valid_memory(const char *value)
{
	uint64_t size;

	return streq(value, "none") || (text_size(value, &size) == 0 && size >= 16 * 1024 * 1024);
}

static bool valid_format(const char *value)
{
	return streq(value, "table") || streq(value, "json");
}

#define FORMAT_OPTION                                                                              \
	{                                                                                          \
		.kind = TOKEN_OPTION, .word = "-o", .argument = "table|json",                      \
		.field = FIELD(output), .valid = valid_format,                                     \
		.help = "how to print it (default: table)"                                         \
	}

static bool valid_outputs(const char *value)
{
	return valid_format(value) || streq(value, "env");
}

static bool valid_ipv4(const char *value)
{
	struct address address;

	return address_parse(value, &address) == 0 && address.family == AF_INET;
}

static bool valid_line_format(const char *value)
{
	return streq(value, "text") || streq(value, "json");
}

/* 1 and more, of nine digits at most. */
static bool valid_number(const char *value)
{
	size_t length = strlen(value);

	return length >= 1 && length <= 9 && *value != '0' && strspn(value, "0123456789") == length;
}

const struct token token_common[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--state",
	  .argument = "DIR",
	  .field = FIELD(state),
	  .help = "the world's state directory (default: $MINIVPC_STATE, or " DEFAULT_STATE ")" },
	{ .kind = TOKEN_FLAG,
	  .word = "--help",
	  .field = FIELD(help),
	  .help = "explain the verb instead of running it" },
	{ .kind = TOKEN_FLAG, .word = "-h", .field = FIELD(help) },
	{ .kind = TOKEN_END },
};

static bool valid_assignment(const char *value)
{
	const char *equals = strchr(value, '=');

	return equals && equals > value;
}

static bool valid_account(const char *value)
{
	return strlen(value) == 12 && strspn(value, "0123456789") == 12;
}

static const struct token none[] = {
	{ .kind = TOKEN_END },
};

static const struct token env[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--account",
	  .argument = "ID",
	  .field = FIELD(account),
	  .valid = valid_account,
	  .help = "the keys of this account (default: 123456789012)" },
	{ .kind = TOKEN_END },
};

static const struct token serve[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--listen",
	  .argument = "ADDR:PORT",
	  .field = FIELD(listen),
	  .valid = valid_listen,
	  .help = "where to answer; port 0 picks a free one (default: " DEFAULT_LISTEN ")" },
	{ .kind = TOKEN_OPTION,
	  .word = "--region",
	  .argument = "NAME",
	  .field = FIELD(region),
	  .valid = valid_region,
	  .help = "the region that `env` and `aws` use (default: " DEFAULT_REGION ")" },
	{ .kind = TOKEN_LIST,
	  .word = "--quota",
	  .argument = "aws|NAME=N",
	  .field = FIELD(quotas),
	  .help = "all of AWS's quotas, or one, while this daemon runs (names: man minivpc); "
		  "repeatable" },
	{ .kind = TOKEN_OPTION,
	  .word = "--disk",
	  .argument = "SIZE",
	  .field = FIELD(disk),
	  .valid = valid_disk,
	  .help = "what an instance may write, as 512M or 20G (default: " DEFAULT_DISK ")" },
	{ .kind = TOKEN_OPTION,
	  .word = "--memory",
	  .argument = "SIZE|none",
	  .field = FIELD(memory),
	  .valid = valid_memory,
	  .help = "what all instances together may use of this machine's, where control groups "
		  "allow (default: 80 %)" },
	{ .kind = TOKEN_FLAG,
	  .word = "--memory-limits",
	  .field = FIELD(memory_limits),
	  .help = "hold each instance, too, to the memory of its type and disk" },
	{ .kind = TOKEN_FLAG,
	  .word = "--accept-any-credentials",
	  .field = FIELD(accept_any_credentials),
	  .help = "verify no signature: whoever reaches the port is root here" },
	{ .kind = TOKEN_FLAG,
	  .word = "--uplink",
	  .field = FIELD(uplink),
	  .help = "let instances reach the real Internet, as this machine does (needs pasta)" },
	{ .kind = TOKEN_END },
};

static const struct token aws[] = {
	{ .kind = TOKEN_COMMAND, .word = "ARGS...", .help = "passed to the AWS CLI as they are" },
	{ .kind = TOKEN_END },
};

static const struct token service[] = {
	{ .kind = TOKEN_COMMAND,
	  .word = "VERB...",
	  .help = "and its options, as the AWS CLI spells them; help, VERB help: all of them" },
	{ .kind = TOKEN_END },
};

static const struct token exec[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(instance),
	  .help = "an instance id or a unique Name tag" },
	{ .kind = TOKEN_COMMAND,
	  .word = "CMD...",
	  .dashes = true,
	  .help = "the command and its arguments" },
	{ .kind = TOKEN_END },
};

static const struct token shell[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(instance),
	  .help = "an instance id or a unique Name tag" },
	{ .kind = TOKEN_END },
};

static const struct token cp[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "SRC",
	  .field = FIELD(from),
	  .help = "a file or a directory; INSTANCE:PATH is in an instance" },
	{ .kind = TOKEN_OPERAND,
	  .word = "DST",
	  .field = FIELD(to),
	  .help = "a directory that is there, or a new name; one of the two is in an instance" },
	{ .kind = TOKEN_END },
};

static const struct token logs[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "--follow",
	  .field = FIELD(follow),
	  .help = "go on with what comes, until the instance is terminated (-f)" },
	{ .kind = TOKEN_FLAG, .word = "-f", .field = FIELD(follow) },
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(instance),
	  .help = "an instance id or a unique Name tag; it may be stopped" },
	{ .kind = TOKEN_END },
};

#define OWN_HOST "(default: internet, which every world has)"

static const struct token internet_exec[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "HOST",
	  .field = FIELD(host),
	  .optional = true,
	  .help = "a host's name, when -- follows it " OWN_HOST },
	{ .kind = TOKEN_COMMAND,
	  .word = "CMD...",
	  .dashes = true,
	  .help = "the command and its arguments" },
	{ .kind = TOKEN_END },
};

static const struct token internet_address[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "HOST",
	  .field = FIELD(host),
	  .optional = true,
	  .help = "a host's name " OWN_HOST },
	{ .kind = TOKEN_END },
};

static const struct token internet_create[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--address",
	  .argument = "ADDR",
	  .field = FIELD(address),
	  .valid = valid_ipv4,
	  .help = "any public one that is free (default: the next of 198.18.0.0/24)" },
	{ .kind = TOKEN_OPERAND,
	  .word = "HOST",
	  .field = FIELD(host),
	  .help = "its name, which is its hostname too" },
	{ .kind = TOKEN_END },
};

static const struct token list_options[] = {
	FORMAT_OPTION,
	{ .kind = TOKEN_END },
};

static const struct token internet_delete[] = {
	{ .kind = TOKEN_OPERAND, .word = "HOST", .field = FIELD(host), .help = "a host's name" },
	{ .kind = TOKEN_END },
};

static const struct token internet[] = {
	{ .kind = TOKEN_WORD,
	  .word = "exec",
	  .verb = VERB_INTERNET_EXEC,
	  .next = internet_exec,
	  .help = "run a command on a host of the simulated Internet",
	  .example = "minivpc internet exec ping -c 2 198.18.1.0\nminivpc internet exec resolver "
		     "-- sh" },
	{ .kind = TOKEN_WORD,
	  .word = "address",
	  .verb = VERB_INTERNET_ADDRESS,
	  .next = internet_address,
	  .help = "print a host's IPv4 address",
	  .example = "minivpc internet address" },
	{ .kind = TOKEN_WORD,
	  .word = "create",
	  .verb = VERB_INTERNET_CREATE,
	  .next = internet_create,
	  .help = "make one more host and print its IPv4 address",
	  .example = "minivpc internet create resolver --address 8.8.8.8" },
	{ .kind = TOKEN_WORD,
	  .word = "list",
	  .verb = VERB_INTERNET_LIST,
	  .next = list_options,
	  .help = "list the hosts",
	  .example = "minivpc internet list -o json" },
	{ .kind = TOKEN_WORD, .word = "ps", .verb = VERB_INTERNET_LIST, .next = list_options },
	{ .kind = TOKEN_WORD,
	  .word = "delete",
	  .verb = VERB_INTERNET_DELETE,
	  .next = internet_delete,
	  .help = "end a host and forget it",
	  .example = "minivpc internet delete resolver" },
	{ .kind = TOKEN_END },
};

static const struct token image_import[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "NAME",
	  .field = FIELD(image),
	  .help = "what to call it: 3 to 128 characters" },
	{ .kind = TOKEN_OPERAND,
	  .word = "PATH",
	  .field = FIELD(path_of_image),
	  .help = "a directory, used where it is and never written to, or a tar archive, "
		  "unpacked" },
	{ .kind = TOKEN_END },
};

static const struct token image_delete[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "IMAGE",
	  .field = FIELD(image),
	  .help = "an image's name or id" },
	{ .kind = TOKEN_END },
};

static const struct token image[] = {
	{ .kind = TOKEN_WORD,
	  .word = "import",
	  .verb = VERB_IMAGE_IMPORT,
	  .next = image_import,
	  .help = "make an image of a directory or an archive, and print its id",
	  .example = "minivpc image import bookworm /srv/bookworm" },
	{ .kind = TOKEN_WORD,
	  .word = "list",
	  .verb = VERB_IMAGE_LIST,
	  .next = list_options,
	  .help = "list the images of one's own",
	  .example = "minivpc image list" },
	{ .kind = TOKEN_WORD, .word = "ps", .verb = VERB_IMAGE_LIST, .next = list_options },
	{ .kind = TOKEN_WORD,
	  .word = "delete",
	  .verb = VERB_IMAGE_DELETE,
	  .next = image_delete,
	  .help = "deregister an image; instances that have it go on",
	  .example = "minivpc image delete bookworm" },
	{ .kind = TOKEN_END },
};

static const struct token account_create[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "ID",
	  .field = FIELD(account),
	  .optional = true,
	  .valid = valid_account,
	  .help = "its number, twelve digits (default: one that is free)" },
	{ .kind = TOKEN_END },
};

static const struct token account[] = {
	{ .kind = TOKEN_WORD,
	  .word = "create",
	  .verb = VERB_ACCOUNT_CREATE,
	  .next = account_create,
	  .help = "make one more account with keys of its own, and print its number",
	  .example = "minivpc account create 210987654321" },
	{ .kind = TOKEN_WORD,
	  .word = "list",
	  .verb = VERB_ACCOUNT_LIST,
	  .next = list_options,
	  .help = "list the accounts and their profiles in the file of credentials",
	  .example = "minivpc account list" },
	{ .kind = TOKEN_WORD, .word = "ps", .verb = VERB_ACCOUNT_LIST, .next = list_options },
	{ .kind = TOKEN_END },
};

static const struct token ps[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "-a",
	  .field = FIELD(all),
	  .help = "terminated instances too, while the API still shows them" },
	{ .kind = TOKEN_FLAG,
	  .word = "--drops",
	  .field = FIELD(drops),
	  .help = "list what rules dropped of the instances' packets instead" },
	{ .kind = TOKEN_FLAG,
	  .word = "--nat",
	  .field = FIELD(nat),
	  .help = "list the NAT gateways instead, and the connections they have" },
	FORMAT_OPTION,
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(instance),
	  .with = FIELD(drops),
	  .help = "with --drops: of this one only, an instance id or a unique Name tag" },
	{ .kind = TOKEN_END },
};

static const struct token audit[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "--repair",
	  .field = FIELD(repair),
	  .help = "mend what differs, and tell what was mended" },
	FORMAT_OPTION,
	{ .kind = TOKEN_END },
};

static const struct token graph[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "-o",
	  .argument = "text|dot|mermaid|svg|html|json",
	  .field = FIELD(output),
	  .valid = graph_knows,
	  .help = "its form (default: text, an indented tree)" },
	{ .kind = TOKEN_OPTION,
	  .word = "--vpc",
	  .argument = "VPC",
	  .field = FIELD(vpc),
	  .help = "this VPC only, an id or a Name tag" },
	{ .kind = TOKEN_END },
};

static const struct token capture[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "TARGET",
	  .field = FIELD(instance),
	  .help = "an instance's id or unique Name tag, or the id of a network interface, a "
		  "subnet, an internet or NAT gateway, a peering connection or a VPC" },
	{ .kind = TOKEN_OPTION,
	  .word = "-w",
	  .argument = "FILE|-",
	  .field = FIELD(file),
	  .help = "write them to a file, or to a pipe, for tcpdump and Wireshark (pcapng); "
		  "default: a line for each" },
	{ .kind = TOKEN_OPTION,
	  .word = "-o",
	  .argument = "text|json",
	  .field = FIELD(output),
	  .valid = valid_line_format,
	  .help = "what its lines are (default: text)" },
	{ .kind = TOKEN_OPTION,
	  .word = "--count",
	  .argument = "N",
	  .field = FIELD(count),
	  .valid = valid_number,
	  .help = "end after so many packets" },
	{ .kind = TOKEN_OPTION,
	  .word = "--seconds",
	  .argument = "S",
	  .field = FIELD(seconds),
	  .valid = valid_number,
	  .help = "end after so long" },
	{ .kind = TOKEN_END },
};

static bool valid_port(const char *value)
{
	const size_t length = strlen(value);

	return length >= 1 && length <= 5 && strspn(value, "0123456789") == length &&
	       atoi(value) <= UINT16_MAX;
}

static const struct token why[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "--model",
	  .field = FIELD(model_only),
	  .help = "tell what the rules say, and send nothing" },
	FORMAT_OPTION,
	{ .kind = TOKEN_OPERAND,
	  .word = "SRC",
	  .field = FIELD(from),
	  .help = "who sends: an instance (id or Name tag), a network interface, or a host of the "
		  "Internet" },
	{ .kind = TOKEN_OPERAND,
	  .word = "DST",
	  .field = FIELD(to),
	  .help = "to whom: the same, or an IPv4 address" },
	{ .kind = TOKEN_OPERAND,
	  .word = "SERVICE",
	  .field = FIELD(service),
	  .optional = true,
	  .valid = why_service_is_valid,
	  .help = "tcp/PORT, udp/PORT or icmp (default: icmp, an echo request)" },
	{ .kind = TOKEN_END },
};

static const struct token ping_matrix[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--port",
	  .argument = "N",
	  .field = FIELD(port),
	  .valid = valid_port,
	  .help = "connect to this TCP port (default: ping)" },
	{ .kind = TOKEN_OPTION,
	  .word = "--vpc",
	  .argument = "ID",
	  .field = FIELD(vpc),
	  .help = "only the instances of this VPC (default: all of the world)" },
	FORMAT_OPTION,
	{ .kind = TOKEN_END },
};

static const struct token fault_az[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "ZONE",
	  .field = FIELD(target),
	  .help = "its name or its id: us-east-1a, use1-az1" },
	{ .kind = TOKEN_END },
};

static const struct token fault_nat[] = {
	{ .kind = TOKEN_OPERAND, .word = "NAT-GATEWAY", .field = FIELD(target), .help = "its id" },
	{ .kind = TOKEN_END },
};

static const struct token fault_subnet[] = {
	{ .kind = TOKEN_OPERAND, .word = "SUBNET", .field = FIELD(target), .help = "its id" },
	{ .kind = TOKEN_END },
};

static const struct token fault_instance[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(target),
	  .help = "an instance id or a unique Name tag" },
	{ .kind = TOKEN_END },
};

static const struct token fault_link[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--loss",
	  .argument = "PERCENT",
	  .field = FIELD(loss),
	  .help = "of the packets in each direction so many are lost, as 5 or 0.1" },
	{ .kind = TOKEN_OPTION,
	  .word = "--delay",
	  .argument = "TIME",
	  .field = FIELD(delay),
	  .help = "what comes waits, as 50ms or 1s, where the kernel has netem" },
	{ .kind = TOKEN_OPTION,
	  .word = "--rate",
	  .argument = "RATE",
	  .field = FIELD(rate),
	  .help = "what is faster in a direction is dropped, as 500kbit, 10mbit or 1gbit per "
		  "second" },
	{ .kind = TOKEN_OPERAND,
	  .word = "INSTANCE",
	  .field = FIELD(target),
	  .help = "an instance id, a unique Name tag, or a network interface's id" },
	{ .kind = TOKEN_END },
};

static const struct token fault_heal[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "FAULT",
	  .field = FIELD(target),
	  .optional = true,
	  .help = "a fault's id, or what it is about: a zone, an id, a Name tag (default: all)" },
	{ .kind = TOKEN_END },
};

static const struct token fault[] = {
	{ .kind = TOKEN_WORD,
	  .word = "az",
	  .verb = VERB_FAULT_AZ,
	  .next = fault_az,
	  .help = "an Availability Zone goes dark: its subnets, instances and NAT gateways",
	  .example = "minivpc fault az us-east-1a" },
	{ .kind = TOKEN_WORD,
	  .word = "nat",
	  .verb = VERB_FAULT_NAT,
	  .next = fault_nat,
	  .help = "a NAT gateway falls silent",
	  .example = "minivpc fault nat nat-0123456789abcdef0" },
	{ .kind = TOKEN_WORD,
	  .word = "subnet",
	  .verb = VERB_FAULT_SUBNET,
	  .next = fault_subnet,
	  .help = "no packet enters, leaves or crosses a subnet",
	  .example = "minivpc fault subnet subnet-0123456789abcdef0" },
	{ .kind = TOKEN_WORD,
	  .word = "instance",
	  .verb = VERB_FAULT_INSTANCE,
	  .next = fault_instance,
	  .help = "an instance's host dies; stop and start find it another one",
	  .example = "minivpc fault instance web" },
	{ .kind = TOKEN_WORD,
	  .word = "link",
	  .verb = VERB_FAULT_LINK,
	  .next = fault_link,
	  .help = "an instance's or an interface's link loses packets, or is slow",
	  .example = "minivpc fault link web --loss 5" },
	{ .kind = TOKEN_WORD,
	  .word = "list",
	  .verb = VERB_FAULT_LIST,
	  .next = list_options,
	  .help = "list the faults",
	  .example = "minivpc fault list -o json" },
	{ .kind = TOKEN_WORD, .word = "ps", .verb = VERB_FAULT_LIST, .next = list_options },
	{ .kind = TOKEN_WORD,
	  .word = "heal",
	  .verb = VERB_FAULT_HEAL,
	  .next = fault_heal,
	  .help = "end a fault, or all of them",
	  .example = "minivpc fault heal" },
	{ .kind = TOKEN_END },
};

static bool valid_shell(const char *value)
{
	return completion_script(value) != NULL;
}

static const struct token completion[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "bash|zsh",
	  .field = FIELD(shell),
	  .valid = valid_shell,
	  .help = "the shell" },
	{ .kind = TOKEN_END },
};

/* Typed by the scripts of `completion`. */
static const struct token complete[] = {
	{ .kind = TOKEN_COMMAND, .word = "WORDS...", .dashes = true, .help = "what is typed" },
	{ .kind = TOKEN_END },
};

static const struct token up[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "--stack",
	  .argument = "NAME",
	  .field = FIELD(stack),
	  .help = "the stack's name (default: the file's, up to its first dot)" },
	{ .kind = TOKEN_LIST,
	  .word = "--parameter",
	  .argument = "KEY=VALUE",
	  .field = FIELD(parameters),
	  .valid = valid_assignment,
	  .help = "a value for one of the template's parameters; repeatable" },
	{ .kind = TOKEN_FLAG,
	  .word = "--skip-unsupported",
	  .field = FIELD(skip_unsupported),
	  .help = "leave out what minivpc lacks, and say so, instead of refusing the template" },
	{ .kind = TOKEN_FLAG,
	  .word = "--dry-run",
	  .field = FIELD(dry_run),
	  .help = "show what would be done, and do nothing" },
	{ .kind = TOKEN_OPTION,
	  .word = "-o",
	  .argument = "table|json",
	  .field = FIELD(output),
	  .valid = valid_format,
	  .help = "how to print what came of it (default: table)" },
	{ .kind = TOKEN_OPERAND,
	  .word = "TEMPLATE",
	  .field = FIELD(template),
	  .help = "a CloudFormation template, YAML or JSON; - is standard input" },
	{ .kind = TOKEN_END },
};

static const struct token outputs[] = {
	{ .kind = TOKEN_OPTION,
	  .word = "-o",
	  .argument = "table|json|env",
	  .field = FIELD(output),
	  .valid = valid_outputs,
	  .help = "how to print them (default: table); env: lines for a shell" },
	{ .kind = TOKEN_OPERAND, .word = "STACK", .field = FIELD(stack), .help = "a stack's name" },
	{ .kind = TOKEN_END },
};

static const struct token down[] = {
	{ .kind = TOKEN_OPERAND,
	  .word = "STACK",
	  .field = FIELD(stack),
	  .optional = true,
	  .help = "a stack to delete; without one the whole world goes" },
	{ .kind = TOKEN_END },
};

static const struct token lab[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "--check",
	  .field = FIELD(check),
	  .help = "verify it instead: bring it up, try it, take it down" },
	{ .kind = TOKEN_OPTION,
	  .word = "--files",
	  .argument = "DIR",
	  .field = FIELD(lab_files),
	  .help = "put its template, lesson and script into a new directory instead" },
	{ .kind = TOKEN_OPERAND,
	  .word = "NAME",
	  .field = FIELD(lab),
	  .help = "a lab's name or number" },
	{ .kind = TOKEN_END },
};

static bool valid_json(const char *value)
{
	return streq(value, "json");
}

static const struct token events[] = {
	{ .kind = TOKEN_FLAG,
	  .word = "--follow",
	  .field = FIELD(follow),
	  .help = "go on with what comes, until the daemon ends (-f)" },
	{ .kind = TOKEN_FLAG, .word = "-f", .field = FIELD(follow) },
	{ .kind = TOKEN_OPTION,
	  .word = "-o",
	  .argument = "json",
	  .field = FIELD(output),
	  .valid = valid_json,
	  .help = "how to print it: lines of JSON are all there is" },
	{ .kind = TOKEN_END },
};

const struct token token_verbs[] = {
	{ .kind = TOKEN_WORD,
	  .word = "serve",
	  .verb = VERB_SERVE,
	  .next = serve,
	  .help = "run the daemon in the foreground",
	  .example = "minivpc serve --listen 127.0.0.1:0 --quota aws" },
	{ .kind = TOKEN_WORD,
	  .word = "env",
	  .verb = VERB_ENV,
	  .next = env,
	  .help = "print shell exports for the AWS tools",
	  .example = "eval \"$(minivpc env)\"" },
	{ .kind = TOKEN_WORD,
	  .word = "aws",
	  .verb = VERB_AWS,
	  .next = aws,
	  .help = "run the AWS CLI against the world",
	  .example = "minivpc aws ec2 describe-vpcs --output table" },
	{ .kind = TOKEN_WORD,
	  .word = "ec2",
	  .verb = VERB_SERVICE,
	  .next = service,
	  .help = "what `aws ec2` does, in milliseconds",
	  .example = "minivpc ec2 create-vpc --cidr-block 10.0.0.0/16\nminivpc ec2 "
		     "describe-instances --query Reservations[].Instances[].PrivateIpAddress" },
	{ .kind = TOKEN_WORD,
	  .word = "cloudformation",
	  .verb = VERB_SERVICE,
	  .next = service,
	  .help = "what `aws cloudformation` does: stacks",
	  .example = "minivpc cloudformation create-stack --stack-name app --template-body "
		     "file://app.yaml\nminivpc cloudformation wait stack-create-complete "
		     "--stack-name app" },
	{ .kind = TOKEN_WORD,
	  .word = "ssm",
	  .verb = VERB_SERVICE,
	  .next = service,
	  .help = "what `aws ssm` does: public parameters",
	  .example = "minivpc ssm get-parameters-by-path --path "
		     "/aws/service/ami-amazon-linux-latest" },
	{ .kind = TOKEN_WORD,
	  .word = "sts",
	  .verb = VERB_SERVICE,
	  .next = service,
	  .help = "what `aws sts` does: who calls, and roles",
	  .example = "minivpc sts get-caller-identity" },
	{ .kind = TOKEN_WORD,
	  .word = "exec",
	  .verb = VERB_EXEC,
	  .next = exec,
	  .help = "run a command inside an instance",
	  .example = "minivpc exec web ping -c 2 10.0.2.4" },
	{ .kind = TOKEN_WORD,
	  .word = "shell",
	  .verb = VERB_SHELL,
	  .next = shell,
	  .help = "log in to an instance",
	  .example = "minivpc shell web" },
	{ .kind = TOKEN_WORD,
	  .word = "cp",
	  .verb = VERB_CP,
	  .next = cp,
	  .help = "copy files into an instance or out of it",
	  .example = "minivpc cp web:/etc/hosts /tmp/\nminivpc cp site/ web:/srv" },
	{ .kind = TOKEN_WORD,
	  .word = "logs",
	  .verb = VERB_LOGS,
	  .next = logs,
	  .help = "print an instance's console",
	  .example = "minivpc logs -f web" },
	{ .kind = TOKEN_WORD,
	  .word = "internet",
	  .next = internet,
	  .help = "the simulated Internet" },
	{ .kind = TOKEN_WORD,
	  .word = "image",
	  .next = image,
	  .help = "images of one's own, for instances to boot from" },
	{ .kind = TOKEN_WORD,
	  .word = "account",
	  .next = account,
	  .help = "the world's accounts, each with keys of its own" },
	{ .kind = TOKEN_WORD,
	  .word = "ps",
	  .verb = VERB_PS,
	  .next = ps,
	  .help = "list the instances",
	  .example = "minivpc ps -o json\nminivpc ps --drops web\nminivpc ps --nat" },
	{ .kind = TOKEN_WORD,
	  .word = "labs",
	  .verb = VERB_LABS,
	  .next = list_options,
	  .help = "list the labs",
	  .example = "minivpc labs" },
	{ .kind = TOKEN_WORD,
	  .word = "lab",
	  .verb = VERB_LAB,
	  .next = lab,
	  .help = "walk through a lab, step by step",
	  .example = "minivpc lab vpc-from-nothing\nminivpc lab 2 --check" },
	{ .kind = TOKEN_WORD,
	  .word = "actions",
	  .verb = VERB_ACTIONS,
	  .next = list_options,
	  .help = "list the API's actions, and what each does to packets",
	  .example = "minivpc actions -o json" },
	{ .kind = TOKEN_WORD,
	  .word = "graph",
	  .verb = VERB_GRAPH,
	  .next = graph,
	  .help = "draw what there is: VPCs, subnets, instances, and where routes lead",
	  .example = "minivpc graph\nminivpc graph -o html >world.html\nminivpc graph -o dot --vpc "
		     "lab | dot -Tpng >lab.png" },
	{ .kind = TOKEN_WORD,
	  .word = "capture",
	  .verb = VERB_CAPTURE,
	  .next = capture,
	  .help = "show or write down the packets that pass a thing, until ^C",
	  .example =
		  "minivpc capture web --count 10\nminivpc capture web -w - | wireshark -k -i -" },
	{ .kind = TOKEN_WORD,
	  .word = "why",
	  .verb = VERB_WHY,
	  .next = why,
	  .help = "tell a packet's way hop by hop and what stops it, and send it",
	  .example = "minivpc why web db tcp/5432\nminivpc why db internet" },
	{ .kind = TOKEN_WORD,
	  .word = "ping-matrix",
	  .verb = VERB_PING_MATRIX,
	  .next = ping_matrix,
	  .help = "try who reaches whom, and tell why not",
	  .example = "minivpc ping-matrix --port 22" },
	{ .kind = TOKEN_WORD,
	  .word = "fault",
	  .next = fault,
	  .help = "let something fail, and heal it" },
	{ .kind = TOKEN_WORD,
	  .word = "check",
	  .verb = VERB_CHECK,
	  .next = list_options,
	  .help = "say what this machine offers, and what is missing for what",
	  .example = "minivpc check" },
	{ .kind = TOKEN_WORD,
	  .word = "audit",
	  .verb = VERB_AUDIT,
	  .next = audit,
	  .help = "hold the kernel against what was asked for, and mend it",
	  .example = "minivpc audit\nminivpc audit --repair" },
	{ .kind = TOKEN_WORD,
	  .word = "up",
	  .verb = VERB_UP,
	  .next = up,
	  .help = "make what a CloudFormation template says, or change it to that",
	  .example = "minivpc up lab.yaml --parameter Size=t3.small" },
	{ .kind = TOKEN_WORD,
	  .word = "stacks",
	  .verb = VERB_STACKS,
	  .next = list_options,
	  .help = "list the stacks",
	  .example = "minivpc stacks" },
	{ .kind = TOKEN_WORD,
	  .word = "outputs",
	  .verb = VERB_OUTPUTS,
	  .next = outputs,
	  .help = "print a stack's outputs",
	  .example = "eval \"$(minivpc outputs lab -o env)\"" },
	{ .kind = TOKEN_WORD,
	  .word = "events",
	  .verb = VERB_EVENTS,
	  .next = events,
	  .help = "print what changes, a line of JSON each",
	  .example = "minivpc events --follow" },
	{ .kind = TOKEN_WORD,
	  .word = "down",
	  .verb = VERB_DOWN,
	  .next = down,
	  .help = "delete a stack, or take the world down and remove its state",
	  .example = "minivpc down lab\nminivpc down" },
	{ .kind = TOKEN_WORD,
	  .word = "completion",
	  .verb = VERB_COMPLETION,
	  .next = completion,
	  .help = "print what teaches a shell our words, for the tab key",
	  .example = "eval \"$(minivpc completion bash)\"\nminivpc completion zsh "
		     ">/usr/local/share/zsh/site-functions/_minivpc" },
	{ .kind = TOKEN_WORD, .word = "complete", .verb = VERB_COMPLETE, .next = complete },
	{ .kind = TOKEN_HELP,
	  .word = "help",
	  .argument = "VERB",
	  .next = token_verbs,
	  .help = "explain a verb, or all of them" },
	{ .kind = TOKEN_WORD,
	  .word = "version",
	  .verb = VERB_VERSION,
	  .next = none,
	  .help = "print the version",
	  .example = "minivpc version" },
	{ .kind = TOKEN_WORD, .word = "--version", .verb = VERB_VERSION, .next = none },
	{ .kind = TOKEN_END },
};
