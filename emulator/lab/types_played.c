/* Types that no call makes: the engine plays them. */
#include "lab/type_rows.h"

static const struct type wait_handle = {
	"AWS::CloudFormation::WaitConditionHandle",
	.played = true,
};

const struct type *const types_played[] = { &wait_handle, NULL };
