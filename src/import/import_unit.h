/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The syntax of unit files of systemd: sections, settings, drop-ins. It does not know what a setting means.
 */
#ifndef DROVER_IMPORT_IMPORT_UNIT_H
#define DROVER_IMPORT_IMPORT_UNIT_H

#include "import.h"

struct import_unit_setting {
	struct import_unit_setting *next;
	struct import_place         place;
	const char                 *section, *name, *value;     /* specifiers are expanded */
};

struct import_unit {
	const char                 *prefix;     /* of its name: "com.git" of com.git@.service */
	struct import_unit_setting *settings;   /* in their order, drop-ins last */
};

/* Where systemd looks for units, the first first: the folders in SYSTEMD_UNIT_PATH, or its usual ones. */
struct import_words import_unit_folders(struct import *im);

/* Reads the file and what is in FILE.d beside it. 0, or -1 with errno if the file itself cannot be read. */
int import_unit_read(struct import *im, const char *path, struct import_unit *u);

/* Says that drop-ins for that file are where systemd looks for them, but not beside it. */
void import_unit_tell_drop_ins(struct import *im, struct import_service *svc, const char *path);

/*
 * The next setting of that name behind `after` (NULL: the first one) that counts: those before an empty
 * value do not.
 */
const struct import_unit_setting *import_unit_next(const struct import_unit *u, const char *section,
                                                   const char *name,
                                                   const struct import_unit_setting *after);

/* The last one; NULL if there is none, or it is empty. */
const struct import_unit_setting *import_unit_last(const struct import_unit *u, const char *section,
                                                   const char *name);

/*
 * The names of the settings of a section that have a value and that is_known does not know, each once.
 * *first is the first of these settings; NULL: there is none.
 */
struct import_words import_unit_others(struct import *im, const struct import_unit *u, const char *section,
                                       bool (*is_known)(const char *name),
                                       const struct import_unit_setting **first);

/* yes, true, 1 or on. */
bool import_unit_is_true(const char *value);

/* Whether a value still has a specifier: one that differs from connection to connection, or by host. */
bool import_unit_is_open(const char *value);

/* The words of a value, with quotes and the escapes of C. *ok: all quotes have their end. */
struct import_words import_unit_split(struct import *im, const char *value, bool *ok);

/* A time span as systemd.time(7) has it, "1min 30s", as a duration; NULL if it is none, or is infinite. */
const char *import_unit_duration(struct import *im, const char *value, int64_t *ms);

#endif
