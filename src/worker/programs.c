/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts and ends programs, and reads their standard error. Each program has a pipe of its own,
 * so that lines of two programs do not mix and each is logged with the name of its program.
 */
#include <config.h>
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection_id.h"
#include "fd.h"
#include "launch.h"
#include "log.h"
#include "text.h"

#define LINE_MAX_BYTES 1024             /* longer lines are logged in pieces */
#define LAST_WORDS     65536            /* bytes of standard error that are read when a program has ended */

struct program {
	struct list      in_programs;
	struct programs *programs;
	struct watch     err;           /* our end of its standard error; fd -1: none */
	struct timer     kill;
	struct timer     trial;         /* fires when its trial is over */
	struct stderr_words words;      /* while it is on trial */
	pid_t            pid;
	bool             told;          /* TERM was sent */
	bool             left;          /* it has ended, and is in the list `left` */
	void           (*ended)(void *arg, int status);
	void            *arg;
	char             name[PROGRAM_NAME_MAX];
	char             connection[CONNECTION_ID_MAX]; /* the id of the one that it is for; "": none */
	size_t           line_len;
	size_t           last_len;      /* of the last line, which stays in `line` until the next begins */
	char             line[LINE_MAX_BYTES];
};

/* ---- standard error ----------------------------------------------------- */

static const char *connection_of(const struct program *p)
{
	return p->connection[0] ? p->connection : NULL;
}

static void log_words(void *arg, const char *line, size_t len)
{
	const struct program *p = arg;
	char safe[LOG_LINE_MAX];
	struct text t = text_in(safe, sizeof safe);

	text_add_safe(&t, line, len);                   /* it may hold NUL bytes */
	if (stderr_rate_takes(&p->programs->rate, p->name, t.len))
		log_about(LOG_LEVEL_INFO,
		          LOG_ABOUT(.connection = connection_of(p), .event = LOG_EVENT_PROGRAM_OUTPUT),
		          "%s: %s", p->name, safe);
}

static void flush_line(struct program *p)
{
	if (p->line_len == 0)
		return;
	stderr_words_add(&p->words, &p->programs->repeat, p->line, p->line_len);
	p->last_len = p->line_len;
	p->line_len = 0;
}

static void log_bytes(struct program *p, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			flush_line(p);
			continue;
		}
		p->line[p->line_len++] = bytes[i];
		if (p->line_len == sizeof p->line)
			flush_line(p);
	}
}

/* The number of bytes read. 0: at the end, when it is closed; or there is nothing to read now. */
static size_t read_some(struct program *p)
{
	char buf[4096];
	ssize_t n = read(p->err.fd, buf, sizeof buf);

	if (n > 0)
		log_bytes(p, buf, (size_t)n);
	if (n == 0) {
		loop_unwatch(p->programs->loop, &p->err);
		fd_close(&p->err.fd);
	}
	return n > 0 ? (size_t)n : 0;
}

static void read_last_words(struct program *p)
{
	for (size_t n = 1, sum = 0; p->err.fd != -1 && n > 0 && sum < LAST_WORDS; sum += n)
		n = read_some(p);
	flush_line(p);
}

static void forget_program(struct program *p);

static void on_stderr(struct watch *w, uint32_t events)
{
	struct program *p = container_of(w, struct program, err);

	(void)events;
	read_some(p);
	if (p->left && p->err.fd == -1)
		forget_program(p);
}

/*
 * Returns what the program is given as descriptor 2, or -1 with errno. If its standard error
 * is logged, that is the blocking end of a pipe, which is also put into *to_close: it must be
 * closed when the program has it.
 */
static int open_stderr(struct program *p, int out, int *to_close)
{
	int ends[2];

	*to_close = -1;
	switch (p->programs->err) {
	case STDERR_CLIENT:
		return out;
	case STDERR_NULL:
		return p->programs->null_fd;
	case STDERR_LOG:
		break;
	}
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	p->err.fd = ends[0];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1 ||
	    loop_watch(p->programs->loop, &p->err, EPOLLIN) == -1)
		return fd_drop(ends[1]);
	return *to_close = ends[1];
}

/* ---- birth and death ---------------------------------------------------- */

static void free_program(struct watch *w)
{
	free(container_of(w, struct program, err));
}

/* Removes it from its list, and frees it at the end of this turn. */
static void discard_program(struct program *p)
{
	struct loop *l = p->programs->loop;

	list_remove(&p->in_programs);
	timer_unset(&l->timers, &p->kill);
	timer_unset(&l->timers, &p->trial);
	stderr_words_pass(&p->words);
	loop_reclaim(l, &p->err, free_program);
	fd_close(&p->err.fd);
}

/* ---- what programs leave ------------------------------------------------ */

static void forget_program(struct program *p)
{
	flush_line(p);
	p->programs->n_left--;
	discard_program(p);
}

static void tell_of_left(struct programs *ps, const struct program *oldest)
{
	if (!ps->left_told)
		log_warn("%s: more than %d ended programs have left processes that hold their"
		         " standard error; closing that of the oldest, now of %s",
		         ps->rate.service, PROGRAMS_LEFT_MAX, oldest->name);
	ps->left_told = true;
}

/*
 * A program may leave a job in the background, which would die of SIGPIPE if its standard
 * error were closed: that is read until the job ends. If there are too many of them, that of
 * the oldest is closed, so that they do not take all descriptors.
 */
static void keep_reading(struct program *p)
{
	struct programs *ps = p->programs;

	if (ps->n_left == PROGRAMS_LEFT_MAX) {
		struct program *oldest = container_of(ps->left.next, struct program, in_programs);

		tell_of_left(ps, oldest);
		forget_program(oldest);
	}
	list_remove(&p->in_programs);
	timer_unset(&ps->loop->timers, &p->kill);
	p->left = true;
	list_append(&ps->left, &p->in_programs);
	ps->n_left++;
}

/* ---- on trial ----------------------------------------------------------- */

void program_passes(struct program *p)
{
	timer_unset(&p->programs->loop->timers, &p->trial);
	stderr_words_pass(&p->words);
}

static void on_trial_over(struct timer *t)
{
	program_passes(container_of(t, struct program, trial));
}

static void begin_trial(struct program *p)
{
	stderr_words_begin(&p->words);
	loop_timer(p->programs->loop, &p->trial, PROGRAM_TRIAL_MS);
}

/* ---- signals ------------------------------------------------------------ */

static void signal_group(const struct program *p, int signal)
{
	kill(-p->pid, signal);  /* the program was not waited for yet, so that its id is not reused */
}

static void on_kill(struct timer *t)
{
	struct program *p = container_of(t, struct program, kill);

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.connection = connection_of(p)),
	          "%s: the program did not end on TERM; killing it", p->name);
	signal_group(p, SIGKILL);
}

static void set_name(struct program *p, const char *name, const char *connection)
{
	struct text t = text_in(p->name, sizeof p->name);
	struct text id = text_in(p->connection, sizeof p->connection);

	text_add_string(&t, name);
	text_add_string(&id, connection ? connection : "");
}

static void add_pid(struct program *p)
{
	const size_t len = strlen(p->name);
	struct text t = text_in(p->name + len, sizeof p->name - len);

	text_add(&t, " %d", (int)p->pid);
}

struct program *program_start(struct programs *ps, const struct program_request *r)
{
	struct program *p = calloc(1, sizeof *p);
	int err, to_close;

	if (!p)
		return NULL;
	*p = (struct program){ .programs = ps, .err = { .fd = -1, .ready = on_stderr },
	                       .kill.fire = on_kill, .trial.fire = on_trial_over,
	                       .words = { .log = log_words, .arg = p },
	                       .ended = r->ended, .arg = r->arg };
	list_init(&p->in_programs);
	set_name(p, r->name, r->connection);
	err = open_stderr(p, r->out, &to_close);
	ps->no_directory = false;
	p->pid = err == -1 ? -1 : launch(&(struct launch){
		.program = ps->program, .argv = ps->argv, .envp = r->envp, .directory = ps->directory,
		.in = r->in, .out = r->out, .err = err, .limits = ps->limits }, &ps->no_directory);
	fd_close(&to_close);
	if (p->pid == -1) {
		int saved = errno;

		discard_program(p);
		errno = saved;
		return NULL;
	}
	list_append(&ps->running, &p->in_programs);
	if (r->with_pid)
		add_pid(p);
	if (r->on_trial)
		begin_trial(p);
	return p;
}

const char *programs_failure(const struct programs *ps, char buf[PROGRAMS_FAILURE_MAX])
{
	struct text t = text_in(buf, PROGRAMS_FAILURE_MAX);

	text_add_string(&t, "start ");
	text_add_string(&t, ps->program);
	text_add_string(&t, ps->no_directory ? ": enter " : "");
	text_add_string(&t, ps->no_directory ? ps->directory : "");
	return buf;
}

void program_add_last_words(const struct program *p, struct text *t)
{
	if (p->last_len == 0 || p->line_len > 0)
		return;
	text_add_string(t, "; it said \"");
	text_add_safe(t, p->line, p->last_len);
	text_add_string(t, "\"");
}

pid_t program_pid(const struct program *p)
{
	return p->pid;
}

void program_give(struct program *p, const char *name, const char *connection,
                  void (*ended)(void *arg, int status), void *arg)
{
	/* What it has written so far, even a line that it has only begun, is logged under its old name. */
	read_last_words(p);
	program_passes(p);
	set_name(p, name, connection);
	add_pid(p);
	p->ended = ended;
	p->arg = arg;
}

bool program_has_ended(const struct program *p)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

void program_end(struct program *p)
{
	if (p->told)
		return;
	p->told = true;
	program_passes(p);
	signal_group(p, SIGTERM);
	loop_timer(p->programs->loop, &p->kill, PROGRAM_KILL_MS);
}

void program_kill(struct program *p)
{
	p->told = true;
	timer_unset(&p->programs->loop->timers, &p->kill);
	signal_group(p, SIGKILL);
}

void programs_end(struct programs *ps)
{
	struct program *p;

	list_each(&ps->running, p, struct program, in_programs)
		program_end(p);
}

static struct program *find_program(struct programs *ps, pid_t pid)
{
	struct program *p;

	list_each(&ps->running, p, struct program, in_programs)
		if (p->pid == pid)
			return p;
	return NULL;
}

static void has_ended(struct program *p, int status)
{
	read_last_words(p);
	stderr_words_end(&p->words, &p->programs->repeat, p->programs->loop->now_ms);
	p->ended(p->arg, status);
	if (p->err.fd == -1)
		discard_program(p);
	else
		keep_reading(p);
}

/*
 * The id of a child that has ended; 0 if there is none. It is not waited for yet, because until
 * then neither its id nor that of its process group can be reused.
 */
static pid_t next_ended(void)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ? 0 : info.si_pid;
}

void programs_reap(struct programs *ps)
{
	struct program *p;
	pid_t pid;
	int status;

	while (!list_empty(&ps->running) && (pid = next_ended()) > 0) {
		p = find_program(ps, pid);
		/* If a program was told to end, the processes that it started end with it. */
		if (p && p->told)
			signal_group(p, SIGKILL);
		if (waitpid(pid, &status, 0) == pid && p)
			has_ended(p, status);
	}
}

bool programs_none(const struct programs *ps)
{
	return list_empty(&ps->running);
}

/* ---- for a service ------------------------------------------------------ */

int programs_init(struct programs *ps, struct loop *l, const struct conf_service *s,
                  const struct rlimit_list *limits, _Atomic int64_t *paid_ns)
{
	*ps = (struct programs){ .loop = l, .directory = s->directory,
	                         .program = s->handler.program,
	                         .argv = (char *const *)s->handler.argv, .err = s->handler.err,
	                         .limits = limits, .null_fd = -1 };
	list_init(&ps->running);
	list_init(&ps->left);
	ps->repeat.service = s->name;
	stderr_rate_init(&ps->rate, l, s->name, s->handler.stderr_rate, paid_ns);
	if (ps->err == STDERR_NULL) {
		ps->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (ps->null_fd == -1)
			return -1;
	}
	if (environment_build(&ps->environment, s) == -1)
		return -1;
	return environment_set(&ps->environment, "DROVER_SERVICE", s->name);
}

void programs_fini(struct programs *ps)
{
	struct program *p;

	list_each(&ps->left, p, struct program, in_programs) {
		read_last_words(p);
		forget_program(p);
	}
	stderr_repeat_fini(&ps->repeat);
	stderr_rate_fini(&ps->rate);
	fd_close(&ps->null_fd);
	environment_free(&ps->environment);
}
