/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl as a child, and canned answers.
 */
#include <config.h>
#include "operator.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "files.h"
#include "process.h"

#define ARGS_MAX 16

void (*operator_before_exec)(void);
const char *operator_output_path, *operator_errors_path;

/* ---- droverctl ---------------------------------------------------------- */

static const char *name = "droverctl";
static int pidfd;                       /* of the one that runs */

const char *operator_program(void)
{
	const char *daemon = getenv("DROVERD");
	const char *slash = strrchr(daemon, '/');

	return files_text("%.*s%s", slash ? (int)(slash + 1 - daemon) : 0, daemon, name);
}

void operator_hasten(const char *words)
{
	name = "tests/e2e/hasty_droverctl";
	ck_assert_int_eq(setenv("HASTE", files_write("haste", "%s", words), 1), 0);
}

const char *operator_output(void)
{
	return files_read(files_path("operator-output-1"));
}

const char *operator_errors(void)
{
	return files_read(files_path("operator-errors-1"));
}

static void write_to(const char *path, int fd)
{
	if (dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), fd) == -1)
		_exit(EXIT_FAILURE);
}

static void become_operator(const char *program, const char *out, const char *err, const char **argv)
{
	/* By its descriptor: another user may not be allowed to search the folders before it. */
	int fd = open(program, O_PATH | O_CLOEXEC);

	write_to(out, STDOUT_FILENO);
	write_to(err, STDERR_FILENO);
	if (operator_before_exec)
		operator_before_exec();
	/* exec(3) changes no argument: its type is older than const */
	fexecve(fd, (char *const *)argv, environ);
	fprintf(stderr, "%s: %m\n", program);
	_exit(127);
}

void operator_start(const char *socket, const char *const *args)
{
	const char *program = operator_program();
	const char *out = operator_output_path ? operator_output_path : files_path("operator-output-1");
	const char *err = operator_errors_path ? operator_errors_path : files_path("operator-errors-1");
	const char *argv[ARGS_MAX + 4] = { "droverctl" };
	size_t n = 1;
	pid_t pid;

	if (socket) {
		argv[n++] = "-s";
		argv[n++] = socket;
	}
	for (size_t i = 0; args[i]; i++) {
		ck_assert_uint_lt(i, ARGS_MAX);
		argv[n++] = args[i];
	}
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		become_operator(program, out, err, argv);
	pidfd = process_watch(pid);
}

int operator_join(void)
{
	siginfo_t si = { 0 };

	turn_until_ready(pidfd, POLLIN);
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED), 0);
	close(pidfd);
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

int operator_run(const char *socket, const char *const *args)
{
	operator_start(socket, args);
	return operator_join();
}

/* ---- the server --------------------------------------------------------- */

static void end_client(struct fake_client *c)
{
	turn_remove(&c->hook);
	close(c->hook.fd);
	c->hook.fd = -1;
	c->len = 0;
}

/* The first row that fits: the last one that was added. */
static void answer(struct fake_client *c, const char *request)
{
	struct fake *f = c->fake;

	for (size_t i = f->n_answers; i-- > 0;) {
		const char *command = f->answers[i].command, *answer = f->answers[i].answer;

		if (strcmp(command, "*") != 0 &&
		    !strstr(request, files_text("\"command\":\"%s\"", command)))
			continue;
		/* A client that is gone does not hear it. */
		if (send(c->hook.fd, answer, strlen(answer), MSG_NOSIGNAL) == -1 || f->answers[i].closes)
			end_client(c);
		return;
	}
	ck_abort_msg("there is no answer to %s", request);
}

static void on_request(struct turn_hook *h, short revents)
{
	struct fake_client *c = container_of(h, struct fake_client, hook);
	ssize_t n = recv(h->fd, c->line + c->len, sizeof c->line - 1 - c->len, MSG_DONTWAIT);
	char *newline;

	(void)revents;
	if (n <= 0) {
		end_client(c);
		return;
	}
	c->len += (size_t)n;
	c->line[c->len] = '\0';
	newline = strchr(c->line, '\n');
	if (!newline)
		return;
	/* droverctl asks when it has the answer to what it has asked before. */
	ck_assert_ptr_eq(newline, c->line + c->len - 1);
	*newline = '\0';
	c->len = 0;
	ck_assert_uint_lt(c->fake->n_requests, FAKE_REQUESTS_MAX);
	c->fake->requests[c->fake->n_requests++] = files_text("%s", c->line);
	answer(c, c->line);
}

static void on_client(struct turn_hook *h, short revents)
{
	struct fake *f = container_of(h, struct fake, listener);
	int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)revents;
	ck_assert_msg(fd != -1, "accept: %m");
	if (f->refusal) {
		send(fd, f->refusal, strlen(f->refusal), MSG_NOSIGNAL);
		close(fd);
		return;
	}
	for (size_t i = 0; i < FAKE_CLIENTS_MAX; i++)
		if (f->clients[i].hook.fd == -1) {
			f->clients[i].hook = (struct turn_hook){
				.fd = fd, .events = POLLIN, .ready = on_request,
			};
			turn_add(&f->clients[i].hook);
			return;
		}
	ck_abort_msg("too many clients");
}

void fake_open(struct fake *f)
{
	f->path = files_path("control.sock");
	for (size_t i = 0; i < FAKE_CLIENTS_MAX; i++) {
		f->clients[i].hook.fd = -1;
		f->clients[i].fake = f;
	}
	f->listener = (struct turn_hook){
		.fd = client_listen_unix(f->path), .events = POLLIN, .ready = on_client,
	};
	turn_add(&f->listener);
}

void fake_close(struct fake *f)
{
	turn_remove(&f->listener);
	close(f->listener.fd);
	unlink(f->path);
	for (size_t i = 0; i < FAKE_CLIENTS_MAX; i++)
		if (f->clients[i].hook.fd != -1)
			end_client(&f->clients[i]);
}

static void add_answer(struct fake *f, const char *command, const char *answer, bool closes)
{
	ck_assert_uint_lt(f->n_answers, FAKE_ANSWERS_MAX);
	f->answers[f->n_answers].command = command;
	f->answers[f->n_answers].answer = answer;
	f->answers[f->n_answers++].closes = closes;
}

void fake_answers(struct fake *f, const char *command, const char *answer)
{
	add_answer(f, command, files_text("%s\n", answer), false);
}

void fake_results(struct fake *f, const char *command, const char *result)
{
	fake_answers(f, command, files_text("{\"ok\":true,\"result\":%s}", result));
}

void fake_refuses(struct fake *f, const char *line)
{
	f->refusal = files_text("%s\n", line);
}

void fake_falls_silent(struct fake *f, const char *command, const char *bytes)
{
	add_answer(f, command, bytes, false);
}

void fake_breaks_off(struct fake *f, const char *command, const char *bytes)
{
	add_answer(f, command, bytes, true);
}
