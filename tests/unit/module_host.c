/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host of module_host.h. What drover does at the end of a callback, or in the next turn of its
 * loop, is done in settle().
 */
#include <config.h>
#include "module_host.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "list.h"
#include "module_host_config.h"
#include "unit.h"

#define MAX_CONNECTIONS 64
#define POLL_MS         5000

struct drover_worker { void *pointer; };

struct drover_timer {
	int64_t     at;                 /* -1: not set */
	void      (*fire)(void *arg);
	void       *arg;
	struct list in_host;
};

struct drover_watch {
	int         fd;
	uint32_t    events;
	void      (*ready)(void *arg, uint32_t events);
	void       *arg;
	struct list in_host;
};

static struct {
	const struct drover_module *module;
	struct drover_worker        worker;
	bool                        is_running, in_callback, refuses;
	struct drover_connection   *connections[MAX_CONNECTIONS];
	size_t                      n_connections;
	unsigned                    next_id;
	int64_t                     now;
	struct list                 timers, watches;
	struct buffer               complaints, log, lent;
} host;

static void add(struct buffer *b, const void *bytes, size_t len)
{
	unit_require(buffer_add(b, bytes, len) == 0);
}

static __attribute__((format(printf, 2, 0))) void add_line(struct buffer *b, const char *format, va_list args)
{
	char *text;

	unit_require(vasprintf(&text, format, args) >= 0);
	add(b, text, strlen(text));
	add(b, "\n", 1);
	free(text);
}

/* All that is in b, as a text that is lent until the next call. */
static const char *take_text(struct buffer *b)
{
	buffer_clear(&host.lent);
	if (!buffer_is_empty(b))
		add(&host.lent, buffer_first(b), buffer_waiting(b));
	add(&host.lent, "", 1);
	buffer_clear(b);
	return buffer_first(&host.lent);
}

/* ---- the functions of drover --------------------------------------------- */

static bool can_send(const struct drover_connection *c)
{
	return c->is_open && !c->is_finished && !c->is_aborted && !c->is_gone;
}

static int do_write(struct drover_connection *c, const void *bytes, size_t len)
{
	unit_require(c->is_open);
	if (!can_send(c)) {
		errno = EPIPE;
		return -1;
	}
	if (c->is_slow)
		c->owes_taken = true;
	add(c->is_slow ? &c->to_client : &c->taken, bytes, len);
	return 0;
}

static int do_lend(struct drover_connection *c, const void *bytes, size_t len, void (*release)(void *arg),
                   void *arg)
{
	int status = do_write(c, bytes, len);

	release(arg);
	return status;
}

static int do_reply(struct drover_connection *c, const void *bytes, size_t len)
{
	char header[FRAMING_HEADER_MAX], trailer[1];

	unit_require(*c->framing_text);
	if (!framing_can_hold(&c->framing, bytes, len)) {
		errno = len > c->max_request ? EMSGSIZE : EINVAL;
		return -1;
	}
	if (do_write(c, header, framing_header(&c->framing, len, header)) == -1)
		return -1;
	do_write(c, bytes, len);
	return do_write(c, trailer, framing_trailer(&c->framing, trailer));
}

static size_t do_unsent(const struct drover_connection *c)
{
	unit_require(c->is_open);
	return buffer_waiting(&c->to_client);
}

static void do_finish(struct drover_connection *c)
{
	unit_require(c->is_open);
	c->is_finished = true;
}

static void do_abort(struct drover_connection *c)
{
	unit_require(c->is_open);
	c->is_aborted = true;
}

static int do_frame(struct drover_connection *c, const char *framing)
{
	unit_require(c->in_open);
	if (!host.module->request || framing_parse(framing, &c->framing) == -1) {
		errno = EINVAL;
		return -1;
	}
	c->framing.max = c->max_request;
	snprintf(c->framing_text, sizeof c->framing_text, "%s", framing);
	return 0;
}

static void do_pause(struct drover_connection *c)
{
	unit_require(c->is_open);
	c->is_paused = true;
	c->n_pauses++;
}

static void do_resume(struct drover_connection *c)
{
	unit_require(c->is_open);
	c->is_paused = false;
}

static void set_pointer(struct drover_connection *c, void *pointer) { c->pointer = pointer; }
static void *pointer(const struct drover_connection *c) { return c->pointer; }
static struct drover_worker *worker(const struct drover_connection *c) { (void)c; return &host.worker; }

static int set_timer(struct drover_connection *c, int64_t ms)
{
	unit_require(c->is_open);
	c->timer_at = ms < 0 ? -1 : host.now + ms;
	return 0;
}

static int endpoint(const struct drover_connection *c, int side, struct drover_endpoint *e)
{
	const struct drover_endpoint *found = side == DROVER_PEER ? &c->peer : &c->local;

	unit_require(e->size == sizeof *e && c->is_open);
	if (found->family == 0) {
		errno = ENOTCONN;
		return -1;
	}
	*e = *found;
	e->size = sizeof *e;
	return 0;
}

static int tls(const struct drover_connection *c, int fact, char *buf, size_t size)
{
	unit_require(c->is_open);
	if (!c->tls[DROVER_TLS_PROTOCOL])
		return -1;
	return snprintf(buf, size, "%s", c->tls[fact] ? c->tls[fact] : "");
}

static int id(const struct drover_connection *c, char *buf, size_t size)
{
	unit_require(c->is_open);
	return snprintf(buf, size, "%s", c->id);
}

static void set_worker_pointer(struct drover_worker *w, void *p) { w->pointer = p; }
static void *worker_pointer(const struct drover_worker *w) { return w->pointer; }
static int64_t now(const struct drover_worker *w) { (void)w; return host.now; }

static void log_line(const struct drover_connection *c, int level, const char *format, ...)
{
	static const char *const levels[] = { "?", "error", "warning", "info", "debug" };
	char head[64];
	va_list args;

	unit_require(level >= DROVER_LOG_ERROR && level <= DROVER_LOG_DEBUG && (!c || c->is_open));
	snprintf(head, sizeof head, "%s%s%s: ", levels[level], c ? " " : "", c ? c->id : "");
	add(&host.log, head, strlen(head));
	va_start(args, format);
	add_line(&host.log, format, args);
	va_end(args);
}

const char *module_host_complaints(void)
{
	return take_text(&host.complaints);
}

const char *module_host_log(void)
{
	return take_text(&host.log);
}

static struct drover_timer *timer_new(struct drover_worker *w, void (*fire)(void *arg), void *arg)
{
	struct drover_timer *t = host.refuses ? NULL : calloc(1, sizeof *t);

	unit_require(w == &host.worker);
	if (!t) {
		errno = ENOMEM;
		return NULL;
	}
	*t = (struct drover_timer){ .at = -1, .fire = fire, .arg = arg };
	list_append(&host.timers, &t->in_host);
	return t;
}

static int timer_set(struct drover_timer *t, int64_t ms)
{
	t->at = ms < 0 ? -1 : host.now + ms;
	return 0;
}

static void timer_free(struct drover_timer *t)
{
	if (!t)
		return;
	list_remove(&t->in_host);
	free(t);
}

static struct drover_watch *watch_new(struct drover_worker *w, int fd, uint32_t events,
                                      void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct drover_watch *watch = host.refuses ? NULL : calloc(1, sizeof *watch);

	unit_require(w == &host.worker && unit_fd_is_open(fd));
	if (!watch) {
		errno = ENOMEM;
		return NULL;
	}
	*watch = (struct drover_watch){ .fd = fd, .events = events, .ready = ready, .arg = arg };
	list_append(&host.watches, &watch->in_host);
	return watch;
}

static int watch_set(struct drover_watch *watch, uint32_t events)
{
	watch->events = events;
	return 0;
}

static void watch_free(struct drover_watch *watch)
{
	if (!watch)
		return;
	unit_require(unit_fd_is_open(watch->fd));
	list_remove(&watch->in_host);
	free(watch);
}

static const struct drover_server server = {
	.size = sizeof server, .abi_major = DROVER_ABI_MAJOR, .abi_minor = DROVER_ABI_MINOR, .version = "test",
	.write = do_write, .lend = do_lend, .reply = do_reply, .unsent = do_unsent, .finish = do_finish,
	.abort = do_abort, .frame = do_frame, .pause = do_pause, .resume = do_resume,
	.set_pointer = set_pointer, .pointer = pointer, .worker = worker, .set_timer = set_timer,
	.endpoint = endpoint, .tls = tls, .id = id, .set_worker_pointer = set_worker_pointer,
	.worker_pointer = worker_pointer, .now = now, .log = log_line, .timer_new = timer_new,
	.timer_set = timer_set, .timer_free = timer_free, .watch_new = watch_new, .watch_set = watch_set,
	.watch_free = watch_free
};

/* ---- connections --------------------------------------------------------- */

static void enter(void)
{
	unit_require(!host.in_callback);
	host.in_callback = true;
}

static void close_connection(struct drover_connection *c, int reason)
{
	c->reason = reason;
	enter();
	if (host.module->close)
		host.module->close(c, reason);
	host.in_callback = false;
	c->is_open = false;
	buffer_clear(&c->from_client);
	buffer_clear(&c->to_client);
}

static void take_from_client(struct drover_connection *c, size_t len)
{
	buffer_take(&c->from_client, len);
}

/* One request, if there is a whole one. A request that pauses lasts until resume. */
static bool deliver_request(struct drover_connection *c)
{
	struct framing_state state = { 0 };
	struct framing_part part;
	enum framing_status status;
	const char *bytes = buffer_first(&c->from_client);
	char *copy;
	size_t len;

	status = framing_feed(&c->framing, &state, bytes, buffer_waiting(&c->from_client), &part);
	if (status == FRAMING_MORE)
		return false;
	if (status != FRAMING_COMPLETE) {
		c->is_aborted = true;
		return false;
	}
	len = part.content_len;
	copy = malloc(len + 1);         /* so that a read beyond it is an error for AddressSanitizer */
	unit_require(copy != NULL);
	memcpy(copy, bytes + part.content_at, len);
	copy = realloc(copy, len ? len : 1);
	take_from_client(c, part.used);
	enter();
	if (host.module->request(c, copy, len) == -1)
		c->is_aborted = true;
	host.in_callback = false;
	free(copy);
	return true;
}

static bool deliver_data(struct drover_connection *c)
{
	size_t len = buffer_waiting(&c->from_client);
	ptrdiff_t used = (ptrdiff_t)len;

	enter();
	if (host.module->data)
		used = host.module->data(c, buffer_first(&c->from_client), len);
	host.in_callback = false;
	unit_require(used <= (ptrdiff_t)len);
	if (used < 0)
		c->is_aborted = true;
	else
		take_from_client(c, (size_t)used);
	return used > 0;
}

static void deliver_end(struct drover_connection *c)
{
	c->told_end = true;
	enter();
	if (host.module->ended && host.module->ended(c, buffer_first(&c->from_client),
	                                             buffer_waiting(&c->from_client)) == -1)
		c->is_aborted = true;
	host.in_callback = false;
	if (!c->is_paused)
		c->is_finished = true;
}

static void deliver_taken(struct drover_connection *c)
{
	c->owes_taken = false;
	enter();
	if (host.module->taken && host.module->taken(c) == -1)
		c->is_aborted = true;
	host.in_callback = false;
}

static int end_reason(const struct drover_connection *c)
{
	if (c->is_aborted)
		return DROVER_FAILED;
	if (c->is_gone)
		return DROVER_RESET;
	if (c->is_finished && buffer_is_empty(&c->to_client))
		return c->told_end ? DROVER_CLOSED : DROVER_FINISHED;
	return 0;
}

/* One thing that is to be done for a connection. Whether there was one. */
static bool step(struct drover_connection *c)
{
	if (!c->is_open)
		return false;
	if (end_reason(c)) {
		close_connection(c, end_reason(c));
		return true;
	}
	if (!c->is_slow && c->owes_taken) {
		deliver_taken(c);
		return true;
	}
	if (c->is_paused || c->is_finished || !buffer_is_empty(&c->to_client))
		return false;
	if (!buffer_is_empty(&c->from_client) && (*c->framing_text ? deliver_request(c) : deliver_data(c)))
		return true;
	if (!c->is_open || c->is_aborted || !c->has_end || c->told_end || c->is_paused)
		return c->is_aborted;
	deliver_end(c);
	return true;
}

static void settle(void)
{
	bool did = true;

	while (did) {
		did = false;
		for (size_t i = 0; i < host.n_connections; i++)
			did |= step(host.connections[i]);
	}
}

struct drover_connection *module_host_new(void)
{
	struct drover_connection *c = calloc(1, sizeof *c);

	unit_require(c && host.is_running && host.n_connections < MAX_CONNECTIONS);
	c->peer = (struct drover_endpoint){ .family = 2, .ip = "192.0.2.1", .port = 40000, .uid = UINT32_MAX };
	c->local = (struct drover_endpoint){ .family = 2, .ip = "192.0.2.9", .port = 7000, .uid = UINT32_MAX };
	c->max_request = 1 << 20;
	c->timer_at = -1;
	snprintf(c->id, sizeof c->id, "1-%u", ++host.next_id);
	host.connections[host.n_connections++] = c;
	return c;
}

void module_host_open(struct drover_connection *c)
{
	c->is_open = c->in_open = true;
	enter();
	if (host.module->open && host.module->open(c) == -1)
		c->is_aborted = true;
	host.in_callback = c->in_open = false;
	settle();
}

struct drover_connection *module_host_connect(void)
{
	struct drover_connection *c = module_host_new();

	module_host_open(c);
	return c;
}

void module_host_send(struct drover_connection *c, const void *bytes, size_t len)
{
	if (!c->is_open || c->is_finished)
		return;
	add(&c->from_client, bytes, len);
	settle();
}

void module_host_say(struct drover_connection *c, const char *text)
{
	module_host_send(c, text, strlen(text));
}

void module_host_end(struct drover_connection *c)
{
	c->has_end = true;
	settle();
}

void module_host_leave(struct drover_connection *c)
{
	c->is_gone = true;
	settle();
}

void module_host_be_slow(struct drover_connection *c, bool is_slow)
{
	c->is_slow = is_slow;
	if (!is_slow && !buffer_is_empty(&c->to_client)) {
		add(&c->taken, buffer_first(&c->to_client), buffer_waiting(&c->to_client));
		buffer_clear(&c->to_client);
	}
	settle();
}

const char *module_host_received(struct drover_connection *c)
{
	return take_text(&c->taken);
}

/* ---- the worker ---------------------------------------------------------- */

void module_host_load(const char *path)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	ck_assert_msg(object != NULL, "%s", dlerror());
	host.module = dlsym(object, "drover_module_v1");
	ck_assert_msg(host.module != NULL, "%s has no drover_module_v1", path);
	ck_assert_uint_eq(host.module->magic, DROVER_MODULE_MAGIC);
	ck_assert_uint_eq(host.module->abi_major, DROVER_ABI_MAJOR);
	ck_assert_uint_eq(host.module->size, sizeof (struct drover_module));
	list_init(&host.timers);
	list_init(&host.watches);
}

const struct drover_module *module_host_module(void)
{
	return host.module;
}

bool module_host_configure(const struct module_host_option *options)
{
	struct module_host_config l = module_host_look(options, &host.complaints);
	int status = 0;

	if (host.module->server)
		*host.module->server = NULL;
	if (host.module->configure)
		status = host.module->configure(&l.config);
	return status == 0 && !l.has_complained && module_host_asked_all(&l);
}

bool module_host_start(const struct module_host_option *options)
{
	struct module_host_config l = module_host_look(options, &host.complaints);
	int status = 0;

	unit_require(!host.is_running);
	if (host.module->server)
		*host.module->server = &server;
	host.now = 1000;
	host.worker.pointer = NULL;
	host.is_running = true;
	if (host.module->worker_start)
		status = host.module->worker_start(&host.worker, &l.config);
	host.is_running = status == 0;
	return host.is_running;
}

void module_host_stop(void)
{
	if (!host.is_running)
		return;
	for (size_t i = 0; i < host.n_connections; i++)
		if (host.connections[i]->is_open)
			close_connection(host.connections[i], DROVER_STOPPED);
	if (host.module->worker_stop)
		host.module->worker_stop(&host.worker);
	host.is_running = false;
	for (size_t i = 0; i < host.n_connections; i++) {
		buffer_clear(&host.connections[i]->taken);
		free(host.connections[i]);
	}
	host.n_connections = 0;
	host.refuses = false;
	ck_assert(list_empty(&host.timers));
	ck_assert(list_empty(&host.watches));
	buffer_clear(&host.log);
	buffer_clear(&host.complaints);
	buffer_clear(&host.lent);
}

/* The timer that is due first, not later than `until`. */
static struct drover_timer *next_timer(int64_t until)
{
	struct drover_timer *first = NULL, *t;

	list_each(&host.timers, t, struct drover_timer, in_host)
		if (t->at >= 0 && t->at <= until && (!first || t->at < first->at))
			first = t;
	return first;
}

static struct drover_connection *next_connection_timer(int64_t until)
{
	struct drover_connection *first = NULL;

	for (size_t i = 0; i < host.n_connections; i++) {
		struct drover_connection *c = host.connections[i];

		if (c->is_open && c->timer_at >= 0 && c->timer_at <= until && (!first || c->timer_at < first->timer_at))
			first = c;
	}
	return first;
}

static bool fire_next(int64_t until)
{
	struct drover_timer *t = next_timer(until);
	struct drover_connection *c = next_connection_timer(until);

	if (!t && !c)
		return false;
	enter();
	if (!c || (t && t->at <= c->timer_at)) {
		host.now = t->at > host.now ? t->at : host.now;
		t->at = -1;
		t->fire(t->arg);
	} else {
		host.now = c->timer_at > host.now ? c->timer_at : host.now;
		c->timer_at = -1;
		if (host.module->timer && host.module->timer(c) == -1)
			c->is_aborted = true;
	}
	host.in_callback = false;
	settle();
	return true;
}

void module_host_advance(int64_t ms)
{
	int64_t until = host.now + ms;

	while (fire_next(until))
		;
	host.now = until;
}

static size_t collect(struct pollfd *fds, struct drover_watch **watches, size_t most)
{
	struct drover_watch *w;
	size_t n = 0;

	list_each(&host.watches, w, struct drover_watch, in_host) {
		unit_require(n < most);
		fds[n] = (struct pollfd){ .fd = w->fd, .events = (short)w->events };
		watches[n++] = w;
	}
	return n;
}

bool module_host_poll(void)
{
	struct pollfd fds[MAX_CONNECTIONS];
	struct drover_watch *watches[MAX_CONNECTIONS];
	size_t n = collect(fds, watches, MAX_CONNECTIONS);

	if (n == 0 || poll(fds, n, POLL_MS) <= 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!fds[i].revents)
			continue;
		enter();
		watches[i]->ready(watches[i]->arg, (uint32_t)fds[i].revents);
		host.in_callback = false;
		settle();
		return true;
	}
	return false;
}

size_t module_host_n_timers(void)
{
	struct drover_timer *t;
	size_t n = 0;

	list_each(&host.timers, t, struct drover_timer, in_host)
		n += t->at >= 0;
	return n;
}

size_t module_host_n_watches(void)
{
	struct drover_watch *w;
	size_t n = 0;

	list_each(&host.watches, w, struct drover_watch, in_host)
		n += w->fd != -1;
	return n;
}

void module_host_refuse(bool refuses)
{
	host.refuses = refuses;
}
