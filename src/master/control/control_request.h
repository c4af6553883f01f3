/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The language of the control socket: each request and each answer is a line with a JSON object.
 */
#ifndef DROVER_MASTER_CONTROL_CONTROL_REQUEST_H
#define DROVER_MASTER_CONTROL_CONTROL_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_LINE_MAX 4096           /* bytes of a request, with its newline */

enum control_error {
	CONTROL_BAD_REQUEST,
	CONTROL_UNKNOWN_COMMAND,
	CONTROL_NOT_PERMITTED,
	CONTROL_BUSY,
	CONTROL_NO_SUCH_SERVICE,
	CONTROL_NO_SUCH_CONNECTION,
	CONTROL_NO_SUCH_CRASH,
	CONTROL_NO_SUCH_BLOCK,
	CONTROL_REFUSED,
	CONTROL_TOO_MANY_CLIENTS,
	CONTROL_STOPPING,
	CONTROL_INTERNAL,
};

enum control_key {                      /* what may stand beside the command */
	CONTROL_KEY_SERVICE,
	CONTROL_KEY_TO,
	CONTROL_KEY_CONNECTION,
	CONTROL_KEY_CRASH,
	CONTROL_KEY_PREFIX,
	CONTROL_KEY_FORMAT,
	CONTROL_KEY_NOW,
	CONTROL_KEYS,
};
#define CONTROL_HAS(key) (1u << (key))

struct control_request {
	json_t     *root;               /* owns the strings; NULL: no request */
	const char *command;
	const char *service, *to, *connection, *crash, *prefix, *format; /* NULL: not given */
	bool        now;
	unsigned    given;              /* CONTROL_HAS(...) | ... */
};

/* False with a sentence in why, which has room for size; *r is empty then. */
bool control_request_parse(struct control_request *r, const char *line, size_t len,
                           char *why, size_t size);
void control_request_free(struct control_request *r);

/* "service", "to", ... */
const char *control_key_name(enum control_key key);

/*
 * An answer, one line with its newline, to be freed. The first takes result.
 * NULL only for lack of memory.
 */
char *control_answer_text(json_t *result);
char *control_error_text(enum control_error error, const char *message);

#endif
