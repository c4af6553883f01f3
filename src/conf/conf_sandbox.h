/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Paths of a configuration and the systemd unit, which hides some of them: a
 * shell sees files that the daemon will not see. This module warns of these.
 */
#ifndef DROVER_CONF_CONF_SANDBOX_H
#define DROVER_CONF_CONF_SANDBOX_H

#include "conf_errors.h"
#include "sandbox_paths.h"

/*
 * For the end of a complaint about path: sandbox_paths_hint, if this process runs
 * in a unit of systemd as root; else an empty string. Returns buf.
 */
const char *conf_sandbox_hint(const char *path, char buf[static SANDBOX_PATHS_HINT_MAX]);

/*
 * Whether a root shell of a machine with systemd asks: one that sees what the
 * unit will not.
 */
bool conf_sandbox_is_outside(void);

/* Warns of each path in conf that the unit would hide, unless its drop-in is installed. */
void conf_sandbox_warn(struct conf_errors *r, const struct conf *conf);

#endif
