/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of the configuration. Loading, type and range checks, defaults, printing and
 * the nearest right spelling follow from these tables.
 */
#ifndef DROVER_CONF_CONF_KEYS_H
#define DROVER_CONF_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "handler_list.h"

enum conf_key_type {            /* what is written, and the member it goes to */
	KEY_BOOL,               /* true, false                     bool */
	KEY_INT,                /* integer                         int */
	KEY_COUNT,              /* integer                         int64_t or rlim_t */
	KEY_DURATION,           /* units.h                         int64_t, milliseconds */
	KEY_SIZE,               /* units.h                         int64_t or rlim_t, bytes */
	KEY_MODE,               /* octal string                    int; CONF_KEEP: not given */
	KEY_STRING,             /* string, not empty               const char *; NULL: not given */
	KEY_PATH,               /* absolute path                   likewise */
	KEY_RATE,               /* units.h                         struct units_rate; count 0: not given */
	KEY_LIST,               /* strings, or a single one        const char **, NULL-terminated */
	KEY_ENUM,               /* one of names                    its index, as an int */
	KEY_FORMAT,             /* one of names, or a template     struct conf_log */
	KEY_TARGET,             /* where a log goes; "none", if that is the default: struct conf_log */
	KEY_GROUP,              /* a group, and no more than that */
	KEY_SWITCH,             /* a group, or true or false       a struct that begins with a bool */
	KEY_OPTIONS,            /* conf_options.c */
	KEY_LISTEN,             /* conf_address.c */
	KEY_CERTIFICATES,       /* conf_certificates.c */
	KEY_WORKERS,            /* conf_workers.c */
	KEY_DEFAULTS,           /* conf_load.c */
	KEY_SERVICES,           /* conf_load.c */
};

/* How workers were written; which keys of the group mean something follows from it. */
enum workers_kind { WORKERS_FIXED, WORKERS_RANGE, WORKERS_ON_DEMAND };

/* A key can be for some variants of its group only: bits of one of the enums of kinds. */
#define KEY_FOR(variant) (1u << (variant))
#define KEY_ANY_VARIANT  (~0u)

struct conf_key {
	const char              *name;
	enum conf_key_type       type;
	unsigned                 variants;      /* KEY_FOR(...) | ...; 0: for all */
	size_t                   offset;        /* of the member */
	size_t                   given;         /* of a bool that says it was given, or 0 */
	int64_t                  min, max;      /* of numbers, durations (ms) and sizes */
	const char              *standard;      /* the default as one would write it; NULL: none */
	const char *const       *names;         /* KEY_ENUM, NULL-terminated */
	const struct conf_group *group;         /* whose keys stand in it, or NULL */
};

struct conf_group {
	const char              *title;         /* what a complaint calls it */
	const struct conf_group *around;        /* the one it stands in; NULL: the top */
	const struct conf_key   *keys;
	size_t                   n_keys;
};

extern const struct conf_group conf_keys_top;           /* struct conf */
extern const struct conf_group conf_keys_service;       /* struct conf_service; defaults too */
extern const struct conf_group conf_keys_handler;       /* struct conf_handler */
extern const struct conf_group conf_keys_limits;        /* struct conf_limits */
extern const struct conf_group conf_keys_timeouts;      /* struct conf_timeouts */
extern const struct conf_group conf_keys_listen;        /* struct conf_listen */
extern const struct conf_group conf_keys_metrics;       /* struct conf_metrics */
extern const struct conf_group conf_keys_agent;         /* struct conf_agent */
extern const struct conf_group conf_keys_outlet_listen; /* struct conf_listen, of metrics and agent */
extern const struct conf_group conf_keys_certificate;   /* struct conf_certificate */
extern const struct conf_group conf_keys_workers;       /* struct conf_workers */
extern const struct conf_key conf_keys_fixed_workers;   /* the same, as a bare number */

#define CONF_KEYS_WORKERS_MAX 1024

/* Indexed by enum handler_id. */
extern const char *const conf_keys_handlers[HANDLER_IDS + 1];
extern const enum handler_kind conf_keys_handler_kind[HANDLER_IDS];

/* NULL if there is none. */
const struct conf_key *conf_keys_find(const struct conf_group *group, const char *name);

/* The key that was probably meant; NULL if none is near. */
const char *conf_keys_nearest(const struct conf_group *group, const char *name);

/* The group around, or right inside, that has the key; NULL if neither has. */
const struct conf_group *conf_keys_elsewhere(const struct conf_group *group, const char *name);

/* Whether the key means something in a group of that variant. */
bool conf_keys_applies(const struct conf_key *key, unsigned variant);

#endif
