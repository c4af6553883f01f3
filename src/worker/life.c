/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From fork to exit: closes what is not ours, becomes who the service says,
 * turns the loop, and obeys the master, its signals and its death.
 */
#include <config.h>
#include "life.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "detach.h"
#include "fd.h"
#include "leash.h"
#include "log.h"
#include "niceness.h"
#include "privileges.h"
#include "signals.h"
#include "title.h"

#define SPARE_DESCRIPTORS 32            /* beside connections: logs, leash, epoll, listeners... */

static _Noreturn void cannot_start(const struct worker *w, const char *what)
{
	log_err("%s: worker cannot start: %s: %m", w->service->name, what);
	exit(EX_OSERR);
}

/* ---- orders ------------------------------------------------------------- */

static void begin_to_drain(struct worker *w)
{
	w->draining = true;
	atomic_store(&w->slot->state, BOARD_DRAINING);
	if (w->handler->drain)
		w->handler->drain(w);
}

static void drain(struct worker *w, uint64_t removed)
{
	begin_to_drain(w);
	acceptor_drain(w->acceptor, removed);
	worker_check_end(w);
}

/* Accepts nothing more, whatever waits. */
static void close_doors(struct worker *w)
{
	begin_to_drain(w);
	acceptor_drop(w->acceptor);
}

/* At once for connections; programs have PROGRAM_KILL_MS to go. */
static void stop(struct worker *w)
{
	struct connection *c;

	close_doors(w);
	list_each(&w->connections, c, struct connection, in_worker)
		if (c->state == CONNECTION_PROGRAM)
			connection_end_program(c, END_STOPPED);
		else
			connection_abort(c, END_STOPPED);
	list_each(&w->lingering, c, struct connection, in_worker)
		connection_abort(c, END_STOPPED);
	programs_end(&w->programs);
	worker_check_end(w);
}

static void switch_logs(struct worker *w, const struct leash_message *m)
{
	struct log_sink *const sinks[LEASH_FDS] = {
		[LEASH_FD_LOG] = w->start.log,
		[LEASH_FD_ACCESS_LOG] = w->start.access_log,
	};

	for (int i = 0; i < LEASH_FDS; i++)
		if (m->fds[i] != -1 && sinks[i])
			log_sink_switch(sinks[i], m->fds[i]);
		else
			fd_drop(m->fds[i]);
	worker_event(w, "logs-switched");
}

static void kick(struct worker *w, uint64_t number)
{
	struct connection *c;

	list_each(&w->connections, c, struct connection, in_worker)
		if (c->number == number) {
			connection_kick(c);
			return;
		}
	worker_say_of(w, LEASH_NO_SUCH, number);
}

static void on_shutdown_timeout(struct timer *t)
{
	stop(container_of(t, struct worker, shutdown));
}

static void limit_the_drain(struct worker *w)
{
	if (w->start.shutdown_timeout_ms > 0)
		loop_timer(&w->loop, &w->shutdown, w->start.shutdown_timeout_ms);
}

/* By order of the master, which then keeps the time. */
static void drain_as_told(struct worker *w, uint64_t removed)
{
	timer_unset(&w->loop.timers, &w->shutdown);
	drain(w, removed);
}

/*
 * By a signal from elsewhere. It may have reached the master as well: what that
 * has ordered meanwhile, or orders later, counts more.
 */
static void drain_unasked(struct worker *w)
{
	if (w->draining)
		return;
	worker_insist(w, LEASH_DRAIN);          /* another one may take our place at once */
	limit_the_drain(w);
	drain(w, 0);
}

/* A new master may want our addresses: let go of them at once. */
static void master_is_gone(struct worker *w)
{
	log_warn("%s: the master is gone; finishing %d connections", w->service->name, w->n_open);
	w->start.master = 0;
	loop_unwatch(&w->loop, &w->leash);
	close_doors(w);
	limit_the_drain(w);
	worker_check_end(w);
}

/* Obeys no more orders; tells the master to replace us, if it still listens. */
static void disown_master(struct worker *w)
{
	log_err("%s: an order of the master is malformed; finishing %d connections", w->service->name,
	        w->n_open);
	loop_unwatch(&w->loop, &w->leash);
	drain_unasked(w);
	worker_check_end(w);
}

static void on_leash(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, leash);
	struct leash_message m;

	(void)events;
	switch (leash_obey(&w->start.leash, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:
		master_is_gone(w);
		return;
	case LEASH_MALFORMED:
		disown_master(w);
		return;
	case LEASH_OK:
		break;
	}
	switch (m.word) {
	case LEASH_DRAIN:
		drain_as_told(w, m.removed);
		break;
	case LEASH_END:
		stop(w);
		break;
	case LEASH_LOGS:
		switch_logs(w, &m);
		break;
	case LEASH_LOOK:
		acceptor_look(w->acceptor);
		break;
	case LEASH_SLOTS:
		worker_watch_slots(w, m.few, m.quiet);
		break;
	case LEASH_KICK:
		kick(w, m.number);
		break;
	case LEASH_READY:
	case LEASH_RETIRE:
	case LEASH_NO_SUCH:
	case LEASH_PROGRAMS:
	case LEASH_WORDS:
		break;          /* our own words, and none at all */
	case LEASH_PING:
		break;          /* that we woke up for it, is on the board already */
	}
}

/* A master of the program before ends its workers by TERM. */
static bool is_from_master(const struct worker *w, const struct signalfd_siginfo *info)
{
	return w->start.master > 0 && info->ssi_pid == (uint32_t)w->start.master;
}

/*
 * ^C reaches all processes of the terminal, and so a worker that has not left it yet: the
 * master ends its workers then.
 */
static bool is_for_master(const struct worker *w, const struct signalfd_siginfo *info)
{
	return w->start.master > 0 && info->ssi_code == SI_KERNEL;
}

static void obey_signal(struct worker *w, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		programs_reap(&w->programs);
		break;
	case SIGQUIT:
		if (is_from_master(w, info))
			drain_as_told(w, 0);
		else if (!is_for_master(w, info))
			drain_unasked(w);
		break;
	case SIGTERM:
		if (is_from_master(w, info))
			stop(w);
		else
			drain_unasked(w);
		break;
	case SIGINT:
		if (!is_for_master(w, info))
			stop(w);
		break;
	}
}

static void on_signal(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, signals);
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	size_t n = signals_read(watch->fd, info);

	(void)events;
	for (size_t i = 0; i < n; i++)
		obey_signal(w, &info[i]);
	worker_check_end(w);
}

/* ---- what the acceptor asks and tells ----------------------------------- */

static void on_accepted(void *arg, int fd, const struct endpoint *peer)
{
	connection_new(arg, fd, peer);
}

static bool has_room(void *arg)
{
	return worker_has_room(arg);
}

static bool is_ahead(void *arg, uint64_t *done)
{
	struct worker *w = arg;

	return board_is_ahead(w->start.board, w->start.slot, (uint32_t)w->service->connections,
	                      done);
}

static void on_declined(void *arg)
{
	worker_insist(arg, LEASH_LOOK);
}

static void on_paused(void *arg, const char *reason)
{
	struct worker *w = arg;

	worker_event(w, "accept-paused reason=%s", reason);
	worker_insist(w, LEASH_LOOK);
}

static void on_resumed(void *arg)
{
	struct worker *w = arg;

	worker_event(w, "accept-resumed");
}

static void on_emptied(void *arg)
{
	worker_check_end(arg);
}

/* ---- birth -------------------------------------------------------------- */

static int keep_only_ours(const struct worker_start *s)
{
	int keep[CONF_LISTEN_MAX + 5];
	size_t n = 0;

	for (size_t i = 0; i < s->n_listeners; i++)
		keep[n++] = s->listeners[i];
	keep[n++] = s->leash.orders;
	keep[n++] = s->leash.words;
	keep[n++] = s->log ? log_sink_fd(s->log) : -1;
	keep[n++] = s->access_log ? log_sink_fd(s->access_log) : -1;
	keep[n++] = notify_fd(s->events);
	return fd_keep_only(keep, n);
}

static void add_limit(struct rlimit_list *l, int resource, const struct conf_rlimit *limit)
{
	if (limit->given)
		rlimits_set(l, resource, limit->value, limit->value);
}

static bool runs_programs(const struct worker *w)
{
	return HANDLER_RUNS_PROGRAMS(w->service->handler.kind);
}

static void collect_limits(struct worker *w)
{
	const struct conf_rlimits *r = &w->service->rlimits;

	if (runs_programs(w))
		rlimits_set(&w->limits, RLIMIT_NOFILE, w->start.nofile.rlim_cur,
		            w->start.nofile.rlim_max);
	add_limit(&w->limits, RLIMIT_NOFILE, &r->nofile);
	add_limit(&w->limits, RLIMIT_NPROC, &r->nproc);
	add_limit(&w->limits, RLIMIT_CORE, &r->core);
	add_limit(&w->limits, RLIMIT_AS, &r->as);
	add_limit(&w->limits, RLIMIT_CPU, &r->cpu);
}

/* In, out and standard error of each filter; the socket and standard error of a warm one. */
static rlim_t descriptors_of_programs(const struct conf_service *s)
{
	const struct conf_filter *f = &s->handler.filter;

	switch (s->handler.kind) {
	case HANDLER_FILTER:
		return 3 * (rlim_t)(f->share == FILTER_SHARE_CONNECTION ? s->connections : f->processes);
	case HANDLER_WARM:
		return 2 * (rlim_t)(s->connections + s->handler.warm.n);
	case HANDLER_BYTES: case HANDLER_PROGRAM:
		break;
	}
	return 0;
}

/* Where much goes both ways, a relay has two pipes as well; it can do without. */
static rlim_t descriptors_of_relays(const struct conf_service *s)
{
	return s->handler.kind == HANDLER_WARM ? 4 * (rlim_t)s->connections : 0;
}

/*
 * For all slots and as many connections that linger; a program costs its pipe as
 * well, and the next one may have begun before one that ends is gone.
 */
static void want_descriptors(const struct worker *w)
{
	rlimits_want_descriptors((rlim_t)w->service->connections * 2 + w->start.n_listeners +
	                         2 * descriptors_of_programs(w->service) +
	                         descriptors_of_relays(w->service) +
	                         (runs_programs(w) ? PROGRAMS_LEFT_MAX : 0) + SPARE_DESCRIPTORS);
}

static void warn_of_few_descriptors(const struct worker *w)
{
	struct rlimit have;

	if (getrlimit(RLIMIT_NOFILE, &have) == 0 &&
	    have.rlim_cur < (rlim_t)w->service->connections + w->start.n_listeners +
	                    descriptors_of_programs(w->service) + SPARE_DESCRIPTORS)
		log_warn("%s: %d connections a worker, but the limit of descriptors is %llu",
		         w->service->name, w->service->connections,
		         (unsigned long long)have.rlim_cur);
}

/* Scheduling and limits: while we still may. */
static void take_place(struct worker *w)
{
	const struct conf_service *s = w->service;

	if (s->has_nice && niceness_set(s->nice) == -1)
		cannot_start(w, "set nice");
	if (s->cpus && sched_setaffinity(0, sizeof s->cpu_set, &s->cpu_set) == -1)
		cannot_start(w, "set cpus");
	if (s->umask != CONF_KEEP)
		umask((mode_t)s->umask);
	want_descriptors(w);
	collect_limits(w);
	rlimits_prune(&w->limits);
	if (!runs_programs(w) && rlimits_apply(&w->limits) == -1)
		cannot_start(w, "set rlimits");
	warn_of_few_descriptors(w);
}

static bool stays_root(const struct worker *w)
{
	const uid_t uid = w->service->identity.uid;

	return uid == 0 || (uid == (uid_t)CONF_KEEP && geteuid() == 0);
}

/* Programs get some from the bounding set where they are root's, or set-user-ID counts. */
static bool needs_no_capabilities(const struct worker *w)
{
	return !runs_programs(w) || (w->service->no_new_privs && !stays_root(w));
}

static void take_identity(const struct worker *w)
{
	const struct conf_service *s = w->service;
	const struct privileges p = {
		.uid = s->identity.uid, .gid = s->identity.gid,
		.groups = s->identity.groups, .n_groups = s->identity.n_groups,
		.chroot = s->chroot, .directory = s->directory, .no_new_privs = s->no_new_privs,
		.no_capabilities = needs_no_capabilities(w),
	};
	const char *what;

	if (privileges_take(&p, &what) == -1)
		cannot_start(w, what);
	/*
	 * Changing the user has switched core dumps off; a limit for them asks for them. Not
	 * where programs have that user: of a worker that can be dumped, they could read and
	 * write the memory, as ptrace(2) allows.
	 */
	if (s->may_dump)
		prctl(PR_SET_DUMPABLE, 1);
}

static void open_loop(struct worker *w)
{
	static const int ours[] = { SIGTERM, SIGQUIT, SIGINT, SIGCHLD };

	if (loop_init(&w->loop) == -1)
		cannot_start(w, "epoll");
	w->loop.woke_ms = &w->slot->turn_ms;
	notify_move(w->start.events, &w->loop);
	w->leash = (struct watch){ .fd = w->start.leash.orders, .ready = on_leash };
	w->signals = (struct watch){ .fd = signals_open(ours, sizeof ours / sizeof *ours),
	                             .ready = on_signal };
	if (w->signals.fd == -1 || loop_watch(&w->loop, &w->signals, EPOLLIN) == -1 ||
	    loop_watch(&w->loop, &w->leash, EPOLLIN) == -1)
		cannot_start(w, "watch signals and leash");
}

static void open_acceptor(struct worker *w)
{
	const struct acceptor_owner owner = {
		.arg = w, .accepted = on_accepted, .has_room = has_room, .is_ahead = is_ahead,
		.declined = on_declined, .paused = on_paused, .resumed = on_resumed, .emptied = on_emptied,
	};
	const struct acceptor_options options = {
		.accept_flags = w->handler->keeps == HANDLER_KEEPS_SOCKET ? 0 : SOCK_NONBLOCK,
		.service = w->service->name,
	};

	w->acceptor = acceptor_new(&w->loop, &owner, &options, w->start.listeners,
	                           w->start.n_listeners);
	if (!w->acceptor || acceptor_begin(w->acceptor) == -1)
		cannot_start(w, "watch the listeners");
}

static void say_ready(struct worker *w)
{
	atomic_store(&w->slot->state, BOARD_ACCEPTING);
	worker_insist(w, LEASH_READY);
}

static void begin(struct worker *w)
{
	if (w->start.detached)
		dup2(STDIN_FILENO, STDERR_FILENO);      /* the caller's; the log is not there */
	log_use(w->start.log, w->start.log_level);
	if (detach_from_terminal() == -1)
		cannot_start(w, "leave the terminal");
	title_set("droverd: worker %s", w->service->name);
	title_set_name("drover:%s", w->service->name);
	w->pid = getpid();
	w->health.in_unit = getenv("INVOCATION_ID");
	list_init(&w->connections);
	list_init(&w->lingering);
	w->shutdown.fire = on_shutdown_timeout;
	w->slot = board_slot(w->start.board, w->start.slot);
	w->input = board_input(w->start.board, w->start.slot);
	board_set(&w->slot->pid, (uint32_t)w->pid);
	board_set(&w->slot->born_ms, clock_ms());
	if (board_enter(w->start.board, w->start.slot) == -1)
		cannot_start(w, "unmap the others' part of the scoreboard");
	worker_retire_after(w, w->service->max_accepts);
	if (keep_only_ours(&w->start) == -1)
		cannot_start(w, "close what is not ours");
	take_place(w);
	open_loop(w);
	/* Its own mapping: a worker without memory for its work is to fail now, not later. */
	w->scratch = mmap(NULL, WORKER_SCRATCH, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->scratch == MAP_FAILED ||
	    records_init(&w->records, w->start.board, w->start.slot) == -1 ||
	    programs_init(&w->programs, &w->loop, w->service, &w->limits,
	                  board_stderr_paid(w->start.board)) == -1 ||
	    environment_wipe_ours() == -1)
		cannot_start(w, "prepare");
	take_identity(w);
	if (w->handler->begin && w->handler->begin(w) == -1)
		cannot_start(w, "prepare the handler");
	open_acceptor(w);
	say_ready(w);
}

static void finish(struct worker *w)
{
	acceptor_close(&w->acceptor);
	if (w->handler->end)
		w->handler->end(w);
	programs_fini(&w->programs);
	records_fini(&w->records);
	munmap(w->scratch, WORKER_SCRATCH);
	notify_close(&w->start.events);
	loop_fini(&w->loop);
}

_Noreturn void life_of_worker(const struct worker_start *start)
{
	struct worker w = { .start = *start, .service = start->service, .handler = start->handler };
	int result;

	begin(&w);
	result = loop_run(&w.loop);
	finish(&w);
	exit(result == 0 ? EX_OK : EX_OSERR);
}
