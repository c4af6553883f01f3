/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a list of TLVs: one byte of type, two bytes of length with the high one first, the value.
 */
#include <config.h>
#include "proxy_tlv.h"

#include "crc32c.h"

enum {                                  /* types; what is left out here is skipped */
	TYPE_AUTHORITY  = 0x02,
	TYPE_CRC32C     = 0x03,
	TYPE_UNIQUE_ID  = 0x05,
	TYPE_SSL        = 0x20,
	SUBTYPE_VERSION = 0x21,         /* these three are inside TYPE_SSL */
	SUBTYPE_CN      = 0x22,
	SUBTYPE_CIPHER  = 0x23,
};

enum {                                  /* bits of the first byte of TYPE_SSL */
	CLIENT_SSL       = 0x01,
	CLIENT_CERT_CONN = 0x02,
	CLIENT_CERT_SESS = 0x04,
};

#define HEAD_LEN     3                  /* of a TLV: type and length */
#define CHECKSUM_LEN 4
#define SSL_HEAD_LEN 5                  /* client and verify, before the inner TLVs */

struct tlv {
	uint8_t     type;
	const char *value;
	size_t      len;
};

static uint8_t byte_at(const char *bytes, size_t i)
{
	return (uint8_t)bytes[i];
}

static uint32_t word_at(const char *bytes)
{
	return (uint32_t)byte_at(bytes, 0) << 24 | (uint32_t)byte_at(bytes, 1) << 16 |
	       (uint32_t)byte_at(bytes, 2) << 8 | byte_at(bytes, 3);
}

/* Takes the next TLV from the bytes between *at and end. False if they are not a whole one. */
static bool take_tlv(const char **at, const char *end, struct tlv *t)
{
	const size_t room = (size_t)(end - *at);

	if (room < HEAD_LEN)
		return false;
	*t = (struct tlv){ .type = byte_at(*at, 0), .value = *at + HEAD_LEN,
	                   .len = (size_t)(byte_at(*at, 1) << 8 | byte_at(*at, 2)) };
	if (t->len > room - HEAD_LEN)
		return false;
	*at = t->value + t->len;
	return true;
}

static void keep_first(struct proxy_text *text, const struct tlv *t)
{
	if (!text->bytes)
		*text = (struct proxy_text){ .bytes = t->value, .len = t->len };
}

static const char *read_ssl(const struct tlv *whole, struct proxy_ssl *ssl)
{
	const char *at = whole->value + SSL_HEAD_LEN, *end = whole->value + whole->len;
	struct proxy_ssl s = { 0 };
	uint8_t client;
	struct tlv t;

	if (whole->len < SSL_HEAD_LEN)
		return "its SSL information is too short";
	client = byte_at(whole->value, 0);
	s.used = client & CLIENT_SSL;
	s.has_certificate = client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS);
	s.verify = word_at(whole->value + 1);
	while (at < end) {
		if (!take_tlv(&at, end, &t))
			return "a TLV of its SSL information is longer than that information";
		if (t.type == SUBTYPE_VERSION)
			keep_first(&s.version, &t);
		else if (t.type == SUBTYPE_CN)
			keep_first(&s.common_name, &t);
		else if (t.type == SUBTYPE_CIPHER)
			keep_first(&s.cipher, &t);
	}
	if (s.used && !ssl->used)
		*ssl = s;
	return NULL;
}

/* The checksum is that of the whole header with zeros in its own place. */
static const char *compare_checksum(const char *header, size_t len, const struct tlv *t)
{
	static const char zeros[CHECKSUM_LEN];
	const char *after = t->value + CHECKSUM_LEN;
	uint32_t crc;

	if (t->len != CHECKSUM_LEN)
		return "its checksum has not 4 bytes";
	crc = crc32c(0, header, (size_t)(t->value - header));
	crc = crc32c(crc, zeros, sizeof zeros);
	crc = crc32c(crc, after, (size_t)(header + len - after));
	return crc == word_at(t->value) ? NULL : "its checksum is wrong";
}

const char *proxy_tlv_read(const char *header, size_t len, size_t at, struct proxy_tlvs *out)
{
	const char *next = header + at, *end = header + len, *wrong = NULL;
	bool was_compared = false;
	struct tlv t;

	*out = (struct proxy_tlvs){ 0 };
	while (next < end && !wrong) {
		if (!take_tlv(&next, end, &t))
			return "a TLV in it is longer than the header";
		if (t.type == TYPE_AUTHORITY)
			keep_first(&out->authority, &t);
		else if (t.type == TYPE_UNIQUE_ID && t.len > PROXY_TLV_UNIQUE_ID_MAX)
			wrong = "its unique id has more than 128 bytes";
		else if (t.type == TYPE_UNIQUE_ID)
			keep_first(&out->unique_id, &t);
		else if (t.type == TYPE_SSL)
			wrong = read_ssl(&t, &out->ssl);
		else if (t.type == TYPE_CRC32C && was_compared)
			wrong = "it has two checksums";
		else if (t.type == TYPE_CRC32C)
			wrong = compare_checksum(header, len, &t);
		was_compared |= t.type == TYPE_CRC32C;
	}
	return wrong;
}
