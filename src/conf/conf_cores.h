/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which workers may leave core files. Processes of a user can trace each other where they can
 * leave one (ptrace(2)), and programs do what their authors, or their clients, want.
 */
#ifndef DROVER_CONF_CONF_CORES_H
#define DROVER_CONF_CONF_CORES_H

#include "conf_loader.h"

/*
 * Sets may_dump of each service whose workers have asked for cores by rlimits.core: those that run
 * no programs, under a user that no service with programs has. Warns of the others without programs.
 */
void conf_cores_allow(struct conf_loader *ld);

#endif
