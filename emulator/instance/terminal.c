/*
 * Terminals: see terminal.h.
 *
 *	caller's terminal, raw  --typed-->  master | slave, in the instance's /dev/pts  -->  command
 *	                        <--output-         | line discipline, echo, ^C          <--
 */
#include "instance/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_make(int *ret_master, int *ret_slave)
{
	CLEANUP(closep) int master = -1;
	CLEANUP(closep) int slave = -1;
	struct termios modes;
	struct winsize size;
	int locked = 0;

	master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &locked) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	if (tcgetattr(STDIN_FILENO, &modes) == 0)
		tcsetattr(slave, TCSANOW, &modes);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(slave, TIOCSWINSZ, &size);
	*ret_master = steal_fd(&master);
	*ret_slave = steal_fd(&slave);
	return 0;
}

int terminal_take(int slave)
{
	int last = isatty(STDERR_FILENO) ? STDERR_FILENO : STDOUT_FILENO;

	if (ioctl(slave, TIOCSCTTY, 0) < 0)
		return -errno;
	for (int fd = STDIN_FILENO; fd <= last; fd++)
		if (dup2(slave, fd) < 0)
			return -errno;
	return 0;
}

void terminal_open(struct terminal *terminal, int master)
{
	struct termios raw;

	*terminal = (struct terminal){ .master = master };
	if (master < 0)
		return;
	/* It may not take what is typed; its output must be copied all the same. */
	fcntl(master, F_SETFL, O_NONBLOCK);
	if (tcgetattr(STDIN_FILENO, &terminal->modes) < 0)
		return;
	raw = terminal->modes;
	cfmakeraw(&raw);
	terminal->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static bool write_all(const char *data, ssize_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, data, (size_t)size);

		if (n < 0 && errno == EAGAIN) { /* somebody else made it non-blocking */
			struct pollfd room = { .fd = STDOUT_FILENO, .events = POLLOUT };

			poll(&room, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return false;
		} else if (n > 0) {
			data += n;
			size -= n;
		}
	}
	return true;
}

/* False when there is no more for now, or ever. */
static bool copy_output(struct terminal *terminal)
{
	char data[4096];
	ssize_t size = read(terminal->master, data, sizeof(data));

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (size > 0 && write_all(data, size))
		return true;
	closep(&terminal->master); /* EIO: the last process in there has let go of it */
	return false;
}

static void copy_input(struct terminal *terminal)
{
	ssize_t size = read(STDIN_FILENO, terminal->typed, sizeof(terminal->typed));

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0)
		closep(&terminal->master);
	else
		terminal->typed_length = (size_t)size;
}

static void flush_input(struct terminal *terminal)
{
	ssize_t size = write(terminal->master, terminal->typed, terminal->typed_length);

	if (size <= 0)
		return; /* full, or hung up: reading tells */
	terminal->typed_length -= (size_t)size;
	memmove(terminal->typed, terminal->typed + size, terminal->typed_length);
}

void terminal_close(struct terminal *terminal)
{
	/* A background process may go on writing for ever: only what is there now. */
	for (int i = 0; i < 64 && terminal->master >= 0 && copy_output(terminal); i++)
		;
	if (terminal->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->modes);
	closep(&terminal->master);
}

void terminal_resize(const struct terminal *terminal)
{
	struct winsize size;

	if (terminal->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(terminal->master, TIOCSWINSZ, &size);
}

void terminal_poll(const struct terminal *terminal, struct pollfd fds[2])
{
	bool is_open = terminal->master >= 0;

	fds[0] = (struct pollfd){ .fd = is_open && !terminal->typed_length ? STDIN_FILENO : -1,
				  .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = terminal->master,
				  .events = terminal->typed_length ? POLLIN | POLLOUT : POLLIN };
}

void terminal_copy(struct terminal *terminal, const struct pollfd fds[2])
{
	if (terminal->master >= 0 && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)))
		copy_output(terminal);
	if (terminal->master >= 0 && (fds[1].revents & POLLOUT))
		flush_input(terminal);
	if (terminal->master >= 0 && fds[0].revents)
		copy_input(terminal);
}
