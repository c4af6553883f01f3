/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds where an answer ends, and whether it is the right one. Each byte is checked when it
 * arrives, and none is kept.
 */
#ifndef DROVER_BENCH_ANSWER_H
#define DROVER_BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing.h"

enum answer_kind {
	ANSWER_LENGTH,                  /* after a number of bytes */
	ANSWER_FRAMED,                  /* where its frame ends */
	ANSWER_EOF,                     /* when the server closes */
	ANSWER_NONE,                    /* no answer is expected */
};

struct answer_rule {
	enum answer_kind kind;
	uint64_t         length;        /* ANSWER_LENGTH; 0: as long as the request */
	struct framing   framing;       /* ANSWER_FRAMED */
	uint64_t         max;           /* bytes; a longer answer is an error */
	bool             echo;          /* the answer must equal the request */
	char            *expect;        /* what it, or its frame's content, must be; NULL: anything */
	size_t           expect_len;
};

/* How far an answer has come. All zero: nothing yet. */
struct answer {
	uint64_t             got;       /* bytes */
	struct framing_state frame;
};

enum answer_verdict {
	ANSWER_MORE,
	ANSWER_COMPLETE,
	ANSWER_WRONG,
	ANSWER_TOO_LONG,
	ANSWER_BROKEN,                  /* it is not framed as it must be */
};

#define ANSWER_TEXT_MAX 32

/* Parses "length", "length:5", "line", "netstring", "length32", "eof" or "none". Returns 0, or -1. */
int answer_rule_parse(const char *text, struct answer_rule *rule);
const char *answer_rule_format(const struct answer_rule *rule, char buf[static ANSWER_TEXT_MAX]);
void answer_rule_free(struct answer_rule *rule);

/*
 * Takes those of n bytes that belong to the answer, and sets *used to their number. The answer
 * is one to this request.
 */
enum answer_verdict answer_take(const struct answer_rule *rule, struct answer *a,
                                const char *request, size_t request_len,
                                const char *bytes, size_t n, size_t *used);

/* The server has closed the connection. ANSWER_COMPLETE; or ANSWER_MORE: it was too early. */
enum answer_verdict answer_end(const struct answer_rule *rule, const struct answer *a,
                               size_t request_len);

#endif
