/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the hidden folder that a path lies in. Paths are compared as they are written; links
 * are not followed.
 */
#include <config.h>
#include "sandbox_paths.h"

#include <stdio.h>
#include <string.h>

/* As in systemd.exec(5); the examples are those in etc/systemd. */
static const struct sandbox_path rows[] = {
	{ "/home",     "ProtectHome=", "home.conf" },
	{ "/root",     "ProtectHome=", "home.conf" },
	{ "/run/user", "ProtectHome=", "home.conf" },
	{ "/tmp",      "PrivateTmp=",  "tmp.conf" },
	{ "/var/tmp",  "PrivateTmp=",  "tmp.conf" },
};

static const char *skip_slashes(const char *path)
{
	while (path[0] == '/' && path[1] == '/')
		path++;
	return path;
}

/* Whether path is folder or lies below it; "//home" is "/home". */
static int is_below(const char *path, const char *folder)
{
	for (path = skip_slashes(path); *folder && *path == *folder; folder++)
		path = skip_slashes(path + 1);
	return *folder == '\0' && (*path == '\0' || *path == '/');
}

const struct sandbox_path *sandbox_paths_find(const char *path)
{
	for (size_t i = 0; path && i < sizeof rows / sizeof *rows; i++)
		if (is_below(path, rows[i].folder))
			return &rows[i];
	return NULL;
}

const char *sandbox_paths_hint(const char *path, char buf[static SANDBOX_PATHS_HINT_MAX])
{
	const struct sandbox_path *row = sandbox_paths_find(path);

	buf[0] = '\0';
	if (row)
		snprintf(buf, SANDBOX_PATHS_HINT_MAX, " (%s of the systemd unit hides %s; the example"
		         " drop-in %s shows it)", row->setting, row->folder, row->drop_in);
	return buf;
}
