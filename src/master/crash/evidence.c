/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads what a worker was doing from its slot, and describes it in words and as a report.
 */
#include <config.h>
#include "evidence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "connection_id.h"
#include "json_value.h"
#include "signals.h"

void evidence_look(struct evidence *e, const struct board *b, size_t i)
{
	board_view(b, i, &e->said);
	e->at_work = board_view_work(b, i, &e->work);
}

void evidence_name_source(struct evidence *e, const struct conf_service *conf)
{
	const struct conf_source_prefix prefix = conf ? conf->limits.source_prefix : CONF_SOURCE_PREFIX;

	if (e->at_work)
		e->source = board_source(&e->work, prefix.ipv4, prefix.ipv6);
}

void evidence_take_input(struct evidence *e, const struct board *b, size_t i)
{
	if (!e->at_work || board_input_size(b) == 0)
		return;
	e->input = malloc(board_input_size(b));
	if (e->input)
		e->input_len = board_copy_input(b, i, e->work.number, e->input);
}

void evidence_free_input(struct evidence *e)
{
	free(e->input);
	e->input = NULL;
	e->input_len = 0;
}

static int64_t since(const struct evidence *e, int64_t ms)
{
	return e->now_ms > ms ? e->now_ms - ms : 0;
}

void evidence_put_module(struct text *t, const struct evidence *e)
{
	if (e->module)
		text_add(t, "module %s %s, ", e->module->name, e->module->version);
}

void evidence_put_work(struct text *t, const struct evidence *e)
{
	const int64_t open_ms = since(e, e->work.since_ms);
	char peer[ADDRESS_TEXT_MAX], id[CONNECTION_ID_MAX];

	if (!e->at_work) {
		text_add(t, "not at work for any connection");
		return;
	}
	text_add(t, "at work for %s, %s, connection %s open for %" PRId64 ".%03d s, %" PRIu64
	         " bytes in, %" PRIu64 " out", endpoint_format(&e->work.peer, peer, sizeof peer),
	         board_phase_name(e->work.phase), connection_id_format(e->pid, e->work.number, id),
	         open_ms / 1000, (int)(open_ms % 1000), e->work.bytes_in, e->work.bytes_out);
}

/* ---- the report --------------------------------------------------------- */

static json_t *hang(const struct evidence *e)
{
	return e->waited_in ? json_pack("{s:o, s:s}", "still", json_value_seconds(e->still_ms),
	                                "kernel", e->waited_in) : json_null();
}

static json_t *module(const struct evidence *e)
{
	return e->module ? json_pack("{s:s, s:s, s:s}", "name", e->module->name, "version", e->module->version,
	                             "path", e->module->path) : json_null();
}

static json_t *connection(const struct evidence *e)
{
	char peer[ADDRESS_TEXT_MAX], id[CONNECTION_ID_MAX], source[SOURCE_ID_TEXT_MAX];

	if (!e->at_work)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}",
	                 "id", connection_id_format(e->pid, e->work.number, id),
	                 "peer", endpoint_format(&e->work.peer, peer, sizeof peer),
	                 "source", source_id_format(&e->source, source, sizeof source),
	                 "phase", board_phase_name(e->work.phase),
	                 "age", json_value_seconds(since(e, e->work.since_ms)),
	                 "bytes_in", json_value_count(e->work.bytes_in),
	                 "bytes_out", json_value_count(e->work.bytes_out),
	                 "program", json_value_process(e->work.program));
}

json_t *evidence_json(const struct evidence *e, const char *time)
{
	const int64_t turned_ms = since(e, e->said.turn_ms);
	char signal[32];

	snprintf(signal, sizeof signal, "SIG%s", signals_name(WTERMSIG(e->status)));
	return json_pack("{s:s, s:s, s:o, s:i, s:I, s:s, s:b, s:o, s:o, s:s, s:o,"
	                 " s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"time", time, "service", e->service, "module", module(e), "worker", (int)e->pid,
		"generation", (json_int_t)e->generation, "signal", signal,
		"core", WCOREDUMP(e->status) != 0, "hang", hang(e),
		"age", json_value_seconds(e->age_ms), "state", board_state_name(e->said.state),
		"last_turn", e->said.turn_ms == 0 ? json_null() : json_value_seconds(turned_ms),
		"open", json_value_count(e->said.open), "accepted", json_value_count(e->said.accepted),
		"served", json_value_count(e->said.served), "requests", json_value_count(e->said.requests),
		"bytes_in", json_value_count(e->said.bytes_in),
		"bytes_out", json_value_count(e->said.bytes_out),
		"connection", connection(e), "captured", json_value_count(e->input_len),
		"input", json_value_hex(e->input, e->input_len));
}
