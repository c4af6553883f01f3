/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds what this process may not do of a configuration. Loading is separate, because it must
 * succeed for every user.
 */
#ifndef DROVER_CONF_CONF_PRIVILEGES_H
#define DROVER_CONF_CONF_PRIVILEGES_H

#include "conf_errors.h"

/*
 * Complains of what conf_check_privileges is about, and returns the same. conf
 * may be one that was loaded with errors: what was not understood is passed over.
 */
int conf_privileges_judge(struct conf_errors *r, const struct conf *conf);

#endif
