/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What signals mean and what is permitted, phase by phase, and which phase may follow which.
 */
#include <config.h>
#include "lifecycle.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "master.h"
#include "unit.h"

#define NO     ORDER_NONE
#define REAP   ORDER_REAP
#define LOAD   ORDER_RELOAD
#define DRAIN  ORDER_STOP_DRAIN
#define WAIT   ORDER_STOP_WAIT
#define END    ORDER_STOP_NOW
#define LOGS   ORDER_REOPEN_LOGS
#define UPGR   ORDER_UPGRADE
#define REST   ORDER_SUSPEND
#define MORE   ORDER_MORE
#define FEWER  ORDER_FEWER

static const struct {
	const char *name;
	int         signal;
	int32_t     si_code;
	enum order  want[PHASES];
} rows[] = {
	/*                                          start  serve  reload upgr.  leave  l_wait drain  wait   end */
	{ "CHLD",           SIGCHLD,  CLD_EXITED, { REAP,  REAP,  REAP,  REAP,  REAP,  REAP,  REAP,  REAP,  REAP } },
	{ "HUP",            SIGHUP,   SI_USER,    { LOAD,  LOAD,  LOAD,  LOAD,  NO,    NO,    NO,    NO,    NO } },
	{ "TERM",           SIGTERM,  SI_USER,    { DRAIN, DRAIN, DRAIN, DRAIN, END,   DRAIN, END,   DRAIN, NO } },
	{ "QUIT",           SIGQUIT,  SI_USER,    { WAIT,  WAIT,  WAIT,  WAIT,  NO,    NO,    NO,    NO,    NO } },
	{ "INT",            SIGINT,   SI_USER,    { END,   END,   END,   END,   END,   END,   END,   END,   NO } },
	{ "USR1",           SIGUSR1,  SI_USER,    { LOGS,  LOGS,  LOGS,  LOGS,  LOGS,  LOGS,  LOGS,  LOGS,  LOGS } },
	{ "WINCH",          SIGWINCH, SI_USER,    { REST,  REST,  REST,  REST,  NO,    NO,    NO,    NO,    NO } },
	{ "TTIN",           SIGTTIN,  SI_USER,    { MORE,  MORE,  MORE,  MORE,  NO,    NO,    NO,    NO,    NO } },
	{ "TTOU",           SIGTTOU,  SI_USER,    { FEWER, FEWER, FEWER, FEWER, NO,    NO,    NO,    NO,    NO } },
	{ "USR2",           SIGUSR2,  SI_USER,    { UPGR,  UPGR,  UPGR,  UPGR,  NO,    NO,    NO,    NO,    NO } },
	{ "sigqueue(3)",    SIGHUP,   SI_QUEUE,   { LOAD,  LOAD,  LOAD,  LOAD,  NO,    NO,    NO,    NO,    NO } },
	{ "tgkill(2)",      SIGWINCH, SI_TKILL,   { REST,  REST,  REST,  REST,  NO,    NO,    NO,    NO,    NO } },
	{ "terminal: HUP",  SIGHUP,   SI_KERNEL,  { DRAIN, DRAIN, DRAIN, DRAIN, END,   DRAIN, END,   DRAIN, NO } },
	{ "terminal: INT",  SIGINT,   SI_KERNEL,  { END,   END,   END,   END,   END,   END,   END,   END,   NO } },
	{ "terminal: QUIT", SIGQUIT,  SI_KERNEL,  { WAIT,  WAIT,  WAIT,  WAIT,  NO,    NO,    NO,    NO,    NO } },
	{ "terminal: WINCH", SIGWINCH, SI_KERNEL,  { NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO } },
	{ "terminal: TTIN", SIGTTIN,  SI_KERNEL,  { NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO } },
	{ "terminal: TTOU", SIGTTOU,  SI_KERNEL,  { NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO,    NO } },
};

START_TEST(each_signal_has_its_meaning_in_each_phase)
{
	for (int phase = 0; phase < PHASES; phase++) {
		enum order got = lifecycle_order((enum phase)phase, rows[_i].signal,
		                                 rows[_i].si_code);

		ck_assert_msg(got == rows[_i].want[phase], "%s while %s: %d", rows[_i].name,
		              lifecycle_phase_name((enum phase)phase), (int)got);
	}
} END_TEST

static bool has_row(int signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].signal == signal)
			return true;
	return false;
}

static bool is_read(int signal)
{
	for (size_t i = 0; i < lifecycle_n_signals; i++)
		if (lifecycle_signals[i] == signal)
			return true;
	return false;
}

START_TEST(each_signal_that_is_read_means_something)
{
	for (size_t i = 0; i < lifecycle_n_signals; i++) {
		ck_assert_msg(lifecycle_order(PHASE_SERVING, lifecycle_signals[i], SI_USER) != ORDER_NONE,
		              "%d", lifecycle_signals[i]);
		ck_assert_msg(has_row(lifecycle_signals[i]), "signal %d has no row", lifecycle_signals[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(is_read(rows[i].signal), "%s is not read", rows[i].name);
} END_TEST

START_TEST(two_phases_serve_and_end)
{
	for (int phase = 0; phase < PHASES; phase++)
		ck_assert_int_eq(lifecycle_is_leaving((enum phase)phase),
		                 phase == PHASE_LEAVING || phase == PHASE_LEAVING_WAIT);
} END_TEST

START_TEST(some_phases_have_no_way_back)
{
	for (int phase = 0; phase < PHASES; phase++)
		ck_assert_int_eq(lifecycle_is_stopping((enum phase)phase), phase >= PHASE_LEAVING);
} END_TEST

/* ---- what may be done now ---- */

static const struct {
	enum order  order;
	const char *want;               /* a letter for each phase, of the words in permit_letters */
	char        inherited;          /* while only inherited workers serve */
} permits[] = {
	{ ORDER_NONE,        "nnnnnnnnn", 'n' },
	{ ORDER_REAP,        "nnnnnnnnn", 'n' },
	{ ORDER_RELOAD,      "lnll-----", 'n' },
	{ ORDER_STOP_DRAIN,  "nnnn-n-n-", 'n' },
	{ ORDER_STOP_WAIT,   "nnnn-----", 'n' },
	{ ORDER_STOP_NOW,    "nnnnnnnn-", 'n' },
	{ ORDER_REOPEN_LOGS, "nnnnnnnnn", 'n' },
	{ ORDER_UPGRADE,     "lnll-----", 'n' },
	{ ORDER_SUSPEND,     "bnbb-----", 'n' },
	{ ORDER_MORE,        "lnnn-----", 'l' },
	{ ORDER_FEWER,       "lnnn-----", 'l' },
	{ ORDER_SCALE,       "bnbb-----", 'i' },
	{ ORDER_DRAIN,       "bnbb-----", 'i' },
	{ ORDER_RESUME,      "bnbb-----", 'i' },
	{ ORDER_KICK,        "nnnnnn---", 'n' },
	{ ORDER_UNBLOCK,     "nnnnnn---", 'n' },
};

static const char permit_letters[] = {
	[PERMIT_NOW] = 'n', [PERMIT_LATER] = 'l', [PERMIT_BUSY] = 'b', [PERMIT_INHERITED] = 'i',
	[PERMIT_NEVER] = '-',
};

START_TEST(each_order_is_permitted_in_its_phases)
{
	char got[PHASES + 1] = "";

	for (int phase = 0; phase < PHASES; phase++)
		got[phase] = permit_letters[lifecycle_permit((enum phase)phase, false, permits[_i].order)];
	ck_assert_msg(strcmp(got, permits[_i].want) == 0, "order %d: %s", (int)permits[_i].order, got);
	ck_assert_int_eq(permit_letters[lifecycle_permit(PHASE_SERVING, true, permits[_i].order)],
	                 permits[_i].inherited);
} END_TEST

/* What is noted until the server serves is permitted then; what it refuses for now, too. */
START_TEST(all_orders_are_permitted_while_serving)
{
	ck_assert_uint_eq(ARRAY_SIZE(permits), ORDERS);
	for (int order = 0; order < ORDERS; order++)
		ck_assert_int_eq(lifecycle_permit(PHASE_SERVING, false, (enum order)order), PERMIT_NOW);
} END_TEST

/* ---- from one phase to the next ---- */

static const struct {
	const char *name;
	enum phase  from;
	const char *to;                 /* the names of all that may follow */
} steps[] = {
	{ "a start ends, becomes a takeover, or is stopped", PHASE_STARTING,
	  "serving upgrading draining waiting ending" },
	{ "all but a start may follow", PHASE_SERVING,
	  "reloading upgrading leaving leaving to wait draining waiting ending" },
	{ "a reload ends or is stopped", PHASE_RELOADING,
	  "serving leaving leaving to wait draining waiting ending" },
	{ "an upgrade ends or is stopped", PHASE_UPGRADING,
	  "serving leaving leaving to wait draining waiting ending" },
	{ "a server that leaves has a limit", PHASE_LEAVING, "draining ending" },
	{ "it gets a limit, or waits without one", PHASE_LEAVING_WAIT, "leaving draining waiting ending" },
	{ "a drain has a limit already", PHASE_DRAINING, "ending" },
	{ "a wait gets a limit",         PHASE_WAITING,  "draining ending" },
	{ "nothing is harder",           PHASE_ENDING,   "" },
};

START_TEST(a_phase_may_be_followed_by_these)
{
	char got[128] = "";

	for (int to = 0; to < PHASES; to++)
		if (lifecycle_may_follow(steps[_i].from, (enum phase)to)) {
			strcat(got, *got ? " " : "");
			strcat(got, lifecycle_phase_name((enum phase)to));
		}
	ck_assert_msg(strcmp(got, steps[_i].to) == 0, "%s: %s", steps[_i].name, got);
} END_TEST

/* A log line is all that comes of it. */
START_TEST(a_phase_that_may_not_follow_does_not_begin)
{
	struct master m = { .phase = PHASE_DRAINING };
	char line[128];
	int ends[2];
	ssize_t len;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert(!master_enter(&m, PHASE_SERVING));
	ck_assert_int_eq(m.phase, PHASE_DRAINING);
	len = read(ends[0], line, sizeof line - 1);
	ck_assert_int_gt(len, 0);
	line[len] = '\0';
	unit_contains(line, "the phase \"serving\" cannot follow \"draining\"");
	ck_assert(master_enter(&m, PHASE_ENDING));
	ck_assert_int_eq(m.phase, PHASE_ENDING);
} END_TEST

START_TEST(phases_have_names)
{
	static const char *const want[PHASES] = {
		"starting", "serving", "reloading", "upgrading", "leaving", "leaving to wait",
		"draining", "waiting", "ending",
	};

	for (int phase = 0; phase < PHASES; phase++)
		ck_assert_str_eq(lifecycle_phase_name((enum phase)phase), want[phase]);
} END_TEST

int main(void)
{
	Suite *s = suite_create("lifecycle");
	TCase *tc = unit_case(s, "lifecycle", NULL, NULL);

	tcase_add_loop_test(tc, each_signal_has_its_meaning_in_each_phase, 0, ARRAY_SIZE(rows));
	tcase_add_test(tc, each_signal_that_is_read_means_something);
	tcase_add_test(tc, two_phases_serve_and_end);
	tcase_add_test(tc, some_phases_have_no_way_back);
	tcase_add_loop_test(tc, each_order_is_permitted_in_its_phases, 0, ARRAY_SIZE(permits));
	tcase_add_test(tc, all_orders_are_permitted_while_serving);
	tcase_add_loop_test(tc, a_phase_may_be_followed_by_these, 0, ARRAY_SIZE(steps));
	tcase_add_test(tc, a_phase_that_may_not_follow_does_not_begin);
	tcase_add_test(tc, phases_have_names);
	return unit_run(s);
}
