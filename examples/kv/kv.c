/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key-value server that speaks the protocol of Redis, as a module of drover. This file is what drover
 * calls: options, the life of a worker, and the bytes of a client, which become requests, transactions
 * and one reply.
 */
#include <drover/module.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"

#define REPLY_ENOUGH (1024 * 1024)      /* so many bytes are sent before the next request is looked at */
#define ARGS_ENOUGH  4096
#define SWEEP_MS     1000
#define SWEEP_KEYS   200

static const struct drover_server *drover;

struct kv {                             /* of a worker; all its connections use it in turn */
	struct store         store;
	struct resp_request  request;
	struct resp_reply    out;
	struct drover_timer *timer;
	uint32_t             sweep_at;
};

struct options {
	struct drover_value path, map_size, sync;
};

/* False if there is no path. */
static bool read_options(struct drover_config *config, struct options *o)
{
	*o = (struct options){ .map_size.integer = 1 << 30 };
	o->path.size = o->map_size.size = o->sync.size = sizeof o->path;
	config->find(config, NULL, "map_size", DROVER_INTEGER, &o->map_size);
	config->find(config, NULL, "sync", DROVER_BOOLEAN, &o->sync);
	return config->find(config, NULL, "path", DROVER_TEXT, &o->path) == 1;
}

/* Without sync, the kernel writes when it likes to: that is safe as long as the machine runs. */
static bool open_store(struct store *s, const struct options *o, unsigned flags)
{
	const unsigned more = o->sync.integer ? 0 : MDB_NOSYNC | MDB_NOMETASYNC;

	return store_open(s, o->path.text, (size_t)o->map_size.integer, flags | more);
}

/* Reads what data there are, but makes no files: this may be a mere check. */
static int kv_configure(struct drover_config *config)
{
	struct options o;
	struct store s;
	struct stat st;

	if (!read_options(config, &o))
		config->complain(config, NULL, "needs path = \"/folder\"");
	else if (o.map_size.integer < STORE_MAP_SIZE_MIN)
		config->complain(config, o.map_size.option, "is less than 1 MiB (1048576)");
	else if (stat(o.path.text, &st) == -1 || (S_ISDIR(st.st_mode) && access(o.path.text, R_OK | W_OK | X_OK)))
		config->complain(config, o.path.option, "cannot be used: %s", strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		config->complain(config, o.path.option, "is no folder");
	else if (!open_store(&s, &o, MDB_RDONLY | MDB_NOLOCK) && s.error != ENOENT)
		config->complain(config, o.path.option, "has no usable data: %s", mdb_strerror(s.error));
	else
		return 0;
	return -1;
}

/* A few keys now and then, so that what has expired goes also if nothing asks for it. */
static void sweep(void *arg)
{
	struct kv *kv = arg;

	if (store_begin(&kv->store)) {
		kv->sweep_at = store_visit(&kv->store, kv->sweep_at, SWEEP_KEYS, NULL, NULL);
		if (kv->store.error == 0)
			store_commit(&kv->store);
	}
	store_abort(&kv->store);
	drover->timer_set(kv->timer, SWEEP_MS);
}

static int kv_worker_start(struct drover_worker *w, struct drover_config *config)
{
	struct kv *kv = calloc(1, sizeof *kv);
	struct options o;

	drover->set_worker_pointer(w, kv);
	if (!kv || !read_options(config, &o))
		return -1;
	if (!open_store(&kv->store, &o, 0)) {
		drover->log(NULL, DROVER_LOG_ERROR, "%s: %s", o.path.text, mdb_strerror(kv->store.error));
		return -1;
	}
	kv->timer = drover->timer_new(w, sweep, kv);
	return kv->timer ? drover->timer_set(kv->timer, SWEEP_MS) : -1;
}

static void kv_worker_stop(struct drover_worker *w)
{
	struct kv *kv = drover->worker_pointer(w);

	drover->timer_free(kv->timer);
	store_close(&kv->store);
	resp_request_free(&kv->request);
	resp_reply_free(&kv->out);
	free(kv);
}

struct run {                            /* of requests that came together */
	struct call call;
	size_t      at;                 /* the next request */
	size_t      began_at, reply_began;      /* the first one since the last commit, and its reply */
	bool        alone;              /* each one is committed by itself */
};

/*
 * Commits what was changed since the last time. If that fails, all of it is undone, and the requests run
 * again, each in a transaction of its own, so that each gets the answer that it deserves: no reply was
 * sent yet. False then.
 */
static bool settle(struct kv *kv, struct run *run)
{
	const bool was_alone = run->alone;
	struct store *s = &kv->store;

	if (s->error == 0 && (!s->writer || store_commit(s)))
		return true;
	kv->out.len = run->reply_began;
	if (was_alone)
		resp_error(&kv->out, "%s", store_why(s->error));
	else
		run->at = run->began_at;
	store_abort(s);
	run->call.quits = run->call.quits && was_alone;
	run->alone = true;
	return was_alone;
}

/* Runs one request. */
static void run_request(struct kv *kv, struct run *run)
{
	struct call *c = &run->call;
	unsigned kind;

	c->argv = kv->request.args;
	c->argc = kv->request.n_args;
	kind = command_find(c);
	if (kind & COMMAND_LONG && !settle(kv, run))
		return;
	if (!kv->store.writer) {
		run->began_at = run->at;
		run->reply_began = kv->out.len;
	}
	if (!(kind & COMMAND_WRITE) || kv->store.writer || store_begin(&kv->store))
		command_run(c);
	run->at += kv->request.used;
	if (kv->store.error != 0 || run->alone)
		settle(kv, run);
}

/* Runs the requests in these bytes, until there is enough to reply. */
static enum resp_status run_requests(struct kv *kv, struct run *run, const char *bytes, size_t len)
{
	enum resp_status status = RESP_REQUEST;

	do {
		while (run->at < len && !run->call.quits && kv->out.len < REPLY_ENOUGH) {
			status = resp_parse(&kv->request, bytes + run->at, len - run->at);
			if (status != RESP_REQUEST)
				break;
			if (kv->request.n_args > 0)
				run_request(kv, run);
			else
				run->at += kv->request.used;
		}
	} while (!settle(kv, run));
	store_end_read(&kv->store);
	return status;
}

/* Sends the replies. Memory that a large request or reply has needed does not stay for good. */
static void send_replies(struct kv *kv, struct drover_connection *c)
{
	if (kv->out.len > 0)
		drover->write(c, kv->out.bytes, kv->out.len);   /* if that fails, the connection ends anyway */
	kv->out.len = 0;
	if (kv->out.failed || kv->out.room > 4 * REPLY_ENOUGH)
		resp_reply_free(&kv->out);
	if (kv->request.room > ARGS_ENOUGH)
		resp_request_free(&kv->request);
}

/* A client that does not take its replies gets no others: `taken` goes on. */
static ptrdiff_t kv_data(struct drover_connection *c, const char *bytes, size_t len)
{
	struct kv *kv = drover->worker_pointer(drover->worker(c));
	struct run run = { .call = { .store = &kv->store, .out = &kv->out } };
	enum resp_status status;

	if (len < (uintptr_t)drover->pointer(c))        /* the request cannot be complete yet */
		return 0;
	do {
		status = run_requests(kv, &run, bytes, len);
		if (status == RESP_BROKEN)
			resp_error(&kv->out, "ERR Protocol error: %s", kv->request.why);
		if (kv->out.failed)
			drover->abort(c);
		send_replies(kv, c);
	} while (status == RESP_REQUEST && !run.call.quits && run.at < len && drover->unsent(c) == 0);
	if (status == RESP_BROKEN || run.call.quits) {
		drover->finish(c);
		return (ptrdiff_t)len;
	}
	drover->set_pointer(c, (void *)(status == RESP_MORE ? kv->request.need : 0));
	if (status == RESP_REQUEST && run.at < len)
		drover->pause(c);
	return (ptrdiff_t)run.at;
}

static int kv_taken(struct drover_connection *c)
{
	drover->resume(c);
	return 0;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("kv", "1.0"),
	.server = &drover,
	.configure = kv_configure,
	.worker_start = kv_worker_start,
	.worker_stop = kv_worker_stop,
	.data = kv_data,
	.taken = kv_taken,
};
