/*
 * From an older format of the store to today's.
 */
#pragma once

#include <sqlite3.h>

#include "base/error.h"

/*
 * Brings the tables of `format` (1 to STORE_FORMAT - 1) to STORE_FORMAT, in the transaction that is
 * open; whoever opened it commits it, or not. -EIO, with the step and SQLite's own words.
 */
int migrate(sqlite3 *database, int format, struct error *error);
