/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes, compares and prints sources.
 */
#include <config.h>
#include "source_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

static const char uid_mark[] = "uid:";

#define UID_LIMIT ((int64_t)UINT32_MAX - 1)     /* (uid_t)-1 is no user */

static struct source_id of_user(uid_t uid)
{
	return (struct source_id){ .prefix.family = AF_UNIX, .uid = uid };
}

struct source_id source_id_of(const struct endpoint *e, uid_t uid, int ipv4_len, int ipv6_len)
{
	if (e->family == AF_UNIX)
		return of_user(uid);
	return (struct source_id){ .prefix = cidr_of(e, ipv4_len, ipv6_len) };
}

bool source_id_is_known(const struct source_id *s)
{
	return s->prefix.family != 0;
}

bool source_id_equal(const struct source_id *a, const struct source_id *b)
{
	return cidr_equal(&a->prefix, &b->prefix) && a->uid == b->uid;
}

int source_id_compare(const struct source_id *a, const struct source_id *b)
{
	const struct cidr *x = &a->prefix, *y = &b->prefix;
	const int by_ip = memcmp(x->ip, y->ip, sizeof x->ip);

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (by_ip != 0 || x->len != y->len)
		return by_ip != 0 ? by_ip : x->len - y->len;
	return a->uid == b->uid ? 0 : a->uid < b->uid ? -1 : 1;
}

bool source_id_covers(const struct source_id *a, const struct source_id *b)
{
	struct endpoint first = { .family = b->prefix.family };

	if (a->prefix.family == AF_UNIX || a->prefix.family != b->prefix.family)
		return source_id_equal(a, b);
	memcpy(first.ip, b->prefix.ip, sizeof first.ip);
	return a->prefix.len <= b->prefix.len && cidr_contains(&a->prefix, &first);
}

const char *source_id_format(const struct source_id *s, char *buf, size_t size)
{
	if (s->prefix.family == AF_UNIX)
		snprintf(buf, size, "%s%" PRIu32, uid_mark, (uint32_t)s->uid);
	else if (!source_id_is_known(s))
		snprintf(buf, size, "unknown");
	else
		cidr_format(&s->prefix, buf, size);
	return buf;
}

enum cidr_error source_id_parse(const char *text, struct source_id *s)
{
	const size_t mark_len = sizeof uid_mark - 1;
	int64_t uid;

	*s = (struct source_id){ 0 };
	if (strncmp(text, uid_mark, mark_len) != 0)
		return cidr_parse(text, &s->prefix);
	if (units_parse_whole(text + mark_len, UID_LIMIT, &uid) == -1)
		return CIDR_MALFORMED;
	*s = of_user((uid_t)uid);
	return CIDR_OK;
}
