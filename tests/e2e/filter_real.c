/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real programs as filters, as they come: a hundred clients at once, and every
 * answer compared with its question.
 */
#include <config.h>
#include "harness.h"

#include <unistd.h>

#define CLIENTS 100
#define ROUNDS  3

static struct daemon d;

static const struct program {
	const char *name, *path, *argv;         /* argv without the path */
	const char *script;                     /* in a file, which is the last argument; or NULL */
	struct { const char *before, *after; } question, answer;        /* of a number */
	int         plus;                       /* what is added to that of the answer */
} programs[] = {
	{ "gawk", "/usr/bin/gawk", "\"{ print $1 + 1; fflush() }\"", NULL, { "", "\n" }, { "", "\n" }, 1 },
	{ "mawk", "/usr/bin/mawk", "\"-W\", \"interactive\", \"{ print $1 + 1; fflush() }\"", NULL,
	  { "", "\n" }, { "", "\n" }, 1 },
	{ "jq", "/usr/bin/jq", "\"--unbuffered\", \"-c\", \".name\"", NULL,
	  { "{ \"name\": [ ", " ] }\n" }, { "[", "]\n" }, 0 },
	{ "sed", "/usr/bin/sed", "\"-u\", \"s/^/<&/; s/$/>/\"", NULL, { "", "\n" }, { "<", ">\n" }, 0 },
	{ "bc", "/usr/bin/bc", "\"-q\"", NULL, { "", " + 1\n" }, { "", "\n" }, 1 },
	{ "python3", "/usr/bin/env", "\"python3\", ",
	  "import sys\nfor line in sys.stdin:\n    print(int(line) + 1, flush=True)\n",
	  { "", "\n" }, { "", "\n" }, 1 },
	{ "sh", "/bin/sh", "", "while read -r n; do echo $((n + 1)); done\n", { "", "\n" }, { "", "\n" }, 1 },
};

START_TEST(every_answer_fits_its_question)
{
	const struct program *p = &programs[_i];
	const char *args = p->argv;
	int fds[CLIENTS];

	if (p->script)
		args = files_text("%s\"%s\"", args, files_write("script", "%s", p->script));
	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 2; handler = {"
	             " type = \"filter\"; framing = \"line\"; argv = [ \"%s\", %s ]; }; };"), p->path, args);
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = daemon_connect(&d, "s");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CLIENTS; i++)
			client_say(fds[i], files_text("%s%d%s", p->question.before, round * CLIENTS + i,
			                              p->question.after));
		for (int i = 0; i < CLIENTS; i++)
			client_expect(fds[i], files_text("%s%d%s", p->answer.before,
			                                 round * CLIENTS + i + p->plus, p->answer.after));
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	ck_assert_uint_eq(daemon_saw(&d, "filter-end"), 0);
} END_TEST

int main(void)
{
	Suite *s = suite_create("filter_real");
	TCase *tc = harness_case(s, "real");

	for (int i = 0; i < (int)ARRAY_SIZE(programs); i++) {
		if (process_is_installed(programs[i].name))
			tcase_add_loop_test(tc, every_answer_fits_its_question, i, i + 1);
		else
			harness_skip(programs[i].name, "it is not installed");
	}
	return harness_run(s);
}
