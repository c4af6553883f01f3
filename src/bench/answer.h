/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where an answer ends, and whether it is the right one. Checked as it comes,
 * byte for byte, and not kept.
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
	ANSWER_NONE,                    /* there is none */
};

struct answer_rule {
	enum answer_kind kind;
	uint64_t         length;        /* ANSWER_LENGTH; 0: as long as the request */
	struct framing   framing;       /* ANSWER_FRAMED */
	uint64_t         max;           /* longer ones are an error */
	bool             echo;          /* it has to be the request */
	char            *expect;        /* it (a frame's content) has to be this; NULL: anything */
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
	ANSWER_BROKEN,                  /* no frame */
};

#define ANSWER_TEXT_MAX 32

/* "length", "length:5", "line", "netstring", "length32", "eof", "none". 0, or -1. */
int answer_rule_parse(const char *text, struct answer_rule *rule);
const char *answer_rule_format(const struct answer_rule *rule, char buf[static ANSWER_TEXT_MAX]);
void answer_rule_free(struct answer_rule *rule);

/*
 * Takes of n bytes those that belong to the answer, and says how many these
 * are in *used. The request is the one that is answered.
 */
enum answer_verdict answer_take(const struct answer_rule *rule, struct answer *a,
                                const char *request, size_t request_len,
                                const char *bytes, size_t n, size_t *used);

/* The server has closed: ANSWER_MORE says that it was too early. */
enum answer_verdict answer_end(const struct answer_rule *rule, const struct answer *a,
                               size_t request_len);

#endif
