/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at the files of the configuration and at their folders for other users that can write
 * there.
 */
#include <config.h>
#include "conf_trust.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "private_group.h"
#include "trust.h"

static const char *judge_file(const struct stat *st, const char *path)
{
	const bool hidden = trust_owner_is_hidden(st->st_uid, TRUST_UID_MAP);

	return trust_judge(st, path, hidden ? st->st_uid : geteuid(), private_group_is_of);
}

/* A container shows configurations in folders for everybody, on mounts for reading only. */
static bool is_read_only(const char *folder)
{
	struct statvfs v;

	return statvfs(folder, &v) == 0 && v.f_flag & ST_RDONLY;
}

/* At the main file, so that what many files in the folder have in common is told once. */
static void warn_of_folder(struct conf_loader *ld, const char *folder, const char *path)
{
	struct stat st;
	const char *why = stat(folder, &st) == 0 && !is_read_only(folder) ? judge_file(&st, folder) : NULL;

	if (why)
		conf_errors_warn(&ld->errors, (struct conf_place){ ld->errors.main ? ld->errors.main : path,
		                                                  0 },
		                 "others can replace files of the configuration in the directory %s: %s",
		                 folder, why);
}

/* Where the name is, and, if that is a link, where the file is. */
static void warn_of_folders(struct conf_loader *ld, const char *path)
{
	char copy[PATH_MAX], of_name[PATH_MAX], of_file[PATH_MAX];

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy || !realpath(dirname(copy), of_name))
		return;
	warn_of_folder(ld, of_name, path);
	if (realpath(path, of_file) && strcmp(dirname(of_file), of_name) != 0)
		warn_of_folder(ld, of_file, path);
}

void conf_trust_warn(struct conf_loader *ld, const char *path, const struct stat *st)
{
	const char *why = judge_file(st, path);

	if (why)
		conf_errors_warn(&ld->errors, (struct conf_place){ path, 0 },
		                 "others can change this file: %s", why);
	warn_of_folders(ld, path);
}
