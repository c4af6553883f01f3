/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop with helpers in it, which are reaped at SIGCHLD as the master does it.
 */
#ifndef DROVER_TESTS_HELPER_HARNESS_H
#define DROVER_TESTS_HELPER_HARNESS_H

#include <sys/wait.h>

#include "helper.h"
#include "signals.h"
#include "unit.h"

static struct loop loop;
static struct helpers helpers;
static struct watch children;
static bool (*reaped_too)(pid_t pid, int status);       /* of children that are no helpers; NULL: there are none */
static int n_strangers;                 /* children that ended, and were none of these any more */

static void reap_children(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info[SIGNALS_AT_ONCE];
	int status;
	pid_t pid;

	(void)events;
	signals_read(w->fd, info);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!helpers_reaped(&helpers, pid, status) && !(reaped_too && reaped_too(pid, status))) {
			n_strangers++;
			loop_stop(&loop);
		}
}

static void open_helpers(void)
{
	static const int signals[] = { SIGCHLD };

	n_strangers = 0;
	reaped_too = NULL;
	signals_take_over();
	signals_set_ignored(SIGALRM, false);    /* Check has a handler for its own time limit */
	ck_assert_int_eq(loop_init(&loop), 0);
	helpers_init(&helpers, &loop);
	children = (struct watch){ .fd = signals_open(signals, 1), .ready = reap_children };
	ck_assert_int_eq(loop_watch(&loop, &children, EPOLLIN), 0);
}

static void close_helpers(void)
{
	ck_assert(list_empty(&helpers.all));
	close(children.fd);
	loop_fini(&loop);
}

#endif
