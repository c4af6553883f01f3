/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A set of prefixes, each with a verdict, and the verdict of the longest one that an address
 * begins with. It is built once, and then only read. It does not know what a verdict leads to.
 */
#ifndef DROVER_BASE_PREFIX_SET_H
#define DROVER_BASE_PREFIX_SET_H

#include <stddef.h>

#include "arena.h"
#include "cidr.h"

enum prefix_verdict {
	PREFIX_NONE,                    /* no prefix of the set has the address */
	PREFIX_ALLOW,
	PREFIX_DENY,
};

struct prefix_entry {
	struct cidr         cidr;       /* of family AF_INET or AF_INET6 */
	enum prefix_verdict verdict;    /* PREFIX_ALLOW or PREFIX_DENY */
};

struct prefix_set;

/*
 * Builds the set of n entries in a, which lends it; entries, which are lent, are sorted. A prefix
 * that is there with both verdicts is denied. n may be 0, and entries NULL then. The set needs at
 * most about 10 bytes for each IPv4 entry and 34 for each IPv6 entry. NULL with ENOMEM if the arena
 * is full.
 */
const struct prefix_set *prefix_set_build(struct arena *a, struct prefix_entry *entries, size_t n);

/*
 * The verdict of the longest prefix that the address of the endpoint begins with, in at most as
 * many steps as an address has bits. PREFIX_NONE if there is none, for endpoints of other families
 * than IPv4 and IPv6, and if set is NULL.
 */
enum prefix_verdict prefix_set_find(const struct prefix_set *set, const struct endpoint *e);

#endif
