/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key process: the only one that has the private keys of a generation. It signs for workers,
 * each with the keys of its own service. key_holder.c starts it, and another one when it ends.
 */
#ifndef DROVER_TLS_KEY_PROCESS_H
#define DROVER_TLS_KEY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "key_wire.h"
#include "leash.h"

#define KEY_REPORT_MAX 2048

/* Shared with the master: what it complains of. Written before the word that tells of it, or the exit. */
struct key_report {
	char text[KEY_REPORT_MAX];
};

/* A worker that it signs for. */
struct key_caller {
	size_t             service;     /* index in conf->services */
	struct key_channel channel;     /* the key process's ends */
};

/* All is lent; descriptors are those of the forked process. */
struct key_process_start {
	const struct conf       *conf;
	const struct key_caller *callers;
	size_t                   n_callers;
	struct leash             leash;
	bool                     detached;      /* standard error belongs to another process */
	bool                     needs_all;     /* exits if a key cannot be read; else it serves the others */
	struct key_report       *report;
	void                   (*forget)(void *arg);    /* unmaps the memory of the master, and conf */
	void                    *arg;
};

/*
 * Must be called in a child that was just forked. Reads the keys, says READY, and signs until the
 * master says END, or the master and all callers are gone. Says KEYS when there is a new
 * text in the report. Exits with EX_CONFIG if a key cannot be read, EX_OSERR if it cannot become
 * what it has to be; the report says why. Never returns.
 */
_Noreturn void key_process_main(const struct key_process_start *start);

#endif
