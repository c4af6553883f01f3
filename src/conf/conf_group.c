/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks over the rows of a group and of the groups in it.
 */
#include <config.h>
#include "conf_group.h"

#include <stdio.h>
#include <string.h>

static void *inner(const struct conf_key *key, void *base)
{
	return (char *)base + key->offset;
}

/* The bool that such a struct begins with. */
static struct conf_key bool_of(const struct conf_key *key)
{
	return (struct conf_key){ .name = key->name, .type = KEY_BOOL, .offset = key->offset,
	                          .standard = key->standard };
}

static void reset_switch(struct conf_loader *ld, const struct conf_key *key, void *base)
{
	const struct conf_key as_bool = bool_of(key);

	conf_value_reset(ld, &as_bool, base);
	conf_group_reset(ld, key->group, inner(key, base));
}

void conf_group_reset(struct conf_loader *ld, const struct conf_group *group, void *base)
{
	for (size_t i = 0; i < group->n_keys; i++) {
		const struct conf_key *key = &group->keys[i];

		if (key->type == KEY_GROUP)
			conf_group_reset(ld, key->group, inner(key, base));
		else if (key->type == KEY_SWITCH)
			reset_switch(ld, key, base);
		else if (key->type < KEY_GROUP)
			conf_value_reset(ld, key, base);
	}
}

/* A group says that it is on. */
static void load_switch(struct conf_loader *ld, const struct conf_key *key,
                        const config_setting_t *setting, void *base)
{
	const struct conf_key as_bool = bool_of(key);

	if (config_setting_is_group(setting)) {
		*(bool *)inner(key, base) = true;
		conf_group_load(ld, key->group, setting, inner(key, base));
	} else if (config_setting_type(setting) == CONFIG_TYPE_BOOL) {
		conf_value_load(ld, &as_bool, setting, base);
	} else {
		conf_source_complain(ld, setting, "must be true or false, or a group, as in { ... },"
		                     " not %s", conf_value_kind(setting));
	}
}

static void complain_of_unknown(struct conf_loader *ld, const struct conf_group *group,
                                const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const struct conf_group *home = conf_keys_elsewhere(group, name);
	const char *nearest = conf_keys_nearest(group, name);
	char all[512] = "";
	size_t len = 0;

	if (home && nearest) {
		conf_source_complain(ld, setting, "is not a known key (did you mean %s? %s belongs"
		                     " to %s)", nearest, name, home->title);
		return;
	}
	if (home) {
		conf_source_complain(ld, setting, "is not a known key (it belongs to %s)",
		                     home->title);
		return;
	}
	if (nearest) {
		conf_source_complain(ld, setting, "is not a known key (did you mean %s?)", nearest);
		return;
	}
	for (size_t i = 0; i < group->n_keys; i++) {
		snprintf(all + len, sizeof all - len, "%s%s", i ? ", " : "", group->keys[i].name);
		len = strlen(all);
	}
	conf_source_complain(ld, setting, "is not a known key (there are %s)", all);
}

void conf_group_load(struct conf_loader *ld, const struct conf_group *group,
                     const config_setting_t *setting, void *base)
{
	if (!config_setting_is_group(setting)) {
		conf_source_complain(ld, setting, "must be a group, as in { ... }, not %s",
		                     conf_value_kind(setting));
		return;
	}
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *member = conf_source_item(setting, i);
		const struct conf_key *key =
			conf_keys_find(group, config_setting_name(member));

		if (!key)
			complain_of_unknown(ld, group, member);
		else if (key->type == KEY_GROUP)
			conf_group_load(ld, key->group, member, inner(key, base));
		else if (key->type == KEY_SWITCH)
			load_switch(ld, key, member, base);
		else if (key->type < KEY_GROUP)
			conf_value_load(ld, key, member, base);
	}
}

void conf_group_refuse(struct conf_loader *ld, const struct conf_group *group,
                       const config_setting_t *setting, unsigned variant, const char *what)
{
	for (size_t i = 0; i < group->n_keys; i++) {
		const config_setting_t *member = conf_source_member(setting, group->keys[i].name);

		if (member && !conf_keys_applies(&group->keys[i], variant))
			conf_source_complain(ld, member, "means nothing for %s (leave it out)",
			                     what);
	}
}
