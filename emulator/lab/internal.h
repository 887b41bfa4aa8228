/*
 * What the files of a template share. template_parse() walks the document once with a checker,
 * which knows shapes and references; an evaluation walks it again with a walker, which makes
 * values.
 */
#pragma once

#include "lab/type.h"

/* CloudFormation quotas; conditions have none there. */
#define PARAMETERS_MAX 200
#define MAPPINGS_MAX   200
#define RESOURCES_MAX  500
#define OUTPUTS_MAX    200
#define CONDITIONS_MAX 1000
#define NAME_LENGTH    255

struct resource {
	struct template_resource shown;
	struct node *node; /* the declaration, in the document */
	const struct type *type;
	const char **dependencies; /* shown.dependencies, owned */
	bool left_out;
	bool has_lost; /* a property since its type was checked */
};

struct template
{
	struct node *document;
	struct template_parameter *parameters;
	size_t parameter_count;
	struct resource *resources;
	size_t resource_count;	  /* those before it are kept, in order */
	size_t declared_count;	  /* those from resource_count on are left out */
	struct node **conditions; /* so that each is after those it names */
	size_t condition_count;
	struct node *mappings, *rules, *outputs; /* in the document; may be NULL */
};

const struct template_parameter *parameter_find(const struct template *template, const char *name);
struct resource *resource_find(const struct template *template, const char *name);
/* Its place in template->conditions; -1: there is none. */
ssize_t condition_find(const struct template *template, const char *name);

/* ---- places ---- */

/* Where a walk is. */
struct place {
	struct buffer path; /* "Resources.Web.Properties" */
	const char *block;  /* what AWS calls it: "Resources" */
	struct error *error;
};

/* Goes to a member, or to an item of a list (key NULL); returns what place_leave() needs. */
size_t place_enter(struct place *place, const char *key, size_t at);
void place_leave(struct place *place, size_t before);
/* ERROR_INVALID_TEMPLATE: "PATH (line N): …". Returns -EINVAL. */
int place_fail(const struct place *place, const struct node *node, const char *format, ...)
	PRINTF(3, 4);
/* Puts the place before an error that is there; returns `result`. */
int place_wrap(const struct place *place, const struct node *node, int result);

/* ---- functions ---- */

enum where {
	WHERE_VALUES = 1,
	WHERE_CONDITIONS = 2,
	WHERE_RULES = 4,
};

struct checker {
	struct place place;
	struct template *template;
	const struct template_options *options;
	struct text_lines *warnings; /* may be NULL */
	enum where where;
	struct resource *resource; /* who depends on what is referred to; NULL: nobody */
	bool may_lose;		   /* what we lack can be left out here */
	unsigned int inside;	   /* of functions: what is left out is the property around them */
	char lost[200];		   /* why the value that is read must be left out; "": it needn't */
};

struct walker;

struct intrinsic {
	const char *name;
	unsigned int where;
	/*
	 * Its arguments: n a text that is no function's, t a text, l a list, v anything, b what is
	 * true or false. A list of them, or, beginning with '=', the one value itself; '+' at the
	 * end repeats the last one up to ten in all.
	 */
	const char *arguments;
	const char *usage; /* AWS's text for others */
	/* NULL: the arguments are checked, no more. */
	int (*check)(struct checker *checker, struct node *argument);
	/* *ret_value NULL: none (AWS::NoValue). */
	int (*evaluate)(struct walker *walker, const struct node *argument,
			struct node **ret_value);
};

/* Is it { "Ref": … } or { "Fn::…": … }, and outside of values { "Condition": … }? */
bool intrinsic_is(const struct node *value, enum where where);
/* NULL: we have none of that name. */
const struct intrinsic *intrinsic_find(const char *name);
/* At a place, from 0; NULL after the last. */
const struct intrinsic *intrinsic_at(size_t at);
bool intrinsic_is_boolean(const struct intrinsic *intrinsic);

/* ---- checks ---- */

int check_value(struct checker *checker, struct node *value);
/* The value at the current place; a function in it may be one of conditions alone. */
int check_boolean(struct checker *checker, struct node *value);
/* What Ref, or Fn::GetAtt (attribute not NULL), of a name may mean there. */
int check_reference(struct checker *checker, const struct node *node, const char *name,
		    const char *attribute);
int check_condition_name(struct checker *checker, const struct node *node, const char *name);
/* What we lack: an error, or, where it can be left out, the reason for it. */
int check_lack(struct checker *checker, const struct node *node, const char *format, ...)
	PRINTF(3, 4);
/* Says what is left out, at the current place, and why; there is nothing to leave out any more. */
void check_forget(struct checker *checker, const struct node *node);
/* Every member of a section or declaration is one of `known` (NULL-ended). */
int check_members(struct checker *checker, const struct node *map, const char *const *known,
		  const char *what);
int check_name(struct checker *checker, const struct node *node, const char *what);
int check_is_map(struct checker *checker, const struct node *node);

/* The sections; `node` may be NULL. */
int parameters_read(struct checker *checker, struct node *node);
int mappings_read(struct checker *checker, struct node *node);
int rules_read(struct checker *checker, struct node *node);
int conditions_read(struct checker *checker, struct node *node);
int resources_read(struct checker *checker, struct node *node);
int outputs_read(struct checker *checker, struct node *node);

/* ---- Fn::Sub and dynamic references ---- */

/* A piece of a text with variables: plain, or the name between ${ and }. */
struct sub_piece {
	const char *text;
	size_t length;
	bool is_name;
};
/* The piece at *at, which moves behind it; false at the end. */
bool sub_next(const char **at, struct sub_piece *ret_piece);

/* Refuses what {{resolve:…}} in a text asks of others than public parameters. */
int dynamic_check(struct checker *checker, const struct node *node);
/* Puts public parameters' values into a text. */
int dynamic_resolve(struct walker *walker, struct node *node);

/* ---- order ---- */

/* What depends on what, by places: `from[i]` depends on `to[i]`. */
struct edge {
	size_t from, to;
};
struct edges {
	struct edge *items;
	size_t count;
};
/*
 * Places so that each is after those it depends on, *ret_order with room for `count`. False: there
 * is a circle; it is the first *ret_circle places then.
 */
bool order_find(size_t count, struct edges *edges, size_t *ret_order, size_t *ret_circle);

/* ---- values ---- */

struct evaluation {
	const struct template *template;
	const struct template_answers *answers;
	struct node **parameters; /* by place in the template */
	bool *truths;		  /* of conditions, the same */
};

struct walker {
	struct place place;
	const struct evaluation *evaluation;
	size_t spent;
	unsigned int depth;
};

/* *ret_value NULL: none. */
int evaluate_value(struct walker *walker, const struct node *value, struct node **ret_value);
/* Owned; `usage` is the error for what is no text. */
int evaluate_text(struct walker *walker, const struct node *value, const char *usage,
		  char **ret_text);
int evaluate_list(struct walker *walker, const struct node *value, const char *usage,
		  struct node **ret_list);
int evaluate_boolean(struct walker *walker, const struct node *value, bool *ret_truth);
/* Ref and Fn::GetAtt. */
int evaluate_reference(struct walker *walker, const struct node *node, const char *name,
		       const char *attribute, struct node **ret_value);
int evaluate_spend(struct walker *walker, const struct node *node, size_t size);

/* Parameters alone, without conditions. */
int evaluation_begin(const struct template *template, const struct template_values *values,
		     const struct template_answers *answers, struct evaluation **ret_evaluation,
		     struct error *error);
/* What the rules assert of the parameters. */
int rules_evaluate(const struct evaluation *evaluation, struct error *error);

/* A parameter's value as Ref gives it: a text or a list. */
int parameter_value(const struct template_parameter *parameter, const char *value,
		    const struct template_answers *answers, struct node **ret_node,
		    struct error *error);
