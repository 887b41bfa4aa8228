/*
 * `minivpc ec2 VERB …`: the AWS CLI's own commands, without its half second of Python.
 */
#pragma once

#include "client/client.h"

/*
 * Runs the command of a service ("ec2") that `words` is, which end in NULL. Everything is printed,
 * what fails on standard error; returns the AWS CLI's exit status: 0, 252 for wrong usage, 254 for
 * what the API refuses, 255 for anything else.
 */
int aws_run(const struct client *client, const char *service, char **words);
