/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes of a client of examples/kv: which requests they are does not depend on the pieces that they
 * come in, arguments lie within the request, and a request is never said to need more than it has.
 */
#include <config.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../examples/kv/resp.h"
#include "fuzz.h"

/* The arguments are in the request, or in the text, one behind the other. */
static void check_arguments(const struct resp_request *r, const char *bytes)
{
	for (size_t i = 0; i < r->n_args; i++) {
		const struct slice *a = &r->args[i];
		const bool in_text = a->at >= r->text && a->at + a->len <= r->text + RESP_LINE_MAX;

		assert(in_text || (a->at >= bytes && a->at + a->len <= bytes + r->used));
		assert(i == 0 || a->at >= a[-1].at + a[-1].len);
	}
}

/* Every part of this request asks for more, and for no more than there is. */
static void check_parts(const char *bytes, size_t len)
{
	static struct resp_request part;

	for (size_t n = 1; n < len; n++) {
		assert(resp_parse(&part, bytes, n) == RESP_MORE);
		assert(part.need > n && part.need <= len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct resp_request r;
	const char *bytes = (const char *)data;
	enum resp_status status = RESP_REQUEST;

	for (size_t at = 0; at < size && status == RESP_REQUEST; at += r.used) {
		r.used = 0;
		status = resp_parse(&r, bytes + at, size - at);
		if (status == RESP_REQUEST) {
			assert(r.used > 0 && r.used <= size - at);
			check_arguments(&r, bytes + at);
			check_parts(bytes + at, r.used);
		} else if (status == RESP_MORE) {
			assert(r.need > size - at);
			break;
		} else {
			assert(strlen(r.why) > 0);
		}
	}
	return 0;
}
