/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps a number of waiting programs, limits how long they wait, and decides how soon one that is
 * gone is replaced. The socket of a waiting program is not read: what the program writes before
 * its client comes, such as a greeting, stays in the socket.
 */
#include <config.h>
#include "warm_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backoff.h"
#include "clock.h"
#include "exit_status.h"
#include "fd.h"
#include "jitter.h"
#include "list.h"
#include "log.h"
#include "worker.h"

#define START_EACH_MS 5                 /* a start takes up to half a millisecond of our time */
#define EXIT_EACH_MS  1000              /* between two that exit with 0 without having been used */
#define EOF_MS        1000              /* from the end of its input to TERM */
#define RECOVERY_MS   1000              /* after crashes, all is well if one has waited for this time */
#define REFILL_MS     1                 /* after a client was joined, so that it is answered first */

enum waiter_end {                       /* why a program does not wait any more */
	WAITER_WAITS,
	WAITER_AGED,
	WAITER_DRAINED,
};

static char proto[] = "PROTO=UNIX";     /* as getpeername(2) says of its socket; never written */

struct waiter {
	struct list       in_pool;
	struct warm_pool *pool;
	struct program   *program;
	int               fd;           /* our end */
	int64_t           since_ms, until_ms;
	enum waiter_end   why;
	struct timer      timer;        /* after it was let go: for TERM */
};

struct warm_pool {
	struct worker          *worker;
	const struct conf_warm *conf;
	struct list             waiting;        /* waiters, the oldest first */
	uint32_t                n_waiting;
	struct timer            refill;         /* no waiting program is started before it fires */
	struct timer            age;            /* the first waiting program becomes too old */
	struct timer            recovery;       /* looks whether one has waited for RECOVERY_MS */
	struct pace             starts, exits;
	int64_t                 delay_ms;       /* after the last crash; 0: there was none */
	int64_t                 off_until_ms;   /* when that delay is over */
	bool                    released;
	bool                    slowed;         /* too many have ended unused */
	bool                    warned;         /* it was logged that they do not wait */
	char                  **envp;
};

static const char *name_of(const struct warm_pool *pool)
{
	return pool->worker->service->name;
}

/* ---- starts ------------------------------------------------------------- */

/* Returns our end of a new socket; the program's end blocks, as programs expect. -1 with errno. */
static int open_socket(int *theirs)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	if (fd_adopt(ends[0]) == -1) {
		fd_drop(ends[1]);
		return fd_drop(ends[0]);
	}
	*theirs = ends[1];
	return ends[0];
}

/* Starts a program; *fd is our end of its socket. NULL with errno. */
static struct program *start_program(struct warm_pool *pool, char *const *envp, int *fd,
                                     void (*ended)(void *arg, int status), void *arg)
{
	struct program *p;
	int theirs = -1;

	*fd = open_socket(&theirs);
	if (*fd == -1)
		return NULL;
	p = program_start(&pool->worker->programs, &(struct program_request){
		.name = name_of(pool), .with_pid = true, .on_trial = pool->conf->n > 0, .envp = envp,
		.in = theirs, .out = theirs, .ended = ended, .arg = arg });
	fd_drop(theirs);
	if (!p)
		fd_close(fd);
	return p;
}

static void on_program_ended(void *arg, int status);
static void on_let_go(struct timer *t);

/* Programs that were started together must not all be replaced together. */
static int64_t end_of_age(const struct warm_pool *pool, int64_t now_ms)
{
	return clock_deadline(now_ms, jitter_down(pool->conf->max_age));
}

static void watch_age(struct warm_pool *pool)
{
	int64_t first_ms = CLOCK_NEVER;
	struct waiter *x;

	if (pool->conf->max_age == 0)
		return;
	list_each(&pool->waiting, x, struct waiter, in_pool)
		if (x->until_ms < first_ms)
			first_ms = x->until_ms;
	loop_timer_at(&pool->worker->loop, &pool->age, first_ms);
}

static void show_waiting(struct warm_pool *pool, int more)
{
	pool->n_waiting += (uint32_t)more;
	board_set(&pool->worker->slot->warm, pool->n_waiting);
}

/* Starts a program that waits. 0, or -1 with errno. */
static int start_waiter(struct warm_pool *pool)
{
	const int64_t now_ms = pool->worker->loop.now_ms;
	struct waiter *x = calloc(1, sizeof *x);

	if (!x)
		return -1;
	*x = (struct waiter){ .pool = pool, .timer.fire = on_let_go, .since_ms = now_ms,
	                      .until_ms = end_of_age(pool, now_ms) };
	x->program = start_program(pool, pool->envp, &x->fd, on_program_ended, x);
	if (!x->program) {
		free(x);
		return -1;
	}
	list_append(&pool->waiting, &x->in_pool);
	show_waiting(pool, 1);
	worker_event(pool->worker, "warm-start program=%d", (int)program_pid(x->program));
	return 0;
}

/* No waiting program is started before ms are over. If that was delayed for longer already, it stays so. */
static void refill_after(struct warm_pool *pool, int64_t ms)
{
	const int64_t at_ms = pool->worker->loop.now_ms + ms;

	if (pool->released || (timer_is_set(&pool->refill) && pool->refill.at_ms >= at_ms))
		return;
	loop_timer_at(&pool->worker->loop, &pool->refill, at_ms);
}

/* Programs that crash within one delay make it longer only once. */
static void back_off(struct warm_pool *pool)
{
	const struct conf_restart *rule = &pool->worker->service->restart;
	const int64_t now_ms = pool->worker->loop.now_ms;

	if (pool->released || now_ms < pool->off_until_ms)
		return;
	pool->delay_ms = backoff_next(pool->delay_ms, rule->delay_min, rule->delay_max);
	pool->off_until_ms = now_ms + pool->delay_ms;
	refill_after(pool, pool->delay_ms);
	worker_event(pool->worker, "warm-delayed after=%lld", (long long)pool->delay_ms);
}

/* While too many have ended unused, one a second is replaced, until `exits` allows more. */
static void go_slowly(struct warm_pool *pool)
{
	pool->slowed = pool->slowed && pace_wait(&pool->exits, pool->worker->loop.now_ms) > 0;
	if (pool->slowed)
		refill_after(pool, EXIT_EACH_MS);
}

/* If the machine only lacks something now, each failure is logged; the delays between them grow. */
static void note_failed_start(struct warm_pool *pool)
{
	const int error = errno;
	char reason[HEALTH_TEXT_MAX];

	health_explain_start(pool->worker, error, reason);
	if (health_is_passing(error))
		log_err("%s: %s", name_of(pool), reason);
	else
		health_failed(pool->worker, reason);
}

/* If the service is failing, a program that waits for long enough shows that it is well again. */
static void watch_recovery(struct warm_pool *pool)
{
	if (health_fails(pool->worker) && pool->n_waiting > 0 && !timer_is_set(&pool->recovery))
		loop_timer(&pool->worker->loop, &pool->recovery, RECOVERY_MS);
}

static void on_recovery(struct timer *t)
{
	struct warm_pool *pool = container_of(t, struct warm_pool, recovery);
	const int64_t before_ms = pool->worker->loop.now_ms - RECOVERY_MS;
	const struct waiter *x;

	list_each(&pool->waiting, x, struct waiter, in_pool)
		if (x->since_ms <= before_ms) {
			health_works(pool->worker, true);
			return;
		}
	watch_recovery(pool);
}

static void start_missing(struct warm_pool *pool)
{
	while (!pool->released && !timer_is_set(&pool->refill) &&
	       pool->n_waiting < (uint32_t)pool->conf->n) {
		const int64_t now_ms = pool->worker->loop.now_ms;
		const int64_t wait_ms = pace_wait(&pool->starts, now_ms);

		if (wait_ms > 0) {
			refill_after(pool, wait_ms);
			break;
		}
		pace_count(&pool->starts, now_ms);
		if (start_waiter(pool) == -1) {
			note_failed_start(pool);
			back_off(pool);
		}
		go_slowly(pool);
	}
	watch_age(pool);
	watch_recovery(pool);
}

static void on_refill(struct timer *t)
{
	start_missing(container_of(t, struct warm_pool, refill));
}

/* ---- ends --------------------------------------------------------------- */

static void remove_waiter(struct waiter *x)
{
	list_remove(&x->in_pool);
	show_waiting(x->pool, -1);
}

static void on_let_go(struct timer *t)
{
	program_end(container_of(t, struct waiter, timer)->program);
}

/*
 * The program sees the end of its input, and has a second to exit by itself. The socket is not
 * closed: if it held a greeting that was not read, the program would get an error.
 */
static void let_go(struct waiter *x, enum waiter_end why)
{
	remove_waiter(x);
	x->why = why;
	program_passes(x->program);
	shutdown(x->fd, SHUT_WR);
	loop_timer(&x->pool->worker->loop, &x->timer, EOF_MS);
}

static void on_age(struct timer *t)
{
	struct warm_pool *pool = container_of(t, struct warm_pool, age);
	const int64_t now_ms = pool->worker->loop.now_ms;
	struct waiter *x;

	list_each(&pool->waiting, x, struct waiter, in_pool)
		if (x->until_ms <= now_ms)
			let_go(x, WAITER_AGED);
	watch_age(pool);        /* it may take long until others are started */
	refill_after(pool, 0);
}

static void has_exited(struct warm_pool *pool, const struct waiter *x)
{
	const int64_t now_ms = pool->worker->loop.now_ms;

	log_debug("%s %d: ended while it waited", name_of(pool), (int)program_pid(x->program));
	if (!pool->warned && now_ms - x->since_ms < EXIT_EACH_MS)
		log_warn("%s: a warm program ended within a second, without a connection: does it"
		         " wait for its client?", name_of(pool));
	pool->warned |= now_ms - x->since_ms < EXIT_EACH_MS;
	pool->slowed = pace_wait(&pool->exits, now_ms) > 0;
	pace_count(&pool->exits, now_ms);
	/* A delay that has begun is not made longer: others may end before it is over, again and again. */
	if (!timer_is_set(&pool->refill))
		refill_after(pool, pool->slowed ? EXIT_EACH_MS : 0);
}

static void has_crashed(struct warm_pool *pool, const struct waiter *x, int status)
{
	char reason[HEALTH_TEXT_MAX];
	struct text t = text_in(reason, sizeof reason);

	/* If the service is failing, that was logged once for all its programs. */
	log_about(health_fails(pool->worker) ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
	          LOG_ABOUT(.event = LOG_EVENT_PROGRAM_ENDED), "%s %d: crashed while it waited (%s %d)",
	          name_of(pool), (int)program_pid(x->program), exit_status_how(status),
	          exit_status_value(status));
	board_add(&pool->worker->slot->crashed, 1);
	text_add(&t, "%s crashes while it waits (%s %d)", pool->worker->service->handler.program,
	         exit_status_how(status), exit_status_value(status));
	program_add_last_words(x->program, &t);
	health_strike(pool->worker, reason);
	back_off(pool);
}

static void tell_program_end(const struct waiter *x, int status)
{
	static const char *const reasons[] = {
		[WAITER_AGED] = "age", [WAITER_DRAINED] = "drained" };

	worker_event(x->pool->worker, "warm-end program=%d reason=%s how=%s value=%d",
	             (int)program_pid(x->program),
	             x->why != WAITER_WAITS ? reasons[x->why] : status == 0 ? "exit" : "crash",
	             exit_status_how(status), exit_status_value(status));
}

static void on_program_ended(void *arg, int status)
{
	struct waiter *x = arg;
	struct warm_pool *pool = x->pool;

	if (x->why == WAITER_WAITS) {
		remove_waiter(x);
		if (status == 0)
			has_exited(pool, x);
		else
			has_crashed(pool, x, status);
	}
	tell_program_end(x, status);
	fd_close(&x->fd);
	timer_unset(&pool->worker->loop.timers, &x->timer);
	free(x);
}

/* ---- for a connection --------------------------------------------------- */

/* The program that has waited longest. Skips those that have ended and were not waited for yet. */
static struct waiter *oldest_alive(struct warm_pool *pool)
{
	struct waiter *x;

	list_each(&pool->waiting, x, struct waiter, in_pool)
		if (!program_has_ended(x->program))
			return x;
	return NULL;
}

static int start_cold(struct warm_pool *pool, char *const *envp, struct warm_program *taken)
{
	/* It has no owner until program_give is called. */
	taken->program = start_program(pool, envp ? envp : pool->envp, &taken->fd, NULL, NULL);
	taken->waited = false;
	if (!taken->program)
		return -1;
	/* A start does not show that the service is well if programs crash after their start. */
	if (pool->worker->health.strikes == 0)
		health_works(pool->worker, true);
	if (pool->conf->n > 0)
		board_add(&pool->worker->slot->cold, 1);
	return 0;
}

int warm_pool_take(struct warm_pool *pool, char *const *envp, struct warm_program *taken)
{
	struct waiter *x = oldest_alive(pool);

	if (!x)
		return start_cold(pool, envp, taken);
	*taken = (struct warm_program){ .program = x->program, .fd = x->fd, .waited = true };
	remove_waiter(x);
	free(x);
	board_add(&pool->worker->slot->joined, 1);
	pool->delay_ms = 0;
	pool->warned = false;
	health_works(pool->worker, true);
	refill_after(pool, REFILL_MS);
	return 0;
}

/* ---- the pool ----------------------------------------------------------- */

struct warm_pool *warm_pool_new(struct worker *w)
{
	const struct conf_warm *conf = &w->service->handler.warm;
	struct warm_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	*pool = (struct warm_pool){
		.worker = w, .conf = conf,
		.refill.fire = on_refill, .age.fire = on_age, .recovery.fire = on_recovery,
		.starts = { .each_ms = START_EACH_MS, .burst = conf->n },
		.exits = { .each_ms = EXIT_EACH_MS, .burst = conf->n },
	};
	list_init(&pool->waiting);
	pool->envp = environment_with(&w->programs.environment, (char *[]){ proto }, 1);
	if (!pool->envp) {
		free(pool);
		return NULL;
	}
	if (conf->n == 0)
		health_look_at_program(w);
	start_missing(pool);
	pool->starts.paid_ms = 0;       /* these starts are not limited: no client has been served yet */
	return pool;
}

void warm_pool_release(struct warm_pool *pool)
{
	struct waiter *x;

	pool->released = true;
	timer_unset(&pool->worker->loop.timers, &pool->refill);
	timer_unset(&pool->worker->loop.timers, &pool->age);
	timer_unset(&pool->worker->loop.timers, &pool->recovery);
	list_each(&pool->waiting, x, struct waiter, in_pool)
		let_go(x, WAITER_DRAINED);
}

void warm_pool_free(struct warm_pool *pool)
{
	if (!pool)
		return;
	warm_pool_release(pool);
	free(pool->envp);
	free(pool);
}
