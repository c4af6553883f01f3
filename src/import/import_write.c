/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file holds `services` alone, so that it can be a configuration by itself, or stand in conf.d.
 */
#include <config.h>
#include "import_write.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "conf_value.h"
#include "import_names.h"
#include "sources.h"
#include "text.h"
#include "version.h"

#define WIDTH 100                       /* of comments */

struct output {
	FILE *f;
	int   line;                     /* the current one, from 1 */
	bool  commented;                /* each line becomes a comment */
	bool  begun;                    /* something of the line is written */
};

static void put(struct output *o, const char *text)
{
	if (!o->begun && o->commented)
		fputs("  #", o->f);
	o->begun = true;
	fputs(text, o->f);
}

static void put_string(struct output *o, const char *text)
{
	put(o, "");
	conf_value_print_string(text, o->f);
}

static void end_line(struct output *o)
{
	putc('\n', o->f);
	o->line++;
	o->begun = false;
}

/* ---- comments ----------------------------------------------------------- */

/* As lines of about WIDTH characters, with that much room before the "#". */
static void comment(struct output *o, const char *indent, const char *text)
{
	size_t column = 0, len;

	o->commented = false;
	for (; *text; text += len) {
		text += strspn(text, " ");
		len = strcspn(text, " ");
		if (column > 0 && column + len > WIDTH) {
			end_line(o);
			column = 0;
		}
		fprintf(o->f, "%s%s%.*s", column ? "" : indent, column ? " " : "# ", (int)len, text);
		column += len + 1;
	}
	if (column > 0)
		end_line(o);
}

static void comment_place(struct output *o, const char *indent, struct import_place place,
                          const char *before, const char *text)
{
	char line[4000];
	struct text t = text_in(line, sizeof line);

	text_add_safe(&t, place.file, strlen(place.file));
	text_add(&t, ":%d%s%s", place.line, *text || *before ? ": " : "", before);
	text_add_safe(&t, text, strlen(text));
	comment(o, indent, line);
}

static void comment_notes(struct output *o, const char *indent, const struct import_note *notes)
{
	for (; notes; notes = notes->next)
		comment_place(o, indent, notes->place, notes->lost ? "NOT CARRIED OVER: " : "",
		              notes->text);
}

/* ---- keys --------------------------------------------------------------- */

static void put_key(struct output *o, const char *before, const char *name, const char *value)
{
	if (!value)
		return;
	put(o, before);
	put(o, name);
	put(o, " = ");
	put(o, value);
	put(o, ";");
}

static void put_text_key(struct output *o, const char *before, const char *name, const char *value)
{
	if (!value)
		return;
	put(o, before);
	put(o, name);
	put(o, " = ");
	put_string(o, value);
	put(o, ";");
}

static void put_list(struct output *o, const char *before, const char *name, const struct import_words *w)
{
	if (w->n == 0)
		return;
	put(o, before);
	put(o, name);
	put(o, " = [ ");
	for (size_t i = 0; i < w->n; i++) {
		put(o, i ? ", " : "");
		put_string(o, w->v[i]);
	}
	put(o, " ];");
}

static void put_number_key(struct output *o, const char *name, int64_t n)
{
	char text[32];

	snprintf(text, sizeof text, "%lld", (long long)n);
	if (n > 0)
		put_key(o, " ", name, text);
}

static void put_switch(struct output *o, const char *name, enum import_switch value)
{
	if (value != IMPORT_UNSET)
		put_key(o, " ", name, value == IMPORT_ON ? "true" : "false");
}

/* An empty value is none. */
static void text_line(struct output *o, const char *name, const char *value)
{
	if (!value || *value == '\0')
		return;
	put_text_key(o, "    ", name, value);
	end_line(o);
}

static void line(struct output *o, const char *name, const char *value)
{
	if (!value)
		return;
	put_key(o, "    ", name, value);
	end_line(o);
}

/* ---- groups ------------------------------------------------------------- */

static bool is_plain(const struct import_listen *l)
{
	return !l->backlog && !l->nodelay && !l->keepalive && !l->freebind && !l->device && !l->mode &&
	       !l->owner && !l->group;
}

static void put_keepalive(struct output *o, const struct import_listen *l)
{
	if (l->keepalive != IMPORT_ON || (!l->keep_idle && !l->keep_interval && !l->keep_count)) {
		put_switch(o, "keepalive", l->keepalive);
		return;
	}
	put(o, " keepalive = {");
	put_text_key(o, " ", "idle", l->keep_idle);
	put_text_key(o, " ", "interval", l->keep_interval);
	put_number_key(o, "count", l->keep_count);
	put(o, " };");
}

static void put_listener(struct output *o, const struct import_listen *l)
{
	put(o, "{");
	put_text_key(o, " ", "address", l->address);
	put_number_key(o, "backlog", l->backlog);
	put_switch(o, "nodelay", l->nodelay);
	put_keepalive(o, l);
	put_switch(o, "freebind", l->freebind);
	put_text_key(o, " ", "device", l->device);
	put_text_key(o, " ", "mode", l->mode);
	put_text_key(o, " ", "owner", l->owner);
	put_text_key(o, " ", "group", l->group);
	put(o, " }");
}

static void put_listen(struct output *o, const struct import_service *svc)
{
	bool plain = true;

	for (size_t i = 0; i < svc->n_listen; i++)
		plain = plain && is_plain(&svc->listen[i]);
	put(o, plain ? "    listen = [ " : "    listen = ( ");
	for (size_t i = 0; i < svc->n_listen; i++) {
		put(o, i ? ", " : "");
		if (plain)
			put_string(o, svc->listen[i].address);
		else
			put_listener(o, &svc->listen[i]);
	}
	put(o, plain ? " ];" : " );");
	end_line(o);
}

static void put_member(struct output *o, const char *name, const char *value)
{
	if (!value)
		return;
	end_line(o);
	put_text_key(o, "                ", name, value);
}

static void put_member_list(struct output *o, const char *name, const struct import_words *w)
{
	if (w->n == 0)
		return;
	end_line(o);
	put_list(o, "                ", name, w);
}

static void put_handler(struct output *o, const struct import_service *svc)
{
	put_text_key(o, "    handler = { ", "type", svc->builtin ? svc->builtin : "exec");
	if (!svc->builtin) {
		put_member(o, "program", svc->program);
		put_member_list(o, "argv", &svc->argv);
		put_member_list(o, "env_file", &svc->env_file);
		put_member_list(o, "pass_env", &svc->pass_env);
		put_member_list(o, "env", &svc->env);
		put_member(o, "stderr", svc->err);
	}
	put(o, " };");
	end_line(o);
}

static void put_rlimits(struct output *o, const struct import_rlimits *r)
{
	if (!r->nofile && !r->nproc && !r->core && !r->as && !r->cpu)
		return;
	put(o, "    rlimits = {");
	put_key(o, " ", "nofile", r->nofile);
	put_key(o, " ", "nproc", r->nproc);
	put_key(o, " ", "core", r->core);
	put_key(o, " ", "as", r->as);
	put_key(o, " ", "cpu", r->cpu);
	put(o, " };");
	end_line(o);
}

/* A source cannot have more than there are in all: drover refuses that. */
static int64_t useful_per_source(const struct import_service *svc)
{
	if (svc->connections > 0 && svc->connections_per_source >= svc->connections)
		return 0;
	if (svc->connections_per_source > SOURCES_COUNT_MAX)
		return SOURCES_COUNT_MAX;
	return svc->connections_per_source;
}

static void put_limits(struct output *o, const struct import_service *svc)
{
	const int64_t per_source = useful_per_source(svc);

	if (!svc->connections && !per_source && !svc->rate && !svc->rate_per_source)
		return;
	put(o, "    limits = {");
	put_number_key(o, "connections", svc->connections);
	put_number_key(o, "connections_per_source", per_source);
	put_text_key(o, " ", "rate", svc->rate);
	if (svc->rate)
		put_number_key(o, "burst", svc->burst);
	put_text_key(o, " ", "rate_per_source", svc->rate_per_source);
	if (svc->rejects && (svc->connections || svc->rate))
		put_text_key(o, " ", "overload", "reject");
	put(o, " };");
	end_line(o);
}

static void put_access(struct output *o, const struct import_access *a)
{
	if (a->allow.n == 0 && a->deny.n == 0)
		return;
	put(o, "    access = {");
	put_list(o, " ", "allow", &a->allow);
	put_list(o, " ", "deny", &a->deny);
	put(o, " };");
	end_line(o);
}

/* ---- services ----------------------------------------------------------- */

static void put_service(struct output *o, struct import_service *svc)
{
	put(o, "  ");
	put(o, svc->name);
	put(o, " = {");
	end_line(o);
	line(o, "enabled", svc->disabled ? "false" : NULL);
	put_listen(o, svc);
	put_handler(o, svc);
	line(o, "workers", "{ min = 0; }");
	text_line(o, "user", svc->user);
	text_line(o, "group", svc->group);
	text_line(o, "chroot", svc->chroot);
	text_line(o, "directory", svc->directory);
	text_line(o, "umask", svc->umask);
	line(o, "nice", svc->nice);
	text_line(o, "cpus", svc->cpus);
	put_rlimits(o, &svc->rlimits);
	if (svc->no_new_privs != IMPORT_UNSET)
		line(o, "no_new_privs", svc->no_new_privs == IMPORT_ON ? "true" : "false");
	put_limits(o, svc);
	put_access(o, &svc->access);
	if (svc->session) {
		put(o, "    timeouts = {");
		put_text_key(o, " ", "session", svc->session);
		put(o, " };");
		end_line(o);
	}
	put(o, "  };");
	end_line(o);
}

static void write_service(struct import *im, struct output *o, struct import_service *svc)
{
	end_line(o);
	svc->first_line = o->line;
	if (svc->refused) {
		comment_place(o, "  ", svc->place, "NOT CARRIED OVER: ",
		              import_printf(im, "%s: %s", svc->original, svc->refused));
		return;
	}
	comment_place(o, "  ", svc->place, "", "");
	comment_notes(o, "  ", svc->notes);
	o->commented = svc->commented;
	put_service(o, svc);
	o->commented = false;
	svc->last_line = o->line - 1;
}

static void write_head(struct import *im, struct output *o)
{
	char line[4000];
	struct text t = text_in(line, sizeof line);

	text_add(&t, "Made by drover-import %s of", version_string);
	for (size_t i = 0; i < im->files.n; i++) {
		text_add_string(&t, i ? ", " : " ");
		text_add_safe(&t, im->files.v[i], strlen(im->files.v[i]));
	}
	comment(o, "", line);
	comment(o, "", "Above each service is the place that it comes from. Check this file with droverd"
	        " -t, and read what is NOT CARRIED OVER. No process waits for clients of a service until"
	        " the first one comes (workers.min is 0). No program gains privileges from setuid files,"
	        " unless its service says no_new_privs = false.");
	comment_notes(o, "", im->notes);
}

const char *import_write(struct import *im)
{
	struct output o = { .line = 1 };
	const char *copy;
	char *text;
	size_t len;

	import_names_make(im);
	o.f = open_memstream(&text, &len);
	if (!o.f)
		exit(EX_OSERR);
	write_head(im, &o);
	put(&o, "services = {");
	end_line(&o);
	for (struct import_service *s = im->services; s; s = s->next)
		write_service(im, &o, s);
	put(&o, "};");
	end_line(&o);
	fclose(o.f);
	copy = import_strdup(im, text);
	free(text);
	return copy;
}
