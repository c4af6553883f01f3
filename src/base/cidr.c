/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses, compares and prints prefixes of addresses.
 */
#include <config.h>
#include "cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "text.h"

#define MAPPED_LEN 96           /* bits before the IPv4 address in an IPv4-mapped one */

static int bits_of(sa_family_t family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

/* The bits of byte i of an address that belong to a prefix of that length. */
static uint8_t mask_of(int len, int i)
{
	const int bits = len - 8 * i;

	return bits >= 8 ? 0xff : bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));
}

/* Clears what is behind the first len bits. Whether there was anything. */
static bool cut_bits(struct cidr *c, int len)
{
	bool had_more = false;

	c->len = (uint8_t)len;
	for (int i = 0; i < (int)sizeof c->ip; i++) {
		had_more = had_more || (c->ip[i] & ~mask_of(len, i));
		c->ip[i] &= mask_of(len, i);
	}
	return had_more;
}

/* ---- parsing ------------------------------------------------------------ */

static bool parse_address(const char *text, struct cidr *out)
{
	*out = (struct cidr){ 0 };
	if (inet_pton(AF_INET, text, out->ip) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, text, out->ip) == 1)
		out->family = AF_INET6;
	out->len = (uint8_t)bits_of(out->family);
	return out->family != 0;
}

/* A number of one to three digits, at most max; else -1. */
static int parse_length(const char *text, int max)
{
	const size_t digits = strspn(text, "0123456789");
	int n = 0;

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return -1;
	for (; *text; text++)
		n = 10 * n + (*text - '0');
	return n <= max ? n : -1;
}

static void make_ipv4(struct cidr *c)
{
	uint8_t ip[4];

	memcpy(ip, c->ip + 12, sizeof ip);
	*c = (struct cidr){ .family = AF_INET, .len = (uint8_t)(c->len - MAPPED_LEN) };
	memcpy(c->ip, ip, sizeof ip);
}

static bool is_mapped(const struct cidr *c)
{
	static const uint8_t before[MAPPED_LEN / 8] = { [10] = 0xff, [11] = 0xff };

	return c->family == AF_INET6 && c->len >= MAPPED_LEN &&
	       memcmp(c->ip, before, sizeof before) == 0;
}

enum cidr_error cidr_parse(const char *text, struct cidr *out)
{
	const size_t at = strcspn(text, "/");
	char address[INET6_ADDRSTRLEN];
	bool has_host_bits = false;
	int len;

	*out = (struct cidr){ 0 };
	if (at >= sizeof address)
		return CIDR_MALFORMED;
	memcpy(address, text, at);
	address[at] = '\0';
	if (!parse_address(address, out))
		return CIDR_MALFORMED;
	if (text[at] == '/') {
		len = parse_length(text + at + 1, bits_of(out->family));
		if (len == -1)
			return CIDR_LENGTH;
		has_host_bits = cut_bits(out, len);
	}
	if (is_mapped(out))
		make_ipv4(out);
	return has_host_bits ? CIDR_HOST_BITS : CIDR_OK;
}

/* ---- the rest ----------------------------------------------------------- */

const char *cidr_complaint(enum cidr_error error, const char *text, const struct cidr *out,
                           char buf[static CIDR_COMPLAINT_MAX])
{
	struct text t = text_in(buf, CIDR_COMPLAINT_MAX);
	char near[CIDR_TEXT_MAX];

	switch (error) {
	case CIDR_OK:
		text_add(&t, "%.64s is a prefix", text);
		break;
	case CIDR_MALFORMED:
		text_add(&t, "\"%.64s\" is not a prefix (an address, or ADDRESS/LENGTH, as in"
		         " 192.0.2.0/24 or 2001:db8::/32)", text);
		break;
	case CIDR_LENGTH:
		text_add(&t, "%.64s has a length that cannot be (0 to %d)", text, bits_of(out->family));
		break;
	case CIDR_HOST_BITS:
		text_add(&t, "%.64s has host bits (did you mean %s?)", text,
		         cidr_format(out, near, sizeof near));
		break;
	}
	return buf;
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->family == b->family && a->len == b->len && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool cidr_contains(const struct cidr *c, const struct endpoint *e)
{
	const int whole = c->len / 8;
	uint8_t mask;

	if (c->family != e->family || c->family == 0 || memcmp(c->ip, e->ip, (size_t)whole) != 0)
		return false;
	mask = mask_of(c->len, whole);
	return mask == 0 || (e->ip[whole] & mask) == c->ip[whole];
}

const char *cidr_format(const struct cidr *c, char *buf, size_t size)
{
	struct endpoint e = { .family = c->family };
	struct text t = text_in(buf, size);
	char ip[INET6_ADDRSTRLEN];

	memcpy(e.ip, c->ip, sizeof e.ip);
	if (c->family == 0)
		text_add_string(&t, "none");
	else
		text_add(&t, "%s/%d", endpoint_ip(&e, ip, sizeof ip), c->len);
	return buf;
}

struct cidr cidr_of(const struct endpoint *e, int ipv4_len, int ipv6_len)
{
	const bool is_ip = e->family == AF_INET || e->family == AF_INET6;
	struct cidr c = { .family = is_ip ? e->family : 0 };

	if (!is_ip)
		return c;
	memcpy(c.ip, e->ip, (size_t)bits_of(c.family) / 8);
	cut_bits(&c, e->family == AF_INET ? ipv4_len : ipv6_len);
	return c;
}
