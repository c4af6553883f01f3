/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the prefixes on the heap until the set is built.
 */
#include <config.h>
#include "conf_prefixes.h"

#include <stdlib.h>

#include "conf_prefix_file.h"

static void add_prefix(struct conf_prefixes *p, const struct cidr *c, enum prefix_verdict verdict)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 16;
		p->entries = reallocarray(p->entries, p->room, sizeof *p->entries);
		if (!p->entries)
			abort();                /* as libconfig would */
	}
	p->entries[p->n++] = (struct prefix_entry){ .cidr = *c, .verdict = verdict };
}

/* The setting of one string: a list may also be a single one. */
static const config_setting_t *item_of(const config_setting_t *setting, size_t i)
{
	const config_setting_t *item = config_setting_is_aggregate(setting) ?
	                               conf_source_item(setting, (int)i) : NULL;

	return item ? item : setting;
}

void conf_prefixes_add_list(struct conf_loader *ld, struct conf_prefixes *p,
                            const config_setting_t *setting, const char *const *list,
                            enum prefix_verdict verdict)
{
	char why[CIDR_COMPLAINT_MAX];
	struct cidr c;

	for (size_t i = 0; list[i]; i++) {
		const enum cidr_error error = cidr_parse(list[i], &c);

		if (error == CIDR_OK)
			add_prefix(p, &c, verdict);
		else
			conf_source_complain(ld, item_of(setting, i), "holds a prefix that is wrong: %s",
			                     cidr_complaint(error, list[i], &c, why));
	}
}

void conf_prefixes_add_file(struct conf_loader *ld, struct conf_prefixes *p,
                            const config_setting_t *setting, const char *path,
                            enum prefix_verdict verdict)
{
	const struct conf_prefix_file *f = conf_prefix_file_read(ld, path, conf_source_place(setting));

	for (size_t i = 0; f && i < f->n; i++)
		add_prefix(p, &f->prefixes[i], verdict);
}

const struct prefix_set *conf_prefixes_build(struct conf_loader *ld, struct conf_prefixes *p)
{
	const struct prefix_set *set = ld->full ? NULL : prefix_set_build(ld->arena, p->entries, p->n);

	ld->full = !set;
	return set;
}

void conf_prefixes_free(struct conf_prefixes *p)
{
	free(p->entries);
	*p = (struct conf_prefixes){ 0 };
}
