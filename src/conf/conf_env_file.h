/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `env_file` of programs: files of environment variables, read at each load. The syntax of
 * the files is that of env_file.h.
 */
#ifndef DROVER_CONF_CONF_ENV_FILE_H
#define DROVER_CONF_CONF_ENV_FILE_H

#include "conf_draft.h"

/*
 * Judges the name of a variable that a setting or a file of the service sets: NULL, or the same name,
 * if drover itself says it about each connection. Only the part of setting before "=" counts.
 */
const char *conf_env_file_is_ours(const char *setting);

/* Reads the files that the draft names into its handler; complains at the key, or at a line of a file. */
void conf_env_file_load(struct conf_loader *ld, const struct conf_draft *d);

#endif
