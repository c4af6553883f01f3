/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A command is taken as if it were always executed, also one behind "if".
 */
#include <config.h>
#include "import_run.h"

#include <string.h>

#include "import_units.h"

struct import_run_command {
	struct import_run_command *next;
	struct import_place        place;
	struct import_words        words;
};

static bool is_one_of(const char *word, const char *const *names)
{
	while (*names && strcmp(*names, word) != 0)
		names++;
	return *names;
}

/* ---- taken at once ------------------------------------------------------ */

static void export(struct import_run *r, const char *name)
{
	if (!import_words_have(&r->exported, name))
		import_words_add(r->im, &r->exported, name);
}

static void take_export(struct import_run *r, const struct import_words *w)
{
	for (size_t i = 1; i < w->n; i++) {
		if (import_shell_is_assignment(w->v[i]))
			import_shell_remember(&r->shell, w->v[i]);
		if (w->v[i][0] != '-')
			export(r, import_strndup(r->im, w->v[i], strcspn(w->v[i], "=")));
	}
}

/* PATH is in the environment of a script, and stays there. */
static void take_assignments(struct import_run *r, const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		import_shell_remember(&r->shell, w->v[i]);
		if (strncmp(w->v[i], "PATH=", 5) == 0)
			export(r, "PATH");
	}
}

static bool are_assignments(const struct import_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!import_shell_is_assignment(w->v[i]))
			return false;
	return true;
}

/* What does nothing to the commands behind it. */
static bool is_harmless(const struct import_words *w)
{
	static const char *const names[] = {
		"[", "[[", "test", "fi", "echo", "printf", "true", ":", "set", "}", "esac", "done", NULL,
	};

	return (w->n == 1 && strcmp(w->v[0], "exec") == 0) || is_one_of(w->v[0], names);
}

static struct import_words without_keywords(struct import_words w)
{
	static const char *const names[] = { "if", "then", "else", "elif", "do", "{", "!", NULL };

	while (w.n > 0 && is_one_of(w.v[0], names)) {
		w.v++;
		w.n--;
	}
	return w;
}

void import_run_take(struct import_run *r, const struct import_words *words)
{
	const struct import_words w = without_keywords(*words);
	struct import_run_command **at = &r->commands;

	if (w.n == 0)
		return;
	if (are_assignments(&w)) {
		take_assignments(r, &w);
	} else if (strcmp(w.v[0], "export") == 0) {
		take_export(r, &w);
	} else if (strcmp(w.v[0], "cd") == 0 && w.n == 2) {
		r->directory = w.v[1][0] == '/' ? w.v[1] : import_printf(r->im, "%s/%s", r->folder, w.v[1]);
	} else if (!is_harmless(&w)) {
		while (*at)
			at = &(*at)->next;
		*at = import_alloc(r->im, sizeof **at);
		**at = (struct import_run_command){ .place = r->place, .words = w };
	}
}

/* ---- for a service ------------------------------------------------------ */

static void set_environment(const struct import_run *r, struct import_service *svc)
{
	for (size_t i = 0; i < r->exported.n; i++) {
		const char *name = r->exported.v[i], *value;

		if (!import_shell_find(&r->shell, name, &value))
			continue;
		if (value)
			import_words_add(r->im, &svc->env, import_printf(r->im, "%s=%s", name, value));
		else if (strcmp(name, "PATH") == 0)
			import_note(r->im, svc, r->place, "PATH: only a shell knows the value (if the"
			            " program needs it, write it in env)");
		else
			import_lose(r->im, svc, r->place, "%s: only a shell knows the value (write it in"
			            " env)", name);
	}
}

/* The names of what drover has, and of what it lacks. */
static const char *limit_name(char option)
{
	static const char *const names[] = {
		['c'] = "core", ['d'] = "data", ['f'] = "fsize", ['l'] = "memlock", ['m'] = "rss",
		['n'] = "nofile", ['s'] = "stack", ['t'] = "cpu", ['u'] = "nproc", ['v'] = "as",
	};
	const size_t i = (unsigned char)option;

	return i < sizeof names / sizeof *names && names[i] ? names[i] : NULL;
}

static void set_limit(const struct import_run *r, struct import_service *svc,
                      const struct import_run_command *c, char option, const char *value)
{
	const char *name = limit_name(option);

	if (strcmp(value, "unlimited") == 0)
		return;
	if (!name || (option == 'c' && strcmp(value, "0") != 0))
		import_lose(r->im, svc, c->place, "ulimit -%c %s is not carried over (write rlimits)", option,
		            value);
	else
		import_units_rlimit(r->im, svc, c->place, name,
		                    option == 'v' ? import_printf(r->im, "%sK", value) : value);
}

/* "ulimit -n 64 -v 50000", with H and S; without an option, it is the size of files. */
static void set_limits(const struct import_run *r, struct import_service *svc,
                       const struct import_run_command *c)
{
	char option = 'f';

	for (size_t i = 1; i < c->words.n; i++) {
		const char *word = c->words.v[i];

		if (*word != '-') {
			set_limit(r, svc, c, option, word);
			continue;
		}
		for (word++; *word; word++)
			if (*word != 'H' && *word != 'S')
				option = *word;
	}
}

void import_run_apply(const struct import_run *r, struct import_service *svc)
{
	set_environment(r, svc);
	for (const struct import_run_command *c = r->commands; c; c = c->next)
		if (strcmp(c->words.v[0], "umask") == 0 && c->words.n == 2)
			svc->umask = import_units_mode(r->im, svc, c->place, "umask", c->words.v[1]);
		else if (strcmp(c->words.v[0], "ulimit") == 0 && c->words.n > 1)
			set_limits(r, svc, c);
		else
			import_lose(r->im, svc, c->place, "\"%s\" before tcpserver is not carried over:"
			            " drover executes nothing before it serves (a drop-in of"
			            " drover.service can, by ExecStartPre)",
			            import_words_join(r->im, &c->words));
}
