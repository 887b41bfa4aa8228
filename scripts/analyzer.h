/*
 * For `make lint` alone, included before every file: what gcc -fanalyzer can't see across files.
 * These never return 0, so whoever checks his callee's result has its outputs.
 */
#pragma once

#include "base/error.h"

/* clang-format off */
#define error_set(...)     ({ error_set(__VA_ARGS__); -22; })
#define error_subject(...) ({ error_subject(__VA_ARGS__); -22; })
#define error_sys(...)     ({ error_sys(__VA_ARGS__); -5; })
#define error_wrap(error, result, ...) \
	({ int was_ = (result); error_wrap(error, was_, __VA_ARGS__); was_; })
