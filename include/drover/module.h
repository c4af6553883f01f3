/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interface of drover for handlers that run inside its workers: drover_module(3).
 *
 * A module is a shared object that exports one `const struct drover_module drover_module_v1`. The
 * configuration names it, with options of its own:
 *
 *     handler = { type = "module"; path = "/usr/lib/acme/meter.so"; options = { table = "/srv/m"; }; };
 *
 * Everything in a worker happens in one thread. drover calls a module from the worker's event loop, and
 * every connection of the worker waits until the call returns. A module with the flag BLOCKING may take
 * as long as it likes, because its workers have one connection each.
 *
 * What is declared here is only ever added to, at the end of a struct: a module that was built for 1.0
 * goes on to work. Structs that are only declared here belong to drover.
 */
#ifndef DROVER_MODULE_H
#define DROVER_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DROVER_MODULE_MAGIC 0x44726f76u
#define DROVER_ABI_MAJOR    1
#define DROVER_ABI_MINOR    0

struct drover_option;           /* one option of the configuration */
struct drover_worker;           /* the worker process in which the module runs */
struct drover_connection;       /* one client; valid from `open` until `close` has returned */
struct drover_timer;
struct drover_watch;

/* ---- the configuration -------------------------------------------------- */

enum drover_type {
	DROVER_TEXT = 1,        /* .text */
	DROVER_INTEGER,         /* .integer */
	DROVER_NUMBER,          /* .number */
	DROVER_BOOLEAN,         /* .integer, 0 or 1 */
	DROVER_GROUP,           /* { name = value; ... }: .n members, each with a name */
	DROVER_LIST             /* [ ... ] or ( ... ): .n members without names */
};

/* An option, as drover has read it. Texts live as long as the configuration object. */
struct drover_value {
	size_t                      size;       /* set it to sizeof(struct drover_value) before a call */
	const struct drover_option *option;     /* the option itself */
	const char                 *name;       /* NULL for a member of a list */
	int                         type;       /* enum drover_type */
	const char                 *text;
	int64_t                     integer;
	double                      number;     /* also set for an INTEGER */
	size_t                      n;          /* members of a GROUP or LIST */
};

/*
 * The options of a service, for the two callbacks that get it and no longer. In both, each
 * option is looked up in `group`; NULL means the group `options` itself.
 */
struct drover_config {
	size_t      size;               /* of this struct, in the drover that runs */
	const char *service;            /* the name of the service */

	/*
	 * Looks an option up by its name. 1 and *value; 0 if it is not there. `type` is what it has to
	 * be, or 0 for any; an INTEGER is a NUMBER as well. An option of another type is complained of,
	 * with its file and line, and counts as not there.
	 */
	int  (*find)(struct drover_config *config, const struct drover_option *group, const char *name,
	             int type, struct drover_value *value);

	/* The member number i, from 0, of a group or a list. 1 and *value, or 0 if there are fewer. */
	int  (*member)(struct drover_config *config, const struct drover_option *group, size_t i,
	               struct drover_value *value);

	/*
	 * Says what is wrong with an option, or (NULL) with all of them: the configuration is refused
	 * with the file and line of that option, its name, a space and the text, as in "is no folder".
	 * Outside `configure` it is a line in the log.
	 */
	void (*complain)(struct drover_config *config, const struct drover_option *option,
	                 const char *format, ...);
};

/* ---- what drover does for a module --------------------------------------- */

enum drover_level {             /* of a line in the log */
	DROVER_LOG_ERROR = 1,   /* a person must act */
	DROVER_LOG_WARNING,
	DROVER_LOG_INFO,
	DROVER_LOG_DEBUG
};

enum drover_reason {            /* why a connection ended */
	DROVER_CLOSED = 1,      /* the client closed it, and all was answered */
	DROVER_FINISHED,        /* the module has called finish */
	DROVER_RESET,           /* the client is gone, or broke it off */
	DROVER_TIMED_OUT,       /* a time-out of the service */
	DROVER_STOPPED,         /* the worker has to end at once */
	DROVER_KICKED,          /* the operator had it closed */
	DROVER_FAILED           /* the module has called abort or returned -1; a request was broken or
	                         * too long; or there was no memory */
};

enum drover_side { DROVER_PEER = 1, DROVER_LOCAL };

/* One end of a connection: with a PROXY header, the one that the header names. */
struct drover_endpoint {
	size_t   size;          /* set it to sizeof(struct drover_endpoint) before the call */
	int      family;        /* AF_INET, AF_INET6, AF_UNIX */
	char     ip[48];        /* in text; empty for AF_UNIX */
	uint16_t port;          /* 0 for AF_UNIX */
	uint32_t uid;           /* of the peer, AF_UNIX only: its user when it connected; else UINT32_MAX */
};

enum drover_tls_fact {          /* facts about a connection over TLS, as texts */
	DROVER_TLS_PROTOCOL = 1,        /* "TLSv1.2", "TLSv1.3" */
	DROVER_TLS_CIPHER,              /* as OpenSSL names it */
	DROVER_TLS_SNI,                 /* the server's name that the client asked for */
	DROVER_TLS_VERIFY,              /* "NONE", or "SUCCESS": the client has a valid certificate */
	DROVER_TLS_SUBJECT,             /* of that certificate, RFC 2253 */
	DROVER_TLS_ISSUER,
	DROVER_TLS_SERIAL,              /* hexadecimal */
	DROVER_TLS_SHA256               /* of the DER form, lower-case hexadecimal */
};

/*
 * The functions of drover. A module gets it through the member `server` of its descriptor, before
 * `worker_start`. In `configure` there is none. A later drover may have more functions: a module that
 * wants to use one only if it is there asks DROVER_HAS, and begins with DROVER_MODULE_FOR.
 *
 * A function that returns int returns 0, or -1 with errno, unless it says otherwise. None of them
 * calls a module back before it returns, but for the `release` of lend.
 */
struct drover_server {
	size_t      size;               /* of this struct, in the drover that runs */
	uint16_t    abi_major, abi_minor;
	const char *version;            /* of drover, as "0.2.0" */

	/* -- bytes for the client -- */

	/*
	 * Sends len bytes, or keeps a copy of what the client does not take at once. -1 with EPIPE if
	 * nothing more can be sent: the module has finished the connection, or the client is gone, which
	 * `close` will tell. -1 with ENOMEM: the connection will be closed.
	 */
	int  (*write)(struct drover_connection *c, const void *bytes, size_t len);

	/*
	 * The same for bytes that stay as they are until drover calls release(arg) once, when the last of
	 * them is sent or the connection ends, which may be before this call returns, whatever it
	 * returns. They are sent after all that was written before, without a copy of them all.
	 */
	int  (*lend)(struct drover_connection *c, const void *bytes, size_t len,
	             void (*release)(void *arg), void *arg);

	/*
	 * As write, in a frame: for a connection that has called frame. -1 with EMSGSIZE or EINVAL if
	 * such a frame cannot hold the bytes, as a line cannot hold a newline.
	 */
	int  (*reply)(struct drover_connection *c, const void *bytes, size_t len);

	/* Bytes that were written or lent, and that the client has not taken yet. */
	size_t (*unsent)(const struct drover_connection *c);

	/* Sends what was written, then closes the connection. What the client sends now is thrown away. */
	void (*finish)(struct drover_connection *c);

	/* Closes it as soon as this callback returns; the client could not be served. */
	void (*abort)(struct drover_connection *c);

	/* -- bytes from the client -- */

	/*
	 * The client's bytes come as whole requests from now on, to `request` in place of `data`. Only
	 * in `open`. framing is "line", "netstring", "length16", "length32" or "fixed:N", as in
	 * drover.conf(5); a request may have max_request bytes. -1 with EINVAL if it is none of these, or
	 * if the module has no `request` or is a PRODUCER.
	 */
	int  (*frame)(struct drover_connection *c, const char *framing);

	/*
	 * Nothing is read from the client, and neither `data`, `request` nor `ended` is called, until
	 * resume. A request during which pause is called lasts until resume: its bytes stay where they are
	 * until then, and the time-out `request` counts. A PRODUCER is not asked for more either.
	 */
	void (*pause)(struct drover_connection *c);
	void (*resume)(struct drover_connection *c);

	/* -- what belongs to a connection -- */

	/* A pointer of the module, NULL at the beginning. */
	void  (*set_pointer)(struct drover_connection *c, void *pointer);
	void *(*pointer)(const struct drover_connection *c);

	struct drover_worker *(*worker)(const struct drover_connection *c);

	/* `timer` is called once, in that many milliseconds; set again, only then; below 0: not at all. */
	int  (*set_timer)(struct drover_connection *c, int64_t ms);

	/* -1 with ENOTCONN if it is not known any more. */
	int  (*endpoint)(const struct drover_connection *c, int side, struct drover_endpoint *e);

	/*
	 * Writes a fact about TLS (enum drover_tls_fact) as a text that is cut to size - 1 bytes. Returns
	 * its whole length, 0 if the client has shown none, -1 if the connection is not over TLS.
	 */
	int  (*tls)(const struct drover_connection *c, int fact, char *buf, size_t size);

	/* "PID-NUMBER", as in the log; cut as above. Returns its length. */
	int  (*id)(const struct drover_connection *c, char *buf, size_t size);

	/* -- the worker -- */

	/* A pointer of the module, NULL at the beginning. */
	void  (*set_worker_pointer)(struct drover_worker *w, void *pointer);
	void *(*worker_pointer)(const struct drover_worker *w);

	/* The time of the event loop in milliseconds, of a clock that nobody sets: CLOCK_MONOTONIC. */
	int64_t (*now)(const struct drover_worker *w);

	/* A line in the log, printf(3). c: the connection that it is about, or NULL. */
	void (*log)(const struct drover_connection *c, int level, const char *format, ...);

	/*
	 * A timer of the worker: fire(arg) is called once for each set, in that many milliseconds; below
	 * 0: not. It does not keep a worker from ending. NULL with errno. free(NULL) is fine, and so is
	 * free inside fire.
	 */
	struct drover_timer *(*timer_new)(struct drover_worker *w, void (*fire)(void *arg), void *arg);
	int  (*timer_set)(struct drover_timer *t, int64_t ms);
	void (*timer_free)(struct drover_timer *t);

	/*
	 * Watches a descriptor of the module, which stays the module's: ready(arg, events) is called in
	 * each turn of the loop in which it is ready. events are EPOLLIN, EPOLLOUT, ... of epoll_ctl(2),
	 * level-triggered; 0: none for now. Free a watch before its descriptor is closed; free(NULL) is
	 * fine, and so is free inside ready. NULL with errno.
	 */
	struct drover_watch *(*watch_new)(struct drover_worker *w, int fd, uint32_t events,
	                                  void (*ready)(void *arg, uint32_t events), void *arg);
	int  (*watch_set)(struct drover_watch *watch, uint32_t events);
	void (*watch_free)(struct drover_watch *watch);
};

/* Whether the drover that runs has that member of struct drover_server. */
#define DROVER_HAS(server, member) \
	((server)->size >= offsetof(struct drover_server, member) + sizeof (server)->member)

/* ---- what a module is ---------------------------------------------------- */

/*
 * A callback may block. Such a service needs `connections = 1`, so that only the client that waits is
 * delayed, and hang_timeout does not count unless the service sets it.
 */
#define DROVER_BLOCKING 1u

/*
 * The module sends unasked, as chargen does: `taken` is called whenever nothing is left to be sent,
 * from the beginning on, and `data` also while the client takes nothing.
 */
#define DROVER_PRODUCER 2u

/*
 * The descriptor. Any callback may be NULL. One that returns int returns 0, or -1: then the connection
 * (the worker, the configuration) fails.
 */
struct drover_module {
	uint32_t    magic;              /* these six: DROVER_MODULE(name, version) */
	uint16_t    abi_major, abi_minor;       /* for which it was compiled */
	size_t      size;               /* of this struct then */
	const char *name;               /* in the log and in crash reports: printable, no blanks, at most 31 bytes */
	const char *version;
	uint32_t    flags;              /* DROVER_BLOCKING, DROVER_PRODUCER */
	const struct drover_server **server;    /* where drover writes the address of its functions */

	/*
	 * Checks the options. It runs as the user of the service in a process that only checks, before any
	 * worker is started, and again at each reload; nothing that it does lasts. An option for which it
	 * never asks is an error of the configuration; without `configure`, every option is. If it returns
	 * -1 or has complained, the configuration is refused.
	 */
	int  (*configure)(struct drover_config *config);

	/* A worker begins, as the user of the service; it does not accept yet. */
	int  (*worker_start)(struct drover_worker *w, struct drover_config *config);

	/* It drains: it accepts hardly any more, and its connections may go on. */
	void (*worker_drain)(struct drover_worker *w);

	/* It ends; it has no connections any more. Not called if it is killed. */
	void (*worker_stop)(struct drover_worker *w);

	/* A client is there. After -1, `close` is called all the same. */
	int  (*open)(struct drover_connection *c);

	/*
	 * Bytes of the client. Returns how many of them it has consumed; the rest comes again after
	 * resume, or when the client has sent more, with that: up to max_request bytes. -1: it fails.
	 * NULL: they are thrown away. Not called while the client has not taken all that was written,
	 * unless the module is a PRODUCER.
	 */
	ptrdiff_t (*data)(struct drover_connection *c, const char *bytes, size_t len);

	/*
	 * A whole request without its frame, of a connection that has called frame. bytes[len] is not
	 * NUL. The next one comes when this returns, or after resume if it has called pause.
	 */
	int  (*request)(struct drover_connection *c, const char *bytes, size_t len);

	/*
	 * The client sends no more; these bytes of it were not consumed. NULL: finish. If it does not
	 * finish and does not pause, the connection is finished when it returns. Not called for a
	 * connection that has called frame, which is finished after its last request.
	 */
	int  (*ended)(struct drover_connection *c, const char *bytes, size_t len);

	/* The client was slow, and has now taken all that was written. */
	int  (*taken)(struct drover_connection *c);

	/* The time of set_timer has come. */
	int  (*timer)(struct drover_connection *c);

	/* The connection ends; reason is of enum drover_reason. Nothing can be written any more. */
	void (*close)(struct drover_connection *c, int reason);
};

#define DROVER_MODULE(name, version) DROVER_MODULE_FOR(DROVER_ABI_MINOR, name, version)

/* The same for a module that does with an older drover, and asks DROVER_HAS for what that may lack. */
#define DROVER_MODULE_FOR(minor, name, version) \
	DROVER_MODULE_MAGIC, DROVER_ABI_MAJOR, minor, sizeof(struct drover_module), name, version

#if defined __GNUC__
extern __attribute__((visibility("default"))) const struct drover_module drover_module_v1;
#else
extern const struct drover_module drover_module_v1;
#endif

#ifdef __cplusplus
}
#endif

#endif
