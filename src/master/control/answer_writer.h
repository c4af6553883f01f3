/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends the answer of a reporter to a client that may be slow: through a buffer, so that an answer
 * of any length needs little memory, and until a time limit.
 */
#ifndef DROVER_MASTER_CONTROL_ANSWER_WRITER_H
#define DROVER_MASTER_CONTROL_ANSWER_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer_writer {
	int     fd;
	int64_t until_ms;               /* of clock_ms() */
	bool    failed;                 /* the client is gone or too slow: nothing more is written */
	bool    first;                  /* no item of the current list was written yet */
	size_t  len;
	char    buf[16384];
};

/* fd is lent. */
void answer_writer_init(struct answer_writer *o, int fd, int64_t limit_ms);

/* NULL (no memory) fails. */
void answer_writer_text(struct answer_writer *o, const char *text);

/* Takes value; NULL (no memory) fails. */
void answer_writer_json(struct answer_writer *o, json_t *value);

/* A whole answer with that result: one line. Takes result. */
void answer_writer_result(struct answer_writer *o, json_t *result);

/*
 * An answer that is one list: {"ok":true,"result":{"NAME":[ ... ]}}. Takes each item.
 */
void answer_writer_begin_list(struct answer_writer *o, const char *name);
void answer_writer_item(struct answer_writer *o, json_t *item);
void answer_writer_end_list(struct answer_writer *o);

/* A whole answer, given to this function and freed; NULL fails. */
void answer_writer_answer(struct answer_writer *o, char *line);

/* Sends what is left. False if not all has been sent. */
bool answer_writer_finish(struct answer_writer *o);

#endif
