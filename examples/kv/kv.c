/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key-value server that speaks the protocol of Redis, as a module of drover. This file is what drover
 * calls. The bytes of a client become requests, a transaction, and one write of all replies.
 */
#include <drover/module.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

#define REPLY_ENOUGH (1024 * 1024)      /* so many bytes are sent before the next request is looked at */

static const struct drover_server *drover;

struct kv {                             /* of a worker; all its connections use it in turn */
	struct store        store;
	struct resp_request request;
	uint64_t            n_full;     /* how often the map was full */
	size_t              at;         /* in kv_data: the next request of these bytes */
	bool                alone;      /* in kv_data: each one has a transaction of its own */
};

/*
 * Opens the data as the options say, or complains. Without sync, the kernel writes when it likes to, which
 * is safe as long as the machine runs. MDB_RDONLY makes no files: there may be no data yet.
 */
static int open_store(struct store *s, struct drover_config *config, unsigned flags)
{
	struct drover_value path = { .size = sizeof path }, sync = path;
	struct drover_value map_size = { .size = sizeof map_size, .integer = 1 << 30 };

	config->find(config, NULL, "map_size", DROVER_INTEGER, &map_size);
	config->find(config, NULL, "sync", DROVER_BOOLEAN, &sync);
	flags |= sync.integer ? 0 : MDB_NOSYNC | MDB_NOMETASYNC;
	if (config->find(config, NULL, "path", DROVER_TEXT, &path) != 1)
		config->complain(config, NULL, "needs path = \"/folder\"");
	else if (map_size.integer < STORE_MAP_SIZE_MIN)
		config->complain(config, map_size.option, "is less than 1 MiB (1048576)");
	else if (!store_open(s, path.text, (size_t)map_size.integer, flags) &&
	         !(flags & MDB_RDONLY && s->error == ENOENT))
		config->complain(config, path.option, "has no usable data: %s", mdb_strerror(s->error));
	else if (access(path.text, R_OK | W_OK | X_OK) == -1)
		config->complain(config, path.option, "cannot be used: %s", strerror(errno));
	else
		return 0;
	return -1;
}

static int kv_configure(struct drover_config *config)
{
	struct store s = { .env = NULL };
	const int result = open_store(&s, config, MDB_RDONLY | MDB_NOLOCK);

	store_close(&s);
	return result;
}

static int kv_worker_start(struct drover_worker *w, struct drover_config *config)
{
	struct kv *kv = calloc(1, sizeof *kv);

	drover->set_worker_pointer(w, kv);
	return kv ? open_store(&kv->store, config, 0) : -1;
}

static void kv_worker_stop(struct drover_worker *w)
{
	struct kv *kv = drover->worker_pointer(w);

	if (kv)
		store_close(&kv->store);
	free(kv);
}

/*
 * Runs requests, until there is enough to reply, in one transaction. If it fails, all of it is undone, and
 * they run again, each one alone, so that each gets the answer that it deserves: no reply was sent yet.
 */
static enum resp_status run_batch(struct kv *kv, struct call *c, const char *bytes, size_t len)
{
	const size_t began_at = kv->at;
	struct store *s = &kv->store;
	enum resp_status status;
	size_t n = 0;

	do {
		status = resp_parse(&kv->request, bytes + kv->at, len - kv->at);
		if (status != RESP_REQUEST)
			break;
		kv->at += kv->request.used;
		c->argv = kv->request.args;
		c->argc = kv->request.n_args;
		if (c->argc > 0)
			command_run(c);
		n++;
	} while (s->error == 0 && kv->at < len && !c->quits && !kv->alone && c->out->len < REPLY_ENOUGH);
	store_end_read(s);
	if (s->error == 0 && (!s->writer || store_commit(s)))
		return status;
	if (s->error == MDB_MAP_FULL && kv->n_full++ == 0)
		drover->log(NULL, DROVER_LOG_WARNING, "the map is full (map_size)");
	c->out->len = 0;
	if (n == 1) {
		resp_error(c->out, "%s", store_why(s->error));
	} else {
		kv->at = began_at;
		kv->alone = true;
		c->quits = false;
		status = RESP_REQUEST;
	}
	store_abort(s);
	return status;
}

/* A client that does not take its replies gets no others until `taken`. */
static ptrdiff_t kv_data(struct drover_connection *c, const char *bytes, size_t len)
{
	struct kv *kv = drover->worker_pointer(drover->worker(c));
	struct resp_reply out = { .bytes = NULL };
	struct call call = { .store = &kv->store, .out = &out };
	enum resp_status status;

	if (len < (uintptr_t)drover->pointer(c))        /* the request cannot be complete yet */
		return 0;
	kv->at = 0;
	kv->alone = false;
	do {
		status = run_batch(kv, &call, bytes, len);
		if (status == RESP_BROKEN)
			resp_error(&out, "ERR Protocol error: %s", kv->request.why);
		if (out.failed)
			drover->abort(c);
		if (out.len > 0)
			drover->write(c, out.bytes, out.len);   /* if it fails, the connection ends anyway */
		resp_reply_free(&out);
	} while (status == RESP_REQUEST && !call.quits && kv->at < len && drover->unsent(c) == 0);
	if (status == RESP_BROKEN || call.quits) {
		drover->finish(c);
		return (ptrdiff_t)len;
	}
	drover->set_pointer(c, (void *)(status == RESP_MORE ? kv->request.need : 0));
	if (status == RESP_REQUEST && kv->at < len)
		drover->pause(c);
	return (ptrdiff_t)kv->at;
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
