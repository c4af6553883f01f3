/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks of a service that involve two keys, or need a look at the machine.
 */
#ifndef DROVER_CONF_CONF_CHECK_H
#define DROVER_CONF_CONF_CHECK_H

#include "conf_draft.h"

/*
 * Complains of contradictions, and of files, directories and CPUs that are
 * not there. Fills cpu_set, and clears what means nothing for the handler.
 */
void conf_check_service(struct conf_loader *ld, struct conf_draft *d);

#endif
