/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges owner and mode. An access control list shows in the mode: there, the bits of the group
 * are its mask (acl(5)), and say nothing of the group.
 */
#include <config.h>
#include "trust.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/xattr.h>

#define OVERFLOW_UID 65534      /* user_namespaces(7): an owner without a number in our namespace */
#define ALL_UIDS     4294967295u

static const char *judge_group(const struct stat *st, const char *path, trust_is_private *is_private)
{
	if (path && getxattr(path, "system.posix_acl_access", NULL, 0) > 0)
		return "an access control list lets others write to it";
	return st->st_gid == 0 || is_private(st->st_gid, st->st_uid) ? NULL : "its group can write to it";
}

const char *trust_judge(const struct stat *st, const char *path, uid_t own, trust_is_private *is_private)
{
	if (st->st_uid != 0 && st->st_uid != own)
		return "it belongs to another user";
	if (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX)
		return NULL;
	if (st->st_mode & S_IWOTH)
		return "everybody can write to it";
	return st->st_mode & S_IWGRP ? judge_group(st, path, is_private) : NULL;
}

bool trust_owner_is_hidden(uid_t owner, const char *uid_map)
{
	unsigned int inside, outside, n;
	FILE *f = owner == OVERFLOW_UID ? fopen(uid_map, "re") : NULL;
	bool hidden;

	if (!f)
		return false;
	hidden = fscanf(f, "%u %u %u", &inside, &outside, &n) == 3 && n != ALL_UIDS;
	fclose(f);
	return hidden;
}
