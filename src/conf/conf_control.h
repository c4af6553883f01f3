/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket in a configuration: its address, and the groups that may use it.
 */
#ifndef DROVER_CONF_CONF_CONTROL_H
#define DROVER_CONF_CONF_CONTROL_H

#include "conf_source.h"

/* Looks up what the keys of `control` name, or takes the default. root has that group, or not. */
void conf_control_load(struct conf_loader *ld, const config_setting_t *root);

/*
 * Once all services are loaded: complains of what contradicts them. setting is the group; NULL is
 * fine.
 */
void conf_control_check(struct conf_loader *ld, const config_setting_t *setting);

#endif
