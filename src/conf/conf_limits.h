/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The group `limits` of a service: how many connections there may be, and how many may come in a
 * time, of all clients and of each source.
 */
#ifndef DROVER_CONF_CONF_LIMITS_H
#define DROVER_CONF_CONF_LIMITS_H

#include "conf_draft.h"

/*
 * Computes what workers need, such as the rates with their bursts, and complains of limits that
 * contradict each other. Clears what came from `defaults` and means nothing for the service.
 */
void conf_limits_check(struct conf_loader *ld, const struct conf_draft *d);

#endif
