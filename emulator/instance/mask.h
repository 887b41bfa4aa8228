/*
 * The mask: an overlay's layer above the machine's own files and below an instance's. It hides what
 * instances must not see; and where private files (those that not everybody may read) would be in
 * the way of what root does every day, it has fresh ones: locked accounts, empty locks and
 * directories of the same owner and mode. It leaves out what the machine calls itself, /etc/hosts
 * and the like: an instance writes its own.
 *
 * It keeps no secret: those that it doesn't know can't be read either, see root.h.
 */
#pragma once

#include "base/error.h"

/*
 * Fills the directory `mask` for the file system at `host`, an open directory that shows owners as
 * instances are to have them, less `shift`. `hidden` (ends in NULL) are directories, relative to
 * it.
 */
int mask_hide(int host, int mask, uint32_t shift, const char *const hidden[], struct error *error);
/* The same, for the private files of a whole system. */
int mask_private(int host, int mask, uint32_t shift, struct error *error);
