/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of a configuration, read and parsed but not understood.
 */
#ifndef DROVER_CONF_CONF_SOURCE_H
#define DROVER_CONF_CONF_SOURCE_H

#include <libconfig.h>

#include "conf_loader.h"

struct conf_source {
	config_t            tree;       /* first: a setting leads back to its source */
	const char         *path;       /* absolute, in the arena */
	bool                parsed;     /* or a fault in it has ended it */
	struct conf_source *next;
};

/*
 * Reads and parses a file and adds it at the end of ld->sources. On failure
 * returns NULL and has complained at place, or with the line in the file.
 */
struct conf_source *conf_source_read(struct conf_loader *ld, const char *path,
                                     struct conf_place place);

/* The same from a text, which is lent for the call. */
struct conf_source *conf_source_parse(struct conf_loader *ld, const char *path,
                                      const char *text);

/* Frees all of ld->sources, and with them all settings. */
void conf_source_close_all(struct conf_loader *ld);

struct conf_place conf_source_place(const config_setting_t *setting);

#define CONF_SOURCE_NAME_MAX 256        /* room for the full name of a setting */

/* "services.echo.workers", cut to size - 1 bytes; an item of a list goes by the name of its list. */
void conf_source_full_name(const config_setting_t *setting, char *buf, size_t size);

/* Complains about a setting: place, full name, a space, and the text. */
void conf_source_complain(struct conf_loader *ld, const config_setting_t *setting,
                          const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a warning. */
void conf_source_warn(struct conf_loader *ld, const config_setting_t *setting,
                      const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The i-th setting in a group, list or array. */
config_setting_t *conf_source_item(const config_setting_t *setting, int i);

/* The member of a group, or NULL; also for a NULL group and for what is none. */
config_setting_t *conf_source_member(const config_setting_t *group, const char *name);

/* The place of a member of a group; the place of the group, if it has no such member. */
struct conf_place conf_source_place_of(const config_setting_t *group, const char *name);

#endif
