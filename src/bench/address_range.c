/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps through the hosts of a network by adding to the last 32 bits of an address. It does not
 * know what the addresses are used for.
 */
#include <config.h>
#include "address_range.h"

#include <arpa/inet.h>
#include <string.h>

#include "units.h"

/* Points to the last 32 bits of an address. */
static void *last_bits(struct address *a)
{
	return a->u.sa.sa_family == AF_INET ? (void *)&a->u.in.sin_addr
	                                    : (void *)(a->u.in6.sin6_addr.s6_addr + 12);
}

static void add_to_address(struct address *a, uint32_t n)
{
	uint32_t bits;

	memcpy(&bits, last_bits(a), sizeof bits);
	bits = htonl(ntohl(bits) + n);
	memcpy(last_bits(a), &bits, sizeof bits);
}

static int parse_ip(const char *text, struct address *a, unsigned *width)
{
	*a = (struct address){ 0 };
	if (inet_pton(AF_INET, text, &a->u.in.sin_addr) == 1) {
		a->u.in.sin_family = AF_INET;
		a->len = sizeof a->u.in;
		*width = 32;
		return 0;
	}
	if (inet_pton(AF_INET6, text, &a->u.in6.sin6_addr) == 1) {
		a->u.in6.sin6_family = AF_INET6;
		a->len = sizeof a->u.in6;
		*width = 128;
		return 0;
	}
	return -1;
}

static int parse_prefix(const char *text, unsigned width, unsigned *prefix)
{
	int64_t n;

	if (strlen(text) > 3 || units_parse_whole(text, width, &n) == -1)
		return -1;
	*prefix = (unsigned)n;
	return 0;
}

/* Clears the bits after the prefix. */
static void mask(struct address *a, unsigned width, unsigned prefix)
{
	uint8_t *bytes = width == 32 ? (uint8_t *)&a->u.in.sin_addr : a->u.in6.sin6_addr.s6_addr;

	for (unsigned bit = prefix; bit < width; bit++)
		bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
}

int address_range_parse(const char *text, struct address_range *r)
{
	const char *slash = strchr(text, '/');
	char ip[INET6_ADDRSTRLEN];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct address_range made = { .count = 1 };
	unsigned width, prefix;

	if (len >= sizeof ip)
		return -1;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (parse_ip(ip, &made.first, &width) == -1)
		return -1;
	if (slash) {
		unsigned host_bits;

		if (parse_prefix(slash + 1, width, &prefix) == -1)
			return -1;
		host_bits = width - prefix;
		mask(&made.first, width, prefix);
		made.count = host_bits >= 32 ? UINT32_MAX : UINT32_C(1) << host_bits;
		if (host_bits > 1) {
			add_to_address(&made.first, 1);
			made.count -= width == 32 ? 2 : 1;
		}
	}
	*r = made;
	return 0;
}

struct address address_range_at(const struct address_range *r, uint64_t n)
{
	struct address a = r->first;

	add_to_address(&a, (uint32_t)(n % r->count));
	return a;
}
