/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the server in rounds. The services come with the status; the other lists are requested
 * one by one.
 */
#include <config.h>
#include "refresh.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "patience.h"
#include "text.h"

static const char silence[] = "drover does not answer";

void refresh_init(struct refresh *r, const char *path)
{
	*r = (struct refresh){ .path = path, .session.fd = -1 };
}

void refresh_fini(struct refresh *r)
{
	session_close(&r->session);
	json_decref(r->status);
	for (size_t i = 0; i < VIEW_OF_TOP; i++)
		json_decref(r->results[i]);
}

const json_t *refresh_rows(const struct refresh *r, enum view_kind view)
{
	return view_rows(view_of(view), view == VIEW_SERVICES ? r->status : r->results[view]);
}

/* ---- a round ------------------------------------------------------------ */

static void note(struct refresh *r, int exit_status, const char *why)
{
	struct text t = text_in(r->trouble, sizeof r->trouble);

	text_add_safe(&t, why, strlen(why));
	r->exit_status = exit_status;
}

void refresh_note_silence(struct refresh *r)
{
	note(r, EX_UNAVAILABLE, silence);
}

/* The round has failed. The next one makes a new connection. */
static void give_up_round(struct refresh *r, int exit_status, const char *why)
{
	note(r, exit_status, why);
	r->state = REFRESH_IDLE;
	session_close(&r->session);
}

static void ask_for(struct refresh *r, const char *command, enum refresh_state state)
{
	int status = session_ask_for(&r->session, command);

	r->state = state;
	if (status != EX_OK)
		give_up_round(r, status, r->session.error);
}

void refresh_begin(struct refresh *r, enum view_kind view)
{
	int status = EX_OK;

	r->view = view;
	if (r->session.fd == -1)
		status = session_open(&r->session, r->path);
	if (status != EX_OK)
		give_up_round(r, status, r->session.error);
	else
		ask_for(r, "status", REFRESH_STATUS);
}

static void end_round(struct refresh *r)
{
	r->state = REFRESH_IDLE;
	r->exit_status = EX_OK;
	r->trouble[0] = '\0';
}

static bool keep(json_t **kept, const struct answer *a, enum view_kind view)
{
	if (!view_rows(view_of(view), a->result))
		return false;
	json_decref(*kept);
	*kept = json_incref(json_object_get(a->whole, "result"));
	return true;
}

static void take_status(struct refresh *r, const struct answer *a)
{
	if (!keep(&r->status, a, VIEW_SERVICES)) {
		give_up_round(r, EX_SOFTWARE, "drover's status is not understood");
		return;
	}
	overview_take(&r->overview, r->status, clock_us());
	if (r->view == VIEW_SERVICES)
		end_round(r);
	else
		ask_for(r, view_of(r->view)->name, REFRESH_LIST);
}

static void take_list(struct refresh *r, const struct answer *a)
{
	if (keep(&r->results[r->view], a, r->view))
		end_round(r);
	else
		give_up_round(r, EX_SOFTWARE, "drover's list is not understood");
}

static void take_error(struct refresh *r, const struct answer *a)
{
	const char *message = json_string_value(a->message);

	give_up_round(r, session_exit_status(a->error), message ? message : a->error);
}

void refresh_go_on(struct refresh *r)
{
	struct answer a;
	int status;

	if (r->state == REFRESH_IDLE) {         /* nothing was asked for: it is the end of the connection */
		give_up_round(r, EX_UNAVAILABLE, "drover has closed the connection");
		return;
	}
	status = session_take(&r->session, &a);
	if (status != EX_OK)
		give_up_round(r, status, r->session.error);
	else if (!a.whole)
		return;
	else if (!a.result)
		take_error(r, &a);
	else if (r->state == REFRESH_STATUS)
		take_status(r, &a);
	else
		take_list(r, &a);
	session_free_answer(&a);
}

void refresh_wait(struct refresh *r)
{
	while (r->state != REFRESH_IDLE) {
		struct pollfd p = { .fd = r->session.fd, .events = POLLIN };

		if (poll(&p, 1, patience_ms(PATIENCE_ANSWER)) == 0)
			give_up_round(r, EX_UNAVAILABLE, silence);
		else
			refresh_go_on(r);
	}
}
