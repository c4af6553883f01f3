/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owner and mode. An access control list shows in the mode: there, the bits of the group
 * are its mask (acl(5)).
 */
#include <config.h>
#include "trust.h"

#include <stddef.h>

const char *trust_judge(const struct stat *st, uid_t own)
{
	if (st->st_uid != 0 && st->st_uid != own)
		return "it belongs to another user";
	if (S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX)
		return NULL;
	return st->st_mode & S_IWOTH ? "everybody can write to it" :
	       st->st_mode & S_IWGRP ? "its group can write to it" : NULL;
}
