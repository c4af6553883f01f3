/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The [Socket] section: addresses, the options of sockets, limits.
 */
#include <config.h>
#include "import_systemd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "import_access.h"
#include "import_input.h"
#include "import_listen.h"
#include "import_unit.h"
#include "import_unit_access.h"
#include "import_unit_service.h"
#include "import_units.h"

#define SECTION         "Socket"
#define CONNECTIONS     64              /* MaxConnections, if it is not set */
#define TRIGGER_BURST   200
#define TRIGGER_MS      2000

struct draft {
	struct import            *im;
	struct import_service    *svc;
	const struct import_unit *unit;
};

static const struct import_unit_setting *last(const struct draft *d, const char *name)
{
	return import_unit_last(d->unit, SECTION, name);
}

static const char *value_of(const struct draft *d, const char *name)
{
	const struct import_unit_setting *s = last(d, name);

	return s ? s->value : NULL;
}

/* ---- listeners ---------------------------------------------------------- */

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool is_ipv6_only(const struct draft *d)
{
	const char *value = value_of(d, "BindIPv6Only");

	return value && strcmp(value, "ipv6-only") == 0;
}

static void listen(struct draft *d, const struct import_unit_setting *s)
{
	const char *text = s->value, *colon = strrchr(text, ':');

	if (import_unit_is_open(text) || strncmp(text, "vsock:", 6) == 0)
		import_lose(d->im, d->svc, s->place, "ListenStream=%s is not an address that drover has",
		            text);
	else if (*text == '/' || *text == '@')
		import_listen_add(d->im, d->svc, s->place, import_printf(d->im, "unix:%s", text));
	else if (is_number(text))
		import_listen_add_host(d->im, d->svc, s->place, is_ipv6_only(d) ? "::" : "*", text);
	else if (colon && is_number(colon + 1) && strncmp(text, "[::]:", 5) == 0)
		import_listen_add_host(d->im, d->svc, s->place, is_ipv6_only(d) ? "::" : "*", colon + 1);
	else if (colon && is_number(colon + 1))
		import_listen_add(d->im, d->svc, s->place, text);
	else
		import_lose(d->im, d->svc, s->place, "ListenStream=%s is not an address that drover has",
		            text);
}

static void listen_all(struct draft *d)
{
	static const char *const others[] = {
		"ListenDatagram", "ListenSequentialPacket", "ListenFIFO", "ListenSpecial", "ListenNetlink",
		"ListenMessageQueue", "ListenUSBFunction",
	};
	const struct import_unit_setting *s = NULL;

	while ((s = import_unit_next(d->unit, SECTION, "ListenStream", s)))
		listen(d, s);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if ((s = last(d, others[i])))
			import_lose(d->im, d->svc, s->place, "%s=%s: drover serves stream sockets only"
			            " (leave it to systemd)", s->name, s->value);
	if (d->svc->n_listen == 0)
		import_refuse(d->im, d->svc, d->svc->place, "it has no ListenStream that drover can serve");
}

/* ---- options of sockets ------------------------------------------------- */

static enum import_switch switch_of(const struct draft *d, const char *name)
{
	const char *value = value_of(d, name);

	return !value ? IMPORT_UNSET : import_unit_is_true(value) ? IMPORT_ON : IMPORT_OFF;
}

static int number_of(struct draft *d, const char *name)
{
	const struct import_unit_setting *s = last(d, name);

	return s && strcmp(s->value, "0") != 0 ?
	       (int)import_units_count(d->im, d->svc, s->place, s->name, s->value) : 0;
}

static const char *duration_of(struct draft *d, const char *name)
{
	const struct import_unit_setting *s = last(d, name);
	const char *text;
	int64_t ms;

	if (!s)
		return NULL;
	text = import_unit_duration(d->im, s->value, &ms);
	if (!text)
		import_lose(d->im, d->svc, s->place, "%s=%s is not carried over", s->name, s->value);
	return text;
}

static bool is_unix(const struct import_listen *l)
{
	return strncmp(l->address, "unix:", 5) == 0;
}

static void set_unix_options(struct draft *d, struct import_listen *l)
{
	const struct import_unit_setting *mode = last(d, "SocketMode");

	if (l->address[strlen("unix:")] == '@')
		return;
	l->mode = mode ? import_units_mode(d->im, d->svc, mode->place, "SocketMode", mode->value) : "0666";
	l->owner = value_of(d, "SocketUser");
	l->group = value_of(d, "SocketGroup");
}

static void set_options(struct draft *d)
{
	const struct import_listen common = {
		.backlog = number_of(d, "Backlog"), .nodelay = switch_of(d, "NoDelay"),
		.keepalive = switch_of(d, "KeepAlive"), .keep_idle = duration_of(d, "KeepAliveTimeSec"),
		.keep_interval = duration_of(d, "KeepAliveIntervalSec"),
		.keep_count = number_of(d, "KeepAliveProbes"),
		.freebind = switch_of(d, "FreeBind"), .device = value_of(d, "BindToDevice"),
	};

	for (size_t i = 0; i < d->svc->n_listen; i++) {
		struct import_listen *l = &d->svc->listen[i];
		const char *address = l->address;

		if (is_unix(l)) {
			l->backlog = common.backlog;
			set_unix_options(d, l);
		} else {
			*l = common;
			l->address = address;
		}
	}
}

/* ---- limits ------------------------------------------------------------- */

static void set_rate(struct draft *d)
{
	const struct import_unit_setting *burst = last(d, "TriggerLimitBurst"),
	                                 *interval = last(d, "TriggerLimitIntervalSec");
	int64_t n = TRIGGER_BURST, ms = TRIGGER_MS, a_minute;

	if (!burst && !interval)
		return;
	if ((burst && strcmp(burst->value, "0") == 0) || (interval && strcmp(interval->value, "0") == 0))
		return;                 /* there is no limit */
	if (burst)
		n = import_units_count(d->im, d->svc, burst->place, burst->name, burst->value);
	if (interval && !import_unit_duration(d->im, interval->value, &ms))
		import_lose(d->im, d->svc, interval->place, "TriggerLimitIntervalSec=%s is not carried"
		            " over", interval->value);
	else if (n > 0) {
		a_minute = n * 60000 / ms;
		d->svc->rate = import_printf(d->im, "%lld/m", (long long)(a_minute > 0 ? a_minute : 1));
		d->svc->burst = n;
		import_note(d->im, d->svc, (burst ? burst : interval)->place, "clients beyond TriggerLimit"
		            " are refused, and the service goes on; in systemd the socket failed");
	}
}

static void set_limits(struct draft *d)
{
	const struct import_unit_setting *max = last(d, "MaxConnections");

	d->svc->connections = max ? import_units_count(d->im, d->svc, max->place, max->name, max->value) : 0;
	if (d->svc->connections == 0)
		d->svc->connections = CONNECTIONS;
	d->svc->connections_per_source = number_of(d, "MaxConnectionsPerSource");
	d->svc->rejects = true;
	set_rate(d);
}

/* ---- what is left over -------------------------------------------------- */

static bool is_known(const char *name)
{
	static const char *const names[] = {
		"Accept", "ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO",
		"ListenSpecial", "ListenNetlink", "ListenMessageQueue", "ListenUSBFunction", "BindIPv6Only",
		"Backlog", "NoDelay",
		"KeepAlive", "KeepAliveTimeSec", "KeepAliveIntervalSec", "KeepAliveProbes", "FreeBind",
		"BindToDevice", "SocketMode", "SocketUser", "SocketGroup", "MaxConnections",
		"MaxConnectionsPerSource", "TriggerLimitBurst", "TriggerLimitIntervalSec",
		"FileDescriptorName", "RemoveOnStop", "DirectoryMode", "FlushPending", "PollLimitBurst",
		"PollLimitIntervalSec", "ReusePort",
		"TimeoutSec", "Service",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return import_unit_access_is_known(name);
}

static void tell_others(struct draft *d)
{
	const struct import_unit_setting *first;
	const struct import_words names = import_unit_others(d->im, d->unit, SECTION, is_known, &first);

	if (first)
		import_lose(d->im, d->svc, first->place, "no counterpart: %s",
		            import_words_join(d->im, &names));
}

/* ---- units -------------------------------------------------------------- */

/* Beside the socket, then where systemd looks. NULL: nowhere. */
static const char *find_template(struct import *im, const char *socket, const char *prefix)
{
	const struct import_words folders = import_unit_folders(im);
	const char *name = import_printf(im, "%s@.service", prefix);
	const char *path = import_input_beside(im, socket, name);

	if (access(path, F_OK) == 0)
		return path;
	for (size_t i = 0; i < folders.n; i++) {
		path = import_printf(im, "%s/%s", folders.v[i], name);
		if (access(path, F_OK) == 0)
			return path;
	}
	return NULL;
}

static void take_service(struct draft *d, const struct import_unit *template, const char *path)
{
	import_unit_service(d->im, d->svc, template, path);
	if (!d->svc->refused)
		import_unit_tell_drop_ins(d->im, d->svc, path);
}

static void take_template(struct draft *d, const char *socket)
{
	const char *path = find_template(d->im, socket, d->unit->prefix);
	struct import_unit template;

	if (!path)
		import_refuse(d->im, d->svc, d->svc->place, "there is no %s@.service beside it",
		              d->unit->prefix);
	else if (import_unit_read(d->im, path, &template) == -1)
		import_refuse(d->im, d->svc, d->svc->place, "%s: %s", path, strerror(errno));
	else
		take_service(d, &template, path);
}

static void keep_listeners(struct import_service *svc, bool of_unix)
{
	size_t kept = 0;

	for (size_t i = 0; i < svc->n_listen; i++)
		if (is_unix(&svc->listen[i]) == of_unix)
			svc->listen[kept++] = svc->listen[i];
	svc->n_listen = kept;
}

/* drover wants no access for clients without addresses: they get a service of their own. */
static void add_unix_twin(struct draft *d)
{
	struct import_service *svc = d->svc, *twin;
	struct import_service copy = *svc;

	twin = import_add_service(d->im, svc->place, import_printf(d->im, "%s-unix", svc->original));
	copy.next = NULL;
	copy.original = twin->original;
	copy.notes = NULL;
	copy.access = (struct import_access){ 0 };
	*twin = copy;
	import_note(d->im, svc, svc->place, "its unix sockets are in %s, because access means nothing for"
	            " them; each of the two has limits of its own", twin->original);
	keep_listeners(twin, true);
	keep_listeners(svc, false);
}

static void separate_unix(struct draft *d)
{
	const struct import_access *a = &d->svc->access;
	size_t n_unix = 0;

	for (size_t i = 0; i < d->svc->n_listen; i++)
		n_unix += is_unix(&d->svc->listen[i]);
	if (n_unix == 0 || (a->allow.n == 0 && a->deny.n == 0))
		return;
	if (n_unix < d->svc->n_listen)
		add_unix_twin(d);
	else
		d->svc->access = (struct import_access){ 0 };
}

static void take_socket(struct import *im, const struct import_unit *u, const char *path)
{
	struct draft d = { .im = im, .unit = u };
	const char *accept = value_of(&d, "Accept");

	d.svc = import_add_service(im, (struct import_place){ path, 1 }, u->prefix);
	if (!accept || !import_unit_is_true(accept)) {
		import_refuse(im, d.svc, d.svc->place, "Accept=no: its program accepts the clients itself"
		              " (leave it to systemd; drover can take its place only with a program for"
		              " each connection, or a filter)");
		return;
	}
	listen_all(&d);
	if (d.svc->refused)
		return;
	import_unit_tell_drop_ins(im, d.svc, path);
	take_template(&d, path);
	set_options(&d);
	set_limits(&d);
	import_unit_access(im, d.svc, u);
	import_access_finish(im, d.svc);
	tell_others(&d);
	if (!d.svc->refused)
		separate_unix(&d);
}

int import_systemd(struct import *im, const char *path)
{
	const char *base = import_input_base(path), *at = strstr(base, "@.service");
	struct import_unit u;

	if (at)
		path = import_printf(im, "%.*s.socket", (int)(at - path), path);
	path = import_strdup(im, path);
	if (import_words_have(&im->files, path))
		return 0;               /* its template was named as well */
	if (import_unit_read(im, path, &u) == -1)
		return -1;
	if (!import_unit_last(&u, SECTION, "ListenStream") && !import_unit_last(&u, SECTION, "Accept"))
		import_break(im, (struct import_place){ path, 1 }, "it has no section [Socket] with"
		             " ListenStream or Accept");
	else
		take_socket(im, &u, path);
	return 0;
}
