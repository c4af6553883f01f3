/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line is a service: its name or port, the kind of socket, the protocol, wait or nowait, the user, the
 * program and its arguments. A line that begins with a blank continues the one before it.
 */
#include <config.h>
#include "import_inetd.h"

#include <ctype.h>
#include <pwd.h>
#include <string.h>

#include "import_input.h"
#include "import_listen.h"
#include "import_program.h"
#include "import_read.h"
#include "import_units.h"

#define OFF_MARK "#<off>#"              /* how update-inetd(8) disables a line */

enum { F_SERVICE, F_TYPE, F_PROTOCOL, F_WAIT, F_USER, F_PROGRAM, F_ARGV };

struct draft {
	struct import         *im;
	struct import_service *svc;
	struct import_place    place;
	struct import_words    fields;
	const char            *default_host;    /* NULL: every address */
};

static const char *field(const struct draft *d, size_t i)
{
	return i < d->fields.n ? d->fields.v[i] : "";
}

/* Words between blanks; quotes at the beginning of a word end at the next such quote. */
static struct import_words split(struct import *im, const char *line)
{
	struct import_words w = { 0 };

	for (line += strspn(line, " \t"); *line; line += strspn(line, " \t")) {
		const char quote = *line == '"' || *line == '\'' ? *line : '\0';
		const char ends[2] = { quote, '\0' };
		size_t len;

		line += quote != '\0';
		len = strcspn(line, quote ? ends : " \t");
		import_words_add(im, &w, import_strndup(im, line, len));
		line += len;
		line += quote && *line;
	}
	return w;
}

static bool is_socket_type(const char *text)
{
	static const char *const types[] = { "stream", "dgram", "raw", "rdm", "seqpacket" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strncmp(types[i], text, strlen(types[i])) == 0 && strchr(",", text[strlen(types[i])]))
			return true;
	return false;
}

bool import_inetd_is_line(struct import *im, const char *line)
{
	const struct import_words w = split(im, line);

	return w.n > F_PROGRAM && is_socket_type(w.v[F_TYPE]) &&
	       (strncmp(w.v[F_WAIT], "nowait", 6) == 0 || strncmp(w.v[F_WAIT], "wait", 4) == 0);
}

/* ---- fields ------------------------------------------------------------- */

/* Cuts off what stands behind a comma: sizes of socket buffers. */
static const char *without_buffers(struct draft *d, const char *text)
{
	const char *comma = strchr(text, ',');

	if (!comma)
		return text;
	import_lose(d->im, d->svc, d->place, "%s: sizes of socket buffers have no counterpart (the kernel"
	            " adapts them)", comma + 1);
	return import_strndup(d->im, text, (size_t)(comma - text));
}

static void take_type(struct draft *d)
{
	const char *type = without_buffers(d, field(d, F_TYPE));

	if (strcmp(type, "stream") != 0)
		import_refuse(d->im, d->svc, d->place, "socket type %s: drover serves stream sockets only"
		              " (leave it to a daemon that serves UDP itself, or to a systemd socket with"
		              " Accept=no)", type);
}

/* wait, nowait, and behind it .MAX or :MAX of a minute, or /CHILDREN/PER-MINUTE/PER-SOURCE of FreeBSD. */
static void take_wait(struct draft *d)
{
	const char *text = field(d, F_WAIT), *rest = text + strlen("nowait");
	struct import_service *svc = d->svc;
	int64_t *const counts[] = { &svc->connections, NULL, &svc->connections_per_source };

	if (strncmp(text, "nowait", 6) != 0) {
		import_refuse(d->im, svc, d->place, "wait: its program accepts the clients itself (run it"
		              " as a daemon, or from a systemd socket with Accept=no)");
		return;
	}
	if (*rest == '.' || *rest == ':') {
		svc->burst = import_units_count(d->im, svc, d->place, "nowait", rest + 1);
		svc->rate = svc->burst ? import_printf(d->im, "%lld/m", (long long)svc->burst) : NULL;
		if (svc->rate)
			import_note(d->im, svc, d->place, "%s is limits.rate: clients beyond it wait, and"
			            " the service does not pause for minutes", text);
		return;
	}
	for (size_t i = 0; *rest == '/' && i < 3; i++) {
		const size_t len = strcspn(rest + 1, "/");
		const char *number = import_strndup(d->im, rest + 1, len);

		rest += 1 + len;
		if (strcmp(number, "0") == 0)
			continue;
		if (counts[i])
			*counts[i] = import_units_count(d->im, svc, d->place, "nowait", number);
		else if (import_units_count(d->im, svc, d->place, "nowait", number) > 0)
			svc->rate_per_source = import_printf(d->im, "%s/m", number);
	}
	if (*rest)
		import_lose(d->im, svc, d->place, "\"%s\" behind nowait is not understood", rest);
}

/* user, user:group, user.group, and behind a slash a login class. A name may have a dot itself. */
static void take_user(struct draft *d)
{
	const char *text = field(d, F_USER), *class = strchr(text, '/'), *mark;

	if (class) {
		import_lose(d->im, d->svc, d->place, "the login class %s has no counterpart (rlimits has"
		            " limits)", class + 1);
		text = import_strndup(d->im, text, (size_t)(class - text));
	}
	mark = strchr(text, ':');
	if (!mark && !getpwnam(text))
		mark = strrchr(text, '.');
	if (!mark) {
		d->svc->user = text;
		return;
	}
	d->svc->user = import_strndup(d->im, text, (size_t)(mark - text));
	d->svc->group = mark + 1;
}

static void take_program(struct draft *d)
{
	struct import_words argv = { 0 };
	const char *name = d->svc->original;

	if (strcmp(field(d, F_PROGRAM), "internal") == 0) {
		import_program_set_builtin(d->im, d->svc, d->place, name);
		return;
	}
	for (size_t i = F_ARGV; i < d->fields.n; i++)
		import_words_add(d->im, &argv, d->fields.v[i]);
	if (argv.n == 0)
		import_words_add(d->im, &argv, field(d, F_PROGRAM));
	import_program_set(d->im, d->svc, d->place, field(d, F_PROGRAM), &argv);
}

/* ---- addresses ---------------------------------------------------------- */

/* The colon between a host and a service; NULL: there is no host. */
static const char *host_end(const char *text)
{
	const char *end = *text == '[' ? strchr(text, ']') : text;

	return end ? strrchr(end, ':') : NULL;
}

static const char *without_brackets(struct import *im, const char *text, size_t len)
{
	if (*text == '[' && len > 1 && text[len - 1] == ']')
		return import_strndup(im, text + 1, len - 2);
	return import_strndup(im, text, len);
}

static void listen_inet(struct draft *d, const char *protocol)
{
	const char *service = field(d, F_SERVICE), *end = host_end(service);
	const char *host = end ? import_strndup(d->im, service, (size_t)(end - service)) : d->default_host;
	const char *any = strcmp(protocol, "tcp6") == 0 ? "::" :
	                  strcmp(protocol, "tcp46") == 0 ? "*" : "0.0.0.0";
	const char *port = end ? end + 1 : service;

	host = host ? host : any;
	do {                    /* hosts with commas between */
		const size_t len = strcspn(host, ",");
		const char *one = without_brackets(d->im, host, len);

		import_listen_add_host(d->im, d->svc, d->place, strcmp(one, "*") == 0 ? any : one, port);
		host += len + (host[len] == ',');
	} while (*host);
}

static void take_protocol(struct draft *d)
{
	const char *protocol = without_buffers(d, field(d, F_PROTOCOL)), *service = field(d, F_SERVICE);

	if (strncmp(protocol, "rpc/", 4) == 0)
		import_refuse(d->im, d->svc, d->place, "an RPC service is not served, because drover does"
		              " not register with rpcbind (run it as a daemon of its own)");
	else if (strncmp(service, "tcpmux/", 7) == 0)
		import_refuse(d->im, d->svc, d->place, "a service behind tcpmux is not served (give it a"
		              " port of its own)");
	else if (strcmp(protocol, "unix") == 0)
		import_listen_add(d->im, d->svc, d->place, import_printf(d->im, "unix:%s", service));
	else if (strncmp(protocol, "udp", 3) == 0)
		import_refuse(d->im, d->svc, d->place, "UDP: drover serves stream sockets only (leave it to"
		              " a daemon that serves UDP itself, or to a systemd socket with Accept=no)");
	else if (strncmp(protocol, "tcp", 3) == 0)
		listen_inet(d, protocol);
	else
		import_refuse(d->im, d->svc, d->place, "protocol %s is not served (drover serves TCP)",
		              protocol);
}

/* ---- lines -------------------------------------------------------------- */

/* What a service is called: without its host, and if it is a number, by its program. */
static const char *name_of(const struct draft *d)
{
	const char *service = field(d, F_SERVICE), *program = import_input_base(field(d, F_PROGRAM));
	const char *end = *service == '/' ? strrchr(service, '/') : host_end(service);

	service = end ? end + 1 : service;
	if (strspn(service, "0123456789") != strlen(service))
		return service;
	return import_input_base(strcmp(program, "tcpd") == 0 ? field(d, F_ARGV) : program);
}

static void take_service(struct draft *d, bool off)
{
	struct import *im = d->im;

	d->svc = import_add_service(im, d->place, name_of(d));
	d->svc->disabled = off;
	d->svc->err = "client";
	take_type(d);
	take_protocol(d);
	if (!d->svc->refused)
		take_wait(d);
	if (d->svc->refused)
		return;
	take_user(d);
	take_program(d);
}

/* "127.0.0.1:" alone: the address of the services that follow (OpenBSD). */
static bool is_default_host(struct draft *d)
{
	const char *text = field(d, F_SERVICE);
	const size_t len = strlen(text);

	if (d->fields.n != 1 || len < 2 || text[len - 1] != ':')
		return false;
	d->default_host = import_strndup(d->im, text, len - 1);
	return true;
}

/* "#@ in ipsec ..." of BSD: it holds for the lines that follow. "#@" alone ends it. */
static void check_policy(struct draft *d, const char *line)
{
	if (strncmp(line, "#@", 2) == 0 && line[2 + strspn(line + 2, " \t")] != '\0')
		import_lose(d->im, NULL, d->place, "%s: a policy of IPsec has no counterpart (make it one"
		            " of the system)", line);
}

static void take_line(struct draft *d, const char *line)
{
	const bool off = strncmp(line, OFF_MARK, strlen(OFF_MARK)) == 0;

	if (off)
		line += strlen(OFF_MARK);
	if (*line == '#') {
		check_policy(d, line);
		return;
	}
	d->fields = split(d->im, line);
	if (d->fields.n == 0 || is_default_host(d) || (off && !import_inetd_is_line(d->im, line)))
		return;
	if (import_inetd_is_line(d->im, line))
		take_service(d, off);
	else
		import_break(d->im, d->place, "\"%s\" is not a service (SERVICE stream tcp nowait USER"
		             " PROGRAM ARGV...)", line);
}

int import_inetd(struct import *im, const char *path)
{
	const char *text = import_read(im, path), *line, *whole = NULL;
	struct draft d = { .im = im };
	struct import_lines l;

	if (!text)
		return -1;
	path = import_strdup(im, path);
	import_words_add(im, &im->files, path);
	for (l = import_lines_of(im, path, text); (line = import_lines_next(&l));) {
		if (whole && *whole != '#' && isblank((unsigned char)*line)) {
			whole = import_printf(im, "%s %s", whole, line);
			continue;
		}
		if (whole)
			take_line(&d, whole);
		whole = line;
		d.place = l.place;
	}
	if (whole)
		take_line(&d, whole);
	return 0;
}
