/*
 * What a launch template holds: parameters of RunInstances, read from a call, shown as a tree, and
 * merged with those of a launch.
 */
#pragma once

#include "api/call.h"
#include "model/launch_template.h"

/* LaunchTemplateData.…, over what `source` has (NULL: nothing); empty ones are none. */
void read_template_data(const struct call *call, const struct template_version *source,
			struct template_datum **data, size_t *count);
/* <launchTemplateData>…</launchTemplateData> */
void reply_template_data(struct call *call, const struct template_version *version);
/*
 * The parameters of a launch from a template. The launch's own go first: a block device, a network
 * interface or a list of groups replaces the template's of the same device or index; of tags both
 * count, and of one key the launch's.
 */
struct params *merge_template(const struct call *call, const struct template_version *version);

/* The template that `prefix`LaunchTemplateId or …Name names. ERROR_MISSING_PARAMETER,
 * ERROR_INVALID_PARAMETER_COMBINATION, ERROR_MALFORMED, ERROR_NOT_FOUND,
 * ERROR_LAUNCH_TEMPLATE_NOT_FOUND. */
int call_template(const struct call *call, const char *prefix,
		  struct launch_template **ret_launch_template, struct error *error);
