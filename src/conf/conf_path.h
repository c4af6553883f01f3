/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges paths that workers will use, before there are workers.
 */
#ifndef DROVER_CONF_CONF_PATH_H
#define DROVER_CONF_CONF_PATH_H

#include "conf.h"

/* Both NULL: it is what is asked for. */
struct conf_path_verdict {
	const char *wrong;              /* what is wrong with it */
	const char *unseen;             /* or why that cannot be known: a privilege is missing */
	int         error;              /* errno of either; 0: it was seen */
};

/* Judges a path, seen from inside root (NULL: none). */
struct conf_path_verdict conf_path_judge_program(const char *root, const char *path);
struct conf_path_verdict conf_path_judge_directory(const char *root, const char *path);

/*
 * Whether that identity may execute a program, or enter a directory. For root
 * only, which becomes it for a moment. NULL if so, or if path is not there.
 */
const char *conf_path_judge_access(const char *root, const char *path,
                                   const struct conf_identity *id);

#endif
