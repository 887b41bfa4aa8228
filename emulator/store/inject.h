/* What SQLite does with its files, as points: see base/inject.h. */
#pragma once

#ifdef INJECT
void store_inject(void);
#else
static inline void store_inject(void)
{
}
#endif
