/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The handlers there are: one row makes a handler known to the configuration
 * and to the workers. Its code is src/handlers/<name>.c, which defines
 * `const struct handler handler_<name>` (worker/handler.h).
 */
#ifndef DROVER_SHARED_HANDLER_LIST_H
#define DROVER_SHARED_HANDLER_LIST_H

enum handler_kind {
	HANDLER_BYTES,          /* sees what clients send: all time-outs apply */
	HANDLER_PROGRAM,        /* gives the socket to a program: needs argv */
	HANDLER_WARM,           /* the same with `warm`: joins it to one that was started before */
	HANDLER_RELAYED,        /* the same without, over TLS: the bytes go through the worker */
	HANDLER_FILTER,         /* asks programs that stay: needs argv, sees what clients send */
	HANDLER_MODULE,         /* calls a shared object: sees what clients send */
	HANDLER_LUA,            /* the same, with the module that runs scripts */
};

/* Whether it runs programs, as the user of the service, beside its workers. */
#define HANDLER_RUNS_PROGRAMS(kind) \
	((kind) != HANDLER_BYTES && (kind) != HANDLER_MODULE && (kind) != HANDLER_LUA)

#define HANDLER_LIST(X) \
	X(chargen, HANDLER_BYTES) \
	X(daytime, HANDLER_BYTES) \
	X(discard, HANDLER_BYTES) \
	X(echo,    HANDLER_BYTES) \
	X(exec,    HANDLER_PROGRAM) \
	X(filter,  HANDLER_FILTER) \
	X(lua,     HANDLER_LUA) \
	X(module,  HANDLER_MODULE) \
	X(time,    HANDLER_BYTES)

enum handler_id {
#define X(name, kind) HANDLER_ID_##name,
	HANDLER_LIST(X)
#undef X
	HANDLER_IDS,
};

#endif
