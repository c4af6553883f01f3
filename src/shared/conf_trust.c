/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of the configuration and their folders, looked at for others that can write there.
 */
#include <config.h>
#include "conf_trust.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "trust.h"

/* Of the folder, so that what many files in it have in common is told once. */
static void warn_of_folder(struct conf_loader *ld, const char *path)
{
	char copy[PATH_MAX];
	const char *folder, *why;
	struct stat st;

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		return;
	folder = dirname(copy);
	why = stat(folder, &st) == 0 ? trust_judge(&st, geteuid()) : NULL;
	if (why)
		conf_report_warn(&ld->report, (struct conf_place){ folder, 0 },
		                 "others can replace files of the configuration in this directory: %s", why);
}

void conf_trust_warn(struct conf_loader *ld, const char *path, const struct stat *st)
{
	const char *why = trust_judge(st, geteuid());

	if (why)
		conf_report_warn(&ld->report, (struct conf_place){ path, 0 },
		                 "others can change this file: %s", why);
	warn_of_folder(ld, path);
}
