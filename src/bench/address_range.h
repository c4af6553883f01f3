/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A range of addresses that are used in turn: one address, or all hosts of a network.
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
 * Parses "127.0.0.1", "127.0.0.0/8" or "fd00::/64". The address of the network is left out, and
 * with IPv4 the broadcast address, unless the prefix leaves one bit or none. Of an IPv6 network
 * only the first 2^32 addresses are used. Returns 0, or -1.
 */
int address_range_parse(const char *text, struct address_range *r);

/* The n-th address of the range. After the last one, the range begins again. */
struct address address_range_at(const struct address_range *r, uint64_t n);

#endif
