/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sorted array. A look-up is at most two binary searches.
 */
#include <config.h>
#include "tls_names.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 255                /* of a host name: RFC 1035, 2.3.4 */

static int by_name(const void *one, const void *other)
{
	const struct tls_name *a = one, *b = other;
	const int diff = strcmp(a->name, b->name);

	return diff ? diff : (a->certificate > b->certificate) - (a->certificate < b->certificate);
}

struct tls_names *tls_names_build(struct arena *a, struct tls_name *entries, size_t n)
{
	struct tls_names *names = arena_alloc(a, sizeof *names + n * sizeof *entries);

	if (!names)
		return NULL;
	if (n > 0)
		qsort(entries, n, sizeof *entries, by_name);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(entries[i].name, entries[i - 1].name) != 0)
			names->names[names->n++] = entries[i];
	return names;
}

static int by_text(const void *name, const void *entry)
{
	return strcmp(name, ((const struct tls_name *)entry)->name);
}

static int find(const struct tls_names *names, const char *name)
{
	const struct tls_name *found = bsearch(name, names->names, names->n, sizeof *names->names, by_text);

	return found ? (int)found->certificate : -1;
}

/* As it is in the index. False if it is no name. */
static bool copy_name(char to[NAME_MAX_LEN + 1], const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	if (len == 0 || len > NAME_MAX_LEN || strchr(name, '*'))
		return false;
	for (size_t i = 0; i < len; i++)
		to[i] = (char)tolower((unsigned char)name[i]);
	to[len] = '\0';
	return true;
}

int tls_names_find(const struct tls_names *names, const char *name)
{
	char copy[NAME_MAX_LEN + 1], *dot;
	int found;

	if (!copy_name(copy, name))
		return -1;
	found = find(names, copy);
	dot = found == -1 ? strchr(copy, '.') : NULL;
	/* The wildcard takes the place of the first label, which is not empty: RFC 6125, 6.4.3. */
	if (!dot || dot == copy)
		return found;
	*--dot = '*';
	return find(names, dot);
}
