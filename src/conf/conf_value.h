/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes one value from a setting, or from its default, into the member that its row names, and
 * prints it as text again.
 */
#ifndef DROVER_CONF_CONF_VALUE_H
#define DROVER_CONF_CONF_VALUE_H

#include <stdbool.h>
#include <stdio.h>

#include "conf_keys.h"
#include "conf_source.h"

/* All of these are for the scalar and list types; base is the struct of the key's table. */

/* Sets the default; a key without one becomes "not given". */
void conf_value_reset(struct conf_loader *ld, const struct conf_key *key, void *base);

/* Takes the value of a setting, or complains and leaves what was there. */
void conf_value_load(struct conf_loader *ld, const struct conf_key *key,
                     const config_setting_t *setting, void *base);

/* False for what was not given and has no default. */
bool conf_value_is_set(const struct conf_key *key, const void *base);

/* As libconfig reads it. */
void conf_value_print(const struct conf_key *key, const void *base, FILE *out);
void conf_value_print_string(const char *s, FILE *out);

/* "a string", "a group", ...: what a setting is. */
const char *conf_value_kind(const config_setting_t *setting);

#endif
