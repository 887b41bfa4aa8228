/* A CloudFormation template, section by section: see template.h. */
#include "lab/internal.h"

#include <errno.h>

#define DESCRIPTION_LENGTH 1024

/* ---- sections that are no more than texts ---- */

static int version_read(struct checker *checker, struct node *node)
{
	if (!node || streq(node->text, "2010-09-09"))
		return 0;
	return place_fail(&checker->place, node,
			  "Template format error: unsupported value for AWSTemplateFormatVersion.");
}

static int description_read(struct checker *checker, struct node *node)
{
	if (node && node->type != NODE_TEXT)
		return place_fail(&checker->place, node,
				  "Template format error: Every Description member must be a "
				  "string.");
	if (node && strlen(node->text) > DESCRIPTION_LENGTH)
		return place_fail(&checker->place, node,
				  "Template format error: 'Description' length is greater than %d.",
				  DESCRIPTION_LENGTH);
	return 0;
}

static int metadata_read(struct checker *checker, struct node *node)
{
	return node ? check_is_map(checker, node) : 0;
}

/* A macro may make anything of a template. */
static int transform_read(struct checker *checker, struct node *node)
{
	CLEANUP(buffer_clear) struct buffer names = BUFFER_INIT;

	if (!node)
		return 0;
	node_json(node, &names);
	return place_fail(&checker->place, node, "Transform %.200s is not supported", names.data);
}

/* ---- all of them ---- */

/* In the order of reading: what is referred to before who refers. */
static const struct section {
	const char *name;
	const char *what; /* in AWS's text for too many */
	size_t most;
	int (*read)(struct checker *checker, struct node *node);
} sections[] = {
	{ "AWSTemplateFormatVersion", NULL, 0, version_read },
	{ "Description", NULL, 0, description_read },
	{ "Metadata", NULL, 0, metadata_read },
	{ "Transform", NULL, 0, transform_read },
	{ "Parameters", "parameters", PARAMETERS_MAX, parameters_read },
	{ "Mappings", "mappings", MAPPINGS_MAX, mappings_read },
	{ "Rules", "rules", PARAMETERS_MAX, rules_read },
	{ "Conditions", "conditions", CONDITIONS_MAX, conditions_read },
	{ "Resources", "resources", RESOURCES_MAX, resources_read },
	{ "Outputs", "outputs", OUTPUTS_MAX, outputs_read },
};

static int check_sections(const struct node *document, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer unknown = BUFFER_INIT;

	if (document->type != NODE_MAP)
		return error_set(error, ERROR_INVALID_TEMPLATE,
				 "Template format error: unsupported structure.");
	for (size_t i = 0; i < document->count; i++) {
		size_t at = 0;

		while (at < ARRAY_SIZE(sections) &&
		       !streq(sections[at].name, document->items[i]->key))
			at++;
		if (at == ARRAY_SIZE(sections))
			buffer_printf(&unknown, "%s%.*s", unknown.length ? ", " : "", NAME_LENGTH,
				      document->items[i]->key);
	}
	if (!unknown.length)
		return 0;
	return error_set(error, ERROR_INVALID_TEMPLATE,
			 "Invalid template property or properties [%s]", unknown.data);
}

/* "[/Resources/Web/Properties]", of "Resources.Web.Properties" */
static int fail_null(struct checker *checker, const struct node *node)
{
	CLEANUP(freep) char *path = xstrdup(checker->place.path.data);

	for (char *c = path; *c; c++)
		*c = *c == '.' ? '/' : *c;
	return place_fail(&checker->place, node,
			  "Template format error: [/%s] 'null' values are not allowed in templates",
			  path);
}

static int check_nulls(struct checker *checker, const struct node *node)
{
	int result = 0;

	if (node->type == NODE_NULL)
		return fail_null(checker, node);
	for (size_t i = 0; i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, i);

		result = check_nulls(checker, node->items[i]);
		place_leave(&checker->place, before);
	}
	return result;
}

static int read_section(struct checker *checker, const struct section *section)
{
	struct node *node = node_get(checker->template->document, section->name);
	const size_t before = place_enter(&checker->place, section->name, 0);
	int result = node && section->read != metadata_read ? check_nulls(checker, node) : 0;

	checker->place.block = section->name;
	if (result == 0 && node && section->most && node->count > section->most)
		result = place_fail(&checker->place, node,
				    "Template format error: Number of %s, %zu, is greater than "
				    "maximum allowed, %zu",
				    section->what, node->count, section->most);
	if (result == 0)
		result = section->read(checker, node);
	place_leave(&checker->place, before);
	return result;
}

int template_parse(const char *text, size_t length, const struct template_options *options,
		   struct template **ret_template, struct text_lines *ret_warnings,
		   struct error *error)
{
	CLEANUP(template_freep) struct template *template = xcalloc(1, sizeof(*template));
	CLEANUP(text_lines_clear) struct text_lines ignored = { NULL, 0 };
	struct checker checker = {
		.place = { BUFFER_INIT, NULL, error },
		.template = template,
		.options = options,
		.warnings = ret_warnings ? ret_warnings : &ignored,
		.may_lose = options->skip_unsupported,
	};
	int result = node_parse(text, length, &template->document, error);

	if (result < 0)
		return error_wrap(error, result, "Template format error");
	result = check_sections(template->document, error);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && result == 0; i++)
		result = read_section(&checker, &sections[i]);
	buffer_clear(&checker.place.path);
	if (result < 0)
		return result;
	*ret_template = steal(&template);
	return 0;
}

void template_freep(struct template **pointer)
{
	struct template *template = steal(pointer);

	if (!template)
		return;
	for (size_t i = 0; i < template->declared_count; i++)
		free(template->resources[i].dependencies);
	free(template->resources);
	free(template->conditions);
	free(template->parameters);
	node_freep(&template->document);
	free(template);
}

/* ---- what it declares ---- */

const char *template_description(const struct template *template)
{
	return node_get_text(template->document, "Description");
}

size_t template_parameter_count(const struct template *template)
{
	return template->parameter_count;
}

const struct template_parameter *template_parameter_at(const struct template *template, size_t at)
{
	return &template->parameters[at];
}

size_t template_resource_count(const struct template *template)
{
	return template->resource_count;
}

const struct template_resource *template_resource_at(const struct template *template, size_t at)
{
	return &template->resources[at].shown;
}
