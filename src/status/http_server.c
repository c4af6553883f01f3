/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joins libmicrohttpd with our loop: its epoll(7) instance is one of our watches, its next time-out
 * one of our timers. A request whose answer the master has to give is suspended until then.
 */
#include <config.h>
#include "http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "list.h"
#include "log.h"

#define SPARE_CLIENTS 16                /* that are shut down already, and not closed yet */

struct http_server {
	struct loop            *loop;
	struct facts           *facts;
	const struct http_site *site;
	struct MHD_Daemon      *daemon;
	struct watch            watch;  /* of its descriptors */
	struct timer            next;   /* when it wants to be run */
	struct list             clients;        /* the one that got its last answer first, first */
	size_t                  n_clients;
	bool                    is_leaving;     /* each answer is the last one to its client */
};

struct client {
	struct list in_server;
	int         fd;                 /* lent by libmicrohttpd */
	int64_t     since_ms;           /* it is connected, or has its last answer */
};

struct request {
	struct fact_wait            wait;
	struct http_server         *server;
	struct MHD_Connection      *connection;
	const struct http_resource *what;
	struct http_request         is;
	const char                 *uri_end;    /* the NUL behind what the client has asked for */
	struct http_answer          answer;
	bool                        has_asked, answered, suspended;
};

/* ---- running the library ------------------------------------------------ */

/* Ends what is too slow. Returns the time until that has to be looked at again; -1: never. */
static int64_t end_slow(struct http_server *s)
{
	struct client *c;

	list_each(&s->clients, c, struct client, in_server) {
		const int64_t left_ms = c->since_ms + HTTP_REQUEST_MS - s->loop->now_ms;

		if (left_ms > 0)
			return left_ms;
		shutdown(c->fd, SHUT_RDWR);     /* the library sees its end, and closes it */
	}
	return -1;
}

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG its_ms;
	int64_t ms;

	MHD_run(s->daemon);
	ms = end_slow(s);
	if (MHD_get_timeout(s->daemon, &its_ms) == MHD_YES && (ms == -1 || (int64_t)its_ms < ms))
		ms = (int64_t)its_ms;
	if (ms == -1)
		timer_unset(&s->loop->timers, &s->next);
	else
		loop_timer(s->loop, &s->next, ms);
}

static void on_ready(struct watch *w, uint32_t events)
{
	(void)events;
	run(container_of(w, struct http_server, watch));
}

static void on_next(struct timer *t)
{
	run(container_of(t, struct http_server, next));
}

static void run_soon(struct http_server *s)
{
	loop_timer(s->loop, &s->next, 0);
}

/* ---- requests ----------------------------------------------------------- */

static void free_request(struct request *r)
{
	facts_forget(&r->wait);
	free(r->answer.body);
	free(r);
}

static void on_fact(struct fact_wait *w, const json_t *result)
{
	struct request *r = container_of(w, struct request, wait);

	r->answer = http_answers_make(r->what, &r->is, result);
	r->answered = true;
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	run_soon(r->server);
}

static enum MHD_Result send_answer(struct request *r)
{
	struct http_answer *a = &r->answer;
	const struct { const char *name, *value; } headers[] = {
		{ MHD_HTTP_HEADER_CONTENT_TYPE, a->type },
		{ MHD_HTTP_HEADER_CACHE_CONTROL, "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Content-Security-Policy", *a->policy ? a->policy : NULL },
		{ MHD_HTTP_HEADER_CONNECTION, r->server->is_leaving ? "close" : NULL },
		{ MHD_HTTP_HEADER_ALLOW, a->status == MHD_HTTP_METHOD_NOT_ALLOWED ? "GET, HEAD" : NULL },
	};
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!a->body)
		return MHD_NO;          /* no memory: the client is closed */
	response = MHD_create_response_from_buffer(a->len, a->body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	a->body = NULL;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (headers[i].value)
			MHD_add_response_header(response, headers[i].name, headers[i].value);
	result = MHD_queue_response(r->connection, a->status, response);
	MHD_destroy_response(response);
	return result;
}

static bool is_looking(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* Answers at once, or when the master has. */
static enum MHD_Result ask_for_answer(struct request *r)
{
	r->has_asked = true;
	facts_ask(r->server->facts, http_answers_need(r->what), &r->wait);
	if (r->answered)
		return send_answer(r);
	r->suspended = true;
	MHD_suspend_connection(r->connection);
	return MHD_YES;
}

/* The head has come. What is answered now is the last answer to the client: a body may follow. */
static enum MHD_Result begin_request(struct request *r, const char *method)
{
	if (is_looking(method))
		return MHD_YES;
	r->answer = http_answers_refuse(MHD_HTTP_METHOD_NOT_ALLOWED);
	return send_answer(r);
}

/* All of it has come, or its answer is there. */
static enum MHD_Result go_on(struct request *r)
{
	if (r->answered)
		return send_answer(r);
	if (r->has_asked)
		return MHD_NO;
	r->what = http_answers_find(r->server->site, &r->is);
	if (r->what)
		return ask_for_answer(r);
	r->answer = http_answers_refuse(MHD_HTTP_NOT_FOUND);
	return send_answer(r);
}

/* The first line has come: uri is what stands in it, to its first NUL. What is returned becomes *request. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct request *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->server = arg;
	r->connection = connection;
	r->wait.ready = on_fact;
	r->uri_end = uri + strlen(uri);
	return r;
}

/*
 * Whether the first line is "METHOD URI VERSION". libmicrohttpd (0.9.75) takes a NUL in it for the end
 * of the URI, and does without a version. The version stands in the memory of the connection, behind the
 * URI and what was a space.
 */
static bool is_whole_line(const struct request *r, const char *version)
{
	return version == r->uri_end + 1;
}

/*
 * Called when the head of a request has come, for each part of its body, when all of it has come, and
 * again when it was suspended. A client that sends a body is closed: nothing here takes one.
 */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body, size_t *len,
                                  void **request)
{
	struct request *r = *request;

	(void)arg, (void)body;
	if (!r || *len > 0)
		return MHD_NO;
	if (r->is.path)
		return go_on(r);
	r->is = (struct http_request){
		.path = path,
		.service = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "service"),
		.accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT),
	};
	return is_whole_line(r, version) ? begin_request(r, method) : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
	struct http_server *s = arg;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = info ? info->socket_context : NULL;

	(void)how;
	if (c) {
		c->since_ms = s->loop->now_ms;
		list_remove(&c->in_server);
		list_append(&s->clients, &c->in_server);
	}
	if (*request)
		free_request(*request);
	*request = NULL;
}

/* ---- clients ------------------------------------------------------------ */

static void on_client(void *arg, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct client *c = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = calloc(1, sizeof *c);
		*context = c;
		if (!c)
			return;         /* it has the library's time-out, and no other */
		c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->since_ms = s->loop->now_ms;
		list_append(&s->clients, &c->in_server);
		s->n_clients++;
	} else if (c) {
		list_remove(&c->in_server);
		s->n_clients--;
		free(c);
		*context = NULL;
	}
}

/* The one that has waited longest for its answer, or for which we have waited longest. */
static void end_oldest(struct http_server *s)
{
	struct client *c;

	if (list_empty(&s->clients))
		return;
	c = container_of(s->clients.next, struct client, in_server);
	shutdown(c->fd, SHUT_RDWR);
	c->since_ms = s->loop->now_ms;
	list_remove(&c->in_server);
	list_append(&s->clients, &c->in_server);
}

void http_server_add(struct http_server *s, int fd, const struct address *client)
{
	if (s->n_clients >= HTTP_CLIENTS_MAX) {
		end_oldest(s);
		MHD_run(s->daemon);
	}
	/* If that fails, the library has closed fd. */
	MHD_add_connection(s->daemon, fd, &client->u.sa, client->len);
	run_soon(s);
}

void http_server_leave(struct http_server *s)
{
	s->is_leaving = true;
}

bool http_server_is_idle(const struct http_server *s)
{
	return s->n_clients == 0;
}

/* ---- all of it ---------------------------------------------------------- */

/* Paths are compared as they are: what a client has encoded stands for nothing here. */
static size_t do_not_decode(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg, (void)connection;
	return strlen(text);
}

/* Mistakes of clients are not logged. */
static void log_nothing(void *arg, const char *format, va_list ap)
{
	(void)arg, (void)format, (void)ap;
}

static struct MHD_Daemon *start_library(struct http_server *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_request, s,
		MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)(HTTP_CLIENTS_MAX + SPARE_CLIENTS),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(HTTP_QUIET_MS / 1000),
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_UNESCAPE_CALLBACK, do_not_decode, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_client, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *l, struct facts *f, const struct http_site *site)
{
	struct http_server *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct http_server){ .loop = l, .facts = f, .site = site, .next.fire = on_next,
	                           .watch = { .fd = -1, .ready = on_ready } };
	list_init(&s->clients);
	s->daemon = start_library(s);
	if (s->daemon) {
		s->watch.fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
		if (loop_watch(l, &s->watch, EPOLLIN) == 0)
			return s;
	}
	http_server_free(&s);
	return NULL;
}

void http_server_free(struct http_server **sp)
{
	struct http_server *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	loop_unwatch(s->loop, &s->watch);
	timer_unset(&s->loop->timers, &s->next);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	free(s);
}
