/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of `rows` for each attribute.
 */
#include <config.h>
#include "import_xinetd.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import_access.h"
#include "import_input.h"
#include "import_listen.h"
#include "import_program.h"
#include "import_units.h"
#include "import_xinetd_access.h"
#include "import_xinetd_file.h"
#include "import_xinetd_value.h"

/* One service while it is imported. */
struct draft {
	struct import         *im;
	struct import_service *svc;
	struct import_place    place;           /* of the attribute at hand */
	bool                   own;             /* it is not from defaults alone */
	const char            *name;            /* of it */
	const char            *service;         /* behind "service": a name from services(5) */
	const char            *port, *bind, *server, *protocol;
	struct import_words    args;
	bool internal, unlisted, nameinargs, ipv6, v6only;
};

static bool is_yes(const struct import_words *w)
{
	return w->n > 0 && (strcasecmp(w->v[0], "yes") == 0 || strcasecmp(w->v[0], "true") == 0 ||
	                    strcasecmp(w->v[0], "on") == 0);
}

static const char *first(const struct import_words *w)
{
	return w->n > 0 ? w->v[0] : "";
}

/* ---- what is or is not served ------------------------------------------- */

static void take_type(struct draft *d, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const char *type = w->v[i];

		if (strcasecmp(type, "INTERNAL") == 0)
			d->internal = true;
		else if (strcasecmp(type, "UNLISTED") == 0)
			d->unlisted = true;
		else if (strcasecmp(type, "RPC") == 0)
			import_refuse(d->im, d->svc, d->place, "an RPC service is not served, because"
			              " drover does not register with rpcbind (run it as a daemon of its"
			              " own)");
		else if (strncasecmp(type, "TCPMUX", 6) == 0)
			import_refuse(d->im, d->svc, d->place, "a service behind tcpmux is not served (give"
			              " it a port of its own)");
		else
			import_lose(d->im, d->svc, d->place, "type %s is unknown", type);
	}
}

static const char udp_hint[] =
	"drover serves stream sockets only (leave it to a daemon that serves UDP itself, or to a systemd"
	" socket with Accept=no)";

static void take_socket_type(struct draft *d, const struct import_words *w)
{
	if (strcasecmp(first(w), "stream") != 0)
		import_refuse(d->im, d->svc, d->place, "socket_type %s: %s", first(w), udp_hint);
}

static void take_protocol(struct draft *d, const struct import_words *w)
{
	if (strcasecmp(first(w), "udp") == 0)
		import_refuse(d->im, d->svc, d->place, "protocol udp: %s", udp_hint);
	else if (strncasecmp(first(w), "tcp", 3) != 0)
		import_refuse(d->im, d->svc, d->place, "protocol %s is not served (drover serves TCP)",
		              first(w));
	d->ipv6 = d->ipv6 || strcasecmp(first(w), "tcp6") == 0;
}

static void take_wait(struct draft *d, const struct import_words *w)
{
	if (is_yes(w))
		import_refuse(d->im, d->svc, d->place, "wait = yes: its program accepts the clients itself"
		              " (run it as a daemon, or from a systemd socket with Accept=no)");
}

static void take_redirect(struct draft *d, const struct import_words *w)
{
	import_refuse(d->im, d->svc, d->place, "redirect to %s: drover connects to no other server (use"
	              " haproxy; or argv = [ \"/usr/bin/socat\", \"-\","
	              " \"TCP:%s%s%s\" ])", import_words_join(d->im, w),
	              first(w), w->n > 1 ? ":" : "", w->n > 1 ? w->v[1] : "");
}

static bool is_harmless(const char *flag)
{
	static const char *const names[] = { "REUSE", "NORETRY", "NODELAY", "KEEPALIVE", "NOLIBWRAP", "IPv4" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(flag, names[i]) == 0)
			return true;
	return false;
}

static void take_flag(struct draft *d, const char *flag)
{
	if (strcasecmp(flag, "NAMEINARGS") == 0)
		d->nameinargs = true;
	else if (strcasecmp(flag, "IPv6") == 0)
		d->ipv6 = true;
	else if (strcasecmp(flag, "SENSOR") == 0)
		import_refuse(d->im, d->svc, d->place, "flag SENSOR: drover does not block clients that"
		              " connect to a trap (fail2ban does)");
	else if (strcasecmp(flag, "IDONLY") == 0)
		import_lose(d->im, d->svc, d->place, "flag IDONLY has no counterpart: drover asks no ident"
		            " server");
	else if (!is_harmless(flag))
		import_lose(d->im, d->svc, d->place, "flag %s has no counterpart", flag);
}

static void take_flags(struct draft *d, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		take_flag(d, w->v[i]);
}

/* ---- place and program -------------------------------------------------- */

#define TAKE_TEXT(member) \
	static void take_##member(struct draft *d, const struct import_words *w) \
	{ \
		d->member = first(w); \
	}
TAKE_TEXT(port)
TAKE_TEXT(bind)
TAKE_TEXT(server)

#define TAKE_SERVICE_TEXT(member) \
	static void take_##member(struct draft *d, const struct import_words *w) \
	{ \
		d->svc->member = first(w); \
	}
TAKE_SERVICE_TEXT(user)
TAKE_SERVICE_TEXT(group)

static void take_v6only(struct draft *d, const struct import_words *w)
{
	d->v6only = is_yes(w);
}

static void take_args(struct draft *d, const struct import_words *w)
{
	d->args = *w;
}

static void take_env(struct draft *d, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		import_words_add(d->im, &d->svc->env, w->v[i]);
}

static void take_passenv(struct draft *d, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		import_words_add(d->im, &d->svc->pass_env, w->v[i]);
}

static void take_nice(struct draft *d, const struct import_words *w)
{
	d->svc->nice = import_units_nice(d->im, d->svc, d->place, first(w));
}

static void take_umask(struct draft *d, const struct import_words *w)
{
	d->svc->umask = import_units_mode(d->im, d->svc, d->place, "umask", first(w));
}

/* ---- limits ------------------------------------------------------------- */

static int64_t count_of(struct draft *d, const struct import_words *w)
{
	if (strcasecmp(first(w), "UNLIMITED") == 0)
		return 0;
	return import_units_count(d->im, d->svc, d->place, d->name, first(w));
}

static void take_instances(struct draft *d, const struct import_words *w)
{
	d->svc->connections = count_of(d, w);
	d->svc->rejects = true;
}

static void take_per_source(struct draft *d, const struct import_words *w)
{
	d->svc->connections_per_source = count_of(d, w);
}

static void take_cps(struct draft *d, const struct import_words *w)
{
	const int64_t n = count_of(d, w);

	if (n == 0)
		return;
	d->svc->rate = import_printf(d->im, "%lld/s", (long long)n);
	d->svc->rejects = true;
	import_note(d->im, d->own ? d->svc : NULL, d->place, "cps is limits.rate: clients beyond it are"
	            " refused, and the service does not pause%s%s", w->n > 1 ? " for seconds:"
	            " " : "", w->n > 1 ? w->v[1] : "");
}

static void take_rlimit(struct draft *d, const struct import_words *w)
{
	if (strcasecmp(first(w), "UNLIMITED") != 0)
		import_units_rlimit(d->im, d->svc, d->place, d->name + strlen("rlimit_"), first(w));
}

/* ---- access ------------------------------------------------------------- */

static void take_only_from(struct draft *d, const struct import_words *w)
{
	d->svc->access.restricts = true;
	for (size_t i = 0; i < w->n; i++)
		import_xinetd_access(d->im, d->svc, d->place, IMPORT_ALLOW, w->v[i]);
}

static void take_no_access(struct draft *d, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		import_xinetd_access(d->im, d->svc, d->place, IMPORT_DENY, w->v[i]);
}

/* ---- what has no counterpart -------------------------------------------- */

static void take_times(struct draft *d, const struct import_words *w)
{
	import_lose(d->im, d->svc, d->place, "access_times %s: drover does not know the time of day (let"
	            " cron(8) or a systemd timer call droverctl drain and resume)", import_words_join(d->im,
	                                                                                              w));
}

static void take_load(struct draft *d, const struct import_words *w)
{
	import_lose(d->im, d->svc, d->place, "max_load %s: drover does not look at the load of the machine"
	            " (limit limits.connections and limits.rate)", first(w));
}

static void take_banner(struct draft *d, const struct import_words *w)
{
	import_lose(d->im, d->svc, d->place, "%s %s: drover sends no banner (let the program write it; a"
	            " client that is refused for a limit can get"
	            " limits.reject_message)", d->name, first(w));
}

/* Only ident is lost: the rest is in the access log, whose lines are drover's. */
static void take_log(struct draft *d, const struct import_words *w)
{
	if (import_words_have(w, "USERID"))
		import_lose(d->im, d->svc, d->place, "%s USERID: drover asks no ident server", d->name);
}

static void take_unknown_counterpart(struct draft *d, const struct import_words *w)
{
	import_lose(d->im, d->svc, d->place, "%s %s has no counterpart", d->name, import_words_join(d->im,
	                                                                                            w));
}

static void take_nothing(struct draft *d, const struct import_words *w)
{
	(void)d;
	(void)w;
}

static const struct row {
	const char *name;
	void      (*take)(struct draft *d, const struct import_words *w);
} rows[] = {
	{ "type", take_type },               { "flags", take_flags },
	{ "socket_type", take_socket_type }, { "protocol", take_protocol },
	{ "wait", take_wait },               { "redirect", take_redirect },
	{ "port", take_port },               { "bind", take_bind },
	{ "interface", take_bind },          { "v6only", take_v6only },
	{ "user", take_user },               { "group", take_group },
	{ "server", take_server },           { "server_args", take_args },
	{ "env", take_env },                 { "passenv", take_passenv },
	{ "nice", take_nice },               { "umask", take_umask },
	{ "instances", take_instances },     { "per_source", take_per_source },
	{ "cps", take_cps },                 { "only_from", take_only_from },
	{ "no_access", take_no_access },     { "access_times", take_times },
	{ "max_load", take_load },           { "rlimit_as", take_rlimit },
	{ "rlimit_cpu", take_rlimit },       { "rlimit_files", take_rlimit },
	{ "rlimit_data", take_rlimit },      { "rlimit_rss", take_rlimit },
	{ "rlimit_stack", take_rlimit },     { "banner", take_banner },
	{ "banner_success", take_banner },   { "banner_fail", take_banner },
	{ "log_on_success", take_log },      { "log_on_failure", take_log },
	{ "log_type", take_nothing },        { "mdns", take_nothing },
	{ "groups", take_nothing },          { "rpc_version", take_nothing },
	{ "rpc_number", take_nothing },      { "id", take_nothing },
	{ "disable", take_nothing },         { "disabled", take_nothing },
	{ "enabled", take_nothing },         { "deny_time", take_nothing },
	{ "libwrap", take_unknown_counterpart },
};

/* ---- blocks ------------------------------------------------------------- */

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcasecmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void tell_unknown(struct import *im, const struct import_xinetd_block *b, struct import_service *svc)
{
	for (const struct import_xinetd_attribute *a = b->attributes; a; a = a->next)
		if (!find_row(a->name))
			import_lose(im, svc, a->place, "%s is not an attribute of xinetd that is known",
			            a->name);
}

/* ---- services ----------------------------------------------------------- */

static bool is_disabled(struct import *im, const struct import_xinetd_file *f,
                        const struct import_xinetd_block *b, const char *id)
{
	const struct import_xinetd_value disable = import_xinetd_value_of(im, f, b, "disable"),
	                                 disabled = import_xinetd_value_of(im, f, NULL, "disabled"),
	                                 enabled = import_xinetd_value_of(im, f, NULL, "enabled");

	return is_yes(&disable.words) || import_words_have(&disabled.words, id) ||
	       (enabled.given && !import_words_have(&enabled.words, id));
}

static void listen(struct draft *d)
{
	const char *host = d->bind;

	if (!host || strcmp(host, "*") == 0)
		host = d->v6only ? "::" : d->ipv6 ? "*" : "0.0.0.0";
	import_listen_add_host(d->im, d->svc, d->svc->place, host, d->port ? d->port : d->service);
	if (d->unlisted && !d->port)
		import_refuse(d->im, d->svc, d->svc->place, "it is UNLISTED and has no port");
}

/* server_args has no argv[0], unless there is the flag NAMEINARGS. */
static void set_program(struct draft *d)
{
	struct import_words argv = { 0 };

	if (d->internal) {
		import_program_set_builtin(d->im, d->svc, d->svc->place, d->service);
		return;
	}
	if (!d->server) {
		import_refuse(d->im, d->svc, d->svc->place, "it has no server");
		return;
	}
	if (!d->svc->user)
		import_lose(d->im, d->svc, d->svc->place, "it names no user (write user)");
	if (!d->nameinargs || d->args.n == 0)
		import_words_add(d->im, &argv, d->server);
	for (size_t i = 0; i < d->args.n; i++)
		import_words_add(d->im, &argv, d->args.v[i]);
	import_program_set(d->im, d->svc, d->svc->place, d->server, &argv);
}

static void import_block(struct import *im, const struct import_xinetd_file *f,
                         const struct import_xinetd_block *b)
{
	const struct import_xinetd_value id = import_xinetd_value_of(im, f, b, "id");
	const char *name = id.words.n > 0 ? id.words.v[0] : b->service;
	struct import_service *svc = import_add_service(im, b->place, name);
	struct draft d = { .im = im, .svc = svc, .service = b->service };

	svc->disabled = is_disabled(im, f, b, name);
	svc->err = "client";
	tell_unknown(im, b, svc);
	import_xinetd_value_tell_repeated(im, b, svc);
	for (size_t i = 0; i < sizeof rows / sizeof *rows && !svc->refused; i++) {
		const struct import_xinetd_value v = import_xinetd_value_of(im, f, b, rows[i].name);

		d.name = rows[i].name;
		d.place = v.place;
		d.own = v.own;
		if (v.given)
			rows[i].take(&d, &v.words);
	}
	if (svc->refused)
		return;
	set_program(&d);
	listen(&d);
	import_access_finish(im, svc);
}

/* An only_from in defaults that are not known would be lost. */
static void check_defaults(struct import *im, const struct import_xinetd_file *f)
{
	if (!f->defaults && !f->whole)
		import_lose(im, NULL, (struct import_place){ f->services->place.file, 1 }, "the defaults of"
		            " xinetd.conf are not known here; import xinetd.conf, which includes this");
}

int import_xinetd(struct import *im, const char *path)
{
	if (!im->xinetd)
		im->xinetd = import_alloc(im, sizeof *im->xinetd);
	if (strcmp(import_input_base(path), "xinetd.conf") == 0)
		im->xinetd->whole = true;
	return import_xinetd_file_read(im, path, im->xinetd);
}

void import_xinetd_finish(struct import *im)
{
	const struct import_xinetd_file *f = im->xinetd;

	if (!f)
		return;
	for (const struct import_xinetd_block *d = f->defaults; d; d = d->next) {
		tell_unknown(im, d, NULL);
		import_xinetd_value_tell_repeated(im, d, NULL);
	}
	for (const struct import_xinetd_block *b = f->services; b; b = b->next)
		import_block(im, f, b);
	if (!f->services)
		return;
	check_defaults(im, f);
	import_note(im, NULL, (struct import_place){ f->services->place.file, 1 }, "xinetd may have asked"
	            " hosts.allow and hosts.deny for every service without the flag NOLIBWRAP; drover asks"
	            " access alone");
}
