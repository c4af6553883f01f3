/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real droverctl under test, and a server for it that says what the test
 * wants: a control socket that is served by turns.
 */
#ifndef DROVER_E2E_OPERATOR_H
#define DROVER_E2E_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>

#include "turn.h"

#define FAKE_CLIENTS_MAX  8
#define FAKE_ANSWERS_MAX  16
#define FAKE_REQUESTS_MAX 256

/* ---- droverctl ---------------------------------------------------------- */

/* Its file: beside the daemon's. */
const char *operator_program(void);

/*
 * From now on it is one that loses its patience (patience.h) at once where that is
 * for one of these words, "answer", "change", "sign", "replay", and elsewhere never. Called
 * again, also for one that runs.
 */
void operator_hasten(const char *words);

/*
 * Runs it with these arguments (NULL at the end), behind "-s SOCKET" if socket is
 * not NULL. Returns the exit status, or 128 and the signal. Also in two steps.
 */
void operator_start(const char *socket, const char *const *args);
int operator_join(void);
int operator_run(const char *socket, const char *const *args);
#define operator_run_args(socket, ...) operator_run(socket, (const char *const[]){ __VA_ARGS__, NULL })

/* What the last run has written. */
const char *operator_output(void);
const char *operator_errors(void);

/* For the next runs: called in the child before it becomes droverctl; where what it writes goes. */
extern void (*operator_before_exec)(void);
extern const char *operator_output_path, *operator_errors_path;

/* ---- the server --------------------------------------------------------- */

struct fake_client {
	struct turn_hook hook;          /* fd -1: free */
	struct fake     *fake;
	char             line[4096];
	size_t           len;
};

struct fake {
	struct turn_hook   listener;
	const char        *path;
	struct fake_client clients[FAKE_CLIENTS_MAX];
	struct { const char *command, *answer; bool closes; } answers[FAKE_ANSWERS_MAX];
	size_t             n_answers;
	const char        *refusal;                     /* NULL: clients are let in */
	const char        *requests[FAKE_REQUESTS_MAX]; /* as they came */
	size_t             n_requests;
};

/* Listens on a socket in the test's folder. */
void fake_open(struct fake *f);

/* Stops listening, and closes what is open. */
void fake_close(struct fake *f);

/* From now on that command ("*": any) gets this line. A newline is added. */
void fake_answers(struct fake *f, const char *command, const char *answer);

/* The same with {"ok":true,"result": ... }. */
void fake_results(struct fake *f, const char *command, const char *result);

/* From now on clients hear this line at once, and then the end, whatever they ask. */
void fake_refuses(struct fake *f, const char *line);

/* These bytes, and nothing more. */
void fake_falls_silent(struct fake *f, const char *command, const char *bytes);

/* These bytes, and then the end. */
void fake_breaks_off(struct fake *f, const char *command, const char *bytes);

/* ---- what a server may say ---------------------------------------------- */

#define SERVICE_OF(name, open, accepted) SERVICE_THAT_LOST("0", name, open, accepted)
#define SERVICE_THAT_LOST(lost, name, open, accepted) \
	SERVICE_WITH("\"access\":0,\"source\":0", "0", lost, name, open, accepted)
#define SERVICE_THAT_REFUSED(refused, untracked, name) \
	SERVICE_WITH(refused, untracked, "0", name, "12", "1000")
#define SERVICE_WITH(refused, untracked, lost, name, open, accepted) \
	"{\"name\":\"" name "\",\"handler\":\"echo\",\"state\":\"serving\",\"listen\":[\"127.0.0.1:7007\"]," \
	"\"workers\":{\"starting\":0,\"accepting\":4,\"draining\":0,\"wanted\":4,\"min\":4,\"max\":4}," \
	"\"slots\":{\"open\":" open ",\"max\":1024},\"queue\":{\"length\":0,\"limit\":4096}," \
	"\"accepted\":" accepted ",\"served\":7,\"bytes_in\":1258291,\"bytes_out\":100,\"requests\":0," \
	"\"refused\":{" refused "},\"untracked\":" untracked ",\"lost\":" lost "," \
	"\"deaths\":{\"SIGSEGV\":1},\"restart_delay\":0}"
#define STATUS_OF(uptime, services) \
	"{\"version\":\"0.1.0\",\"pid\":4711,\"uptime\":" uptime ",\"generation\":3,\"phase\":\"serving\"," \
	"\"config\":\"/etc/drover/drover.conf\",\"refused\":null,\"services\":[" services "]," \
	"\"totals\":{\"workers\":4,\"open\":12,\"accepted\":1000,\"served\":7,\"bytes_in\":1258291," \
	"\"bytes_out\":100,\"requests\":0,\"refused\":{\"access\":0,\"source\":0},\"untracked\":0," \
	"\"lost\":0}}"
#define STATUS STATUS_OF("192.3", SERVICE_OF("echo", "12", "1000"))
#define CONNECTION_OF(id, peer) CONNECTION_VIA("null", id, peer)
#define CONNECTION_VIA(via, id, peer) \
	"{\"id\":\"" id "\",\"service\":\"echo\",\"worker\":4712,\"peer\":\"" peer "\",\"via\":" via "," \
	"\"since\":\"2026-11-22T15:50:01.123Z\",\"age\":3.5,\"phase\":\"read\",\"bytes_in\":1," \
	"\"bytes_out\":2,\"program\":null}"
#define WORKERS \
	"{\"workers\":[{\"service\":\"echo\",\"pid\":4712,\"generation\":3,\"state\":\"accepting\"," \
	"\"age\":192.1,\"open\":12,\"slots\":256,\"accepted\":1000,\"served\":7,\"bytes_in\":1,\"bytes_out\":2," \
	"\"requests\":0,\"last_turn\":0.02}]}"
#define SERVICES_OF_TWO SERVICE_OF("alpha", "12", "5") "," SERVICE_OF("beta", "3", "1000")

#endif
