/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joins a client's stream and the socket of a program: bytes that come in on one are sent on the
 * other, in both directions, and so is the end of each direction. Bytes for a side that is gone
 * are thrown away. It knows neither connections nor time-outs.
 */
#ifndef DROVER_HANDLERS_WARM_RELAY_H
#define DROVER_HANDLERS_WARM_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "stream.h"

enum relay_direction {
	RELAY_UP,                       /* from the client to the program */
	RELAY_DOWN,                     /* from the program to the client */
	RELAY_DIRECTIONS,
};

struct relay;

/* The owner of relays. All is lent. From within `finished` or `lost` it may end the relay. */
struct relay_owner {
	struct loop *loop;
	char        *scratch;           /* of scratch_len bytes, for reading */
	size_t       scratch_len;
	unsigned     n_pipes;           /* pipes that all its relays together have open */
	unsigned     max_pipes;         /* no more than that are opened */

	/* The other side has taken n bytes. The relay must not be ended from within this. */
	void (*moved)(struct relay *r, enum relay_direction d, size_t n);
	/* The program sends no more, and everything was sent to the client, and the end, too. */
	void (*finished)(struct relay *r);
	/* The client is gone. Nothing is relayed any more; the program was not told. */
	void (*lost)(struct relay *r);
};

enum relay_phase {                      /* of one direction */
	RELAY_FLOWING,
	RELAY_ENDING,                   /* no more bytes will come; those that wait are still sent */
	RELAY_ENDED,                    /* the receiver was told the end, or is gone */
	RELAY_REFUSED,                  /* the receiver takes no more: bytes that come are thrown away */
};

/* Only relay.c uses the members of these two; they are here to be members of other structs. */
struct relay_way {
	enum relay_direction direction;
	struct stream    *from, *to;
	enum relay_phase  phase;
	struct buffer     waiting;      /* bytes that were read, and `to` did not take yet */
	unsigned          full_reads;   /* reads in a row that filled the buffer: much is coming */
	int               pipe[2];      /* then bytes are spliced through this; -1: not open */
	size_t            in_pipe;
};

struct relay {
	struct relay_owner        *owner;
	struct stream            *client;               /* lent */
	struct stream             program;
	struct relay_way          ways[RELAY_DIRECTIONS];
	bool                      is_finished, is_lost; /* the owner is told at the end of the turn */
};

/*
 * Prepares r for a client's stream, which is lent until relay_end, and our end of the
 * program's unix socket, which it takes. Both do not block.
 */
void relay_init(struct relay *r, struct relay_owner *owner, struct stream *client, int program);

/* Sends bytes to the program before those of the client. Call it before relay_begin. 0, or -1 with ENOMEM. */
int relay_tell(struct relay *r, const char *bytes, size_t len);

/*
 * Begins, with the bytes that have come already. 0, or -1 with errno: it cannot, and must be ended.
 * May call the functions of the owner.
 */
int relay_begin(struct relay *r);

/* Must be called when the client's stream is ready for events. May call the functions of the owner. */
void relay_client_ready(struct relay *r, uint32_t events);

/*
 * Stops watching the client, drops bytes that were not taken, and closes the program's socket. May be
 * called more than once.
 */
void relay_end(struct relay *r);

/* The same, so that the program reads end of file even if it has sent bytes that we did not read. */
void relay_hang_up(struct relay *r);

enum relay_pending {
	RELAY_ALL_SENT,                 /* all is sent, as when `finished` is called */
	RELAY_PENDING,                  /* the client has not taken all of it yet */
	RELAY_CLIENT_LOST,              /* the client is gone, as when `lost` is called */
};

/*
 * The program has ended: sends what it has written, as far as the client takes it now. The result
 * is returned instead of a call of `finished` or `lost`; later events call them as usual.
 */
enum relay_pending relay_flush(struct relay *r);

/* Whether the client has sent its last byte. */
bool relay_client_ended(const struct relay *r);

#endif
