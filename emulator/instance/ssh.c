/* ssh: see ssh.h. */
#include "instance/ssh.h"

#include "instance/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdnoreturn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT	 22
#define BACKLOG	 128
#define PAUSE_MS 5

/* Who isn't known after that time is shown out by sshd itself: as many at once may be unknown. */
#define GUESTS	   50
#define LOGIN_TIME 60

#define SERVER	  "/usr/sbin/sshd"
#define KEYGEN	  "/usr/bin/ssh-keygen"
#define DIRECTORY "/run/sshd" /* where what isn't root in sshd is kept */
#define KEYS	  "/root/.ssh/authorized_keys"
#define HOST_KEY  "/etc/ssh/ssh_host_ed25519_key"
#define NEW_KEY	  "/etc/ssh/.ssh_host_ed25519_key.new"
#define CONFIG	  "/etc/ssh/sshd_config"
#define OWN_FILE  "/etc/hostname" /* made with the disk */
#define LOG	  "/var/log/auth.log"

#define TEXT_(text)	  #text
#define TEXT(text)	  TEXT_(text)
#define OPTION(name, ...) "-o", name "=" __VA_ARGS__

/* The first word on an option counts, and these come before any file's. */
#define ALWAYS                                                                                     \
	"sshd", "-i", "-E", LOG, OPTION("HostKey", HOST_KEY),                                      \
		OPTION("LoginGraceTime", TEXT(LOGIN_TIME))

static const char *const by_default[] = {
	ALWAYS,
	"-f",
	"/dev/null",
	OPTION("UsePAM", "no"), /* this machine's accounts may be a whole network's */
	OPTION("PermitRootLogin", "prohibit-password"),
	OPTION("PasswordAuthentication", "no"),
	OPTION("KbdInteractiveAuthentication", "no"),
	OPTION("AuthorizedKeysFile", ".ssh/authorized_keys"),
	OPTION("AcceptEnv", "LANG LC_*"),
	OPTION("Subsystem", "sftp internal-sftp"),
	OPTION("UseDNS", "no"),
	NULL,
};

static const char *const by_file[] = { ALWAYS, "-f", CONFIG, NULL };

static const char *const make_key[] = {
	"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", NEW_KEY, NULL,
};

static const char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	NULL,
};

struct guest {
	pid_t pid;
	int64_t since; /* seconds of the monotonic clock */
};

static struct guest guests[GUESTS];

/* ---- the socket ---- */

static int make_socket(int family)
{
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	const struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	const bool is6 = family == AF_INET6;
	const int no = 0, yes = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if ((is6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(fd, is6 ? (const void *)&any6 : (const void *)&any4,
		 is6 ? sizeof(any6) : sizeof(any4)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		closep(&fd);
	return fd;
}

int ssh_listen(void)
{
	int fd;

	if (access(SERVER, X_OK) < 0)
		return -1;
	fd = make_socket(AF_INET6);
	return fd < 0 ? make_socket(AF_INET) : fd;
}

/* ---- a guest's process ---- */

static noreturn void execute(const char *path, const char *const arguments[])
{
	/* Nothing is written there: C's own prototype is from before there was const. */
	union {
		const char *const *in;
		char *const *out;
	} words = { arguments }, variables = { environment };

	execve(path, words.out, variables.out);
	_exit(127);
}

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/* An impatient guest, just after the first boot. */
static void await_keys(pid_t script)
{
	struct stat status;

	while (script && kill(script, 0) == 0 && (stat(KEYS, &status) < 0 || !status.st_size))
		rest();
}

static void make_host_key(void)
{
	const pid_t pid = _Fork();

	if (pid == 0) {
		unlink(NEW_KEY);
		execute(KEYGEN, make_key);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0 || access(NEW_KEY, R_OK) < 0)
		return; /* sshd's own complaint is in its log */
	rename(NEW_KEY ".pub", HOST_KEY ".pub");
	rename(NEW_KEY, HOST_KEY);
}

/* Once, whoever else is waiting for it: the directory is the lock. */
static void ensure_host_key(void)
{
	CLEANUP(closep) int lock = -1;

	if (access(HOST_KEY, R_OK) == 0)
		return;
	lock = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock >= 0 && flock(lock, LOCK_EX) == 0 && access(HOST_KEY, R_OK) < 0)
		make_host_key();
}

/* An overlay tells by the device number which of its layers a file is in. */
static bool is_own(const char *path)
{
	struct stat there, own;

	return stat(path, &there) == 0 && stat(OWN_FILE, &own) == 0 && there.st_dev == own.st_dev;
}

static noreturn void let_in(int guest, pid_t script)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	umask(022);
	if (dup2(guest, STDIN_FILENO) < 0 || dup2(guest, STDOUT_FILENO) < 0 ||
	    close_range(3, ~0U, 0) < 0)
		_exit(1);
	mkdir(DIRECTORY, 0755);
	sysfs_mount();
	await_keys(script);
	ensure_host_key();
	execute(SERVER, is_own(CONFIG) ? by_file : by_default);
}

/* ---- the door ---- */

/* Those who left, and those who must be known by now, count no more. */
static struct guest *find_chair(int64_t now)
{
	for (size_t i = 0; i < GUESTS; i++)
		if (!guests[i].pid || now - guests[i].since > LOGIN_TIME ||
		    kill(guests[i].pid, 0) < 0)
			return &guests[i];
	return NULL;
}

void ssh_answer(int listener, pid_t script)
{
	CLEANUP(closep) int guest = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct timespec now;
	struct guest *chair;
	pid_t pid;

	if (guest < 0 || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return;
	chair = find_chair(now.tv_sec);
	if (!chair)
		return;
	pid = _Fork();
	if (pid == 0)
		let_in(guest, script);
	if (pid > 0)
		*chair = (struct guest){ pid, now.tv_sec };
}
