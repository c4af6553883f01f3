/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adds to the status what other commands answer, and takes out of it who the clients are.
 */
#include <config.h>
#include "report_snapshot.h"

#include "clock.h"
#include "report_answers.h"
#include "report_certificates.h"
#include "report_crashes.h"
#include "report_data.h"
#include "report_longest.h"

#define LAST_CRASHES 10

/* Whether the page may name clients. */
static bool shows_addresses(const struct master *m)
{
	return m->current->conf->metrics.page.addresses;
}

/* A key that is there stays, with null. */
static void hide(json_t *object, const char *key)
{
	if (json_object_get(object, key))
		json_object_set_new(object, key, json_null());
}

static json_t *workers(const struct report_data *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_workers; i++) {
		json_t *worker = report_answers_worker(d, &d->workers[i]);

		json_object_set_new(worker, "slot", json_integer((json_int_t)d->workers[i].place));
		json_array_append_new(list, worker);
	}
	return list;
}

static void find_longest(const struct report_data *d, struct report_longest *found)
{
	struct board_connection_view v;

	for (size_t i = 0; i < d->n_workers; i++) {
		const struct board *b = pool_board(d->workers[i].service->pool);

		for (size_t k = 0; k < board_connections(b); k++)
			if (board_view_connection(b, d->workers[i].place, k, &v))
				report_longest_offer(found, i, &v);
	}
}

static json_t *longest(const struct report_data *d)
{
	struct report_longest found = { .n = 0 };
	json_t *list = json_array();

	find_longest(d, &found);
	for (size_t i = 0; i < found.n; i++) {
		json_t *row = report_answers_connection(d, &d->workers[found.rows[i].worker],
		                                        &found.rows[i].connection);

		if (!shows_addresses(d->master)) {
			hide(row, "peer");
			hide(row, "via");
		}
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *crashes(const struct report_data *d)
{
	json_t *list = report_crashes_last(d->master->current->conf->state_dir, LAST_CRASHES), *crash;
	size_t i;

	json_array_foreach(list, i, crash) {
		json_t *connection = json_object_get(crash, "connection");

		if (!shows_addresses(d->master)) {
			hide(connection, "peer");
			hide(connection, "source");
		}
	}
	return list;
}

static json_t *now(const struct report_data *d)
{
	char utc[CLOCK_TEXT_MAX];

	return json_pack("{s:s, s:f}", "utc", clock_utc(&d->now, utc), "seconds", clock_seconds(&d->now));
}

void report_snapshot(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;
	json_t *all = report_answers_status(d);

	(void)r;
	json_object_set_new(all, "time", now(d));
	json_object_set_new(all, "workers", workers(d));
	json_object_set_new(all, "longest", longest(d));
	json_object_set_new(all, "crashes", crashes(d));
	json_object_set_new(all, "certificates", report_certificates_all(d));
	answer_writer_result(o, all);
}
