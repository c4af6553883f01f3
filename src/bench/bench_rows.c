/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row for each option: what getopt, the help and the parser need to know of it.
 */
#include <config.h>
#include "bench_rows.h"

#include <string.h>

#include "units.h"

#define MS              INT64_C(1000000)
#define CONNECTIONS_MAX 10000000
#define THREADS_MAX     1024
#define MESSAGE_MAX     (INT64_C(1) << 30)
#define NUMBER_MAX      (INT64_C(1000000000000000000) - 1)

/* ---- values ------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *n)
{
	int64_t value;

	if (units_parse_whole(text, NUMBER_MAX, &value) == -1)
		return false;
	*n = (uint64_t)value;
	return *n >= min && *n <= max;
}

static const char *take_mode(struct bench_reading *r, const char *value)
{
	return bench_mode_parse(value, &r->plan->mode) == 0
		? NULL : "ping-pong, connect, hold, stream or open-loop";
}

static const char *take_connections(struct bench_reading *r, const char *value)
{
	uint64_t n;

	if (!parse_number(value, 1, CONNECTIONS_MAX, &n))
		return "a number from 1 to 10000000";
	r->plan->connections = (unsigned)n;
	return NULL;
}

static const char *take_threads(struct bench_reading *r, const char *value)
{
	uint64_t n;

	if (!parse_number(value, 1, THREADS_MAX, &n))
		return "a number from 1 to 1024";
	r->plan->threads = (unsigned)n;
	return NULL;
}

static const char *take_opening(struct bench_reading *r, const char *value)
{
	uint64_t n;

	if (!parse_number(value, 1, CONNECTIONS_MAX, &n))
		return "a number from 1 to 10000000";
	r->plan->opening = (unsigned)n;
	r->wish.opening = true;
	return NULL;
}

static const char *duration(const char *value, int64_t min_ms, int64_t *ns)
{
	int64_t ms;

	if (units_parse_duration(value, &ms) == -1 || ms < min_ms || ms > INT64_C(10000000000))
		return min_ms ? "a time, such as 250ms, 30s or 5m, and more than 0"
		              : "a time, such as 250ms, 30s or 5m";
	*ns = ms * MS;
	return NULL;
}

static const char *take_duration(struct bench_reading *r, const char *value)
{
	r->wish.duration = true;
	return duration(value, 1, &r->plan->duration_ns);
}

static const char *take_warm_up(struct bench_reading *r, const char *value)
{
	return duration(value, 0, &r->plan->warm_up_ns);
}

static const char *take_timeout(struct bench_reading *r, const char *value)
{
	return duration(value, 1, &r->plan->timeout_ns);
}

static const char *take_count(struct bench_reading *r, const char *value)
{
	return parse_number(value, 1, UINT64_MAX, &r->plan->count) ? NULL : "a number, at least 1";
}

static const char *take_max_errors(struct bench_reading *r, const char *value)
{
	return parse_number(value, 1, UINT64_MAX, &r->plan->max_errors) ? NULL : "a number, at least 1";
}

static const char *rate(const char *value, double *per_second)
{
	struct units_rate made;

	if (units_parse_rate(value, &made) == -1 || made.count == 0 || made.count > 100000000)
		return "a rate, such as 500/s or 30/m";
	*per_second = (double)made.count * 1000 / (double)made.per_ms;
	return NULL;
}

static const char *take_rate(struct bench_reading *r, const char *value)
{
	return rate(value, &r->plan->rate);
}

static const char *take_connect_rate(struct bench_reading *r, const char *value)
{
	return rate(value, &r->plan->connect_rate);
}

static const char *take_arrivals(struct bench_reading *r, const char *value)
{
	r->wish.arrivals = true;
	r->plan->poisson = strcmp(value, "poisson") == 0;
	return r->plan->poisson || strcmp(value, "even") == 0 ? NULL : "even or poisson";
}

static const char *take_new_connections(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->new_connections = true;
	return NULL;
}

static const char *take_message(struct bench_reading *r, const char *value)
{
	r->wish.text = value;
	return NULL;
}

static const char *take_message_file(struct bench_reading *r, const char *value)
{
	r->wish.file = value;
	return NULL;
}

static const char *take_size(struct bench_reading *r, const char *value)
{
	r->wish.size = value;
	if (units_parse_size(value, &r->wish.bytes) == -1 || r->wish.bytes > MESSAGE_MAX)
		return "a size, such as 64, 4k or 1M, at most 1G";
	return NULL;
}

static const char *take_answer(struct bench_reading *r, const char *value)
{
	r->wish.answer = true;
	return answer_rule_parse(value, &r->plan->answer) == 0
		? NULL : "length, length:N, line, netstring, length32, eof or none";
}

static const char *take_raw(struct bench_reading *r, const char *value)
{
	(void)value;
	r->wish.raw = true;
	return NULL;
}

static const char *take_echo(struct bench_reading *r, const char *value)
{
	(void)value;
	r->wish.echo = true;
	return NULL;
}

static const char *take_expect(struct bench_reading *r, const char *value)
{
	r->wish.expect = value;
	return NULL;
}

static const char *take_expect_file(struct bench_reading *r, const char *value)
{
	r->wish.expect_file = value;
	return NULL;
}

static const char *take_max_answer(struct bench_reading *r, const char *value)
{
	int64_t bytes;

	if (units_parse_size(value, &bytes) == -1 || bytes == 0)
		return "a size, such as 64k or 16M";
	r->plan->answer.max = (uint64_t)bytes;
	return NULL;
}

static const char *take_stream(struct bench_reading *r, const char *value)
{
	r->wish.stream = true;
	return bench_stream_parse(value, &r->plan->stream) == 0 ? NULL : "both, send or receive";
}

static const char *take_source(struct bench_reading *r, const char *value)
{
	return address_range_parse(value, &r->plan->source) == 0
		? NULL : "an address, or a network such as 127.0.0.0/8";
}

static const char *take_proxy(struct bench_reading *r, const char *value)
{
	r->plan->proxy = strcmp(value, "v1") == 0 ? BENCH_PROXY_V1 :
	                 strcmp(value, "v2") == 0 ? BENCH_PROXY_V2 : BENCH_PROXY_NONE;
	return r->plan->proxy != BENCH_PROXY_NONE ? NULL : "v1 or v2";
}

static const char *take_proxy_source(struct bench_reading *r, const char *value)
{
	return address_range_parse(value, &r->plan->proxy_source) == 0
		? NULL : "an address, or a network such as 10.0.0.0/8";
}

static const char *take_tls(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->tls.on = true;
#ifndef HAVE_OPENSSL
	r->wish.tls_is_missing = true;
#endif
	return NULL;
}

static const char *take_tls_version(struct bench_reading *r, const char *value)
{
	struct bench_tls_plan *tls = &r->plan->tls;

	tls->version = strcmp(value, "1.2") == 0 ? BENCH_TLS_1_2 :
	               strcmp(value, "1.3") == 0 ? BENCH_TLS_1_3 : BENCH_TLS_ANY;
	return tls->version != BENCH_TLS_ANY ? NULL : "1.2 or 1.3";
}

static const char *take_ca(struct bench_reading *r, const char *value)
{
	r->plan->tls.ca = value;
	return NULL;
}

static const char *take_sni(struct bench_reading *r, const char *value)
{
	r->plan->tls.sni = value;
	return NULL;
}

static const char *take_cert(struct bench_reading *r, const char *value)
{
	r->plan->tls.cert = value;
	return NULL;
}

static const char *take_key(struct bench_reading *r, const char *value)
{
	r->plan->tls.key = value;
	return NULL;
}

static const char *take_resume(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->tls.resume = true;
	return NULL;
}

static const char *take_quiet(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->quiet = true;
	return NULL;
}

static const char *take_json(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->json = true;
	return NULL;
}

static const char *take_save(struct bench_reading *r, const char *value)
{
	r->plan->save = value;
	return NULL;
}

static const char *take_compare(struct bench_reading *r, const char *value)
{
	r->plan->compare = value;
	return NULL;
}

static const char *take_gate(struct bench_reading *r, const char *value)
{
	(void)value;
	r->plan->gate = true;
	return NULL;
}

/* ---- the table ---------------------------------------------------------- */

static const struct bench_row rows[] = {
	{ "mode", "MODE", take_mode, 'm', "ping-pong (default), connect, hold, stream, open-loop" },
	{ "connections", "N", take_connections, 'n', "connections at once (1)" },
	{ "threads", "N", take_threads, 't', "threads that share them (1)" },
	{ "duration", "TIME", take_duration, 'd', "the measured part (10s, or as long as --count takes)" },
	{ "count", "N", take_count, 'k', "stop after N operations" },
	{ "warm-up", "TIME", take_warm_up, 'w', "run like this first, not counted" },
	{ "rate", "RATE", take_rate, 'r', "open-loop: arrivals, as in 500/s" },
	{ "arrivals", "HOW", take_arrivals, 0, "open-loop: even (default) or poisson" },
	{ "new-connections", NULL, take_new_connections, 0, "open-loop: a connection for each arrival" },
	{ "connect-rate", "RATE", take_connect_rate, 0, "at most RATE connects a second" },
	{ "opening", "N", take_opening, 0, "at most N connects under way while all are opened (64)" },
	{ "message", "TEXT", take_message, 0, "what is sent; escapes: \\n \\r \\t \\0 \\\\ \\xNN" },
	{ "message-file", "FILE", take_message_file, 0, "the same from a file, as it is" },
	{ "size", "SIZE", take_size, 0, "send SIZE generated bytes (64)" },
	{ "answer", "END", take_answer, 0,
	  "length (default), length:N, line, netstring, length32, eof, none" },
	{ "raw", NULL, take_raw, 0, "do not frame what is sent" },
	{ "echo", NULL, take_echo, 0, "the answer must be the request" },
	{ "expect", "TEXT", take_expect, 0, "the answer must be this" },
	{ "expect-file", "FILE", take_expect_file, 0, "the same from a file" },
	{ "max-answer", "SIZE", take_max_answer, 0, "a longer answer is an error (16M)" },
	{ "stream", "WAY", take_stream, 0, "stream: both (default), send, receive" },
	{ "source", "ADDRESS[/PREFIX]", take_source, 0, "connect from these addresses in turn" },
	{ "proxy", "VERSION", take_proxy, 0, "send a PROXY header first: v1 or v2" },
	{ "proxy-source", "ADDRESS[/PREFIX]", take_proxy_source, 0, "the clients that it names, in turn" },
	{ "tls", NULL, take_tls, 0, "speak TLS" },
	{ "tls-version", "VERSION", take_tls_version, 0, "TLS: only 1.2 or 1.3" },
	{ "ca", "FILE", take_ca, 0, "TLS: verify the server with these certificates" },
	{ "sni", "NAME", take_sni, 0, "TLS: the server's name (the host of ADDRESS)" },
	{ "cert", "FILE", take_cert, 0, "TLS: the certificate to show, with its chain" },
	{ "key", "FILE", take_key, 0, "TLS: its private key (in the file of --cert)" },
	{ "resume", NULL, take_resume, 0, "TLS: resume sessions" },
	{ "timeout", "TIME", take_timeout, 'T', "how long a connect or an exchange may take (10s)" },
	{ "max-errors", "N", take_max_errors, 0, "give up after N errors (1000)" },
	{ "quiet", NULL, take_quiet, 'q', "no progress, no histogram" },
	{ "json", NULL, take_json, 0, "the report as JSON" },
	{ "save", "FILE", take_save, 0, "write the JSON to FILE as well" },
	{ "compare", "FILE", take_compare, 0, "compare with such a file in a table" },
	{ "gate", NULL, take_gate, 0, "for scripts: stop before and after the measured part" },
	{ "help", NULL, NULL, 'h', "print this" },
	{ "version", NULL, NULL, 'V', "print the version" },
};

const struct bench_row *bench_rows(size_t *n)
{
	*n = sizeof rows / sizeof rows[0];
	return rows;
}
