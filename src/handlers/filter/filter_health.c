/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * While one process has answered, the ends of others are accidents. If processes ended by
 * themselves, one that lives clearly longer shows that the service is well. If requests ended
 * them, only an answer shows that.
 */
#include <config.h>
#include "filter_health.h"

#include "filter_log.h"
#include "log.h"
#include "worker.h"

#define RECOVERY_MS 1000                /* that one has to live after those that did not, to be well */

/* Whether a process that serves now has shown that it can. */
static bool one_answers(const struct filter_health *h)
{
	for (struct list *l = h->serving->next; l != h->serving; l = l->next)
		if (filter_process_answered(filter_process_of(l)) > 0)
			return true;
	return false;
}

/* ---- births ------------------------------------------------------------- */

/* What is lacking may be there again soon; what is wrong with the program is the service's trouble. */
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

/* It may have taken many attempts: logged when that began, and when it is over. */
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

/* ---- deaths ------------------------------------------------------------- */

void filter_health_lost(struct filter_health *h)
{
	timer_unset(&h->worker->loop.timers, &h->recovery);
}

/*
 * Whether its end says something of all of them. Of a filter that has answered before,
 * a request may be the reason, unless it had none.
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
	/* One that has begun may have ended by accident; one that breaks the contract has not. */
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
