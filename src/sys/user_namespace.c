/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads /proc/self/uid_map, gid_map and setgroups.
 */
#include <config.h>
#include "user_namespace.h"

#include <stdio.h>
#include <string.h>

/* Each line: the first number inside, the first one outside, and how many there are. */
bool user_namespace_maps(const char *file, unsigned id)
{
	unsigned inside, outside, n;
	FILE *f = fopen(file, "re");
	bool has = false;

	if (!f)
		return true;
	while (!has && fscanf(f, "%u %u %u", &inside, &outside, &n) == 3)
		has = id >= inside && id - inside < n;
	fclose(f);
	return has;
}

bool user_namespace_has_user(uid_t uid)
{
	return user_namespace_maps("/proc/self/uid_map", uid);
}

bool user_namespace_has_group(gid_t gid)
{
	return user_namespace_maps("/proc/self/gid_map", gid);
}

bool user_namespace_lets_set_groups(void)
{
	char word[8] = "";
	FILE *f = fopen("/proc/self/setgroups", "re");

	if (!f)
		return true;
	if (!fgets(word, sizeof word, f))
		word[0] = '\0';
	fclose(f);
	return strncmp(word, "deny", 4) != 0;
}
