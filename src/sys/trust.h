/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds out whether users other than root and our own could change a file, or replace what
 * is in a folder.
 */
#ifndef DROVER_SYS_TRUST_H
#define DROVER_SYS_TRUST_H

#include <stdbool.h>
#include <sys/stat.h>

#define TRUST_UID_MAP "/proc/self/uid_map"

/* Whether the owner is the only member of the group. */
typedef bool trust_is_private(gid_t group, uid_t owner);

/*
 * NULL if only root and the user `own` can write there; else the reason why not, such as "its group
 * can write to it". The group 0 is root's, and a private group is its owner's, unless the file
 * has an access control list, which is looked for at path (NULL: it has none). In a folder with
 * the sticky bit, only owners can replace what is theirs: only the owner of such a folder is judged.
 */
const char *trust_judge(const struct stat *st, const char *path, uid_t own, trust_is_private *is_private);

/*
 * Whether this owner only stands for a user that has no number in our user namespace; uid_map is
 * the file with the table of that (TRUST_UID_MAP). In the first namespace, it is a user like others.
 */
bool trust_owner_is_hidden(uid_t owner, const char *uid_map);

#endif
