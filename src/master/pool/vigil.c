/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looking at all workers in turn. One that starts has timeouts.start, and one
 * that was told to stop is killed if it does not; all others are watched.
 */
#include <config.h>
#include "vigil.h"

#include "evidence.h"
#include "list.h"
#include "log.h"
#include "proc.h"

#define LINE_ROOM 512

static void tell(const struct vigil *v, const struct child *c)
{
	struct evidence e = { .pid = c->pid, .now_ms = v->loop->now_ms };
	char doing[LINE_ROOM];
	struct text t = text_in(doing, sizeof doing);

	evidence_look(&e, v->children->memory->board, children_index(v->children, c));
	evidence_put_work(&t, &e);
	log_warn("%s: worker (pid %d) hangs: its loop has stood still for %lld.%03lld s; it is %s;"
	         " the kernel says: %s; aborting it", v->service->name, (int)c->pid,
	         (long long)c->still_ms / 1000, (long long)c->still_ms % 1000, doing, c->waited_in);
	notify_send(v->events, "worker-hang service=%s pid=%d still_ms=%lld", v->service->name,
	            (int)c->pid, (long long)c->still_ms);
}

/* True if it had to be aborted. */
static bool look_at(const struct vigil *v, struct child *c)
{
	const int64_t hang_ms = v->service->hang_timeout;
	struct board_worker_view said;

	board_view(v->children->memory->board, children_index(v->children, c), &said);
	switch (watchdog_look(&c->watchdog, said.turn_ms, v->loop->now_ms, hang_ms)) {
	case WATCHDOG_FINE:
		return false;
	case WATCHDOG_PING:
		/* If it is not taken, so much waits there that it wakes up anyway. */
		child_tell(c, &(struct leash_message){ .word = LEASH_PING });
		return false;
	case WATCHDOG_HANGS:
		break;
	}
	c->still_ms = watchdog_still_ms(&c->watchdog, hang_ms);
	proc_describe(c->pid, c->waited_in);
	tell(v, c);
	child_abort(c);
	return true;
}

static void on_timer(struct timer *t)
{
	struct vigil *v = container_of(t, struct vigil, timer);
	bool some = false, aborted = false;

	for (size_t i = 0; i < v->children->n; i++) {
		struct child *c = &v->children->all[i];

		some |= c->state != CHILD_NONE;
		if (c->state == CHILD_ACCEPTING || (c->state == CHILD_DRAINING && !c->starts))
			aborted |= look_at(v, c);
	}
	if (some)
		loop_timer(v->loop, t, watchdog_interval(v->service->hang_timeout));
	if (aborted)
		v->aborted(v);
}

void vigil_begin(struct vigil *v)
{
	v->timer.fire = on_timer;
	if (v->service->hang_timeout > 0 && !timer_is_set(&v->timer))
		loop_timer(v->loop, &v->timer, watchdog_interval(v->service->hang_timeout));
}

void vigil_end(struct vigil *v)
{
	timer_unset(&v->loop->timers, &v->timer);
}
