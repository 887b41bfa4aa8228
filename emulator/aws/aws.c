/* The AWS CLI's own commands: see aws.h. */
#include "aws/aws.h"

#include "aws/call.h"
#include "aws/deploy.h"
#include "aws/help.h"
#include "aws/output.h"
#include "aws/pages.h"
#include "aws/query.h"
#include "aws/wait.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 80 /* where there is no terminal */

static size_t terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : WIDTH;
}

static const char *output_of(const struct aws_line *line)
{
	const char *environment = getenv("AWS_DEFAULT_OUTPUT");

	if (line->output)
		return line->output;
	return environment && *environment ? environment : "json";
}

/* As text the token of pages to come is a line of its own behind them, and a query sees it alone.
 */
static int print_token(const struct aws_query *query, const json_t *token, struct buffer *text,
		       struct aws_failure *failure)
{
	CLEANUP(aws_json_freep)
	json_t *line = json_pack("{s:{s:O}}", PAGES_TOKEN, PAGES_TOKEN, token);
	CLEANUP(aws_json_freep) json_t *found = NULL;
	int r = query ? aws_query_search(query, line, &found, failure) : 0;

	if (r == 0)
		aws_output_text(found ? found : line, text);
	return r;
}

static int print(const struct aws_line *line, const struct aws_query *query, json_t *result,
		 struct aws_failure *failure)
{
	CLEANUP(aws_json_freep) json_t *found = NULL;
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(aws_json_freep) json_t *token = NULL;
	const char *output = output_of(line);
	int r = 0;

	if (streq(output, "text") && aws_pages_wanted(line)) {
		token = json_incref(json_object_get(result, PAGES_TOKEN));
		json_object_del(result, PAGES_TOKEN);
	}
	if (query && (r = aws_query_search(query, result, &found, failure)) < 0)
		return r;
	if (query)
		result = found;
	if (streq(output, "json"))
		aws_output_json(result, &text);
	else if (streq(output, "text"))
		aws_output_text(result, &text);
	else if (streq(output, "table"))
		aws_output_table(line->action->name, result, terminal_width(), &text);
	else
		return aws_fail(failure, AWS_FAILED, "Unknown output type: %s", output);
	if (token && (r = print_token(query, token, &text, failure)) < 0)
		return r;
	if (text.length)
		fwrite(text.data, 1, text.length, stdout);
	return 0;
}

/* Where the call goes, and as who. */
static int aim(const struct aws_line *line, struct client *client, struct aws_failure *failure)
{
	struct error error = ERROR_INIT;
	const char *account = line->profile;

	if (line->region)
		snprintf(client->region, sizeof(client->region), "%s", line->region);
	if (line->endpoint) {
		if (strncmp(line->endpoint, "http://", 7) != 0)
			return aws_fail(failure, AWS_USAGE,
					"Bad value for --endpoint-url \"%s\": must be of the form "
					"http://ADDRESS:PORT",
					line->endpoint);
		snprintf(client->url, sizeof(client->url), "%s", line->endpoint);
		if (client->url[strlen(client->url) - 1] == '/')
			client->url[strlen(client->url) - 1] = '\0';
	}
	if (!account || streq(account, "default"))
		return 0;
	if (credentials_read(client->credentials_file, account, &client->credentials, &error) < 0)
		return aws_fail(failure, AWS_FAILED, "The config profile (%s) could not be found",
				account);
	return 0;
}

static int run(struct aws_model *model, struct client *client, const struct aws_line *line,
	       struct aws_failure *failure)
{
	CLEANUP(aws_query_freep) struct aws_query *query = NULL;
	CLEANUP(aws_json_freep) json_t *parameters = NULL;
	CLEANUP(aws_json_freep) json_t *result = NULL;
	const struct aws_target target = { model, client, line->action };
	int r;

	if ((r = aim(line, client, failure)) < 0)
		return r;
	if (line->query && (r = aws_query_compile(line->query, &query, failure)) < 0)
		return r;
	if ((r = aws_line_parameters(model, line, &parameters, failure)) < 0)
		return r;
	if (line->waiter)
		return aws_wait(&target, line->waiter, parameters, failure);
	if (streq(line->action->name, "Deploy"))
		return aws_deploy(&target, parameters, failure);
	r = aws_pages_call(&target, line, parameters, &result, failure);
	return r < 0 ? r : print(line, query, result, failure);
}

static void print_failure(const struct aws_failure *failure)
{
	const char *text = failure->text.data;

	/* The AWS CLI has an empty line before; ours are one line. */
	fprintf(stderr, "%s%s\n", strncmp(text, "minivpc: ", 9) == 0 ? "" : "\n", text);
}

int aws_run(const struct client *client, const char *service, char **words)
{
	struct aws_failure failure = { BUFFER_INIT, AWS_FAILED };
	CLEANUP(aws_model_freep) struct aws_model *model = aws_model_open(service);
	struct client own = *client;
	struct aws_line line;
	int r = aws_line_read(model, words, &line, &failure), status = 0;

	if (r == 0 && line.help)
		aws_help_print(model, &line);
	else if (r == 0)
		r = run(model, &own, &line, &failure);
	if (r < 0) {
		fflush(stdout);
		print_failure(&failure);
		status = (int)failure.status;
	}
	buffer_clear(&failure.text);
	aws_line_clear(&line);
	return status;
}
