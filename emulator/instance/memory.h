/* The launcher's address space: a copy of the daemon's, of which it needs next to nothing. */
#pragma once

#include "base/util.h"

/*
 * Unmaps what the caller does not need in order to run code of this program and of libc that
 * neither allocates, formats nor uses any other library: the heap, other libraries, files. Then its
 * clones are cheap whatever the daemon had, and hold none of the daemon's secrets. `maps` is an
 * open /proc/self/maps; `keep` lies in a mapping that must stay.
 *
 * Where that is not safe less is unmapped: in a program that isn't linked with -z now the first
 * call of a function searches every library, and sanitizers have memory of their own.
 */
void memory_narrow(int maps, const void *keep);
