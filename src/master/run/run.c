/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts the server, obeys signals, reaps children, and frees all at the end. What a signal orders is
 * carried out in src/master/orders.
 */
#include <config.h>
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "activation.h"
#include "changes.h"
#include "clock.h"
#include "control_commands.h"
#include "fd.h"
#include "log.h"
#include "master.h"
#include "orders.h"
#include "pid_file.h"
#include "reload.h"
#include "rlimits.h"
#include "secret.h"
#include "signals.h"
#include "status_questions.h"
#include "stop.h"
#include "takeover.h"

#define LAST_LINES_MS 5000              /* time for log processes to write them when the server stops */
#define DESCRIPTORS 65536               /* two for each of 1,024 workers, 16 services, two generations */

/* ---- children ----------------------------------------------------------- */

/* A child that nothing here knows became ours when its parent, a worker, died. */
static void reclaim_child(struct master *m, pid_t pid, int status)
{
	struct generation *g;

	if (helpers_reaped(&m->helpers, pid, status) || status_holder_reaped(m->status, pid, status))
		return;
	list_each(&m->generations, g, struct generation, in_master) {
		if (generation_reaped(g, pid, status))
			return;
		for (size_t i = 0; i < g->n; i++)
			if (pool_reaped(g->services[i].pool, pid, status)) {
				changes_worker_is_gone(m, pid);
				return;
			}
	}
}

static void reap_children(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reclaim_child(m, pid, status);
}

/* In a worker that was just forked. */
static void forget_others(void *arg, const struct pool *mine)
{
	struct master *m = arg;
	struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		generation_forget(g, generation_has(g, mine) ? mine : NULL);
	service_states_forget(&m->states, mine ? pool_service_state(mine) : NULL);
	secret_wipe(m->last_text);
}

/* In the status process: all but what the configuration says of it. */
static void forget_most(void *arg)
{
	struct master *m = arg;
	struct generation *g;

	list_each(&m->generations, g, struct generation, in_master)
		if (g == m->current)
			generation_forget_services(g);
		else
			generation_forget(g, NULL);
	service_states_forget(&m->states, NULL);
	secret_wipe(m->last_text);
}

static void on_change(void *arg, struct pool *p)
{
	struct master *m = arg;

	(void)p;
	loop_timer(&m->loop, &m->sweep, 0);
}

static void on_crash(void *arg, const struct evidence *e)
{
	struct master *m = arg;
	struct evidence known = *e;
	const struct service *s;

	/* The first workers run a moment before their generation is the current one. */
	if (!m->current)
		return;
	/* What counts is the service as it is now, also for workers of an old generation. */
	s = generation_find(m->current, e->service);
	evidence_name_source(&known, s ? s->conf : NULL);
	crash_reports_keep(&m->crash_reports, m->current->conf->state_dir, &known);
	if (s)
		poison_watch_note(pool_service_state(s->pool)->poison, s->conf, &known);
}

static void on_kicked(void *arg, pid_t worker, uint64_t number, bool found)
{
	changes_kicked(arg, worker, number, found);
}

/* ---- ready -------------------------------------------------------------- */

static void give_up_start(struct master *m, int exit_code)
{
	m->exit_code = exit_code;
	stop_begin(m, ORDER_STOP_NOW);
}

static void become_ready(struct master *m, const struct run_options *o)
{
	if (master_update_pid_file(m) == -1) {
		const int error = errno;

		log_err("write the pid file %s: %s", m->current->conf->pid_file, pid_file_error(error));
		give_up_start(m, error == PID_FILE_EXPOSED || error == EPERM || error == EACCES ? EX_NOPERM :
		           EX_OSERR);
		return;
	}
	if (!master_enter(m, PHASE_SERVING))
		return;
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_READY), "ready");
	notify_send(m->events, "ready generation=%u", m->current->number);
	master_notify(m, "READY=1");
	if (o->ready)
		o->ready(o->arg);
	if (o->detached)
		log_sink_close(&m->first_log);  /* the caller of droverd waits until it is closed */
}

/* Does all that follows from changes among the workers, once a turn. */
static void on_sweep(struct timer *t)
{
	struct master *m = container_of(t, struct master, sweep);

	if (m->phase == PHASE_STARTING && generation_keys_failed(m->current))
		give_up_start(m, EX_CONFIG);
	else if (m->phase == PHASE_STARTING && generation_is_settled(m->current))
		become_ready(m, m->options);
	else if (m->phase == PHASE_SERVING)
		master_notify(m, "");
	reload_check(m);
	takeover_check(m);
	changes_check(m);
	master_reclaim_old(m);
	orders_catch_up(m);
	stop_check(m);
}

static void on_first_conf(void *arg, const struct conf_fetched *result)
{
	struct master *m = arg;
	struct generation_failure failure = { .exit_code = result->exit_code };

	m->fetch = NULL;
	if (result->conf)
		m->current = master_new_generation(m, result, NULL, &failure);
	m->exit_code = failure.exit_code;
	if (m->current)
		master_install(m, m->current);
	else
		loop_stop(&m->loop);
}

/* ---- signals ------------------------------------------------------------ */

static void obey_order(struct master *m, enum order order)
{
	if (order == ORDER_REAP)
		reap_children(m);
	else
		orders_obey(m, order);
}

/* A HUP that the terminal sends means nothing to a server that nohup(1) has started. */
static bool is_terminals(const struct master *m, const struct signalfd_siginfo *info)
{
	return info->ssi_signo == SIGHUP && info->ssi_code == SI_KERNEL && m->hangup_ignored;
}

static void on_signal(struct watch *w, uint32_t events)
{
	struct master *m = container_of(w, struct master, signals);
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	size_t n = signals_read(w->fd, info);

	(void)events;
	for (size_t i = 0; i < n; i++)
		if (!is_terminals(m, &info[i]))
			obey_order(m, lifecycle_order(m->phase, (int)info[i].ssi_signo, info[i].ssi_code));
}

static void on_watchdog(struct timer *t)
{
	struct master *m = container_of(t, struct master, watchdog);

	/* A second message would say nothing more while one is still waiting. */
	if (notify_waiting(m->systemd) == 0)
		notify_send(m->systemd, "WATCHDOG=1");
	loop_timer(&m->loop, t, m->watchdog_ms);
}

/* ---- beginning and end -------------------------------------------------- */

static void start_watchdog(struct master *m)
{
	uint64_t us;
	long n;

	if (activation_number("WATCHDOG_USEC", LONG_MAX, &n) == -1)
		log_warn("WATCHDOG_USEC=\"%s\" in the environment is not a number of microseconds:"
		         " the watchdog is not told that this server lives", getenv("WATCHDOG_USEC"));
	else if (activation_number("WATCHDOG_PID", INT_MAX, &n) == -1)
		log_warn("WATCHDOG_PID=\"%s\" in the environment is not the number of a process:"
		         " the watchdog is not told that this server lives", getenv("WATCHDOG_PID"));
	if (sd_watchdog_enabled(1, &us) <= 0)
		return;
	m->watchdog_ms = (int64_t)(us / 2000);
	if (m->watchdog_ms == 0)
		m->watchdog_ms = 1;
	on_watchdog(&m->watchdog);
}

static struct notify *open_notify(struct master *m, const char *variable, char **kept)
{
	const char *path = getenv(variable);
	struct notify *n = notify_open(&m->loop, path);

	if (!n && path)
		log_warn("%s=\"%s\" in the environment: cannot notify that socket: %m", variable, path);
	*kept = path ? strdup(path) : NULL;
	unsetenv(variable);     /* workers and programs must not use it */
	return n;
}

/*
 * The master needs two for each worker, which can be more than the limit that shells and units set.
 * Programs get that limit.
 */
static int raise_descriptors(struct master *m)
{
	const struct rlimit *given = &m->context.nofile;

	if (getrlimit(RLIMIT_NOFILE, &m->context.nofile) == -1)
		return -1;
	rlimits_want_descriptors(given->rlim_max < DESCRIPTORS ? given->rlim_max : DESCRIPTORS);
	return 0;
}

/* What all pools share. */
static void init_context(struct master *m, const struct run_options *o)
{
	service_states_init(&m->states, &m->loop, m->events);
	m->context = (struct pool_context){ .loop = &m->loop, .events = m->events, .states = &m->states,
	                                    .detached = o->detached, .forget = forget_others,
	                                    .changed = on_change,
	                                    .crashed = on_crash,
	                                    .kicked = on_kicked, .arg = m };
}

static int init_master(struct master *m, const struct run_options *o, struct log_sink *log)
{
	*m = (struct master){ .source = o->source, .self = o->self, .first_log = log, .options = o,
	                      .hangup_ignored = o->hangup_ignored,
	                      .phase = PHASE_STARTING, .upgrade.memfd = -1,
	                      .signals.fd = -1, .sweep.fire = on_sweep,
	                      .watchdog.fire = on_watchdog };
	tzset();        /* before any process is in a chroot */
	list_init(&m->generations);
	list_init(&m->sockets.all);
	stop_init(m);
	if (loop_init(&m->loop) == -1)
		return -1;
	helpers_init(&m->helpers, &m->loop);
	m->systemd = open_notify(m, "NOTIFY_SOCKET", &m->systemd_path);
	m->events = open_notify(m, "DROVER_EVENTS", &m->events_path);
	init_context(m, o);
	m->crash_reports.helpers = &m->helpers;
	m->crash_reports.events = m->events;
	m->started_ms = m->loop.now_ms;
	clock_gettime(CLOCK_REALTIME, &m->started);
	master_note_load(m, true);      /* until one is loaded: what was taken over serves */
	outcome_init(&m->outcome, &m->loop, changes_expired);
	outcome_init(&m->reopening, &m->loop, changes_expired);
	m->control = control_new(&m->helpers, m->events, &(struct control_owner){
		.arg = m, .asked = control_commands_run, .gone = control_commands_forget });
	m->status = status_holder_new(&(struct status_holder_owner){
		.helpers = &m->helpers, .events = m->events, .detached = o->detached,
		.forget = forget_most, .asked = status_questions_find, .arg = m });
	if (!m->control || !m->status)
		return -1;
	if (raise_descriptors(m) == -1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		return -1;
	if (sockets_init(&m->sockets, m->events) == -1) {
		log_err("take the sockets that LISTEN_FDS and LISTEN_FDNAMES in the environment name: %m");
		return -1;
	}
	m->signals = (struct watch){ .fd = signals_open(lifecycle_signals, lifecycle_n_signals),
	                             .ready = on_signal };
	if (m->signals.fd == -1 || loop_watch(&m->loop, &m->signals, EPOLLIN) == -1)
		return -1;
	start_watchdog(m);
	return 0;
}

/* False after the reason was logged. */
static bool begin_serving(struct master *m, const struct run_options *o)
{
	if (takeover_begin(m, o->takeover) == -1)
		return false;
	/* Programs and workers must not inherit them. */
	if (fd_cloexec_from(STDERR_FILENO + 1) == -1) {
		log_err("set close-on-exec on all descriptors: %m");
		return false;
	}
	if (o->takeover->due) {
		reap_children(m);       /* children that have died meanwhile */
		return true;
	}
	m->fetch = conf_fetch_start(&m->helpers, &m->source, NULL, on_first_conf, m);
	if (!m->fetch)
		log_err("start: start the process that checks the configuration: %m");
	return m->fetch;
}

/* Has all that workers have written reach the logs before the server says that it has stopped. */
static void finish_logs(struct master *m)
{
	const int64_t until_ms = clock_ms() + LAST_LINES_MS;
	struct generation *g;
	bool all = true;

	if (master_workers(m) > 0)
		return;                 /* the loop has failed */
	/* Tell all of them first: a slow one must not use up the time of another. */
	list_each(&m->generations, g, struct generation, in_master)
		all = generation_end_log_process(g) && all;
	if (all)
		return;
	stop_extend(m);
	list_each(&m->generations, g, struct generation, in_master)
		log_process_finish(g->log_process, until_ms);
}

static void fini_master(struct master *m)
{
	struct generation *g;

	service_states_end(&m->states);
	status_holder_free(&m->status);
	list_each(&m->generations, g, struct generation, in_master)
		generation_close_outlets(g);
	finish_logs(m);
	pid_file_remove(m->pid_file);
	free(m->pid_file);
	conf_fetch_cancel(&m->fetch);
	crash_reports_leave(&m->crash_reports);
	notify_send(m->events, "stopped");
	if (m->current)
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_STOPPED), "stopped");
	log_use(m->first_log, LOG_LEVEL_INFO);
	list_each(&m->generations, g, struct generation, in_master)
		generation_free(&g);
	sockets_close(&m->sockets);
	control_close(&m->control);
	fd_close(&m->signals.fd);
	secret_free(m->last_text);
	free(m->systemd_path);
	free(m->events_path);
	notify_close(&m->systemd);
	notify_close(&m->events);
	loop_fini(&m->loop);
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&m->first_log);
}

int run_master(const struct run_options *o)
{
	/* Log lines never make the server wait, even before there is a configuration. */
	struct log_sink *log = log_sink_open(LOG_TARGET_STDERR, NULL, LOG_FORMAT_PLAIN);
	struct master m;

	log_use(log, LOG_LEVEL_INFO);
	signals_take_over();
	if (o->notice && !o->takeover->due)
		log_info("%s", o->notice);
	if (init_master(&m, o, log) == -1) {
		log_err("start: %m");
		takeover_refuse(&m, o->takeover, "the new program could not start");
		m.exit_code = EX_OSERR;
	} else if (!begin_serving(&m, o)) {
		m.exit_code = EX_OSERR;
	} else if (loop_run(&m.loop) == -1) {
		m.exit_code = EX_OSERR;
	}
	fini_master(&m);
	return m.exit_code;
}
