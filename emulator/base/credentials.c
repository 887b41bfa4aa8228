/* The world's access keys: see credentials.h. */
#include "base/credentials.h"

#include "base/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#define DEFAULT_PROFILE "default"

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

bool credentials_is_account(const char *text)
{
	return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

const char *credentials_profile(const struct credentials *credentials)
{
	return streq(credentials->account, DEFAULT_ACCOUNT) ? DEFAULT_PROFILE
							    : credentials->account;
}

/* The account of a "[profile]" line; "" for one of somebody else's profiles. */
static void read_profile(const char *line, char ret_account[13])
{
	char name[64] = "";

	sscanf(line, "[%63[^]]]", name);
	if (streq(name, DEFAULT_PROFILE))
		memcpy(ret_account, DEFAULT_ACCOUNT, 13);
	else if (credentials_is_account(name))
		memcpy(ret_account, name, 13);
	else
		*ret_account = '\0';
}

static bool is_whole(const struct credentials *credentials)
{
	return *credentials->access_key && *credentials->secret_key;
}

int credentials_load(const char *path, struct credentials_list *ret_list, struct error *error)
{
	CLEANUP(credentials_clear) struct credentials_list list = { NULL, 0 };
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	struct credentials *last = NULL;
	char account[13], line[256];

	if (!file)
		return error_sys(error, errno, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		if (*line == '[') {
			read_profile(line, account);
			last = *account ? array_grow(&list.items, &list.count) : NULL;
			if (last)
				memcpy(last->account, account, sizeof(last->account));
		}
		if (!last)
			continue;
		sscanf(line, "aws_access_key_id = %63s", last->access_key);
		sscanf(line, "aws_secret_access_key = %63s", last->secret_key);
	}
	for (size_t i = list.count; i-- > 0;)
		if (!is_whole(&list.items[i]))
			array_remove(list.items, &list.count, i);
	if (!list.count || !streq(list.items[0].account, DEFAULT_ACCOUNT))
		return error_set(error, ERROR_INTERNAL, "%s: holds no credentials", path);
	*ret_list = list;
	list = (struct credentials_list){ NULL, 0 };
	return 0;
}

int credentials_read(const char *path, const char *account, struct credentials *ret_credentials,
		     struct error *error)
{
	CLEANUP(credentials_clear) struct credentials_list list = { NULL, 0 };
	const struct credentials *found;
	int r = credentials_load(path, &list, error);

	if (r < 0)
		return r;
	found = credentials_find(&list, account ? account : DEFAULT_ACCOUNT);
	if (!found) {
		error_set(error, ERROR_INTERNAL, "there is no account %s: minivpc account create",
			  account);
		return -ESRCH;
	}
	*ret_credentials = *found;
	return 0;
}

const struct credentials *credentials_find(const struct credentials_list *list, const char *account)
{
	for (size_t i = 0; i < list->count; i++)
		if (streq(list->items[i].account, account))
			return &list->items[i];
	return NULL;
}

void credentials_clear(struct credentials_list *list)
{
	if (list->items)
		explicit_bzero(list->items, list->count * sizeof(*list->items));
	free(list->items);
	*list = (struct credentials_list){ NULL, 0 };
}

static int random_text(char *ret, size_t length, const char *alphabet, struct error *error)
{
	uint8_t bytes[64];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_sys(error, errno, "getrandom");
	for (size_t i = 0; i < length; i++) /* 32 letters: no bias */
		ret[i] = alphabet[bytes[i] & 31];
	ret[length] = '\0';
	return 0;
}

int credentials_new(const char *prefix, const char *account, struct credentials *ret_credentials,
		    struct error *error)
{
	struct credentials credentials = { "", "", "" };
	int r;

	snprintf(credentials.account, sizeof(credentials.account), "%s", account);
	snprintf(credentials.access_key, sizeof(credentials.access_key), "%s", prefix);
	/* An AWS key id is AKIA or ASIA and 16 of these letters; a secret has 40 characters. */
	r = random_text(credentials.access_key + 4, ACCESS_KEY_LENGTH - 4,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", error);
	if (r == 0)
		r = random_text(credentials.secret_key, SECRET_KEY_LENGTH,
				"abcdefghijklmnopqrstuvwxyz234567", error);
	if (r == 0)
		*ret_credentials = credentials;
	return r;
}

static void put_profile(const struct credentials *credentials, struct buffer *text)
{
	buffer_printf(text, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		      credentials_profile(credentials), credentials->access_key,
		      credentials->secret_key);
}

static int write_file(const char *path, int flags, const struct buffer *text, struct error *error)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	if (fd < 0 || write(fd, text->data, text->length) != (ssize_t)text->length || fsync(fd) < 0)
		return error_sys(error, errno, "%s", path);
	return 0;
}

/* The file as it is, whatever else its owner wrote there. */
static int read_file(const char *path, struct buffer *text, struct error *error)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : buffer_read(text, fd, SIZE_MAX);

	return r < 0 ? error_sys(error, r, "%s", path) : 0;
}

/* The directory's entry for the file, too. */
static int sync_directory(const char *path, struct error *error)
{
	CLEANUP(freep) char *directory = xstrdup(path);
	CLEANUP(closep) int fd = -1;

	*strrchr(directory, '/') = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? error_sys(error, errno, "%s", directory) : 0;
}

/* In one go: whoever ends in the middle of it leaves what was there, or all of what is to be. */
static int replace_file(const char *path, const struct buffer *text, struct error *error)
{
	CLEANUP(freep) char *fresh = xasprintf("%s.new", path);
	int r = write_file(fresh, O_TRUNC | O_NOFOLLOW, text, error);

	if (r == 0 && rename(fresh, path) < 0)
		r = error_sys(error, errno, "%s", path);
	if (r < 0) {
		unlink(fresh);
		return r;
	}
	return sync_directory(path, error);
}

int credentials_create(const char *path, struct credentials_list *ret_list, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct credentials credentials;
	int r;

	if (access(path, F_OK) == 0)
		return error_sys(error, EEXIST, "%s", path);
	if ((r = credentials_new("AKIA", DEFAULT_ACCOUNT, &credentials, error)) < 0)
		return r;
	put_profile(&credentials, &text);
	if ((r = replace_file(path, &text, error)) < 0)
		return r;
	*ret_list = (struct credentials_list){ NULL, 0 };
	*array_grow(&ret_list->items, &ret_list->count) = credentials;
	return 0;
}

static int append_profile(const char *path, const struct credentials *credentials,
			  struct error *error)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(buffer_clear) struct buffer old = BUFFER_INIT;
	struct error ignored = ERROR_INIT;
	int r = read_file(path, &old, error);

	if (r < 0)
		return r;
	buffer_append(&text, old.data, old.length);
	buffer_puts(&text, text.length && text.data[text.length - 1] != '\n' ? "\n\n" : "\n");
	put_profile(credentials, &text);
	if ((r = replace_file(path, &text, error)) < 0)
		replace_file(path, &old, &ignored); /* nobody is told of it, so it isn't there */
	return r;
}

/* Twelve digits that no account has. */
static int free_account(const struct credentials_list *list, char ret_account[13],
			struct error *error)
{
	uint64_t number;

	do {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return error_sys(error, errno, "getrandom");
		snprintf(ret_account, 13, "%012llu", (unsigned long long)(number % 1000000000000));
	} while (credentials_find(list, ret_account));
	return 0;
}

int credentials_add(const char *path, struct credentials_list *list, const char *account,
		    const struct credentials **ret_credentials, struct error *error)
{
	struct credentials credentials, *added;
	char number[13];
	int r;

	if (account && !credentials_is_account(account))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "An account is called by twelve digits, not '%s'", account);
	if (account && credentials_find(list, account))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "There is an account %s already", account);
	if (list->count >= CREDENTIALS_MAX)
		return error_set(error, ERROR_QUOTA, "A world has %d accounts at most",
				 CREDENTIALS_MAX);
	if (!account && (r = free_account(list, number, error)) < 0)
		return r;
	if ((r = credentials_new("AKIA", account ? account : number, &credentials, error)) < 0 ||
	    (r = append_profile(path, &credentials, error)) < 0)
		return r;
	added = array_grow(&list->items, &list->count);
	*added = credentials;
	*ret_credentials = added;
	return 0;
}
