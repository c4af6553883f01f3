/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The options of a module: settings of any names and types, which only the module understands. They
 * become a tree in the arena, which module_options.c shows to the module.
 */
#ifndef DROVER_CONF_CONF_OPTIONS_H
#define DROVER_CONF_CONF_OPTIONS_H

#include <stdio.h>

#include "conf_source.h"

/*
 * A group of settings as a tree, lent as the arena is. NULL after it was complained
 * of, if it is no group.
 */
struct conf_option *conf_options_load(struct conf_loader *ld, const config_setting_t *group);

/*
 * A group without members, at that place; `name` is what complaints call it. For options that drover
 * itself makes of keys of a handler.
 */
struct conf_option *conf_options_new(struct conf_loader *ld, struct conf_place place, const char *name,
                                     size_t members);

/* Numbers all options of the tree, depth first, and returns how many there are. */
size_t conf_options_number(struct conf_option *group);

/* The group as libconfig reads it, with everything in it. */
void conf_options_print(const struct conf_option *group, int depth, FILE *out);

#endif
