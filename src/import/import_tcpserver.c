/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds the command in the script, and goes through its words: wrappers, options, address, program.
 */
#include <config.h>
#include "import_tcpserver.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "import_access.h"
#include "import_input.h"
#include "import_listen.h"
#include "import_program.h"
#include "import_read.h"
#include "import_run.h"
#include "import_tcprules.h"
#include "import_units.h"
#include "import_wrapper.h"

#define LIMIT_DEFAULT 40                /* tcpserver's own */
#define WITH_VALUE "xBcbgultI"          /* options that take one */

struct script {
	struct import_run run;                  /* what is before the command at hand */
	const char       *name;                 /* of the service, from its folder */
	unsigned          found;
};

struct draft {
	struct script         *script;
	struct import         *im;
	struct import_service *svc;
	struct import_wrapper  wrapper;
	enum import_switch     nodelay;
	int                    backlog;
	bool no_names, no_ident, env_user, ipv6;
};

#define LOSE(d, ...) import_lose((d)->im, (d)->svc, (d)->script->run.place, __VA_ARGS__)

/* ---- options ------------------------------------------------------------ */

/* Where relative paths begin. */
static const char *folder_of(const struct script *s)
{
	return s->run.directory ? s->run.directory : s->run.folder;
}

/* The text that tcprules made the cdb from: its name without .cdb, as is usual. */
static void take_rules(struct draft *d, const char *cdb)
{
	const char *end = strstr(cdb, ".cdb"), *text;

	text = end && end[4] == '\0' ? import_strndup(d->im, cdb, (size_t)(end - cdb)) : cdb;
	if (*text != '/')
		text = import_printf(d->im, "%s/%s", folder_of(d->script), text);
	if (text != cdb && import_tcprules(d->im, d->svc, text) == 0)
		return;
	LOSE(d, "-x %s: the text that tcprules made it from is not in %s (write the addresses in access)",
	     cdb, text);
	d->svc->access.lost_deny = true;
}

static bool is_known(struct draft *d, char option, const char *value)
{
	if (!import_shell_is_open(value))
		return true;
	LOSE(d, "-%c %s: only a shell knows the value%s", option, value,
	     option == 'u' ? " (write user; until then it is nobody)" : "");
	if (option == 'u')
		d->svc->user = "nobody";
	return false;
}

static void take_value(struct draft *d, char option, const char *value)
{
	struct import *im = d->im;

	if (!is_known(d, option, value)) {
		d->svc->access.lost_deny = d->svc->access.lost_deny || option == 'x';
		return;
	}
	switch (option) {
	case 'c':
		d->svc->connections = import_units_count(im, d->svc, d->script->run.place, "-c", value);
		break;
	case 'b':
		d->backlog = (int)import_units_count(im, d->svc, d->script->run.place, "-b", value);
		break;
	case 'u':
		d->svc->user = value;
		break;
	case 'g':
		d->svc->group = value;
		break;
	case 'l':
		import_words_add(im, &d->svc->env, import_printf(im, "TCPLOCALHOST=%s", value));
		break;
	case 'x':
		take_rules(d, value);
		break;
	case 'B':
		LOSE(d, "-B %s: drover sends no banner (let the program write it)", value);
		break;
	case 'I':
		LOSE(d, "-I %s has no counterpart (write the interface behind the address,"
		     " [fe80::1%%eth0]:25)", value);
		break;
	}
}

static void take_flag(struct draft *d, char option)
{
	switch (option) {
	case 'H':
	case 'R':
		*(option == 'H' ? &d->no_names : &d->no_ident) = true;
		break;
	case 'h':
	case 'p':
		LOSE(d, "-%c: drover looks up no names, and TCPREMOTEHOST is not set", option);
		break;
	case 'r':
		LOSE(d, "-r: drover asks no ident server, and TCPREMOTEINFO is not set");
		break;
	case 'U':
		d->env_user = true;
		break;
	case 'd':
	case 'D':
		d->nodelay = option == 'D' ? IMPORT_ON : IMPORT_OFF;
		break;
	case '6':
		d->ipv6 = true;
		break;
	case '1':
		import_note(d->im, d->svc, d->script->run.place, "-1: droverctl services shows the port");
		break;
	default:
		if (!strchr("vqQPXoO4", option))
			LOSE(d, "the option -%c is unknown", option);
	}
}

/* Returns the index of the first word that is no option. */
static size_t take_options(struct draft *d, const struct import_words *w, size_t at)
{
	while (at < w->n && w->v[at][0] == '-' && w->v[at][1]) {
		const char *option = w->v[at++] + 1;

		if (strcmp(option, "-") == 0)
			break;
		for (; *option; option++) {
			if (!strchr(WITH_VALUE, *option)) {
				take_flag(d, *option);
				continue;
			}
			take_value(d, *option, option[1] ? option + 1 : at < w->n ? w->v[at] : "");
			at += !option[1];
			break;
		}
	}
	return at;
}

/* ---- the rest ----------------------------------------------------------- */

static void listen(struct draft *d, const char *host, const char *port)
{
	struct import_listen *l;

	if (strcmp(host, "0") == 0 || strcmp(host, "::") == 0)
		host = d->ipv6 || *host == ':' ? "*" : "0.0.0.0";
	l = import_listen_add_host(d->im, d->svc, d->script->run.place, host, port);
	l->nodelay = d->nodelay;
	l->backlog = d->backlog;
}

static void set_user(struct draft *d)
{
	if (!d->svc->user && d->env_user && d->wrapper.envuidgid)
		d->svc->user = d->wrapper.envuidgid;
	if (d->svc->user)
		return;
	if (d->env_user)
		LOSE(d, "-U: who sets UID and GID is not known (write user)");
	else
		import_note(d->im, d->svc, d->script->run.place, "the script names no user: the program"
		            " ran as root");
	d->svc->user = "root";
}

/* What begins with "./" is in the folder of the script, or where cd has gone. */
static void set_program(struct draft *d, const struct import_words *w, size_t at)
{
	const char *where = folder_of(d->script);
	struct import_words argv = { 0 };
	const char *path = w->v[at];

	if (*path != '/' && strchr(path, '/')) {
		path = import_printf(d->im, "%s/%s", where, strncmp(path, "./", 2) == 0 ? path + 2 : path);
		d->svc->directory = where;
	}
	if (d->script->run.directory)
		d->svc->directory = where;
	import_words_add(d->im, &argv, path);
	for (size_t i = at + 1; i < w->n; i++) {
		if (import_shell_is_open(w->v[i]))
			LOSE(d, "%s: only a shell knows the value (write it in argv)", w->v[i]);
		import_words_add(d->im, &argv, w->v[i]);
	}
	import_program_set(d->im, d->svc, d->script->run.place, path, &argv);
}

static void tell_of_names(struct draft *d)
{
	if (!d->no_names || !d->no_ident)
		import_note(d->im, d->svc, d->script->run.place, "TCPREMOTEHOST and TCPREMOTEINFO are not"
		            " set: drover asks no name server and no ident server");
}

static void take_command(struct draft *d, const struct import_words *w, size_t at)
{
	const char *before;

	at = take_options(d, w, at + 1);
	if (at + 2 >= w->n) {
		import_refuse(d->im, d->svc, d->script->run.place, "tcpserver needs a host, a port and a"
		              " program");
		return;
	}
	listen(d, w->v[at], w->v[at + 1]);
	before = d->wrapper.envuidgid;
	at = import_wrapper_skip(&d->wrapper, w, at + 2);
	if (d->wrapper.envuidgid != before)
		LOSE(d, "envuidgid %s behind the port: UID and GID are not set (write them in env)",
		     d->wrapper.envuidgid);
	d->wrapper.envuidgid = before;
	if (at == w->n) {
		import_refuse(d->im, d->svc, d->script->run.place, "there is no program behind the port");
		return;
	}
	set_user(d);
	set_program(d, w, at);
	tell_of_names(d);
	import_access_finish(d->im, d->svc);
}

/* The index of tcpserver; w->n if the command is another one. */
static size_t find_tcpserver(const struct import_words *w)
{
	size_t i = 0;

	if (w->n > 0 && (strcmp(w->v[0], "echo") == 0 || strcmp(w->v[0], "printf") == 0))
		return w->n;
	while (i < w->n && strcmp(import_input_base(w->v[i]), "tcpserver") != 0)
		i++;
	return i;
}

static void take_tcpserver(struct script *s, const struct import_words *w, size_t server)
{
	struct draft d = { .script = s, .im = s->run.im };
	size_t at;

	d.svc = import_add_service(d.im, s->run.place, s->name);
	s->found++;
	d.svc->connections = LIMIT_DEFAULT;
	d.wrapper = (struct import_wrapper){ .im = s->run.im, .svc = d.svc, .place = s->run.place };
	import_run_apply(&s->run, d.svc);
	at = import_wrapper_skip(&d.wrapper, w, 0);
	if (at < server)
		LOSE(&d, "%s before tcpserver is not understood", w->v[at]);
	take_command(&d, w, server);
}

/* ---- the script --------------------------------------------------------- */

/* What the output of another command goes to does nothing to those behind it. */
static bool is_behind_pipe(const char *first, const char *at)
{
	return at > first && at[-1] == '|' && (at == first + 1 || at[-2] != '|');
}

static void take_line(struct script *s, const char *line)
{
	const char *at = line, *rest;

	for (; at; at = rest) {
		const struct import_words w = import_shell_split(&s->run.shell, at, &rest);
		const size_t server = find_tcpserver(&w);

		if (server < w.n)
			take_tcpserver(s, &w, server);
		else if (!is_behind_pipe(line, at))
			import_run_take(&s->run, &w);
	}
}

static void read_script(struct script *s, const char *text)
{
	struct import_lines l = import_lines_of(s->run.im, s->run.place.file, text);
	const char *line;

	while ((line = import_lines_next_joined(&l))) {
		s->run.place = l.place;
		take_line(s, line);
	}
}

/* Its folder gives a service its name, unless the file is not called run. */
static void find_names(struct script *s, const char *path)
{
	char real[PATH_MAX];
	const char *absolute = realpath(path, real) ? import_strdup(s->run.im, real) : path;
	const char *base = import_input_base(absolute);

	s->run.folder = import_strndup(s->run.im, absolute,
	                               base > absolute ? (size_t)(base - absolute) - 1 : 0);
	s->name = strcmp(base, "run") == 0 ? import_input_base(s->run.folder) :
	          import_strndup(s->run.im, base, strcspn(base, "."));
}

int import_tcpserver(struct import *im, const char *path)
{
	struct script s = { .run = { .im = im, .shell.im = im } };
	struct stat st;
	const char *text;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		path = import_printf(im, "%s/run", path);
	text = import_read(im, path);
	if (!text)
		return -1;
	s.run.place.file = import_strdup(im, path);
	import_words_add(im, &im->files, s.run.place.file);
	find_names(&s, path);
	read_script(&s, text);
	if (s.found == 0)
		import_break(im, (struct import_place){ s.run.place.file, 1 }, "there is no command tcpserver"
		             " in it");
	return 0;
}
