/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon with a module of tests/modules, which tells the daemon's mailbox what it sees: events that
 * begin with "probe". And its clients.
 */
#ifndef DROVER_E2E_MODULE_HARNESS_H
#define DROVER_E2E_MODULE_HARNESS_H

#include "filter_harness.h"             /* the daemon is the one there */

/* A service with the module of that path, with options and with more keys of the service. */
#define MODULE(name, options, rest) \
	" " name " = { listen = \"127.0.0.1:0\"; handler = { type = \"module\"; path = \"%s\";" \
	" options = { " options " }; }; " rest " };"
#define ONE_WORKER "workers = 1; "

/* The file of tests/modules/NAME.so. */
const char *module_built(const char *name);

/* Puts a copy of it into the test's folder by rename(2). Returns its path. */
const char *module_copy(const char *name, const char *as);

/* The option with which the probe tells what it sees: for the first daemon of a test. */
const char *module_events(void);

/* A whole configuration with the service "s", one worker, and a probe at that path. */
const char *module_probe_at(const char *path, const char *options, const char *rest);

/* Starts the daemon with the probe. */
void module_start(const char *options, const char *rest);

/* Says a line on a new connection, or on fd, and expects an answer of one line. */
int module_say(const char *line);
void module_ask(int fd, const char *line, const char *answer);

/* The next event of the probe that has these words. */
const struct event *module_wait_for(const char *words);

/* Reads that many bytes of a loan of the probe, and checks them. */
void module_check_loan(int fd, size_t from, size_t len);

#endif
