/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as a configuration: it is refused with a complaint, or loads, and
 * then what is dumped loads too and dumps to the same.
 */
#include <config.h>

#include <stdio.h>

#include "fuzz.h"
#include "fuzz_conf.h"

/* The dump of what text loads to, the caller's to free; NULL if it is refused. */
static char *load_and_dump(const char *text)
{
	unsigned complaints = 0;
	struct arena a;
	struct conf *conf = fuzz_conf_load(&a, text);
	char *dump = NULL;
	size_t len;
	FILE *out;

	if (conf) {
		out = open_memstream(&dump, &len);
		conf_dump(conf, out);
		fclose(out);
		conf_check_privileges(conf, fuzz_conf_count, &complaints);
	}
	arena_close(&a);
	return dump;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *first = load_and_dump(text), *second;

	if (first) {
		second = load_and_dump(first);
		assert(second && strcmp(first, second) == 0);
		free(second);
	}
	free(first);
	free(text);
	return 0;
}
