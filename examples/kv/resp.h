/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RESP2, the protocol of Redis: requests and replies. Nothing here knows what a command means. */
#ifndef KV_RESP_H
#define KV_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {                          /* bytes that belong to another */
	const char *at;
	size_t      len;
};

bool slice_integer(struct slice s, int64_t *n);         /* whether all of it is a number */
bool slice_is(struct slice s, const char *word);        /* in any case of letters */

#define RESP_ARGS_MAX (1024 * 1024)
#define RESP_BULK_MAX (512L * 1024 * 1024)
#define RESP_LINE_MAX (64 * 1024)       /* an inline request, or the line with a length */

enum resp_status {
	RESP_REQUEST,                   /* there is one; without arguments, it gets no reply */
	RESP_MORE,                      /* it goes on behind these bytes */
	RESP_BROKEN                     /* it is none: `why` is for the client, and the connection ends */
};

/* Used again for the next request. 16 MiB, of which the kernel gives only those pages that were ever needed. */
struct resp_request {
	struct slice args[RESP_ARGS_MAX];       /* they point into the bytes, or into `text` */
	size_t       n_args;
	char         text[RESP_LINE_MAX];       /* the arguments of an inline request, without quotes */
	size_t       used;              /* RESP_REQUEST: the bytes that it has */
	size_t       need;              /* RESP_MORE: the least number of bytes that it can have */
	char         why[64];
};

enum resp_status resp_parse(struct resp_request *r, const char *bytes, size_t len);     /* len > 0 */

struct resp_reply {                     /* all zero: empty */
	char  *bytes;
	size_t len, room;
	bool   failed;                  /* there was no memory: it is not complete */
};

void resp_add(struct resp_reply *r, const char *bytes, size_t len);
void resp_line(struct resp_reply *r, const char *line);         /* "+OK" */
void resp_error(struct resp_reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void resp_number(struct resp_reply *r, char type, int64_t n);   /* ':' n; '*' n members follow */
void resp_bulk(struct resp_reply *r, struct slice s);
void resp_reply_free(struct resp_reply *r);

#endif
