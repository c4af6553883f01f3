/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds listeners with the same address, which cannot both be bound.
 */
#ifndef DROVER_CONF_CONF_OVERLAP_H
#define DROVER_CONF_CONF_OVERLAP_H

#include "conf_loader.h"

/* Complains of each listener in enabled services that cannot be bound beside an earlier one. */
void conf_overlap_check(struct conf_loader *ld);

#endif
