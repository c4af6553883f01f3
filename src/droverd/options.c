/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses options. --listen and the options for it are written down as the text of a
 * configuration file, so that they are checked by the same rules.
 */
#include <config.h>
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "version.h"

#define LISTEN_OPTIONS_MAX 64

/* The values of long options without a short form. */
enum { OPT_LISTEN = 256, OPT_NAME, OPT_USER, OPT_GROUP, OPT_WORKERS, OPT_CONNECTIONS, OPT_ECHO };

static const struct option long_options[] = {
	{ "config",      required_argument, NULL, 'c' },
	{ "test",        no_argument,       NULL, 't' },
	{ "dump",        no_argument,       NULL, 'T' },
	{ "daemon",      no_argument,       NULL, 'd' },
	{ "version",     no_argument,       NULL, 'V' },
	{ "help",        no_argument,       NULL, 'h' },
	{ "listen",      required_argument, NULL, OPT_LISTEN },
	{ "name",        required_argument, NULL, OPT_NAME },
	{ "user",        required_argument, NULL, OPT_USER },
	{ "group",       required_argument, NULL, OPT_GROUP },
	{ "workers",     required_argument, NULL, OPT_WORKERS },
	{ "connections", required_argument, NULL, OPT_CONNECTIONS },
	{ "echo",        no_argument,       NULL, OPT_ECHO },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
	"usage: droverd [-c FILE] [-t | -T] [-d] [-V] [-h]\n"
	"       droverd --listen ADDRESS [--listen ...] [--name NAME] [--user U] [--group G]\n"
	"               [--workers N] [--connections N] ( --echo | [--] PROGRAM [ARG ...] )\n";

static const char help[] =
	"\n"
	"  -c, --config FILE  the configuration (" SYSCONFDIR "/drover/drover.conf)\n"
	"  -t, --test         check the configuration and exit\n"
	"  -T, --dump         print the effective configuration and exit\n"
	"  -d, --daemon       detach; the exit status tells whether the server is ready\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"One service without a configuration file:\n"
	"\n"
	"  --listen ADDRESS   HOST:PORT, [V6]:PORT, *:PORT, unix:/PATH, systemd:NAME\n"
	"  --name NAME        what logs call it (\"echo\", or the program's name)\n"
	"  --user U, --group G          the user that serves; for root, nobody\n"
	"  --workers N, --connections N processes, and connections in each\n"
	"  --echo             send back what comes, or\n"
	"  PROGRAM [ARG ...]  start this for each connection\n"
	"\n"
	"See droverd(8) and drover.conf(5).\n";

/* The service that the command line describes. */
struct wish {
	const char *listen[LISTEN_OPTIONS_MAX];
	size_t      n_listen;
	const char *name, *user, *group, *workers, *connections;
	bool        echo;
	char      **program;            /* argv of it; NULL: none */
};

static void bad(struct options *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void bad(struct options *o, const char *format, ...)
{
	va_list ap;

	if (o->action == OPTIONS_BAD)
		return;         /* one complaint is enough */
	o->action = OPTIONS_BAD;
	va_start(ap, format);
	fputs("droverd: ", stderr);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fprintf(stderr, "\n%s", usage);
}

/* ---- a configuration from options --------------------------------------- */

static void put_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*s);
		else
			putc(*s, out);
	putc('"', out);
}

static void put_key(FILE *out, const char *key, const char *value)
{
	if (!value)
		return;
	fprintf(out, "%s = ", key);
	put_string(out, value);
	fputs("; ", out);
}

static void put_list(FILE *out, const char *key, const char *const *items, size_t n)
{
	fprintf(out, "%s = [ ", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i > 0 ? ", " : "", out);
		put_string(out, items[i]);
	}
	fputs(" ]; ", out);
}

/* Links stay: what some programs do depends on the name they were called by. */
static char *make_absolute(const char *name)
{
	char here[PATH_MAX], *path;

	if (name[0] == '/')
		return strdup(name);
	if (!getcwd(here, sizeof here) || asprintf(&path, "%s/%s", here, name) == -1)
		return NULL;
	return path;
}

/* Where a shell would find it; NULL if it would not. To be freed. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *found = NULL;

	if (strchr(name, '/'))
		return make_absolute(name);
	for (const char *p = path ? path : ""; *p; p += strspn(p, ":")) {
		int len = (int)strcspn(p, ":");

		if (asprintf(&found, "%.*s/%s", len, p, name) == -1)
			return NULL;
		if (found[0] == '/' && access(found, X_OK) == 0)
			return found;
		free(found);
		p += len;
	}
	errno = ENOENT;
	return NULL;
}

static void put_handler(struct options *o, FILE *out, const struct wish *w)
{
	char *const called = w->program ? w->program[0] : NULL;
	char *program;
	size_t n = 0;

	if (w->echo) {
		fputs("handler = { type = \"echo\"; }; ", out);
		return;
	}
	program = find_program(w->program[0]);
	if (!program) {
		bad(o, "%s: %s", w->program[0], strerror(errno));
		return;
	}
	while (w->program[n])
		n++;
	w->program[0] = program;
	fputs("handler = { type = \"exec\"; ", out);
	put_list(out, "argv", (const char *const *)w->program, n);
	fputs("}; ", out);
	w->program[0] = called;
	free(program);
}

/* Numbers go to the loader as they are written: it says what is wrong with them. */
static void put_number(struct options *o, FILE *out, const char *key, const char *value)
{
	if (!value)
		return;
	if (!*value || strspn(value, "0123456789") != strlen(value))
		bad(o, "--%s takes a number, not \"%s\"", key, value);
	fprintf(out, "%s = %s; ", key, value);
}

/* A service's name from a program's: what a configuration would not take becomes "_". */
static char *name_from(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);

	for (char *p = name; p && *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", *p))
			*p = '_';
	if (name && !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", name[0])) {
		free(name);
		name = strdup("program");
	}
	return name;
}

/* A server of --listen does not run as root, unless --user says so. */
static const char *user_of(struct options *o, const struct wish *w)
{
	if (w->user || geteuid() != 0)
		return w->user;
	o->notice = "the service runs as nobody (--user names another one, also root)";
	return "nobody";
}

static void write_service(struct options *o, FILE *out, const struct wish *w)
{
	char *made = name_from(w->name ? w->name : w->echo ? "echo" : w->program[0]);
	const char *name = made ? made : "service";

	if (w->name && (!w->name[0] || strcmp(w->name, name) != 0))
		bad(o, "--name \"%s\" must be letters, digits, \"_\" and \"-\", as in \"%s\"",
		    w->name, name);
	/* The default socket belongs to the installed service: a server of --listen must not take it. */
	fprintf(out, "control = { socket = \"none\"; }; services = { %s = { ", name);
	put_list(out, "listen", w->listen, w->n_listen);
	put_key(out, "user", user_of(o, w));
	put_key(out, "group", w->group);
	put_number(o, out, "workers", w->workers);
	put_number(o, out, "connections", w->connections);
	put_handler(o, out, w);
	fputs("}; };\n", out);
	free(made);
}

static void make_text(struct options *o, const struct wish *w)
{
	size_t len;
	FILE *out;

	if (w->echo == (w->program != NULL)) {
		bad(o, "--listen needs either --echo or a program to start");
		return;
	}
	out = open_memstream(&o->text, &len);
	if (!out) {
		bad(o, "%s", strerror(errno));
		return;
	}
	write_service(o, out, w);
	if (fclose(out) == EOF)
		bad(o, "%s", strerror(errno));
}

/* All of them; NULL without memory. */
static char *join_addresses(const struct wish *w)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < w->n_listen; i++)
		fprintf(out, "%s%s", i > 0 ? " " : "", w->listen[i]);
	if (out && fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- reading ------------------------------------------------------------ */

static void add_listen(struct options *o, struct wish *w, const char *address)
{
	if (w->n_listen == LISTEN_OPTIONS_MAX)
		bad(o, "more than %d times --listen", LISTEN_OPTIONS_MAX);
	else
		w->listen[w->n_listen++] = address;
}

static void set_action(struct options *o, enum options_action action)
{
	if (o->action != OPTIONS_SERVE && o->action != action)
		bad(o, "-t and -T exclude each other");
	else
		o->action = action;
}

/* One option; false if nothing more is to be read. */
static bool take_option(struct options *o, struct wish *w, int opt, const char **file)
{
	switch (opt) {
	case 'c':             *file = optarg; break;
	case 't':             set_action(o, OPTIONS_TEST); break;
	case 'T':             set_action(o, OPTIONS_DUMP); break;
	case 'd':             o->detach = true; break;
	case OPT_LISTEN:      add_listen(o, w, optarg); break;
	case OPT_NAME:        w->name = optarg; break;
	case OPT_USER:        w->user = optarg; break;
	case OPT_GROUP:       w->group = optarg; break;
	case OPT_WORKERS:     w->workers = optarg; break;
	case OPT_CONNECTIONS: w->connections = optarg; break;
	case OPT_ECHO:        w->echo = true; break;
	case 'V':
		printf("%s %s\n", PACKAGE_NAME, version_string);
		o->action = OPTIONS_DONE;
		return false;
	case 'h':
		printf("%s%s", usage, help);
		o->action = OPTIONS_DONE;
		return false;
	default:
		o->action = OPTIONS_BAD;        /* getopt has said why */
		fputs(usage, stderr);
		return false;
	}
	return o->action != OPTIONS_BAD;
}

static bool is_wished(const struct wish *w)
{
	return w->name || w->user || w->group || w->workers || w->connections || w->echo;
}

static void find_file(struct options *o, const char *file)
{
	o->file = make_absolute(file);  /* not resolved: a link may point elsewhere at a reload */
	o->subject = o->file ? strdup(o->file) : NULL;
	if (!o->file)
		bad(o, "%s: %s", file, strerror(errno));
}

void options_read(struct options *o, int argc, char **argv)
{
	const char *file = NULL;
	struct wish w = { 0 };
	int opt;

	*o = (struct options){ .action = OPTIONS_SERVE };
	while ((opt = getopt_long(argc, argv, "+c:tTdVh", long_options, NULL)) != -1)
		if (!take_option(o, &w, opt, &file))
			return;
	if (optind < argc)
		w.program = argv + optind;
	if (w.n_listen == 0) {
		if (w.program)
			bad(o, "unexpected argument \"%s\"", w.program[0]);
		else if (is_wished(&w))
			bad(o, "options of a service want --listen");
		find_file(o, file ? file : SYSCONFDIR "/drover/drover.conf");
		return;
	}
	if (file)
		bad(o, "--config and --listen exclude each other");
	o->file = strdup("command line");
	o->subject = join_addresses(&w);
	make_text(o, &w);
}

void options_free(struct options *o)
{
	free(o->file);
	free(o->subject);
	free(o->text);
}
