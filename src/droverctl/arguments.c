/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses the command line. Options may stand anywhere; a number such as -1 is not an option.
 */
#include <config.h>
#include "arguments.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control_path.h"
#include "memory.h"
#include "source_id.h"
#include "suggest.h"
#include "text.h"
#include "units.h"

#define DELAY_MS_DEFAULT 2000
#define DELAY_MS_MIN     100
#define DELAY_MS_MAX     (24 * 60 * 60 * 1000)

enum { OPT_JSON = 256, OPT_NOW, OPT_REPLAY, OPT_WEIGHT, OPT_OPENMETRICS, OPT_READY };

static const struct option long_options[] = {
	{ "socket",  required_argument, NULL, 's' },
	{ "json",    no_argument,       NULL, OPT_JSON },
	{ "delay",   required_argument, NULL, 'd' },
	{ "count",   required_argument, NULL, 'n' },
	{ "now",     no_argument,       NULL, OPT_NOW },
	{ "replay",  required_argument, NULL, OPT_REPLAY },
	{ "weight",  no_argument,       NULL, OPT_WEIGHT },
	{ "ready",   no_argument,       NULL, OPT_READY },
	{ "openmetrics", no_argument,   NULL, OPT_OPENMETRICS },
	{ "version", no_argument,       NULL, 'V' },
	{ "help",    no_argument,       NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] = "droverctl [-s SOCKET] [--json] COMMAND [ARG ...]";

/* What was read so far. */
struct reading {
	struct arguments *a;
	unsigned          options;      /* of commands_option: those that were given */
	const char       *words[COMMANDS_ARGUMENTS_MAX];        /* after the command */
	size_t            n_words;
};

static void bad(struct arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keeps the first complaint. It is made printable: it may repeat arguments, whose source is not known. */
static void bad(struct arguments *a, const char *format, ...)
{
	struct text t = text_in(a->error, sizeof a->error);
	char said[ARGUMENTS_ERROR_MAX];
	va_list ap;

	if (a->action == ARGUMENTS_BAD)
		return;
	a->action = ARGUMENTS_BAD;
	va_start(ap, format);
	vsnprintf(said, sizeof said, format, ap);
	va_end(ap);
	text_add_safe(&t, said, strlen(said));
}

/* ---- options ------------------------------------------------------------ */

static void bad_option(struct arguments *a, const char *word)
{
	struct suggest s = suggest_for(word + strspn(word, "-"));

	for (const struct option *o = long_options; o->name; o++)
		suggest_offer(&s, o->name);
	if (strncmp(word, "--", 2) == 0 && s.best && s.distance > 0)
		bad(a, "there is no option %s; did you mean --%s?", word, s.best);
	else
		bad(a, "there is no option %s; see droverctl --help", word);
}

static void set_delay(struct arguments *a, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);
	int64_t ms = -1;

	/* "0.5" as top(1) takes it, "500ms" as a configuration does. */
	if (*text && !*end && strspn(text, "0123456789.") == strlen(text))
		units_duration_of_fraction(seconds, &ms);
	else
		units_parse_duration(text, &ms);
	if (ms < DELAY_MS_MIN || ms > DELAY_MS_MAX)
		bad(a, "--delay takes seconds, from 0.1 to a day, not \"%s\"", text);
	a->delay_ms = ms;
}

static void set_count(struct arguments *a, const char *text)
{
	int64_t n = 0;

	if (units_parse_whole(text, LONG_MAX, &n) == -1 || n < 1)
		bad(a, "--count takes a number from 1, not \"%s\"", text);
	a->count = (long)n;
}

/* word is the argument in which the option was found. */
static void take_option(struct reading *r, int opt, const char *word)
{
	struct arguments *a = r->a;

	switch (opt) {
	case 's':
		a->socket = optarg;
		break;
	case OPT_JSON:
		a->json = true;
		break;
	case 'd':
		r->options |= COMMANDS_DELAY;
		set_delay(a, optarg);
		break;
	case 'n':
		r->options |= COMMANDS_COUNT;
		set_count(a, optarg);
		break;
	case OPT_NOW:
		r->options |= COMMANDS_NOW;
		break;
	case OPT_REPLAY:
		r->options |= COMMANDS_REPLAY;
		a->replay = optarg;
		break;
	case OPT_WEIGHT:
		r->options |= COMMANDS_WEIGHT;
		break;
	case OPT_READY:
		r->options |= COMMANDS_READY;
		break;
	case OPT_OPENMETRICS:
		r->options |= COMMANDS_OPENMETRICS;
		break;
	case 'V':
	case 'h':
		if (a->action == ARGUMENTS_RUN)
			a->action = opt == 'V' ? ARGUMENTS_VERSION : ARGUMENTS_HELP;
		break;
	case ':':
		bad(a, "%s needs a value; see droverctl --help", word);
		break;
	default:
		bad_option(a, word);
		break;
	}
}

/* ---- words -------------------------------------------------------------- */

static void bad_command(struct arguments *a, const char *word)
{
	const char *best = commands_suggest(word);

	if (best)
		bad(a, "there is no command \"%s\"; did you mean \"%s\"?", word, best);
	else
		bad(a, "there is no command \"%s\"; droverctl --help names all", word);
}

static void bad_words(struct arguments *a)
{
	const struct command *c = a->command;

	bad(a, "this would be right: droverctl %s%s%s", c->name, c->usage ? " " : "",
	    c->usage ? c->usage : "");
}

static size_t n_keys(const struct command *c)
{
	size_t n = 0;

	while (n < COMMANDS_ARGUMENTS_MAX && c->keys[n])
		n++;
	return n;
}

static void take_word(struct reading *r, const char *word)
{
	struct arguments *a = r->a;

	if (a->command) {
		if (r->n_words == n_keys(a->command))
			bad_words(a);
		else
			r->words[r->n_words++] = word;
		return;
	}
	a->command = commands_find(word);
	if (!a->command)
		bad_command(a, word);
}

static bool is_number(const char *word)
{
	word += *word == '+' || *word == '-';
	return *word && strspn(word, "0123456789") == strlen(word);
}

/* Reads word by word, so that "-1" can be a word: getopt(3) alone would take it for an option. */
static void read_all(struct reading *r, int argc, char **argv)
{
	bool only_words = false;

	opterr = 0;
	optind = 0;             /* GNU: begin again, after an earlier call */
	while (r->a->action != ARGUMENTS_BAD && optind < argc) {
		int at = optind > 0 ? optind : 1, opt;

		if (optind > 0 && (only_words || is_number(argv[at]))) {
			take_word(r, argv[optind++]);
			continue;
		}
		opt = getopt_long(argc, argv, "+:s:d:n:Vh", long_options, NULL);
		if (opt != -1)
			take_option(r, opt, argv[at]);
		else if (optind > at)
			only_words = true;      /* after "--" */
		else if (optind < argc)
			take_word(r, argv[optind++]);
	}
}

/* ---- what it means ------------------------------------------------------ */

/* With these, `check` looks at services. */
#define LOOKS ((unsigned)COMMANDS_WEIGHT | COMMANDS_READY)

static void check_options(struct reading *r)
{
	static const struct { enum commands_option option; const char *name, *command; } rows[] = {
		{ COMMANDS_NOW, "--now", "stop" },
		{ COMMANDS_DELAY, "--delay", "top" },
		{ COMMANDS_COUNT, "--count", "top" },
		{ COMMANDS_REPLAY, "--replay", "crashes" },
		{ COMMANDS_WEIGHT, "--weight", "check" },
		{ COMMANDS_READY, "--ready", "check" },
		{ COMMANDS_OPENMETRICS, "--openmetrics", "metrics" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (r->options & rows[i].option & ~r->a->command->options)
			bad(r->a, "%s takes no %s, only %s does", r->a->command->name, rows[i].name,
			    rows[i].command);
	if (r->options & COMMANDS_REPLAY && r->n_words == 0)
		bad_words(r->a);
	if (r->options & COMMANDS_WEIGHT && r->options & COMMANDS_READY)
		bad(r->a, "--ready and --weight exclude each other");
	if (r->a->command->options & LOOKS && !(r->options & LOOKS) && r->n_words > 0)
		bad_words(r->a);
}

static void set(struct arguments *a, const char *key, json_t *value)
{
	if (!value || json_object_set_new(a->request, key, value) == -1)
		memory_lacks();
}

/* What the server would refuse as a request is wrong usage here. */
static void check_prefix(struct arguments *a, const char *word)
{
	char complaint[CIDR_COMPLAINT_MAX];
	struct source_id source;
	const enum cidr_error error = source_id_parse(word, &source);

	if (error != CIDR_OK)
		bad(a, "%s", cidr_complaint(error, word, &source.prefix, complaint));
}

static void set_words(struct reading *r)
{
	const struct command *c = r->a->command;

	for (size_t i = 0; i < r->n_words; i++) {
		json_t *value = json_string(r->words[i]);

		/* JSON can hold only UTF-8, and drover has no names in anything else. */
		if (!value)
			bad(r->a, "\"%s\" is not UTF-8; %s takes %s", r->words[i], c->name, c->usage);
		else
			set(r->a, c->keys[i], value);
		if (strcmp(c->keys[i], "to") == 0 && !is_number(r->words[i]))
			bad_words(r->a);
		if (strcmp(c->keys[i], "prefix") == 0)
			check_prefix(r->a, r->words[i]);
	}
}

/* Both follow from the status, of which the server tells all services. */
static void make_status_request(struct reading *r)
{
	const char *service = r->n_words > 0 ? r->words[0] : "";

	set(r->a, "command", json_string("status"));
	if (r->options & COMMANDS_WEIGHT)
		r->a->weight = service;
	else
		r->a->ready = service;
}

static void make_request(struct reading *r)
{
	struct arguments *a = r->a;

	if (!a->command)
		bad(a, "the command is missing: %s; droverctl --help names the commands", usage);
	else if (r->n_words < a->command->n_required)
		bad_words(a);
	if (a->action != ARGUMENTS_RUN)
		return;
	check_options(r);
	a->request = json_object();
	if (!a->request)
		memory_lacks();
	if (r->options & LOOKS) {
		make_status_request(r);
		return;
	}
	set(a, "command", json_string(a->command->name));
	set_words(r);
	if (r->options & COMMANDS_NOW)
		set(a, "now", json_true());
	if (r->options & COMMANDS_OPENMETRICS)
		set(a, "format", json_string("openmetrics"));
}

void arguments_read(struct arguments *a, int argc, char **argv)
{
	struct reading r = { .a = a };

	*a = (struct arguments){
		.action = ARGUMENTS_RUN, .socket = control_path_default(),
		.delay_ms = DELAY_MS_DEFAULT, .count = ARGUMENTS_COUNT_DEFAULT,
	};
	for (int i = 1; i < argc; i++)
		a->asks_weight |= strcmp(argv[i], "--weight") == 0;
	read_all(&r, argc, argv);
	if (a->action == ARGUMENTS_RUN)
		make_request(&r);
}

void arguments_free(struct arguments *a)
{
	json_decref(a->request);
}

/* ---- help --------------------------------------------------------------- */

/* The bash completion reads the commands from this text: two blanks and a name. */
void arguments_print_help(FILE *out)
{
	const struct command *c;

	fprintf(out, "usage: %s\n\n", usage);
	for (size_t i = 0; (c = commands_at(i)); i++)
		fprintf(out, "  %s %-*s  %s\n", c->name, 32 - (int)strlen(c->name), c->usage ? c->usage : "",
		        c->help);
	fprintf(out, "\n"
	        "  -s, --socket SOCKET    where drover listens for this\n"
	        "                         (%s)\n"
	        "  --json                 print results as JSON\n"
	        "  -V, --version          print the version of this program\n"
	        "  -h, --help             print this\n"
	        "\n"
	        "See droverctl(8).\n", control_path_default());
}
