/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a worker process from fork to exit: the steps in which it starts, its loop, and its exit.
 * It does not know what the worker obeys meanwhile: worker_orders.c does.
 */
#include <config.h>
#include "worker.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "admission.h"
#include "clock.h"
#include "detach.h"
#include "fd.h"
#include "identity.h"
#include "log.h"
#include "module_file.h"
#include "standard_fds.h"
#include "title.h"
#include "worker_tls.h"
#include "worker_limits.h"
#include "worker_orders.h"

static _Noreturn void cannot_start(const struct worker *w, const char *what)
{
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_WORKER_FAILED),
	          "%s: worker cannot start: %s: %m", w->service->name, what);
	exit(EX_OSERR);
}

static int keep_only_ours(const struct worker_start *s)
{
	int keep[CONF_LISTEN_MAX + 8];
	size_t n = 0;

	for (size_t i = 0; i < s->n_listeners; i++)
		keep[n++] = s->listeners[i];
	keep[n++] = s->leash.orders;
	keep[n++] = s->leash.words;
	keep[n++] = s->module;
	keep[n++] = s->keys ? s->keys->requests : -1;
	keep[n++] = s->keys ? s->keys->answers : -1;
	keep[n++] = s->log ? log_sink_fd(s->log) : -1;
	keep[n++] = s->access_log ? log_sink_fd(s->access_log) : -1;
	keep[n++] = notify_fd(s->events);
	return fd_keep_only(keep, n);
}

static void open_loop(struct worker *w)
{
	if (loop_init(&w->loop) == -1)
		cannot_start(w, "epoll");
	w->loop.woke_ms = &w->slot->turn_ms;
	notify_move(w->start.events, &w->loop);
	if (worker_orders_watch(w) == -1)
		cannot_start(w, "watch signals and leash");
}

static void say_ready(struct worker *w)
{
	atomic_store(&w->slot->state, BOARD_ACCEPTING);
	worker_insist(w, LEASH_READY);
}

/* Makes the child independent of the master: its own log, session and name. */
static void leave_master(struct worker *w)
{
	if (w->start.detached)
		standard_fds_leave_err();       /* it belongs to the caller of droverd, and is not our log */
	log_use(w->start.log, w->start.log_level);
	log_fields_identify(w->service->name, LOG_WORKER(w->start.slot));
	if (detach_from_terminal() == -1)
		cannot_start(w, "leave the terminal");
	title_set("droverd: worker %s", w->service->name);
	title_set_name("drover:%s", w->service->name);
	w->pid = getpid();
}

static void enter_memory(struct worker *w)
{
	w->slot = board_slot(w->start.memory->board, w->start.slot);
	w->input = board_input(w->start.memory->board, w->start.slot);
	board_set(&w->slot->pid, (uint32_t)w->pid);
	board_set(&w->slot->born_ms, clock_ms());
	if (pool_memory_enter(w->start.memory, w->start.slot) == -1)
		cannot_start(w, "unmap the others' part of the scoreboard");
	if (service_memory_enter(w->start.service_memory) == -1)
		cannot_start(w, "enter the memory of the service");
	if (w->start.blocks && blocks_enter(w->start.blocks) == -1)
		cannot_start(w, "protect the table of blocked sources");
}

static void prepare(struct worker *w)
{
	/* A mapping of its own, so that a worker without memory for its work fails now, and not later. */
	w->scratch = mmap(NULL, WORKER_SCRATCH, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->scratch == MAP_FAILED ||
	    records_init(&w->records, w->start.memory->board, w->start.slot) == -1 ||
	    programs_init(&w->programs, &w->loop, w->service, &w->limits,
	                  board_stderr_paid(w->start.memory->board)) == -1 ||
	    environment_wipe_ours() == -1)
		cannot_start(w, "prepare");
}

static void load_module(struct worker *w)
{
	char why[MODULE_WHY_MAX];

	w->module = calloc(1, sizeof *w->module);
	if (!w->module)
		cannot_start(w, "load the module");
	if (module_file_load(w->start.module, w->module, why) == -1) {
		log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_WORKER_FAILED),
		          "%s: worker cannot start: load the module %s: %s", w->service->name,
		          w->service->handler.module.path, why);
		exit(EX_CONFIG);
	}
	fd_close(&w->start.module);
}

/* As the user of the service; but in a chroot there is neither its file nor proc(5). */
static void take_identity(struct worker *w)
{
	const char *what;

	if (w->start.module != -1 && w->service->chroot)
		load_module(w);
	if (identity_take(w, &what) == -1)
		cannot_start(w, what);
	if (w->start.module != -1)
		load_module(w);
}

/* What needs the privileges of the master comes before take_identity. */
static void begin_worker(struct worker *w)
{
	const char *what;

	leave_master(w);
	enter_memory(w);
	w->health.in_unit = getenv("INVOCATION_ID");
	list_init(&w->connections);
	list_init(&w->lingering);
	if (keep_only_ours(&w->start) == -1)
		cannot_start(w, "close what is not ours");
	if (worker_limits_set(w, &what) == -1)
		cannot_start(w, what);
	open_loop(w);
	prepare(w);
	if (worker_tls_begin(w) == -1)
		exit(EX_OSERR);
	take_identity(w);
	if (w->handler->begin && w->handler->begin(w) == -1)
		cannot_start(w, "prepare the handler");
	worker_tls_await_keys(w);
	if (admission_open(w) == -1)
		cannot_start(w, "watch the listeners");
	say_ready(w);
}

static void finish(struct worker *w)
{
	admission_close(w);
	if (w->handler->end)
		w->handler->end(w);
	worker_tls_end(w);
	free(w->module);
	programs_fini(&w->programs);
	records_fini(&w->records);
	munmap(w->scratch, WORKER_SCRATCH);
	notify_close(&w->start.events);
	loop_fini(&w->loop);
}

_Noreturn void worker_main(const struct worker_start *start)
{
	struct worker w = { .start = *start, .service = start->service, .handler = start->handler };
	int result;

	begin_worker(&w);
	result = loop_run(&w.loop);
	finish(&w);
	exit(result == 0 ? EX_OK : EX_OSERR);
}
