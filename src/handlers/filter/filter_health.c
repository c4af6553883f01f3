/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * While a process serves that has answered before, the ends of others count as accidents. If
 * processes have ended by themselves, one that lives clearly longer shows that the service is well
 * again. If requests have ended them, only an answer shows that.
 */
#include <config.h>
#include "filter_health.h"

#include "filter_log.h"
#include "log.h"
#include "worker.h"

#define RECOVERY_MS 1000                /* a process must live at least this long to show that all is well */

/* Whether a process that serves now has shown that it can. */
static bool one_answers(const struct filter_health *h)
{
	for (struct list *l = h->serving->next; l != h->serving; l = l->next)
		if (filter_process_answered(filter_process_of(l)) > 0)
			return true;
	return false;
}

/* ---- starts ------------------------------------------------------------- */

/*
 * If the machine only lacks something now, or one process answers, starting is tried again.
 * Otherwise the service is failing.
 */
void filter_health_start_failed(struct filter_health *h, int error)
{
	char reason[HEALTH_TEXT_MAX];

	health_explain_start(h->worker, error, reason);
	if (!health_is_passing(error) && !one_answers(h)) {
		h->life_ms = 0;
		h->dies_of_requests = false;
		health_failed(h->worker, reason);
		return;
	}
	if (!h->cannot_start)
		log_err("%s: %s; trying again", h->worker->service->name, reason);
	h->cannot_start = true;
}

/* If starts failed before this one, that was logged when it began, and its end is logged now. */
void filter_health_started(struct filter_health *h)
{
	const struct conf_service *s = h->worker->service;

	if (h->cannot_start)
		log_info("%s: %s has been started again", s->name, s->handler.program);
	h->cannot_start = false;
	if (health_fails(h->worker) && !h->dies_of_requests)
		loop_timer(&h->worker->loop, &h->recovery, RECOVERY_MS + 2 * h->life_ms);
}

/* It has lived for clearly longer than those that ended. */
static void on_recovery(struct timer *t)
{
	struct filter_health *h = container_of(t, struct filter_health, recovery);

	if (!list_empty(h->serving))
		health_works(h->worker, true);
}

/* ---- ends --------------------------------------------------------------- */

void filter_health_lost(struct filter_health *h)
{
	timer_unset(&h->worker->loop.timers, &h->recovery);
}

/*
 * Whether the end of p shows that all processes fail: it never answered, and no other one that
 * serves has. If the filter has worked before, a request may have been the reason, unless p was
 * lost early.
 */
static bool counts_against_all(const struct filter_health *h, struct filter_process *p)
{
	return filter_process_why(p) >= FILTER_END_DIED && filter_process_answered(p) == 0 &&
	       (filter_process_links(p)->early || !h->worker->health.proven) && !one_answers(h);
}

bool filter_health_judge(struct filter_health *h, struct filter_process *p, int status)
{
	char reason[HEALTH_TEXT_MAX];
	struct text t = text_in(reason, sizeof reason);

	if (!counts_against_all(h, p))
		return false;
	h->life_ms = filter_process_age_ms(p);
	h->dies_of_requests = !filter_process_links(p)->early;
	filter_health_lost(h);
	filter_log_reason(h->worker, p, status, &t);
	/* If the filter has never worked, a breach of the contract is no accident: one is enough. */
	if (filter_process_why(p) == FILTER_END_DIED || h->worker->health.proven)
		health_strike(h->worker, reason);
	else
		health_failed(h->worker, reason);
	return true;
}

/* ---- for a pool --------------------------------------------------------- */

void filter_health_init(struct filter_health *h, struct worker *w, struct list *serving)
{
	*h = (struct filter_health){ .worker = w, .serving = serving, .recovery.fire = on_recovery };
}
