/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a line of the access log: as text or as JSON, which have the same fields in the same order,
 * or by a template. One function writes a value, whatever the line looks like.
 */
#include <config.h>
#include "access_log.h"

#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "signals.h"
#include "text.h"

#define ABSENT "-"                      /* in a template, for a field without a value */

/* ---- values ------------------------------------------------------------- */

enum kind {                             /* how the value of a field is written; from SECONDS on: a number */
	STRING, ENDPOINT, TIME, TLS, SIGNAL, SECONDS, BYTES, PID, EXIT,
};

static const struct {
	enum kind kind;
	size_t    offset;               /* of STRING, ENDPOINT and BYTES, in struct access_record */
} fields[ACCESS_FORMAT_LITERAL] = {
#define AT(kind, member) { kind, offsetof(struct access_record, member) }
	[ACCESS_FORMAT_TIME] = { TIME, 0 },
	[ACCESS_FORMAT_SERVICE] = AT(STRING, service),
	[ACCESS_FORMAT_ID] = AT(STRING, id),
	[ACCESS_FORMAT_PEER] = AT(ENDPOINT, peer),
	[ACCESS_FORMAT_VIA] = AT(ENDPOINT, via),
	[ACCESS_FORMAT_LOCAL] = AT(ENDPOINT, local),
	[ACCESS_FORMAT_UNIQUE_ID] = AT(STRING, unique_id),
	[ACCESS_FORMAT_AUTHORITY] = AT(STRING, authority),
	[ACCESS_FORMAT_TLS] = { TLS, 0 },
	[ACCESS_FORMAT_CIPHER] = { TLS, 0 },
	[ACCESS_FORMAT_RESUMED] = { TLS, 0 },
	[ACCESS_FORMAT_SNI] = { TLS, 0 },
	[ACCESS_FORMAT_TLS_ERROR] = { TLS, 0 },
	[ACCESS_FORMAT_DURATION] = { SECONDS, 0 },
	[ACCESS_FORMAT_IN] = AT(BYTES, bytes_in),
	[ACCESS_FORMAT_OUT] = AT(BYTES, bytes_out),
	[ACCESS_FORMAT_HOW] = AT(STRING, how),
	[ACCESS_FORMAT_PID] = { PID, 0 },
	[ACCESS_FORMAT_EXIT] = { EXIT, 0 },
	[ACCESS_FORMAT_SIGNAL] = { SIGNAL, 0 },
#undef AT
};

static bool put_string(struct text *t, const char *value)
{
	if (value)
		text_add_string(t, value);
	return value;
}

static bool put_number(struct text *t, bool known, uint64_t value)
{
	if (known)
		text_add_number(t, value);
	return known;
}

static bool put_endpoint(struct text *t, const struct endpoint *e)
{
	char ends[ADDRESS_TEXT_MAX];

	return put_string(t, e ? endpoint_format(e, ends, sizeof ends) : NULL);
}

static bool put_seconds(struct text *t, int64_t us)
{
	text_add(t, "%lld.%06lld", (long long)us / 1000000, (long long)us % 1000000);
	return true;
}

static bool put_time(struct text *t)
{
	char stamp[CLOCK_TEXT_MAX];

	return put_string(t, clock_text(stamp, sizeof stamp));
}

/* Of a handshake that has failed, what is known is its reason, and perhaps the name. */
static const char *tls_value(enum access_format_field field, const struct tls_link_facts *f)
{
	if (!f)
		return NULL;
	if (field == ACCESS_FORMAT_SNI)
		return f->sni[0] ? f->sni : NULL;
	if (field == ACCESS_FORMAT_TLS_ERROR)
		return f->why[0] ? f->why : NULL;
	if (!f->version)
		return NULL;
	return field == ACCESS_FORMAT_TLS ? f->version : field == ACCESS_FORMAT_CIPHER ? f->cipher :
	       f->resumed ? "yes" : "no";
}

/* Adds the value of a field. False if r has none. */
static bool put_value(struct text *t, enum access_format_field field, const struct access_record *r)
{
	const void *member = (const char *)r + fields[field].offset;
	const bool by_signal = r->has_status && WIFSIGNALED(r->status);

	switch (fields[field].kind) {
	case STRING:
		return put_string(t, *(const char *const *)member);
	case ENDPOINT:
		return put_endpoint(t, *(const struct endpoint *const *)member);
	case TIME:
		return put_time(t);
	case TLS:
		return put_string(t, tls_value(field, r->tls));
	case SIGNAL:
		return put_string(t, by_signal ? signals_name(WTERMSIG(r->status)) : NULL);
	case SECONDS:
		return put_seconds(t, r->duration_us);
	case BYTES:
		return put_number(t, r->counted, *(const uint64_t *)member);
	case PID:
		return put_number(t, true, (uint64_t)getpid());
	case EXIT:
		break;
	}
	return put_number(t, r->has_status && !by_signal, (uint64_t)WEXITSTATUS(r->status));
}

/* ---- lines -------------------------------------------------------------- */

static void add_member(struct text *line, enum access_format_field field, const struct text *value)
{
	const char *quote = fields[field].kind >= SECONDS ? "" : "\"";

	text_add(line, "%s\"%s\":%s", line->len == 0 ? "" : ",", access_format_name(field), quote);
	text_add_json(line, value->buf, value->len);
	text_add_string(line, quote);
}

static void add_word(struct text *line, enum access_format_field field, const struct text *value)
{
	text_add(line, "%s%s=", line->len == 0 ? "" : " ", access_format_name(field));
	text_add_safe(line, value->buf, value->len);
}

/* All fields that have a value; the time is there already. */
static void add_all(struct text *line, bool json, const struct access_record *r)
{
	char buf[LOG_BODY_MAX];

	for (int i = ACCESS_FORMAT_TIME + 1; i < ACCESS_FORMAT_LITERAL; i++) {
		const enum access_format_field field = (enum access_format_field)i;
		struct text value = text_in(buf, sizeof buf);

		if (!put_value(&value, field, r))
			continue;
		if (json)
			add_member(line, field, &value);
		else
			add_word(line, field, &value);
	}
}

/* What is between the fields was checked when the template was loaded. */
static void add_pieces(struct text *line, const struct access_format *template, const struct access_record *r)
{
	char buf[LOG_BODY_MAX];

	for (size_t i = 0; i < template->n; i++) {
		const struct access_format_piece *piece = &template->pieces[i];
		struct text value = text_in(buf, sizeof buf);

		if (piece->field == ACCESS_FORMAT_LITERAL)
			text_add(line, "%.*s", (int)piece->len, piece->text);
		else if (put_value(&value, piece->field, r))
			text_add_word(line, value.buf, value.len);
		else
			text_add_string(line, ABSENT);
	}
}

/* A client that was refused may have had no connection. */
static const char *connection_of(const struct access_record *r)
{
	return strcmp(r->id, "-") == 0 ? NULL : r->id;
}

void access_log_put(struct log_sink *sink, const struct access_format *template,
                    const struct access_record *r)
{
	char buf[LOG_BODY_MAX];
	struct text line = text_in(buf, sizeof buf);

	if (!sink)
		return;
	if (log_sink_format(sink) == LOG_FORMAT_TEMPLATE)
		add_pieces(&line, template, r);
	else
		add_all(&line, log_sink_format(sink) == LOG_FORMAT_JSON, r);
	log_sink_put(sink, LOG_LEVEL_INFO, LOG_ABOUT(.service = r->service, .connection = connection_of(r),
	                                             .event = LOG_EVENT_CONNECTION_END), buf);
}
