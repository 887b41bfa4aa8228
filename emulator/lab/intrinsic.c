/* The intrinsic functions ("Intrinsic function reference") and their shapes: see internal.h. */
#include "lab/functions.h"

#include <errno.h>
#include <stdio.h>

static int check_ref(struct checker *checker, struct node *argument)
{
	return check_reference(checker, argument, argument->text, NULL);
}

static int check_condition(struct checker *checker, struct node *argument)
{
	return check_condition_name(checker, argument, argument->text);
}

static int check_if(struct checker *checker, struct node *argument)
{
	return check_condition_name(checker, argument->items[0], argument->items[0]->text);
}

#define GET_ATT_USAGE                                                                              \
	"every Fn::GetAtt object requires two non-empty parameters, the resource name and the "    \
	"resource attribute"

/* [name, attribute], the attribute by a function perhaps, or "name.attribute". */
static int check_get_att(struct checker *checker, struct node *argument)
{
	const char *dot = argument->type == NODE_TEXT ? strchr(argument->text, '.') : NULL;
	const bool is_pair = argument->type == NODE_LIST && argument->count == 2;
	CLEANUP(freep) char *name = NULL;
	int result;

	if (dot && dot != argument->text && dot[1]) {
		name = xmemdup(argument->text, (size_t)(dot - argument->text) + 1);
		name[dot - argument->text] = '\0';
		return check_reference(checker, argument, name, dot + 1);
	}
	if (!is_pair || argument->items[0]->type != NODE_TEXT || !*argument->items[0]->text ||
	    streq(argument->items[1]->text, "") ||
	    (argument->items[1]->type != NODE_TEXT &&
	     !intrinsic_is(argument->items[1], checker->where)))
		return place_fail(&checker->place, argument, "Template error: " GET_ATT_USAGE);
	/* "" is any attribute: told when there are values. */
	result = check_reference(checker, argument, argument->items[0]->text,
				 argument->items[1]->text ? argument->items[1]->text : "");
	return result < 0 ? result : check_value(checker, argument->items[1]);
}

static int check_find_in_map(struct checker *checker, struct node *argument)
{
	const struct node *map = argument->items[0];

	if (map->type != NODE_TEXT || node_get(checker->template->mappings, map->text))
		return 0;
	return place_fail(&checker->place, map,
			  "Template error: Mapping named '%.*s' is not present in the 'Mappings' "
			  "section of template.",
			  NAME_LENGTH, map->text);
}

/* ---- Fn::Sub ---- */

#define VARIABLES_MAX 200
#define SUB_USAGE                                                                                  \
	"One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "     \
	"string as first argument, and an optional second argument to specify a mapping of "       \
	"values to replace in the string"

static int check_variable(struct checker *checker, const struct node *node, char *name)
{
	char *dot = strchr(name, '.');

	for (const char *c = name; *c; c++)
		if (!strchr("_.:", *c) && !(*c >= '0' && *c <= '9') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= 'a' && *c <= 'z'))
			return place_fail(&checker->place, node,
					  "Template error: variable names in Fn::Sub syntax must "
					  "contain only alphanumeric characters, underscores, "
					  "periods, and colons: ${%.*s}",
					  NAME_LENGTH, name);
	if (dot)
		*dot++ = '\0';
	return check_reference(checker, node, name, dot);
}

static int check_variables(struct checker *checker, const struct node *text,
			   const struct node *variables)
{
	const char *at = text->text;
	struct sub_piece piece;
	int result = 0;

	while (result == 0 && sub_next(&at, &piece)) {
		CLEANUP(freep) char *name = xasprintf("%.*s", (int)piece.length, piece.text);

		if (piece.is_name && !node_get(variables, name))
			result = check_variable(checker, text, name);
	}
	return result;
}

static int check_sub(struct checker *checker, struct node *argument)
{
	const bool has_map = argument->type == NODE_LIST && argument->count == 2;
	struct node *text = has_map ? argument->items[0] : argument;
	struct node *map = has_map ? argument->items[1] : NULL;
	int result;

	if (text->type != NODE_TEXT ||
	    (map && (map->type != NODE_MAP || map->count > VARIABLES_MAX)))
		return place_fail(&checker->place, argument, "Template error: " SUB_USAGE);
	result = check_value(checker, text);
	for (size_t i = 0; map && i < map->count && result == 0; i++)
		result = check_value(checker, map->items[i]);
	return result < 0 ? result : check_variables(checker, text, map);
}

/* ---- the table ---- */

#define ANYWHERE (WHERE_VALUES | WHERE_CONDITIONS | WHERE_RULES)
#define BOOLEAN	 (WHERE_CONDITIONS | WHERE_RULES)

static const struct intrinsic intrinsics[] = {
	{ "Ref", ANYWHERE, "=n", "every Ref object must have a single String value.", check_ref,
	  function_ref },
	{ "Condition", BOOLEAN, "=n", "every Condition object must have a single String value.",
	  check_condition, function_condition },
	{ "Fn::And", BOOLEAN, "bb+",
	  "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
	  NULL, function_and },
	{ "Fn::Base64", WHERE_VALUES, "=t",
	  "every Fn::Base64 object must have a String-typed value.", NULL, function_base64 },
	{ "Fn::Cidr", WHERE_VALUES, "ttt",
	  "every Fn::Cidr object requires three parameters, the block, a count and a number of "
	  "bits",
	  NULL, function_cidr },
	{ "Fn::Contains", WHERE_RULES, "lt",
	  "every Fn::Contains object requires a list of strings and a string", NULL,
	  function_contains },
	{ "Fn::EachMemberEquals", WHERE_RULES, "lt",
	  "every Fn::EachMemberEquals object requires a list of strings and a string", NULL,
	  function_each_member_equals },
	{ "Fn::EachMemberIn", WHERE_RULES, "ll",
	  "every Fn::EachMemberIn object requires two lists of strings", NULL,
	  function_each_member_in },
	{ "Fn::Equals", BOOLEAN, "tt",
	  "every Fn::Equals object requires a list of 2 string parameters.", NULL,
	  function_equals },
	{ "Fn::FindInMap", ANYWHERE, "ttt",
	  "every Fn::FindInMap object requires three parameters, the map name, map key and the "
	  "attribute for return value",
	  check_find_in_map, function_find_in_map },
	{ "Fn::GetAZs", WHERE_VALUES, "=t",
	  "every Fn::GetAZs object must have a single String value, a region or \"\"", NULL,
	  function_get_azs },
	{ "Fn::GetAtt", WHERE_VALUES, NULL, GET_ATT_USAGE, check_get_att, function_get_att },
	{ "Fn::If", WHERE_VALUES, "nvv",
	  "Fn::If requires a list argument with three elements, the first being a condition",
	  check_if, function_if },
	{ "Fn::ImportValue", WHERE_VALUES, "=t",
	  "every Fn::ImportValue object must have a single String value.", NULL,
	  function_import_value },
	{ "Fn::Join", ANYWHERE, "nl",
	  "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
	  "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) "
	  "to be joined.",
	  NULL, function_join },
	{ "Fn::Not", BOOLEAN, "b", "every Fn::Not object requires a list of one boolean parameter.",
	  NULL, function_not },
	{ "Fn::Or", BOOLEAN, "bb+",
	  "every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
	  NULL, function_or },
	{ "Fn::Select", ANYWHERE, "tl",
	  "Fn::Select requires a list argument with two elements: an integer index and a list",
	  NULL, function_select },
	{ "Fn::Split", ANYWHERE, "nt",
	  "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string "
	  "to be split or a function that returns a string to be split.",
	  NULL, function_split },
	{ "Fn::Sub", ANYWHERE, NULL, SUB_USAGE, check_sub, function_sub },
};

const struct intrinsic *intrinsic_at(size_t at)
{
	return at < ARRAY_SIZE(intrinsics) ? &intrinsics[at] : NULL;
}

const struct intrinsic *intrinsic_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(intrinsics); i++)
		if (streq(intrinsics[i].name, name))
			return &intrinsics[i];
	return NULL;
}

bool intrinsic_is_boolean(const struct intrinsic *intrinsic)
{
	return !(intrinsic->where & WHERE_VALUES);
}
