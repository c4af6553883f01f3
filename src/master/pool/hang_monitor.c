/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at all workers, one after the other, except those that have another time limit: a worker
 * that starts has timeouts.start, and one that was told to stop is killed if it does not.
 */
#include <config.h>
#include "hang_monitor.h"

#include "evidence.h"
#include "list.h"
#include "log.h"
#include "proc.h"

#define LINE_ROOM 512

static void log_hang(const struct hang_monitor *h, const struct child *c)
{
	struct evidence e = { .pid = c->pid, .now_ms = h->loop->now_ms };
	char doing[LINE_ROOM];
	struct text t = text_in(doing, sizeof doing);

	evidence_look(&e, h->children->memory->board, children_index(h->children, c));
	evidence_put_work(&t, &e);
	log_about(LOG_LEVEL_WARNING,
	          LOG_ABOUT(.service = h->service->name, .worker = LOG_WORKER(c->slot),
	                    .event = LOG_EVENT_WORKER_HUNG),
	          "%s: worker (pid %d) hangs: its loop has stood still for %lld.%03lld s; it is %s;"
	          " the kernel says: %s; aborting it", h->service->name, (int)c->pid,
	          (long long)c->still_ms / 1000, (long long)c->still_ms % 1000, doing, c->waited_in);
	notify_send(h->events, "worker-hang service=%s pid=%d still_ms=%lld", h->service->name,
	            (int)c->pid, (long long)c->still_ms);
}

/* True if it had to be aborted. */
static bool check_worker(const struct hang_monitor *h, struct child *c)
{
	const int64_t hang_ms = h->service->hang_timeout;
	struct board_worker_view said;

	board_view(h->children->memory->board, children_index(h->children, c), &said);
	switch (hang_detector_look(&c->hang, said.turn_ms, h->loop->now_ms, hang_ms)) {
	case HANG_NONE:
		return false;
	case HANG_PING:
		/* If the leash is full, what waits there wakes the worker anyway. */
		child_tell(c, &(struct leash_message){ .word = LEASH_PING });
		return false;
	case HANG_FOUND:
		break;
	}
	c->still_ms = hang_detector_still_ms(&c->hang, hang_ms);
	proc_describe(c->pid, c->waited_in);
	log_hang(h, c);
	child_abort(c);
	return true;
}

static void on_next_look(struct timer *t)
{
	struct hang_monitor *h = container_of(t, struct hang_monitor, timer);
	bool some = false, aborted = false;

	for (size_t i = 0; i < h->children->n; i++) {
		struct child *c = &h->children->all[i];

		some |= c->state != CHILD_NONE;
		if (c->state == CHILD_ACCEPTING || (c->state == CHILD_DRAINING && child_has_started(c)))
			aborted |= check_worker(h, c);
	}
	if (some)
		loop_timer(h->loop, t, hang_detector_interval(h->service->hang_timeout));
	if (aborted)
		h->aborted(h);
}

void hang_monitor_start(struct hang_monitor *h)
{
	h->timer.fire = on_next_look;
	if (h->service->hang_timeout > 0 && !timer_is_set(&h->timer))
		loop_timer(h->loop, &h->timer, hang_detector_interval(h->service->hang_timeout));
}

void hang_monitor_stop(struct hang_monitor *h)
{
	timer_unset(&h->loop->timers, &h->timer);
}
