/* Lessons: see lesson.h. */
#include "cli/lesson.h"

#include "base/buffer.h"
#include "cli/child.h"
#include "cli/paint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FENCE	 "```"
#define COMMANDS FENCE "sh"

struct walk {
	const char *directory;
	bool colours;
	bool over; /* nobody answers any more */
};

/* ---- running ---- */

static int run_commands(struct walk *walk, const struct buffer *commands, struct error *error)
{
	/* What is set is kept beside the lab's files. */
	CLEANUP(freep)
	char *script = xasprintf("set -a\n[ ! -e .variables ] || . ./.variables\n%s"
				 "status=$?; export -p >.variables; exit $status\n",
				 commands->data);
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, script, NULL };
	int status = child_run(walk->directory, -1, argv, error);

	if (status > 0)
		printf("%s(exit status %d)%s\n", paint(walk->colours, PAINT_YELLOW), status,
		       paint(walk->colours, PAINT_OFF));
	return status < 0 ? status : 0;
}

static int run_shell(const struct walk *walk, struct error *error)
{
	char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" },
			 (char[]){ "set -a; [ ! -e .variables ] || . ./.variables; "
				   "exec \"${SHELL:-/bin/sh}\"" },
			 NULL };
	int status = child_run(walk->directory, -1, argv, error);

	return status < 0 ? status : 0;
}

/* ---- asking ---- */

enum answer {
	RUN,
	SKIP,
	SHELL,
	QUIT,
};

static enum answer ask(struct walk *walk)
{
	char line[64];

	printf("\n%s[Enter] run it   s skip it   ! a shell   q quit >%s ",
	       paint(walk->colours, PAINT_BOLD), paint(walk->colours, PAINT_OFF));
	fflush(stdout);
	errno = 0;
	if (!fgets(line, sizeof(line), stdin)) {
		putchar('\n');
		walk->over = true;
		return errno == EINTR ? QUIT : SKIP;
	}
	switch (line[0]) {
	case 's':
		return SKIP;
	case '!':
		return SHELL;
	case 'q':
		return QUIT;
	default:
		return RUN;
	}
}

/* False: the lesson is left. */
static bool try_commands(struct walk *walk, const struct buffer *commands, int *result,
			 struct error *error)
{
	for (;;) {
		enum answer answer = walk->over ? SKIP : ask(walk);

		if (answer == RUN)
			*result = run_commands(walk, commands, error);
		else if (answer == SHELL)
			*result = run_shell(walk, error);
		if (answer == QUIT || *result < 0)
			return false;
		if (answer != SHELL)
			return true;
	}
}

/* ---- the text ---- */

static void print_line(const struct walk *walk, const char *line, size_t length)
{
	const bool heading = line[0] == '#';

	printf("%s%.*s%s\n", heading ? paint(walk->colours, PAINT_BOLD) : "", (int)length, line,
	       heading ? paint(walk->colours, PAINT_OFF) : "");
}

static void print_command(const struct walk *walk, const char *line, size_t length)
{
	printf("    %s%.*s%s\n", paint(walk->colours, PAINT_GREEN), (int)length, line,
	       paint(walk->colours, PAINT_OFF));
}

static bool is_line(const char *line, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(line, text, length) == 0;
}

int lesson_walk(const char *text, const char *directory, struct error *error)
{
	struct walk walk = { .directory = directory, .colours = paint_is_wanted() };
	CLEANUP(buffer_clear) struct buffer commands = BUFFER_INIT;
	bool within = false;
	int result = 0;

	for (const char *line = text, *next; *line; line = next) {
		const size_t length = strcspn(line, "\n");

		next = line + length + (line[length] == '\n');
		if (!within && is_line(line, length, COMMANDS)) {
			within = true;
			buffer_clear(&commands);
		} else if (within && is_line(line, length, FENCE)) {
			within = false;
			if (!try_commands(&walk, &commands, &result, error))
				break;
		} else if (within) {
			buffer_printf(&commands, "%.*s\n", (int)length, line);
			print_command(&walk, line, length);
		} else {
			print_line(&walk, line, length);
		}
	}
	return result;
}
