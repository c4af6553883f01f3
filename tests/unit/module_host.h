/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A drover for tests of modules: it loads a module and calls it as <drover/module.h> says, without a
 * daemon. Its clock stands until the test moves it, its clients are buffers, and its watches are polled
 * when the test says so. A module that breaks a rule of the interface fails the test.
 *
 * There is one worker at a time, with one module. Texts that are returned are lent until the next call.
 */
#ifndef DROVER_TESTS_MODULE_HOST_H
#define DROVER_TESTS_MODULE_HOST_H

#include <drover/module.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "framing.h"

/* An option. A list of them ends with one whose type is 0. */
struct module_host_option {
	const char *name;               /* NULL in a list */
	int         type;               /* enum drover_type */
	const char *text;
	int64_t     integer;
	double      number;
	const struct module_host_option *members;       /* of a group or a list */
};

#define HOST_TEXT(n, v)    { .name = n, .type = DROVER_TEXT, .text = v }
#define HOST_INTEGER(n, v) { .name = n, .type = DROVER_INTEGER, .integer = v, .number = v }
#define HOST_NUMBER(n, v)  { .name = n, .type = DROVER_NUMBER, .number = v }
#define HOST_BOOLEAN(n, v) { .name = n, .type = DROVER_BOOLEAN, .integer = v }
#define HOST_GROUP(n, v)   { .name = n, .type = DROVER_GROUP, .members = v }
#define HOST_LIST(n, v)    { .name = n, .type = DROVER_LIST, .members = v }
#define HOST_END           { .type = 0 }

/* A connection. The test may set the members of the first part before module_host_open. */
struct drover_connection {
	struct drover_endpoint peer, local;     /* family 0: not known any more */
	const char *tls[DROVER_TLS_SHA256 + 1]; /* facts; without DROVER_TLS_PROTOCOL there is no TLS */
	size_t      max_request;
	bool        is_slow;            /* the client takes nothing */

	/* The test may look at these. */
	char        id[32];
	char        framing_text[32];   /* "": the module has not called frame */
	int         reason;             /* enum drover_reason; 0: it is open */
	bool        is_paused, is_finished, is_aborted;
	size_t      n_pauses;           /* calls of pause */

	/* The host's. */
	void       *pointer;
	int64_t     timer_at;           /* -1: it is not set */
	struct framing framing;
	struct buffer  from_client, to_client, taken;
	bool        is_open, in_open, has_end, told_end, is_gone, owes_taken;
};

/* Loads a shared object, by its path; the program keeps it. */
void module_host_load(const char *path);
const struct drover_module *module_host_module(void);

/*
 * Calls `configure` as the process that checks a configuration does. Whether it is accepted: the
 * callback has returned 0, has not complained, and has asked for all options.
 */
bool module_host_configure(const struct module_host_option *options);

/* What was complained of so far: lines "NAME TEXT". */
const char *module_host_complaints(void);

/* Starts the worker. Whether it serves. */
bool module_host_start(const struct module_host_option *options);

/* Lets the worker stop: open connections are closed (DROVER_STOPPED). All of the module must be freed then. */
void module_host_stop(void);

/* A new connection: module_host_open calls `open`, and both together are module_host_connect. */
struct drover_connection *module_host_new(void);
void module_host_open(struct drover_connection *c);
struct drover_connection *module_host_connect(void);

/* The client sends bytes, ends its side, breaks the connection off. */
void module_host_send(struct drover_connection *c, const void *bytes, size_t len);
void module_host_say(struct drover_connection *c, const char *text);
void module_host_end(struct drover_connection *c);
void module_host_leave(struct drover_connection *c);

/* The client takes bytes again, or not. */
void module_host_be_slow(struct drover_connection *c, bool is_slow);

/* What the client has got since the last call. */
const char *module_host_received(struct drover_connection *c);

/* Moves the clock, and calls the timers whose time has come, in order. */
void module_host_advance(int64_t ms);

/* Waits until a descriptor that is watched is ready, and calls its watch. False if none is for 5 s, or none is watched. */
bool module_host_poll(void);

/* How many timers are set, and how many watches there are. */
size_t module_host_n_timers(void);
size_t module_host_n_watches(void);

/* The log since the last call: lines "LEVEL [ID]: TEXT". */
const char *module_host_log(void);

/* The next calls of timer_new and watch_new fail with ENOMEM. */
void module_host_refuse(bool refuses);

#endif
