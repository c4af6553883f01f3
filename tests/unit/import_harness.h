/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Imports in tests: a file of the test's folder, what came of it, and what was said.
 */
#ifndef DROVER_TESTS_IMPORT_HARNESS_H
#define DROVER_TESTS_IMPORT_HARNESS_H

#include "import.h"
#include "import_write.h"
#include "unit.h"

typedef int importer(struct import *im, const char *path);

static struct import imported;
static char *import_said;               /* on its standard error */
static size_t import_said_len;

/* Begins an import; what it says is in import_said after finish_import. */
static inline void begin_import(void)
{
	FILE *err = open_memstream(&import_said, &import_said_len);

	ck_assert_ptr_nonnull(err);
	import_open(&imported, err);
}

/* The output. */
static inline const char *finish_import(void)
{
	const char *text = import_write(&imported);

	ck_assert_int_eq(fclose(imported.err), 0);
	return text;
}

/* Writes the text into that file, and imports it. The output. */
static inline const char *import_text(importer *run, const char *path, const char *text)
{
	unit_write_file(path, text);
	begin_import();
	ck_assert_msg(run(&imported, path) == 0, "%s: %m", path);
	return finish_import();
}

static inline void end_import(void)
{
	import_close(&imported);
	free(import_said);
	import_said = NULL;
}

/* One input, and parts of the output and of what is said; NULL: nothing is said. */
struct import_row {
	const char *name, *text, *want, *said;
};

/* before and after: what stands around the text of the row. */
static inline void check_import_row(importer *run, const char *path, const char *before, const char *after,
                                    const struct import_row *row)
{
	char text[4096];
	const char *out;

	snprintf(text, sizeof text, "%s%s%s", before, row->text, after);
	out = import_text(run, path, text);
	ck_assert_msg(!row->want || strstr(out, row->want), "%s: no \"%s\" in: %s", row->name, row->want, out);
	ck_assert_msg(row->said ? strstr(import_said, row->said) != NULL : *import_said == '\0',
	              "%s: \"%s\" was said", row->name, import_said);
	ck_assert_msg(!row->said == (imported.n_lost + imported.n_broken == 0), "%s: it is not counted", row->name);
	end_import();
}

#endif
