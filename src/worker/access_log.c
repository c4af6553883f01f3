/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a line of the access log, as text or as JSON: the same fields in the same order.
 */
#include <config.h>
#include "access_log.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signals.h"
#include "text.h"

struct line {
	struct text text;
	bool        json;
};

static void add_name(struct line *l, const char *name)
{
	const char *before = l->text.len == 0 ? "" : l->json ? "," : " ";

	text_add(&l->text, l->json ? "%s\"%s\":" : "%s%s=", before, name);
}

static void add_word(struct line *l, const char *name, const char *value)
{
	add_name(l, name);
	if (!l->json) {
		text_add_safe(&l->text, value, strlen(value));
		return;
	}
	text_add(&l->text, "\"");
	text_add_json(&l->text, value, strlen(value));
	text_add(&l->text, "\"");
}

static void add_number(struct line *l, const char *name, uint64_t value)
{
	add_name(l, name);
	text_add(&l->text, "%llu", (unsigned long long)value);
}

static void add_seconds(struct line *l, const char *name, int64_t us)
{
	add_name(l, name);
	text_add(&l->text, "%lld.%06lld", (long long)us / 1000000, (long long)us % 1000000);
}

/* Of a handshake that has failed, what is known is its reason, and perhaps the name. */
static void add_tls(struct line *l, const struct tls_link_facts *f)
{
	if (f->version) {
		add_word(l, "tls", f->version);
		add_word(l, "cipher", f->cipher);
		add_word(l, "resumed", f->resumed ? "yes" : "no");
	}
	if (f->sni[0])
		add_word(l, "sni", f->sni);
	if (f->why[0])
		add_word(l, "tls_error", f->why);
}

static void add_status(struct line *l, int status)
{
	if (WIFSIGNALED(status))
		add_word(l, "signal", signals_name(WTERMSIG(status)));
	else
		add_number(l, "exit", (uint64_t)WEXITSTATUS(status));
}

/* A client that was refused may have had no connection. */
static const char *connection_of(const struct access_record *r)
{
	return strcmp(r->id, "-") == 0 ? NULL : r->id;
}

void access_log_put(struct log_sink *sink, const struct access_record *r)
{
	char buf[LOG_BODY_MAX], ends[ADDRESS_TEXT_MAX];
	struct line l = { .text = text_in(buf, sizeof buf) };

	if (!sink)
		return;
	l.json = log_sink_format(sink) == LOG_FORMAT_JSON;
	add_word(&l, "service", r->service);
	add_word(&l, "id", r->id);
	add_word(&l, "peer", endpoint_format(r->peer, ends, sizeof ends));
	if (r->via)
		add_word(&l, "via", endpoint_format(r->via, ends, sizeof ends));
	add_word(&l, "local", endpoint_format(r->local, ends, sizeof ends));
	if (r->unique_id)
		add_word(&l, "unique_id", r->unique_id);
	if (r->authority)
		add_word(&l, "authority", r->authority);
	if (r->tls)
		add_tls(&l, r->tls);
	add_seconds(&l, "duration", r->duration_us);
	if (r->counted) {
		add_number(&l, "in", r->bytes_in);
		add_number(&l, "out", r->bytes_out);
	}
	add_word(&l, "how", r->how);
	add_number(&l, "pid", (uint64_t)getpid());
	if (r->has_status)
		add_status(&l, r->status);
	log_sink_put(sink, LOG_LEVEL_INFO, LOG_ABOUT(.service = r->service, .connection = connection_of(r),
	                                             .event = LOG_EVENT_CONNECTION_END), buf);
}
