/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes as the begin of a connection through a proxy, for each set of versions that can be
 * accepted. What is read must not depend on the pieces that the bytes come in: a header that is
 * valid as a whole is incomplete wherever it is cut, and one that is bad stays bad. A client that
 * it names is written as a header again, and read from that.
 */
#include <config.h>

#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "proxy_header.h"
#include "proxy_protocol.h"

static bool is_inside(const struct proxy_text *text, const char *bytes, size_t len)
{
	return !text->bytes || (text->bytes >= bytes && text->len <= len &&
	                        text->bytes - bytes <= (ptrdiff_t)(len - text->len));
}

static void check_texts(const struct proxy_header *h, const char *bytes)
{
	const struct proxy_tlvs *t = &h->tlvs;

	assert(is_inside(&t->unique_id, bytes, h->len) && is_inside(&t->authority, bytes, h->len));
	assert(is_inside(&t->ssl.version, bytes, h->len) && is_inside(&t->ssl.cipher, bytes, h->len));
	assert(is_inside(&t->ssl.common_name, bytes, h->len));
	assert(t->unique_id.len <= PROXY_TLV_UNIQUE_ID_MAX);
	assert(h->names_client || (!t->unique_id.bytes && !t->authority.bytes && !t->ssl.used));
}

static bool is_same_end(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static void write_again(const struct proxy_header *h)
{
	char buf[PROXY_PROTOCOL_MAX];
	struct proxy_header again;
	size_t len = proxy_protocol_v1(buf, &h->from, &h->to);

	assert(proxy_header_read(PROXY_V1, buf, len, &again) == PROXY_HEADER_OK && again.len == len);
	if (!again.names_client)        /* unix sockets, or one IPv4-mapped address */
		return;
	assert(is_same_end(&again.from, &h->from) && is_same_end(&again.to, &h->to));
	len = proxy_protocol_v2(buf, &h->from, &h->to);
	assert(proxy_header_read(PROXY_ANY, buf, len, &again) == PROXY_HEADER_OK && again.len == len);
	assert(is_same_end(&again.from, &h->from) && is_same_end(&again.to, &h->to));
}

static void check_pieces(enum proxy_versions versions, const char *bytes, size_t size,
                         enum proxy_header_status whole, size_t len)
{
	enum proxy_header_status status = PROXY_HEADER_MORE;
	struct proxy_header h;
	size_t n = 0;

	while (n <= size && status == PROXY_HEADER_MORE)
		status = proxy_header_read(versions, bytes, n++, &h);
	assert(status == whole);
	if (status == PROXY_HEADER_OK)
		assert(n - 1 == len && h.len == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct proxy_header h;

	for (int versions = PROXY_V1; versions <= PROXY_ANY; versions++) {
		enum proxy_header_status status = proxy_header_read(versions, bytes, size, &h);

		if (status == PROXY_HEADER_OK) {
			assert(h.len <= size && !h.why);
			check_texts(&h, bytes);
			if (h.names_client)
				write_again(&h);
		} else if (status == PROXY_HEADER_BAD) {
			assert(h.why);
		}
		if (size <= 2 * PROXY_HEADER_V2_MAX)
			check_pieces(versions, bytes, size, status, h.len);
	}
	return 0;
}
