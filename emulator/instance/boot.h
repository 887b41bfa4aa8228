/*
 * What an instance does when it has booted, as a shell script that its init runs: user data at the
 * first boot, as cloud-init does it (EC2 user guide, "Run commands when you launch an instance";
 * cloud-init's documentation, "User data formats" and "Module reference"), and a key pair's public
 * key. Pure: text in, text out. What the caller of the API wrote is parsed here, outside; inside
 * there is only the shell.
 */
#pragma once

#include "base/util.h"

struct boot_plan {
	const char *id; /* of the instance: where cloud-init keeps what is its own */
	bool first;	/* user data and keys are for the first boot alone */
	/* Decoded; NULL for none. Scripts ("#!"), "#cloud-config"; another kind is told of. */
	const char *user_data;
	size_t user_data_size;
	const char *public_key; /* a line as in authorized_keys; NULL for none */
};

/*
 * The script, for "/bin/sh"; owned; NULL when there is nothing to do. It never fails as a whole:
 * what a part of it says, and what it can't do, is on its standard output. Of cloud-config:
 * bootcmd, hostname, fqdn, write_files (content, encoding b64, owner, permissions, append),
 * ssh_authorized_keys, users (only their keys, of root), runcmd. Other keys are named and left out.
 */
char *boot_script(const struct boot_plan *plan);
