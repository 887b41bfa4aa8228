/*
 * What leaves for other programs: words for a shell, the environment and arguments of the AWS CLI.
 */
#pragma once

#include "base/buffer.h"
#include "client/client.h"

/* One word of any POSIX shell: 'it'\''s'. */
void shell_quote(struct buffer *buffer, const char *text);
/* `export NAME='value'` lines. */
void shell_exports(struct buffer *buffer, const struct client *client);

/*
 * argv of the AWS CLI: "aws", --endpoint-url unless `arguments` name one, `arguments`, NULL. The
 * array is the caller's; what it points to is borrowed from `client` and `arguments`.
 */
char **aws_arguments(struct client *client, char **arguments);
/*
 * Turns this process's environment into one for the AWS CLI: the world's keys, region and endpoint,
 * nothing that would lead to another world's account or through a proxy. A --profile chooses among
 * this world's.
 */
void aws_environment(const struct client *client);
/* Becomes the AWS CLI; returns only on failure. */
int aws_execute(char **argv, struct error *error);
