/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recognises groups that a system makes for one user each, so that a file can belong to a group
 * and still to one user.
 */
#ifndef DROVER_CONF_PRIVATE_GROUP_H
#define DROVER_CONF_PRIVATE_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether a group is the login group of a user, has the same name, and no other member.
 * It asks the name service, which may take its time; false if that does not know.
 */
bool private_group_is_of(gid_t group, uid_t user);

#endif
