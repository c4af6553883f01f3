/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses to be used in turn: one, or all hosts of a network.
 */
#ifndef DROVER_BENCH_ADDRESS_RANGE_H
#define DROVER_BENCH_ADDRESS_RANGE_H

#include <stdint.h>

#include "address.h"

struct address_range {
	struct address first;           /* port 0 */
	uint32_t       count;           /* 0: no range */
};

/*
 * "127.0.0.1", "127.0.0.0/8", "fd00::/64". Network and broadcast address are
 * left out, and of a network of IPv6 all beyond the first 2^32. 0, or -1.
 */
int address_range_parse(const char *text, struct address_range *r);

/* The n-th of them, beginning again after the last. */
struct address address_range_at(const struct address_range *r, uint64_t n);

#endif
