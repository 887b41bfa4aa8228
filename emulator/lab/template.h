/*
 * A CloudFormation template, without a world: what it declares, what depends on what, and what its
 * values are once somebody answers for the rest (AWS CloudFormation User Guide, "Template
 * anatomy", "Intrinsic function reference"). Nothing here makes anything.
 *
 * Errors are ERROR_INVALID_TEMPLATE (CloudFormation's ValidationError) with the path and the line:
 *
 *	Resources.Web.Properties.SubnetId (line 41): there is no resource or parameter "Pubilc"
 */
#pragma once

#include "lab/node.h"

struct template;

struct template_options {
	/* Types and properties we lack, and what needs them, are left out; warnings say which. */
	bool skip_unsupported;
};

/* Lines for a person, in the order of the template. */
struct text_lines {
	char **items; /* owned */
	size_t count;
};
void text_lines_add(struct text_lines *lines, const char *format, ...) PRINTF(2, 3);
void text_lines_clear(struct text_lines *lines);

/*
 * Reads and checks all that can be known before there are values: sections, parameters' and
 * functions' shapes, references, cycles, resource types and properties (lab/type.h). After a
 * failure ret_warnings (NULL: nobody wants them) lists all types and properties that we lack.
 */
int template_parse(const char *text, size_t length, const struct template_options *options,
		   struct template **ret_template, struct text_lines *ret_warnings,
		   struct error *error);
void template_freep(struct template **template);

const char *template_description(const struct template *template); /* NULL: none */

struct template_parameter {
	const char *name, *type, *description; /* description: NULL: none */
	const char *fallback;		       /* Default; NULL: a value must be given */
	bool no_echo;
	const struct node *node; /* the whole declaration */
};
size_t template_parameter_count(const struct template *template);
const struct template_parameter *template_parameter_at(const struct template *template, size_t at);

/* In the order of the template. */
struct template_resource {
	const char *name, *type;
	const char *deletion_policy;	   /* "Delete", "Retain", "RetainExceptOnCreate" … */
	const char *update_replace_policy; /* "Delete", "Retain" … */
	const struct node *node; /* the whole declaration: Properties, CreationPolicy … */
	/* Names of resources that this one refers to or that DependsOn names; owned by the
	 * template. Those whose condition is false may be among them. */
	const char *const *dependencies;
	size_t dependency_count;
};
size_t template_resource_count(const struct template *template);
const struct template_resource *template_resource_at(const struct template *template, size_t at);

/* What values depend on. */
struct template_answers {
	void *context;
	const char *account, *region, *partition, *url_suffix; /* pseudo parameters */
	const char *stack_name, *stack_id;
	/* Ref and Fn::GetAtt of a resource; the caller of evaluation frees *ret_value. ERROR_… with
	 * a text where there is no such attribute. `attribute` is NULL for Ref. */
	int (*resource)(void *context, const char *name, const char *attribute,
			struct node **ret_value, struct error *error);
	/* Fn::ImportValue: an owned text. */
	int (*import)(void *context, const char *name, char **ret_value, struct error *error);
	/* Fn::GetAZs: the zones of a region, an owned list node. */
	int (*zones)(void *context, const char *region, struct node **ret_zones,
		     struct error *error);
	/* The value of a public parameter ({{resolve:ssm:NAME}}, AWS::SSM::Parameter::Value<…>);
	 * NAME:VERSION too, as GetParameter takes it. */
	int (*parameter)(void *context, const char *name, char **ret_value, struct error *error);
};

/* A stack's parameters: what was given, then defaults, checked (AllowedValues, AllowedPattern,
 * Min/Max…, types; what names resources of the account, as AWS::EC2::VPC::Id, by shape). Asks for
 * `parameter`, and for `zones` unless that is NULL: their names are taken by shape too, then. */
struct template_value {
	char *name, *value; /* owned */
};
struct template_values {
	struct template_value *items;
	size_t count;
};
void template_values_clear(struct template_values *values);
int template_check_values(const struct template *template, const struct template_answers *answers,
			  const struct template_value *given, size_t given_count,
			  struct template_values *ret_values, struct error *error);

/* One stack's view of its template. Borrows all three; conditions are evaluated once, here. */
struct evaluation;
int evaluation_open(const struct template *template, const struct template_values *values,
		    const struct template_answers *answers, struct evaluation **ret_evaluation,
		    struct error *error);
void evaluation_freep(struct evaluation **evaluation);
/* Is the resource's, or the output's, condition true? True where it has none. */
bool evaluation_has(const struct evaluation *evaluation, const struct node *declaration);
/*
 * The resource's properties with every function replaced by its value, AWS::NoValue's left out; a
 * map. `error` is of whatever answered, behind the path.
 */
int evaluation_properties(const struct evaluation *evaluation,
			  const struct template_resource *resource, struct node **ret_properties,
			  struct error *error);
/* The same of CreationPolicy, UpdatePolicy or Metadata; NULL where it has none. */
int evaluation_attribute(const struct evaluation *evaluation,
			 const struct template_resource *resource, const char *attribute,
			 struct node **ret_value, struct error *error);

struct template_output {
	const char *name;
	char *value, *description, *export_name; /* owned; the last two may be NULL */
};
struct template_outputs {
	struct template_output *items;
	size_t count;
};
void template_outputs_clear(struct template_outputs *outputs);
/* Those whose condition is true, in order. */
int evaluation_outputs(const struct evaluation *evaluation, struct template_outputs *ret_outputs,
		       struct error *error);
