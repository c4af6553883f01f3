/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths that workers will use, judged before there are workers.
 */
#ifndef DROVER_SHARED_CONF_PATH_H
#define DROVER_SHARED_CONF_PATH_H

#include "conf.h"

/*
 * Judges a path, seen from inside root (NULL: none). NULL if it is what is
 * asked for, or if we lack the privilege to know; else what is wrong with it.
 */
const char *conf_path_judge_program(const char *root, const char *path);
const char *conf_path_judge_directory(const char *root, const char *path);

/*
 * Whether that identity may execute the program. For root only, who becomes it
 * for a moment; NULL if so, or if path is not there.
 */
const char *conf_path_judge_execution(const char *root, const char *path,
                                   const struct conf_identity *id);

#endif
