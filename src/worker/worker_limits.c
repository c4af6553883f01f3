/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets scheduling, umask and resource limits while the worker still has the privileges of the
 * master, and raises the limit of descriptors to what its connections and programs need.
 */
#include <config.h>
#include "worker_limits.h"

#include <sched.h>
#include <sys/stat.h>

#include "log.h"
#include "niceness.h"

#define SPARE_DESCRIPTORS 32            /* beside connections: logs, leash, epoll, listeners... */

static void add_limit(struct rlimit_list *l, int resource, const struct conf_rlimit *limit)
{
	if (limit->given)
		rlimits_set(l, resource, limit->value, limit->value);
}

static void collect_limits(struct worker *w)
{
	const struct conf_rlimits *r = &w->service->rlimits;

	if (worker_runs_programs(w))
		rlimits_set(&w->limits, RLIMIT_NOFILE, w->start.nofile.rlim_cur,
		            w->start.nofile.rlim_max);
	add_limit(&w->limits, RLIMIT_NOFILE, &r->nofile);
	add_limit(&w->limits, RLIMIT_NPROC, &r->nproc);
	add_limit(&w->limits, RLIMIT_CORE, &r->core);
	add_limit(&w->limits, RLIMIT_AS, &r->as);
	add_limit(&w->limits, RLIMIT_CPU, &r->cpu);
}

static struct handler_descriptors descriptors_of_handler(const struct worker *w)
{
	return w->handler->descriptors ? w->handler->descriptors(w->service)
	                               : (struct handler_descriptors){ 0 };
}

/*
 * Raises the limit for all slots and for as many lingering connections. A program needs its pipe
 * as well, and processes that ended programs have left may still hold theirs.
 */
static void want_descriptors(const struct worker *w)
{
	rlimits_want_descriptors((rlim_t)w->service->connections * 2 + w->start.n_listeners +
	                         descriptors_of_handler(w).wanted +
	                         (worker_runs_programs(w) ? PROGRAMS_LEFT_MAX : 0) + SPARE_DESCRIPTORS);
}

static void warn_of_few_descriptors(const struct worker *w)
{
	struct rlimit have;

	if (getrlimit(RLIMIT_NOFILE, &have) == 0 &&
	    have.rlim_cur < (rlim_t)w->service->connections + w->start.n_listeners +
	                    descriptors_of_handler(w).needed + SPARE_DESCRIPTORS)
		log_warn("%s: %d connections a worker, but the limit of descriptors is %llu",
		         w->service->name, w->service->connections,
		         (unsigned long long)have.rlim_cur);
}

static int failed(const char **what, const char *step)
{
	*what = step;
	return -1;
}

int worker_limits_set(struct worker *w, const char **what)
{
	const struct conf_service *s = w->service;

	if (s->has_nice && niceness_set(s->nice) == -1)
		return failed(what, "set nice");
	if (s->cpus && sched_setaffinity(0, sizeof s->cpu_set, &s->cpu_set) == -1)
		return failed(what, "set cpus");
	if (s->umask != CONF_KEEP)
		umask((mode_t)s->umask);
	want_descriptors(w);
	collect_limits(w);
	rlimits_prune(&w->limits);
	if (!worker_runs_programs(w) && rlimits_apply(&w->limits) == -1)
		return failed(what, "set rlimits");
	warn_of_few_descriptors(w);
	return 0;
}
