/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prefixes of IPv4 and IPv6 addresses, as "192.0.2.0/24" and "2001:db8::/32" (RFC 4632, section
 * 3.1; RFC 4291, section 2.3). It does not know what a prefix is for.
 */
#ifndef DROVER_BASE_CIDR_H
#define DROVER_BASE_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "address.h"

/* The bytes of ip that the family does not use, and all bits behind the first len, are 0. */
struct cidr {
	sa_family_t family;             /* AF_INET, AF_INET6; 0: none */
	uint8_t     len;                /* in bits */
	uint8_t     ip[16];             /* the first 4 for AF_INET */
};

#define CIDR_TEXT_MAX 64                /* room for any prefix in text, with NUL */
#define CIDR_COMPLAINT_MAX 192          /* room for what cidr_complaint writes, with NUL */

enum cidr_error {
	CIDR_OK,
	CIDR_MALFORMED,                 /* not an IPv4 or IPv6 address, with or without a length */
	CIDR_LENGTH,                    /* the length is not a number, or more than the address has bits */
	CIDR_HOST_BITS,                 /* a bit behind the length is not 0 */
};

/*
 * Parses "ADDRESS/LENGTH", or an address alone, which is a prefix of all its bits. Addresses are
 * those of inet_pton(3); zones ("%eth0") and netmasks are malformed. A prefix of IPv4-mapped
 * addresses, of at least 96 bits, becomes the prefix of IPv4, as endpoint_of does with addresses.
 * With CIDR_HOST_BITS, *out is the prefix without them; with CIDR_LENGTH, it is the address with
 * its full length, and of the family that is written; with CIDR_MALFORMED, it is of family 0.
 */
enum cidr_error cidr_parse(const char *text, struct cidr *out);

/*
 * Says what is wrong with text, which cidr_parse refused with that error and *out, and what would be
 * right: "10.1.2.3/8 has host bits (did you mean 10.0.0.0/8?)". Long texts are cut; bytes that are
 * not printable ASCII stay. Returns buf, which has CIDR_COMPLAINT_MAX bytes.
 */
const char *cidr_complaint(enum cidr_error error, const char *text, const struct cidr *out,
                           char buf[static CIDR_COMPLAINT_MAX]);

bool cidr_equal(const struct cidr *a, const struct cidr *b);

/* Whether the address of the endpoint begins with the prefix; never one of another family. */
bool cidr_contains(const struct cidr *c, const struct endpoint *e);

/* "192.0.2.0/24", "2001:db8::1/128"; "none" for family 0. Returns buf. */
const char *cidr_format(const struct cidr *c, char *buf, size_t size);

/*
 * The prefix of that length around an address: ipv4_len bits (0 to 32) of an IPv4 address,
 * ipv6_len (0 to 128) of an IPv6 address. Of family 0 for an endpoint of another family.
 */
struct cidr cidr_of(const struct endpoint *e, int ipv4_len, int ipv6_len);

#endif
