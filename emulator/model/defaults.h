/*
 * What a fresh region holds. VPC user guide, "Default VPCs".
 */
#pragma once

#include "model/model.h"

/*
 * Fills an empty scope: the default DHCP options, and the default VPC (172.31.0.0/16) with a /20
 * subnet per Availability Zone, its gateway and the route to it. None of it is in the kernel until
 * an instance needs it. Does nothing when the scope has been filled before.
 */
int defaults_create(struct transaction *transaction, struct scope *scope, struct error *error);
