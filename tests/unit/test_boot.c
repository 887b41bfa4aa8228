/* objects: emulator/instance/boot.o emulator/base/base64.o emulator/base/buffer.o emulator/base/util.o */
/* libs: -lyaml -lnettle */
/* Boot scripts: what they say, and what they do when a shell runs them in a directory of its own.
 */
#include "instance/boot.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char place[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/minivpc-boot-XXXXXX");
	return mkdtemp(place) ? 0 : -1;
}

static int tear_down(void **state)
{
	CLEANUP(freep) char *command = xasprintf("rm -rf %s", place);

	(void)state;
	return system(command);
}

static char *script_of(const char *user_data, const char *key)
{
	const struct boot_plan plan = {
		.id = "i-1",
		.first = true,
		.user_data = user_data,
		.user_data_size = user_data ? strlen(user_data) : 0,
		.public_key = key,
	};

	return boot_script(&plan);
}

/* The script with every absolute path of its own below `place`. */
static void relocate(const char *script, struct buffer *ret)
{
	static const char *const own[] = { "/var/lib/cloud", "/root/.ssh", "/etc/hostname" };

	while (*script) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(own); i++)
			if (strncmp(script, own[i], strlen(own[i])) == 0)
				found = true;
		if (found)
			buffer_puts(ret, place);
		buffer_putc(ret, *script++);
	}
}

/* Runs it; what it says is in `place`/console. */
static void run(const char *script)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(freep)
	char *command = xasprintf("mkdir -p %s/root %s/etc; cd / && sh >%s/console 2>&1", place,
				  place, place);
	FILE *shell;

	buffer_puts(&text, "true\n");
	relocate(script, &text);
	shell = popen(command, "w");
	assert_non_null(shell);
	fputs(text.data, shell);
	assert_int_equal(WEXITSTATUS(pclose(shell)), 0);
}

static char *content(const char *name)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s", place, name);
	char text[4096] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("there is no %s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return xstrdup(text);
}

static void assert_content(const char *name, const char *wanted)
{
	CLEANUP(freep) char *text = content(name);

	assert_string_equal(text, wanted);
}

static void nothing_to_do(void **state)
{
	const struct boot_plan second = { .user_data = "#!/bin/sh\n", .user_data_size = 10 };

	(void)state;
	assert_null(script_of(NULL, NULL));
	assert_null(script_of("", NULL));
	assert_null(boot_script(&second)); /* only the first boot runs user data */
}

static void a_script_is_run_as_it_is(void **state)
{
	CLEANUP(freep)
	char *script = script_of("#!/bin/sh\n"
				 "echo \"it's $0\" | sed 's/.*part/part/'\n"
				 "printf '\\\\ \"%s\" `'; echo; exit 3\n",
				 NULL);

	(void)state;
	run(script);
	assert_content("console", "part-001\n\\ \"\" `\n"
				  "cloud-init: part-001 ended with status 3\n");
}

static void long_ones_and_any_bytes(void **state)
{
	struct buffer data = BUFFER_INIT;
	struct boot_plan plan = { .id = "i-1", .first = true };
	CLEANUP(freep) char *script = NULL;
	CLEANUP(freep) char *kept = NULL;

	(void)state;
	buffer_puts(&data, "#!/bin/sh\nexit 0\n");
	for (int i = 1; i < 1000; i++)
		buffer_putc(&data, (char)(i % 255 + 1));
	plan.user_data = data.data;
	plan.user_data_size = data.length;
	script = boot_script(&plan);
	run(script);
	kept = content("var/lib/cloud/instances/i-1/scripts/part-001");
	assert_int_equal(strlen(kept), data.length);
	assert_memory_equal(kept, data.data, data.length);
	assert_content("console", "");
	buffer_clear(&data);
}

static void a_key_can_log_in(void **state)
{
	CLEANUP(freep) char *script = script_of(NULL, "ssh-ed25519 AAAA me@'here'");
	CLEANUP(freep) char *path = xasprintf("%s/root/.ssh/authorized_keys", place);
	struct stat there;

	(void)state;
	run(script);
	assert_content("root/.ssh/authorized_keys", "ssh-ed25519 AAAA me@'here'\n");
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
}

static void cloud_config(void **state)
{
	CLEANUP(freep)
	char *text = xasprintf(
		"#cloud-config\n"
		"runcmd:\n"
		"  - echo third > %s/order\n"
		"  - [ sh, -c, 'echo \"$1\" >> \"$0\"', \"%s/order\", \"a 'b' c\" ]\n"
		"packages: [ nginx ]\n"
		"write_files:\n"
		"  - path: %s/deep/er/file\n"
		"    content: |\n"
		"      one\n"
		"      two $HOME\n"
		"    permissions: '0640'\n"
		"  - { path: %s/deep/er/file, content: dGhyZWUK, encoding: b64, append: true }\n"
		"  - { path: relative, content: x }\n"
		"  - { path: /x, content: x, encoding: gzip }\n"
		"ssh_authorized_keys: [ key one, key two ]\n"
		"users:\n"
		"  - default\n"
		"  - { name: me, ssh_authorized_keys: [ key three ] }\n",
		place, place, place, place);
	CLEANUP(freep) char *script = script_of(text, "key zero");
	CLEANUP(freep) char *path = xasprintf("%s/deep/er/file", place);
	struct stat there;

	(void)state;
	run(script);
	assert_content("order", "third\na 'b' c\n");
	assert_content("deep/er/file", "one\ntwo $HOME\nthree\n");
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0640);
	assert_content("root/.ssh/authorized_keys", "key zero\nkey one\nkey two\nkey three\n");
	assert_content("console",
		       "cloud-init: not supported: packages\n"
		       "cloud-init: write_files: no absolute path: relative\n"
		       "cloud-init: write_files: an encoding that is not supported: gzip\n");
}

static void what_cannot_be_read_is_told(void **state)
{
	static const struct {
		const char *data, *said;
	} cases[] = {
		{ "#cloud-config\nruncmd: [ x\n",
		  "cloud-init: the cloud-config can't be read: line 3: "
		  "did not find expected ',' or ']'\n" },
		{ "#cloud-config\n- a\n", "cloud-init: the cloud-config is no mapping\n" },
		{ "#cloud-config\n", "cloud-init: the cloud-config is no mapping\n" },
		{ "#cloud-config\nruncmd: reboot\n", "cloud-init: no list of commands: runcmd\n" },
		{ "Content-Type: multipart/mixed\n",
		  "cloud-init: user data that is neither a script nor "
		  "#cloud-config is kept only\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(freep) char *script = script_of(cases[i].data, NULL);

		run(script);
		assert_content("console", cases[i].said);
	}
}

static void what_is_no_base64_is_told(void **state)
{
	CLEANUP(freep)
	char *text = xasprintf("#cloud-config\n"
			       "write_files:\n"
			       "  - path: %s/file\n"
			       "    encoding: b64\n"
			       "    content: \"aGk=\\nEND_OF_FILE\\necho out\\n\"\n",
			       place);
	CLEANUP(freep) char *script = script_of(text, NULL);
	CLEANUP(freep)
	char *said = xasprintf("cloud-init: write_files: no base64 for %s/file\n", place);

	(void)state;
	run(script);
	assert_content("console", said);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(nothing_to_do),
		CASE(a_script_is_run_as_it_is),
		CASE(long_ones_and_any_bytes),
		CASE(a_key_can_log_in),
		CASE(cloud_config),
		CASE(what_cannot_be_read_is_told),
		CASE(what_is_no_base64_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
