/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the server for what top shows, again and again. A broken connection is replaced by a new
 * one. Only refresh_wait waits.
 */
#ifndef DROVER_DROVERCTL_REFRESH_H
#define DROVER_DROVERCTL_REFRESH_H

#include <jansson.h>
#include <stdbool.h>

#include "overview.h"
#include "session.h"
#include "view.h"

enum refresh_state {
	REFRESH_IDLE,
	REFRESH_STATUS,                 /* the status was asked for, and has not come yet */
	REFRESH_LIST,                   /* the list of the view was asked for, likewise */
};

struct refresh {
	const char        *path;                /* of the socket; lent */
	struct session     session;
	enum refresh_state state;
	enum view_kind     view;                /* of this round */
	json_t            *status;              /* the last one that came; NULL: none has come */
	json_t            *results[VIEW_OF_TOP]; /* of the commands of the other views */
	struct overview    overview;
	int                exit_status;         /* of the last round: EX_OK, or what went wrong ... */
	char               trouble[SESSION_ERROR_MAX];  /* ... in words */
};

void refresh_init(struct refresh *r, const char *path);
void refresh_fini(struct refresh *r);

/* Begins a round: asks for the status and the list of this view. Only when idle. */
void refresh_begin(struct refresh *r, enum view_kind view);

/* Goes on with the round. To be called when there is something to read at r->session.fd. */
void refresh_go_on(struct refresh *r);

/* Notes that the answer is late. The round goes on, because the answer may still come. */
void refresh_note_silence(struct refresh *r);

/* Waits until the round is over, or gives it up because the answer does not come. */
void refresh_wait(struct refresh *r);

/* The rows of a view as they came last; NULL: none have come. */
const json_t *refresh_rows(const struct refresh *r, enum view_kind view);

#endif
