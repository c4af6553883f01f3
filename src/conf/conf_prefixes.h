/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Collects prefixes of addresses, from lists in the configuration and from files, and makes a
 * prefix_set of them. It does not know which key they are for.
 */
#ifndef DROVER_CONF_CONF_PREFIXES_H
#define DROVER_CONF_CONF_PREFIXES_H

#include "conf_source.h"
#include "prefix_set.h"

/* All zero: none yet. */
struct conf_prefixes {
	struct prefix_entry *entries;
	size_t               n, room;
};

/*
 * Adds the strings of list (NULL-terminated), which KEY_LIST has loaded from setting. Complains of
 * those that are no prefixes, at their lines.
 */
void conf_prefixes_add_list(struct conf_loader *ld, struct conf_prefixes *p,
                            const config_setting_t *setting, const char *const *list,
                            enum prefix_verdict verdict);

/* Adds the prefixes of a file that setting names, or complains of it. */
void conf_prefixes_add_file(struct conf_loader *ld, struct conf_prefixes *p,
                            const config_setting_t *setting, const char *path,
                            enum prefix_verdict verdict);

/*
 * Makes the set, in the arena of ld, and sorts p->entries. NULL if the arena is full: then the load
 * fails (conf_loader.h).
 */
const struct prefix_set *conf_prefixes_build(struct conf_loader *ld, struct conf_prefixes *p);

void conf_prefixes_free(struct conf_prefixes *p);

#endif
