/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the handler of a service must fulfil, for each kind of handler.
 */
#ifndef DROVER_CONF_CONF_HANDLER_H
#define DROVER_CONF_CONF_HANDLER_H

#include "conf_draft.h"

/*
 * Sets the kind of the handler, complains of what it lacks and of keys that mean nothing
 * for it, and clears what it would get from `defaults` without a meaning.
 */
void conf_handler_check(struct conf_loader *ld, struct conf_draft *d);

#endif
