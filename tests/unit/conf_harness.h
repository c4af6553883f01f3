/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loading configurations in tests: what was complained of, in one string.
 */
#ifndef DROVER_TESTS_CONF_HARNESS_H
#define DROVER_TESTS_CONF_HARNESS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "unit.h"

static struct arena arena;
static char complaints[16384];          /* a line each */

static void keep_complaint(void *arg, enum conf_weight weight, const char *line)
{
	(void)arg, (void)weight;
	ck_assert_ptr_null(strchr(line, '\n'));
	ck_assert_uint_lt(strlen(complaints) + strlen(line) + 2, sizeof complaints);
	strcat(strcat(complaints, line), "\n");
}

static inline struct conf *load_from(const char *file, const char *text)
{
	struct conf *conf;

	complaints[0] = '\0';
	arena_close(&arena);
	ck_assert_int_eq(arena_open(&arena, CONF_ARENA_SIZE), 0);
	conf = conf_load(&arena, file, text, keep_complaint, NULL);
	ck_assert_msg(!conf == (complaints[0] != '\0'), "%s", complaints);
	return conf;
}

static inline struct conf *load(const char *text)
{
	return load_from("t.conf", text);
}

/* The same, which must be right. */
static inline struct conf *load_well(const char *text)
{
	struct conf *conf = load(text);

	ck_assert_msg(conf != NULL, "%s", complaints);
	return conf;
}

static inline char *dump(const struct conf *conf)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	conf_dump(conf, out);
	fclose(out);
	return text;
}

static inline int run_tap(Suite *suite)
{
	SRunner *sr = srunner_create(suite);
	int failed;

	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
