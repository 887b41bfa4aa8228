/* What leaves for other programs: see shell.h. */
#include "cli/shell.h"

#include <errno.h>
#include <unistd.h>

#define AWS_DEBIAN "/usr/bin/aws"

void shell_quote(struct buffer *buffer, const char *text)
{
	buffer_putc(buffer, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buffer_puts(buffer, "'\\''");
		else
			buffer_putc(buffer, *text);
	}
	buffer_putc(buffer, '\'');
}

void shell_exports(struct buffer *buffer, const struct client *client)
{
	const struct parameter exports[] = {
		{ "AWS_ENDPOINT_URL", client->url },
		{ "AWS_ACCESS_KEY_ID", client->credentials.access_key },
		{ "AWS_SECRET_ACCESS_KEY", client->credentials.secret_key },
		{ "AWS_DEFAULT_REGION", client->region },
	};

	for (size_t i = 0; i < ARRAY_SIZE(exports); i++) {
		buffer_printf(buffer, "export %s=", exports[i].name);
		shell_quote(buffer, exports[i].value);
		buffer_putc(buffer, '\n');
	}
}

char **aws_arguments(struct client *client, char **arguments)
{
	static char name[] = "aws", endpoint_option[] = "--endpoint-url";
	size_t count = 0, used = 0, option_length = strlen(endpoint_option);
	bool given = false;
	char **argv;

	for (; arguments[count]; count++)
		given |= strncmp(arguments[count], endpoint_option, option_length) == 0 &&
			 strchr("=", arguments[count][option_length]);
	argv = xcalloc(count + 4, sizeof(*argv));
	argv[used++] = name;
	if (!given) {
		argv[used++] = endpoint_option;
		argv[used++] = client->url;
	}
	memcpy(argv + used, arguments, count * sizeof(*argv));
	return argv;
}

/* Python looks at the lower-case name first, Go at the upper-case one. */
static void bypass_proxy(const struct client *client)
{
	const char *lower = getenv("no_proxy"), *upper = getenv("NO_PROXY");
	const char *old = lower && *lower ? lower : upper;
	CLEANUP(freep) char *host = xstrdup(client->url + strlen("http://"));
	CLEANUP(freep) char *value = NULL;
	char *colon = strrchr(host, ':');

	if (colon)
		*colon = '\0';
	value = old && *old ? xasprintf("%s,%s", old, host) : xstrdup(host);
	setenv("no_proxy", value, 1);
	setenv("NO_PROXY", value, 1);
}

/*
 * The region is the world's even where the user's environment names one: that one is meant for
 * AWS. The AWS CLI's own --region wins over both.
 */
void aws_environment(const struct client *client)
{
	static const char *const dropped[] = {
		"AWS_PROFILE",
		"AWS_DEFAULT_PROFILE",
		"AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN",
	};
	const struct parameter set[] = {
		{ "AWS_ACCESS_KEY_ID", client->credentials.access_key },
		{ "AWS_SECRET_ACCESS_KEY", client->credentials.secret_key },
		{ "AWS_DEFAULT_REGION", client->region },
		{ "AWS_REGION", client->region },
		{ "AWS_ENDPOINT_URL", client->url },
		{ "AWS_SHARED_CREDENTIALS_FILE", client->credentials_file },
		{ "AWS_EC2_METADATA_DISABLED", "true" },
		{ "AWS_PAGER", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		unsetenv(dropped[i]);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		setenv(set[i].name, set[i].value, 1);
	bypass_proxy(client);
}

int aws_execute(char **argv, struct error *error)
{
	/* The one Debian ships is the one we are tested with. */
	if (access(AWS_DEBIAN, X_OK) == 0)
		execv(AWS_DEBIAN, argv);
	else
		execvp("aws", argv);
	if (errno == ENOENT) {
		error_set(error, ERROR_INTERNAL,
			  "the AWS CLI is missing: install the package awscli");
		return -ENOENT;
	}
	return error_sys(error, errno, "aws");
}
