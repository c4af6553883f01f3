/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends one request, waits for its answer, and prints it.
 */
#include <config.h>
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "arguments.h"
#include "patience.h"
#include "readiness.h"
#include "replay.h"
#include "session.h"
#include "standard_fds.h"
#include "top.h"
#include "weight.h"

/* ---- waiting ------------------------------------------------------------ */

/* True if drover answers another client, or if that cannot be found out. */
static bool gives_a_sign(const char *path)
{
	struct session s;
	struct answer answer = { 0 };
	int status = session_open(&s, path);

	if (status == EX_OK)
		status = session_ask_for(&s, "version");
	if (status == EX_OK)
		session_wait(&s, patience_ms(PATIENCE_SIGN), &answer);
	session_free_answer(&answer);
	session_close(&s);
	return !s.is_silent;
}

/* A slow command has no time limit; but if the server hangs, the operator is told once. */
static int wait_with_signs(struct session *s, const char *path, struct answer *answer)
{
	int limit_ms = patience_ms(PATIENCE_CHANGE), status;

	do {
		status = session_wait(s, limit_ms, answer);
		if (s->is_silent && !gives_a_sign(path)) {
			fputs("droverctl: drover does not answer; still waiting\n", stderr);
			limit_ms = -1;
		}
	} while (s->is_silent);
	return status;
}

static int wait_for(const struct arguments *a, struct session *s, struct answer *answer)
{
	if (a->command->at_once || a->weight || a->ready)
		return session_wait(s, patience_ms(PATIENCE_ANSWER), answer);
	return wait_with_signs(s, a->socket, answer);
}

/* ---- what was said ------------------------------------------------------ */

static int tell_result(const struct arguments *a, const struct answer *answer)
{
	if (a->replay)
		return replay_crash(json_object_get(answer->result, "crash"), a->replay, a->json, stdout);
	if (a->weight)
		return weight_tell(answer->result, a->weight, a->json, stdout);
	if (a->ready)
		return readiness_tell(answer->result, a->ready, a->json, stdout);
	if (a->json) {
		show_json(answer->result, isatty(STDOUT_FILENO), stdout);
		return EX_OK;
	}
	if (a->command->show(a->request, answer->result, stdout))
		return EX_OK;
	fprintf(stderr, "droverctl: drover's answer to %s is not understood\n", a->command->name);
	return EX_SOFTWARE;
}

static int tell_error(const struct arguments *a, const struct answer *answer)
{
	const json_t *message = answer->message;

	if (!message || json_string_length(message) == 0)
		message = json_object_get(answer->whole, "error");
	show_message(message, stderr);
	if (a->json) {
		json_object_del(answer->whole, "ok");
		show_json(answer->whole, isatty(STDOUT_FILENO), stdout);
	}
	return session_exit_status(answer->error);
}

/* The exit status of a failure. */
static int failure(const struct arguments *a, int status)
{
	return a->asks_weight ? WEIGHT_NONE : status;
}

static int ask_server(const struct arguments *a)
{
	struct session s;
	struct answer answer = { 0 };
	int status = session_open(&s, a->socket);

	if (status == EX_OK)
		status = session_ask(&s, a->request);
	if (status == EX_OK)
		status = wait_for(a, &s, &answer);
	if (status != EX_OK) {
		fprintf(stderr, "droverctl: %s\n", s.error);
		status = failure(a, status);
	} else if (!answer.result) {
		status = failure(a, tell_error(a, &answer));
	} else {
		/* The server answers just before it ends, and the operator may start another one after us. */
		if (strcmp(a->command->name, "stop") == 0)
			session_wait_end(&s);
		status = tell_result(a, &answer);
	}
	session_free_answer(&answer);
	session_close(&s);
	return status;
}

static int run_action(const struct arguments *a)
{
	switch (a->action) {
	case ARGUMENTS_RUN:
		return a->command->show ? ask_server(a) : top_run(a);
	case ARGUMENTS_HELP:
		arguments_print_help(stdout);
		return EX_OK;
	case ARGUMENTS_VERSION:
		puts("droverctl " PACKAGE_VERSION);
		return EX_OK;
	case ARGUMENTS_BAD:
		break;
	}
	fprintf(stderr, "droverctl: %s\n", a->error);
	return failure(a, EX_USAGE);
}

int tool_run(int argc, char **argv)
{
	struct arguments a;
	int status;

	/* If standard output is closed, our socket could become it, and drover would get the output. */
	standard_fds_ensure();
	arguments_read(&a, argc, argv);
	status = run_action(&a);
	arguments_free(&a);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "droverctl: standard output: %s\n", strerror(errno));
		return status == EX_OK ? EX_IOERR : status;
	}
	return status;
}
