/* See child.h. */
#include "cli/child.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const char *directory, int input, char *const argv[])
{
	if (directory && chdir(directory) < 0) {
		fprintf(stderr, "minivpc: %s: %s\n", directory, strerror(errno));
		_exit(126);
	}
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	execvp(argv[0], argv);
	fprintf(stderr, "minivpc: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int child_run(const char *directory, int input, char *const argv[], struct error *error)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		become(directory, input, argv);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return error_sys(error, errno, "starting %s", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
