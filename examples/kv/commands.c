/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands, as functions; the table is at the end. A function returns its reply, or NULL if it
 * has replied. It does not look whether the store has failed: its reply is replaced then.
 */
#include "commands.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define NOT_AN_INTEGER "-ERR value is not an integer or out of range"
#define SYNTAX_ERROR   "-ERR syntax error"
#define NIL            "$-1"

struct command {
	const char       *name;
	size_t            least, most;  /* words, with the name; 0: any number */
	unsigned          kind;
	const char     *(*run)(struct call *c);
	int64_t           number;       /* what makes it different from others with the same function */
};

static struct slice text(const char *s) { return (struct slice){ s, strlen(s) }; }
static const char *reply_number(struct call *c, int64_t n) { resp_number(c->out, ':', n); return NULL; }
static const char *reply_bulk(struct call *c, struct slice s) { resp_bulk(c->out, s); return NULL; }

/* TTL, and PTTL. */
static const char *do_ttl(struct call *c)
{
	const int64_t unit_ms = c->command->number, left_ms = c->entry.expires_ms - store_now_ms();

	if (c->entry.expires_ms == 0)
		return c->there ? ":-1" : ":-2";
	return reply_number(c, (MAX(left_ms, 0) + unit_ms / 2) / unit_ms);
}

/* The time in n units of so many milliseconds, of which there must be enough. */
static const char *read_expiry(struct slice n, int64_t unit_ms, int64_t least, int64_t *expires_ms)
{
	if (!slice_integer(n, expires_ms))
		return NOT_AN_INTEGER;
	if (*expires_ms < least || __builtin_mul_overflow(*expires_ms, unit_ms, expires_ms) ||
	    __builtin_add_overflow(*expires_ms, store_now_ms(), expires_ms))
		return least > 0 ? "-ERR invalid expire time in 'set' command" :
		                   "-ERR invalid expire time in 'expire' command";
	return NULL;
}

static const char *do_set(struct call *c)
{
	bool if_absent = false, if_present = false;
	const char *wrong = NULL;
	int64_t expires_ms = 0;

	for (size_t i = 3; i < c->argc && !wrong; i++) {
		const bool in_seconds = slice_is(c->argv[i], "ex");

		if (slice_is(c->argv[i], "nx") && !if_present)
			if_absent = true;
		else if (slice_is(c->argv[i], "xx") && !if_absent)
			if_present = true;
		else if ((in_seconds || slice_is(c->argv[i], "px")) && expires_ms == 0 && i + 1 < c->argc)
			wrong = read_expiry(c->argv[++i], in_seconds ? 1000 : 1, 1, &expires_ms);
		else
			wrong = SYNTAX_ERROR;
	}
	if (wrong || ((if_absent || if_present) && store_get(c->store, c->argv[1], &c->entry) != if_present))
		return wrong ? wrong : NIL;
	store_put(c->store, c->argv[1], c->argv[2], expires_ms);
	return "+OK";
}

/* INCR, DECR, and INCRBY. */
static const char *do_incr(struct call *c)
{
	int64_t by = c->command->number, n = 0;
	char digits[24];

	if ((c->there && !slice_integer(c->entry.value, &n)) || (c->argc == 3 && !slice_integer(c->argv[2], &by)))
		return NOT_AN_INTEGER;
	if (__builtin_add_overflow(n, by, &n))
		return "-ERR increment or decrement would overflow";
	snprintf(digits, sizeof digits, "%lld", (long long)n);
	store_put(c->store, c->argv[1], text(digits), c->entry.expires_ms);
	return reply_number(c, n);
}

/* The value and more, in a copy: the store lends the value only until something is changed. */
static size_t put_longer(struct call *c, struct slice more, int64_t expires_ms)
{
	const size_t len = c->entry.value.len + more.len;
	char *bytes = malloc(len + 1);

	c->out->failed = c->out->failed || !bytes;
	if (bytes) {
		memcpy(mempcpy(bytes, c->entry.value.at, c->entry.value.len), more.at, more.len);
		store_put(c->store, c->argv[1], (struct slice){ bytes, len }, expires_ms);
	}
	free(bytes);
	return len;
}

/* EXPIRE, and PERSIST. */
static const char *do_expire(struct call *c)
{
	const bool persists = c->argc == 2;
	int64_t expires_ms = 0;
	const char *wrong = persists ? NULL : read_expiry(c->argv[2], 1000, INT64_MIN, &expires_ms);

	if (wrong || !c->there || (persists && c->entry.expires_ms == 0))
		return wrong ? wrong : ":0";
	if (!persists && expires_ms <= store_now_ms())
		store_del(c->store, c->argv[1]);
	else
		put_longer(c, text(""), expires_ms);
	return ":1";
}

static const char *do_mget(struct call *c)
{
	resp_number(c->out, '*', (int64_t)c->argc - 1);
	for (size_t i = 1; i < c->argc; i++)
		if (store_get(c->store, c->argv[i], &c->entry))
			resp_bulk(c->out, c->entry.value);
		else
			resp_line(c->out, NIL);
	return NULL;
}

static const char *do_mset(struct call *c)
{
	for (size_t i = 1; i < c->argc; i += 2)
		store_put(c->store, c->argv[i], c->argv[i + 1], 0);
	return "+OK";
}

/* DEL, and EXISTS. */
static const char *do_each(struct call *c)
{
	int64_t n = 0;

	for (size_t i = 1; i < c->argc; i++)
		n += c->command->number ? store_del(c->store, c->argv[i]) : store_get(c->store, c->argv[i], &c->entry);
	return reply_number(c, n);
}

struct matches {
	char             *pattern;      /* a copy, because fnmatch(3) needs a NUL at its end */
	struct resp_reply keys;         /* their number comes first, and is known last */
	int64_t           n;
};

static void collect(void *arg, struct slice key)
{
	struct matches *m = arg;
	char name[STORE_KEY_MAX + 1];

	*(char *)mempcpy(name, key.at, key.len) = '\0';
	if (m->pattern && fnmatch(m->pattern, name, 0) == 0) {
		resp_bulk(&m->keys, key);
		m->n++;
	}
}

/* KEYS pattern, and SCAN position [MATCH pattern] [COUNT n]. */
static const char *do_scan(struct call *c)
{
	const bool is_keys = c->command->number;
	struct slice pattern = is_keys ? c->argv[1] : text("*");
	int64_t from = 0, count = is_keys ? INT64_MAX : 10;
	struct matches m = { .n = 0 };
	char next[16];

	if (!is_keys && (!slice_integer(c->argv[1], &from) || from < 0 || from > UINT32_MAX))
		return "-ERR invalid cursor";
	for (size_t i = 2; i < c->argc; i += 2)
		if (i + 1 < c->argc && slice_is(c->argv[i], "match"))
			pattern = c->argv[i + 1];
		else if (i + 1 == c->argc || !slice_is(c->argv[i], "count") ||
		         !slice_integer(c->argv[i + 1], &count) || count < 1)
			return SYNTAX_ERROR;
	m.pattern = strndup(pattern.at, pattern.len);
	snprintf(next, sizeof next, "%u", store_visit(c->store, (uint32_t)from, (size_t)count, collect, &m));
	if (!is_keys) {
		resp_number(c->out, '*', 2);
		resp_bulk(c->out, text(next));
	}
	resp_number(c->out, '*', m.n);
	resp_add(c->out, m.keys.bytes, m.keys.len);
	c->out->failed = c->out->failed || m.keys.failed || !m.pattern;
	resp_reply_free(&m.keys);
	free(m.pattern);
	return NULL;
}

static const char *do_info(struct call *c)
{
	char info[128];

	snprintf(info, sizeof info, "redis_version:7.0.0\r\n# Keyspace\r\ndb0:keys=%zu\r\n", store_count(c->store));
	return reply_bulk(c, text(info));
}

/* Redis' own tools ask for these two. */
static const char *do_config(struct call *c)
{
	if (!slice_is(c->argv[1], "get"))
		return "-ERR there is only CONFIG GET";
	if (slice_is(c->argv[2], "save"))
		return "*2\r\n$4\r\nsave\r\n$0\r\n";
	return slice_is(c->argv[2], "appendonly") ? "*2\r\n$10\r\nappendonly\r\n$2\r\nno" : "*0";
}

/* ---- commands of one line; do_ping is ECHO as well ----------------------- */

static const char *do_get(struct call *c)    { return c->there ? reply_bulk(c, c->entry.value) : NIL; }
static const char *do_strlen(struct call *c) { return reply_number(c, (int64_t)c->entry.value.len); }
static const char *do_type(struct call *c)   { return c->there ? "+string" : "+none"; }
static const char *do_append(struct call *c) { return reply_number(c, (int64_t)put_longer(c, c->argv[2], c->entry.expires_ms)); }
static const char *do_dbsize(struct call *c) { return reply_number(c, (int64_t)store_count(c->store)); }
static const char *do_flushdb(struct call *c) { store_clear(c->store); return "+OK"; }
static const char *do_ping(struct call *c)   { return c->argc == 1 ? "+PONG" : reply_bulk(c, c->argv[1]); }
static const char *do_quit(struct call *c)   { c->quits = true; return "+OK"; }
static const char *do_select(struct call *c) { return slice_is(c->argv[1], "0") ? "+OK" : "-ERR DB index is out of range"; }
static const char *do_command(struct call *c) { (void)c; return "*0"; }

enum { WRITE = 1, KEY = 2, PAIRS = 4 };  /* KEY: `there` and `entry` are of argv[1]; PAIRS follow the name */

/* Those that are asked for most come first. */
static const struct command commands[] = {
	{ "get",     2, 2, KEY,         do_get,     0 },
	{ "set",     3, 0, WRITE,       do_set,     0 },
	{ "ping",    1, 2, 0,           do_ping,    0 },
	{ "incr",    2, 2, KEY | WRITE, do_incr,    1 },
	{ "mget",    2, 0, 0,           do_mget,    0 },
	{ "mset",    3, 0, WRITE | PAIRS, do_mset,  0 },
	{ "append",  3, 3, KEY | WRITE, do_append,  0 },
	{ "command", 1, 0, 0,           do_command, 0 },
	{ "config",  3, 3, 0,           do_config,  0 },
	{ "dbsize",  1, 1, 0,           do_dbsize,  0 },
	{ "decr",    2, 2, KEY | WRITE, do_incr,    -1 },
	{ "del",     2, 0, WRITE,       do_each,    1 },
	{ "echo",    2, 2, 0,           do_ping,    0 },
	{ "exists",  2, 0, 0,           do_each,    0 },
	{ "expire",  3, 3, KEY | WRITE, do_expire,  0 },
	{ "flushdb", 1, 2, WRITE,       do_flushdb, 0 },
	{ "incrby",  3, 3, KEY | WRITE, do_incr,    0 },
	{ "info",    1, 0, 0,           do_info,    0 },
	{ "keys",    2, 2, 0,           do_scan,    1 },
	{ "persist", 2, 2, KEY | WRITE, do_expire,  0 },
	{ "pttl",    2, 2, KEY,         do_ttl,     1 },
	{ "quit",    1, 0, 0,           do_quit,    0 },
	{ "scan",    2, 0, WRITE,       do_scan,    0 },
	{ "select",  2, 2, 0,           do_select,  0 },
	{ "strlen",  2, 2, KEY,         do_strlen,  0 },
	{ "ttl",     2, 2, KEY,         do_ttl,     1000 },
	{ "type",    2, 2, KEY,         do_type,    0 },
	{ NULL,      0, 0, 0,           NULL,       0 },
};

void command_run(struct call *c)
{
	const struct slice name = c->argv[0], first = c->argc > 1 ? c->argv[1] : text("");
	const struct command *k = commands;
	const char *line;

	while (k->name && !slice_is(name, k->name))
		k++;
	if (k->kind & WRITE && !store_begin(c->store))
		return;
	c->command = k;
	c->there = k->kind & KEY && c->argc > 1 && store_get(c->store, first, &c->entry);
	if (!c->there)
		c->entry = (struct entry){ .value = text("") };
	if (!k->run)
		resp_error(c->out, "ERR unknown command '%.*s', with args beginning with: '%.*s' ",
		           (int)MIN(name.len, 128), name.at, (int)MIN(first.len, 128), first.at);
	else if (c->argc < k->least || (k->most > 0 && c->argc > k->most) || (k->kind & PAIRS && c->argc % 2 == 0))
		resp_error(c->out, "ERR wrong number of arguments for '%s' command", k->name);
	else if ((line = k->run(c)))
		resp_line(c->out, line);
}
