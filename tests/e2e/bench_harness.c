/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One drover-bench at a time, its standard input and output in pipes, and one
 * server, which is part of the test.
 */
#include <config.h>
#include "bench_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 32

/* ---- running drover-bench ----------------------------------------------- */

struct bench_run bench;
void (*bench_before_exec)(void);

void bench_start(const char *const *args)
{
	const char *argv[ARGS_MAX] = { getenv("DROVER_BENCH"), "--json", "--quiet" };
	const char *errors = files_path("bench.txt");
	int in[2], out[2];
	size_t n = 3;

	ck_assert_msg(argv[0], "DROVER_BENCH must name the program to be tested");
	for (; *args; args++)
		argv[n++] = *args;
	ck_assert(n < ARGS_MAX && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	bench = (struct bench_run){ .pid = fork(), .in = in[1], .out = out[0] };
	ck_assert_int_ne(bench.pid, -1);
	if (bench.pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), STDERR_FILENO);
		if (bench_before_exec)
			bench_before_exec();
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	bench.pidfd = process_watch(bench.pid);
}

void bench_expect_line(const char *line)
{
	char byte, got[64] = "";
	size_t n = 0;

	do {
		turn_until_ready(bench.out, POLLIN);
		ck_assert_msg(read(bench.out, &byte, 1) == 1, "ended: %s",
		              files_read(files_path("bench.txt")));
		got[n++] = byte;
	} while (byte != '\n' && n < sizeof got - 1);
	ck_assert_str_eq(got, line);
}

void bench_say_line(void)
{
	ck_assert_int_eq(write(bench.in, "\n", 1), 1);
}

void bench_stop(void)
{
	ck_assert_int_eq(kill(bench.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(bench.pid, &bench.status, WUNTRACED), bench.pid);
	ck_assert(WIFSTOPPED(bench.status));
}

void bench_go_on(void)
{
	ck_assert_int_eq(kill(bench.pid, SIGCONT), 0);
}

int bench_join(void)
{
	char buf[4096], *said;
	size_t size;
	ssize_t n;
	FILE *all = open_memstream(&said, &size);

	for (;;) {
		turn_until_ready(bench.out, POLLIN);
		n = read(bench.out, buf, sizeof buf);
		if (n <= 0)
			break;
		fwrite(buf, 1, (size_t)n, all);
	}
	fclose(all);
	bench.said = files_text("%s", said);
	free(said);
	turn_until_ready(bench.pidfd, POLLIN);
	ck_assert_int_eq(waitpid(bench.pid, &bench.status, 0), bench.pid);
	close(bench.pidfd);
	close(bench.in);
	close(bench.out);
	return WIFEXITED(bench.status) ? WEXITSTATUS(bench.status) : 128 + WTERMSIG(bench.status);
}

int bench_run_args(const char *const *args)
{
	bench_start(args);
	return bench_join();
}

const char *bench_errors(void)
{
	return files_read(files_path("bench.txt"));
}

double bench_figure(const char *group, const char *name)
{
	json_error_t error;
	json_t *report = json_loads(bench.said, 0, &error);
	const json_t *value;
	double n;

	ck_assert_msg(report, "%s in:\n%s\n%s", error.text, bench.said, bench_errors());
	value = json_object_get(group ? json_object_get(report, group) : report, name);
	n = json_is_number(value) ? json_number_value(value) : 0;
	json_decref(report);
	return n;
}

void bench_check_figures(double operations, double n_errors)
{
	ck_assert_msg(bench_figure(NULL, "operations") == operations &&
	              bench_figure(NULL, "errors") == n_errors, "%s", bench.said);
}

/* ---- servers of our own ------------------------------------------------- */

struct server server;

void guest_leave(struct guest *g)
{
	turn_remove(&g->hook);
	if (g->hook.fd != -1)
		close(g->hook.fd);
	g->hook.fd = -1;
}

static void on_bytes(struct turn_hook *h, short revents)
{
	struct guest *g = container_of(h, struct guest, hook);
	ssize_t n = recv(h->fd, g->bytes + g->len, sizeof g->bytes - g->len, MSG_DONTWAIT);

	(void)revents;
	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		guest_leave(g);
		return;
	}
	g->len += (size_t)n;
	g->server->serve(g);
}

static void on_guest(struct turn_hook *h, short revents)
{
	struct server *s = container_of(h, struct server, hook);
	struct guest *g = &s->guests[s->n_guests];

	(void)revents;
	ck_assert_uint_lt(s->n_guests, GUESTS_MAX);
	*g = (struct guest){ .server = s, .nr = s->n_guests++ };
	g->hook = (struct turn_hook){ .fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN,
	                              .ready = on_bytes };
	ck_assert_int_ne(g->hook.fd, -1);
	turn_add(&g->hook);
	s->serve(g);
}

void server_start(void (*serve)(struct guest *g), bool on_unix)
{
	const char *port;

	server.serve = serve;
	server.hook = (struct turn_hook){ .events = POLLIN, .ready = on_guest };
	if (on_unix) {
		server.hook.fd = client_listen_unix(files_path("own.sock"));
		server.address = files_text("unix:%s", files_path("own.sock"));
	} else {
		server.hook.fd = client_listen(&port);
		server.address = files_text("127.0.0.1:%s", port);
	}
	turn_add(&server.hook);
}

void guest_give(struct guest *g, const char *bytes, size_t len)
{
	client_send(g->hook.fd, bytes, len);
}

void guest_echo(struct guest *g)
{
	if (g->len)
		guest_give(g, g->bytes, g->len);
	g->len = 0;
}
