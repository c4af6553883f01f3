/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a plan from the command line: first each option by its row, then what follows from
 * several of them, in the order in which they depend on each other.
 */
#include <config.h>
#include "bench_options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bench_check.h"
#include "bench_file.h"
#include "bench_rows.h"
#include "suggest.h"
#include "target.h"

#define MS          INT64_C(1000000)
#define STREAM_ROOM ((size_t)256 << 10)  /* bytes that a stream repeats, at least */

enum { ROWS_MAX = 64, LONG_ONLY = 256, LEFT_WIDTH = 22 };

static const char usage[] = "usage: drover-bench [OPTIONS] ADDRESS\n";

static int usage_error(const char *complaint)
{
	fprintf(stderr, "drover-bench: %s\n", complaint);
	return EX_USAGE;
}

static void print_help(void)
{
	size_t n;
	const struct bench_row *rows = bench_rows(&n);
	char left[64];

	printf("%s\nADDRESS: HOST:PORT, [IPV6]:PORT, unix:/PATH, unix:@NAME\n\n", usage);
	for (const struct bench_row *row = rows; row < rows + n; row++) {
		snprintf(left, sizeof left, "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
		         row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
		         row->value ? " " : "", row->value ? row->value : "");
		if (strlen(left) > LEFT_WIDTH)
			printf("  %s\n%*s%s\n", left, LEFT_WIDTH + 4, "", row->help);
		else
			printf("  %-*s  %s\n", LEFT_WIDTH, left, row->help);
	}
	printf("\nSee drover-bench(1).\n");
}

static void fill_getopt(struct option *options, char *letters)
{
	size_t n;
	const struct bench_row *rows = bench_rows(&n);

	assert(n <= ROWS_MAX);
	*letters++ = ':';               /* the messages are ours, not getopt's */
	for (size_t i = 0; i < n; i++) {
		options[i] = (struct option){ rows[i].name, rows[i].value ? required_argument : no_argument,
		                              NULL, LONG_ONLY + (int)i };
		if (rows[i].letter)
			*letters++ = rows[i].letter;
		if (rows[i].letter && rows[i].value)
			*letters++ = ':';
	}
	*letters = '\0';
}

static const struct bench_row *row_of(int opt)
{
	size_t n;
	const struct bench_row *rows = bench_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (opt == LONG_ONLY + (int)i || opt == rows[i].letter)
			return &rows[i];
	return NULL;
}

static const char *nearest(const char *word)
{
	struct suggest s = suggest_for(word);
	size_t n;
	const struct bench_row *rows = bench_rows(&n);

	for (size_t i = 0; i < n; i++)
		suggest_offer(&s, rows[i].name);
	return s.best;
}

/* Says what is wrong with an option: there is none of this name, it lacks its value, or it takes none. */
static int complain_option(int opt, const char *word)
{
	const struct bench_row *row = optopt ? row_of(optopt) : NULL;
	const char *near = strncmp(word, "--", 2) == 0 ? nearest(word + 2) : NULL;
	char text[400];

	if (opt == ':' && row)
		snprintf(text, sizeof text, "--%s needs a value: --%s %s", row->name, row->name, row->value);
	else if (row)
		snprintf(text, sizeof text, "--%s takes no value", row->name);
	else if (optopt)
		snprintf(text, sizeof text, "there is no option -%c (see drover-bench --help)", optopt);
	else if (near)
		snprintf(text, sizeof text, "there is no option %.200s (did you mean --%s?)", word, near);
	else
		snprintf(text, sizeof text, "there is no option %.200s, or more than one (see"
		         " drover-bench --help)", word);
	return usage_error(text);
}

static int take_option(struct bench_reading *r, const struct bench_row *row, const char *value)
{
	char text[400];
	const char *right;

	if (!row->take) {
		if (row->letter == 'V')
			puts("drover-bench " PACKAGE_VERSION);
		else
			print_help();
		return EX_OK;
	}
	right = row->take(r, value);
	if (!right)
		return -1;
	snprintf(text, sizeof text, "--%s \"%.100s\" must be %s", row->name, value, right);
	return usage_error(text);
}

static int read_options(struct bench_reading *r, int argc, char **argv)
{
	struct option options[ROWS_MAX + 1] = { 0 };
	char letters[2 * ROWS_MAX + 2];
	int opt, status;

	fill_getopt(options, letters);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return complain_option(opt, argv[optind - 1]);
		status = take_option(r, row_of(opt), optarg);
		if (status != -1)
			return status;
	}
	if (optind == argc)
		return usage_error("ADDRESS is missing, as in drover-bench 127.0.0.1:7007");
	if (optind + 1 < argc)
		return usage_error("give one ADDRESS only; the value of an option must follow it directly");
	return -1;
}

/* ---- what follows ------------------------------------------------------- */

/* Gets the bytes of a text with escapes, or of a file. On failure prints why, and returns -1. */
static int read_bytes(const char *option, const char *text, const char *file, char **bytes,
                      size_t *len)
{
	char complaint[400];

	if (text && message_unescape(text, bytes, len) == 0)
		return 0;
	if (text)
		snprintf(complaint, sizeof complaint,
		         "--%s has an unknown escape: there are \\n \\r \\t \\0 \\\\ \\xNN", option);
	else if (bench_file_read(file, bytes, len) == 0)
		return 0;
	else
		snprintf(complaint, sizeof complaint, "--%s-file %.200s: %s", option, file, strerror(errno));
	usage_error(complaint);
	return -1;
}

/* Repeats the message until it is long: a stream sends it whole, and short ones would need many calls. */
static int repeat_option(struct message *m)
{
	const size_t times = (STREAM_ROOM + m->len - 1) / m->len, len = m->len;
	char *bytes = malloc(times * len);

	if (!bytes)
		return -1;
	for (size_t i = 0; i < times; i++)
		memcpy(bytes + i * len, m->bytes, len);
	message_free(m);
	*m = (struct message){ .bytes = bytes, .len = times * len, .n = 1 };
	return 0;
}

static int make_message_of(struct bench_plan *p, const struct framing *framing, const char *bytes,
                           size_t len)
{
	p->message_bytes = len;
	if (framing) {
		struct framing f = *framing;

		f.max = UINT64_MAX;     /* the limit is for answers */
		if (!framing_can_hold(&f, bytes, len))
			return usage_error("a message for --answer line must not contain a newline, unless it"
			                   " is sent --raw");
	}
	if (message_of_bytes(&p->message, bytes, len, framing) == -1)
		return usage_error(strerror(errno));
	return p->mode == BENCH_STREAM && len && repeat_option(&p->message) == -1 ?
	       usage_error(strerror(errno)) : -1;
}

static int make_message(struct bench_reading *r)
{
	struct bench_plan *p = r->plan;
	const struct bench_wish *w = &r->wish;
	const struct framing *framing =
		p->answer.kind == ANSWER_FRAMED && !w->raw ? &p->answer.framing : NULL;
	size_t len = (size_t)w->bytes;
	char *bytes;
	int status;

	p->has_message = w->text || w->file || w->size;
	if (!w->text && !w->file) {
		p->message_bytes = len;
		if (p->mode == BENCH_STREAM && len < STREAM_ROOM)
			len = STREAM_ROOM;
		return message_generate(&p->message, len, framing) == -1 ? usage_error(strerror(errno)) : -1;
	}
	if (read_bytes("message", w->text, w->file, &bytes, &len) == -1)
		return EX_USAGE;
	status = make_message_of(p, framing, bytes, len);
	free(bytes);
	return status;
}

static int make_answer(struct bench_reading *r)
{
	struct answer_rule *a = &r->plan->answer;
	const struct bench_wish *w = &r->wish;

	a->echo = w->echo || (!w->answer && !w->expect && !w->expect_file);
	if (r->plan->mode == BENCH_STREAM)
		a->echo = w->echo;
	if (!w->expect && !w->expect_file)
		return -1;
	if (read_bytes("expect", w->expect, w->expect_file, &a->expect, &a->expect_len) == -1)
		return EX_USAGE;
	if (a->kind == ANSWER_LENGTH && a->length == 0)
		a->length = a->expect_len;
	return -1;
}

static int find_target(struct bench_plan *p, const char *text)
{
	char complaint[TARGET_COMPLAINT_MAX];

	p->target = text;
	switch (target_find(text, &p->to, complaint)) {
	case TARGET_FOUND:
		return -1;
	case TARGET_WRONG:
		return usage_error(complaint);
	case TARGET_UNKNOWN:
		usage_error(complaint);
		return EX_UNAVAILABLE;
	}
	return EX_USAGE;
}

static int check_plan(const char *wrong)
{
	return wrong ? usage_error(wrong) : -1;
}

int bench_options_read(struct bench_plan *p, int argc, char **argv)
{
	struct bench_reading r = { .plan = p, .wish = { .bytes = 64 } };
	int status;

	*p = (struct bench_plan){
		.connections = 1, .threads = 1, .opening = 64,
		.timeout_ns = 10000 * MS, .max_errors = 1000,
		.answer = { .max = 16 << 20 },
	};
	status = read_options(&r, argc, argv);
	p->answer.framing.max = p->answer.max;
	if (!r.wish.duration && !p->count)
		p->duration_ns = 10000 * MS;
	if (status == -1)
		status = make_answer(&r);
	if (status == -1)
		status = make_message(&r);
	if (status == -1)
		status = check_plan(bench_check(p, &r.wish));
	if (status == -1)
		status = find_target(p, argv[optind]);
	return status == -1 ? check_plan(bench_check_addresses(p)) : status;
}
