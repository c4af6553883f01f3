/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells which users and groups our user namespace has: user_namespaces(7). In a container, these can
 * be few, or only the own ones; then root there cannot become others, whatever its capabilities are.
 * Where /proc is not mounted, all are taken to be there.
 */
#ifndef DROVER_SYS_USER_NAMESPACE_H
#define DROVER_SYS_USER_NAMESPACE_H

#include <stdbool.h>
#include <sys/types.h>

bool user_namespace_has_user(uid_t uid);
bool user_namespace_has_group(gid_t gid);

/* Whether setgroups(2) is allowed there. */
bool user_namespace_lets_set_groups(void);

/* For both of these, and for tests: whether a file like /proc/self/uid_map has that number. */
bool user_namespace_maps(const char *file, unsigned id);

#endif
