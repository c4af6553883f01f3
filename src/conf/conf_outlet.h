/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The groups `metrics` and `agent`: where the status process listens, and whose questions it answers.
 */
#ifndef DROVER_CONF_CONF_OUTLET_H
#define DROVER_CONF_CONF_OUTLET_H

#include "conf_source.h"

/*
 * Takes the listeners of both groups, whose other keys have been taken, and builds the sets of
 * allowed prefixes. Complains of a group without a listener, and of an address that other machines
 * can reach if nothing says which of them may ask. It asks the name service.
 */
void conf_outlet_load(struct conf_loader *ld, const config_setting_t *root);

#endif
