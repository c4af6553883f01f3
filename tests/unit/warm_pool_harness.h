/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pool of warm programs: real ones, with the clock of the test, and with what
 * was told of them to who listens for events.
 */
#ifndef DROVER_TESTS_WARM_POOL_HARNESS_H
#define DROVER_TESTS_WARM_POOL_HARNESS_H

#include "warm_pool.h"

#include <stdarg.h>
#include <sys/wait.h>

#include "clock.h"
#include "worker_harness.h"

#define HOUR_MS 3600000
#define EVENTS  4096

static const char *cat[] = { "/bin/cat", NULL };
static const char *shell[] = { "/bin/sh", "-c", NULL, NULL };

static struct warm_pool *pool;
static int n_fds;

/* ---- events ------------------------------------------------------------- */

static pid_t started[EVENTS];           /* to wait, in their order */
static int64_t started_ms[EVENTS];
static size_t n_started;

static struct { pid_t pid; char reason[16], how[16]; int value; } ended[EVENTS];
static size_t n_ended;

static long long delays[EVENTS];
static size_t n_delays;

void __wrap_notify_send(struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void __wrap_notify_send(struct notify *n, const char *format, ...)
{
	char text[256];
	va_list ap;
	int pid;

	(void)n;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	unit_contains(text, " service=test pid=");
	ck_assert_uint_lt(n_started + n_ended + n_delays, EVENTS - 1);
	if (sscanf(text, "warm-start program=%d ", &pid) == 1) {
		started_ms[n_started] = worker.loop.now_ms;
		started[n_started++] = pid;
	} else if (sscanf(text, "warm-end program=%d reason=%15s how=%15s value=%d ", &pid,
	                  ended[n_ended].reason, ended[n_ended].how, &ended[n_ended].value) == 4) {
		ended[n_ended++].pid = pid;
	} else {
		ck_assert_msg(sscanf(text, "warm-delayed after=%lld ", &delays[n_delays]) == 1, "%s",
		              text);
		n_delays++;
	}
}

/* ---- children ---------------------------------------------------------- */

/* Until that one has ended; it is not waited for. */
static inline void until_ended(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* Others that have ended meanwhile are waited for as well; it may have been one of them. */
static inline void reap(pid_t pid)
{
	siginfo_t info;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		ck_assert_int_eq(errno, ECHILD);
	programs_reap(&worker.programs);
}

static inline void crash(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

static inline void expect_end(size_t i, pid_t pid, const char *reason, const char *how, int value)
{
	ck_assert_uint_lt(i, n_ended);
	ck_assert_int_eq(ended[i].pid, pid);
	ck_assert_str_eq(ended[i].reason, reason);
	ck_assert_str_eq(ended[i].how, how);
	ck_assert_int_eq(ended[i].value, value);
}

static uint32_t waiting(void)
{
	return atomic_load(&worker.slot->warm);
}

static inline int count_logged(const char *what)
{
	const char *p = unit_read_file("log");
	int n = 0;

	while ((p = strstr(p, what))) {
		n++;
		p++;
	}
	return n;
}

/* ---- around each test --------------------------------------------------- */

static void set_up(void)
{
	n_fds = unit_count_fds();
	service = (struct conf_service){
		.name = "test", .connections = SLOTS,
		.restart = { .delay_min = 100, .delay_max = 1000 },
		.handler = { .id = HANDLER_ID_exec, .program = cat[0], .argv = cat,
		             .env = (const char **)(uintptr_t)none,
		             .pass_env = (const char **)(uintptr_t)none, .err = STDERR_NULL,
		             .warm = { .n = 3 } },
	};
	open_worker();
	worker.start.log = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(worker.start.log, LOG_LEVEL_WARNING);
	pool = NULL;
	n_started = n_ended = n_delays = 0;
}

/* From now on that program is started. */
static inline void change_to(const char **argv)
{
	worker.programs.program = argv[0];
	worker.programs.argv = (char *const *)(uintptr_t)argv;
}

static inline void run_with(const char **argv)
{
	service.handler.program = argv[0];
	service.handler.argv = argv;
	change_to(argv);
	pool = warm_pool_new(&worker);
	ck_assert_ptr_nonnull(pool);
}

static inline void run_script(const char *script)
{
	shell[2] = script;
	run_with(shell);
}

static void end_all(void)
{
	siginfo_t info;

	programs_end(&worker.programs);
	skip(PROGRAM_KILL_MS);
	while (!programs_none(&worker.programs)) {
		waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
		programs_reap(&worker.programs);
	}
}

static void tear_down(void)
{
	if (pool) {
		warm_pool_release(pool);
		end_all();
		warm_pool_free(pool);
	}
	ck_assert_uint_eq(waiting(), 0);
	log_use(NULL, LOG_LEVEL_ERROR);
	log_sink_close(&worker.start.log);
	close_worker();
	ck_assert_int_eq(unit_count_fds(), n_fds);
}

/* ---- for a connection --------------------------------------------------- */

static int given_status;
static int n_given_ended;

static void given_ended(void *arg, int status)
{
	(void)arg;
	given_status = status;
	n_given_ended++;
}

/* As a connection does. Its pid; *fd is the socket. */
static inline pid_t take(int *fd, bool waited)
{
	struct warm_program taken;

	ck_assert_int_eq(warm_pool_take(pool, NULL, &taken), 0);
	ck_assert(taken.waited == waited);
	ck_assert(unit_fd_is_well_born(taken.fd));
	program_give(taken.program, "test 1-1", "1-1", given_ended, NULL);
	*fd = taken.fd;
	return program_pid(taken.program);
}

/* And lets it end. */
static inline pid_t take_and_close(void)
{
	int fd;
	const pid_t pid = take(&fd, true);

	close(fd);
	return pid;
}

/* A line that it says; waits for it. */
static inline const char *hear_line(int fd)
{
	static char text[512];
	size_t len = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (len == 0 || text[len - 1] != '\n') {
		ck_assert_int_eq(poll(&p, 1, 20000), 1);
		ck_assert_int_eq(read(fd, text + len, 1), 1);
		ck_assert_uint_lt(++len, sizeof text);
	}
	text[len - 1] = '\0';
	return text;
}

#endif
