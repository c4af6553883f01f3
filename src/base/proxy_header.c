/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses headers of the PROXY protocol, the text of version 1 and the bytes of version 2.
 */
#include <config.h>
#include "proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

#define V1_BEGIN     "PROXY "
#define V1_BEGIN_LEN (sizeof V1_BEGIN - 1)
#define V2_HEAD_LEN  16                 /* signature, version and command, family, length */

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static enum proxy_header_status bad(struct proxy_header *h, const char *why)
{
	h->why = why;
	return PROXY_HEADER_BAD;
}

/* An end of family AF_INET or AF_INET6; ip and port are in network byte order, at any address. */
static struct endpoint make_end(sa_family_t family, const void *ip, const void *port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (family == AF_INET) {
		memcpy(&in.sin_addr, ip, sizeof in.sin_addr);
		memcpy(&in.sin_port, port, sizeof in.sin_port);
		return endpoint_of((const struct sockaddr *)&in, sizeof in);
	}
	memcpy(&in6.sin6_addr, ip, sizeof in6.sin6_addr);
	memcpy(&in6.sin6_port, port, sizeof in6.sin6_port);
	return endpoint_of((const struct sockaddr *)&in6, sizeof in6);
}

/* ---- version 1 ---------------------------------------------------------- */

/* Takes the field up to the next blank, or to end. *at becomes NULL after the last one. */
static struct proxy_text take_field(const char **at, const char *end)
{
	const char *blank = memchr(*at, ' ', (size_t)(end - *at));
	const struct proxy_text field = { .bytes = *at,
	                                  .len = (size_t)((blank ? blank : end) - *at) };

	*at = blank ? blank + 1 : NULL;
	return field;
}

static bool is_word(const struct proxy_text *field, const char *word)
{
	return field->len == strlen(word) && memcmp(field->bytes, word, field->len) == 0;
}

/* inet_pton(3) takes no leading zeros in IPv4, and no more than four digits in a group of IPv6. */
static bool parse_ip(const struct proxy_text *field, sa_family_t family, void *ip)
{
	char text[INET6_ADDRSTRLEN];

	if (field->len >= sizeof text || memchr(field->bytes, '\0', field->len))
		return false;
	memcpy(text, field->bytes, field->len);
	text[field->len] = '\0';
	return inet_pton(family, text, ip) == 1;
}

/* A number from 0 to 65535 without leading zeros. *port is in network byte order. */
static bool parse_port(const struct proxy_text *field, in_port_t *port)
{
	unsigned n = 0;

	if (field->len == 0 || field->len > 5 || (field->len > 1 && field->bytes[0] == '0'))
		return false;
	for (size_t i = 0; i < field->len; i++) {
		if (field->bytes[i] < '0' || field->bytes[i] > '9')
			return false;
		n = 10 * n + (unsigned)(field->bytes[i] - '0');
	}
	*port = htons((uint16_t)n);
	return n <= UINT16_MAX;
}

/* "FROM TO FROM-PORT TO-PORT" */
static enum proxy_header_status parse_ends(struct proxy_header *h, sa_family_t family, const char *at,
                                           const char *end)
{
	struct proxy_text fields[4];
	in_port_t ports[2];
	uint8_t ips[2][16];
	size_t n = 0;

	while (at && n < 4)
		fields[n++] = take_field(&at, end);
	if (at || n < 4)
		return bad(h, "its line has not two addresses and two ports, with one blank before each");
	for (size_t i = 0; i < 2; i++) {
		if (!parse_ip(&fields[i], family, ips[i]))
			return bad(h, family == AF_INET ? "its line has an address that is not IPv4"
			                                : "its line has an address that is not IPv6");
		if (!parse_port(&fields[2 + i], &ports[i]))
			return bad(h, "its line has a port that is no number from 0 to 65535");
	}
	h->names_client = true;
	h->from = make_end(family, ips[0], &ports[0]);
	h->to = make_end(family, ips[1], &ports[1]);
	return PROXY_HEADER_OK;
}

/* What is between "PROXY " and the CR LF at end. */
static enum proxy_header_status parse_line(struct proxy_header *h, const char *at, const char *end)
{
	const struct proxy_text protocol = take_field(&at, end);

	if (is_word(&protocol, "UNKNOWN"))
		return PROXY_HEADER_OK;         /* whatever else the line has */
	if (is_word(&protocol, "TCP4"))
		return parse_ends(h, AF_INET, at, end);
	if (is_word(&protocol, "TCP6"))
		return parse_ends(h, AF_INET6, at, end);
	return bad(h, "its line says neither TCP4, TCP6 nor UNKNOWN");
}

/* Whether there is LF, or CR with another byte after it, in a line that may not have them. */
static bool has_lone_end(const char *bytes, size_t len)
{
	const char *cr = memchr(bytes, '\r', len);
	const bool is_unknown = len >= V1_BEGIN_LEN + 7 && memcmp(bytes + V1_BEGIN_LEN, "UNKNOWN", 7) == 0;

	return !is_unknown && (memchr(bytes, '\n', len) || (cr && cr + 1 < bytes + len));
}

static enum proxy_header_status read_v1(const char *bytes, size_t len, struct proxy_header *h)
{
	const size_t room = len < PROXY_HEADER_V1_MAX ? len : PROXY_HEADER_V1_MAX;
	const char *end = memmem(bytes, room, "\r\n", 2);

	if (has_lone_end(bytes, end ? (size_t)(end - bytes) : room))
		return bad(h, "its line has CR or LF alone, where it must end with CR LF");
	if (!end && room < PROXY_HEADER_V1_MAX)
		return PROXY_HEADER_MORE;
	if (!end)
		return bad(h, "its line does not end with CR LF within 107 bytes");
	h->len = (size_t)(end - bytes) + 2;
	return parse_line(h, bytes + V1_BEGIN_LEN, end);
}

/* ---- version 2 ---------------------------------------------------------- */

enum { COMMAND_LOCAL = 0, COMMAND_PROXY = 1 };
enum { TRANSPORT_STREAM = 1, TRANSPORT_DGRAM = 2 };

static const struct {                   /* by the high bits of the 14th byte */
	sa_family_t family;
	size_t      ip_len;
	size_t      len;                /* of both addresses and their ports */
} families[] = {
	[0] = { AF_UNSPEC, 0, 0 },
	[1] = { AF_INET, 4, 12 },
	[2] = { AF_INET6, 16, 36 },
	[3] = { AF_UNIX, 108, 216 },
};

/* Of UNSPEC, the family and the transport are both 0; of all others, neither is. */
static bool is_known(uint8_t family, uint8_t transport)
{
	return family < sizeof families / sizeof *families && transport <= TRANSPORT_DGRAM &&
	       (family == 0) == (transport == 0);
}

static void take_ends(struct proxy_header *h, uint8_t family, const char *at)
{
	const sa_family_t af = families[family].family;
	const size_t ip_len = families[family].ip_len;

	if (af == AF_UNIX) {
		h->from = h->to = (struct endpoint){ .family = AF_UNIX };
	} else {
		h->from = make_end(af, at, at + 2 * ip_len);
		h->to = make_end(af, at + ip_len, at + 2 * ip_len + 2);
	}
	h->names_client = true;
}

/* A whole header with the command PROXY, of a known family that is not UNSPEC. */
static enum proxy_header_status take_all(struct proxy_header *h, const char *bytes, uint8_t family,
                                         uint8_t transport)
{
	struct proxy_tlvs tlvs;
	const char *wrong = proxy_tlv_read(bytes, h->len, V2_HEAD_LEN + families[family].len, &tlvs);

	if (wrong)
		return bad(h, wrong);
	if (transport == TRANSPORT_STREAM) {
		take_ends(h, family, bytes + V2_HEAD_LEN);
		h->tlvs = tlvs;
	}
	return PROXY_HEADER_OK;
}

static enum proxy_header_status read_v2(const char *bytes, size_t len, struct proxy_header *h)
{
	const uint8_t *head = (const uint8_t *)bytes;
	uint8_t command, family, transport;
	size_t rest;

	if (len > 12 && head[12] >> 4 != 2)
		return bad(h, "its version is neither 1 nor 2");
	if (len > 12 && (head[12] & 15) > COMMAND_PROXY)
		return bad(h, "its command is neither LOCAL nor PROXY");
	if (len < 14)
		return PROXY_HEADER_MORE;
	command = head[12] & 15;
	family = head[13] >> 4;
	transport = head[13] & 15;
	if (command == COMMAND_PROXY && !is_known(family, transport))
		return bad(h, "its address family or its transport is not in the specification");
	if (len < V2_HEAD_LEN)
		return PROXY_HEADER_MORE;
	rest = (size_t)(head[14] << 8 | head[15]);
	h->len = V2_HEAD_LEN + rest;
	if (h->len > PROXY_HEADER_V2_MAX)
		return bad(h, "it is longer than 4112 bytes");
	if (command == COMMAND_PROXY && rest < families[family].len)
		return bad(h, "it is too short for its addresses");
	if (len < h->len)
		return PROXY_HEADER_MORE;
	/* The block of LOCAL is skipped whatever is in it; that of UNSPEC may begin with an address. */
	if (command == COMMAND_LOCAL || family == 0)
		return PROXY_HEADER_OK;
	return take_all(h, bytes, family, transport);
}

/* ---- either ------------------------------------------------------------- */

/* Whether the bytes begin as `begin` does, as far as they have come. */
static bool may_begin(const char *bytes, size_t len, const char *begin, size_t begin_len)
{
	return memcmp(bytes, begin, len < begin_len ? len : begin_len) == 0;
}

enum proxy_header_status proxy_header_read(enum proxy_versions versions, const char *bytes, size_t len,
                                           struct proxy_header *h)
{
	const bool is_v1 = may_begin(bytes, len, V1_BEGIN, V1_BEGIN_LEN);
	const bool is_v2 = may_begin(bytes, len, v2_signature, sizeof v2_signature);

	*h = (struct proxy_header){ 0 };
	if (len == 0)
		return PROXY_HEADER_MORE;
	if (is_v1 && !(versions & PROXY_V1))
		return bad(h, "it begins as version 1, and only version 2 is accepted");
	if (is_v2 && !(versions & PROXY_V2))
		return bad(h, "it begins as version 2, and only version 1 is accepted");
	if (!is_v1 && !is_v2)
		return bad(h, "the connection does not begin with one");
	if (len < (is_v1 ? V1_BEGIN_LEN : sizeof v2_signature))
		return PROXY_HEADER_MORE;
	return is_v1 ? read_v1(bytes, len, h) : read_v2(bytes, len, h);
}
