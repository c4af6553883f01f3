/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What another superserver served, in the words of drover: the model that each parser fills and that
 * import_write.c prints. It knows none of the other superservers.
 *
 * All memory is in one arena and stays until import_close. If it is full, the program ends: what is
 * imported is of a bounded size.
 */
#ifndef DROVER_IMPORT_IMPORT_H
#define DROVER_IMPORT_IMPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arena.h"

struct import_place {
	const char *file;
	int         line;               /* from 1 */
};

struct import_words {                   /* texts in their order */
	const char **v;                 /* NULL-terminated; NULL: there are none */
	size_t       n, room;
};

/* A remark about a service, or about the whole import, for the comments of the output. */
struct import_note {
	struct import_note *next;
	struct import_place place;
	const char         *text;
	bool                lost;       /* something has no counterpart */
};

enum import_switch { IMPORT_UNSET, IMPORT_ON, IMPORT_OFF };

struct import_listen {
	const char        *address;     /* as drover has it: "0.0.0.0:21" */
	int                backlog;     /* 0: the default */
	enum import_switch nodelay, keepalive, freebind;
	const char        *keep_idle, *keep_interval;   /* durations; NULL: the defaults */
	int                keep_count;  /* 0: the default */
	const char        *device, *mode, *owner, *group; /* NULL: not given */
};

#define IMPORT_LISTEN_MAX 32

struct import_rlimits {                 /* as drover has them: "64", "\"16M\""; NULL: not given */
	const char *nofile, *nproc, *core, *as, *cpu;
};

struct import_access {
	struct import_words allow, deny;        /* prefixes */
	bool restricts;                         /* clients that no entry of allow has are refused */
	bool lost_deny;                         /* a client that was refused would be admitted */
};

struct import_service {
	struct import_service *next;
	struct import_place    place;
	const char            *name;            /* valid and unique: import_names_make */
	const char            *original;        /* as it was called before */
	const char            *refused;         /* why it cannot be served, and what to do; NULL: it can */
	bool                   disabled;
	bool                   held;            /* the import has disabled it */
	bool                   commented;       /* it is written as a comment: it would be an error */
	struct import_listen   listen[IMPORT_LISTEN_MAX];
	size_t                 n_listen;
	const char            *builtin;         /* a type of handler; NULL: a program */
	const char            *program;         /* NULL: argv.v[0] */
	struct import_words    argv, env, pass_env, env_file;
	const char            *err;             /* "client", "null"; NULL: the log */
	const char            *user, *group, *chroot, *directory, *umask, *nice, *cpus;
	struct import_rlimits  rlimits;
	enum import_switch     no_new_privs;
	int64_t                connections, connections_per_source;     /* 0: no limit */
	const char            *rate, *rate_per_source;  /* "10/s" */
	int64_t                burst;           /* 0: the default */
	bool                   rejects;         /* clients beyond the limits are closed, and do not wait */
	struct import_access   access;
	const char            *session;         /* a duration; NULL: no limit */
	struct import_note    *notes;
	int                    first_line, last_line;   /* in the output */
};

struct import_xinetd_file;

struct import {
	struct arena           arena;
	FILE                  *err;             /* where complaints go */
	struct import_words    files;           /* that were read */
	struct import_service *services, **end;
	struct import_note    *notes;           /* about no single service */
	struct import_xinetd_file *xinetd;      /* what import_xinetd.c has read; NULL: nothing */
	unsigned               n_lost;          /* that were told */
	unsigned               n_broken;        /* places that make no sense */
	bool                   senseless;       /* and neither does the rest, then */
	unsigned               n_refused_by_droverd;    /* complaints of import_check */
};

/* Ends the program with EX_OSERR if there is no memory. */
void import_open(struct import *im, FILE *err);
void import_close(struct import *im);

/* ---- memory: never NULL, lent until import_close ------------------------ */

void *import_alloc(struct import *im, size_t size);
const char *import_strndup(struct import *im, const char *s, size_t len);
const char *import_strdup(struct import *im, const char *s);
const char *import_printf(struct import *im, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds a text, which is lent as long as the import. */
void import_words_add(struct import *im, struct import_words *w, const char *text);
bool import_words_have(const struct import_words *w, const char *text);
void import_words_remove(struct import_words *w, const char *text);

/* All of them with a blank between. */
const char *import_words_join(struct import *im, const struct import_words *w);

/* ---- services and remarks ----------------------------------------------- */

struct import_service *import_add_service(struct import *im, struct import_place place, const char *name);

/*
 * Says in the output how something is done in drover. svc NULL: it is about the whole import. The same
 * remark is made once.
 */
void import_note(struct import *im, struct import_service *svc, struct import_place place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Says there, and on im->err with file and line, what is not carried over. For a service that was
 * disabled, in the output alone: nothing is lost with it.
 */
void import_lose(struct import *im, struct import_service *svc, struct import_place place,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for the whole service. Only the first reason counts. */
void import_refuse(struct import *im, struct import_service *svc, struct import_place place,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Says that a place of the input makes no sense. */
void import_break(struct import *im, struct import_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
