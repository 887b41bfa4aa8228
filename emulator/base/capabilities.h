/*
 * Capabilities (capabilities(7)) that are given up for ever.
 */
#pragma once

#include <stdint.h>

/* Of CAP_…, in a set of them. */
#define CAPABILITY(number) (UINT64_C(1) << (number))

/*
 * Gives up what is not among `kept`: here, in what is executed from now on, and in all children. A
 * new user namespace begins with everything over what belongs to it, and is not concerned. What
 * isn't there already is no error. 0 or a negative errno: -EPERM without CAP_SETPCAP, and then
 * what is executed may have more; it is the bounding set alone that stays.
 */
int capabilities_keep(uint64_t kept);

/* What this process has and may use; 0 where the kernel doesn't tell. */
uint64_t capabilities_there(void);
