/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverctl that waits only a moment for what the file named by the variable HASTE
 * lists, and practically for ever for everything else.
 */
#include <config.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patience.h"

#define MOMENT_MS 1

int __wrap_patience_ms(enum patience p);

int __wrap_patience_ms(enum patience p)
{
	static const char *const names[] = {
		[PATIENCE_ANSWER] = "answer", [PATIENCE_CHANGE] = "change", [PATIENCE_SIGN] = "sign",
		[PATIENCE_REPLAY] = "replay",
	};
	const char *path = getenv("HASTE");
	FILE *f = path ? fopen(path, "re") : NULL;
	char words[64] = "";

	if (f && !fgets(words, sizeof words, f))
		words[0] = '\0';
	if (f)
		fclose(f);
	return strstr(words, names[p]) ? MOMENT_MS : INT_MAX;
}
