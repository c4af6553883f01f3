/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares words by their edit distance. Two swapped letters count as one mistake, a difference
 * of case as none.
 */
#include <config.h>
#include "suggest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 40     /* longer words get no suggestion */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Both words are at most WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t n_a = strlen(a), n_b = strlen(b);

	for (size_t i = 0; i <= n_a; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t j = 1; j <= n_b; j++) {
			size_t change = !same(a[i - 1], b[j - 1]);
			size_t d = least(rows[i - 1][j] + 1, rows[i][j - 1] + 1,
			                 rows[i - 1][j - 1] + change);

			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && rows[i - 2][j - 2] + 1 < d)
				d = rows[i - 2][j - 2] + 1;
			rows[i][j] = d;
		}
	}
	return rows[n_a][n_b];
}

/* "warn" for "warning", "grp" for "group": the first letter of name, and others of it in their order. */
static int is_short_for(const char *word, const char *name)
{
	if (strlen(word) < 3 || !same(*word, *name))
		return 0;
	for (; *word && *name; name++)
		word += same(*word, *name);
	return *word == '\0';
}

struct suggest suggest_for(const char *word)
{
	const size_t len = strlen(word);

	/* Up to three letters: one mistake. More letters: one for each three, and one more. */
	return (struct suggest){ .word = word, .distance = len <= 3 ? 2 : len / 3 + 2 };
}

void suggest_offer(struct suggest *s, const char *name)
{
	size_t d;

	if (strlen(s->word) > WORD_MAX || strlen(name) > WORD_MAX)
		return;
	d = distance(s->word, name);
	if (d > 1 && is_short_for(s->word, name))
		d = 1;
	if (d < s->distance && d < strlen(name)) {
		s->distance = d;
		s->best = name;
	}
}
