/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as a file of environment variables: each line gives a variable with a valid name, or a
 * complaint, in the order of their lines; and what was read, written with quotes, is read as the same.
 */
#include <config.h>

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env_file.h"
#include "fuzz.h"

struct reading {
	FILE *again;                    /* what was read, with quotes */
	FILE *plain;                    /* the same as NAME=VALUE, with a NUL */
	int   line, n_lines;
	bool  wrong;
};

static void check_line(struct reading *r, int line)
{
	assert(line >= r->line && line >= 1 && line <= r->n_lines);
	r->line = line;
}

static void write_quoted(const char *value, FILE *out)
{
	for (; *value; value++)
		fprintf(out, strchr("\"\\`$", *value) ? "\\%c" : "%c", *value);
}

static void take(void *arg, int line, const char *name, const char *value)
{
	struct reading *r = arg;

	check_line(r, line);
	assert(*name && !isdigit((unsigned char)*name));
	for (const char *c = name; *c; c++)
		assert(isalnum((unsigned char)*c) || *c == '_');
	fprintf(r->plain, "%s=%s", name, value);
	putc('\0', r->plain);
	fprintf(r->again, " %s = \"", name);
	write_quoted(value, r->again);
	fputs("\" \n", r->again);
}

static void complain(void *arg, int line, const char *what)
{
	struct reading *r = arg;

	check_line(r, line);
	assert(*what && !strchr(what, '\n'));
	r->wrong = true;
}

/* Reads text; what it means is in *plain, and another text that means the same in *again. */
static bool read_text(const char *text, char **plain, size_t *len, char **again)
{
	struct reading r = { .n_lines = 1 };
	size_t again_len;

	for (const char *c = text; *c; c++)
		r.n_lines += *c == '\n';
	r.plain = open_memstream(plain, len);
	r.again = open_memstream(again, &again_len);
	if (!r.plain || !r.again || env_file_parse(text, take, complain, &r) == -1)
		abort();
	fclose(r.plain);
	fclose(r.again);
	return !r.wrong;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *first, *then, *again, *once_more;
	size_t first_len, then_len;

	read_text(text, &first, &first_len, &again);
	assert(read_text(again, &then, &then_len, &once_more));
	assert(first_len == then_len && memcmp(first, then, first_len) == 0);
	free(text);
	free(first);
	free(then);
	free(again);
	free(once_more);
	return 0;
}
