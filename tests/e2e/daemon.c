/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts, asks and ends the daemon under test. mailbox.c receives its events.
 */
#include <config.h>
#include "daemon.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "files.h"
#include "mailbox.h"
#include "process.h"

#define ERRORS_ROOM (1 << 20)           /* bytes of a pipe; the most that an ordinary user may have */

static struct list daemons = { &daemons, &daemons };

const char *daemon_output(const struct daemon *d)
{
	return files_read(d->out);
}

/* What has come through the pipe goes to the file, which is there after a failure as well. */
static void take_in_errors(struct daemon *d)
{
	static char piece[1 << 16];
	ssize_t n;

	while (d->said.fd > 0 && (n = read(d->said.fd, piece, sizeof piece)) > 0)
		ck_assert_int_eq(write(d->err_fd, piece, (size_t)n), n);
}

static void on_errors(struct turn_hook *h, short revents)
{
	struct daemon *d = container_of(h, struct daemon, said);

	take_in_errors(d);
	if (revents & POLLHUP)
		turn_remove(h);
}

const char *daemon_errors(struct daemon *d)
{
	take_in_errors(d);
	return files_read(d->err);
}

static void give_up(struct daemon *d, const char *what)
{
	ck_abort_msg("the daemon %s (status %d); its standard error:\n%s", what, d->status,
	             daemon_errors(d));
}

/* ---- Configuration ---- */

int daemon_config_lines_before(void)
{
	return 1;
}

/* The default control socket belongs to the machine. */
static const char *first_line(const struct daemon *d, const char *rest)
{
	const bool keeps_default = d->has_default_control || strstr(rest, "control = {");

	return files_text("state_dir = \"%s\";%s%s\n", files_path("state"),
	                  geteuid() == 0 ? " user = \"root\";" : "",
	                  keeps_default ? "" : " control = { socket = \"none\"; };");
}

static void vconfig(struct daemon *d, bool as_is, const char *format, va_list ap)
{
	char *text;

	ck_assert_int_ge(vasprintf(&text, format, ap), 0);
	d->config = files_write("drover.conf", "%s%s", as_is ? "" : first_line(d, text), text);
	free(text);
}

void daemon_config(struct daemon *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vconfig(d, false, format, ap);
	va_end(ap);
}

void daemon_config_as_is(struct daemon *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vconfig(d, true, format, ap);
	va_end(ap);
}

/* ---- Start ---- */

static void on_end(struct turn_hook *h, short revents)
{
	struct daemon *d = container_of(h, struct daemon, life);
	siginfo_t si = { 0 };

	(void)revents;
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)h->fd, &si, WEXITED), 0);
	turn_remove(h);
	close(h->fd);
	d->gone = true;
	d->status = si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
	mailbox_take_in(&d->events);
	mailbox_take_in(&d->notices);
	if (!d->may_end)
		give_up(d, "ended by itself");
}

static void redirect(const char *path, int fd, int flags)
{
	if (dup2(open(path, flags | O_CLOEXEC, 0644), fd) == -1)
		_exit(EXIT_FAILURE);
}

/*
 * Workers have it as it is (a file they would not): what they wrote is there before the events
 * that follow it. As much fits into it as a test may log before it looks.
 */
static void open_errors(struct daemon *d)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fcntl(ends[0], F_SETPIPE_SZ, ERRORS_ROOM);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	d->err_end = ends[1];
	d->err_fd = open(d->err, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	ck_assert_int_ne(d->err_fd, -1);
	d->said = (struct turn_hook){ .fd = ends[0], .events = POLLIN, .ready = on_errors };
	turn_add(&d->said);
}

static void close_errors(struct daemon *d)
{
	if (d->said.fd <= 0)
		return;
	take_in_errors(d);
	turn_remove(&d->said);
	close(d->said.fd);
	close(d->err_fd);
	d->said.fd = 0;
}

static void become_daemon(const struct daemon *d, char *const *argv)
{
	/* By its descriptor if not by its name: as another user we may not
	 * be allowed to search the folders before it. */
	int program = open(argv[0], O_PATH | O_CLOEXEC);

	redirect("/dev/null", STDIN_FILENO, O_RDONLY);
	redirect(d->out, STDOUT_FILENO, O_WRONLY | O_CREAT | O_APPEND);
	if (dup2(d->err_end, STDERR_FILENO) == -1)
		_exit(EXIT_FAILURE);
	setenv("NOTIFY_SOCKET", d->notices.path, 1);
	setenv("DROVER_EVENTS", d->events.path, 1);
	process_reset_signals();
	if (d->before_exec)
		d->before_exec();
	execv(argv[0], argv);
	fexecve(program, argv, environ);
	fprintf(stderr, "%s: %m\n", argv[0]);
	_exit(EXIT_FAILURE);
}

static void prepare(struct daemon *d)
{
	static int n_daemons;

	if (d->err) {           /* it has run before */
		turn_remove(&d->life);
		close_errors(d);
		files_remove_tree(d->out);
		files_remove_tree(d->err);
	} else {
		int nr = n_daemons++;

		mailbox_open(&d->events, files_text("events-%d", nr));
		mailbox_open(&d->notices, files_text("notices-%d", nr));
		d->out = files_path(files_text("output-%d", nr));
		d->err = files_path(files_text("errors-%d", nr));
		list_append(&daemons, &d->in_daemons);
	}
	open_errors(d);
	d->gone = false;
}

static const char *program(const struct daemon *d)
{
	const char *real = getenv("DROVERD");
	const char *slash = real ? strrchr(real, '/') : NULL;

	if (!d->program)
		return real;
	return files_text("%.*s%s", slash ? (int)(slash + 1 - real) : 0, real, d->program);
}

void daemon_spawn_with(struct daemon *d, const char *const *args)
{
	const char *argv[32] = { program(d) };
	size_t n = 1;

	ck_assert_ptr_nonnull(argv[0]);
	for (; args[n - 1]; n++) {
		ck_assert_uint_lt(n, sizeof argv / sizeof argv[0] - 1);
		argv[n] = args[n - 1];
	}
	prepare(d);
	d->pid = fork();
	ck_assert_int_ne(d->pid, -1);
	if (d->pid == 0)        /* exec(3) changes no argument: its type is older than const */
		become_daemon(d, (char *const *)argv);
	close(d->err_end);
	d->life = (struct turn_hook){
		.fd = pidfd_open(d->pid, 0), .events = POLLIN, .ready = on_end,
	};
	ck_assert_int_ne(d->life.fd, -1);
	turn_add(&d->life);
}

void daemon_spawn(struct daemon *d)
{
	daemon_spawn_with(d, (const char *const[]){ "-c", d->config, NULL });
}

void daemon_watched(void)
{
	char pid[16];

	snprintf(pid, sizeof pid, "%d", getpid());
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", pid, 1);
}

void daemon_wait_ready(struct daemon *d)
{
	daemon_wait_notice(d, "READY=1");
}

void daemon_start(struct daemon *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vconfig(d, false, format, ap);
	va_end(ap);
	daemon_spawn(d);
	daemon_wait_ready(d);
}

/* ---- What it says ---- */

/* Waits for a message; the daemon's end is the end of waiting, unless its workers outlive it. */
static const struct event *wait_in(struct daemon *d, struct mailbox *m, mailbox_match *match,
                                   const char *pattern)
{
	struct event *e;

	while (!(e = mailbox_find(m, match, pattern))) {
		if (d->gone && !d->has_survivors)
			give_up(d, files_text("ended before it said: %s", pattern));
		files_write("waits-for", "%s\n", pattern);
		turn_once();
	}
	e->taken = true;
	return e;
}

const struct event *daemon_wait_for(struct daemon *d, const char *format, ...)
{
	char pattern[MAILBOX_PATTERN_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(pattern, sizeof pattern, format, ap);
	va_end(ap);
	return wait_in(d, &d->events, event_has, pattern);
}

const struct event *daemon_wait_notice(struct daemon *d, const char *line)
{
	return wait_in(d, &d->notices, mailbox_has_line, line);
}

static bool has_status(const struct daemon *d, const char *part)
{
	for (size_t i = 0; i < d->notices.n; i++) {
		const char *status = mailbox_line(d->notices.events[i], "STATUS=");

		if (status && strstr(status, part))
			return true;
	}
	return false;
}

void daemon_wait_status(struct daemon *d, const char *part)
{
	while (!has_status(d, part))
		turn_once();
}

size_t daemon_saw(struct daemon *d, const char *format, ...)
{
	char pattern[MAILBOX_PATTERN_MAX];
	size_t n = 0;
	va_list ap;

	va_start(ap, format);
	vsnprintf(pattern, sizeof pattern, format, ap);
	va_end(ap);
	mailbox_take_in(&d->events);
	for (size_t i = 0; i < d->events.n; i++)
		n += event_has(d->events.events[i], pattern);
	return n;
}

/* ---- What tests ask for often ---- */

const char *daemon_address(struct daemon *d, const char *service, size_t n)
{
	const char *pattern = files_text("listening service=%s", service);
	size_t left = n;

	for (size_t i = 0;; i++) {
		while (i == d->events.n) {
			if (d->gone)
				give_up(d, files_text("ended before it said: %s", pattern));
			turn_once();
		}
		if (event_has(d->events.events[i], pattern) && left-- == 0)
			return event_word(d->events.events[i], "address");
	}
}

const char *daemon_port(struct daemon *d, const char *service, size_t n)
{
	const char *colon = strrchr(daemon_address(d, service, n), ':');

	ck_assert_ptr_nonnull(colon);
	return colon + 1;
}

int daemon_connect(struct daemon *d, const char *service)
{
	return client_connect(daemon_address(d, service, 0));
}

int daemon_connect_echo(struct daemon *d, const char *service)
{
	return client_connect_echo(daemon_address(d, service, 0));
}

void daemon_check_echo(struct daemon *d, const char *service)
{
	client_check_echo(daemon_address(d, service, 0));
}

pid_t daemon_next_worker(struct daemon *d, const char *service)
{
	return (pid_t)event_number(daemon_wait_for(d, "worker-ready service=%s", service), "pid");
}

const struct event *daemon_accepted(struct daemon *d, int fd)
{
	return daemon_wait_for(d, "connection-open peer=%s", client_name(fd));
}

const struct event *daemon_ended(struct daemon *d, const struct event *opened)
{
	return daemon_wait_for(d, "connection-end pid=%lld id=%s", event_number(opened, "pid"),
	                       event_word(opened, "id"));
}

long long daemon_reload(struct daemon *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vconfig(d, false, format, ap);
	va_end(ap);
	daemon_signal(d, SIGHUP);
	return event_number(daemon_wait_for(d, "reload-done"), "generation");
}

void daemon_barrier(struct daemon *d)
{
	/* Twice: what was pending together with the first USR1 is done before the second. */
	for (int i = 0; i < 2; i++) {
		daemon_signal(d, SIGUSR1);
		daemon_wait_for(d, "logs-reopened");
	}
}

void daemon_settle_logs(struct daemon *d)
{
	daemon_signal(d, SIGUSR1);
	daemon_wait_for(d, "log-process-switched");
}

void daemon_settle_worker(struct daemon *d, pid_t worker)
{
	daemon_signal(d, SIGUSR1);
	daemon_wait_for(d, "logs-switched pid=%d", worker);
}

/* ---- Its end ---- */

void daemon_signal(struct daemon *d, int signal)
{
	if (signal == SIGTERM || signal == SIGQUIT || signal == SIGINT || signal == SIGKILL)
		d->may_end = true;
	if (signal == SIGKILL)
		d->has_survivors = true;
	ck_assert_msg(pidfd_send_signal(d->life.fd, signal, NULL, 0) == 0,
	              "signal %d to the daemon: %m", signal);
}

int daemon_join(struct daemon *d)
{
	ck_assert_msg(d->may_end, "the daemon was not told to end");
	if (!d->gone)
		files_write("waits-for", "the end of the daemon\n");
	while (!d->gone)
		turn_once();
	return d->status;
}

void daemon_stop(struct daemon *d, int signal)
{
	daemon_signal(d, signal);
	ck_assert_int_eq(daemon_join(d), 0);
}

int daemon_run(struct daemon *d, const char *const *args)
{
	d->may_end = true;
	daemon_spawn_with(d, args);
	return daemon_join(d);
}

void daemon_end_all(void)
{
	struct daemon *d;

	list_each(&daemons, d, struct daemon, in_daemons) {
		if (!d->gone) {
			daemon_signal(d, SIGINT);
			if (daemon_join(d) != 0)
				give_up(d, "did not stop properly at INT");
		}
		close_errors(d);
		mailbox_close(&d->events);
		mailbox_close(&d->notices);
		list_remove(&d->in_daemons);
		*d = (struct daemon){ 0 };
	}
}
