/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any lines as prefixes: what is accepted is printed as the same prefix and contains its own
 * address, what is refused can be complained of, and a set of all of them finds the verdict that
 * a look at each prefix finds. A line that begins with '!' is denied.
 */
#include <config.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "cidr.h"
#include "fuzz.h"
#include "prefix_set.h"

#define ENTRIES_MAX 256
#define ARENA_SIZE  ((size_t)1 << 20)

static struct endpoint address_of(const struct cidr *c)
{
	struct endpoint e = { .family = c->family };

	memcpy(e.ip, c->ip, sizeof e.ip);
	return e;
}

static size_t address_bytes(const struct cidr *c)
{
	return c->family == AF_INET ? 4 : 16;
}

/* ---- one prefix --------------------------------------------------------- */

static void check_prefix(const struct cidr *c)
{
	const struct endpoint e = address_of(c);
	const struct cidr same = cidr_of(&e, c->len, c->len);
	char text[CIDR_TEXT_MAX];
	struct cidr again;

	assert(c->family == AF_INET || c->family == AF_INET6);
	assert(c->len <= 8 * address_bytes(c));
	assert(cidr_contains(c, &e) && cidr_equal(&same, c));
	assert(cidr_parse(cidr_format(c, text, sizeof text), &again) == CIDR_OK);
	assert(cidr_equal(&again, c));
}

/* True if it is one. */
static bool parse(const char *text, struct cidr *c)
{
	const enum cidr_error error = cidr_parse(text, c);
	char complaint[CIDR_COMPLAINT_MAX];

	if (error == CIDR_OK || error == CIDR_HOST_BITS)
		check_prefix(c);
	else
		assert((c->family == 0) == (error == CIDR_MALFORMED));
	assert(strlen(cidr_complaint(error, text, c, complaint)) > 0);
	return error == CIDR_OK;
}

/* ---- all of them -------------------------------------------------------- */

/* As the header of prefix_set.h says it, prefix by prefix. */
static enum prefix_verdict find_slowly(const struct prefix_entry *entries, size_t n,
                                       const struct endpoint *e)
{
	enum prefix_verdict verdict = PREFIX_NONE;
	int longest = -1;

	for (size_t i = 0; i < n; i++) {
		const struct prefix_entry *p = &entries[i];

		if (!cidr_contains(&p->cidr, e) || p->cidr.len < longest)
			continue;
		if (p->cidr.len > longest || p->verdict == PREFIX_DENY)
			verdict = p->verdict;
		longest = p->cidr.len;
	}
	return verdict;
}

/* The next address (by 1), or the one before (by -1). */
static void step(struct endpoint *e, size_t n_bytes, int by)
{
	for (size_t i = n_bytes; i-- > 0;) {
		e->ip[i] = (uint8_t)(e->ip[i] + by);
		if (e->ip[i] != (by > 0 ? 0 : 0xff))
			return;
	}
}

static void check_at(const struct prefix_set *set, const struct prefix_entry *entries, size_t n,
                     const struct endpoint *e)
{
	assert(prefix_set_find(set, e) == find_slowly(entries, n, e));
}

/* The last address of a prefix. */
static struct endpoint last_of(const struct cidr *c)
{
	struct endpoint e = address_of(c);

	for (size_t bit = c->len; bit < 8 * address_bytes(c); bit++)
		e.ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return e;
}

/* At the ends of each prefix, and one step further. */
static void check_set(const struct prefix_set *set, const struct prefix_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cidr *c = &entries[i].cidr;
		struct endpoint first = address_of(c), last = last_of(c);

		assert(cidr_contains(c, &last));
		check_at(set, entries, n, &first);
		check_at(set, entries, n, &last);
		step(&first, address_bytes(c), -1);
		step(&last, address_bytes(c), 1);
		check_at(set, entries, n, &first);
		check_at(set, entries, n, &last);
	}
}

static void check_all(struct prefix_entry *entries, size_t n)
{
	const struct endpoint local = { .family = AF_UNIX };
	const struct prefix_set *set;
	struct arena a;

	if (arena_open(&a, ARENA_SIZE) == -1)
		abort();
	set = prefix_set_build(&a, n > 0 ? entries : NULL, n);
	assert(set);
	check_set(set, entries, n);
	check_at(set, entries, n, &local);
	arena_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct prefix_entry entries[ENTRIES_MAX];
	char *text = strndup((const char *)data, size), *rest = text, *line;
	size_t n = 0;

	while (n < ENTRIES_MAX && (line = strsep(&rest, "\n"))) {
		const bool is_denied = line[0] == '!';

		if (parse(line + is_denied, &entries[n].cidr))
			entries[n++].verdict = is_denied ? PREFIX_DENY : PREFIX_ALLOW;
	}
	check_all(entries, n);
	free(text);
	return 0;
}
