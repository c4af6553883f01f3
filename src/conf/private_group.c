/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares the entries of a user and of a group.
 */
#include <config.h>
#include "private_group.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>

#define ENTRY_MAX 4096          /* a longer entry of a group has many members */

static bool has_only(const struct group *gr, const char *user)
{
	for (char **member = gr->gr_mem; *member; member++)
		if (strcmp(*member, user) != 0)
			return false;
	return true;
}

bool private_group_is_of(gid_t group, uid_t user)
{
	char of_user[ENTRY_MAX], of_group[ENTRY_MAX];
	struct passwd u, *pw;
	struct group g, *gr;

	if (getpwuid_r(user, &u, of_user, sizeof of_user, &pw) != 0 || !pw || pw->pw_gid != group)
		return false;
	return getgrgid_r(group, &g, of_group, sizeof of_group, &gr) == 0 && gr &&
	       strcmp(gr->gr_name, pw->pw_name) == 0 && has_only(gr, pw->pw_name);
}
