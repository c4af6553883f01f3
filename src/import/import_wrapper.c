/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A function for each wrapper, which returns how many words it has taken behind its name.
 */
#include <config.h>
#include "import_wrapper.h"

#include <string.h>

#include "import_input.h"
#include "import_shell.h"
#include "import_units.h"

/* The words behind the name of a wrapper. */
struct arguments {
	const char *const *v;
	size_t             n;
};

static const char *word(const struct arguments *a, size_t i)
{
	return i < a->n ? a->v[i] : "";
}

static size_t skip_none(struct import_wrapper *wr, const struct arguments *a)
{
	(void)wr;
	(void)a;
	return 0;
}

/* "env [-] [-i] NAME=VALUE ...". */
static size_t skip_env(struct import_wrapper *wr, const struct arguments *a)
{
	size_t i = 0;

	for (; i < a->n; i++) {
		if (strcmp(a->v[i], "-") == 0 || strcmp(a->v[i], "-i") == 0)
			continue;
		if (!import_shell_is_assignment(a->v[i]))
			break;
		if (import_shell_is_open(a->v[i]))
			import_lose(wr->im, wr->svc, wr->place, "%s: only a shell knows the value (write it"
			            " in env)",
			            a->v[i]);
		else
			import_words_add(wr->im, &wr->svc->env, a->v[i]);
	}
	return i;
}

static size_t skip_setuidgid(struct import_wrapper *wr, const struct arguments *a)
{
	wr->svc->user = word(a, 0);
	return 1;
}

static size_t skip_envuidgid(struct import_wrapper *wr, const struct arguments *a)
{
	wr->envuidgid = word(a, 0);
	return 1;
}

static size_t skip_envdir(struct import_wrapper *wr, const struct arguments *a)
{
	import_lose(wr->im, wr->svc, wr->place, "envdir %s: drover reads no folder of variables (put them"
	            " in a file of lines NAME=VALUE: env_file)", word(a, 0));
	return 1;
}

/* "setlock [-nNxX] FILE". */
static size_t skip_setlock(struct import_wrapper *wr, const struct arguments *a)
{
	size_t i = 0;

	while (i < a->n && a->v[i][0] == '-')
		i++;
	import_note(wr->im, wr->svc, wr->place, "setlock %s is not needed: there is one drover", word(a,
	                                                                                              i));
	return i + 1;
}

/* "nice [-n N | -N]". */
static size_t skip_nice(struct import_wrapper *wr, const struct arguments *a)
{
	const char *first = word(a, 0);

	if (strcmp(first, "-n") == 0) {
		wr->svc->nice = import_units_nice(wr->im, wr->svc, wr->place, word(a, 1));
		return 2;
	}
	if (*first != '-') {
		wr->svc->nice = "10";
		return 0;
	}
	wr->svc->nice = import_units_nice(wr->im, wr->svc, wr->place, first + 1 + (first[1] == 'n'));
	return 1;
}

/* ---- options ------------------------------------------------------------ */

/* The limits of softlimit and chpst. -m sets four of them. */
static void take_limit(struct import_wrapper *wr, char option, const char *value)
{
	static const char *const names[] = {
		['a'] = "as", ['c'] = "core", ['d'] = "data", ['f'] = "fsize", ['l'] = "memlock",
		['m'] = "as", ['o'] = "nofile", ['p'] = "nproc", ['r'] = "rss", ['s'] = "stack",
		['t'] = "cpu",
	};

	if (strcmp(value, "=") == 0)            /* the hard limit */
		return;
	import_units_rlimit(wr->im, wr->svc, wr->place, names[(unsigned char)option], value);
}

/* USER, USER:GROUP, and more groups, which chpst allows. */
static void take_user(struct import_wrapper *wr, const char *text)
{
	const char *colon, *more;

	text += *text == ':';           /* numbers follow */
	colon = strchr(text, ':');
	more = colon ? strchr(colon + 1, ':') : NULL;
	wr->svc->user = colon ? import_strndup(wr->im, text, (size_t)(colon - text)) : text;
	if (colon)
		wr->svc->group = import_strndup(wr->im, colon + 1, strcspn(colon + 1, ":"));
	if (more)
		import_lose(wr->im, wr->svc, wr->place, "more groups than one (%s) have no counterpart:"
		            " make the user a member of them", text);
}

static void take_option(struct import_wrapper *wr, char option, const char *value)
{
	if (strchr("acdflmoprst", option))
		take_limit(wr, option, value);
	else if (option == 'u')
		take_user(wr, value);
	else if (option == 'U')
		wr->envuidgid = value;
	else if (option == 'n')
		wr->svc->nice = import_units_nice(wr->im, wr->svc, wr->place, value);
	else if (strchr("/C", option) && *value != '/')
		import_lose(wr->im, wr->svc, wr->place, "-%c %s is not carried over: the path is not"
		            " absolute", option, value);
	else if (option == '/')
		wr->svc->chroot = value;
	else if (option == 'C')
		wr->svc->directory = value;
	else
		import_lose(wr->im, wr->svc, wr->place, "-%c %s has no counterpart", option, value);
}

/* Options with values, together with them or apart; letters in `flags` have none. */
static size_t skip_options(struct import_wrapper *wr, const struct arguments *a, const char *flags)
{
	size_t i = 0;

	while (i < a->n && a->v[i][0] == '-' && a->v[i][1]) {
		const char *option = a->v[i++] + 1;

		while (strchr(flags, *option) && *option)
			option++;
		if (!*option)
			continue;
		take_option(wr, *option, option[1] ? option + 1 : i < a->n ? a->v[i] : "");
		i += !option[1];
	}
	return i;
}

static size_t skip_softlimit(struct import_wrapper *wr, const struct arguments *a)
{
	return skip_options(wr, a, "");
}

/* -l and -L are locks there, and -m is -a; -0, -1, -2 close descriptors, -v and -P are harmless. */
static size_t skip_chpst(struct import_wrapper *wr, const struct arguments *a)
{
	return skip_options(wr, a, "vP012");
}

static const struct {
	const char *name;
	size_t    (*skip)(struct import_wrapper *wr, const struct arguments *a);
} rows[] = {
	{ "exec", skip_none },           { "nohup", skip_none },          { "fghack", skip_none },
	{ "then", skip_none },           { "else", skip_none },           { "command", skip_none },
	{ "pgrphack", skip_none },       { "env", skip_env },             { "setuidgid", skip_setuidgid },
	{ "envuidgid", skip_envuidgid }, { "envdir", skip_envdir },       { "setlock", skip_setlock },
	{ "nice", skip_nice },           { "softlimit", skip_softlimit }, { "chpst", skip_chpst },
};

size_t import_wrapper_skip(struct import_wrapper *wr, const struct import_words *words, size_t at)
{
	size_t i = 0;

	while (at < words->n) {
		const char *name = import_input_base(words->v[at]);
		const struct arguments a = { words->v + at + 1, words->n - at - 1 };

		for (i = 0; i < sizeof rows / sizeof *rows && strcmp(rows[i].name, name) != 0; i++)
			;
		if (i == sizeof rows / sizeof *rows)
			return at;
		at += 1 + rows[i].skip(wr, &a);
	}
	return words->n;
}
