/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folders that the systemd unit of drover hides from the daemon and from
 * its programs, by ProtectHome= and PrivateTmp= (etc/drover.service.in). This
 * module does not know whether the process runs under the unit.
 */
#ifndef DROVER_BASE_SANDBOX_PATHS_H
#define DROVER_BASE_SANDBOX_PATHS_H

#include <stddef.h>

#define SANDBOX_PATHS_HINT_MAX 160      /* bytes that a hint has at most, with its NUL */

struct sandbox_path {
	const char *folder;             /* that is hidden: "/home" */
	const char *setting;            /* of the unit, that hides it: "ProtectHome=" */
	const char *drop_in;            /* the example that shows it: "home.conf" */
};

/* The row whose folder is path, or has it below it; NULL if there is none, and for NULL. */
const struct sandbox_path *sandbox_paths_find(const char *path);

/*
 * Writes words for a message about path to buf, which is returned: a blank and,
 * in parentheses, which setting of the unit hides which folder, and the drop-in
 * that shows it. An empty string if no setting does.
 */
const char *sandbox_paths_hint(const char *path, char buf[static SANDBOX_PATHS_HINT_MAX]);

#endif
