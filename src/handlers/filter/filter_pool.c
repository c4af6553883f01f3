/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides which process gets the next request, and when a process is replaced. During a turn of
 * the loop, requests are only queued; they are handed out at its end, so that requests that come
 * together are written together. It does not know what the loss of a process means: for requests
 * and the next process filter_policy.c decides that, and for the service filter_health.c.
 */
#include <config.h>
#include "filter_pool.h"

#include <errno.h>
#include <stdlib.h>

#include "filter_health.h"
#include "filter_log.h"
#include "filter_policy.h"
#include "log.h"
#include "worker.h"

struct filter_pool {
	struct filter_owner        owner;
	const struct filter_asker *asker;
	struct worker             *worker;
	const struct conf_filter  *conf;
	struct list                serving;     /* processes */
	uint32_t                   n_serving;
	struct list                queue;       /* requests */
	uint32_t                   n_queued;
	struct timer               pump;        /* hands out requests, at the end of this turn */
	struct timer               again;       /* no process is started before it fires */
	struct timer               patience;    /* when it fires, requests that wait fail */
	struct timer               probation;   /* until it fires, a new process may still write a greeting */
	struct filter_trouble      trouble;
	struct filter_health       health;
	bool                       pumping;
	bool                       released;
	bool                       suspicious;  /* the last process wrote before it had a request */
};

/* ---- the queue ---------------------------------------------------------- */

static bool is_owned(const struct filter_pool *pool)
{
	return pool->conf->share == FILTER_SHARE_CONNECTION;
}

static void show_queue(const struct filter_pool *pool)
{
	board_set(&pool->worker->slot->queued, pool->n_queued);
}

/* At the end of this turn; if on_pump calls this, a millisecond later, so that the loop gets on. */
static void pump_soon(struct filter_pool *pool)
{
	if (!timer_is_set(&pool->pump))
		loop_timer(pool->owner.loop, &pool->pump, pool->pumping ? 1 : 0);
}

static void enqueue(struct filter_pool *pool, struct list *before, struct filter_request *r)
{
	list_append(before, &r->in_queue);
	pool->n_queued++;
	show_queue(pool);
	pump_soon(pool);
}

static void dequeue(struct filter_pool *pool, struct filter_request *r)
{
	if (list_empty(&r->in_queue))
		return;
	list_remove(&r->in_queue);
	pool->n_queued--;
	show_queue(pool);
}

static void fail_all_waiting(struct filter_pool *pool)
{
	struct list waiting;
	struct filter_request *r;

	/* A client whose request fails may ask again at once: that request must not be in this list. */
	list_append(&pool->queue, &waiting);
	list_remove(&pool->queue);
	while (!list_empty(&waiting)) {
		r = container_of(waiting.next, struct filter_request, in_queue);
		dequeue(pool, r);
		pool->asker->failed(r);
	}
}

/* ---- starts ------------------------------------------------------------- */

/* Starts no process for a while: trouble has begun, or goes on. */
static void back_off(struct filter_pool *pool)
{
	struct loop *l = pool->owner.loop;

	if (pool->released || timer_is_set(&pool->again))
		return;
	filter_policy_add_trouble(&pool->trouble, &pool->worker->service->restart, l->now_ms);
	loop_timer(l, &pool->again, pool->trouble.delay_ms);
	loop_timer_at(l, &pool->patience, filter_policy_patience_ms(&pool->trouble, pool->conf));
	worker_event(pool->worker, "filter-delayed after=%lld", (long long)pool->trouble.delay_ms);
}

/*
 * Whether there is no process and none can be expected soon: those that were started were of no
 * use, or there has been none for as long as one may take for a request. If each connection needs
 * a process of its own, those of other connections do not count.
 */
static bool is_down(const struct filter_pool *pool)
{
	return (pool->n_serving == 0 || is_owned(pool)) &&
	       (health_fails(pool->worker) ||
	        filter_policy_patience_ms(&pool->trouble, pool->conf) <= pool->owner.loop->now_ms);
}

static struct filter_process *start_process(struct filter_pool *pool)
{
	struct worker *w = pool->worker;
	struct filter_process *p;

	if (pool->released || timer_is_set(&pool->again))
		return NULL;
	p = filter_process_start(&pool->owner);
	if (!p) {
		filter_health_start_failed(&pool->health, errno);
		back_off(pool);
		return NULL;
	}
	filter_health_started(&pool->health);
	if (is_owned(pool))
		pool->trouble.since_ms = 0;
	if (pool->suspicious)
		loop_timer(pool->owner.loop, &pool->probation, pool->trouble.delay_ms);
	list_append(&pool->serving, &filter_process_links(p)->in_pool);
	board_set(&w->slot->filters, ++pool->n_serving);
	filter_log_start(w, p);
	return p;
}

static void start_own(struct filter_pool *pool, struct filter_request *r)
{
	r->own = start_process(pool);
	if (r->own)
		filter_process_links(r->own)->own = r;
}

static void start_missing(struct filter_pool *pool)
{
	while (!is_owned(pool) && pool->n_serving < (uint32_t)pool->conf->processes && start_process(pool))
		;
}

/* ---- handing out -------------------------------------------------------- */

static void hand_to(struct filter_pool *pool, struct filter_process *p, struct filter_request *r)
{
	dequeue(pool, r);
	if (filter_process_put(p, r) == -1) {
		log_warn("%s: no memory for a request", pool->owner.name);
		pool->asker->failed(r);
	}
}

/* The process with the fewest requests; NULL: all are full, or there is none. */
static struct filter_process *with_room(struct filter_pool *pool)
{
	struct filter_process *best = NULL;

	for (struct list *l = pool->serving.next; l != &pool->serving; l = l->next) {
		struct filter_process *p = filter_process_of(l);

		if (filter_process_has_room(p) &&
		    (!best || filter_process_n(p) < filter_process_n(best)))
			best = p;
	}
	return best;
}

/* Gives r to a process. False: none has room, and the queue has to wait. */
static bool serve_first(struct filter_pool *pool, struct filter_request *r)
{
	struct filter_process *p;

	while ((p = with_room(pool)) && !filter_process_is_quiet(p))
		start_missing(pool);
	if (p)
		hand_to(pool, p, r);
	return p;
}

/* If its process turns out to be lost, r fails, and may not exist any more afterwards. */
static void serve_own(struct filter_pool *pool, struct filter_request *r)
{
	if (!r->own)
		start_own(pool, r);
	if (r->own && filter_process_is_quiet(r->own))
		hand_to(pool, r->own, r);
}

static void hand_out(struct filter_pool *pool)
{
	struct filter_request *r;

	if (timer_is_set(&pool->probation))
		return;
	list_each(&pool->queue, r, struct filter_request, in_queue)
		if (is_owned(pool))
			serve_own(pool, r);
		else if (!serve_first(pool, r))
			break;
}

static void flush_all(struct filter_pool *pool)
{
	/* If a process is lost here, a draining worker may have nothing left to do, and release the pool. */
	for (struct list *l = pool->serving.next, *next = l->next;
	     l != &pool->serving && !pool->released; l = next, next = next->next)
		filter_process_flush(filter_process_of(l));
}

static void on_pump(struct timer *t)
{
	struct filter_pool *pool = container_of(t, struct filter_pool, pump);

	pool->pumping = true;
	start_missing(pool);
	hand_out(pool);
	flush_all(pool);
	if (is_down(pool))
		fail_all_waiting(pool);
	pool->pumping = false;
}

static void on_backoff_over(struct timer *t)
{
	pump_soon(container_of(t, struct filter_pool, again));
}

static void on_probation(struct timer *t)
{
	struct filter_pool *pool = container_of(t, struct filter_pool, probation);

	pool->suspicious = false;
	pump_soon(pool);
}

static void on_patience(struct timer *t)
{
	pump_soon(container_of(t, struct filter_pool, patience));
}

/* ---- what processes do -------------------------------------------------- */

static struct filter_pool *pool_of(struct filter_owner *o)
{
	return container_of(o, struct filter_pool, owner);
}

static void remove_process(struct filter_pool *pool, struct filter_process *p)
{
	list_remove(&filter_process_links(p)->in_pool);
	board_set(&pool->worker->slot->filters, --pool->n_serving);
}

static void on_answered(struct filter_owner *o, struct filter_process *p,
                        struct filter_request *r, const struct filter_answer *a)
{
	struct filter_pool *pool = pool_of(o);

	board_add(&pool->worker->slot->answered, 1);
	board_add_time(&pool->worker->slot->answer, a->took_ms);
	/* Only a first answer: those of an old process do not show that new ones work. */
	if (filter_process_answered(p) == 1)
		pool->trouble.delay_ms = 0;
	if (!is_owned(pool))
		pool->trouble.since_ms = 0;
	if (filter_process_n(p) == 0 && !is_owned(pool) && pool->conf->max_requests > 0 &&
	    filter_process_answered(p) >= (uint64_t)pool->conf->max_requests) {
		remove_process(pool, p);
		board_add(&pool->worker->slot->replaced, 1);
		filter_process_dismiss(p, FILTER_END_RECYCLED);
	}
	if (pool->n_queued > 0 || pool->n_serving < (uint32_t)pool->conf->processes)
		pump_soon(pool);
	health_works(pool->worker, false);
	if (r)
		pool->asker->answered(r, a);
}

/* The requests that p has not read wait again, at the front of the queue; the others fail. */
static void settle_requests(struct filter_pool *pool, struct filter_process *p,
                            const struct filter_death *d)
{
	struct list *const first = pool->queue.next;
	struct filter_request *r;
	struct list failed;

	list_init(&failed);
	for (size_t i = 0; filter_process_take_back(p, &r); i++) {
		if (!r)
			continue;
		if (filter_policy_gives_on(d, i))
			enqueue(pool, first, r);
		else
			list_append(&failed, &r->in_queue);
	}
	while (!list_empty(&failed)) {
		r = container_of(failed.next, struct filter_request, in_queue);
		list_remove(&r->in_queue);
		pool->asker->failed(r);
	}
}

static void on_lost(struct filter_owner *o, struct filter_process *p, enum filter_end why,
                    size_t n_unread)
{
	struct filter_pool *pool = pool_of(o);
	struct filter_request *own = filter_process_links(p)->own, *r;
	const struct filter_death d = {
		.why = why, .answered = filter_process_answered(p), .n = filter_process_n(p),
		.n_unread = n_unread,
	};

	remove_process(pool, p);
	filter_health_lost(&pool->health);
	board_add(&pool->worker->slot->replaced, 1);
	filter_log_loss(pool->worker, p);
	if (own) {
		while (filter_process_take_back(p, &r))
			;
		own->own = NULL;
		dequeue(pool, own);     /* it may still wait for its turn */
		pool->asker->failed(own);
	} else {
		settle_requests(pool, p, &d);
	}
	filter_process_links(p)->early = filter_policy_backs_off(&d);
	if (filter_process_links(p)->early) {
		pool->suspicious = why == FILTER_END_UNASKED;
		timer_unset(&pool->owner.loop->timers, &pool->probation);
		back_off(pool);
	}
	pump_soon(pool);
}

static void on_process_ended(struct filter_owner *o, struct filter_process *p, int status)
{
	struct filter_pool *pool = pool_of(o);

	filter_log_end(pool->worker, p, status);
	if (!pool->released && filter_health_judge(&pool->health, p, status))
		pump_soon(pool);
}

/* ---- connections -------------------------------------------------------- */

void filter_pool_open(struct filter_pool *pool, struct filter_request *r)
{
	list_init(&r->in_queue);
	if (is_owned(pool))
		start_own(pool, r);
}

void filter_pool_ask(struct filter_pool *pool, struct filter_request *r)
{
	enqueue(pool, &pool->queue, r);
}

void filter_pool_close(struct filter_pool *pool, struct filter_request *r)
{
	dequeue(pool, r);
	if (r->process)
		filter_process_forget(r->process, r);
	if (!r->own)
		return;
	remove_process(pool, r->own);
	filter_process_links(r->own)->own = NULL;
	filter_process_dismiss(r->own, FILTER_END_CLOSED);
}

/* ---- the pool ----------------------------------------------------------- */

struct filter_pool *filter_pool_new(struct worker *w, const struct filter_asker *asker)
{
	struct filter_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pool->worker = w;
	pool->asker = asker;
	pool->conf = &w->service->handler.filter;
	pool->owner = (struct filter_owner){
		.loop = &w->loop, .programs = &w->programs, .conf = pool->conf,
		.name = w->service->name, .envp = w->programs.environment.strings,
		.scratch = w->scratch, .scratch_len = WORKER_SCRATCH,
		.answered = on_answered, .lost = on_lost, .ended = on_process_ended,
	};
	list_init(&pool->serving);
	list_init(&pool->queue);
	pool->pump.fire = on_pump;
	pool->again.fire = on_backoff_over;
	pool->patience.fire = on_patience;
	pool->probation.fire = on_probation;
	filter_health_init(&pool->health, w, &pool->serving);
	start_missing(pool);
	return pool;
}

void filter_pool_release(struct filter_pool *pool)
{
	pool->released = true;
	timer_unset(&pool->owner.loop->timers, &pool->pump);
	timer_unset(&pool->owner.loop->timers, &pool->again);
	timer_unset(&pool->owner.loop->timers, &pool->patience);
	timer_unset(&pool->owner.loop->timers, &pool->probation);
	filter_health_lost(&pool->health);
	while (!list_empty(&pool->serving)) {
		struct filter_process *p = filter_process_of(pool->serving.next);

		remove_process(pool, p);
		filter_process_dismiss(p, FILTER_END_DRAINED);
	}
}

void filter_pool_free(struct filter_pool *pool)
{
	if (!pool)
		return;
	filter_pool_release(pool);
	free(pool);
}
