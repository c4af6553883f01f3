/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares an answer with the expected one, piece by piece.
 */
#include <config.h>
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* ---- names -------------------------------------------------------------- */

static int parse_length(const char *text, struct answer_rule *rule)
{
	int64_t length = 0;

	if (*text && (units_parse_size(text + 1, &length) == -1 || length == 0))
		return -1;
	rule->kind = ANSWER_LENGTH;
	rule->length = (uint64_t)length;
	return 0;
}

int answer_rule_parse(const char *text, struct answer_rule *rule)
{
	static const struct { const char *name; enum answer_kind kind; enum framing_kind framing; }
	rows[] = {
		{ "line",      ANSWER_FRAMED, FRAMING_LINE },
		{ "netstring", ANSWER_FRAMED, FRAMING_NETSTRING },
		{ "length32",  ANSWER_FRAMED, FRAMING_LENGTH32 },
		{ "eof",       ANSWER_EOF,    0 },
		{ "none",      ANSWER_NONE,   0 },
	};

	if (strcmp(text, "length") == 0 || strncmp(text, "length:", 7) == 0)
		return parse_length(text + 6, rule);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(text, rows[i].name) == 0) {
			rule->kind = rows[i].kind;
			rule->framing.kind = rows[i].framing;
			return 0;
		}
	return -1;
}

const char *answer_rule_format(const struct answer_rule *rule, char buf[static ANSWER_TEXT_MAX])
{
	switch (rule->kind) {
	case ANSWER_FRAMED:
		return framing_format(&rule->framing, buf);
	case ANSWER_EOF:
		return "eof";
	case ANSWER_NONE:
		return "none";
	case ANSWER_LENGTH:
		break;
	}
	if (rule->length == 0)
		return "length";
	snprintf(buf, ANSWER_TEXT_MAX, "length:%" PRIu64, rule->length);
	return buf;
}

void answer_rule_free(struct answer_rule *rule)
{
	free(rule->expect);
	rule->expect = NULL;
}

/* ---- judging ------------------------------------------------------------ */

/* The bytes that the whole answer must have; NULL: any bytes are right. */
static const char *wanted(const struct answer_rule *rule, const char *request, size_t request_len,
                          size_t *len)
{
	if (rule->echo) {
		*len = request_len;
		return request;
	}
	*len = rule->expect_len;
	return rule->kind == ANSWER_FRAMED ? NULL : rule->expect;
}

/* True if the next n bytes of the answer are right. They follow the a->got bytes taken so far. */
static bool are_right(const struct answer_rule *rule, const struct answer *a, const char *request,
                      size_t request_len, const char *bytes, size_t n)
{
	size_t len;
	const char *want = wanted(rule, request, request_len, &len);

	return !want || (a->got <= len && n <= len - a->got && memcmp(bytes, want + a->got, n) == 0);
}

static uint64_t full_length(const struct answer_rule *rule, size_t request_len)
{
	return rule->length ? rule->length : request_len;
}

/* True if this part of a frame's content is right; of a complete frame, the length must be, too. */
static bool content_is_right(const struct answer_rule *rule, const struct answer *a,
                             const struct framing_part *part, const char *bytes, bool complete)
{
	const uint64_t before = a->frame.content - part->content_len;

	if (!rule->expect)
		return true;
	if (a->frame.content > rule->expect_len || (complete && a->frame.content < rule->expect_len))
		return false;
	return memcmp(bytes + part->content_at, rule->expect + before, part->content_len) == 0;
}

static enum answer_verdict take_framed(const struct answer_rule *rule, struct answer *a,
                                       const char *request, size_t request_len,
                                       const char *bytes, size_t n, size_t *used)
{
	struct framing_part part;
	const enum framing_status status = framing_feed(&rule->framing, &a->frame, bytes, n, &part);

	*used = part.used;
	if (status == FRAMING_BROKEN)
		return ANSWER_BROKEN;
	if (status == FRAMING_TOO_LONG)
		return ANSWER_TOO_LONG;
	if (!are_right(rule, a, request, request_len, bytes, part.used) ||
	    !content_is_right(rule, a, &part, bytes, status == FRAMING_COMPLETE))
		return ANSWER_WRONG;
	a->got += part.used;
	if (status == FRAMING_MORE)
		return ANSWER_MORE;
	return rule->echo && a->got != request_len ? ANSWER_WRONG : ANSWER_COMPLETE;
}

enum answer_verdict answer_take(const struct answer_rule *rule, struct answer *a,
                                const char *request, size_t request_len,
                                const char *bytes, size_t n, size_t *used)
{
	uint64_t missing;

	*used = 0;
	switch (rule->kind) {
	case ANSWER_FRAMED:
		return take_framed(rule, a, request, request_len, bytes, n, used);
	case ANSWER_NONE:
		return ANSWER_COMPLETE;
	case ANSWER_EOF:
		*used = n;
		if (!are_right(rule, a, request, request_len, bytes, n))
			return ANSWER_WRONG;
		a->got += n;
		return a->got > rule->max ? ANSWER_TOO_LONG : ANSWER_MORE;
	case ANSWER_LENGTH:
		break;
	}
	missing = full_length(rule, request_len) - a->got;
	*used = n < missing ? n : (size_t)missing;
	if (!are_right(rule, a, request, request_len, bytes, *used))
		return ANSWER_WRONG;
	a->got += *used;
	return *used == missing ? ANSWER_COMPLETE : ANSWER_MORE;
}

enum answer_verdict answer_end(const struct answer_rule *rule, const struct answer *a,
                               size_t request_len)
{
	if (rule->kind != ANSWER_EOF)
		return ANSWER_MORE;
	if ((rule->echo && a->got < request_len) || (rule->expect && a->got < rule->expect_len))
		return ANSWER_MORE;
	return ANSWER_COMPLETE;
}
