/*
 * One line on standard error per message. Only the API edge and the main loop log.
 */
#pragma once

#include "base/util.h"

void log_info(const char *format, ...) PRINTF(1, 2);
void log_error(const char *format, ...) PRINTF(1, 2);
