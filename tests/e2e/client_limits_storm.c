/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything at once that happens to a service while its clients race for places: workers are killed
 * and stopped, there are reloads and upgrades, the service is scaled, drained and resumed, all in
 * random order. When it is over, as many clients are admitted as the limits say, and not one more.
 * With DROVER_LONG_TESTS in the environment, there are many more orders.
 */
#include <config.h>
#include "upgrade_harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "limits_harness.h"
#include "operator.h"

static struct daemon d;

#define STEPS   25
#define MAX     6                       /* workers */
#define LIMITS  "connections = 8; connections_per_source = 5; "
#define REST    "connections = 8; restart = { burst = 100000; }; hang_timeout = 0; max_accepts = 200;"

/* ---- what may happen ---------------------------------------------------- */

/* A worker that was ready and has not ended, as far as is known; 0: none. */
static pid_t any_worker(void)
{
	pid_t alive[64];
	size_t n = 0;

	for (size_t i = d.events.n; i > 0 && n < 64; i--) {
		const struct event *e = d.events.events[i - 1];

		if (event_has(e, "worker-ready") &&
		    daemon_saw(&d, "worker-end pid=%lld", event_number(e, "pid")) == 0)
			alive[n++] = (pid_t)event_number(e, "pid");
	}
	return n > 0 ? alive[(size_t)random() % n] : 0;
}

/* Until it is replaced, or the service has another one. */
static void kill_a_worker(void)
{
	pid_t pid = any_worker();

	if (pid > 0 && kill(pid, SIGKILL) == 0)
		daemon_wait_for(&d, "worker-end pid=%d", pid);
}

static void halt_a_worker(void)
{
	pid_t pid = any_worker();

	if (pid == 0 || kill(pid, SIGSTOP) != 0)
		return;
	limits_shown("accepted");
	if (random() % 2)
		kill(pid, SIGKILL);
	kill(pid, SIGCONT);
}

static void reload(void)
{
	daemon_signal(&d, SIGHUP);
	daemon_wait_for(&d, "reload-done");
}

static void upgrade(void)
{
	static int n;

	upgrade_to(&d, n % 2 ? upgrade_original() : upgrade_built("next_droverd"),
	           n % 2 ? PACKAGE_VERSION : NEXT);
	n++;
}

static void scale(void)
{
	operator_run_args(control_path(), "scale", "s", files_text("%d", 1 + (int)(random() % MAX)));
}

/* Clients that stay inside would let it take for ever: resume comes before. */
static void drain_and_resume(void)
{
	int drain = control_connect();

	control_say(drain, "{\"command\":\"drain\",\"service\":\"s\"}");
	daemon_barrier(&d);
	close(drain);
	daemon_barrier(&d);
	ck_assert_int_eq(operator_run_args(control_path(), "resume", "s"), 0);
}

static void rest_and_come_back(void)
{
	daemon_signal(&d, SIGWINCH);
	daemon_wait_for(&d, "resting");
	reload();
}

static void (*const happenings[])(void) = {
	kill_a_worker, kill_a_worker, kill_a_worker, halt_a_worker, halt_a_worker, reload, upgrade, scale,
	drain_and_resume, rest_and_come_back,
};

/* ---- the story ---------------------------------------------------------- */

static void check_places(const char *address)
{
	struct crowd a = { .address = address, .from = "127.0.0.2", .refusal = FULL, .n_clients = 5 };
	struct crowd b = { .address = address, .from = "127.0.0.3", .refusal = FULL, .n_clients = 3 };

	limits_check_room(&d, "127.0.0.2", 5);
	limits_check_room(&d, "127.0.0.3", 5);
	crowd_start(&a);
	crowd_wait_inside(&a, 5);
	crowd_start(&b);
	crowd_wait_inside(&b, 3);
	limits_refuse(&d, "127.0.0.3", FULL);
	limits_refuse(&d, "127.0.0.4", FULL);
	limits_check_source("127.0.0.2/32", 5);
	limits_check_source("127.0.0.3/32", 3);
	crowd_stop(&a);
	crowd_stop(&b);
	limits_wait_empty();
}

#define POOL { min = 1; max = 6; spare_min = 1; calm = "20ms"; }
#define CONFIG(pool, limits) LIMITED(pool, limits, REST), control_path()

/* At a limit of the service, clients are refused in every other story, and wait in the others. */
START_TEST(whatever_happens_the_limits_hold_when_it_is_over)
{
	struct crowd crowds[2] = { { .from = "127.0.0.2" }, { .from = "127.0.0.3" } };
	const bool waits = _i % 2;
	long long generation;

	srandom(1 + (unsigned int)_i);
	if (waits)
		daemon_start(&d, CONFIG(POOL, LIMITS));
	else
		daemon_start(&d, CONFIG(POOL, LIMITS REJECT));
	for (size_t i = 0; i < 2; i++) {
		crowds[i].address = daemon_address(&d, "s", 0);
		crowds[i].refusal = waits ? NULL : FULL;
		crowds[i].n_clients = 12;
		crowds[i].leave_at = 4;
		crowds[i].come_again = crowds[i].may_lose = true;
		crowd_start(&crowds[i]);
	}
	for (int i = 0; i < STEPS; i++) {
		crowd_wait_admitted(&crowds[0], crowds[0].admitted + (size_t)random() % 10);
		happenings[(size_t)random() % ARRAY_SIZE(happenings)]();
	}
	crowd_stop(&crowds[0]);
	crowd_stop(&crowds[1]);
	generation = daemon_reload(&d, CONFIG(POOL, LIMITS REJECT));
	for (long long g = 1; g < generation; g++)      /* their workers may say less to whom they refuse */
		daemon_wait_for(&d, "generation-gone generation=%lld", g);
	check_places(crowds[0].address);
} END_TEST

int main(void)
{
	const int n = getenv("DROVER_LONG_TESTS") ? 100 : 4;
	Suite *s = suite_create("client_limits_storm");
	TCase *tc = upgrade_case(s, "storm");

	tcase_add_loop_test(tc, whatever_happens_the_limits_hold_when_it_is_over, 0, n);
	return harness_run(s);
}
