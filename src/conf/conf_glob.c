/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls glob(3) with functions that read folders and count. glob(3) passes them no argument of
 * the caller, so the count is a variable of this file while it runs.
 */
#include <config.h>
#include "conf_glob.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>

static size_t names_left;
static bool names_ended;                /* one more was wanted than were left */

static void *open_folder(const char *path)
{
	if (!names_ended)
		return opendir(path);
	errno = E2BIG;
	return NULL;
}

static struct dirent *read_folder(void *dir)
{
	struct dirent *entry = names_ended ? NULL : readdir(dir);

	if (entry && names_left == 0) {
		names_ended = true;
		return NULL;
	}
	names_left -= entry != NULL;
	return entry;
}

static void close_folder(void *dir)
{
	closedir(dir);
}

int conf_glob(const char *pattern, int flags, glob_t *found, size_t *left)
{
	int result;

	*found = (glob_t){
		.gl_opendir = open_folder, .gl_readdir = read_folder, .gl_closedir = close_folder,
		.gl_stat = stat, .gl_lstat = lstat,
	};
	names_left = *left;
	names_ended = false;
	result = glob(pattern, flags | GLOB_ALTDIRFUNC, NULL, found);
	*left = names_left;
	if (!names_ended)
		return result;
	errno = E2BIG;
	return GLOB_ABORTED;
}
