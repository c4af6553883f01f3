/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exec: starts a program for each connection, as inetd does. The socket is its descriptors 0
 * and 1, and drover sees none of the bytes. The address of the client is in the environment,
 * under the names of UCSPI-TCP (tcp-environ(5)) and those of systemd's Accept=yes
 * (systemd.socket(5)).
 */
#include <config.h>
#include "handler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "log.h"
#include "stream.h"
#include "text.h"
#include "worker.h"

#define FACTS_MAX 16
#define FACTS_BYTES 1024

/* The variables of one connection, as "NAME=VALUE", one after the other in one buffer. */
struct facts {
	char  *strings[FACTS_MAX];
	size_t n;
	size_t used;
	char   bytes[FACTS_BYTES];
};

/* Adds a variable. If there is no room for it, it is left out. */
static void add_fact(struct facts *f, const char *name, const char *value)
{
	struct text t = text_in(f->bytes + f->used, sizeof f->bytes - f->used);

	text_add_string(&t, name);
	text_add_string(&t, "=");
	text_add_string(&t, value);
	if (f->n == FACTS_MAX || t.len == t.size - 1)
		return;
	f->strings[f->n++] = t.buf;
	f->used += t.len + 1;
}

static void add_port(struct facts *f, const char *name, const struct endpoint *e)
{
	char port[8];
	struct text t = text_in(port, sizeof port);

	text_add_number(&t, e->port);
	add_fact(f, name, port);
}

static void add_ends(struct facts *f, const struct connection *c)
{
	const struct endpoint *peer = connection_peer(c), *ours = connection_local(c);
	char remote[ADDRESS_TEXT_MAX], local[ADDRESS_TEXT_MAX];

	endpoint_ip(peer, remote, sizeof remote);
	endpoint_ip(ours, local, sizeof local);
	add_fact(f, "TCPREMOTEIP", remote);
	add_port(f, "TCPREMOTEPORT", peer);
	add_fact(f, "TCPLOCALIP", local);
	add_port(f, "TCPLOCALPORT", ours);
	add_fact(f, "REMOTE_ADDR", remote);
	add_port(f, "REMOTE_PORT", peer);
	if (peer->family == AF_INET6) {
		add_fact(f, "TCP6REMOTEIP", remote);
		add_port(f, "TCP6REMOTEPORT", peer);
		add_fact(f, "TCP6LOCALIP", local);
		add_port(f, "TCP6LOCALPORT", ours);
	}
}

static void collect_facts(struct facts *f, const struct connection *c)
{
	char id[CONNECTION_ID_MAX];

	f->n = f->used = 0;
	add_fact(f, "DROVER_CONNECTION", connection_id(c, id));
	switch (connection_peer(c)->family) {
	case AF_INET:
		add_fact(f, "PROTO", "TCP");
		add_ends(f, c);
		break;
	case AF_INET6:
		add_fact(f, "PROTO", "TCP6");
		add_ends(f, c);
		break;
	default:
		add_fact(f, "PROTO", "UNIX");
	}
}

static struct program *start_program(struct connection *c, const struct program_request *wish)
{
	struct programs *programs = &connection_worker(c)->programs;
	struct program_request r = *wish;
	struct program *p;
	struct facts facts;
	char **envp;

	collect_facts(&facts, c);
	envp = environment_with(&programs->environment, facts.strings, facts.n);
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
		.name = name, .with_pid = true, .in = socket, .out = socket, .ended = on_program_ended,
		.arg = c });
	if (!p) {
		health_refused(w, name);
		return HANDLER_FAIL;
	}
	health_works(w, true);
	connection_give_socket(c);
	connection_run_program(c, p);
	if (notify_is_heard(w->start.events))
		worker_event(w, "program-start id=%s program=%d", connection_id(c, id),
		             (int)program_pid(p));
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
