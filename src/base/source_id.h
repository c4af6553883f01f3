/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where clients come from, as far as they are told apart: a prefix of addresses, or the user of a
 * peer on a unix socket. It does not know how long a prefix should be, nor what is done to a source.
 */
#ifndef DROVER_BASE_SOURCE_ID_H
#define DROVER_BASE_SOURCE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cidr.h"

struct source_id {
	struct cidr prefix;             /* of family AF_UNIX: uid counts; of family 0: not known */
	uid_t       uid;                /* else 0 */
};

#define SOURCE_ID_TEXT_MAX CIDR_TEXT_MAX

/* uid is that of a unix peer; the prefix of an address has ipv4_len or ipv6_len bits (cidr_of). */
struct source_id source_id_of(const struct endpoint *e, uid_t uid, int ipv4_len, int ipv6_len);

bool source_id_is_known(const struct source_id *s);
bool source_id_equal(const struct source_id *a, const struct source_id *b);

/* Orders all sources, as strcmp(3) does: 0 for those that are equal. */
int source_id_compare(const struct source_id *a, const struct source_id *b);

/* Whether all clients of b are clients of a. */
bool source_id_covers(const struct source_id *a, const struct source_id *b);

/* "192.0.2.7/32", "2001:db8::/64", "uid:1000"; "unknown". Returns buf. */
const char *source_id_format(const struct source_id *s, char *buf, size_t size);

/*
 * The opposite. CIDR_OK; or an error of cidr_parse, with its *out in s->prefix: CIDR_MALFORMED also
 * for a uid that is no number.
 */
enum cidr_error source_id_parse(const char *text, struct source_id *s);

#endif
