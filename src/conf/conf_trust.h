/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A user that can write the configuration decides what the server executes, and as which user.
 * This module warns of such users.
 */
#ifndef DROVER_CONF_CONF_TRUST_H
#define DROVER_CONF_CONF_TRUST_H

#include <sys/stat.h>

#include "conf_loader.h"

/*
 * Warns if users other than root and that of this process can change the file, which st is of, or
 * replace it in its folder, or, if the path is a link, in the folder that this leads to. A folder on
 * a mount for reading only is fine.
 */
void conf_trust_warn(struct conf_loader *ld, const char *path, const struct stat *st);

#endif
