/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The master's life, from the first configuration to the exit code.
 */
#ifndef DROVER_MASTER_RUN_H
#define DROVER_MASTER_RUN_H

#include "conf_fetch.h"
#include "self.h"
#include "takeover.h"

struct run_options {
	struct conf_origin source;
	bool               detached;            /* there is no standard error: no log may go there */
	void             (*ready)(void *arg);   /* called when the server is ready; NULL is fine */
	void              *arg;
	bool               hangup_ignored;      /* HUP was ignored at the start: nohup(1) */
	const char        *notice;              /* logged at the start; NULL: nothing */
	struct self       *self;                /* the program that we are */
	struct takeover   *takeover;            /* from the program before, if it is due */
};

/*
 * Serves until it is told to stop. Takes over the signals of the process.
 * Returns its exit status (sysexits.h).
 */
int run_master(const struct run_options *o);

#endif
