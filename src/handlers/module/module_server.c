/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of struct drover_server that are about bytes and connections, and the table of all.
 */
#include <config.h>
#include "module_server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "module_calls.h"
#include "module_client.h"
#include "module_facts.h"
#include "module_lend.h"
#include "module_watch.h"
#include "module_worker.h"

/* The one of this process: a module may log without a handle. */
static const struct module_worker *this_worker;

/* ---- bytes for the client ------------------------------------------------ */

/* Whether nothing more can be sent on it. */
static bool is_over(struct connection *c)
{
	const struct module_worker *m = module_worker_of(c);
	const struct module_client *k = module_client_find(c);

	return (c == m->current && m->ruling != MODULE_GO_ON) || (k && (k->finished || k->aborted)) ||
	       handler_is_finishing(c) || handler_is_broken(c);
}

static int refuse(int error)
{
	errno = error;
	return -1;
}

/* After something was sent on c. */
static int sent(struct connection *c)
{
	module_client_touch(c);
	return handler_is_broken(c) ? refuse(EPIPE) : 0;
}

static int server_write(struct drover_connection *handle, const void *bytes, size_t len)
{
	struct connection *c = module_connection(handle);
	struct module_client *k = module_client_find(c);

	if (is_over(c))
		return refuse(EPIPE);
	if (k && !list_empty(&k->lent)) {
		if (module_lend_copy(k, bytes, len) == -1)
			return refuse(ENOMEM);
	} else {
		handler_reply(c, bytes, len);
	}
	return sent(c);
}

static int server_lend(struct drover_connection *handle, const void *bytes, size_t len,
                       void (*release)(void *arg), void *arg)
{
	struct connection *c = module_connection(handle);
	const bool over = is_over(c);
	struct module_client *k = over ? NULL : module_client_of(c);

	if (!k) {
		release(arg);
		return refuse(over ? EPIPE : ENOMEM);
	}
	return module_lend(k, bytes, len, release, arg) == -1 ? refuse(ENOMEM) : sent(c);
}

static int server_reply(struct drover_connection *handle, const void *bytes, size_t len)
{
	struct connection *c = module_connection(handle);
	const struct module_client *k = module_client_find(c);
	const struct framing *f = k ? k->requests.framing : NULL;
	char header[FRAMING_HEADER_MAX], trailer[1];
	size_t n;

	if (!f || !framing_can_hold(f, bytes, len))
		return refuse(f && f->kind != FRAMING_LINE ? EMSGSIZE : EINVAL);
	n = framing_header(f, len, header);
	if ((n > 0 && server_write(handle, header, n) == -1) || server_write(handle, bytes, len) == -1)
		return -1;
	n = framing_trailer(f, trailer);
	return n > 0 ? server_write(handle, trailer, n) : 0;
}

static size_t server_unsent(const struct drover_connection *handle)
{
	struct connection *c = module_connection(handle);
	const struct module_client *k = module_client_find(c);

	return handler_unsent(c) + (k ? module_lend_waiting(k) : 0);
}

/* ---- the end -------------------------------------------------------------- */

/* In its own call, the ruling is enough. */
static void rule(struct connection *c, enum module_ruling ruling)
{
	struct module_worker *m = module_worker_of(c);
	struct module_client *k = c == m->current ? module_client_find(c) : module_client_of(c);

	if (c == m->current && m->ruling < ruling)
		m->ruling = ruling;
	if (k) {
		k->finished |= ruling == MODULE_FINISH;
		k->aborted |= ruling == MODULE_ABORT;
	}
	module_client_touch(c);
}

static void server_finish(struct drover_connection *c)
{
	rule(module_connection(c), MODULE_FINISH);
}

static void server_abort(struct drover_connection *c)
{
	rule(module_connection(c), MODULE_ABORT);
}

/* ---- bytes from the client ------------------------------------------------ */

static int server_frame(struct drover_connection *handle, const char *framing)
{
	struct connection *c = module_connection(handle);
	const struct module_worker *m = module_worker_of(c);
	struct framing parsed = { .max = m->worker->service->max_request };
	struct module_client *k;

	if (c != m->current || !m->may_frame || !m->module->request ||
	    m->module->flags & DROVER_PRODUCER || framing_parse(framing, &parsed) == -1)
		return refuse(EINVAL);
	k = module_client_of(c);
	if (!k)
		return refuse(ENOMEM);
	k->framing = parsed;
	framing_format(&parsed, k->framing_text);
	k->requests = (struct requests){ .connection = c, .framing = &k->framing,
	                                 .framing_text = k->framing_text };
	return 0;
}

static void server_pause(struct drover_connection *handle)
{
	struct module_client *k = module_client_of(module_connection(handle));
	struct module_worker *m = module_worker_of(module_connection(handle));

	if (!k || k->paused)
		return;
	k->paused = true;
	if (k->connection == m->current)
		m->has_paused = true;
	module_client_touch(k->connection);
}

static void server_resume(struct drover_connection *handle)
{
	struct module_client *k = module_client_find(module_connection(handle));
	const struct module_worker *m = module_worker_of(module_connection(handle));

	if (!k || !k->paused)
		return;
	k->paused = false;
	/* In the call that has paused it, nothing has happened in between. */
	if (k->connection != m->current || !m->has_paused)
		k->resumed = true;
	module_client_touch(k->connection);
}

/* ---- what belongs to it --------------------------------------------------- */

static void server_set_pointer(struct drover_connection *c, void *pointer)
{
	*handler_note(module_connection(c)) = (uintptr_t)pointer;
}

static void *server_pointer(const struct drover_connection *c)
{
	return (void *)(uintptr_t)*handler_note(module_connection(c));
}

static struct drover_worker *server_worker(const struct drover_connection *c)
{
	return (struct drover_worker *)(void *)module_worker_of(module_connection(c));
}

static void on_client_timer(struct timer *t)
{
	module_call_timer(container_of(t, struct module_client, timer)->connection);
}

static int server_set_timer(struct drover_connection *handle, int64_t ms)
{
	struct connection *c = module_connection(handle);
	struct module_client *k = ms < 0 ? module_client_find(c) : module_client_of(c);
	struct loop *loop = &connection_worker(c)->loop;

	if (k && ms < 0) {
		timer_unset(&loop->timers, &k->timer);
	} else if (k) {
		k->timer.fire = on_client_timer;
		loop_timer(loop, &k->timer, module_timer_ms(ms));
	}
	return k || ms < 0 ? 0 : refuse(ENOMEM);
}

/* ---- the worker ------------------------------------------------------------ */

static struct module_worker *worker_of(const struct drover_worker *w)
{
	return (struct module_worker *)(uintptr_t)w;
}

static void server_set_worker_pointer(struct drover_worker *w, void *pointer)
{
	worker_of(w)->pointer = pointer;
}

static void *server_worker_pointer(const struct drover_worker *w)
{
	return worker_of(w)->pointer;
}

static int64_t server_now(const struct drover_worker *w)
{
	return worker_of(w)->worker->loop.now_ms;
}

static enum log_level level_of(int level)
{
	switch (level) {
	case DROVER_LOG_ERROR:
		return LOG_LEVEL_ERROR;
	case DROVER_LOG_WARNING:
		return LOG_LEVEL_WARNING;
	case DROVER_LOG_INFO:
		return LOG_LEVEL_INFO;
	default:
		return LOG_LEVEL_DEBUG;
	}
}

static __attribute__((format(printf, 3, 4))) void server_log(const struct drover_connection *c, int level,
                                                             const char *format, ...)
{
	char text[2048], id[CONNECTION_ID_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	if (c)
		log_about(level_of(level), LOG_ABOUT(.connection = connection_id(module_connection(c), id)), "%s %s: %s",
		          module_worker_of(module_connection(c))->worker->service->name, id, text);
	else
		log_about(level_of(level), LOG_ABOUT(.connection = NULL), "%s: %s",
		          this_worker->worker->service->name, text);
}

static const struct drover_server server = {
	.size = sizeof server,
	.abi_major = DROVER_ABI_MAJOR,
	.abi_minor = DROVER_ABI_MINOR,
	.version = PACKAGE_VERSION,
	.write = server_write,
	.lend = server_lend,
	.reply = server_reply,
	.unsent = server_unsent,
	.finish = server_finish,
	.abort = server_abort,
	.frame = server_frame,
	.pause = server_pause,
	.resume = server_resume,
	.set_pointer = server_set_pointer,
	.pointer = server_pointer,
	.worker = server_worker,
	.set_timer = server_set_timer,
	.endpoint = module_facts_endpoint,
	.tls = module_facts_tls,
	.id = module_facts_id,
	.set_worker_pointer = server_set_worker_pointer,
	.worker_pointer = server_worker_pointer,
	.now = server_now,
	.log = server_log,
	.timer_new = module_timer_new,
	.timer_set = module_timer_set,
	.timer_free = module_timer_free,
	.watch_new = module_watch_new,
	.watch_set = module_watch_set,
	.watch_free = module_watch_free,
};

const struct drover_server *module_server_for(const struct module_worker *m)
{
	this_worker = m;
	return &server;
}
