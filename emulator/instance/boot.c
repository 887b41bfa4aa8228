/* Booting: see boot.h. */
#include "instance/boot.h"

#include "base/base64.h"

#include <yaml.h>

#define CLOUD	 "/var/lib/cloud"
#define PLACE	 CLOUD "/instance"
#define PREFIX	 "cloud-init: "
#define KEYS	 "/root/.ssh/authorized_keys"
#define COLUMNS	 76
#define KEYS_MAX 100

/* ---- words of a shell ---- */

/* 'text', with its quotes as '\'' */
static void put_quoted(struct buffer *script, const char *text, size_t length)
{
	buffer_putc(script, '\'');
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\'')
			buffer_puts(script, "'\\''");
		else if (text[i])
			buffer_putc(script, text[i]);
	buffer_putc(script, '\'');
}

static void put_word(struct buffer *script, const char *text)
{
	put_quoted(script, text, strlen(text));
}

/* A line on the console. */
static void say(struct buffer *script, const char *what, const char *of)
{
	buffer_puts(script, "echo ");
	buffer_puts(script, PREFIX);
	put_word(script, what);
	if (of) {
		buffer_putc(script, ' ');
		put_word(script, of);
	}
	buffer_putc(script, '\n');
}

/* Any bytes, as what `base64 -d` reads. */
static void put_bytes(struct buffer *script, const char *data, size_t size)
{
	buffer_puts(script, "base64 -d <<'END_OF_FILE'\n");
	base64_write(data, size, COLUMNS, script);
	buffer_puts(script, "END_OF_FILE\n");
}

/* A file that is run: its output is the console's, its failure is told. */
static void put_program(struct buffer *script, const char *name, const char *how, const char *data,
			size_t size)
{
	buffer_printf(script, ": >" PLACE "/scripts/%s\n", name);
	buffer_printf(script, "chmod 700 " PLACE "/scripts/%s\n>" PLACE "/scripts/%s ", name, name);
	put_bytes(script, data, size);
	buffer_printf(script,
		      "%s" PLACE "/scripts/%s </dev/null || echo " PREFIX
		      "%s ended with status $?\n",
		      how, name, name);
}

/* ---- keys ---- */

static void put_key(struct buffer *script, const char *key, size_t length)
{
	buffer_puts(script, "mkdir -p -m 700 /root/.ssh && printf '%s\\n' ");
	put_quoted(script, key, length);
	buffer_puts(script, " >>" KEYS " && chmod 600 " KEYS "\n");
}

/* ---- cloud-config ---- */

/* A document on its way into the script. */
struct config {
	yaml_document_t document;
	struct buffer *script;
};

static const yaml_node_t *node_at(struct config *config, int index)
{
	return yaml_document_get_node(&config->document, index);
}

/* "" for what is no scalar. */
static const char *text_of(const yaml_node_t *node)
{
	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

/* The value of a key in a mapping, or NULL. */
static const yaml_node_t *value_of(struct config *config, const yaml_node_t *node, const char *key)
{
	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		if (streq(text_of(node_at(config, pair->key)), key))
			return node_at(config, pair->value);
	return NULL;
}

#define for_each_item(variable, config, node)                                                      \
	if ((node) && (node)->type == YAML_SEQUENCE_NODE)                                          \
		for (const yaml_node_item_t *variable = (node)->data.sequence.items.start;         \
		     variable < (node)->data.sequence.items.top; variable++)

/* A list is a command and its arguments, a text a line of shell. */
static void put_command(struct config *config, struct buffer *lines, const yaml_node_t *node)
{
	if (node->type == YAML_SCALAR_NODE)
		buffer_append(lines, node->data.scalar.value, node->data.scalar.length);
	for_each_item(item, config, node)
	{
		put_word(lines, text_of(node_at(config, *item)));
		buffer_putc(lines, ' ');
	}
	buffer_putc(lines, '\n');
}

static void put_commands(struct config *config, const char *key, const yaml_node_t *node)
{
	CLEANUP(buffer_clear) struct buffer lines = BUFFER_INIT;

	for_each_item(item, config, node) put_command(config, &lines, node_at(config, *item));
	if (lines.length)
		put_program(config->script, key, "/bin/sh ", lines.data, lines.length);
	else
		say(config->script, "no list of commands:", key);
}

static void put_hostname(struct config *config, const char *key, const yaml_node_t *node)
{
	(void)key;
	buffer_puts(config->script, "{ hostname ");
	put_word(config->script, text_of(node));
	buffer_puts(config->script, " && hostname >/etc/hostname; }\n");
}

static void put_keys(struct config *config, const char *key, const yaml_node_t *node)
{
	size_t count = 0;

	(void)key;
	for_each_item(item, config, node)
	{
		const char *text = text_of(node_at(config, *item));

		if (*text && count++ < KEYS_MAX)
			put_key(config->script, text, strlen(text));
	}
}

/* There is one user to be: who logs in is root. */
static void put_users(struct config *config, const char *key, const yaml_node_t *node)
{
	for_each_item(item, config, node) put_keys(
		config, key, value_of(config, node_at(config, *item), "ssh_authorized_keys"));
}

static bool is_base64(const char *encoding)
{
	return streq(encoding, "b64") || streq(encoding, "base64");
}

/* One option of a file that a program of its own sets. */
static void put_option(struct config *config, const char *program, const yaml_node_t *value,
		       const char *path)
{
	if (!*text_of(value))
		return;
	buffer_printf(config->script, " && %s ", program);
	put_word(config->script, text_of(value));
	buffer_putc(config->script, ' ');
	put_word(config->script, path);
}

/* False: it is no base64. */
static bool read_content(const yaml_node_t *content, bool encoded, struct buffer *ret_bytes)
{
	const char *text = text_of(content);

	if (encoded)
		return base64_read(text, strlen(text), ret_bytes) == 0;
	if (*text)
		buffer_append(ret_bytes, text, content->data.scalar.length);
	return true;
}

static void put_file(struct config *config, const yaml_node_t *file)
{
	const char *path = text_of(value_of(config, file, "path"));
	const char *encoding = text_of(value_of(config, file, "encoding"));
	const char *append = text_of(value_of(config, file, "append"));
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT;

	if (*path != '/') {
		say(config->script, "write_files: no absolute path:", path);
		return;
	}
	if (*encoding && !is_base64(encoding) && !streq(encoding, "text/plain")) {
		say(config->script, "write_files: an encoding that is not supported:", encoding);
		return;
	}
	if (!read_content(value_of(config, file, "content"), is_base64(encoding), &bytes)) {
		say(config->script, "write_files: no base64 for", path);
		return;
	}
	buffer_puts(config->script, "mkdir -p \"$(dirname ");
	put_word(config->script, path);
	buffer_puts(config->script, ")\"\n");
	buffer_puts(config->script, streq(append, "true") ? ">>" : ">");
	put_word(config->script, path);
	buffer_putc(config->script, ' ');
	put_bytes(config->script, bytes.data, bytes.length);
	buffer_puts(config->script, "true");
	put_option(config, "chmod", value_of(config, file, "permissions"), path);
	put_option(config, "chown", value_of(config, file, "owner"), path);
	buffer_putc(config->script, '\n');
}

static void put_files(struct config *config, const char *key, const yaml_node_t *node)
{
	(void)key;
	for_each_item(item, config, node) put_file(config, node_at(config, *item));
}

/* In cloud-init's order, whatever the document's is. */
static const struct {
	const char *key;
	void (*put)(struct config *config, const char *key, const yaml_node_t *node);
} modules[] = {
	{ "bootcmd", put_commands },  { "write_files", put_files },	   { "fqdn", put_hostname },
	{ "hostname", put_hostname }, { "ssh_authorized_keys", put_keys }, { "users", put_users },
	{ "runcmd", put_commands },
};

static bool is_known(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (streq(modules[i].key, key))
			return true;
	return false;
}

static void put_config(struct config *config)
{
	const yaml_node_t *root = yaml_document_get_root_node(&config->document);

	if (!root || root->type != YAML_MAPPING_NODE) {
		say(config->script, "the cloud-config is no mapping", NULL);
		return;
	}
	for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++)
		if (!is_known(text_of(node_at(config, pair->key))))
			say(config->script, "not supported:", text_of(node_at(config, pair->key)));
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		const yaml_node_t *node = value_of(config, root, modules[i].key);

		if (node)
			modules[i].put(config, modules[i].key, node);
	}
}

static void put_cloud_config(struct buffer *script, const char *data, size_t size)
{
	struct config config = { .script = script };
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		abort(); /* out of memory */
	yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
	if (yaml_parser_load(&parser, &config.document)) {
		put_config(&config);
		yaml_document_delete(&config.document);
	} else {
		CLEANUP(freep)
		char *where = xasprintf("line %zu: %s", parser.problem_mark.line + 1,
					parser.problem ? parser.problem : "?");

		say(script, "the cloud-config can't be read:", where);
	}
	yaml_parser_delete(&parser);
}

/* ---- user data ---- */

static bool begins(const struct boot_plan *plan, const char *with)
{
	const size_t length = strlen(with);

	return plan->user_data_size >= length && memcmp(plan->user_data, with, length) == 0;
}

/* A link, as cloud-init itself has it: it may be in the image, and look for the same place. */
static void put_place(struct buffer *script, const char *id)
{
	buffer_printf(script,
		      "mkdir -p " CLOUD "/instances/%s/scripts\n"
		      "ln -sfn " CLOUD "/instances/%s " PLACE "\n",
		      id, id);
}

static void put_user_data(struct buffer *script, const struct boot_plan *plan)
{
	put_place(script, plan->id);
	if (begins(plan, "#!"))
		put_program(script, "part-001", "", plan->user_data, plan->user_data_size);
	else if (begins(plan, "#cloud-config"))
		put_cloud_config(script, plan->user_data, plan->user_data_size);
	else
		say(script, "user data that is neither a script nor #cloud-config is kept only",
		    NULL);
}

char *boot_script(const struct boot_plan *plan)
{
	struct buffer script = BUFFER_INIT;

	if (!plan->first)
		return NULL;
	if (plan->public_key)
		put_key(&script, plan->public_key, strlen(plan->public_key));
	if (plan->user_data && plan->user_data_size)
		put_user_data(&script, plan);
	return script.length ? buffer_steal(&script) : NULL;
}
