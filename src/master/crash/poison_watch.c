/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries out what poison.c decides: in the table for workers, in the log, and in events. The master
 * calls it; the watches of services that have gone from the configuration end with their last pool.
 */
#include <config.h>
#include "poison_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "units.h"

static const char *name_of(const struct poison_watch *w, size_t place, char buf[static SOURCE_ID_TEXT_MAX])
{
	return source_id_format(&w->history.sources[place].source, buf, SOURCE_ID_TEXT_MAX);
}

static void set_timer(struct poison_watch *w)
{
	loop_timer_at(w->watches->loop, &w->next_end, poison_next_ms(&w->history));
}

/* ---- the ends of blocks ------------------------------------------------- */

static void end_block(struct poison_watch *w, size_t place, const char *reason, const char *words)
{
	const uint64_t refused = blocks_refused(w->blocks, place);
	char name[SOURCE_ID_TEXT_MAX];

	poison_end(&w->history, place, w->watches->loop->now_ms);
	blocks_clear(w->blocks, place);
	log_about(LOG_LEVEL_INFO, LOG_ABOUT(.service = w->service, .event = LOG_EVENT_SOURCE_UNBLOCKED),
	          "%s: %s is not blocked any more: %s; clients that were refused: %" PRIu64, w->service,
	          name_of(w, place, name), words, refused);
	notify_send(w->watches->events, "source-unblocked service=%s source=%s reason=%s refused=%" PRIu64,
	            w->service, name, reason, refused);
}

static void on_next_end(struct timer *t)
{
	struct poison_watch *w = container_of(t, struct poison_watch, next_end);
	size_t place;

	while ((place = poison_find_ended(&w->history, w->watches->loop->now_ms)) != POISON_SOURCES)
		end_block(w, place, "time", "the time is over");
	set_timer(w);
}

void poison_watch_lift(struct poison_watch *w, size_t place)
{
	end_block(w, place, "order", "a client of the control socket has lifted the block");
	set_timer(w);
}

/* A source that lies partly in limits.exempt is so if its first address is. */
static bool is_exempt(const struct conf_service *conf, const struct source_id *source)
{
	struct endpoint first = { .family = source->prefix.family };

	memcpy(first.ip, source->prefix.ip, sizeof first.ip);
	return prefix_set_find(conf->limits.exempt, &first) != PREFIX_NONE;
}

void poison_watch_configure(struct poison_watch *w, const struct conf_service *conf)
{
	for (size_t i = 0; i < POISON_SOURCES; i++) {
		const struct poison_source *s = &w->history.sources[i];

		if (!poison_is_blocked(s))
			continue;
		if (!conf || !conf->poison.on)
			end_block(w, i, "reload", "poison is switched off");
		else if (is_exempt(conf, &s->source))
			end_block(w, i, "reload", "it is exempt now");
	}
	set_timer(w);
}

bool poison_watch_means(const struct poison_watch *w, size_t place, const struct source_id *named)
{
	const struct poison_source *s = &w->history.sources[place];

	return poison_is_blocked(s) &&
	       (source_id_covers(named, &s->source) || source_id_covers(&s->source, named));
}

/* ---- crashes ------------------------------------------------------------ */

static const char *in_utc(int64_t after_ms, char buf[static CLOCK_TEXT_MAX])
{
	return clock_utc_seconds(time(NULL) + (time_t)(after_ms / 1000), buf);
}

static void begin_block(struct poison_watch *w, const struct conf_poison *rule, size_t place)
{
	const struct poison_source *s = &w->history.sources[place];
	char name[SOURCE_ID_TEXT_MAX], until[CLOCK_TEXT_MAX], block[UNITS_TEXT_MAX], within[UNITS_TEXT_MAX];

	blocks_set(w->blocks, place, &s->source, s->until_ms);
	set_timer(w);
	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = w->service, .event = LOG_EVENT_SOURCE_BLOCKED),
	          "%s: blocking %s for %s, until %s: %d workers have crashed at its requests within %s"
	          " (to lift the block: droverctl unblock %s)", w->service, name_of(w, place, name),
	          units_format_duration(s->block_ms, block), in_utc(s->block_ms, until), s->counted,
	          units_format_duration(rule->within, within), name);
	notify_send(w->watches->events, "source-blocked service=%s source=%s crashes=%d block_ms=%" PRId64,
	            w->service, name, s->counted, s->block_ms);
}

static void tell_spread(const struct poison_watch *w, const struct conf_poison *rule, size_t place)
{
	char name[SOURCE_ID_TEXT_MAX], within[UNITS_TEXT_MAX];

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = w->service),
	          "%s: not blocking %s: workers have crashed at requests from %d sources or more within %s",
	          w->service, name_of(w, place, name), POISON_SPREAD,
	          units_format_duration(rule->within, within));
	notify_send(w->watches->events, "poison-spread service=%s source=%s", w->service, name);
}

void poison_watch_note(struct poison_watch *w, const struct conf_service *conf, const struct evidence *e)
{
	size_t place;

	if (!conf->poison.on || !w->blocks || e->is_ours || !source_id_is_known(&e->source))
		return;
	switch (poison_note(&w->history, &conf->poison, &e->source,
	                    prefix_set_find(conf->limits.exempt, &e->work.peer) != PREFIX_NONE,
	                    w->watches->loop->now_ms, &place)) {
	case POISON_NOTED:
		break;
	case POISON_BLOCKED:
		begin_block(w, &conf->poison, place);
		break;
	case POISON_IS_SPREAD:
		tell_spread(w, &conf->poison, place);
		break;
	}
}

/* ---- the watches -------------------------------------------------------- */

void poison_watches_init(struct poison_watches *all, struct loop *l, struct notify *events)
{
	*all = (struct poison_watches){ .loop = l, .events = events };
	list_init(&all->all);
}

struct poison_watch *poison_watch_find(const struct poison_watches *all, const char *service)
{
	struct poison_watch *w;

	list_each(&all->all, w, struct poison_watch, in_all)
		if (strcmp(w->service, service) == 0)
			return w;
	return NULL;
}

static struct poison_watch *make_watch(struct poison_watches *all, const char *service)
{
	struct poison_watch *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->watches = all;
	w->next_end.fire = on_next_end;
	list_append(&all->all, &w->in_all);
	w->n_users = 1;
	w->service = strdup(service);
	if (!w->service)
		poison_watch_release(&w);
	return w;
}

struct poison_watch *poison_watch_use(struct poison_watches *all, const char *service)
{
	struct poison_watch *w = poison_watch_find(all, service);

	if (!w)
		return make_watch(all, service);
	w->n_users++;
	return w;
}

int poison_watch_prepare(struct poison_watch *w, const struct conf_service *conf)
{
	if (conf->poison.on && !w->blocks)
		w->blocks = blocks_new();
	return conf->poison.on && !w->blocks ? -1 : 0;
}

void poison_watch_release(struct poison_watch **wp)
{
	struct poison_watch *w = *wp;
	const int saved = errno;

	*wp = NULL;
	if (!w || --w->n_users > 0)
		return;
	timer_unset(&w->watches->loop->timers, &w->next_end);
	list_remove(&w->in_all);
	blocks_free(&w->blocks);
	free(w->service);
	free(w);
	errno = saved;
}

void poison_watches_forget(struct poison_watches *all, const struct poison_watch *mine)
{
	struct poison_watch *w;

	list_each(&all->all, w, struct poison_watch, in_all)
		if (w != mine)
			blocks_free(&w->blocks);
}

/* ---- for the next program ----------------------------------------------- */

static bool has_blocks(const struct poison_watch *w)
{
	size_t i = 0;

	while (i < POISON_SOURCES && !poison_is_blocked(&w->history.sources[i]))
		i++;
	return i < POISON_SOURCES;
}

/*
 * The table of another version is left to the workers that read it, which drain: what they have seen
 * last ends there by itself. False with errno.
 */
static bool take_table(struct poison_watch *w, int fd, int version)
{
	const bool is_ours = fd != -1 && version == BLOCKS_VERSION;

	if (fd == -1 && !has_blocks(w))
		return true;
	w->blocks = is_ours ? blocks_adopt(fd) : blocks_new();
	if (!w->blocks)
		return false;
	for (size_t i = 0; i < POISON_SOURCES; i++) {
		const struct poison_source *s = &w->history.sources[i];

		if (!poison_is_blocked(s))
			blocks_clear(w->blocks, i);
		else if (!is_ours)
			blocks_set(w->blocks, i, &s->source, s->until_ms);
	}
	if (fd != -1 && !is_ours)
		close(fd);
	return true;
}

struct poison_watch *poison_watch_adopt(struct poison_watches *all, const char *service, int blocks_fd,
                                        int blocks_version, const struct poison *history)
{
	struct poison_watch *w = make_watch(all, service);

	if (!w)
		return NULL;
	for (size_t i = 0; i < POISON_SOURCES; i++)
		poison_restore(&w->history, i, &history->sources[i]);
	if (!take_table(w, blocks_fd, blocks_version)) {
		poison_watch_release(&w);
		return NULL;
	}
	set_timer(w);
	return w;
}
