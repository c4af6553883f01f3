/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether others than root and ourselves could change a file, or replace what is in a folder.
 */
#ifndef DROVER_SYS_TRUST_H
#define DROVER_SYS_TRUST_H

#include <sys/stat.h>

/*
 * NULL if only root and the user own can write there; else what says otherwise, as in "its group
 * can write to it". In a folder with the sticky bit, only owners can replace what is theirs:
 * of that, only the owner counts.
 */
const char *trust_judge(const struct stat *st, uid_t own);

#endif
