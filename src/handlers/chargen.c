/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * chargen, RFC 864: sends characters for as long as the client takes them, and throws away what
 * the client sends. The pattern is the one that the RFC calls popular: lines of 72 characters
 * from a ring of the 95 printable ones; each line begins one character further.
 */
#include <config.h>
#include "builtin.h"

#define RING       95
#define LINE       72
#define LINES      RING                 /* then the pattern begins again */
#define LINES_ONCE 16

static const struct drover_server *drover;

/* The pointer of the connection is the number of its next line. */
static int chargen_taken(struct drover_connection *c)
{
	uintptr_t line = (uintptr_t)drover->pointer(c);
	char buf[LINES_ONCE * (LINE + 2)], *p = buf;

	for (int i = 0; i < LINES_ONCE; i++, line = (line + 1) % LINES) {
		for (unsigned int k = 0; k < LINE; k++)
			*p++ = (char)(' ' + (line + k) % RING);
		*p++ = '\r';
		*p++ = '\n';
	}
	drover->set_pointer(c, (void *)line);
	drover->write(c, buf, sizeof buf);
	return 0;
}

static const struct drover_module module_chargen = {
	DROVER_MODULE("chargen", PACKAGE_VERSION),
	.flags = DROVER_PRODUCER,
	.server = &drover,
	.taken = chargen_taken,
};

const struct handler handler_chargen = {
	.name = "chargen",
	.keeps = HANDLER_KEEPS_NOTE,
	.module = &module_chargen,
	PRODUCER_FUNCTIONS,
};
