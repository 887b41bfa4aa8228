/* objects: emulator/cli/cli.o emulator/cli/audit.o emulator/cli/child.o emulator/client/client.o emulator/cli/capture.o emulator/cli/copy.o emulator/base/display.o emulator/picture/graph.o emulator/picture/layout.o emulator/picture/dot.o emulator/picture/svg.o emulator/picture/text.o emulator/picture/topology.o emulator/cli/help.o emulator/client/post.o emulator/cli/lab.o emulator/cli/lesson.o labs.o emulator/cli/listing.o emulator/cli/packet.o emulator/cli/parse.o emulator/cli/pcapng.o emulator/base/reply.o emulator/cli/shell.o emulator/client/start.o emulator/cli/tokens.o emulator/cli/verbs.o emulator/base/base64.o emulator/base/buffer.o emulator/base/cidr.o emulator/base/credentials.o emulator/base/signature.o emulator/base/socket_address.o emulator/base/error.o emulator/base/id.o emulator/base/paths.o emulator/base/text.o emulator/base/util.o emulator/cli/drops.o emulator/cli/matrix.o emulator/cli/probe.o emulator/cli/why.o emulator/cli/fault.o emulator/cli/check.o emulator/cli/completion.o emulator/cli/stack_call.o emulator/cli/stacks.o emulator/cli/stacks_watch.o emulator/aws/aws.o emulator/aws/call.o emulator/aws/deploy.o emulator/aws/extra.o emulator/aws/help.o emulator/aws/json.o emulator/aws/line.o emulator/aws/model.o emulator/aws/output.o emulator/aws/pages.o emulator/aws/query.o emulator/aws/query_functions.o emulator/aws/query_parse.o emulator/aws/reply.o emulator/aws/request.o emulator/aws/shapes.o emulator/aws/shorthand.o emulator/aws/table.o emulator/aws/value.o emulator/aws/wait.o emulator/base/nearest.o emulator/cli/events.o */
/* libs: -lexpat -ljansson -lnettle */
/* The command line: what is typed, what is printed, what reaches the AWS CLI. */
#include "cli/cli.h"
#include "cli/completion.h"
#include "cli/help.h"
#include "cli/listing.h"
#include "cli/parse.h"
#include "cli/shell.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 16

/* argv made from "minivpc" and a line split at spaces; "~" stands for an empty argument. */
struct words {
	char *text;
	char *argv[WORDS_MAX + 1];
	int argc;
};

static struct words split(const char *line)
{
	struct words words = { .text = xasprintf("minivpc %s", line) };
	char *next = words.text;

	for (char *word; (word = strsep(&next, " "));) {
		if (!*word)
			continue;
		assert_true(words.argc < WORDS_MAX);
		words.argv[words.argc++] = streq(word, "~") ? word + 1 : word;
	}
	return words;
}

/* "internet exec help state=DIR … [CMD|ARG]": all that a request says. */
static char *describe(const struct request *request)
{
	const struct parameter texts[] = {
		{ "state", request->state },	   { "listen", request->listen },
		{ "region", request->region },	   { "output", request->output },
		{ "instance", request->instance }, { "host", request->host },
		{ "image", request->image },	   { "path", request->path_of_image },
		{ "address", request->address },   { "account", request->account },
		{ "vpc", request->vpc },	   { "file", request->file },
		{ "count", request->count },	   { "seconds", request->seconds },
		{ "shell", request->shell },
	};
	struct buffer text = BUFFER_INIT;
	CLEANUP(freep) char *path = cli_path(request);

	buffer_puts(&text, path);
	if (request->help)
		buffer_puts(&text, " help");
	if (request->accept_any_credentials)
		buffer_puts(&text, " any");
	if (request->uplink)
		buffer_puts(&text, " uplink");
	if (request->all)
		buffer_puts(&text, " all");
	if (request->drops)
		buffer_puts(&text, " drops");
	if (request->repair)
		buffer_puts(&text, " repair");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value)
			buffer_printf(&text, " %s=%s", texts[i].name, texts[i].value);
	for (size_t i = 0; i < request->quotas.count; i++)
		buffer_printf(&text, " quota=%s", request->quotas.items[i]);
	for (char **word = request->command; word && *word; word++)
		buffer_printf(&text, "%s%s", word == request->command ? " [" : "|", *word);
	if (request->command)
		buffer_putc(&text, ']');
	return buffer_steal(&text);
}

static const struct {
	const char *line;
	enum verb verb;
	const char *request;
} good[] = {
	{ "serve", VERB_SERVE, "serve" },
	{ "serve --listen 127.0.0.1:0 --region eu-west-1 --accept-any-credentials --state d",
	  VERB_SERVE, "serve any state=d listen=127.0.0.1:0 region=eu-west-1" },
	{ "--state d serve --listen=[::1]:65535", VERB_SERVE, "serve state=d listen=[::1]:65535" },
	{ "serve --state=a --state b", VERB_SERVE, "serve state=b" },
	{ "serve --region us-gov-west-1", VERB_SERVE, "serve region=us-gov-west-1" },
	{ "serve --uplink", VERB_SERVE, "serve uplink" },
	{ "serve --quota a=1 --quota=b=2 --quota a=3", VERB_SERVE,
	  "serve quota=a=1 quota=b=2 quota=a=3" },
	{ "env --state d", VERB_ENV, "env state=d" },
	{ "env --account 000000000042", VERB_ENV, "env account=000000000042" },
	{ "account create", VERB_ACCOUNT_CREATE, "account create" },
	{ "account create 210987654321", VERB_ACCOUNT_CREATE,
	  "account create account=210987654321" },
	{ "account list -o json", VERB_ACCOUNT_LIST, "account list output=json" },
	{ "--state d aws ec2 --state e", VERB_AWS, "aws state=d [ec2|--state|e]" },
	{ "aws --help", VERB_AWS, "aws [--help]" },
	{ "ec2 describe-vpcs --vpc-ids a b", VERB_SERVICE, "ec2 [describe-vpcs|--vpc-ids|a|b]" },
	{ "--state d sts get-caller-identity", VERB_SERVICE, "sts state=d [get-caller-identity]" },
	{ "aws -- x", VERB_AWS, "aws [--|x]" },
	{ "exec i-1 ls -l", VERB_EXEC, "exec instance=i-1 [ls|-l]" },
	{ "exec i-1 -- ls -- -l", VERB_EXEC, "exec instance=i-1 [ls|--|-l]" },
	{ "exec i-1 -- --state d", VERB_EXEC, "exec instance=i-1 [--state|d]" },
	{ "exec --state d i-1 ls", VERB_EXEC, "exec state=d instance=i-1 [ls]" },
	{ "exec -- -odd ls", VERB_EXEC, "exec instance=-odd [ls]" },
	{ "exec ps ps", VERB_EXEC, "exec instance=ps [ps]" },
	{ "exec i-1 -- -- x", VERB_EXEC, "exec instance=i-1 [--|x]" },
	{ "internet exec ping -c1 h", VERB_INTERNET_EXEC, "internet exec [ping|-c1|h]" },
	{ "internet exec -- --state d", VERB_INTERNET_EXEC, "internet exec [--state|d]" },
	{ "internet exec --state d ls --state e", VERB_INTERNET_EXEC,
	  "internet exec state=d [ls|--state|e]" },
	{ "aws --state d ec2 describe-vpcs", VERB_AWS, "aws state=d [ec2|describe-vpcs]" },
	{ "exec web --state d ls", VERB_EXEC, "exec state=d instance=web [ls]" },
	{ "internet --state d exec ls", VERB_INTERNET_EXEC, "internet exec state=d [ls]" },
	{ "internet exec web -- ls -l", VERB_INTERNET_EXEC, "internet exec host=web [ls|-l]" },
	{ "internet exec --state d web -- ls -- -l", VERB_INTERNET_EXEC,
	  "internet exec state=d host=web [ls|--|-l]" },
	{ "internet exec -- grep -- x", VERB_INTERNET_EXEC, "internet exec [grep|--|x]" },
	{ "internet exec ls -l --", VERB_INTERNET_EXEC, "internet exec [ls|-l|--]" },
	{ "internet exec -x -- ls", VERB_INTERNET_EXEC, "internet exec [-x|--|ls]" },
	{ "internet address --state d", VERB_INTERNET_ADDRESS, "internet address state=d" },
	{ "internet address web", VERB_INTERNET_ADDRESS, "internet address host=web" },
	{ "internet create web --address 203.0.113.7", VERB_INTERNET_CREATE,
	  "internet create host=web address=203.0.113.7" },
	{ "internet list", VERB_INTERNET_LIST, "internet list" },
	{ "internet ps -o json", VERB_INTERNET_LIST, "internet ps output=json" },
	{ "internet delete web", VERB_INTERNET_DELETE, "internet delete host=web" },
	{ "image import web /srv/web", VERB_IMAGE_IMPORT, "image import image=web path=/srv/web" },
	{ "image import --state d web x.tar", VERB_IMAGE_IMPORT,
	  "image import state=d image=web path=x.tar" },
	{ "image list -o json", VERB_IMAGE_LIST, "image list output=json" },
	{ "image ps", VERB_IMAGE_LIST, "image ps" },
	{ "image delete ami-1", VERB_IMAGE_DELETE, "image delete image=ami-1" },
	{ "ps", VERB_PS, "ps" },
	{ "ps -a -o json", VERB_PS, "ps all output=json" },
	{ "ps -ojson --state d", VERB_PS, "ps state=d output=json" },
	{ "ps -o table", VERB_PS, "ps output=table" },
	{ "ps --drops", VERB_PS, "ps drops" },
	{ "audit", VERB_AUDIT, "audit" },
	{ "audit --repair -o json", VERB_AUDIT, "audit repair output=json" },
	{ "ps --drops web -o json", VERB_PS, "ps drops output=json instance=web" },
	{ "ps web --drops", VERB_PS, "ps drops instance=web" },
	{ "ps --help web", VERB_PS, "ps help instance=web" },
	{ "actions -o json", VERB_ACTIONS, "actions output=json" },
	{ "graph", VERB_GRAPH, "graph" },
	{ "graph -o svg --vpc vpc-1", VERB_GRAPH, "graph output=svg vpc=vpc-1" },
	{ "capture web", VERB_CAPTURE, "capture instance=web" },
	{ "capture i-1 -w - --count 3 --seconds=4", VERB_CAPTURE,
	  "capture instance=i-1 file=- count=3 seconds=4" },
	{ "completion zsh", VERB_COMPLETION, "completion shell=zsh" },
	{ "complete -- ps --state d -", VERB_COMPLETE, "complete [ps|--state|d|-]" },
	{ "complete -- ~", VERB_COMPLETE, "complete []" },
	{ "down --state d", VERB_DOWN, "down state=d" },
	{ "version", VERB_VERSION, "version" },
	{ "--version", VERB_VERSION, "--version" },
	{ "help", VERB_NONE, " help" },
	{ "--help", VERB_NONE, " help" },
	{ "help exec", VERB_EXEC, "exec help" },
	{ "help internet", VERB_NONE, "internet help" },
	{ "help internet exec", VERB_INTERNET_EXEC, "internet exec help" },
	{ "ps -h", VERB_PS, "ps help" },
	{ "exec --help", VERB_EXEC, "exec help" },
};

static void good_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct words words = split(good[i].line);
		struct error error = ERROR_INIT;
		struct request request;

		if (cli_parse(words.argc, words.argv, &request, &error) < 0)
			fail_msg("%s: %s", good[i].line, error.text);
		CLEANUP(freep) char *text = describe(&request);
		assert_string_equal(text, good[i].request);
		assert_int_equal(request.verb, good[i].verb);
		free(words.text);
	}
}

static const struct {
	const char *line;
	const char *message;
} bad[] = {
	{ "", "needs a verb: try minivpc help" },
	{ "--state d", "needs a verb: try minivpc help" },
	{ "frob", "unknown verb frob: try minivpc help" },
	{ "~", "unknown verb \"\": try minivpc help" },
	{ "--frob ps", "unknown option --frob: try minivpc help" },
	{ "-o json ps", "unknown option -o: try minivpc help" },
	{ "help frob", "unknown verb frob: try minivpc help" },
	{ "ps --all", "ps: unknown option --all: try minivpc help ps" },
	{ "ps -a=1", "ps: unknown option -a=1: try minivpc help ps" },
	{ "ps --statex", "ps: unknown option --statex: try minivpc help ps" },
	{ "ps web", "ps: INSTANCE needs --drops: try minivpc help ps" },
	{ "ps --drops web db", "ps: unexpected argument db: try minivpc help ps" },
	{ "ps --drops ~", "ps: INSTANCE can't be \"\": try minivpc help ps" },
	{ "ps -o xml", "ps: -o takes table|json, not xml: try minivpc help ps" },
	{ "ps -o", "ps: -o needs table|json: try minivpc help ps" },
	{ "ps --state", "ps: --state needs DIR: try minivpc help ps" },
	{ "ps --state ~", "ps: --state takes DIR, not \"\": try minivpc help ps" },
	{ "ps --state=", "ps: --state takes DIR, not \"\": try minivpc help ps" },
	{ "serve --listen 4566",
	  "serve: --listen takes ADDR:PORT, not 4566: try minivpc help serve" },
	{ "serve --listen 127.0.0.1:65536",
	  "serve: --listen takes ADDR:PORT, not 127.0.0.1:65536: try minivpc help serve" },
	{ "serve --listen 127.0.0.1:",
	  "serve: --listen takes ADDR:PORT, not 127.0.0.1:: try minivpc help serve" },
	{ "serve --listen ::1:80",
	  "serve: --listen takes ADDR:PORT, not ::1:80: try minivpc help serve" },
	{ "serve --listen [127.0.0.1]:80",
	  "serve: --listen takes ADDR:PORT, not [127.0.0.1]:80: try minivpc help serve" },
	{ "serve --listen 127.0.0.1:8x",
	  "serve: --listen takes ADDR:PORT, not 127.0.0.1:8x: try minivpc help serve" },
	{ "serve --region EU", "serve: --region takes NAME, not EU: try minivpc help serve" },
	{ "serve --region a/b-1", "serve: --region takes NAME, not a/b-1: try minivpc help serve" },
	{ "serve --quota", "serve: --quota needs aws|NAME=N: try minivpc help serve" },
	{ "serve --quota ~", "serve: --quota takes aws|NAME=N, not \"\": try minivpc help serve" },
	{ "ps --quota a=1", "ps: unknown option --quota: try minivpc help ps" },
	{ "serve now", "serve: unexpected argument now: try minivpc help serve" },
	{ "aws", "aws: needs ARGS...: try minivpc help aws" },
	{ "ec2", "ec2: needs VERB...: try minivpc help ec2" },
	{ "exec", "exec: needs INSTANCE: try minivpc help exec" },
	{ "exec ~ ls", "exec: INSTANCE can't be \"\": try minivpc help exec" },
	{ "exec i-1", "exec: needs CMD...: try minivpc help exec" },
	{ "exec i-1 --", "exec: needs CMD...: try minivpc help exec" },
	{ "exec -x i-1 ls", "exec: unknown option -x: try minivpc help exec" },
	{ "internet", "internet: needs a sub-verb: try minivpc help internet" },
	{ "internet frob", "internet: unknown verb frob: try minivpc help internet" },
	{ "internet exec", "internet exec: needs CMD...: try minivpc help internet exec" },
	{ "internet exec --", "internet exec: needs CMD...: try minivpc help internet exec" },
	{ "internet exec web --", "internet exec: needs CMD...: try minivpc help internet exec" },
	{ "internet address x y",
	  "internet address: unexpected argument y: try minivpc help internet address" },
	{ "internet create", "internet create: needs HOST: try minivpc help internet create" },
	{ "internet create web --address ::1", "internet create: --address takes ADDR, not ::1: "
					       "try minivpc help internet create" },
	{ "internet delete", "internet delete: needs HOST: try minivpc help internet delete" },
	{ "internet list web",
	  "internet list: unexpected argument web: try minivpc help internet list" },
	{ "graph -o png", "graph: -o takes text|dot|mermaid|svg|html|json, not png: try minivpc "
			  "help graph" },
	{ "capture", "capture: needs TARGET: try minivpc help capture" },
	{ "capture x -o table",
	  "capture: -o takes text|json, not table: try minivpc help capture" },
	{ "capture x --count 0", "capture: --count takes N, not 0: try minivpc help capture" },
	{ "capture x --seconds 1s",
	  "capture: --seconds takes S, not 1s: try minivpc help capture" },
	{ "up x --parameter =y", "up: --parameter takes KEY=VALUE, not =y: try minivpc help up" },
	{ "completion fish", "completion: takes bash|zsh, not fish: try minivpc help completion" },
	{ "graph x", "graph: unexpected argument x: try minivpc help graph" },
	{ "down lab now", "down: unexpected argument now: try minivpc help down" },
	{ "up", "up: needs TEMPLATE: try minivpc help up" },
	{ "up lab.yaml -o env", "up: -o takes table|json, not env: try minivpc help up" },
	{ "outputs", "outputs: needs STACK: try minivpc help outputs" },
	{ "outputs lab -o xml",
	  "outputs: -o takes table|json|env, not xml: try minivpc help outputs" },
};

static void bad_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct words words = split(bad[i].line);
		struct request request = { .verb = VERB_MAX };
		struct error error = ERROR_INIT;

		if (cli_parse(words.argc, words.argv, &request, &error) != -EINVAL)
			fail_msg("accepted: %s", bad[i].line);
		assert_string_equal(error.text, bad[i].message);
		assert_int_equal(request.verb, VERB_MAX); /* untouched */
		free(words.text);
	}
}

static void assert_explained(const char *text, const struct token *tokens)
{
	for (; tokens->kind != TOKEN_END; tokens++)
		if (tokens->help && !strstr(text, tokens->help) && tokens->kind != TOKEN_WORD)
			fail_msg("%s is not explained", tokens->word);
}

static void help_holds_every_token(void **state)
{
	struct request request = { .help = true };
	CLEANUP(buffer_clear) struct buffer all = BUFFER_INIT;

	(void)state;
	help_print(&all, &request);
	assert_explained(all.data, token_common);
	for (const struct token *token = token_verbs; token->kind != TOKEN_END; token++) {
		CLEANUP(buffer_clear) struct buffer one = BUFFER_INIT;

		if (!token->help || token->kind != TOKEN_WORD)
			continue;
		assert_non_null(strstr(all.data, token->word));
		request.path[0] = token;
		help_print(&one, &request);
		assert_explained(one.data, token->next);
		assert_explained(one.data, token_common);
	}
	assert_non_null(strstr(all.data, "  exec INSTANCE [--] CMD...\n"));
	assert_non_null(strstr(all.data, "  internet address [HOST]\n"));
	assert_non_null(strstr(all.data, " [--quota aws|NAME=N]... "));
	assert_non_null(
		strstr(all.data, "  ps [-a] [--drops] [--nat] [-o table|json] [INSTANCE]\n"));
}

/* Each line of it is understood, as what it is an example of; what a shell adds is cut off. */
static void assert_example(const struct token *token, const char *example)
{
	CLEANUP(freep) char *lines = xstrdup(example);
	char *next = lines;

	for (char *line; (line = strsep(&next, "\n"));) {
		char *start = strstr(line, "minivpc ");
		struct error error = ERROR_INIT;
		struct request request;
		struct words words;

		assert_non_null(start);
		start[strcspn(start, "|>)")] = '\0';
		words = split(start + strlen("minivpc "));
		if (cli_parse(words.argc, words.argv, &request, &error) < 0)
			fail_msg("%s: %s", line, error.text);
		assert_int_equal(request.verb, token->verb);
		assert_false(request.help);
		free(words.text);
	}
}

static size_t assert_examples(const struct token *tokens)
{
	size_t count = 0;

	for (const struct token *token = tokens; token->kind != TOKEN_END; token++) {
		if (token->kind != TOKEN_WORD || !token->help)
			continue;
		if (token->verb == VERB_NONE) {
			count += assert_examples(token->next);
			continue;
		}
		if (!token->example)
			fail_msg("%s has no example: add one to its row in cli/tokens.c",
				 token->word);
		assert_example(token, token->example);
		count++;
	}
	return count;
}

static void every_verb_has_an_example(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct words words = split("help internet");
	struct error error = ERROR_INIT;
	struct request request;

	(void)state;
	assert_true(assert_examples(token_verbs) >= 20);
	assert_int_equal(cli_parse(words.argc, words.argv, &request, &error), 0);
	help_print(&text, &request);
	assert_non_null(strstr(text.data,
			       "\nExamples:\n  minivpc internet exec ping -c 2 198.18.1.0"
			       "\n  minivpc internet exec resolver -- sh\n  minivpc "));
	free(words.text);
}

/* Words as typed up to the tab key, the last one after the last space; what is offered, without
 * what it is. The world is none. */
static const struct {
	const char *line;
	const char *offered;
} tabs[] = {
	{ "gr", "graph" },
	{ "e", "env ec2 exec events" },
	{ "complet", "completion" },
	{ "cl", "cloudformation" },
	{ "--", "--state --help" },
	{ "--state x p", "ps ping-matrix" },
	{ "--state=x p", "ps ping-matrix" },
	{ "--state = x p", "ps ping-matrix" },
	{ "--state ", ":files" },
	{ "internet ", "exec address create list delete" },
	{ "help internet e", "exec" },
	{ "ps --n", "--nat" },
	{ "ps -o ", "table json" },
	{ "ps -o j", "json" },
	{ "graph -o m", "mermaid" },
	{ "completion ", "bash zsh" },
	{ "capture x -w ", ":files" },
	{ "capture x --c", "--count" },
	{ "exec web ", ":files" },
	{ "exec web ls -", ":files" },
	{ "exec web -- -", ":files" },
	{ "exec nobody", "" },
	{ "serve --quota ", "aws" },
	{ "cp ", ":files" },
	{ "down x y", "" },
	{ "frob x", "" },
};

static void the_tab_key_offers_what_may_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tabs); i++) {
		CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, words = BUFFER_INIT;
		CLEANUP(freep) char *line = xstrdup(tabs[i].line);
		char *argv[WORDS_MAX + 1] = { NULL }, *next = line;

		for (size_t j = 0; next; j++)
			argv[j] = strsep(&next, " ");
		completion_list(argv, "/nonexistent/world", &text);
		for (const char *at = text.data; at && *at; at = strchr(at, '\n') + 1)
			buffer_printf(&words, "%s%.*s", words.length ? " " : "",
				      (int)strcspn(at, "\t\n"), at);
		assert_string_equal(words.data ? words.data : "", tabs[i].offered);
	}
}

static void quoting_survives_a_shell(void **state)
{
	static const char nasty[] = "it's $HOME `id` \"x\" \\ ! * \n end";
	CLEANUP(buffer_clear) struct buffer command = BUFFER_INIT;
	char back[128] = "";
	FILE *shell;

	(void)state;
	buffer_puts(&command, "printf %s ");
	shell_quote(&command, nasty);
	shell = popen(command.data, "r");
	assert_non_null(shell);
	back[fread(back, 1, sizeof(back) - 1, shell)] = '\0';
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(back, nasty);
}

static struct client world(void)
{
	return (struct client){ "http://127.0.0.1:4566",
				"eu-west-1",
				{ "123456789012", "AKIAKEY", "se'cret" },
				"/world/credentials" };
}

static void exports_are_the_contract_s_four(void **state)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct client client = world();

	(void)state;
	shell_exports(&text, &client);
	assert_string_equal(text.data, "export AWS_ENDPOINT_URL='http://127.0.0.1:4566'\n"
				       "export AWS_ACCESS_KEY_ID='AKIAKEY'\n"
				       "export AWS_SECRET_ACCESS_KEY='se'\\''cret'\n"
				       "export AWS_DEFAULT_REGION='eu-west-1'\n");
}

static char *join(char **argv)
{
	struct buffer text = BUFFER_INIT;

	for (char **word = argv; *word; word++)
		buffer_printf(&text, "%s%s", word == argv ? "" : " ", *word);
	return buffer_steal(&text);
}

static void aws_gets_an_endpoint_unless_given(void **state)
{
	static const struct {
		const char *given, *wanted;
	} cases[] = {
		{ "ec2 describe-vpcs",
		  "aws --endpoint-url http://127.0.0.1:4566 ec2 describe-vpcs" },
		{ "ec2 --endpoint-url u x", "aws ec2 --endpoint-url u x" },
		{ "ec2 --endpoint-url=u x", "aws ec2 --endpoint-url=u x" },
		{ "--endpoint-urls", "aws --endpoint-url http://127.0.0.1:4566 --endpoint-urls" },
	};
	struct client client = world();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct words words = split(cases[i].given);
		CLEANUP(freep) char **argv = aws_arguments(&client, words.argv + 1);
		CLEANUP(freep) char *text = join(argv);

		assert_string_equal(text, cases[i].wanted);
		free(words.text);
	}
}

static void aws_environment_is_the_world_s(void **state)
{
	struct client client = world();

	(void)state;
	setenv("AWS_PROFILE", "work", 1);
	setenv("AWS_SESSION_TOKEN", "token", 1);
	setenv("AWS_REGION", "us-west-2", 1);
	setenv("no_proxy", "example.test", 1);
	aws_environment(&client);
	assert_null(getenv("AWS_PROFILE"));
	assert_null(getenv("AWS_SESSION_TOKEN"));
	assert_string_equal(getenv("AWS_REGION"), "eu-west-1");
	assert_string_equal(getenv("AWS_DEFAULT_REGION"), "eu-west-1");
	assert_string_equal(getenv("AWS_ACCESS_KEY_ID"), "AKIAKEY");
	assert_string_equal(getenv("AWS_SECRET_ACCESS_KEY"), "se'cret");
	assert_string_equal(getenv("AWS_ENDPOINT_URL"), "http://127.0.0.1:4566");
	assert_string_equal(getenv("AWS_EC2_METADATA_DISABLED"), "true");
	assert_string_equal(getenv("AWS_PAGER"), "");
	assert_string_equal(getenv("AWS_SHARED_CREDENTIALS_FILE"), "/world/credentials");
	assert_string_equal(getenv("NO_PROXY"), "example.test,127.0.0.1");
}

static const char listing_reply[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<ListInstancesResponse xmlns=\"urn:x\"><requestId>r</requestId>\n<instanceSet>\n"
	"<item><instanceId>i-01</instanceId><name>web &amp; &lt;b&gt;</name><state>running</state>"
	"<availabilityZone>us-east-1a</availabilityZone><subnetId>subnet-01</subnetId>"
	"<vpcId>vpc-01</vpcId><privateIpAddress>10.0.1.4</privateIpAddress>"
	"<publicIpAddress>198.18.0.5</publicIpAddress><region>us-east-1</region>"
	"<account>123456789012</account></item>\n"
	"<item><instanceId>i-02</instanceId><name>d\xc3\xa4t\xc3\xa4&#x9b;&#10;</name>"
	"<state>stopped</state><privateIpAddress>10.0.2.4</privateIpAddress><publicIpAddress/>"
	"</item><item><instanceId>i-03</instanceId><state>terminated</state></item>"
	"</instanceSet></ListInstancesResponse>";

static struct listing read_rows(const struct listing_type *type, const char *text, bool all)
{
	CLEANUP(reply_freep) struct reply *reply = NULL;
	struct error error = ERROR_INIT;
	struct listing listing;

	assert_int_equal(reply_parse(text, strlen(text), &reply, &error), 0);
	listing_read(reply, type, all, &listing);
	return listing;
}

static struct listing read_listing(const char *text, bool all)
{
	return read_rows(&listing_instances, text, all);
}

static void table_is_aligned(void **state)
{
	CLEANUP(listing_clear) struct listing listing = read_listing(listing_reply, true);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	(void)state;
	listing_table(&listing, &text);
	assert_string_equal(
		text.data,
		"INSTANCE  NAME       STATE       AZ          SUBNET     PRIVATE   PUBLIC\n"
		"i-01      web & <b>  running     us-east-1a  subnet-01  10.0.1.4  198.18.0.5\n"
		"i-02      d\xc3\xa4t\xc3\xa4?      stopped     -           -          10.0.2.4  "
		"-\n"
		"i-03      -          terminated  -           -          -         -\n");
}

static void table_leaves_out_terminated(void **state)
{
	CLEANUP(listing_clear) struct listing listing = read_listing(listing_reply, false);
	CLEANUP(listing_clear) struct listing empty = read_listing("<r><instanceSet/></r>", true);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	(void)state;
	assert_int_equal(listing.count, 2);
	listing_table(&empty, &text);
	assert_string_equal(text.data, "INSTANCE  NAME  STATE  AZ  SUBNET  PRIVATE  PUBLIC\n");
}

static void json_names_every_field(void **state)
{
	CLEANUP(listing_clear) struct listing listing = read_listing(listing_reply, false);
	CLEANUP(listing_clear) struct listing empty = read_listing("<r><instanceSet/></r>", true);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, none = BUFFER_INIT;

	(void)state;
	listing_json(&listing, &text);
	assert_string_equal(text.data, "[\n"
				       "  {\n"
				       "    \"instanceId\": \"i-01\",\n"
				       "    \"name\": \"web & <b>\",\n"
				       "    \"state\": \"running\",\n"
				       "    \"availabilityZone\": \"us-east-1a\",\n"
				       "    \"subnetId\": \"subnet-01\",\n"
				       "    \"vpcId\": \"vpc-01\",\n"
				       "    \"privateIpAddress\": \"10.0.1.4\",\n"
				       "    \"publicIpAddress\": \"198.18.0.5\",\n"
				       "    \"region\": \"us-east-1\",\n"
				       "    \"account\": \"123456789012\"\n"
				       "  },\n"
				       "  {\n"
				       "    \"instanceId\": \"i-02\",\n"
				       "    \"name\": \"d\xc3\xa4t\xc3\xa4\\u009b\\n\",\n"
				       "    \"state\": \"stopped\",\n"
				       "    \"availabilityZone\": null,\n"
				       "    \"subnetId\": null,\n"
				       "    \"vpcId\": null,\n"
				       "    \"privateIpAddress\": \"10.0.2.4\",\n"
				       "    \"publicIpAddress\": null,\n"
				       "    \"region\": null,\n"
				       "    \"account\": null\n"
				       "  }\n"
				       "]\n");
	listing_json(&empty, &none);
	assert_string_equal(none.data, "[]\n");
}

static const char drops_reply[] =
	"<ListDropsResponse><dropSet>"
	"<item><networkInterfaceId>eni-01</networkInterfaceId><instanceId>i-01</instanceId>"
	"<name>web</name><privateIpAddress>10.0.1.4</privateIpAddress>"
	"<subnetId>subnet-01</subnetId><vpcId>vpc-01</vpcId><reason>security-group</reason>"
	"<direction>ingress</direction><groupSet><item><groupId>sg-01</groupId></item>"
	"<item><groupId>sg-02</groupId><groupName>x</groupName></item></groupSet>"
	"<packets>12</packets><bytes>9007199254740993</bytes><region>us-east-1</region>"
	"<account>123456789012</account></item>"
	"<item><networkInterfaceId>eni-02</networkInterfaceId>"
	"<privateIpAddress>10.0.1.5</privateIpAddress><reason>network-acl</reason>"
	"<direction>egress</direction><ruleNumber>*</ruleNumber>"
	"<networkAclId>acl-01</networkAclId><packets>1</packets><bytes>84</bytes></item>"
	"<item><privateIpAddress>10.0.1.5</privateIpAddress><reason>source-check</reason>"
	"<direction>egress</direction><packets>3</packets><bytes>252</bytes></item>"
	"</dropSet></ListDropsResponse>";

static void drops_name_who_dropped(void **state)
{
	CLEANUP(listing_clear)
	struct listing listing = read_rows(&listing_drops, drops_reply, false);
	CLEANUP(listing_clear)
	struct listing empty = read_rows(&listing_drops, "<r><dropSet/></r>", false);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, none = BUFFER_INIT;

	(void)state;
	listing_table(&listing, &text);
	assert_string_equal(
		text.data,
		"INSTANCE  NAME  PRIVATE   DIRECTION  PACKETS  BYTES             REASON          "
		"RULE  OF\n"
		"i-01      web   10.0.1.4  ingress    12       9007199254740993  security-group  "
		"-     sg-01,sg-02\n"
		"-         -     10.0.1.5  egress     1        84                network-acl     "
		"*     acl-01\n"
		"-         -     10.0.1.5  egress     3        252               source-check    "
		"-     -\n");
	listing_table(&empty, &none);
	assert_string_equal(none.data, "no packet was dropped\n");
}

static void drops_as_json(void **state)
{
	CLEANUP(listing_clear)
	struct listing listing = read_rows(&listing_drops, drops_reply, false);
	CLEANUP(listing_clear)
	struct listing empty = read_rows(&listing_drops, "<r><dropSet/></r>", false);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT, none = BUFFER_INIT;

	(void)state;
	listing.count = 1;
	listing_json(&listing, &text);
	listing.count = 3;
	assert_string_equal(text.data, "[\n"
				       "  {\n"
				       "    \"instanceId\": \"i-01\",\n"
				       "    \"name\": \"web\",\n"
				       "    \"networkInterfaceId\": \"eni-01\",\n"
				       "    \"privateIpAddress\": \"10.0.1.4\",\n"
				       "    \"subnetId\": \"subnet-01\",\n"
				       "    \"vpcId\": \"vpc-01\",\n"
				       "    \"direction\": \"ingress\",\n"
				       "    \"packets\": 12,\n"
				       "    \"bytes\": 9007199254740993,\n"
				       "    \"reason\": \"security-group\",\n"
				       "    \"ruleNumber\": null,\n"
				       "    \"networkAclId\": null,\n"
				       "    \"groupSet\": [\n"
				       "      {\n"
				       "        \"groupId\": \"sg-01\"\n"
				       "      },\n"
				       "      {\n"
				       "        \"groupId\": \"sg-02\"\n"
				       "      }\n"
				       "    ],\n"
				       "    \"region\": \"us-east-1\",\n"
				       "    \"account\": \"123456789012\"\n"
				       "  }\n"
				       "]\n");
	listing_json(&empty, &none);
	assert_string_equal(none.data, "[]\n");
}

static void replies_are_checked(void **state)
{
	static const char text[] =
		"<r><a>12</a><b>-1</b><c/><d>12x</d><e>18446744073709551616</e></r>";
	static const char *const broken[] = { "", "nothing", "<r>", "<r></s>", "<r/><r/>" };
	CLEANUP(reply_freep) struct reply *reply = NULL, *none = NULL;
	struct error error = ERROR_INIT;
	uint64_t number = 7;

	(void)state;
	assert_int_equal(reply_parse(text, strlen(text), &reply, &error), 0);
	assert_int_equal(reply_number(reply, "a", 11, &number, &error), -EBADMSG);
	for (const char *name = "bcdex"; *name; name++) {
		char one[] = { *name, '\0' };

		assert_int_equal(reply_number(reply, one, UINT64_MAX, &number, &error), -EBADMSG);
	}
	assert_int_equal(number, 7);
	assert_int_equal(reply_number(reply, "a", 12, &number, &error), 0);
	assert_int_equal(number, 12);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		assert_int_equal(reply_parse(broken[i], strlen(broken[i]), &none, &error),
				 -EBADMSG);
	assert_null(none);
}

static struct serve_options served;
static size_t serve_calls;

static int fake_serve(const struct serve_options *options, struct error *error)
{
	serve_calls++;
	served = *options;
	error_set(error, ERROR_INTERNAL, "port in use:\nsay another");
	return -EADDRINUSE;
}

static int fake_check_quotas(const char *const *quotas, size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++)
		if (!streq(quotas[i], "good=1"))
			return error_set(error, ERROR_INVALID_PARAMETER, "no %s", quotas[i]);
	return 0;
}

static int fake_down(const struct paths *paths, struct error *error)
{
	(void)paths;
	(void)error;
	return -EIO;
}

static int fake_exec(pid_t pid, uint64_t start_time, char *const argv[], int *ret_status,
		     struct error *error)
{
	(void)pid;
	(void)start_time;
	(void)argv;
	(void)ret_status;
	(void)error;
	return -EIO;
}

static int fake_open(pid_t pid, uint64_t start_time, int *ret_pidfd, struct error *error)
{
	(void)pid;
	(void)start_time;
	(void)ret_pidfd;
	(void)error;
	return -EIO;
}

static bool is_bad; /* the machine */

static int fake_check(const struct paths *paths, struct check_list *ret_list, struct error *error)
{
	(void)paths;
	(void)error;
	*ret_list = (struct check_list){ NULL, 0 };
	*array_grow(&ret_list->items, &ret_list->count) =
		(struct check){ "veth", "all", true, !is_bad, NULL };
	*array_grow(&ret_list->items, &ret_list->count) =
		(struct check){ "tun", "the uplink", false, false, xstrdup("no file") };
	return 0;
}

/* Runs a command line; `ret_text` gets what went to `stream` (2: standard error). */
static int run(const char *line, int stream, char *ret_text, size_t size)
{
	static const struct cli_hooks hooks = { fake_check_quotas, fake_serve, fake_down,
						fake_exec,	   NULL,       fake_open,
						fake_check };
	struct words words = split(line);
	FILE *file = tmpfile();
	int old, status;

	assert_non_null(file);
	fflush(NULL);
	old = dup(stream);
	dup2(fileno(file), stream);
	status = cli_main(words.argc, words.argv, &hooks);
	fflush(NULL);
	dup2(old, stream);
	close(old);
	rewind(file);
	ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
	fclose(file);
	free(words.text);
	return status;
}

static void statuses_and_lines(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(run("version", 1, text, sizeof(text)), 0);
	assert_int_equal(strncmp(text, "minivpc ", 8), 0);
	assert_int_equal(run("help", 1, text, sizeof(text)), 0);
	assert_int_equal(strncmp(text, "usage: minivpc ", 15), 0);
	assert_int_equal(run("ps\x1b", 2, text, sizeof(text)), 2);
	assert_string_equal(text, "minivpc: unknown verb ps?: try minivpc help\n");
}

static void too_many_values(void **state)
{
	char program[] = "minivpc", verb[] = "serve", quota[] = "--quota=a=1";
	char *argv[35] = { program, verb };
	struct error error = ERROR_INIT;
	struct request request;

	(void)state;
	for (size_t i = 2; i < ARRAY_SIZE(argv); i++)
		argv[i] = quota;
	assert_int_equal(cli_parse(2 + 32, argv, &request, &error), 0);
	assert_int_equal(request.quotas.count, 32);
	assert_int_equal(cli_parse(2 + 33, argv, &request, &error), -EINVAL);
	assert_string_equal(error.text,
			    "serve: there are too many --quota: try minivpc help serve");
}

static void bad_quotas_are_wrong_usage(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(
		run("serve --quota good=1 --quota bad=1 --state /tmp/world", 2, text, sizeof(text)),
		2);
	assert_string_equal(text, "minivpc: serve: --quota: no bad=1\n");
	assert_int_equal(serve_calls, 0);
	assert_int_equal(run("serve --quota bad=1 --help", 1, text, sizeof(text)), 0);
	assert_int_equal(strncmp(text, "usage: minivpc ", 15), 0);
}

static void serve_is_handed_its_options(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(run("serve --state /tmp/./world --quota good=1 --accept-any-credentials",
			     2, text, sizeof(text)),
			 1);
	if (geteuid() != 0) {
		assert_int_equal(serve_calls, 0);
		assert_string_equal(text, "minivpc: needs root: try sudo minivpc serve\n");
		return;
	}
	assert_int_equal(serve_calls, 1);
	assert_string_equal(text, "minivpc: port in use: say another\n");
	assert_string_equal(served.paths.state, "/tmp/world");
	assert_string_equal(served.listen, DEFAULT_LISTEN);
	assert_null(served.region); /* the world remembers its own */
	assert_int_equal(served.quota_count, 1);
	assert_true(served.accept_any_credentials);
}

static void down_of_nothing_is_fine(void **state)
{
	char text[4096];

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: down needs root\n");
		skip();
	}
	assert_int_equal(run("down --state /nonexistent/deeper/world", 2, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(run("down --state /nonexistent-world", 2, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(run("down --state /tmp", 2, text, sizeof(text)), 1); /* the hook fails */
}

static void what_is_needed_makes_the_status(void **state)
{
	char text[4096];

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: check needs root\n");
		skip();
	}
	is_bad = false;
	assert_int_equal(run("check --state /tmp", 1, text, sizeof(text)), 0);
	assert_string_equal(text, "THERE  NEEDED  FEATURE  MISSING IT COSTS  DETAIL\n"
				  "yes    yes     veth     all               -\n"
				  "no     no      tun      the uplink        no file\n\n"
				  "minivpc works here; 1 of what it can use is missing\n");
	is_bad = true;
	assert_int_equal(run("check --state /tmp", 1, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "\nminivpc does not work here: 1 of what it needs "));
	assert_int_equal(run("check --state /tmp -o json", 1, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "\"there\": false,"));
	assert_non_null(strstr(text, "\"needed\": true,"));
	assert_non_null(strstr(text, "\"detail\": null"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(help_holds_every_token),
		cmocka_unit_test(every_verb_has_an_example),
		cmocka_unit_test(the_tab_key_offers_what_may_come),
		cmocka_unit_test(quoting_survives_a_shell),
		cmocka_unit_test(exports_are_the_contract_s_four),
		cmocka_unit_test(aws_gets_an_endpoint_unless_given),
		cmocka_unit_test(aws_environment_is_the_world_s),
		cmocka_unit_test(table_is_aligned),
		cmocka_unit_test(table_leaves_out_terminated),
		cmocka_unit_test(json_names_every_field),
		cmocka_unit_test(drops_name_who_dropped),
		cmocka_unit_test(drops_as_json),
		cmocka_unit_test(replies_are_checked),
		cmocka_unit_test(statuses_and_lines),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(bad_quotas_are_wrong_usage),
		cmocka_unit_test(serve_is_handed_its_options),
		cmocka_unit_test(down_of_nothing_is_fine),
		cmocka_unit_test(what_is_needed_makes_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
