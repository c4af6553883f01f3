/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of keys: a table of rows, and the struct that it fills. Rows with
 * code of their own (KEY_LISTEN and what follows it) are passed over.
 */
#ifndef DROVER_CONF_CONF_GROUP_H
#define DROVER_CONF_CONF_GROUP_H

#include "conf_value.h"

/* Sets every default, in inner groups too. */
void conf_group_reset(struct conf_loader *ld, const struct conf_group *group, void *base);

/*
 * Takes what the setting holds, over what base has already, and complains of
 * everything that is unknown or wrong.
 */
void conf_group_load(struct conf_loader *ld, const struct conf_group *group,
                     const config_setting_t *setting, void *base);

/* Complains of keys that mean nothing in a group of that variant, "of WHAT". */
void conf_group_refuse(struct conf_loader *ld, const struct conf_group *group,
                       const config_setting_t *setting, unsigned variant, const char *what);

#endif
