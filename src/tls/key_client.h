/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the key process for signatures, in a worker: sends a request and waits for the answer. The
 * worker does nothing else meanwhile, so the time is limited, and a key process that has let a
 * request wait for too long is given little time until it answers again.
 */
#ifndef DROVER_TLS_KEY_CLIENT_H
#define DROVER_TLS_KEY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key_wire.h"

#define KEY_CLIENT_LIMIT_MS 2000        /* for an answer; */
#define KEY_CLIENT_LATE_MS  50          /* if the last request was not answered in time */

struct key_client {
	struct key_channel channel;     /* lent; the worker's ends */
	uint32_t           number;      /* of the last request */
	bool               late;        /* it was not answered in time, nor any that followed */
};

/*
 * Has key index sign data (a digest, or a message for KEY_EDDSA). Returns 0 with the signature in
 * answer; or -1 with errno: ETIMEDOUT, EAGAIN if too many requests are unanswered, EPIPE if there is
 * no key process any more, ENOKEY, EINVAL if the key does not sign in that way, EIO if the key
 * process could not sign, EMSGSIZE if data is too long.
 */
int key_client_sign(struct key_client *c, size_t index, enum key_scheme scheme, enum key_digest digest,
                    const uint8_t *data, size_t len, struct key_answer *answer);

/*
 * Waits until the key process answers requests: it may read its keys still. Gives up after limit_ms, or
 * when stop_fd has something to read or has ended; then key_client_sign has little patience, too.
 * True if it answers.
 */
bool key_client_await(struct key_client *c, int64_t limit_ms, int stop_fd);

#endif
