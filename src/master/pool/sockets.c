/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the listeners of a new configuration that are open already, and opens the others.
 */
#include <config.h>
#include "sockets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>

#include "fd.h"
#include "log.h"

#define PORT_TRIES 16           /* to find a port that is free for both families */

/* ---- one socket --------------------------------------------------------- */

static struct listening *listening_new(enum listen_kind kind, const char *service)
{
	struct listening *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->fd = -1;
	l->kind = kind;
	list_init(&l->in_sockets);
	l->service = strdup(service);
	if (l->service)
		return l;
	free(l);
	return NULL;
}

static void listening_free(struct listening *l)
{
	list_remove(&l->in_sockets);
	fd_close(&l->fd);
	free(l->service);
	free(l->wish.service);
	free(l->device);
	free(l->name);
	free(l);
}

static int whole_seconds(int64_t ms)
{
	return (int)((ms + 999) / 1000);
}

static struct listener_options options_of(const struct conf_listen *c)
{
	const struct conf_keepalive *k = &c->keepalive;

	return (struct listener_options){
		.backlog = c->backlog, .nodelay = c->nodelay,
		.keep_idle_s = k->on ? whole_seconds(k->idle) : 0,
		.keep_interval_s = whole_seconds(k->interval), .keep_count = k->count,
		.freebind = c->freebind,
		.mode = c->kind == LISTEN_UNIX ? c->mode : CONF_KEEP,
		.owner = c->owner, .group = c->group,
	};
}

/*
 * What makes a listener the same across a reload: address and device; with port 0 also its service
 * and its position there. service and position are those that it has, or that are asked for.
 */
static struct claim claim_as_written(enum listen_kind kind, const struct address *key,
                                     const char *device, const char *service, size_t position)
{
	struct claim c = claim_of_address(kind, key, device);

	if (kind == LISTEN_INET && address_port(key) == 0) {
		c.name = service;
		c.number = position;
	}
	return c;
}

static int enter_bound(struct sockets *s, struct listening *l)
{
	l->as_bound = claim_of_address(l->kind, &l->address, l->device);
	return claims_add(&s->bound, &l->as_bound);
}

/* From now on searches find l. 0; or -1 with errno, and l is still the caller's. */
static int enter_listening(struct sockets *s, struct listening *l)
{
	if (l->kind == LISTEN_SYSTEMD)
		l->as_written = claim_of_inherited(l->name);
	else
		l->as_written = claim_as_written(l->kind, &l->key, l->device, l->service, l->position);
	if (claims_add(&s->written, &l->as_written) == -1)
		return -1;
	if (l->kind == LISTEN_INET && enter_bound(s, l) == -1) {
		claims_remove(&s->written, &l->as_written);
		return -1;
	}
	list_append(&s->all, &l->in_sockets);
	return 0;
}

static int enter_or_free(struct sockets *s, struct listening *l)
{
	if (enter_listening(s, l) == 0)
		return 0;
	listening_free(l);
	return -1;
}

/* From now on searches do not find l. Frees it. */
static void leave_listening(struct sockets *s, struct listening *l)
{
	claims_remove(&s->written, &l->as_written);
	claims_remove(&s->bound, &l->as_bound);
	listening_free(l);
}

/* ---- sockets passed by systemd ------------------------------------------ */

static int adopt_inherited(struct sockets *s, int fd, const char *name)
{
	struct listening *l = listening_new(LISTEN_SYSTEMD, "");

	if (!l)
		return -1;
	l->fd = fd;
	l->name = strdup(name);
	if (l->name && listener_adopt(fd, &l->address) == 0)
		return enter_or_free(s, l);
	log_warn("inherited descriptor %d (%s) is not a listening stream socket: %m", fd, name);
	listening_free(l);
	return 0;
}

int sockets_init(struct sockets *s, struct notify *events)
{
	char **names = NULL;
	int n, result = 0;

	list_init(&s->all);
	s->events = events;
	n = sd_listen_fds_with_names(1, &names);
	if (n < 0) {
		errno = -n;
		return -1;
	}
	for (int i = 0; i < n; i++) {
		if (adopt_inherited(s, SD_LISTEN_FDS_START + i, names[i]) == -1)
			result = -1;
		free(names[i]);
	}
	free(names);
	return result;
}

/* ---- sockets passed by an earlier program ------------------------------- */

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -1 : 0;
}

struct listening *sockets_adopt(struct sockets *s, const struct listening *like)
{
	struct listening *l = listening_new(like->kind, like->service);

	if (!l)
		return NULL;
	l->key = like->key;
	l->position = like->position;
	l->file = like->file;
	l->announced = like->announced;
	if (copy_text(&l->device, like->device) == -1 || copy_text(&l->name, like->name) == -1 ||
	    listener_adopt(like->fd, &l->address) == -1 || enter_listening(s, l) == -1) {
		listening_free(l);
		return NULL;
	}
	l->fd = like->fd;
	return l;
}

void sockets_use(struct listening *l)
{
	l->users++;
}

/* ---- finding and opening ------------------------------------------------ */

struct search {                         /* for the sockets of one owner */
	struct sockets            *sockets;
	const struct sockets_wish *wish;
	struct listening         **found;
	int                        n;
	struct listening          *by_index[CONF_LISTEN_MAX]; /* for same_port_as; NULL: skipped */
	struct sockets_error      *error;
};

enum where { IN_PLACE, ANYWHERE };

/*
 * The open socket that is the same as c; NULL if there is none. With IN_PLACE, a unix socket whose
 * file was removed or replaced does not count, since no client can connect to it any more: another
 * one is made, and the old one is served until its queue is empty, like one that was removed from
 * the configuration.
 */
static struct listening *find_listening(const struct search *q, const struct conf_listen *c,
                                        size_t position, enum where where)
{
	const struct claim wanted =
		claim_as_written(c->kind, &c->address, c->device, q->wish->owner, position);
	struct claim *at = NULL;

	while ((at = claims_next_same(&q->sockets->written, &wanted, at))) {
		struct listening *l = container_of(at, struct listening, as_written);

		if (where == ANYWHERE || listener_is_in_place(&l->address, &l->file))
			return l;
	}
	return NULL;
}

/* An open socket beside which the kernel would not bind c; NULL if there is none. */
static const struct listening *find_overlap(const struct sockets *s, const struct conf_listen *c)
{
	const struct claim wanted = claim_of_address(c->kind, &c->address, c->device);
	const struct claim *found = NULL;

	if (c->kind == LISTEN_INET && address_port(&c->address) != 0)
		found = claims_find_overlap(&s->bound, &wanted, NULL);
	return found ? container_of(found, struct listening, as_bound) : NULL;
}

static int fail_search(struct search *q, const struct conf_listen *c, int exit_code,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fail_search(struct search *q, const struct conf_listen *c, int exit_code,
                       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(q->error->text, sizeof q->error->text, format, ap);
	va_end(ap);
	q->error->place = c->place;
	q->error->exit_code = exit_code;
	return -1;
}

static int fail_to_open(struct search *q, const struct conf_listen *c)
{
	const int code = errno == EADDRINUSE ? EX_UNAVAILABLE :
	                 errno == EACCES || errno == EPERM ? EX_NOPERM :
	                 errno == EADDRNOTAVAIL || errno == ENOTSOCK || errno == ENOENT ||
	                 errno == ENODEV ? EX_UNAVAILABLE : EX_OSERR;

	if (errno == ENOTSOCK)
		return fail_search(q, c, code, "listen on %s: exists and is not a socket",
		                   c->text);
	if (errno == EADDRNOTAVAIL && !c->freebind)
		return fail_search(q, c, code, "listen on %s: %s (no interface has it; with freebind = true"
		                   " drover listens there before one has it)", c->text, strerror(errno));
	return fail_search(q, c, code, "listen on %s: %s", c->text, strerror(errno));
}

/* Of one of our own, the configuration knows it (conf_proxy.c). */
static bool is_inherited_abstract(const struct listening *l)
{
	return l->kind == LISTEN_SYSTEMD && l->address.u.sa.sa_family == AF_UNIX &&
	       l->address.u.un.sun_path[0] == '\0';
}

static int take_listening(struct search *q, const struct conf_listen *c, struct listening *l)
{
	char *service, name[ADDRESS_TEXT_MAX];

	if (c->proxy != PROXY_OFF && is_inherited_abstract(l))
		return fail_search(q, c, EX_CONFIG, "%s is %s, to which every local user can connect:"
		                   " proxy_protocol cannot be used there (use a path, whose mode says"
		                   " who can)", c->text, address_format(&l->address, name, sizeof name));
	if (l->wish.generation == q->wish->generation && l->users > 0)
		return fail_search(q, c, EX_CONFIG, "%s is listened to by service \"%s\" already",
		                   c->text, l->wish.service);
	if (q->n == CONF_LISTEN_MAX)
		return fail_search(q, c, EX_CONFIG, "service \"%s\" has more than %d listeners",
		                   q->wish->owner, CONF_LISTEN_MAX);
	service = strdup(q->wish->owner);
	if (!service)
		return fail_search(q, c, EX_OSERR, "%s", strerror(errno));
	l->users++;
	free(l->wish.service);
	l->wish.generation = q->wish->generation;
	l->wish.service = service;
	l->wish.listen = (size_t)(c - q->wish->listen);
	l->wish.options = options_of(c);
	l->wish.options.device = l->device;
	q->found[q->n++] = l;
	return 0;
}

static int take_named(struct search *q, const struct conf_listen *c)
{
	const struct claim wanted = claim_of_inherited(c->systemd_name);
	struct claim *at = NULL;

	while ((at = claims_next_same(&q->sockets->written, &wanted, at)))
		if (take_listening(q, c, container_of(at, struct listening, as_written)) == -1)
			return -1;
	return 0;
}

/* A configuration has such a listener once at most. */
static int take_every_inherited(struct search *q, const struct conf_listen *c)
{
	struct listening *l;

	list_each(&q->sockets->all, l, struct listening, in_sockets)
		if (l->kind == LISTEN_SYSTEMD && take_listening(q, c, l) == -1)
			return -1;
	return 0;
}

static int take_inherited(struct search *q, const struct conf_listen *c)
{
	const int before = q->n;

	if ((c->systemd_name ? take_named(q, c) : take_every_inherited(q, c)) == -1)
		return -1;
	if (q->n > before)
		return 0;
	return fail_search(q, c, EX_CONFIG,
	                   "%s: missing: no such listening socket was inherited (systemd hands"
	                   " it over at a start of the service, if the socket unit, with FileDescriptorName=%s,"
	                   " is active before: stop the service, start the socket, start the service)",
	                   c->text,
	                   c->systemd_name ? c->systemd_name : "...");
}

/* Opens l at its key; -1 with errno. */
static int open_at(struct listening *l, in_port_t port)
{
	l->address = l->key;
	if (port != 0)
		address_set_port(&l->address, port);
	l->fd = listener_open(&l->address, &l->wish.options, &l->file);
	return l->fd == -1 ? -1 : 0;
}

/* "*:0": both families get the same port, and what is free for one may not be for the other. */
static int open_pair(struct sockets *s, struct listening *first, struct listening *second)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		if (open_at(second, address_port(&first->address)) == 0)
			return 0;
		if (errno != EADDRINUSE)
			return -1;
		claims_remove(&s->bound, &first->as_bound);
		fd_close(&first->fd);
		if (open_at(first, 0) == -1 || enter_bound(s, first) == -1)
			return -1;
	}
	return -1;
}

static int open_new(struct search *q, const struct conf_listen *c, size_t position)
{
	struct listening *l = listening_new(c->kind, q->wish->owner), *first = NULL;
	int result;

	if (!l)
		return fail_search(q, c, EX_OSERR, "%s", strerror(errno));
	if (c->same_port_as >= 0)
		first = q->by_index[c->same_port_as];
	l->key = c->address;
	l->position = position;
	l->device = c->device ? strdup(c->device) : NULL;
	l->wish.options = options_of(c);
	l->wish.options.device = l->device;
	result = first && first->users == 1 ? open_pair(q->sockets, first, l) :
	         open_at(l, first ? address_port(&first->address) : 0);
	if (result == -1) {
		listening_free(l);
		if (c->optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			return 0;       /* this kernel has no such family */
		return fail_to_open(q, c);
	}
	if (enter_listening(q->sockets, l) == -1) {
		fail_search(q, c, EX_OSERR, "%s", strerror(errno));
		listener_unlink(&l->address, &l->file);
		listening_free(l);
		return -1;
	}
	if (take_listening(q, c, l) == -1) {
		listener_unlink(&l->address, &l->file);
		leave_listening(q->sockets, l);
		return -1;
	}
	q->by_index[position] = l;
	return 0;
}

static int take_or_open(struct search *q, const struct conf_listen *c, size_t position)
{
	char text[ADDRESS_TEXT_MAX];
	struct listening *l = find_listening(q, c, position, IN_PLACE);
	const struct listening *other;

	if (l) {
		q->by_index[position] = l;
		return take_listening(q, c, l);
	}
	other = find_overlap(q->sockets, c);
	if (other)
		return fail_search(q, c, EX_UNAVAILABLE,
		                   "%s overlaps with %s, on which service \"%s\" listens"
		                   " (remove that one in a reload of its own first)", c->text,
		                   address_format(&other->address, text, sizeof text), other->service);
	l = q->sockets->keeps_lost ? find_listening(q, c, position, ANYWHERE) : NULL;
	if (open_new(q, c, position) == 0)
		return 0;
	if (!l)
		return -1;
	log_warn("%s; the old socket stays: its clients are served, and no other client can connect",
	         q->error->text);
	q->by_index[position] = l;
	return take_listening(q, c, l);
}

int sockets_acquire(struct sockets *s, const struct sockets_wish *wish, struct listening **found,
                    struct sockets_error *e)
{
	struct search q = { .sockets = s, .wish = wish, .found = found, .error = e };
	int result = 0;

	for (size_t i = 0; result == 0 && i < wish->n_listen; i++) {
		const struct conf_listen *c = &wish->listen[i];

		result = c->kind == LISTEN_SYSTEMD ? take_inherited(&q, c) : take_or_open(&q, c, i);
	}
	if (result == 0 && q.n == 0)
		result = fail_search(&q, &wish->listen[0], EX_UNAVAILABLE,
		                     "listen on %s: the kernel has neither IPv4 nor IPv6",
		                     wish->listen[0].text);
	if (result == -1) {
		while (q.n > 0)
			sockets_release(s, found[--q.n]);
		return -1;
	}
	return q.n;
}

/* ---- letting go --------------------------------------------------------- */

void sockets_release(struct sockets *s, struct listening *l)
{
	const bool in_place = listener_is_in_place(&l->address, &l->file);
	char text[ADDRESS_TEXT_MAX];

	if (--l->users > 0 || l->kind == LISTEN_SYSTEMD)
		return;
	listener_unlink(&l->address, &l->file);
	fd_close(&l->fd);       /* before it is said that it is closed */
	if (l->announced) {
		address_format(&l->address, text, sizeof text);
		log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = l->service),
		          in_place ? "%s: no longer listening on %s" :
		          "%s: the socket of %s whose file was removed is closed", l->service, text);
		notify_send(s->events, "closed service=%s address=%s", l->service, text);
	}
	leave_listening(s, l);
}

/* A socket may have gone from one service to another. */
static void rename_service(struct listening *l)
{
	char *service = l->wish.service;

	l->wish.service = NULL;
	if (!service || strcmp(service, l->service) == 0) {
		free(service);          /* a claim may have l->service as its name */
		return;
	}
	free(l->service);
	l->service = service;
}

static void announce_listening(const struct sockets *s, struct listening *l)
{
	char text[ADDRESS_TEXT_MAX];

	if (l->announced)
		return;
	l->announced = true;
	address_format(&l->address, text, sizeof text);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = l->service, .event = LOG_EVENT_LISTENING),
	          "%s: listening on %s", l->service, text);
	notify_send(s->events, "listening service=%s address=%s", l->service, text);
}

void sockets_commit(struct sockets *s, unsigned int generation)
{
	char text[ADDRESS_TEXT_MAX];
	struct listening *l;

	list_each(&s->all, l, struct listening, in_sockets) {
		if (l->users == 0 || l->wish.generation != generation)
			continue;
		rename_service(l);
		announce_listening(s, l);
		if (listener_adjust(l->fd, &l->address, &l->wish.options, &l->file) == -1)
			log_warn("set the options of %s: %m%s",
			         address_format(&l->address, text, sizeof text), listener_hint(errno));
	}
}

void sockets_close(struct sockets *s)
{
	struct listening *l;

	list_each(&s->all, l, struct listening, in_sockets) {
		listener_unlink(&l->address, &l->file);
		leave_listening(s, l);
	}
}
