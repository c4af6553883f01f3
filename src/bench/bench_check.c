/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules for options that depend on each other, each with the message for a plan that breaks it.
 */
#include <config.h>
#include "bench_check.h"

#include <stddef.h>

struct rule {
	bool        is_broken;
	const char *says;
};

static const char *first_broken(const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rules[i].is_broken)
			return rules[i].says;
	return NULL;
}

#define FIRST_BROKEN(rules) first_broken(rules, sizeof (rules) / sizeof (rules)[0])

static const char *check_load(const struct bench_plan *p, const struct bench_wish *w)
{
	const bool open_loop = p->mode == BENCH_OPEN_LOOP, hold = p->mode == BENCH_HOLD;
	const struct rule rules[] = {
		{ open_loop && p->rate == 0, "--mode open-loop needs --rate, as in --rate 500/s" },
		{ !open_loop && p->rate > 0, "--rate is for --mode open-loop" },
		{ !open_loop && w->arrivals, "--arrivals is for --mode open-loop" },
		{ !open_loop && p->new_connections,
		  "--new-connections is for --mode open-loop (--mode connect makes a new one each time)" },
		{ p->threads > p->connections,
		  "more threads than connections: --threads can be at most --connections" },
		{ w->opening && (p->mode == BENCH_CONNECT || p->new_connections),
		  "--opening is for connections that stay open; here --connections limits them" },
		{ hold && p->count, "--count is not for --mode hold, which has no operations" },
		{ hold && p->warm_up_ns, "--warm-up is not for --mode hold" },
		{ hold && !p->has_message && (w->answer || w->echo || p->answer.expect || w->raw),
		  "--mode hold makes an exchange only if there is a message: add --message or --size" },
		{ hold && p->gate && w->duration,
		  "--duration is not for --mode hold with --gate: a line on standard input ends it" },
	};

	return FIRST_BROKEN(rules);
}

static const char *check_stream(const struct bench_plan *p, const struct bench_wish *w)
{
	const bool is = p->mode == BENCH_STREAM;
	const struct rule rules[] = {
		{ !is && w->stream, "--stream is for --mode stream" },
		{ is && (w->answer || p->answer.expect || w->raw),
		  "--answer, --expect and --raw are not for --mode stream, which has no answers" },
		{ is && p->stream == BENCH_STREAM_RECEIVE && (w->text || w->file),
		  "nothing is sent with --stream receive: leave out --message" },
		{ is && p->stream != BENCH_STREAM_BOTH && w->echo, "--echo needs --stream both" },
		{ is && p->message_bytes == 0, "a stream needs at least a byte: --size 1 or more" },
	};

	return FIRST_BROKEN(rules);
}

static const char *check_message(const struct bench_plan *p, const struct bench_wish *w)
{
	const enum answer_kind kind = p->answer.kind;
	const bool empty = p->message_bytes == 0 && p->mode != BENCH_STREAM;
	const bool silent = empty && (kind != ANSWER_FRAMED || w->raw);
	const struct rule rules[] = {
		{ !!w->text + !!w->file + !!w->size > 1,
		  "--message, --message-file and --size exclude each other" },
		{ w->expect && w->expect_file, "--expect and --expect-file exclude each other" },
		{ w->echo && (w->expect || w->expect_file), "--echo and --expect exclude each other" },
		{ w->raw && kind != ANSWER_FRAMED,
		  "--raw is for --answer line, netstring or length32: nothing else is framed" },
		{ kind == ANSWER_NONE && (w->echo || p->answer.expect),
		  "with --answer none no answer is expected: leave out --echo and --expect" },
		{ kind == ANSWER_EOF && bench_plan_keeps_connections(p) && p->mode != BENCH_STREAM,
		  "--answer eof uses up its connection: it is for --mode connect, or open-loop with"
		  " --new-connections" },
		{ silent && kind != ANSWER_EOF && !(kind == ANSWER_LENGTH && p->answer.length),
		  "an empty message is for --answer eof or length:N: --size 1 or more" },
		{ kind == ANSWER_LENGTH && p->answer.length && p->answer.expect &&
		  p->answer.length != p->answer.expect_len,
		  "--answer length:N and the length of --expect differ: leave out --answer" },
		{ kind == ANSWER_LENGTH && p->answer.length && w->echo,
		  "--echo needs an answer as long as the request: --answer length" },
		{ p->answer.expect && p->answer.expect_len == 0 && kind == ANSWER_LENGTH,
		  "an empty --expect is for --answer eof or a framed one" },
		{ kind == ANSWER_LENGTH && p->answer.length > p->answer.max,
		  "--answer length:N is more than --max-answer" },
		{ (uint64_t)p->message_bytes > p->answer.max &&
		  (p->answer.echo || (kind == ANSWER_LENGTH && !p->answer.length)) && p->mode != BENCH_STREAM,
		  "the answer would be as long as the request, which is more than --max-answer" },
	};

	return FIRST_BROKEN(rules);
}

static const char *check_tls(const struct bench_plan *p, const struct bench_wish *w)
{
	const struct bench_tls_plan *tls = &p->tls;
	const struct rule rules[] = {
		{ w->tls_is_missing, "this drover-bench was built without OpenSSL (./configure"
		  " --without-openssl): --tls needs one that was built with it" },
		{ !tls->on && tls->version != BENCH_TLS_ANY, "--tls-version needs --tls" },
		{ !tls->on && tls->ca, "--ca needs --tls" },
		{ !tls->on && tls->sni, "--sni needs --tls" },
		{ !tls->on && tls->cert, "--cert needs --tls" },
		{ !tls->on && tls->key, "--key needs --tls" },
		{ !tls->on && tls->resume, "--resume needs --tls" },
		{ tls->key && !tls->cert, "--key needs the certificate: --cert FILE" },
	};

	return FIRST_BROKEN(rules);
}

const char *bench_check_addresses(const struct bench_plan *p)
{
	const sa_family_t family = p->to.u.sa.sa_family;
	const struct rule rules[] = {
		{ p->source.count && family == AF_UNIX, "--source is not for unix sockets" },
		{ p->source.count && family != p->source.first.u.sa.sa_family,
		  "--source and ADDRESS are of different families (IPv4, IPv6)" },
		{ p->proxy_source.count && p->proxy == BENCH_PROXY_NONE,
		  "--proxy-source needs --proxy v1 or v2" },
	};

	return FIRST_BROKEN(rules);
}

const char *bench_check(const struct bench_plan *p, const struct bench_wish *w)
{
	const char *wrong = check_load(p, w);

	wrong = wrong ? wrong : check_tls(p, w);
	wrong = wrong ? wrong : check_stream(p, w);
	return wrong ? wrong : check_message(p, w);
}
