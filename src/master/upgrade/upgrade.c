/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of an upgrade, in the old program: ask the new one whether it can take over, write the
 * hand-over, execute it. Until then nothing has changed.
 */
#include <config.h>
#include "upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "handover_export.h"
#include "log.h"
#include "self.h"
#include "signals.h"

/* ---- the end of it ------------------------------------------------------ */

void upgrade_is_over(struct master *m)
{
	if (!master_enter(m, PHASE_SERVING))
		return;
	master_notify(m, "READY=1");
	loop_timer(&m->loop, &m->sweep, 0);     /* orders that came meanwhile */
}

void upgrade_refuse(struct master *m, const char *word, const char *why, const char *details)
{
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_UPGRADE_FAILED),
	          "upgrade refused: %s; this program goes on", why);
	notify_send(m->events, "upgrade-failed reason=%s", word);
	upgrade_is_over(m);
	if (m->outcome.kind == OUTCOME_UPGRADE)
		outcome_fail(&m->outcome, CONTROL_REFUSED, "%s", details && *details ? details : why);
}

/* ---- going -------------------------------------------------------------- */

static bool let_pass(void *arg, int fd)
{
	(void)arg;
	fd_set_cloexec(fd, false);
	return true;
}

static bool hold_back(void *arg, int fd)
{
	(void)arg;
	fd_set_cloexec(fd, true);
	return true;
}

static void set_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
}

/* Puts back what we have taken out of the environment, because the next program needs it. */
static void fill_environment(const struct master *m, int memfd, int back, const char *why)
{
	char text[512];

	set_variable("NOTIFY_SOCKET", m->systemd_path);
	set_variable("DROVER_EVENTS", m->events_path);
	if (m->watchdog_ms > 0) {
		snprintf(text, sizeof text, "%lld", (long long)m->watchdog_ms * 2000);
		setenv("WATCHDOG_USEC", text, 1);
		snprintf(text, sizeof text, "%d", (int)getpid());
		setenv("WATCHDOG_PID", text, 1);
	}
	snprintf(text, sizeof text, "%d %d %d %s", (int)getpid(), memfd, back, why ? why : "");
	setenv(UPGRADE_VARIABLE, text, 1);
}

static void empty_environment(void)
{
	static const char *const names[] = {
		"NOTIFY_SOCKET", "DROVER_EVENTS", "WATCHDOG_USEC", "WATCHDOG_PID", UPGRADE_VARIABLE,
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

/* Calls see for each descriptor that the next program inherits. */
static void each_descriptor(const struct master *m, const struct handover *h, int memfd, int own,
                            bool (*see)(void *arg, int fd))
{
	self_each_inherited(m->self, see, NULL);
	if (h)
		handover_each_fd(h, see, NULL);
	see(NULL, memfd);
	if (own != -1)
		see(NULL, own);
}

void upgrade_execute(struct master *m, const struct handover *h, int memfd, int back,
                     const char *why)
{
	const int own = back == -1 ? m->self->fd : -1;
	int saved;

	fill_environment(m, memfd, own, why);
	each_descriptor(m, h, memfd, own, let_pass);
	signals_set_ignored(SIGHUP, m->hangup_ignored);
	if (back == -1)
		self_exec(m->self);
	else
		self_exec_fd(m->self, back);
	saved = errno;
	signals_set_ignored(SIGHUP, false);
	each_descriptor(m, h, memfd, own, hold_back);
	empty_environment();
	errno = saved;
}

/* Any other change that a client waits for would be forgotten. */
static void leave_outcome(struct outcome *o)
{
	if (o->kind != OUTCOME_NONE && o->kind != OUTCOME_UPGRADE)
		outcome_fail(o, CONTROL_REFUSED, "another program takes over meanwhile"
		             " (it goes on with this; ask again)");
}

static void leave_others(struct master *m)
{
	leave_outcome(&m->outcome);
	leave_outcome(&m->reopening);
}

static void execute_new(struct master *m)
{
	char why[256];
	struct handover h;
	int memfd = -1;

	leave_others(m);
	if (handover_init(&h) == 0) {
		memfd = handover_export(&h, m);
		if (memfd != -1)
			upgrade_execute(m, &h, memfd, -1, NULL);
		snprintf(why, sizeof why, "execute %s: %s", m->self->path, strerror(errno));
		handover_free(&h);
		fd_drop(memfd);
	} else {
		snprintf(why, sizeof why, "write down what there is: %s", strerror(errno));
	}
	upgrade_refuse(m, "exec", why, NULL);
}

/* ---- asking the new program --------------------------------------------- */

/* The arguments that we were started with, after "-t". */
static char **arguments(const struct self *self)
{
	size_t n = 0;
	char **argv;

	while (self->argv[n])
		n++;
	argv = calloc(n + 2, sizeof *argv);
	if (!argv)
		return NULL;
	argv[0] = self->argv[0];
	argv[1] = (char *)(uintptr_t)"-t";      /* exec(3) does not change it */
	for (size_t i = 1; i < n; i++)
		argv[i + 1] = self->argv[i];
	return argv;
}

/* In the child, whose standard output goes nowhere. */
static int run_trial(void *arg, int out)
{
	const struct master *m = arg;
	struct self it = *m->self;
	char text[32];

	it.argv = arguments(&it);
	snprintf(text, sizeof text, UPGRADE_TRIAL " %d", m->upgrade.memfd);
	if (!it.argv || setenv(UPGRADE_VARIABLE, text, 1) == -1 ||
	    fd_set_cloexec(m->upgrade.memfd, false) == -1 || dup2(out, STDERR_FILENO) == -1)
		return EX_OSERR;
	signals_unblock();
	self_exec(&it);
	dprintf(STDERR_FILENO, "execute %s: %s\n", it.path, strerror(errno));
	return EX_OSERR;
}

static bool hear_trial(void *arg, const char *line)
{
	struct master *m = arg;
	const bool understood = strcmp(line, UPGRADE_UNDERSTOOD) == 0;

	m->upgrade.understood |= understood;
	return understood;
}

static void on_asked(void *arg, const struct task_result *r)
{
	struct master *m = arg;
	char why[256];

	m->upgrade.check = NULL;
	fd_close(&m->upgrade.memfd);
	if (r->exit_code != EX_OK) {
		snprintf(why, sizeof why, "%s does not accept the configuration (status %d)",
		         m->self->path, r->exit_code);
		upgrade_refuse(m, "check", why, r->complaints);
	} else if (!m->upgrade.understood) {
		snprintf(why, sizeof why, "%s is no droverd that could take over", m->self->path);
		upgrade_refuse(m, "check", why, r->complaints);
	} else {
		execute_new(m);
	}
}

static int start_asking(struct master *m)
{
	const struct task_job job = {
		.what = "asking the new program to check", .title = "configuration",
		.limit_ms = CONF_FETCH_MS, .run = run_trial,
		.keep = m->upgrade.memfd, .hear = hear_trial, .done = on_asked, .arg = m,
	};

	m->upgrade.understood = false;
	m->upgrade.check = task_start(&m->helpers, &job);
	return m->upgrade.check ? 0 : -1;
}

/* Writes the hand-over that the new program would get now. 0, or -1 with errno. */
static int write_trial(struct master *m)
{
	struct handover h;
	int saved;

	if (handover_init(&h) == -1)
		return -1;
	m->upgrade.memfd = handover_export(&h, m);
	saved = errno;
	handover_free(&h);
	errno = saved;
	return m->upgrade.memfd == -1 ? -1 : 0;
}

/* Refuses the upgrade: what could not be done, for the reason in errno. */
static void cannot_begin(struct master *m, const char *what)
{
	char why[128];

	snprintf(why, sizeof why, "%s: %s", what, strerror(errno));
	fd_close(&m->upgrade.memfd);
	upgrade_refuse(m, "check", why, NULL);
}

void upgrade_begin(struct master *m)
{
	char message[64];

	if (master_permit(m, ORDER_UPGRADE) != PERMIT_NOW) {
		m->upgrade.again = true;
		return;
	}
	if (!master_enter(m, PHASE_UPGRADING))
		return;
	m->upgrade.again = false;
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.event = LOG_EVENT_UPGRADING), "upgrading to %s",
	          m->self->path ? m->self->path : "?");
	notify_send(m->events, "upgrade-begin");
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld",
	         (long long)clock_us());
	master_notify(m, message);
	if (!m->self->path || m->self->fd == -1) {
		upgrade_refuse(m, "exec", "/proc was not there at the start, and so it is not known"
		               " where the program lies", NULL);
	} else if (write_trial(m) == -1) {
		cannot_begin(m, "write down what there is");
	} else if (start_asking(m) == -1) {
		cannot_begin(m, "start the process that asks the new program");
	}
}

void upgrade_cancel(struct master *m)
{
	task_cancel(&m->upgrade.check);
	fd_close(&m->upgrade.memfd);
	m->upgrade.again = false;
}
