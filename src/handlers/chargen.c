/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chargen, RFC 864: sends characters for as long as the client takes them, and throws away what
 * the client sends. The pattern is the one that the RFC calls popular: lines of 72 characters
 * from a ring of the 95 printable ones; each line begins one character further.
 */
#include <config.h>
#include "handler.h"

#define RING       95
#define LINE       72
#define LINES      RING                 /* then the pattern begins again */
#define LINES_ONCE 16

static enum handler_verdict chargen_produce(struct connection *c)
{
	uint64_t *line = handler_note(c);
	char buf[LINES_ONCE * (LINE + 2)], *p = buf;

	for (int i = 0; i < LINES_ONCE; i++, *line = (*line + 1) % LINES) {
		for (unsigned int k = 0; k < LINE; k++)
			*p++ = (char)(' ' + (*line + k) % RING);
		*p++ = '\r';
		*p++ = '\n';
	}
	handler_reply(c, buf, sizeof buf);
	return HANDLER_GO_ON;
}

const struct handler handler_chargen = {
	.name = "chargen",
	.keeps = HANDLER_KEEPS_NOTE,
	.produce = chargen_produce,
};
