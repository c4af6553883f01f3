/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of a reporter on its way to a client that may be slow: through a
 * buffer, so that an answer of any length costs no memory, and only until a
 * time limit.
 */
#ifndef DROVER_MASTER_CONTROL_REPORT_OUT_H
#define DROVER_MASTER_CONTROL_REPORT_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report_out {
	int     fd;
	int64_t until_ms;               /* of clock_ms() */
	bool    failed;                 /* the client is gone or too slow: nothing more is written */
	bool    first;                  /* no item of the present list was written */
	size_t  len;
	char    buf[16384];
};

/* fd is lent. */
void report_out_init(struct report_out *o, int fd, int64_t limit_ms);

void report_out_text(struct report_out *o, const char *text);

/* Takes value; NULL (no memory) fails. */
void report_out_json(struct report_out *o, json_t *value);

/* An answer with that result, a line. Takes result. */
void report_out_result(struct report_out *o, json_t *result);

/*
 * An answer that is one list: {"ok":true,"result":{"NAME":[ ... ]}}. Items are
 * taken.
 */
void report_out_begin_list(struct report_out *o, const char *name);
void report_out_item(struct report_out *o, json_t *item);
void report_out_end_list(struct report_out *o);

/* A whole answer, given to this function and freed; NULL fails. */
void report_out_answer(struct report_out *o, char *line);

/* Sends what is left. False if not all has been sent. */
bool report_out_finish(struct report_out *o);

#endif
