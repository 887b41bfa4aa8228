/*
 * Replies are read by base/, for the daemon reads its own ones too.
 */
#pragma once

#include "base/reply.h"
