/* The world's own access key: see credentials.h. */
#include "base/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static void fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

int credentials_read(const char *path, struct credentials *ret_credentials, struct error *error)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	struct credentials credentials = { "", "" };
	char line[256];

	if (!file)
		return error_sys(error, errno, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "aws_access_key_id = %63s", credentials.access_key);
		sscanf(line, "aws_secret_access_key = %63s", credentials.secret_key);
	}
	if (!*credentials.access_key || !*credentials.secret_key)
		return error_set(error, ERROR_INTERNAL, "%s: holds no credentials", path);
	*ret_credentials = credentials;
	return 0;
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

int credentials_create(const char *path, struct credentials *ret_credentials, struct error *error)
{
	struct credentials credentials = { "AKIA", "" };
	char text[256];
	CLEANUP(closep) int fd = -1;
	ssize_t length;
	int r;

	/* An AWS key id is AKIA and 16 of these letters; a secret has 40 characters. */
	r = random_text(credentials.access_key + 4, 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", error);
	if (r == 0)
		r = random_text(credentials.secret_key, 40, "abcdefghijklmnopqrstuvwxyz234567",
				error);
	if (r < 0)
		return r;
	length = snprintf(text, sizeof(text),
			  "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
			  credentials.access_key, credentials.secret_key);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)length) != length || fsync(fd) < 0)
		return error_sys(error, errno, "%s", path);
	*ret_credentials = credentials;
	return 0;
}
