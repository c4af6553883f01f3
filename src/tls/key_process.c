/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes one request of each worker in a turn, so that none has to wait for another that asks more
 * often. It logs nothing: it tells the master, which limits how much of that is logged.
 */
#include <config.h>
#include "key_process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "detach.h"
#include "fd.h"
#include "key_sandbox.h"
#include "key_table.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "standard_fds.h"
#include "title.h"

struct key_process {
	struct loop        loop;
	struct key_table  *table;
	struct watch       orders;
	struct leash       leash;
	struct key_report *report;
	size_t             n_callers;
	bool               has_master;
};

struct caller {
	struct key_process *process;
	struct key_caller   is;
	struct watch        watch;      /* of its requests */
};

static void report(struct key_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void report(struct key_report *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->text, sizeof r->text, format, ap);
	va_end(ap);
}

static void say(const struct key_process *p, enum leash_word word)
{
	leash_say(&p->leash, &(struct leash_message){ .word = word });
}

/* ---- requests ----------------------------------------------------------- */

static void stop_if_useless(struct key_process *p)
{
	if (!p->has_master && p->n_callers == 0)
		loop_stop(&p->loop);
}

static void reclaim_caller(struct watch *w)
{
	struct caller *c = container_of(w, struct caller, watch);

	key_channel_close(&c->is.channel);
	free(c);
}

static void end_caller(struct caller *c)
{
	struct key_process *p = c->process;

	p->n_callers--;
	loop_reclaim(&p->loop, &c->watch, reclaim_caller);
	stop_if_useless(p);
}

/* A sound worker never sends that. It will get no more answers. */
static void end_broken(struct caller *c, size_t len)
{
	report(c->process->report, "a worker sent a malformed request (length %zu) to the key process;"
	       " it gets no more signatures", len);
	say(c->process, LEASH_KEYS);
	end_caller(c);
}

static void on_request(struct watch *w, uint32_t events)
{
	struct caller *c = container_of(w, struct caller, watch);
	struct key_request r;
	struct key_answer a;
	ssize_t n = read(w->fd, &r, sizeof r);

	(void)events;
	if (n == -1 && fd_not_yet(errno))
		return;
	if (n <= 0) {
		end_caller(c);
	} else if (!key_request_is_whole(&r, (size_t)n)) {
		end_broken(c, (size_t)n);
	} else {
		key_table_answer(c->process->table, c->is.service, &r, &a);
		/* A worker that does not read its answers does without. */
		if (write(c->is.channel.answers, &a, key_answer_size(&a)) == -1 && errno == EPIPE)
			end_caller(c);
	}
}

/* Takes the channel. */
static void add_caller(struct key_process *p, const struct key_caller *from)
{
	struct caller *c = calloc(1, sizeof *c);
	struct key_channel channel = from->channel;

	if (c) {
		*c = (struct caller){ .process = p, .is = *from,
		                      .watch = { .fd = channel.requests, .ready = on_request } };
		if (loop_watch(&p->loop, &c->watch, EPOLLIN) == 0) {
			p->n_callers++;
			return;
		}
	}
	key_channel_close(&channel);
	free(c);
}

/* ---- orders ------------------------------------------------------------- */

static void on_order(struct watch *w, uint32_t events)
{
	struct key_process *p = container_of(w, struct key_process, orders);
	struct leash_message m;

	(void)events;
	switch (leash_obey(&p->leash, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:              /* its workers finish what they have */
	case LEASH_MALFORMED:
		loop_unwatch(&p->loop, w);
		p->has_master = false;
		stop_if_useless(p);
		return;
	case LEASH_OK:
		break;
	}
	if (m.word == LEASH_KEYS)
		add_caller(p, &(struct key_caller){ (size_t)m.number,
		           { .requests = m.fds[LEASH_FD_REQUESTS], .answers = m.fds[LEASH_FD_ANSWERS] } });
	else if (m.word == LEASH_PING)
		say(p, LEASH_PING);
	else if (m.word == LEASH_END)
		loop_stop(&p->loop);
}

/* ---- birth -------------------------------------------------------------- */

static _Noreturn void cannot_start(const struct key_process *p, const char *what)
{
	report(p->report, "the key process cannot start: %s: %s", what, strerror(errno));
	_exit(EX_OSERR);
}

static void keep_only_ours(const struct key_process *p, const struct key_process_start *s)
{
	int *keep = calloc(2 * s->n_callers + 2, sizeof *keep);
	size_t n = 0;

	if (!keep)
		cannot_start(p, "close what is not ours");
	for (size_t i = 0; i < s->n_callers; i++) {
		keep[n++] = s->callers[i].channel.requests;
		keep[n++] = s->callers[i].channel.answers;
	}
	keep[n++] = s->leash.orders;
	keep[n++] = s->leash.words;
	if (fd_keep_only(keep, n) == -1)
		cannot_start(p, "close what is not ours");
	free(keep);
}

static void leave_master(const struct key_process *p, const struct key_process_start *s)
{
	title_set("droverd: tls keys");
	log_use(NULL, LOG_LEVEL_ERROR);
	keep_only_ours(p, s);
	if (s->detached)
		standard_fds_leave_err();
	if (detach_from_terminal() == -1)
		cannot_start(p, "leave the terminal");
	if (key_sandbox_hide() == -1)
		cannot_start(p, "hide the memory");
}

/* As the user that droverd has, before anything of a worker is read. */
static void read_keys(struct key_process *p, const struct key_process_start *s)
{
	char why[KEY_FILE_WHY];
	size_t n_missing;

	p->table = key_table_read(s->conf, &n_missing, why);
	if (p->table && n_missing == 0)
		return;
	report(p->report, "%s", why);
	if (!p->table || s->needs_all)
		_exit(EX_CONFIG);
	say(p, LEASH_KEYS);
}

static void open_loop(struct key_process *p)
{
	p->orders = (struct watch){ .fd = p->leash.orders, .ready = on_order };
	if (loop_init(&p->loop) == -1 || loop_watch(&p->loop, &p->orders, EPOLLIN) == -1)
		cannot_start(p, "watch the leash");
}

/* OpenSSL opens what it needs for random numbers. */
static void prepare_random(const struct key_process *p)
{
	unsigned char byte;

	if (RAND_bytes(&byte, 1) != 1 || RAND_priv_bytes(&byte, 1) != 1)
		cannot_start(p, "make random numbers");
}

_Noreturn void key_process_main(const struct key_process_start *s)
{
	struct key_process p = { .leash = s->leash, .report = s->report, .has_master = true };
	const char *what;

	leave_master(&p, s);
	prepare_random(&p);
	read_keys(&p, s);
	open_loop(&p);
	for (size_t i = 0; i < s->n_callers; i++)
		add_caller(&p, &s->callers[i]);
	s->forget(s->arg);
	if (key_sandbox_enter(&what) == -1)
		cannot_start(&p, what);
	say(&p, LEASH_READY);
	_exit(loop_run(&p.loop) == 0 ? EX_OK : EX_OSERR);
}
