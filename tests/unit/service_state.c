/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * States of services: which generations share one, what is given back for workers that died, and
 * what the log says of refusals. Workers are played by the test, which writes what they would
 * write; time does not pass by itself.
 */
#include <config.h>
#include "service_state.h"

#include <stdarg.h>

#include "clock.h"
#include "episode.h"
#include "log.h"
#include "log_sink.h"
#include "unit.h"

#define LOG     "log"
#define WORKERS 3

static struct loop loop;
static struct service_states states;
static struct conf_service conf;
static struct service_state *state;
static struct log_sink *sink;
static struct holds *holds;
static struct service_member member;
static char events[4096];
static bool no_memory;

static const struct endpoint client = { .family = AF_INET, .port = 7, .ip = { 192, 0, 2, 1 } };

void __wrap_notify_send(struct notify *n, const char *format, ...);
struct sources *__wrap_sources_make(size_t entries);
struct sources *__real_sources_make(size_t entries);

/* Keeps all events, a line each. */
void __wrap_notify_send(struct notify *n, const char *format, ...)
{
	const size_t len = strlen(events);
	va_list args;

	(void)n;
	va_start(args, format);
	vsnprintf(events + len, sizeof events - len - 1, format, args);
	va_end(args);
	strcat(events, "\n");
}

struct sources *__wrap_sources_make(size_t entries)
{
	errno = ENOMEM;
	return no_memory ? NULL : __real_sources_make(entries);
}

static void set_up(void)
{
	unit_enter_folder();
	sink = log_sink_open(LOG_TARGET_FILE, LOG, LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
	ck_assert_int_eq(loop_init(&loop), 0);
	service_states_init(&states, &loop, NULL);
	conf = (struct conf_service){ .name = "s", .limits = { .n_sources = 64,
	                              .overload = OVERLOAD_REJECT } };
	state = service_states_use(&states, &conf);
	ck_assert_ptr_nonnull(state);
	holds = holds_new(WORKERS, 4);
	service_state_join(state, &member, holds);
	events[0] = '\0';
}

/* Nothing may be left of states that no one uses. */
static void tear_down(void)
{
	service_state_leave(&member);
	service_state_release(&state);
	holds_free(&holds);
	ck_assert(list_empty(&states.all));
	ck_assert_uint_eq(loop.timers.n, 0);
	loop_fini(&loop);
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	unit_leave_folder();
}

/* Timers fire at their times. */
static void skip(int64_t ms)
{
	const int64_t end_ms = loop.now_ms + ms;

	while (timer_next(&loop.timers) <= end_ms) {
		loop.now_ms = timer_next(&loop.timers);
		timer_run(&loop.timers, loop.now_ms);
	}
	loop.now_ms = end_ms;
}

/* The log has one line, which ends in this; or, for "", none. It is empty then. */
static void expect_log(const char *text)
{
	const char *log = unit_read_file(LOG), *said = strstr(log, " s: ");
	char want[512];

	snprintf(want, sizeof want, "%s%s", text, *text ? "\n" : "");
	ck_assert_str_eq(said ? said + 1 : log, want);
	ck_assert_int_eq(truncate(LOG, 0), 0);
}

/* ---- who shares a state ------------------------------------------------- */

START_TEST(generations_of_a_service_share_its_state)
{
	struct service_state *next = service_states_use(&states, &conf), *first = state;

	ck_assert_ptr_eq(next, first);
	service_state_release(&state);
	ck_assert_ptr_null(state);
	ck_assert_ptr_eq(states.all.next, &first->in_states);
	state = next;
} END_TEST

START_TEST(services_do_not_share_one)
{
	struct conf_service other_conf = conf;
	struct service_state *other;

	other_conf.name = "other";
	other = service_states_use(&states, &other_conf);
	ck_assert_ptr_ne(other, state);
	ck_assert_ptr_ne(other->poison, state->poison);
	service_state_release(&other);
} END_TEST

START_TEST(another_size_of_the_table_is_another_state_and_the_old_one_stays)
{
	struct service_state *wider, *again;

	conf.limits.n_sources = 128;
	wider = service_states_use(&states, &conf);
	ck_assert_ptr_ne(wider, state);
	ck_assert_ptr_eq(wider->poison, state->poison);
	ck_assert_uint_eq(sources_entries(wider->memory.sources), 128);
	conf.limits.n_sources = 64;
	again = service_states_use(&states, &conf);
	ck_assert_ptr_eq(again, state);
	service_state_release(&wider);
	service_state_release(&again);
} END_TEST

START_TEST(keys_of_tickets_are_made_for_tls_and_replaced_in_time)
{
	struct ticket_key keys[TICKET_KEYS_MAX], first;
	struct service_state *wider;
	uint64_t turn = 0;
	size_t n;

	ck_assert_ptr_null(state->memory.tickets);
	conf.tls = (struct conf_tls){ .on = true, .tickets = true };
	ck_assert_ptr_eq(service_states_use(&states, &conf), state);
	ck_assert_ptr_nonnull(state->memory.tickets);
	ck_assert(ticket_keys_read(state->memory.tickets, &turn, keys, &n));
	first = keys[0];
	timer_run(&loop.timers, loop.now_ms += TICKET_KEYS_MS - 1);
	ck_assert(!ticket_keys_read(state->memory.tickets, &turn, keys, &n));
	timer_run(&loop.timers, ++loop.now_ms);
	ck_assert(ticket_keys_read(state->memory.tickets, &turn, keys, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(&keys[1], &first, sizeof first);

	conf.limits.n_sources = 128;            /* another state of the same service */
	wider = service_states_use(&states, &conf);
	ck_assert_ptr_ne(wider, state);
	turn = 0;
	ck_assert(ticket_keys_read(wider->memory.tickets, &turn, keys, &n));
	ck_assert_mem_eq(&keys[1], &first, sizeof first);
	service_state_release(&wider);
	wider = state;
	service_state_release(&wider);
} END_TEST

static const struct conf_tls without_tickets[] = {
	{ .on = false, .tickets = true }, { .on = true, .tickets = false },
	{ .on = true, .tickets = true, .ticket_keys = "/keys" },
};

START_TEST(a_service_that_needs_no_keys_of_tickets_has_none)
{
	struct service_state *s;

	conf.tls = without_tickets[_i];
	s = service_states_use(&states, &conf);
	ck_assert_ptr_null(s->memory.tickets);
	service_state_release(&s);
} END_TEST

/* That is the sketch of a service of which another program has left no table. */
START_TEST(a_configuration_without_a_size_has_a_small_table)
{
	struct service_state *s;

	conf.name = "sketch";
	conf.limits.n_sources = 0;
	s = service_states_use(&states, &conf);
	ck_assert_uint_eq(sources_entries(s->memory.sources), SOURCES_MIN);
	service_state_release(&s);
} END_TEST

START_TEST(a_state_is_freed_with_all_that_it_waits_for)
{
	struct service_state *s;

	conf.name = "busy";
	s = service_states_use(&states, &conf);
	episode_note(sources_episode(s->memory.sources, REFUSAL_ACCESS), &client, loop.now_ms);
	service_state_look(s);
	service_state_join(s, &(struct service_member){ 0 }, holds);
	service_state_worker_ended(s, container_of(s->members.next, struct service_member, in_state), 0, false);
	ck_assert_uint_eq(loop.timers.n, 2);
	service_state_leave(container_of(s->members.next, struct service_member, in_state));
	service_state_release(&s);
	ck_assert_uint_eq(loop.timers.n, 0);
} END_TEST

START_TEST(without_memory_there_is_no_state)
{
	const int fds = unit_count_fds();

	conf.name = "other";
	no_memory = true;
	ck_assert_ptr_null(service_states_use(&states, &conf));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_ptr_eq(states.all.next, states.all.prev);
	ck_assert_int_eq(unit_count_fds(), fds);
} END_TEST

START_TEST(a_pool_that_has_not_joined_can_leave)
{
	struct service_member stranger = { 0 };

	service_state_leave(&stranger);
	ck_assert(!list_empty(&state->members));
} END_TEST

START_TEST(a_child_forgets_all_states_but_its_own)
{
	struct service_state *other;

	conf.name = "other";
	other = service_states_use(&states, &conf);
	service_states_forget(&states, _i ? state : NULL);
	ck_assert_ptr_null(other->memory.sources);
	ck_assert(!state->memory.sources == !_i);
	_exit(0);               /* as children do: nothing of the master is freed in them */
} END_TEST

/* ---- an upgrade --------------------------------------------------------- */

/* What this program leaves of the state, as another one gets it. */
static struct service_memory_past leave(int version)
{
	struct service_memory_past past = service_memory_past(&state->memory);

	past.sources.fd = fcntl(past.sources.fd, F_DUPFD_CLOEXEC, 0);
	past.sources.version = version;
	return past;
}

START_TEST(an_adopted_state_has_the_same_counts_and_is_used_by_the_next_generation)
{
	const struct service_memory_past past = leave(SOURCES_VERSION);
	struct service_states next;
	struct service_state *adopted, *used;

	service_states_init(&next, &loop, NULL);
	ck_assert(sources_take_service(state->memory.sources, holds_service_of(holds, 0), 0));
	adopted = service_states_adopt(&next, "s", &past);
	ck_assert_ptr_nonnull(adopted);
	ck_assert_uint_eq(sources_service_count(adopted->memory.sources), 1);
	used = service_states_use(&next, &conf);
	ck_assert_ptr_eq(used, adopted);
	service_state_release(&adopted);
	service_state_release(&used);
	ck_assert(list_empty(&next.all));
} END_TEST

/* The worker that held it died, and no program took note. */
START_TEST(what_is_adopted_is_audited)
{
	const struct service_memory_past past = leave(SOURCES_VERSION);
	struct service_states next;
	struct service_state *adopted;

	service_states_init(&next, &loop, NULL);
	ck_assert(sources_take_service(state->memory.sources, &(struct service_hold){ 0 }, 0));
	adopted = service_states_adopt(&next, "s", &past);
	skip(1000);
	ck_assert_str_eq(events, "limits-audited service=s corrected=1\n");
	ck_assert_uint_eq(sources_service_count(adopted->memory.sources), 0);
	service_state_release(&adopted);
} END_TEST

START_TEST(an_episode_goes_on_in_the_next_program)
{
	struct service_memory_past past;
	struct service_states next;
	struct service_state *adopted;

	loop.now_ms = 50000;
	episode_note(sources_episode(state->memory.sources, REFUSAL_ACCESS), &client, loop.now_ms);
	service_state_look(state);
	past = leave(SOURCES_VERSION);
	service_states_init(&next, &loop, NULL);
	timer_unset(&loop.timers, &state->look);        /* this program is not there any more */
	expect_log("s: refusing clients: not admitted by access; the first is 192.0.2.1:7");
	adopted = service_states_adopt(&next, "s", &past);
	service_state_configure(adopted, &conf);
	skip(EPISODE_QUIET_MS - 1);
	expect_log("");
	skip(1);
	expect_log("s: refusing no more clients: not admitted by access; 1 in 10 s");
	service_state_release(&adopted);
} END_TEST

/* This program takes the logs last. */
START_TEST(an_episode_that_the_program_before_did_not_see_is_told_of_once_this_one_has_the_logs)
{
	struct service_memory_past past;
	struct service_states next;
	struct service_state *adopted;

	episode_note(sources_episode(state->memory.sources, REFUSAL_ACCESS), &client, loop.now_ms);
	past = leave(SOURCES_VERSION);
	service_states_init(&next, &loop, NULL);
	adopted = service_states_adopt(&next, "s", &past);
	expect_log("");
	skip(0);
	expect_log("s: refusing clients: not admitted by access; the first is 192.0.2.1:7");
	service_state_release(&adopted);
} END_TEST

START_TEST(what_cannot_be_adopted_leaves_nothing_and_stays_with_the_caller)
{
	struct service_memory_past past = leave(SOURCES_VERSION);
	struct service_states next;

	service_states_init(&next, &loop, NULL);
	past.n_sources *= 64;
	ck_assert_ptr_null(service_states_adopt(&next, "s", &past));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert(list_empty(&next.all));
	ck_assert_uint_eq(loop.timers.n, 0);
	ck_assert(unit_fd_is_open(past.sources.fd));
	close(past.sources.fd);
} END_TEST

/* ---- workers that have ended -------------------------------------------- */

static struct sources *table(void)
{
	return state->memory.sources;
}

/* Worker i has a client of that user, with a place in the service and one of its source. */
static void serve(size_t i, uid_t uid)
{
	const struct source_id source = { .prefix.family = AF_UNIX, .uid = uid };
	const uint64_t key = sources_key(table(), &source);
	const pid_t worker = fork();

	if (worker == 0) {
		_exit(holds_enter(holds, i) == 0 && sources_take_service(table(), holds_service(holds), 0) &&
		      sources_take(table(), key, &(struct source_limits){ 0 }, 1, holds_get(holds)) ==
		      SOURCES_TAKEN ? 0 : 1);
	}
	unit_child_succeeds(worker);
}

/* All places of sources that are taken. */
static uint64_t places(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sources_entries(table()); i++)
		sum += sources_count_of(sources_look(table(), i));
	return sum;
}

static void expect_counts(uint32_t n)
{
	ck_assert_uint_eq(sources_service_count(table()), n);
	ck_assert_uint_eq(places(), n);
}

START_TEST(what_a_dead_worker_held_is_given_back_at_once)
{
	serve(0, 1000);
	serve(1, 1000);
	expect_counts(2);
	service_state_worker_ended(state, &member, 0, _i);
	expect_counts(1);
	service_state_worker_ended(state, &member, 0, _i);
	expect_counts(1);
	service_state_worker_ended(state, &member, 1, _i);
	expect_counts(0);
	expect_log("");
} END_TEST

START_TEST(a_worker_that_ended_by_itself_needs_no_audit)
{
	serve(0, 1000);
	service_state_worker_ended(state, &member, 0, true);
	ck_assert_uint_eq(loop.timers.n, 0);
	service_state_worker_ended(state, &member, 1, false);
	skip(1000);
	ck_assert_str_eq(events, "limits-audited service=s corrected=0\n");
	ck_assert_uint_eq(loop.timers.n, 0);
} END_TEST

/* It died between its intent and what it would have written next. */
START_TEST(an_audit_corrects_what_may_have_happened_or_not)
{
	serve(1, 1000);
	ck_assert(sources_take_service(table(), holds_service_of(holds, 0), 0));
	service_hold_set(holds_service_of(holds, 0), (struct service_hold_view){ .intent = true });
	service_state_worker_ended(state, &member, 0, true);
	ck_assert_uint_eq(sources_service_count(table()), 2);
	skip(1000);
	expect_counts(1);
	ck_assert_str_eq(events, "limits-audited service=s corrected=1\n");
} END_TEST

START_TEST(an_audit_counts_what_workers_of_all_generations_hold)
{
	struct holds *more = holds_new(1, 4);
	struct service_member next = { 0 };

	service_state_join(state, &next, more);
	serve(0, 1000);
	ck_assert(sources_take_service(table(), holds_service_of(more, 0), 0));
	service_state_worker_ended(state, &member, 1, false);
	skip(1000);
	ck_assert_str_eq(events, "limits-audited service=s corrected=0\n");
	ck_assert_uint_eq(sources_service_count(table()), 2);
	/* Its pool goes, which it does without workers: what it has not given back is nobody's. */
	service_state_leave(&next);
	service_state_worker_ended(state, &member, 1, false);
	skip(1000);
	expect_counts(1);
	holds_free(&more);
} END_TEST

START_TEST(a_worker_that_dies_during_an_audit_begins_it_anew)
{
	serve(0, 1000);
	service_state_worker_ended(state, &member, 1, false);
	skip(1);
	service_state_worker_ended(state, &member, 0, false);
	skip(1000);
	ck_assert_str_eq(events, "limits-audited service=s corrected=0\n");
	expect_counts(0);
} END_TEST

START_TEST(what_a_broken_worker_has_written_is_told_and_does_no_harm)
{
	serve(1, 1000);
	service_hold_set(holds_service_of(holds, 0), (struct service_hold_view){ .held = 1000000 });
	service_state_worker_ended(state, &member, 0, true);
	expect_log("s: a worker that has ended left 1 holds under the limits that make no sense");
	skip(1000);
	expect_counts(1);
} END_TEST

/* It was killed before it could say that it refuses clients. */
START_TEST(an_episode_that_a_dead_worker_began_is_logged)
{
	loop.now_ms = 50000;
	episode_note(sources_episode(table(), REFUSAL_SOURCE), &client, loop.now_ms);
	service_state_worker_ended(state, &member, 0, true);
	expect_log("s: refusing clients: limits.connections_per_source is reached; the first is"
	           " 192.0.2.1:7");
} END_TEST

/* ---- the log ------------------------------------------------------------ */

static const struct {
	const char    *name;
	enum refusal   why;
	bool           dry_run;
	enum limits_overload overload;
	const char    *begin, *end;
} lines[] = {
	{ "access", REFUSAL_ACCESS, false, OVERLOAD_QUEUE,
	  "s: refusing clients: not admitted by access; the first is 192.0.2.1:7",
	  "s: refusing no more clients: not admitted by access; 3 in 11 s" },
	{ "access knows no dry run", REFUSAL_ACCESS, true, OVERLOAD_QUEUE,
	  "s: refusing clients: not admitted by access; the first is 192.0.2.1:7",
	  "s: refusing no more clients: not admitted by access; 3 in 11 s" },
	{ "the queue", REFUSAL_CONNECTIONS, false, OVERLOAD_QUEUE,
	  "s: clients wait in the queue: limits.connections is reached",
	  "s: clients do not wait any more: limits.connections is reached 3 times in 11 s" },
	{ "overload", REFUSAL_CONNECTIONS, false, OVERLOAD_REJECT,
	  "s: refusing clients: limits.connections is reached; the first is 192.0.2.1:7",
	  "s: refusing no more clients: limits.connections is reached; 3 in 11 s" },
	{ "a source has no queue", REFUSAL_SOURCE_RATE, false, OVERLOAD_QUEUE,
	  "s: refusing clients: limits.rate_per_source is exceeded; the first is 192.0.2.1:7",
	  "s: refusing no more clients: limits.rate_per_source is exceeded; 3 in 11 s" },
	{ "a dry run", REFUSAL_RATE, true, OVERLOAD_QUEUE,
	  "s: limits.dry_run, would refuse clients: limits.rate is exceeded; the first is 192.0.2.1:7",
	  "s: limits.dry_run, would refuse no more clients: limits.rate is exceeded; 3 in 11 s" },
};

START_TEST(an_episode_has_a_line_at_its_begin_and_one_at_its_end)
{
	struct episode *e = sources_episode(table(), lines[_i].why);
	char expected[256];

	conf.limits.dry_run = lines[_i].dry_run;
	conf.limits.overload = lines[_i].overload;
	service_state_configure(state, &conf);
	loop.now_ms = 50000;
	ck_assert(episode_note(e, &client, loop.now_ms));
	service_state_look(state);
	expect_log(lines[_i].begin);
	episode_note(e, &client, loop.now_ms);
	skip(1000);
	episode_note(e, &client, loop.now_ms);
	service_state_look(state);
	skip(EPISODE_QUIET_MS - 1);
	expect_log("");
	skip(1);
	expect_log(lines[_i].end);
	snprintf(expected, sizeof expected, "refusing-begin service=s reason=%s\n"
	         "refusing-end service=s reason=%s refused=3\n", refusal_name(lines[_i].why),
	         refusal_name(lines[_i].why));
	ck_assert_str_eq(events, expected);
	ck_assert_uint_eq(loop.timers.n, 0);
} END_TEST

/* As by a broken worker that does not die. */
START_TEST(a_count_that_is_wrong_keeps_clients_away_for_a_moment_only)
{
	loop.now_ms = 50000;
	ck_assert(sources_correct_service(table(), sources_look_at_service(table()), 9));
	skip(10000);
	ck_assert_uint_eq(sources_service_count(table()), 9);
	episode_note(sources_episode(table(), REFUSAL_CONNECTIONS), &client, loop.now_ms);
	service_state_look(state);
	skip(1000);
	ck_assert_uint_eq(sources_service_count(table()), 0);
} END_TEST

START_TEST(each_reason_has_its_own_episode)
{
	loop.now_ms = 50000;
	for (int why = 0; why < REFUSAL_KINDS; why++)
		episode_note(sources_episode(table(), (size_t)why), &client, loop.now_ms);
	service_state_look(state);
	service_state_look(state);
	ck_assert_uint_eq(strlen(events) > 0, 1);
	for (int why = 0; why < REFUSAL_KINDS; why++) {
		char event[64];

		snprintf(event, sizeof event, "refusing-begin service=s reason=%s\n", refusal_name((enum refusal)why));
		unit_contains(events, event);
	}
} END_TEST

/* A reload that fails has made a state for a configuration that never serves. */
START_TEST(only_the_configuration_that_serves_says_what_the_log_tells)
{
	struct service_state *coming;

	conf.limits.dry_run = true;
	coming = service_states_use(&states, &conf);
	ck_assert_ptr_eq(coming, state);
	ck_assert(!state->dry_run);
	service_state_release(&coming);
	service_state_configure(state, &conf);
	ck_assert(state->dry_run);
} END_TEST

START_TEST(a_reload_that_changes_what_happens_to_clients_ends_episodes)
{
	struct episode *e = sources_episode(table(), REFUSAL_CONNECTIONS);

	loop.now_ms = 50000;
	episode_note(e, &client, loop.now_ms);
	service_state_look(state);
	expect_log("s: refusing clients: limits.connections is reached; the first is 192.0.2.1:7");
	service_state_configure(state, &conf);
	expect_log("");
	skip(2000);
	conf.limits.overload = OVERLOAD_QUEUE;
	service_state_configure(state, &conf);
	expect_log("s: refusing no more clients: limits.connections is reached; 1 in 2 s");
	episode_note(e, &client, loop.now_ms);
	service_state_look(state);
	expect_log("s: clients wait in the queue: limits.connections is reached");
	skip(EPISODE_QUIET_MS);
	expect_log("s: clients do not wait any more: limits.connections is reached 1 times in 10 s");
} END_TEST

/* It takes part in the log before the generation of this program serves. */
START_TEST(a_state_that_was_handed_over_is_told_of_as_the_next_configuration_says)
{
	struct service_memory_past past = leave(SOURCES_VERSION);
	struct service_states next;
	struct service_state *adopted, *coming;

	conf.limits.overload = OVERLOAD_QUEUE;
	service_states_init(&next, &loop, NULL);
	adopted = service_states_adopt(&next, "s", &past);
	coming = service_states_use(&next, &conf);
	ck_assert_ptr_eq(coming, adopted);
	ck_assert(coming->queues);
	service_state_release(&coming);
	service_state_release(&adopted);
} END_TEST

START_TEST(an_episode_ends_with_its_service)
{
	struct service_state *s;

	loop.now_ms = 50000;
	conf.name = "other";
	s = service_states_use(&states, &conf);
	episode_note(sources_episode(s->memory.sources, REFUSAL_MEMORY), &client, loop.now_ms);
	service_state_look(s);
	skip(3000);
	service_state_release(&s);
	ck_assert_str_eq(events, "refusing-begin service=other reason=memory\n"
	                 "refusing-end service=other reason=memory refused=1\n");
	unit_contains(unit_read_file(LOG), "other: refusing no more clients: no memory for a connection; 1 in 3 s\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("service_state");
	TCase *tc = unit_case(s, "sharing", set_up, tear_down);

	tcase_add_test(tc, generations_of_a_service_share_its_state);
	tcase_add_test(tc, services_do_not_share_one);
	tcase_add_test(tc, another_size_of_the_table_is_another_state_and_the_old_one_stays);
	tcase_add_test(tc, a_configuration_without_a_size_has_a_small_table);
	tcase_add_test(tc, keys_of_tickets_are_made_for_tls_and_replaced_in_time);
	tcase_add_loop_test(tc, a_service_that_needs_no_keys_of_tickets_has_none, 0,
	                    ARRAY_SIZE(without_tickets));
	tcase_add_test(tc, a_state_is_freed_with_all_that_it_waits_for);
	tcase_add_test(tc, without_memory_there_is_no_state);
	tcase_add_test(tc, a_pool_that_has_not_joined_can_leave);
	tcase_add_loop_test(tc, a_child_forgets_all_states_but_its_own, 0, 2);
	tc = unit_case(s, "upgrade", set_up, tear_down);
	tcase_add_test(tc, an_adopted_state_has_the_same_counts_and_is_used_by_the_next_generation);
	tcase_add_test(tc, what_is_adopted_is_audited);
	tcase_add_test(tc, an_episode_goes_on_in_the_next_program);
	tcase_add_test(tc, an_episode_that_the_program_before_did_not_see_is_told_of_once_this_one_has_the_logs);
	tcase_add_test(tc, what_cannot_be_adopted_leaves_nothing_and_stays_with_the_caller);
	tc = unit_case(s, "workers", set_up, tear_down);
	tcase_add_loop_test(tc, what_a_dead_worker_held_is_given_back_at_once, 0, 2);
	tcase_add_test(tc, a_worker_that_ended_by_itself_needs_no_audit);
	tcase_add_test(tc, an_audit_corrects_what_may_have_happened_or_not);
	tcase_add_test(tc, an_audit_counts_what_workers_of_all_generations_hold);
	tcase_add_test(tc, a_worker_that_dies_during_an_audit_begins_it_anew);
	tcase_add_test(tc, what_a_broken_worker_has_written_is_told_and_does_no_harm);
	tcase_add_test(tc, an_episode_that_a_dead_worker_began_is_logged);
	tc = unit_case(s, "log", set_up, tear_down);
	tcase_add_loop_test(tc, an_episode_has_a_line_at_its_begin_and_one_at_its_end, 0, ARRAY_SIZE(lines));
	tcase_add_test(tc, a_count_that_is_wrong_keeps_clients_away_for_a_moment_only);
	tcase_add_test(tc, each_reason_has_its_own_episode);
	tcase_add_test(tc, only_the_configuration_that_serves_says_what_the_log_tells);
	tcase_add_test(tc, a_reload_that_changes_what_happens_to_clients_ends_episodes);
	tcase_add_test(tc, a_state_that_was_handed_over_is_told_of_as_the_next_configuration_says);
	tcase_add_test(tc, an_episode_ends_with_its_service);
	return unit_run(s);
}
