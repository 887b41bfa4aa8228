/* Parameters as a template declares them ("Parameters"): see internal.h. */
#include "lab/parameter.h"
#include "lab/pattern.h"

#include <errno.h>
#include <math.h>

/* ---- types ---- */

static const struct {
	const char *name;
	enum shape shape;
	enum kind kind;

} shapes[] = {
	{ "String", SHAPE_TEXT, KIND_NONE },
	{ "Number", SHAPE_NUMBER, KIND_NONE },
	{ "AWS::EC2::AvailabilityZone::Name", SHAPE_ZONE, KIND_NONE },
	{ "AWS::EC2::Image::Id", SHAPE_ID, KIND_IMAGE },
	{ "AWS::EC2::Instance::Id", SHAPE_ID, KIND_INSTANCE },
	{ "AWS::EC2::KeyPair::KeyName", SHAPE_NAME, KIND_NONE },
	{ "AWS::EC2::SecurityGroup::GroupName", SHAPE_NAME, KIND_NONE },
	{ "AWS::EC2::SecurityGroup::Id", SHAPE_ID, KIND_SECURITY_GROUP },
	{ "AWS::EC2::Subnet::Id", SHAPE_ID, KIND_SUBNET },
	{ "AWS::EC2::VPC::Id", SHAPE_ID, KIND_VPC },
	{ "AWS::EC2::Volume::Id", SHAPE_ID, KIND_VOLUME },
	{ "AWS::Route53::HostedZone::Id", SHAPE_NAME, KIND_NONE },
	{ "AWS::SSM::Parameter::Name", SHAPE_NAME, KIND_NONE },
};

/* What is between "prefix" and '>', in place; NULL: it is something else. */
static char *unwrap(char *text, const char *prefix)
{
	const size_t length = strlen(text);

	if (strncmp(text, prefix, strlen(prefix)) != 0 || text[length - 1] != '>')
		return NULL;
	text[length - 1] = '\0';
	return text + strlen(prefix);
}

bool parameter_type_read(const char *text, struct parameter_type *ret_type)
{
	CLEANUP(freep) char *copy = xstrdup(text);
	struct parameter_type type = { .is_list = false };
	char *name = copy, *inner = unwrap(name, "AWS::SSM::Parameter::Value<");

	type.is_stored = inner != NULL;
	name = inner ? inner : name;
	inner = unwrap(name, "List<");
	type.is_list = inner || streq(name, "CommaDelimitedList");
	name = inner ? inner : type.is_list ? copy : name;
	if (type.is_list && !inner) {
		type.shape = SHAPE_TEXT;
		*ret_type = type;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		if (streq(name, shapes[i].name)) {
			type.shape = shapes[i].shape;
			type.kind = shapes[i].kind;
			*ret_type = type;
			return true;
		}
	return false;
}

bool parameter_number(const char *text, double *ret_number)
{
	char *end;

	if (!*text || strspn(text, "0123456789+-.eE") != strlen(text))
		return false;
	*ret_number = strtod(text, &end);
	return !*end && isfinite(*ret_number);
}

/* ---- declarations ---- */

static const char *const attributes[] = {
	"AllowedPattern", "AllowedValues", "ConstraintDescription",
	"Default",	  "Description",   "MaxLength",
	"MaxValue",	  "MinLength",	   "MinValue",
	"NoEcho",	  "Type",	   NULL,
};

static int check_attribute(struct checker *checker, const struct node *node)
{
	static const char *const numbers[] = { "MaxLength", "MaxValue", "MinLength", "MinValue" };
	double number;

	if (streq(node->key, "AllowedValues")) {
		bool good = node->type == NODE_LIST && node->count;

		for (size_t i = 0; i < node->count; i++)
			good = good && node->items[i]->type == NODE_TEXT;
		return good ? 0
			    : place_fail(
				      &checker->place, node,
				      "Template format error: Every AllowedValues member must be a "
				      "list of strings.");
	}
	if (node->type != NODE_TEXT)
		return place_fail(&checker->place, node,
				  "Template format error: Every %s member must be a string.",
				  node->key);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (streq(node->key, numbers[i]) && !parameter_number(node->text, &number))
			return place_fail(
				&checker->place, node,
				"Template format error: Every %s member must be a number.",
				node->key);
	return 0;
}

/* One that we can't check is refused: to take any value would be a lie. */
static int check_pattern(struct checker *checker, struct node *declaration)
{
	const struct node *node = node_get(declaration, "AllowedPattern");
	CLEANUP(pattern_freep) struct pattern *pattern = NULL;
	const char *reason = NULL;
	size_t at = 0;
	int result;

	if (!node || pattern_compile(node->text, &pattern, &reason) == 0)
		return 0;
	result = check_lack(checker, node, "AllowedPattern can't be checked: %s", reason);
	if (result < 0)
		return result;
	check_forget(checker, node);
	while (declaration->items[at] != node)
		at++;
	node_freep(&declaration->items[at]);
	array_remove(declaration->items, &declaration->count, at);
	return 0;
}

static int check_type(struct checker *checker, const struct node *declaration)
{
	const char *type = node_get_text(declaration, "Type");
	struct parameter_type ignored;

	if (!type)
		return place_fail(&checker->place, declaration,
				  "Template format error: Every Parameters object must contain a "
				  "Type member.");
	if (!parameter_type_read(type, &ignored))
		return place_fail(&checker->place, node_get(declaration, "Type"),
				  "Template format error: Unrecognized parameter type: %.*s",
				  NAME_LENGTH, type);
	return 0;
}

static int read_parameter(struct checker *checker, struct node *node)
{
	struct template *template = checker->template;
	const char *no_echo;
	int result = check_name(checker, node, "Parameter");

	if (result == 0)
		result = check_members(checker, node, attributes, "parameter");
	for (size_t i = 0; i < node->count && result == 0; i++)
		result = check_attribute(checker, node->items[i]);
	if (result == 0)
		result = check_type(checker, node);
	if (result == 0)
		result = check_pattern(checker, node);
	if (result < 0)
		return result;
	no_echo = node_get_text(node, "NoEcho");
	*array_grow(&template->parameters, &template->parameter_count) =
		(struct template_parameter){
			.name = node->key,
			.type = node_get_text(node, "Type"),
			.description = node_get_text(node, "Description"),
			.fallback = node_get_text(node, "Default"),
			.no_echo = streq(no_echo, "true") || streq(no_echo, "True") ||
				   streq(no_echo, "TRUE"),
			.node = node,
		};
	return 0;
}

int parameters_read(struct checker *checker, struct node *node)
{
	int result = node ? check_is_map(checker, node) : 0;

	for (size_t i = 0; node && i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);

		result = read_parameter(checker, node->items[i]);
		place_leave(&checker->place, before);
	}
	return result;
}

const struct template_parameter *parameter_find(const struct template *template, const char *name)
{
	for (size_t i = 0; i < template->parameter_count; i++)
		if (streq(template->parameters[i].name, name))
			return &template->parameters[i];
	return NULL;
}
