/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes refusals down: on the board, in the memory of the service, as an event, and in the access
 * log. It does not decide who is refused.
 */
#include <config.h>
#include "refusal.h"

#include <stddef.h>
#include <sys/socket.h>

#include "access_log.h"
#include "episode.h"

static const size_t counters[REFUSAL_KINDS] = {     /* their offsets in struct board_slot */
#define X(NAME, name, how, words) \
	[REFUSAL_##NAME] = offsetof(struct board_slot, refused_##name),
	REFUSALS(X)
#undef X
};

static void count(const struct worker *w, enum refusal why)
{
	board_add((_Atomic uint64_t *)(void *)((char *)w->slot + counters[why]), 1);
}

/* The master hears of an episode once, when it begins. */
static bool note_episode(struct worker *w, enum refusal why, const struct endpoint *client)
{
	if (!episode_note(sources_episode(w->start.service_memory->sources, why), client, w->loop.now_ms))
		return false;
	worker_insist(w, LEASH_REFUSING);
	return true;
}

static void log_access(const struct worker *w, enum refusal why, const struct refused *client)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof at;
	struct endpoint local = { 0 };

	if (!w->start.access_log || !w->service->access_log.refused || client->fd == -1)
		return;
	if (getsockname(client->fd, (struct sockaddr *)&at, &len) == 0)
		local = endpoint_of((struct sockaddr *)&at, len);
	access_log_put(w->start.access_log, &w->service->access_log.template, &(struct access_record){
		.service = w->service->name, .id = "-", .peer = client->peer, .local = &local,
		.how = refusal_how(why),
	});
}

static void tell_refused(const struct worker *w, enum refusal why, const struct refused *client)
{
	char from[ADDRESS_TEXT_MAX], via[ADDRESS_TEXT_MAX] = "";

	if (!notify_is_heard(w->start.events))
		return;
	if (client->via)
		endpoint_format(client->via, via, sizeof via);
	worker_event(w, "refused reason=%s peer=%s%s%s", refusal_name(why),
	             endpoint_format(client->peer, from, sizeof from), client->via ? " via=" : "", via);
}

bool refusal_note(struct worker *w, enum refusal why, const struct refused *client)
{
	bool begins;

	count(w, why);
	begins = note_episode(w, why, client->peer);
	log_access(w, why, client);
	tell_refused(w, why, client);
	return begins;
}

void refusal_note_queue(struct worker *w, enum refusal why)
{
	note_episode(w, why, &(struct endpoint){ 0 });
}

const char *refusal_message(const struct worker *w, enum refusal why)
{
	if (why == REFUSAL_ACCESS || why == REFUSAL_BLOCKED || why == REFUSAL_PROXY)
		return NULL;
	return w->service->limits.reject_message;
}
