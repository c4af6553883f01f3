/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the states of services in a list, one for each service; two while a reload has changed the
 * size of the memory and workers of the old generation still drain. Logs when episodes of refusals
 * begin and end.
 */
#include <config.h>
#include "service_state.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "episode.h"
#include "log.h"

#define AUDIT_MS 20                     /* between two passes of an audit */
#define KEY_RETRY_MS 60000              /* after a key for tickets could not be made */

/* ---- what workers hold -------------------------------------------------- */

void service_state_join(struct service_state *s, struct service_member *m, struct holds *holds)
{
	m->holds = holds;
	list_append(&s->members, &m->in_state);
}

void service_state_leave(struct service_member *m)
{
	if (m->in_state.next)
		list_remove(&m->in_state);
}

/* The holds of all members; NULL without memory. The caller frees the array. */
static struct holds **all_holds(const struct service_state *s, size_t *n)
{
	struct holds **all;
	struct service_member *m;

	*n = 0;
	list_each(&s->members, m, struct service_member, in_state)
		(*n)++;
	all = calloc(*n + 1, sizeof *all);
	*n = 0;
	list_each(&s->members, m, struct service_member, in_state)
		if (all)
			all[(*n)++] = m->holds;
	return all;
}

static void end_audit(struct service_state *s)
{
	if (s->audits_death)
		notify_send(s->states->events, "limits-audited service=%s corrected=%llu", s->service,
		            (unsigned long long)s->audit.corrected);
	s->audits_death = false;
}

static void on_next_pass(struct timer *t)
{
	struct service_state *s = container_of(t, struct service_state, next_pass);
	size_t n;
	struct holds **all = all_holds(s, &n);

	if (!all || audit_pass(&s->audit, s->memory.sources, all, n) == AUDIT_AGAIN)
		loop_timer(s->states->loop, t, AUDIT_MS);
	else
		end_audit(s);
	free(all);
}

static void begin_audit(struct service_state *s, bool of_death)
{
	s->audits_death |= of_death;
	audit_begin(&s->audit);
	loop_timer(s->states->loop, &s->next_pass, AUDIT_MS);
}

/* ---- episodes ----------------------------------------------------------- */

static bool is_limit(enum refusal why)
{
	return why == REFUSAL_CONNECTIONS || why == REFUSAL_SOURCE || why == REFUSAL_RATE ||
	       why == REFUSAL_SOURCE_RATE;
}

/* Whether its clients wait in the accept queue, and are not refused. */
static bool is_queued(const struct service_state *s, enum refusal why)
{
	return s->queues && !s->dry_run && (why == REFUSAL_CONNECTIONS || why == REFUSAL_RATE);
}

static void tell_begin(const struct service_state *s, enum refusal why, const struct episode_view *v)
{
	char first[ADDRESS_TEXT_MAX];

	if (is_queued(s, why))
		log_about(LOG_LEVEL_INFO,
		          LOG_ABOUT(.service = s->service, .event = LOG_EVENT_REFUSING_BEGIN),
		          "%s: clients wait in the queue: %s", s->service, refusal_words(why));
	else
		log_about(LOG_LEVEL_WARNING,
		          LOG_ABOUT(.service = s->service, .event = LOG_EVENT_REFUSING_BEGIN),
		          "%s: %s clients: %s; the first is %s", s->service,
		          s->dry_run && is_limit(why) ? "limits.dry_run, would refuse" : "refusing",
		          refusal_words(why), endpoint_format(&v->first, first, sizeof first));
	notify_send(s->states->events, "refusing-begin service=%s reason=%s", s->service,
	            refusal_name(why));
}

static void tell_end(const struct service_state *s, enum refusal why, const struct episode_view *v)
{
	if (is_queued(s, why))
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = s->service, .event = LOG_EVENT_REFUSING_END),
		          "%s: clients do not wait any more: %s %llu times in %lld s", s->service,
		          refusal_words(why), (unsigned long long)v->refused,
		          (long long)v->lasted_ms / 1000);
	else
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = s->service, .event = LOG_EVENT_REFUSING_END),
		          "%s: %s no more clients: %s; %llu in %lld s", s->service,
		          s->dry_run && is_limit(why) ? "limits.dry_run, would refuse" : "refusing",
		          refusal_words(why), (unsigned long long)v->refused,
		          (long long)v->lasted_ms / 1000);
	notify_send(s->states->events, "refusing-end service=%s reason=%s refused=%llu", s->service,
	            refusal_name(why), (unsigned long long)v->refused);
}

/*
 * A limit of connections keeps clients away: that must not be because a worker that is broken, and
 * lives, has written over a count.
 */
static void on_begun(struct service_state *s, enum refusal why, const struct episode_view *v)
{
	tell_begin(s, why, v);
	if (why == REFUSAL_CONNECTIONS || why == REFUSAL_SOURCE)
		begin_audit(s, false);
}

void service_state_look(struct service_state *s)
{
	const int64_t now_ms = s->states->loop->now_ms;
	int64_t next_ms = CLOCK_NEVER;
	struct episode_view v;

	for (int why = 0; why < REFUSAL_KINDS; why++) {
		switch (episode_look(sources_episode(s->memory.sources, (enum refusal)why), now_ms, &v)) {
		case EPISODE_BEGUN:
			on_begun(s, (enum refusal)why, &v);
			break;
		case EPISODE_ENDED:
			tell_end(s, (enum refusal)why, &v);
			break;
		case EPISODE_NOTHING:
			break;
		}
		next_ms = v.ends_ms < next_ms ? v.ends_ms : next_ms;
	}
	loop_timer_at(s->states->loop, &s->look, next_ms);
}

static void on_look(struct timer *t)
{
	service_state_look(container_of(t, struct service_state, look));
}

/* What has begun ends with the state: no later look will find that it is over. */
static void end_episodes(const struct service_state *s)
{
	struct episode_view v;

	for (int why = 0; why < REFUSAL_KINDS; why++)
		if (episode_end(sources_episode(s->memory.sources, (enum refusal)why),
		                s->states->loop->now_ms, &v))
			tell_end(s, (enum refusal)why, &v);
}

/* ---- ends of workers ---------------------------------------------------- */

void service_state_worker_ended(struct service_state *s, const struct service_member *m, size_t i,
                                bool by_itself)
{
	const struct audit_remains r = audit_reclaim(m->holds, i, s->memory.sources);

	if (r.ignored > 0)
		log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = s->service),
		          "%s: a worker that has ended left %llu holds under the limits that make no sense",
		          s->service, (unsigned long long)r.ignored);
	if (!by_itself || r.intents > 0 || r.ignored > 0)
		begin_audit(s, true);
	service_state_look(s);          /* it may have begun an episode, and not have said so */
}

/* ---- keys for tickets --------------------------------------------------- */

static void on_key_due(struct timer *t)
{
	struct service_state *s = container_of(t, struct service_state, key_due);
	const int64_t now_ms = s->states->loop->now_ms;

	if (ticket_keys_rotate(s->memory.tickets, now_ms) == -1) {
		log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.service = s->service),
		          "%s: make a key for tickets of TLS: %m", s->service);
		loop_timer(s->states->loop, t, KEY_RETRY_MS);
		return;
	}
	notify_send(s->states->events, "tickets-rotated service=%s", s->service);
	loop_timer_at(s->states->loop, t, ticket_keys_due_ms(s->memory.tickets));
}

static bool resumes_sessions(const struct conf_tls *tls)
{
	return tls->on && tls->tickets && !tls->ticket_keys;
}

/* The memory of another state of the same service, from before a reload; NULL if there is none. */
static const struct service_memory *find_like(const struct service_state *mine)
{
	const struct service_state *s;

	list_each(&mine->states->all, s, struct service_state, in_states)
		if (s != mine && s->memory.tickets && strcmp(s->service, mine->service) == 0)
			return &s->memory;
	return NULL;
}

/* 0, or -1 with errno. */
static int prepare_tickets(struct service_state *s, const struct conf_service *conf)
{
	if (!resumes_sessions(&conf->tls))
		return 0;
	if (service_memory_make_tickets(&s->memory, find_like(s), s->states->loop->now_ms) == -1)
		return -1;
	loop_timer_at(s->states->loop, &s->key_due, ticket_keys_due_ms(s->memory.tickets));
	return 0;
}

/* ---- the states --------------------------------------------------------- */

void service_states_init(struct service_states *s, struct loop *l, struct notify *events)
{
	*s = (struct service_states){ .loop = l, .events = events };
	list_init(&s->all);
	poison_watches_init(&s->poisons, l, events);
}

static struct service_state *find(struct service_states *all, const char *service, size_t n_sources)
{
	struct service_state *s;

	list_each(&all->all, s, struct service_state, in_states)
		if (strcmp(s->service, service) == 0 && sources_entries(s->memory.sources) == n_sources)
			return s;
	return NULL;
}

static void free_state(struct service_state *s)
{
	timer_unset(&s->states->loop->timers, &s->look);
	timer_unset(&s->states->loop->timers, &s->next_pass);
	timer_unset(&s->states->loop->timers, &s->key_due);
	audit_end(&s->audit);
	list_remove(&s->in_states);
	service_memory_free(&s->memory);
	poison_watch_release(&s->poison);
	free(s->service);
	free(s);
}

static struct service_state *make(struct service_states *all, const char *service)
{
	struct service_state *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->states = all;
	s->look.fire = on_look;
	s->next_pass.fire = on_next_pass;
	s->key_due.fire = on_key_due;
	s->n_users = 1;
	s->service = strdup(service);
	s->poison = poison_watch_use(&all->poisons, service);
	list_init(&s->members);
	list_append(&all->all, &s->in_states);
	if (s->service && s->poison)
		return s;
	free_state(s);
	return NULL;
}

static struct service_state *make_with_memory(struct service_states *all, const char *service,
                                              size_t n_sources)
{
	struct service_state *s = make(all, service);

	if (!s || service_memory_make(&s->memory, n_sources) == 0)
		return s;
	free_state(s);
	return NULL;
}

struct service_state *service_states_use(struct service_states *all, const struct conf_service *conf)
{
	/* 0: what another program has left does not say it. */
	const size_t n_sources = conf->limits.n_sources > 0 ? conf->limits.n_sources : SOURCES_MIN;
	struct service_state *s = find(all, conf->name, n_sources);

	if (s)
		s->n_users++;
	else
		s = make_with_memory(all, conf->name, n_sources);
	if (s && (poison_watch_prepare(s->poison, conf) == -1 || prepare_tickets(s, conf) == -1))
		service_state_release(&s);
	if (s && !s->is_configured)     /* there is no other configuration that it could have */
		service_state_configure(s, conf);
	return s;
}

void service_state_configure(struct service_state *s, const struct conf_service *conf)
{
	const bool dry_run = conf->limits.dry_run, queues = conf->limits.overload == OVERLOAD_QUEUE;

	/* The line at the end of an episode says of its clients what the one at the begin has said. */
	if (s->is_configured && (dry_run != s->dry_run || queues != s->queues))
		end_episodes(s);
	s->dry_run = dry_run;
	s->queues = queues;
	s->is_configured = true;
}

struct service_state *service_states_adopt(struct service_states *all, const char *service,
                                           const struct service_memory_past *past)
{
	struct service_state *s = make(all, service);

	if (!s)
		return NULL;
	if (service_memory_adopt(&s->memory, past) == -1) {
		free_state(s);
		return NULL;
	}
	if (s->memory.tickets)
		loop_timer_at(all->loop, &s->key_due, ticket_keys_due_ms(s->memory.tickets));
	/* Not now: this program does not have the logs yet. */
	loop_timer(all->loop, &s->look, 0);
	begin_audit(s, true);   /* a worker may have died while no program took note */
	return s;
}

void service_state_share(struct service_state *s)
{
	s->n_users++;
}

void service_state_release(struct service_state **sp)
{
	struct service_state *s = *sp;

	*sp = NULL;
	if (!s || --s->n_users > 0)
		return;
	end_episodes(s);
	free_state(s);
}

void service_states_end(const struct service_states *all)
{
	const struct service_state *s;

	list_each(&all->all, s, const struct service_state, in_states)
		end_episodes(s);
}

void service_states_forget(struct service_states *all, const struct service_state *mine)
{
	struct service_state *s;

	list_each(&all->all, s, struct service_state, in_states)
		if (s != mine)
			service_memory_free(&s->memory);
	poison_watches_forget(&all->poisons, mine ? mine->poison : NULL);
}
