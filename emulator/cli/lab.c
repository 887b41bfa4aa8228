/* Labs: see lab.h. */
#include "cli/lab.h"

#include "cli/child.h"
#include "cli/lesson.h"
#include "cli/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENTS "contents" /* their names, one a line, in the order of their numbers */
#define TEXT_MAX 65536

/* The archive, which the linker puts in. */
extern const char _binary_labs_tar_start[], _binary_labs_tar_end[];

/* ---- files ---- */

/* The archive as a file: nothing has to be fed to who reads it. */
static int open_archive(struct error *error)
{
	const size_t size = (uintptr_t)_binary_labs_tar_end - (uintptr_t)_binary_labs_tar_start;
	int fd = memfd_create("labs", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, _binary_labs_tar_start, size) == (ssize_t)size &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	error_sys(error, errno, "the labs' archive");
	closep(&fd);
	return -1;
}

static int unpack(char *directory, struct error *error)
{
	char *argv[] = { (char[]){ "tar" },
			 (char[]){ "-C" },
			 directory,
			 (char[]){ "-xf" },
			 (char[]){ "-" },
			 (char[]){ "--no-same-owner" },
			 NULL };
	CLEANUP(closep) int archive = open_archive(error);
	int status = archive < 0 ? archive : child_run(NULL, archive, argv, error);

	if (status > 0)
		return error_set(error, ERROR_INTERNAL, "unpacking the labs needs tar(1)");
	return status;
}

static void remove_files(char *directory)
{
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, (char[]){ "--" }, directory, NULL };
	struct error ignored = ERROR_INIT;

	child_run(NULL, -1, argv, &ignored);
}

static int make_directory(char ret_path[PATH_MAX], struct error *error)
{
	const char *place = getenv("TMPDIR");

	snprintf(ret_path, PATH_MAX, "%s/minivpc-labs-XXXXXX", place && *place ? place : "/tmp");
	if (!mkdtemp(ret_path))
		return error_sys(error, errno, "%s", ret_path);
	return unpack(ret_path, error);
}

/* Owned; NULL with errno. */
static char *read_text(const char *directory, const char *name)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", directory, name);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(freep) char *text = xcalloc(1, TEXT_MAX + 1);

	if (fd < 0 || read(fd, text, TEXT_MAX) < 0)
		return NULL;
	return steal(&text);
}

/* ---- which ---- */

struct lab {
	char *name, *title; /* owned */
};

struct labs {
	struct lab *items;
	size_t count;
};

static void labs_clear(struct labs *labs)
{
	for (size_t i = 0; i < labs->count; i++) {
		free(labs->items[i].name);
		free(labs->items[i].title);
	}
	free(labs->items);
}

/* The lesson's heading. */
static char *read_title(const char *directory, const char *name)
{
	CLEANUP(freep) char *file = xasprintf("%s/lesson.md", name);
	CLEANUP(freep) char *text = read_text(directory, file);
	const char *title = text && strncmp(text, "# ", 2) == 0 ? text + 2 : "";

	return xasprintf("%.*s", (int)strcspn(title, "\n"), title);
}

static int read_labs(const char *directory, struct labs *labs, struct error *error)
{
	CLEANUP(freep) char *names = read_text(directory, CONTENTS);
	char *rest = names, *name;

	if (!names)
		return error_sys(error, errno, "the labs' " CONTENTS);
	while ((name = strsep(&rest, "\n")))
		if (*name)
			*array_grow(&labs->items, &labs->count) =
				(struct lab){ .name = xstrdup(name),
					      .title = read_title(directory, name) };
	return 0;
}

static const struct lab *find_lab(const struct labs *labs, const char *name)
{
	for (size_t i = 0; i < labs->count; i++) {
		char number[24];

		snprintf(number, sizeof(number), "%zu", i + 1);
		if (streq(name, labs->items[i].name) || streq(name, number))
			return &labs->items[i];
	}
	return NULL;
}

/* ---- listing ---- */

static void fill_in(const struct labs *labs, struct listing *listing)
{
	for (size_t i = 0; i < labs->count; i++)
		*array_grow(&listing->rows, &listing->count) =
			(struct listing_row){ { xasprintf("%zu", i + 1),
						xstrdup(labs->items[i].name),
						xstrdup(labs->items[i].title) } };
}

int lab_list(const char *format, struct buffer *text, struct error *error)
{
	CLEANUP(listing_clear) struct listing listing = { &listing_labs, NULL, 0 };
	CLEANUP(labs_clear) struct labs labs = { 0 };
	char directory[PATH_MAX];
	int r = make_directory(directory, error);

	if (r == 0)
		r = read_labs(directory, &labs, error);
	remove_files(directory);
	if (r < 0)
		return r;
	fill_in(&labs, &listing);
	listing_put(&listing, format, text);
	return 0;
}

/* ---- running ---- */

/* What the commands of a lab find: this program, and its world. */
static int set_environment(const struct paths *paths, struct error *error)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *path = getenv("PATH");
	CLEANUP(freep) char *with = NULL;

	if (length < 0)
		return error_sys(error, errno, "/proc/self/exe");
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	with = xasprintf("%s:%s", self, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", with, true);
	setenv("MINIVPC_STATE", paths->state, true);
	return 0;
}

static int copy_files(const char *from, const char *to, struct error *error)
{
	char *argv[] = { (char[]){ "cp" }, (char[]){ "-rT" }, (char[]){ "--" },
			 xstrdup(from),	   xstrdup(to),	      NULL };
	int status = -EEXIST;

	if (mkdir(to, 0755) < 0)
		error_sys(error, errno, "%s", to);
	else
		status = child_run(NULL, -1, argv, error);
	free(argv[3]);
	free(argv[4]);
	if (status > 0)
		return error_set(error, ERROR_INTERNAL, "%s: not all files could be copied", to);
	return status;
}

static int verify(const char *directory, int *ret_status, struct error *error)
{
	CLEANUP(freep) char *script = xasprintf("%s/verify", directory);
	char *argv[] = { script, NULL };
	int status = child_run(NULL, -1, argv, error);

	if (status < 0)
		return status;
	*ret_status = status != 0;
	return 0;
}

static int walk(const char *directory, struct error *error)
{
	CLEANUP(freep) char *text = read_text(directory, "lesson.md");

	return text ? lesson_walk(text, directory, error)
		    : error_sys(error, errno, "%s/lesson.md", directory);
}

static int run_lab(const struct lab_options *options, const struct paths *paths, const char *place,
		   int *ret_status, struct error *error)
{
	CLEANUP(labs_clear) struct labs labs = { 0 };
	CLEANUP(freep) char *directory = NULL;
	const struct lab *lab;
	int r = read_labs(place, &labs, error);

	if (r < 0)
		return r;
	lab = find_lab(&labs, options->name);
	if (!lab)
		return error_set(error, ERROR_INVALID_PARAMETER,
				 "there is no lab %s: minivpc labs lists them", options->name);
	directory = xasprintf("%s/%s", place, lab->name);
	*ret_status = 0;
	if (options->to)
		return copy_files(directory, options->to, error);
	if ((r = set_environment(paths, error)) < 0)
		return r;
	return options->check ? verify(directory, ret_status, error) : walk(directory, error);
}

/* The files go whatever ends the lab: an interrupt is for what runs in it. */
static void on_interrupt(int signal)
{
	(void)signal;
}

int lab_run(const struct lab_options *options, const struct paths *paths, int *ret_status,
	    struct error *error)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction interrupt = { .sa_handler = on_interrupt };
	char place[PATH_MAX];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &interrupt, NULL);
	r = make_directory(place, error);

	if (r == 0)
		r = run_lab(options, paths, place, ret_status, error);
	remove_files(place);
	return r;
}
