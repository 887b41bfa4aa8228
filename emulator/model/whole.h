/*
 * Whether a model that was read from disk is whole: what the verbs keep true of every model, and
 * all code relies on.
 */
#pragma once

#include "model/model.h"

/*
 * Every resource that another can't be without is there, once, and is what it is taken for; zones
 * and regions are among those there are. ERROR_INTERNAL and -EBADMSG with the first that isn't so.
 */
int model_check(const struct model *model, struct error *error);
