/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HAProxy gets a listening socket of the test's as descriptor 3. The statistics are asked only once
 * an agent check has come: by then their socket is there.
 */
#include <config.h>
#include "cluster_harness.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailbox.h"

#define HAPROXY "/usr/sbin/haproxy"
#define BACKLOG 512
#define RELAYED 256                     /* bytes of a question, or of an answer */

struct cluster_node cluster[CLUSTER_NODES] = { { .name = "a" }, { .name = "b" } };

static struct mailbox haproxy_log;
static const char *port;
static pid_t haproxy;

/* ---- agent checks ------------------------------------------------------- */

struct link {
	struct turn_hook     balancer, agent;
	struct cluster_node *node;
	char                 said[RELAYED];     /* by the agent */
	size_t               len;
};

/* HAProxy has dealt with the answer before when it asks again. */
static void take_note(struct cluster_node *n)
{
	const char *said = n->answer;

	if (!n->has_answer)
		return;
	n->has_answer = false;
	strcpy(n->heard, said);
	n->n_heard++;
	n->n_silent += !*said;
	n->n_leaving += strcmp(said, "up 0%") == 0;
	n->n_up += strncmp(said, "up ", 3) == 0 && strcmp(said, "up 0%") != 0;
	n->n_down += strncmp(said, "down ", 5) == 0;
}

static void end_link(struct link *l)
{
	struct cluster_node *n = l->node;

	strcpy(n->answer, l->said);
	n->answer[strcspn(n->answer, "\n")] = '\0';
	n->has_answer = true;
	turn_remove(&l->balancer);
	turn_remove(&l->agent);
	close(l->balancer.fd);
	close(l->agent.fd);
	free(l);
}

static void on_question(struct turn_hook *h, short revents)
{
	struct link *l = container_of(h, struct link, balancer);
	char bytes[RELAYED];
	const ssize_t n = recv(h->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)revents;
	if (n <= 0)
		end_link(l);
	else
		send(l->agent.fd, bytes, (size_t)n, MSG_NOSIGNAL);
}

static void on_answer(struct turn_hook *h, short revents)
{
	struct link *l = container_of(h, struct link, agent);
	ssize_t n;

	if (revents == POLLOUT) {               /* connected: now what HAProxy asks can be passed on */
		h->events = POLLIN;
		turn_add(&l->balancer);
		return;
	}
	n = recv(h->fd, l->said + l->len, sizeof l->said - 1 - l->len, MSG_DONTWAIT);
	if (n > 0) {
		l->len += (size_t)n;
		send(l->balancer.fd, l->said + l->len - n, (size_t)n, MSG_NOSIGNAL);
		return;
	}
	turn_remove(h);
	turn_remove(&l->balancer);              /* it is not there yet if no connection came about */
	turn_add(&l->balancer);
	shutdown(l->balancer.fd, SHUT_WR);
}

/* Nothing may wait here. If the agent is gone, HAProxy's connection ends, too. */
static void on_check(struct turn_hook *h, short revents)
{
	struct cluster_node *n = container_of(h, struct cluster_node, relay);
	const int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct link *l;

	(void)revents;
	if (fd == -1)
		return;
	take_note(n);
	l = calloc(1, sizeof *l);
	ck_assert_ptr_nonnull(l);
	l->node = n;
	l->balancer = (struct turn_hook){ .fd = fd, .events = POLLIN, .ready = on_question };
	l->agent = (struct turn_hook){ .fd = client_begin(daemon_address(&n->d, "agent.listen", 0)),
	                               .events = POLLOUT, .ready = on_answer };
	if (l->agent.fd == -1)
		end_link(l);
	else
		turn_add(&l->agent);
}

static void start_relay(struct cluster_node *n)
{
	n->relay = (struct turn_hook){
		.fd = client_listen(&n->relay_port), .events = POLLIN, .ready = on_check,
	};
	ck_assert_int_eq(listen(n->relay.fd, BACKLOG), 0);
	turn_add(&n->relay);
}

void cluster_wait_heard(struct cluster_node *n, const char *words)
{
	size_t seen = n->n_heard;

	files_write("waits-for", "%s: %s\n", n->name, words);
	while (n->n_heard == seen || strncmp(n->heard, words, strlen(words)) != 0) {
		seen = n->n_heard;
		turn_once();
	}
}

void cluster_wait_up(struct cluster_node *n)
{
	const size_t n_up = n->n_up;

	files_write("waits-for", "%s: up\n", n->name);
	while (n->n_up == n_up)
		turn_once();
}

/* ---- nodes -------------------------------------------------------------- */

static void start_node(struct cluster_node *n, const char *services)
{
	n->control = files_path(files_text("control-%s", n->name));
	n->d.config = files_write(files_text("%s-drover.conf", n->name),
		"state_dir = \"%s\";%s\ncontrol = { socket = \"%s\"; };\n"
		"metrics = { listen = \"127.0.0.1:0\"; };\n"
		"agent = { listen = \"127.0.0.1:0\"; lame_duck = \"2s\"; };\n%s",
		files_path(files_text("state-%s", n->name)), harness_is_root() ? " user = \"root\";" : "",
		n->control, services);
	daemon_spawn(&n->d);
	daemon_wait_ready(&n->d);
	start_relay(n);
}

/* ---- HAProxy ------------------------------------------------------------ */

bool cluster_has_haproxy(void)
{
	return access(HAPROXY, X_OK) == 0;
}

const char *cluster_address(void)
{
	return files_text("127.0.0.1:%s", port);
}

static const char *server_line(struct cluster_node *n, const char *server)
{
	const char *of_metrics = strstr(server, "%s");
	const int len = of_metrics ? (int)(of_metrics - server) : (int)strlen(server);

	return files_text("\tserver %s %s weight 100 agent-check agent-addr 127.0.0.1 agent-port %s"
	                  " agent-inter 100ms agent-send \"s\\n\" %.*s%s%s\n", n->name,
	                  daemon_address(&n->d, "s", 0), n->relay_port, len, server,
	                  of_metrics ? daemon_port(&n->d, "metrics.listen", 0) : "",
	                  of_metrics ? of_metrics + 2 : "");
}

static const char *write_config(const char *server)
{
	return files_write("haproxy.cfg",
		"global\n\tmaxconn 400\n\tnbthread 1\n\tlog %s len 4096 format raw local0\n"
		"\tstats socket %s level admin\n"
		"defaults\n\tmode tcp\n\tlog global\n\toption log-health-checks\n\toption dontlog-normal\n"
		"\toption tcplog\n\tretries 0\n"
		"\ttimeout connect 20s\n\ttimeout client 50s\n\ttimeout server 50s\n\ttimeout check 10s\n"
		"listen s\n\tbind fd@3\n\tbalance leastconn\n\toption httpchk GET /live\n%s%s",
		haproxy_log.path, files_path("stats.sock"),
		server_line(&cluster[0], server), server_line(&cluster[1], server));
}

/* Asserts nothing: descriptor 3 may be Check's. */
static void become_haproxy(const char *config, const char *output, int listener, pid_t us)
{
	process_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != us || dup2(listener, 3) == -1 ||
	    !freopen(output, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(126);
	execl(HAPROXY, HAPROXY, "-db", "-f", config, NULL);
	_exit(127);
}

static void start_haproxy(const char *server)
{
	const int listener = client_listen(&port);
	const pid_t us = getpid();
	const char *config, *output = files_path("haproxy.txt");

	ck_assert_int_eq(listen(listener, BACKLOG), 0);
	mailbox_open(&haproxy_log, "haproxy-log");
	config = write_config(server);
	haproxy = fork();
	ck_assert_int_ne(haproxy, -1);
	if (haproxy == 0)
		become_haproxy(config, output, listener, us);
	close(listener);
}

void cluster_start(const char *node_a, const char *node_b, const char *server)
{
	start_node(&cluster[0], node_a);
	start_node(&cluster[1], node_b);
	start_haproxy(server);
	for (int i = 0; i < CLUSTER_NODES; i++)
		cluster_wait_heard(&cluster[i], "");
}

void cluster_stop(void)
{
	kill(haproxy, SIGTERM);
	ck_assert_int_eq(waitpid(haproxy, NULL, 0), haproxy);
	for (int i = 0; i < CLUSTER_NODES; i++) {
		turn_remove(&cluster[i].relay);
		close(cluster[i].relay.fd);
	}
	mailbox_close(&haproxy_log);
}

/* ---- what HAProxy says -------------------------------------------------- */

/* The field at that index in a line of comma separated values. */
static const char *field_at(const char *line, size_t index)
{
	for (; index > 0; index--) {
		line += strcspn(line, ",\n");
		ck_assert_int_eq(*line, ',');
		line++;
	}
	return files_text("%.*s", (int)strcspn(line, ",\n"), line);
}

static size_t index_of(const char *header, const char *column)
{
	const char *const at = strstr(header, files_text(",%s,", column));
	size_t index = 1;

	ck_assert_msg(at, "no column %s", column);
	for (const char *c = header; c < at; c++)
		index += *c == ',';
	return index;
}

const char *cluster_stat(const struct cluster_node *n, const char *column)
{
	const int fd = client_connect(files_text("unix:%s", files_path("stats.sock")));
	const char *all, *line;

	client_say(fd, "show stat\n");
	all = client_read_all(fd);
	close(fd);
	line = strstr(all, files_text("\ns,%s,", n->name));
	ck_assert_msg(line, "no server %s in: %s", n->name, all);
	return field_at(line + 1, index_of(all, column));
}

long long cluster_count(const struct cluster_node *n, const char *column)
{
	return strtoll(cluster_stat(n, column), NULL, 10);
}

static bool has_part(const struct event *e, const char *part)
{
	return strstr(e->text, part);
}

const char *cluster_wait_log(const char *part)
{
	struct event *e;

	files_write("waits-for", "HAProxy's log: %s\n", part);
	while (!(e = mailbox_find(&haproxy_log, has_part, part)))
		turn_once();
	e->taken = true;
	return e->text;
}

size_t cluster_logged(const char *part)
{
	size_t n = 0;

	mailbox_take_in(&haproxy_log);
	for (size_t i = 0; i < haproxy_log.n; i++)
		n += has_part(haproxy_log.events[i], part);
	return n;
}
