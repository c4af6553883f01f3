/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main thread: it tells the others what to do, waits for them, and adds up their counts. It
 * touches no connection.
 */
#include <config.h>
#include "bench_run.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "bench_thread.h"
#include "bench_tls.h"
#include "clock.h"
#include "fd.h"
#include "progress.h"
#include "rlimits.h"

#define SPARE_DESCRIPTORS 16            /* beside those of connections and threads */
#define PROGRESS_MS       250

struct run {
	const struct bench_plan *plan;
	struct bench_shared      shared;
	struct bench_thread     *threads;
	unsigned                 n_threads;     /* that were started */
	int                      signal_fd;
	bool                     interrupted;
	int64_t                  start_ns;      /* of the measured part */
	struct progress          progress;
	bool                     has_terminal;
};

/* ---- threads ------------------------------------------------------------ */

static void command_all(struct run *run, const struct bench_command *command)
{
	atomic_store(&run->shared.through, 0);
	for (unsigned i = 0; i < run->n_threads; i++)
		bench_thread_command(&run->threads[i], command);
}

static void stop_all(struct run *run)
{
	atomic_store(&run->shared.stop, true);
	for (unsigned i = 0; i < run->n_threads; i++)
		bench_thread_wake(&run->threads[i]);
}

/* Reads the files of --tls. If that fails, prints why, and returns -1. */
static int make_tls(struct run *run)
{
	char complaint[400];

	if (!run->plan->tls.on)
		return 0;
	signal(SIGPIPE, SIG_IGN);       /* OpenSSL writes to sockets without MSG_NOSIGNAL */
	for (unsigned i = 0; i < run->plan->threads; i++) {
		run->threads[i].lane.tls = bench_tls_new(run->plan, complaint, sizeof complaint);
		if (!run->threads[i].lane.tls) {
			fprintf(stderr, "drover-bench: %s\n", complaint);
			return -1;
		}
	}
	return 0;
}

static void free_threads(struct run *run)
{
	for (unsigned i = 0; run->threads && i < run->plan->threads; i++)
		bench_tls_free(run->threads[i].lane.tls);
	free(run->threads);
}

static int start_threads(struct run *run)
{
	const struct bench_plan *p = run->plan;

	for (unsigned i = 0; i < p->threads; i++) {
		struct bench_thread *t = &run->threads[i];

		t->plan = p;
		t->shared = &run->shared;
		t->index = i;
		t->n_clients = p->connections / p->threads + (i < p->connections % p->threads);
		if (bench_thread_start(t) == -1)
			return -1;
		run->n_threads++;
	}
	return 0;
}

static void end_threads(struct run *run)
{
	command_all(run, &(struct bench_command){ .phase = BENCH_PHASE_CLOSE, .end_ns = INT64_MAX });
	for (unsigned i = 0; i < run->n_threads; i++)
		bench_thread_join(&run->threads[i]);
}

/* ---- waiting ------------------------------------------------------------ */

static bool all_are_through(struct run *run)
{
	return atomic_load_explicit(&run->shared.through, memory_order_acquire) == run->n_threads;
}

static uint64_t errors_so_far(struct run *run)
{
	return atomic_load_explicit(&run->shared.errors, memory_order_relaxed);
}

static void show_progress(struct run *run, const struct bench_command *command)
{
	struct progress_now n = {
		.phase = command->phase == BENCH_PHASE_WARM_UP ? "warming up" :
		         command->phase == BENCH_PHASE_OPEN ? "opening" : "measuring",
		.errors = errors_so_far(run),
		.now_ns = clock_ns(), .start_ns = command->start_ns, .end_ns = command->end_ns,
		.count = command->phase == BENCH_PHASE_MEASURE ? run->plan->count : 0,
	};

	for (unsigned i = 0; i < run->n_threads; i++)
		n.operations += atomic_load_explicit(&run->threads[i].operations, memory_order_relaxed);
	if (run->has_terminal)
		progress_show(&run->progress, &n);
}

/* The first SIGINT ends the run early; the next one has its default action. */
static void on_interrupt(struct run *run)
{
	struct signalfd_siginfo si;
	sigset_t set;

	if (read(run->signal_fd, &si, sizeof si) != (ssize_t)sizeof si)
		return;
	run->interrupted = true;
	signal(SIGINT, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void on_shared_event(struct run *run)
{
	uint64_t count;

	if (read(run->shared.event_fd, &count, sizeof count) == -1)
		return;
	if (errors_so_far(run) >= run->plan->max_errors)
		stop_all(run);
}

enum gate { GATE_CLOSED, GATE_PASSED, GATE_GONE };

/* Reads byte by byte, because what follows the line may be for the next gate. */
static enum gate read_gate(void)
{
	char byte;
	ssize_t n = read(STDIN_FILENO, &byte, 1);

	if (n == -1 && errno == EINTR)
		return GATE_CLOSED;
	return n <= 0 ? GATE_GONE : byte == '\n' ? GATE_PASSED : GATE_CLOSED;
}

/*
 * Waits until every thread is through, a line comes at the gate (with at_gate), or SIGINT comes,
 * whichever is first. Returns GATE_CLOSED if it was not the gate.
 */
static enum gate wait_for_threads(struct run *run, const struct bench_command *command, bool at_gate)
{
	struct pollfd fds[] = {
		{ .fd = run->shared.event_fd, .events = POLLIN },
		{ .fd = run->interrupted ? -1 : run->signal_fd, .events = POLLIN },
		{ .fd = at_gate ? STDIN_FILENO : -1, .events = POLLIN },
	};

	while (command->phase == BENCH_PHASE_WAIT || !all_are_through(run)) {
		const int n = poll(fds, 3, run->has_terminal ? PROGRESS_MS : -1);

		if (command->phase != BENCH_PHASE_WAIT)
			show_progress(run, command);
		if (n <= 0)
			continue;
		if (fds[0].revents)
			on_shared_event(run);
		if (fds[1].revents) {
			on_interrupt(run);
			return GATE_CLOSED;
		}
		if (fds[2].revents) {
			const enum gate gate = read_gate();

			if (gate != GATE_CLOSED)
				return gate;
		}
	}
	return GATE_CLOSED;
}

/* Runs a phase to its end; if held, until a line comes at the gate. False: standard input has ended. */
static bool pass_phase(struct run *run, enum bench_phase phase, int64_t for_ns, bool held)
{
	struct bench_command command = { .phase = phase, .start_ns = clock_ns(), .end_ns = INT64_MAX };
	enum gate gate;

	if (for_ns && !held)
		command.end_ns = command.start_ns + for_ns;
	if (phase == BENCH_PHASE_MEASURE)
		run->start_ns = command.start_ns;
	atomic_store(&run->shared.stop, errors_so_far(run) >= run->plan->max_errors);
	command_all(run, &command);
	gate = wait_for_threads(run, &command, held);
	if (run->interrupted || gate != GATE_CLOSED)
		stop_all(run);
	while (!all_are_through(run))   /* the wait also ends with SIGINT */
		wait_for_threads(run, &command, false);
	progress_clear(&run->progress);
	return gate != GATE_GONE;
}

/* Prints the name of the gate and waits for a line. False if there will be none. */
static bool pass_gate(struct run *run, const char *name)
{
	const struct bench_command wait = { .phase = BENCH_PHASE_WAIT };

	if (!run->plan->gate || run->interrupted)
		return true;
	if (puts(name) == EOF || fflush(stdout) == EOF)
		return false;
	return wait_for_threads(run, &wait, true) != GATE_GONE;
}

/* ---- the whole ---------------------------------------------------------- */

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void note_start(struct report *r)
{
	clock_utc_seconds(time(NULL), r->started);
}

/* To be called when the threads have ended: until then they count connections that are lost. */
static void add_up(const struct run *run, struct report *r)
{
	int64_t end_ns = run->start_ns;

	for (unsigned i = 0; i < run->n_threads; i++) {
		tally_merge(&r->tally, &run->threads[i].tally);
		if (run->threads[i].ended_ns > end_ns)
			end_ns = run->threads[i].ended_ns;
	}
	r->seconds = (double)(end_ns - run->start_ns) / 1e9;
}

static bool has_no_server(const struct run *run)
{
	uint64_t opened = 0;

	for (unsigned i = 0; i < run->n_threads; i++)
		opened += run->threads[i].tally.connections_opened;
	return bench_plan_keeps_connections(run->plan) && opened == 0 && !run->interrupted;
}

/* False if standard input has ended at a gate, or its name could not be printed. */
static bool pass_all(struct run *run, struct report *r)
{
	const struct bench_plan *p = run->plan;
	const bool held = p->mode == BENCH_HOLD && p->gate;
	double cpu;

	note_start(r);
	pass_phase(run, BENCH_PHASE_OPEN, 0, false);
	if (has_no_server(run))
		return true;
	if (p->warm_up_ns && !run->interrupted)
		pass_phase(run, BENCH_PHASE_WARM_UP, p->warm_up_ns, false);
	if (!held && !pass_gate(run, "begin"))
		return false;
	if (held && !run->interrupted && (puts("begin") == EOF || fflush(stdout) == EOF))
		return false;
	cpu = cpu_seconds();
	if (!run->interrupted) {
		note_start(r);
		if (!pass_phase(run, BENCH_PHASE_MEASURE, p->duration_ns, held))
			return false;
	}
	r->client_cpu_seconds = cpu_seconds() - cpu;
	if (errors_so_far(run) >= p->max_errors)
		fprintf(stderr, "drover-bench: gave up after %" PRIu64 " errors\n", errors_so_far(run));
	return pass_gate(run, "end");
}

static int exit_status(const struct report *r, const struct run *run)
{
	if (r->tally.connections_opened == 0 && !run->interrupted)
		return EX_UNAVAILABLE;
	return tally_failures(&r->tally) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_threads(struct run *run, struct report *r)
{
	bool passed;

	run->threads = calloc(run->plan->threads, sizeof *run->threads);
	if (run->threads && make_tls(run) == -1)
		return EX_USAGE;
	if (!run->threads || start_threads(run) == -1) {
		fprintf(stderr, "drover-bench: start %u threads: %s\n", run->plan->threads,
		        strerror(errno));
		end_threads(run);
		return EX_OSERR;
	}
	passed = pass_all(run, r);
	end_threads(run);
	add_up(run, r);
	if (!passed) {
		fputs("drover-bench: --gate: standard input has ended\n", stderr);
		return EX_SOFTWARE;
	}
	return exit_status(r, run);
}

/* Raises the limit of descriptors to what will be needed. If it cannot, prints so; false. */
static bool has_descriptors(const struct bench_plan *p)
{
	const rlim_t want = p->connections + 3 * (rlim_t)p->threads + SPARE_DESCRIPTORS;
	const rlim_t limit = rlimits_want_descriptors(want);

	if (limit >= want)
		return true;
	fprintf(stderr, "drover-bench: %u connections need %llu descriptors, and the limit is %llu: raise"
	        " it (ulimit -Hn, LimitNOFILE=, or as root sysctl fs.nr_open)\n", p->connections,
	        (unsigned long long)want, (unsigned long long)limit);
	return false;
}

static int take_interrupts(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int bench_run(const struct bench_plan *p, struct report *r)
{
	struct run run = { .plan = p, .shared.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	int status = EX_OSERR;

	r->plan = p;
	atomic_init(&run.shared.tickets, p->count);
	run.has_terminal = !p->quiet && isatty(STDERR_FILENO);
	run.progress = (struct progress){ .out = stderr, .width = report_width(stderr),
	                                  .blocks = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	if (!has_descriptors(p))
		goto out;
	run.signal_fd = take_interrupts();
	if (run.signal_fd == -1 || run.shared.event_fd == -1)
		fprintf(stderr, "drover-bench: %s\n", strerror(errno));
	else
		status = run_threads(&run, r);
	fd_drop(run.signal_fd);
out:
	fd_drop(run.shared.event_fd);
	free_threads(&run);
	return status;
}
