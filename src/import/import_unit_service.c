/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of `rows` for each setting that means something to drover, and for those that need no remark.
 * All others have no counterpart, and are told of together.
 */
#include <config.h>
#include "import_unit_service.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "env_file.h"
#include "import_input.h"
#include "import_program.h"
#include "import_read.h"
#include "import_units.h"
#include "units.h"

#define SECTION "Service"

struct draft {
	struct import                    *im;
	struct import_service            *svc;
	const struct import_unit         *unit;
	const struct import_unit_setting *setting;      /* the one at hand */
};

#define LOSE(d, ...) import_lose((d)->im, (d)->svc, (d)->setting->place, __VA_ARGS__)

/* ---- program ------------------------------------------------------------ */

/* What stands before the path: - @ : + ! | */
static const char *skip_prefixes(struct draft *d, const char *value, bool *names_argv0)
{
	for (*names_argv0 = false; *value && strchr("-@:+!|", *value); value++) {
		*names_argv0 = *names_argv0 || *value == '@';
		if (*value == '+')
			LOSE(d, "ExecStart=+: the program ran with all privileges of root, and gets those"
			     " of user");
	}
	return value + strspn(value, " \t");
}

/* systemd replaces $NAME and ${NAME} by variables of the environment; drover replaces nothing. */
static bool has_variable(const char *word)
{
	const char *dollar = strchr(word, '$');

	while (dollar && dollar[1] == '$')
		dollar = strchr(dollar + 2, '$');
	return dollar && dollar[1] != '\0';
}

/* "$$" is "$". */
static const char *without_doubles(struct import *im, const char *word)
{
	char *copy = import_alloc(im, strlen(word) + 1), *end = copy;

	for (; *word; word++) {
		*end++ = *word;
		word += word[0] == '$' && word[1] == '$';
	}
	return copy;
}

static void take_exec(struct draft *d)
{
	bool names_argv0, ok, open = import_unit_is_open(d->setting->value);
	const char *value = skip_prefixes(d, d->setting->value, &names_argv0), *path;
	struct import_words w = import_unit_split(d->im, value, &ok);

	if (!ok || w.n == 0 || (names_argv0 && w.n < 2)) {
		import_break(d->im, d->setting->place, "ExecStart=%s is not a command", d->setting->value);
		return;
	}
	path = w.v[0];
	for (size_t i = 0; i < w.n; i++) {
		open = open || has_variable(w.v[i]);
		w.v[i] = without_doubles(d->im, w.v[i]);
	}
	if (open)
		LOSE(d, "ExecStart has specifiers or variables: drover replaces nothing in argv (the"
		     " program finds its client in REMOTE_ADDR and REMOTE_PORT; /bin/sh -c replaces"
		     " variables)");
	if (names_argv0) {
		w.v++;
		w.n--;
	}
	if (import_unit_next(d->unit, SECTION, "ExecStart", d->setting))
		LOSE(d, "a second ExecStart: drover starts one program for a connection");
	import_program_set(d->im, d->svc, d->setting->place, path, &w);
}

/* drover gives the socket as descriptors 0 and 1; without this setting, it is descriptor 3. */
static void check_input(struct draft *d, const char *path)
{
	const struct import_unit_setting *s = import_unit_last(d->unit, SECTION, "StandardInput");

	if (!s || strcmp(s->value, "socket") != 0)
		import_refuse(d->im, d->svc, s ? s->place : (struct import_place){ path, 1 }, "without"
		              " StandardInput=socket, the program takes the connection from descriptor 3"
		              " (sd_listen_fds); drover gives it as descriptors 0 and 1");
}

static void take_output(struct draft *d)
{
	if (strcmp(d->setting->value, "socket") != 0 && strcmp(d->setting->value, "inherit") != 0)
		LOSE(d, "StandardOutput=%s: standard output is the connection in drover",
		     d->setting->value);
}

static void take_error(struct draft *d)
{
	const char *value = d->setting->value;

	if (strcmp(value, "null") == 0)
		d->svc->err = "null";
	else if (strncmp(value, "journal", 7) == 0 || strncmp(value, "syslog", 6) == 0 ||
	         strncmp(value, "kmsg", 4) == 0)
		d->svc->err = NULL;
	else if (strcmp(value, "socket") != 0 && strcmp(value, "inherit") != 0) {
		LOSE(d, "StandardError=%s: it goes to the log of drover", value);
		d->svc->err = NULL;
	}
}

/* ---- place -------------------------------------------------------------- */

static const char *plain(struct draft *d)
{
	if (!import_unit_is_open(d->setting->value))
		return d->setting->value;
	LOSE(d, "%s=%s: the specifier has no counterpart", d->setting->name, d->setting->value);
	return NULL;
}

static void take_user(struct draft *d)
{
	d->svc->user = plain(d);
}

static void take_group(struct draft *d)
{
	d->svc->group = plain(d);
}

static void take_dynamic_user(struct draft *d)
{
	if (!import_unit_is_true(d->setting->value))
		return;
	LOSE(d, "DynamicUser: a user of its own has to be made (sysusers.d(5)); until then it is nobody");
	if (!import_unit_last(d->unit, SECTION, "User"))
		d->svc->user = "nobody";
}

static void take_directory(struct draft *d)
{
	const char *value = d->setting->value + (*d->setting->value == '-');

	if (*value == '/')
		d->svc->directory = plain(d) ? value : NULL;
	else
		LOSE(d, "WorkingDirectory=%s: write the path in directory", value);
}

static void take_root(struct draft *d)
{
	d->svc->chroot = plain(d);
}

static void take_umask(struct draft *d)
{
	d->svc->umask = import_units_mode(d->im, d->svc, d->setting->place, "UMask", d->setting->value);
}

static void take_nice(struct draft *d)
{
	d->svc->nice = import_units_nice(d->im, d->svc, d->setting->place, d->setting->value);
}

/* CPUs with blanks or commas between; drover wants commas. */
static const char *with_commas(struct import *im, const char *value)
{
	const char *all = "";

	for (size_t len; *value; value += len, value += strspn(value, ", \t")) {
		len = strcspn(value, ", \t");
		all = import_printf(im, "%s%s%.*s", all, *all && len ? "," : "", (int)len, value);
	}
	return all;
}

static void take_cpus(struct draft *d)
{
	for (; d->setting; d->setting = import_unit_next(d->unit, SECTION, "CPUAffinity", d->setting)) {
		const char *cpus = with_commas(d->im, d->setting->value);
		cpu_set_t set;

		if (units_parse_cpus(cpus, &set) == -1)
			LOSE(d, "CPUAffinity=%s is not carried over (write cpus)", d->setting->value);
		else
			d->svc->cpus = d->svc->cpus ? import_printf(d->im, "%s,%s", d->svc->cpus, cpus) :
			               cpus;
	}
}

static void take_privileges(struct draft *d)
{
	d->svc->no_new_privs = import_unit_is_true(d->setting->value) ? IMPORT_ON : IMPORT_OFF;
}

/* LimitNOFILE=1024:4096: drover sets both to one value, the soft limit here. */
static void take_limit(struct draft *d)
{
	const char *name = d->setting->name + strlen("Limit");
	const char *value = import_strndup(d->im, d->setting->value, strcspn(d->setting->value, ":"));

	if (strcasecmp(value, "infinity") != 0)
		import_units_rlimit(d->im, d->svc, d->setting->place, name, value);
}

static void take_runtime(struct draft *d)
{
	int64_t ms;

	if (strcasecmp(d->setting->value, "infinity") == 0)
		return;
	d->svc->session = import_unit_duration(d->im, d->setting->value, &ms);
	if (!d->svc->session)
		LOSE(d, "RuntimeMaxSec=%s is not carried over (write timeouts.session)", d->setting->value);
}

/* ---- environment -------------------------------------------------------- */

static void take_environment(struct draft *d)
{
	for (; d->setting; d->setting = import_unit_next(d->unit, SECTION, "Environment", d->setting)) {
		bool ok;
		const struct import_words w = import_unit_split(d->im, d->setting->value, &ok);

		if (!ok)
			import_break(d->im, d->setting->place, "Environment=%s lacks a quote",
			             d->setting->value);
		for (size_t i = 0; ok && i < w.n; i++)
			if (import_unit_is_open(w.v[i]))
				LOSE(d, "Environment=%s: the specifier has no counterpart", w.v[i]);
			else
				import_words_add(d->im, &d->svc->env, w.v[i]);
	}
}

static void take_pass_environment(struct draft *d)
{
	for (; d->setting; d->setting = import_unit_next(d->unit, SECTION, "PassEnvironment", d->setting)) {
		const struct import_words w = import_input_split(d->im, d->setting->value);

		for (size_t i = 0; i < w.n; i++)
			import_words_add(d->im, &d->svc->pass_env, w.v[i]);
	}
}

static void note_variable(void *arg, int line, const char *name, const char *value)
{
	struct draft *d = arg;

	(void)line;
	(void)value;
	for (size_t i = 0; i < d->svc->env.n; i++)
		if (strncmp(d->svc->env.v[i], name, strlen(name)) == 0 &&
		    d->svc->env.v[i][strlen(name)] == '=')
			LOSE(d, "%s is in Environment and in %s: the file won there, and env wins in drover"
			     " (remove it from env)", name, d->setting->value);
}

static void pass_over(void *arg, int line, const char *what)
{
	(void)arg;
	(void)line;
	(void)what;
}

static void take_environment_file(struct draft *d)
{
	for (; d->setting; d->setting = import_unit_next(d->unit, SECTION, "EnvironmentFile", d->setting)) {
		const char *path = d->setting->value, *text;

		if (import_unit_is_open(path) || path[strcspn(path, "*?[")]) {
			LOSE(d, "EnvironmentFile=%s: env_file takes no patterns and no specifiers (write"
			     " each path)", path);
			continue;
		}
		import_words_add(d->im, &d->svc->env_file, path);
		text = import_read(d->im, path + (*path == '-'));
		if (text)
			env_file_parse(text, note_variable, pass_over, d);
	}
}

/* ---- what is not about clients ------------------------------------------- */

/* It is for the sockets that the program opens; that of the client is of the socket unit. */
static void take_addresses(struct draft *d)
{
	LOSE(d, "IPAddressDeny in [Service] was for connections that the program opens itself, and has no"
	     " counterpart (for those of clients, it stands in [Socket])");
}

/* ---- the table ---------------------------------------------------------- */

static void take_nothing(struct draft *d)
{
	(void)d;
}

static const struct row {
	const char *name;
	void      (*take)(struct draft *d);     /* with the setting that counts, the first of a list */
	bool        list;
} rows[] = {
	{ "User", take_user, false },              { "Group", take_group, false },
	{ "DynamicUser", take_dynamic_user, false }, { "WorkingDirectory", take_directory, false },
	{ "RootDirectory", take_root, false },     { "UMask", take_umask, false },
	{ "Nice", take_nice, false },              { "CPUAffinity", take_cpus, true },
	{ "NoNewPrivileges", take_privileges, false }, { "RuntimeMaxSec", take_runtime, false },
	{ "ExecStart", take_exec, true },          { "StandardOutput", take_output, false },
	{ "StandardError", take_error, false },    { "Environment", take_environment, true },
	{ "PassEnvironment", take_pass_environment, true },
	{ "EnvironmentFile", take_environment_file, true },
	{ "IPAddressDeny", take_addresses, false }, { "IPAddressAllow", take_nothing, false },
	{ "StandardInput", take_nothing, false },  { "Type", take_nothing, false },
	{ "KillMode", take_nothing, false },       { "SuccessExitStatus", take_nothing, false },
	{ "TimeoutStopSec", take_nothing, false }, { "SyslogIdentifier", take_nothing, false },
	{ "LimitNOFILE", take_limit, false },      { "LimitNPROC", take_limit, false },
	{ "LimitCORE", take_limit, false },        { "LimitAS", take_limit, false },
	{ "LimitCPU", take_limit, false },         { "LimitDATA", take_limit, false },
	{ "LimitRSS", take_limit, false },         { "LimitSTACK", take_limit, false },
	{ "LimitFSIZE", take_limit, false },       { "LimitMEMLOCK", take_limit, false },
};

static bool is_known(const char *name)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return true;
	return false;
}

static void tell_others(struct draft *d)
{
	const struct import_unit_setting *first;
	const struct import_words names = import_unit_others(d->im, d->unit, SECTION, is_known, &first);

	if (first)
		import_lose(d->im, d->svc, first->place, "no counterpart: %s (what protects the whole of"
		            " drover can be in a drop-in of drover.service)", import_words_join(d->im,
		                                                                                &names));
}

void import_unit_service(struct import *im, struct import_service *svc, const struct import_unit *u,
                         const char *path)
{
	struct draft d = { .im = im, .svc = svc, .unit = u };

	svc->err = "client";
	check_input(&d, path);
	if (svc->refused)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		d.setting = rows[i].list ? import_unit_next(u, SECTION, rows[i].name, NULL) :
		            import_unit_last(u, SECTION, rows[i].name);
		if (d.setting)
			rows[i].take(&d);
	}
	if (!svc->user)
		svc->user = "root";
	if (svc->argv.n == 0)
		import_refuse(im, svc, (struct import_place){ path, 1 }, "it has no ExecStart");
	tell_others(&d);
}
