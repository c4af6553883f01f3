/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gives up what the process has of the master, step by step, and then turns its loop.
 */
#include <config.h>
#include "status_process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "agent_session.h"
#include "detach.h"
#include "environment.h"
#include "facts.h"
#include "fd.h"
#include "http_server.h"
#include "log.h"
#include "loop.h"
#include "niceness.h"
#include "outlet.h"
#include "privileges.h"
#include "rlimits.h"
#include "standard_fds.h"
#include "title.h"

#define DESCRIPTORS 2048                /* of all clients that there can be, and the rest */

struct status_process {
	const struct status_process_start *start;
	struct loop         loop;
	struct facts       *facts;
	struct http_site    site;
	struct http_server *http;
	struct outlet       http_outlet;
	struct agent        agent;
	struct outlet       agent_outlet;
	struct watch        orders;
	struct timer        idle;       /* looks whether all clients are gone */
	bool                is_leaving;
};

static _Noreturn void cannot_start(const char *what)
{
	log_err("status process cannot start: %s: %m", what);
	_exit(EX_OSERR);
}

/* ---- the end ------------------------------------------------------------ */

/* Another process has the listeners; what is open here is finished. ALRM ends what does not end. */
static void leave(struct status_process *p)
{
	if (p->is_leaving)
		return;
	p->is_leaving = true;
	outlet_close(&p->http_outlet);
	outlet_close(&p->agent_outlet);
	if (p->http)
		http_server_leave(p->http);
	facts_leave(p->facts);
	alarm(STATUS_PROCESS_LEAVE_MS / 1000);
	loop_timer(&p->loop, &p->idle, 0);
}

static void on_idle(struct timer *t)
{
	struct status_process *p = container_of(t, struct status_process, idle);

	if (p->agent.n == 0 && (!p->http || http_server_is_idle(p->http)))
		loop_stop(&p->loop);
	else
		loop_timer(&p->loop, t, 100);
}

static void on_orphaned(void *arg)
{
	leave(arg);
}

/* ---- the master --------------------------------------------------------- */

static void on_order(struct watch *w, uint32_t events)
{
	struct status_process *p = container_of(w, struct status_process, orders);
	struct leash_message m;

	(void)events;
	switch (leash_obey(&p->start->leash, &m)) {
	case LEASH_EMPTY:
		return;
	case LEASH_CLOSED:
	case LEASH_MALFORMED:
		loop_unwatch(&p->loop, w);
		leave(p);
		return;
	case LEASH_OK:
		break;
	}
	if (m.word == LEASH_FACTS && m.fds[LEASH_FD_FACTS] != -1) {
		leash_say(&p->start->leash, &(struct leash_message){ .word = LEASH_READY, .number = m.number });
		facts_switch(p->facts, m.fds[LEASH_FD_FACTS]);
	} else if (m.word == LEASH_FACTS) {
		facts_note_life(p->facts);
	} else if (m.word == LEASH_END) {
		leave(p);
	}
}

/* ---- clients ------------------------------------------------------------ */

static void on_http_client(void *arg, int fd, const struct address *client)
{
	const struct status_process *p = arg;

	http_server_add(p->http, fd, client);
}

static void open_http(struct status_process *p)
{
	const struct status_site *site = &p->start->site;

	p->site.page = site->metrics->page.on;
	p->http = http_server_new(&p->loop, p->facts, &p->site);
	p->http_outlet = (struct outlet){ .loop = &p->loop, .allowed = site->metrics->outlet.allowed,
	                                  .taken = on_http_client, .arg = p };
	if (!p->http || outlet_open(&p->http_outlet, site->http.fds, site->http.n) == -1)
		cannot_start("serve HTTP");
}

static void on_balancer(void *arg, int fd, const struct address *client)
{
	struct status_process *p = arg;

	(void)client;
	agent_serve(&p->agent, fd);
}

static void open_agent(struct status_process *p)
{
	const struct status_site *site = &p->start->site;

	agent_init(&p->agent, &p->loop, p->facts);
	p->agent_outlet = (struct outlet){ .loop = &p->loop, .allowed = site->agent->outlet.allowed,
	                                   .taken = on_balancer, .arg = p };
	if (outlet_open(&p->agent_outlet, site->balancers.fds, site->balancers.n) == -1)
		cannot_start("serve load balancers");
}

/* ---- birth -------------------------------------------------------------- */

static void keep_only_ours(const struct status_process_start *s)
{
	int keep[2 * CONF_LISTEN_MAX + 4];
	size_t n = 0;

	for (size_t i = 0; i < s->site.http.n; i++)
		keep[n++] = s->site.http.fds[i];
	for (size_t i = 0; i < s->site.balancers.n; i++)
		keep[n++] = s->site.balancers.fds[i];
	keep[n++] = s->leash.orders;
	keep[n++] = s->leash.words;
	keep[n++] = s->answers;
	keep[n++] = s->log_fd;
	if (fd_keep_only(keep, n) == -1)
		cannot_start("close what is not ours");
}

/* SIGALRM is the only signal that is not blocked, as in the master. */
static void let_alarm_through(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	if (sigprocmask(SIG_UNBLOCK, &set, NULL) == -1)
		cannot_start("unblock ALRM");
}

static void leave_master(const struct status_process_start *s)
{
	title_set("droverd: status");
	keep_only_ours(s);
	if (s->detached)
		standard_fds_leave_err();
	if (detach_from_terminal() == -1)
		cannot_start("leave the terminal");
	let_alarm_through();
	s->forget(s->arg);
	if (environment_wipe_ours() == -1)
		cannot_start("wipe the environment");
}

/* It needs no other process, no file and no core dump. Root may have as many processes as it likes. */
static void take_limits(void)
{
	const struct rlimit none = { 0, 0 };

	niceness_raise_to(STATUS_PROCESS_NICE);         /* if not, it only costs others more time */
	rlimits_want_descriptors(DESCRIPTORS);
	if (setrlimit(RLIMIT_CORE, &none) == -1 || setrlimit(RLIMIT_FSIZE, &none) == -1 ||
	    setrlimit(RLIMIT_NPROC, &none) == -1)
		cannot_start("set its limits");
}

static void leave_root(void)
{
	const char *what;

	if (privileges_leave_root(STATUS_PROCESS_USER, &what) == -1)
		cannot_start(what);
	/* Another process of that user, as another status process, cannot trace it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		cannot_start("hide its memory");
}

static void open_loop(struct status_process *p)
{
	p->idle.fire = on_idle;
	p->orders = (struct watch){ .fd = p->start->leash.orders, .ready = on_order };
	if (loop_init(&p->loop) == -1 || loop_watch(&p->loop, &p->orders, EPOLLIN) == -1)
		cannot_start("watch the leash");
	p->facts = facts_new(&p->loop, &p->start->leash, p->start->answers, on_orphaned, p);
	if (!p->facts)
		cannot_start("watch the answers of the master");
}

/* The log is the server's: what a client that takes this process over could do to it is worse. */
static void leave_log(const struct status_process_start *s)
{
	log_use(NULL, LOG_LEVEL_ERROR);
	if (s->log_fd > STDERR_FILENO)
		fd_drop(s->log_fd);
	standard_fds_leave_err();
}

_Noreturn void status_process_main(const struct status_process_start *start)
{
	struct status_process p = { .start = start };

	leave_master(start);
	open_loop(&p);
	if (start->site.http.n > 0)
		open_http(&p);
	open_agent(&p);
	take_limits();
	leave_root();
	leave_log(start);
	leash_say(&start->leash, &(struct leash_message){ .word = LEASH_READY });
	_exit(loop_run(&p.loop) == 0 ? EX_OK : EX_OSERR);
}
