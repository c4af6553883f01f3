/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joins a client's stream and the socket of a program: what comes in on one goes out on the
 * other, both ways, and so does the end of each way. Bytes for a side that is gone are
 * thrown away. It knows neither connections nor time-outs.
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

/* The owner of relays; all lent. After `finished` or `lost` it may be ended at once. */
struct relay_owner {
	struct loop *loop;
	char        *scratch;           /* of scratch_len bytes, for reading */
	size_t       scratch_len;
	unsigned     n_pipes;           /* that its relays have open, all together */
	unsigned     max_pipes;         /* more are not opened */

	/* Bytes that the other side has taken. It may not be ended from here. */
	void (*moved)(struct relay *r, enum relay_direction d, size_t n);
	/* The program says no more, and the client has been sent all of it, and the end. */
	void (*finished)(struct relay *r);
	/* The client is gone. Nothing is relayed any more, but the program does not know. */
	void (*lost)(struct relay *r);
};

enum relay_phase {                      /* of one direction */
	RELAY_FLOWING,
	RELAY_ENDING,                   /* there will be no more; the rest is on its way */
	RELAY_ENDED,                    /* and the receiver has been told */
	RELAY_REFUSED,                  /* the receiver takes no more: what comes is thrown away */
};

/* The members of these two belong to relay.c; they are here to be part of something else. */
struct relay_way {
	enum relay_direction direction;
	struct stream    *from, *to;
	enum relay_phase  phase;
	struct buffer     waiting;      /* was read, and `to` did not take it */
	unsigned          full_reads;   /* in a row: much is coming */
	int               pipe[2];      /* then bytes go through here, uncopied; -1: not so far */
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

/* What the program gets before anything of the client's. Before relay_begin. 0, or -1 with ENOMEM. */
int relay_tell(struct relay *r, const char *bytes, size_t len);

/*
 * Begins, with what there is already. 0; or -1 with errno if it cannot, and it
 * is to be ended. May call back.
 */
int relay_begin(struct relay *r);

/* To be called when the client's stream is ready: for these events. May call back. */
void relay_client_ready(struct relay *r, uint32_t events);

/* Lets go of the client and of what was not taken, and closes the program's socket. More than once is fine. */
void relay_end(struct relay *r);

/* The same for a program that is to read the end of the stream, whatever it has sent: stream_hang_up. */
void relay_hang_up(struct relay *r);

enum relay_pending {
	RELAY_ALL_SENT,                 /* all is sent, as when `finished` is called */
	RELAY_PENDING,                  /* the client has not taken all of it yet */
	RELAY_CLIENT_LOST,              /* it will not, as when `lost` is called */
};

/*
 * The program has ended: sends what it still said, as far as the client takes it
 * now. In place of a call back, for now, what would be said there is returned.
 */
enum relay_pending relay_flush(struct relay *r);

/* Whether the client has sent its last byte. */
bool relay_client_ended(const struct relay *r);

#endif
