/* Types that no call makes: the engine plays them. */
#include "lab/type_rows.h"

static const struct type wait_handle = {
	"AWS::CloudFormation::WaitConditionHandle",
	.played = true,
};

static const struct property wait_properties[] = {
	{ .name = "Count", .shape = SHAPE_NUMBER },
	{ .name = "Handle", .shape = SHAPE_TEXT },
	{ .name = "Timeout", .shape = SHAPE_NUMBER },
	END,
};
static const struct attribute wait_attributes[] = { { "Data", NULL }, END };
static const struct type wait_condition = {
	"AWS::CloudFormation::WaitCondition",
	.properties = wait_properties,
	.attributes = wait_attributes,
	.played = true,
};

static const struct property parameter_properties[] = {
	LACKING("AllowedPattern"),
	{ "DataType", SHAPE_TEXT, .lacks = "text" },
	{ .name = "Description", .shape = SHAPE_TEXT },
	FIXED("Name", SHAPE_TEXT),
	LACKING("Policies"),
	LACKING("Tags"),
	{ "Tier", SHAPE_TEXT, .lacks = "Standard" },
	{ "Type", SHAPE_TEXT, .required = true, .lacks = "String StringList" },
	{ "Value", SHAPE_TEXT, .required = true },
	END,
};
static const struct attribute parameter_attributes[] = {
	{ "Type", NULL },
	{ "Value", NULL },
	END,
};
static const struct type parameter = {
	"AWS::SSM::Parameter",
	.properties = parameter_properties,
	.attributes = parameter_attributes,
	.played = true,
};

const struct type *const types_played[] = { &wait_handle, &wait_condition, &parameter, NULL };
