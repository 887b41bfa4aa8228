/* Copying: see copy.h. */
#include "cli/copy.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static const char pack[] =
	"path=$(realpath -- \"$1\") && [ -e \"$path\" ] || { echo \"$1: no such file\" >&2; exit "
	"1; }\n"
	"exec tar -C \"$(dirname -- \"$path\")\" -cf - -- \"$(basename -- \"$path\")\"";

/* Into a directory that is there under its own name; or as `$1`. */
static const char unpack[] =
	"take() { tar -C \"$1\" --no-same-owner --no-same-permissions -xf -; }\n"
	"[ -d \"$1\" ] && { take \"$1\"; exit; }\n"
	"new=$(mktemp -d -- \"$(dirname -- \"$1\")/.minivpc.XXXXXX\") || exit\n"
	"take \"$new\" && mv -fT -- \"$new/$(ls -A \"$new\")\" \"$1\"; status=$?\n"
	"rm -rf -- \"$new\"; exit $status";

struct copy_place copy_parse(const char *text)
{
	size_t length = strcspn(text, ":/");

	if (length == 0 || text[length] != ':')
		return (struct copy_place){ text, NULL };
	return (struct copy_place){ text + length + 1, xasprintf("%.*s", (int)length, text) };
}

struct end {
	const struct copy_place *place;
	const char *script;
	int stream, number; /* what becomes its standard input or output */
};

static void run_end(const struct cli_hooks *hooks, const struct end *end, pid_t pid,
		    uint64_t start_time)
{
	char *argv[] = { (char[]){ "sh" },   (char[]){ "-c" },		xstrdup(end->script),
			 (char[]){ "copy" }, xstrdup(end->place->path), NULL };
	struct error error = ERROR_INIT;
	int status = 1;

	dup2(end->stream, end->number);
	close_range(3, ~0U, 0); /* the other end's among them */
	if (!end->place->instance)
		execv("/bin/sh", argv);
	else if (hooks->exec(pid, start_time, argv, &status, &error) < 0)
		fprintf(stderr, "minivpc: %s\n", error.text);
	fflush(stderr);
	_exit(status);
}

int copy_run(const struct cli_hooks *hooks, const struct copy_place *from,
	     const struct copy_place *to, pid_t pid, uint64_t start_time, int *ret_status,
	     struct error *error)
{
	int stream[2], status, result = 0;
	pid_t children[2];

	if (pipe(stream) < 0)
		return error_sys(error, errno, "a pipe");
	for (int i = 0; i < 2; i++) {
		const struct end end = { i ? to : from, i ? unpack : pack, stream[!i],
					 i ? STDIN_FILENO : STDOUT_FILENO };

		children[i] = fork();
		if (children[i] == 0)
			run_end(hooks, &end, pid, start_time);
	}
	close(stream[0]);
	close(stream[1]);
	for (int i = 0; i < 2; i++) {
		if (children[i] < 0 || waitpid(children[i], &status, 0) < 0)
			result = error_sys(error, errno, "copying");
		else if (status && result == 0)
			result = 1;
	}
	*ret_status = result > 0;
	return MIN(result, 0);
}
