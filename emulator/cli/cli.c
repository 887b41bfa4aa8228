/* The command line: see cli.h. */
#include "cli/cli.h"

#include "base/display.h"
#include "cli/help.h"
#include "cli/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* One line, whatever an argument or the API put into the text. */
static void print_error(const struct error *error)
{
	CLEANUP(freep) char *text = xstrdup(error->text);

	display_plain(text);
	fflush(stdout);
	fprintf(stderr, "minivpc: %s\n", text);
}

static void print_help(const struct request *request)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	help_print(&text, request);
	fwrite(text.data, 1, text.length, stdout);
}

/* Descriptors 0 to 2 must not become one of our files: the daemon and commands inherit them. */
static void occupy_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	closep(&fd);
}

static int finish(int status, struct error *error)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	error_sys(error, errno, "standard output");
	print_error(error);
	return EXIT_FAILURE;
}

static int read_request(int argc, char **argv, const struct cli_hooks *hooks,
			struct request *ret_request, struct error *error)
{
	int r = cli_parse(argc, argv, ret_request, error);

	if (r < 0 || ret_request->help)
		return r;
	r = hooks->check_quotas(ret_request->quotas.items, ret_request->quotas.count, error);
	return r < 0 ? error_wrap(error, r, "serve: --quota") : 0;
}

int cli_main(int argc, char **argv, const struct cli_hooks *hooks)
{
	struct error error = ERROR_INIT;
	struct request request;
	int status = EXIT_SUCCESS;

	occupy_standard_streams();
	if (read_request(argc, argv, hooks, &request, &error) < 0) {
		print_error(&error);
		return EXIT_USAGE;
	}
	if (request.help) {
		print_help(&request);
	} else if (verb_run(&request, hooks, &status, &error) < 0) {
		print_error(&error);
		return EXIT_FAILURE;
	}
	return finish(status, &error);
}
