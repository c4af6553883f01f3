/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exec: starts a program for each connection, as inetd does. The socket is its descriptors 0
 * and 1, and drover sees none of the bytes. Its environment tells who the client is.
 */
#include <config.h>
#include "handler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client_facts.h"
#include "connection.h"
#include "log.h"
#include "stream.h"
#include "worker.h"

static struct program *start_program(struct connection *c, const struct program_request *wish)
{
	struct programs *programs = &connection_worker(c)->programs;
	struct program_request r = *wish;
	struct program *p;
	struct client_facts facts;
	char **envp;

	envp = client_facts_environment(&facts, c);
	if (!envp)
		return NULL;
	r.envp = envp;
	p = program_start(programs, &r);
	free(envp);
	return p;
}

static void on_program_ended(void *arg, int status)
{
	struct connection *c = arg;

	connection_program_ended(c, status);
	connection_program_done(c);
}

static enum handler_verdict exec_opened(struct connection *c)
{
	struct worker *w = connection_worker(c);
	const int socket = stream_socket(connection_stream(c));
	char id[CONNECTION_ID_MAX], name[PROGRAM_NAME_MAX];
	struct program *p;

	connection_program_name(c, name);
	p = start_program(c, &(struct program_request){
		.name = name, .connection = connection_id(c, id), .with_pid = true,
		.in = socket, .out = socket, .ended = on_program_ended, .arg = c });
	if (!p) {
		health_refused(w, name);
		return HANDLER_FAIL;
	}
	health_works(w, true);
	connection_give_socket(c);
	connection_run_program(c, p);
	if (notify_is_heard(w->start.events))
		worker_event(w, "program-start id=%s program=%d", id, (int)program_pid(p));
	return HANDLER_GO_ON;
}

static int exec_begin(struct worker *w)
{
	health_look_at_program(w);
	return 0;
}

const struct handler handler_exec = {
	.name = "exec",
	.keeps = HANDLER_KEEPS_SOCKET,
	.opened = exec_opened,
	.begin = exec_begin,
};
