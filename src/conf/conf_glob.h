/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * glob(3) that looks at a bounded number of names: a pattern with a star for each folder
 * would walk the whole machine, while a reload waits for it.
 */
#ifndef DROVER_CONF_CONF_GLOB_H
#define DROVER_CONF_CONF_GLOB_H

#include <glob.h>
#include <stddef.h>

/*
 * As glob(3), with GLOB_ALTDIRFUNC added to flags, to be freed by globfree(3). Each entry
 * of a folder that is read takes one from *left; where there is none left, it is
 * GLOB_ABORTED with errno E2BIG. Not to be called by two threads at once.
 */
int conf_glob(const char *pattern, int flags, glob_t *found, size_t *left);

#endif
