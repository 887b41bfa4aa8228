/*
 * Launch templates: parameters of RunInstances under a name, in versions. Only a launch says
 * whether what a template holds makes sense. EC2 guide, "Launch an instance from a launch
 * template".
 */
#pragma once

#include "model/common.h"

#define TEMPLATE_VERSIONS_MAX 10000

/* A parameter as RunInstances has it: "BlockDeviceMapping.1.Ebs.VolumeSize". */
struct template_datum {
	char *name, *value;
};

struct template_version {
	int64_t number; /* from 1; never given again */
	char *description;
	int64_t create_time;
	struct template_datum *data; /* by name */
	size_t datum_count;
};

struct launch_template {
	struct resource resource;
	char *name;
	int64_t create_time;
	int64_t default_version, latest_version;
	struct template_version *versions; /* by number; the default one is always there */
	size_t version_count;
	char *client_token, *token_digest; /* NULL: no token was given */
};

extern const struct resource_type launch_template_type;
extern const struct field template_version_fields[]; /* but for the data */

/* NULL when there is none. */
struct launch_template *launch_template_named(const struct scope *scope, const char *name);
/* NULL when it isn't kept. */
struct template_version *launch_template_version(const struct launch_template *launch_template,
						 int64_t number);
/* "$Latest", "$Default" or a number. ERROR_LAUNCH_TEMPLATE_VERSION. */
int launch_template_find(const struct launch_template *launch_template, const char *text,
			 struct template_version **ret_version, struct error *error);

/* Without a version. ERROR_LAUNCH_TEMPLATE_NAME, ERROR_LAUNCH_TEMPLATE_EXISTS, ERROR_QUOTA. */
int launch_template_create(struct transaction *transaction, struct scope *scope, const char *name,
			   struct launch_template **ret_launch_template, struct error *error);
/* Adds the next version, which takes the data over; the first one is the default. ERROR_QUOTA (the
 * data is untouched). */
int launch_template_add(struct transaction *transaction, struct launch_template *launch_template,
			const char *description, struct template_datum **data, size_t *count,
			struct error *error);
/* Of one that is no default; one that isn't there is fine. */
void launch_template_remove(struct transaction *transaction,
			    struct launch_template *launch_template, int64_t number);

/* Adds a parameter to data. */
void template_datum_add(struct template_datum **data, size_t *count, const char *name,
			const char *value);
void template_data_clear(struct template_datum **data, size_t *count);
