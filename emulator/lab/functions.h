/* What the intrinsic functions' values are: functions.c and cidr_function.c, for the table. */
#pragma once

#include "lab/internal.h"

#define INTRINSIC(name)                                                                            \
	int function_##name(struct walker *walker, const struct node *argument,                    \
			    struct node **ret_value)

INTRINSIC(ref);
INTRINSIC(condition);
INTRINSIC(and);
INTRINSIC(base64);
INTRINSIC(cidr);
INTRINSIC(contains);
INTRINSIC(each_member_equals);
INTRINSIC(each_member_in);
INTRINSIC(equals);
INTRINSIC(find_in_map);
INTRINSIC(get_azs);
INTRINSIC(get_att);
INTRINSIC(if);
INTRINSIC(import_value);
INTRINSIC(join);
INTRINSIC(not );
INTRINSIC(or);
INTRINSIC(select);
INTRINSIC(split);
INTRINSIC(sub);
