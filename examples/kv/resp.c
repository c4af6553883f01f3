/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parser copies nothing and keeps no state: a request that is not complete is read again from its
 * beginning when more has come. `need` says when that can be of use; without it, a long request that comes
 * in small pieces would cost the square of its length.
 */
#include "resp.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SHORTEST_BULK 6                 /* "$0\r\n\r\n" */

bool slice_integer(struct slice s, int64_t *n)
{
	const bool negative = s.len > 0 && s.at[0] == '-';
	const char *p = s.at + negative, *end = s.at + s.len;
	int64_t value = 0;

	if (p == end || (*p == '0' && s.len > 1))
		return false;
	for (; p < end; p++)            /* downwards, because there is one more of the negative numbers */
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, *p - '0', &value))
			return false;
	*n = value;
	return negative || !__builtin_sub_overflow(0, value, n);
}

bool slice_is(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static enum resp_status broken(struct resp_request *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(r->why, sizeof r->why, format, args);
	va_end(args);
	return RESP_BROKEN;
}

static enum resp_status more(struct resp_request *r, size_t need)
{
	r->need = need;
	return RESP_MORE;
}

static enum resp_status add_arg(struct resp_request *r, const char *at, size_t len)
{
	if (r->n_args == r->room) {
		const size_t room = r->room ? 2 * r->room : 16;
		struct slice *args = realloc(r->args, room * sizeof *args);

		if (!args)
			return broken(r, "out of memory");
		r->args = args;
		r->room = room;
	}
	r->args[r->n_args++] = (struct slice){ at, len };
	return RESP_REQUEST;
}

/* A line of one character and a number, from *p on, which is behind it then. Says nothing of `need`. */
static enum resp_status read_length(struct resp_request *r, const char **p, const char *end, int64_t *n,
                                    const char *kind, const char *kind_of_string)
{
	const size_t left = (size_t)(end - *p);
	const char *cr = memchr(*p, '\r', left < RESP_LINE_MAX ? left : RESP_LINE_MAX);

	if (!cr && left >= RESP_LINE_MAX)
		return broken(r, "too big %s count string", kind_of_string);
	if (!cr || cr + 1 == end)
		return RESP_MORE;
	if (cr[1] != '\n' || !slice_integer((struct slice){ *p + 1, (size_t)(cr - *p - 1) }, n))
		return broken(r, "invalid %s length", kind);
	*p = cr + 2;
	return RESP_REQUEST;
}

/* One bulk, "$3\r\nGET\r\n", from *p on. others: the least number of bytes that follow it. */
static enum resp_status read_bulk(struct resp_request *r, const char *bytes, const char **p, const char *end,
                                  size_t others)
{
	enum resp_status status;
	int64_t len;

	if (*p < end && **p != '$')
		return broken(r, "expected '$', got '%c'", isprint((unsigned char)**p) ? **p : ' ');
	status = read_length(r, p, end, &len, "bulk", "bulk");
	if (status != RESP_REQUEST)
		return status == RESP_MORE ? more(r, (size_t)(end - bytes) + 1 + others) : status;
	if (len < 0 || len > RESP_BULK_MAX)
		return broken(r, "invalid bulk length");
	if (end - *p < len + 2)
		return more(r, (size_t)(*p - bytes) + (size_t)len + 2 + others);
	if ((*p)[len] != '\r' || (*p)[len + 1] != '\n')
		return broken(r, "invalid bulk length");
	*p += len + 2;
	return add_arg(r, *p - len - 2, (size_t)len);
}

static enum resp_status parse_array(struct resp_request *r, const char *bytes, const char *end)
{
	const char *p = bytes;
	int64_t n;
	enum resp_status status = read_length(r, &p, end, &n, "multibulk", "mbulk");

	if (status == RESP_MORE)
		return more(r, (size_t)(end - bytes) + 1);
	if (status == RESP_REQUEST && n > RESP_ARGS_MAX)
		return broken(r, "invalid multibulk length");
	for (; status == RESP_REQUEST && n > 0; n--)
		status = read_bulk(r, bytes, &p, end, (size_t)(n - 1) * SHORTEST_BULK);
	r->used = (size_t)(p - bytes);
	return status;
}

/* What is behind a backslash between double quotes; *p is at the last character of it then. */
static char unescaped(const char **p, const char *end)
{
	static const char letters[] = "nrtba", meanings[] = "\n\r\t\b\a";
	const char *at = *p, *letter = memchr(letters, *at, sizeof letters - 1);

	if (*at != 'x' || end - at < 3 || !isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
		return letter ? meanings[letter - letters] : *at;
	*p += 2;
	return (char)strtol((const char[]){ at[1], at[2], '\0' }, NULL, 16);
}

/* The words of a line, as a shell has them. */
static enum resp_status split_line(struct resp_request *r, const char *p, const char *end)
{
	char *out = r->text, *word = NULL, quote = '\0';
	enum resp_status status = RESP_REQUEST;

	for (; p < end && status == RESP_REQUEST; p++) {
		if (quote && *p == '\\' && end - p > 1 && (quote == '"' || p[1] == '\'')) {
			p++;
			*out++ = quote == '"' ? unescaped(&p, end) : *p;
		} else if (quote && *p == quote) {
			quote = '\0';
			if (end - p > 1 && !isspace((unsigned char)p[1]))
				return broken(r, "unbalanced quotes in request");
		} else if (quote || !isspace((unsigned char)*p)) {
			word = word ? word : out;
			if (!quote && (*p == '"' || *p == '\''))
				quote = *p;
			else
				*out++ = *p;
		} else if (word) {
			status = add_arg(r, word, (size_t)(out - word));
			word = NULL;
		}
	}
	if (quote)
		return broken(r, "unbalanced quotes in request");
	return word && status == RESP_REQUEST ? add_arg(r, word, (size_t)(out - word)) : status;
}

enum resp_status resp_parse(struct resp_request *r, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len < RESP_LINE_MAX ? len : RESP_LINE_MAX);

	r->n_args = 0;
	if (*bytes == '*')
		return parse_array(r, bytes, bytes + len);
	if (!end)
		return len < RESP_LINE_MAX ? more(r, len + 1) : broken(r, "too big inline request");
	if (!r->text && !(r->text = malloc(RESP_LINE_MAX)))
		return broken(r, "out of memory");
	r->used = (size_t)(end - bytes) + 1;
	return split_line(r, bytes, end);
}

void resp_request_free(struct resp_request *r)
{
	free(r->args);
	free(r->text);
	*r = (struct resp_request){ .args = NULL };
}

void resp_add(struct resp_reply *r, const char *bytes, size_t len)
{
	if (r->room - r->len < len) {
		const size_t room = 2 * r->room + len + 1024;
		char *grown = realloc(r->bytes, room);

		if (!grown) {
			r->failed = true;
			return;
		}
		r->bytes = grown;
		r->room = room;
	}
	if (len > 0)
		memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

/* Without printf, which would take longer than all else that a GET needs. */
void resp_number(struct resp_reply *r, char type, int64_t n)
{
	char text[24], *const end = text + sizeof text, *p = end;
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	*--p = '\n';
	*--p = '\r';
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--p = '-';
	*--p = type;
	resp_add(r, p, (size_t)(end - p));
}

void resp_line(struct resp_reply *r, const char *line)
{
	resp_add(r, line, strlen(line));
	resp_add(r, "\r\n", 2);
}

void resp_error(struct resp_reply *r, const char *format, ...)
{
	char line[512] = "-";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 1, sizeof line - 1, format, args);
	va_end(args);
	for (char *p = line; *p; p++)   /* a line break of the client's would begin another reply */
		*p = *p == '\r' || *p == '\n' ? ' ' : *p;
	resp_line(r, line);
}

void resp_bulk(struct resp_reply *r, struct slice s)
{
	resp_number(r, '$', (int64_t)s.len);
	resp_add(r, s.at, s.len);
	resp_add(r, "\r\n", 2);
}

void resp_reply_free(struct resp_reply *r)
{
	free(r->bytes);
	*r = (struct resp_reply){ .bytes = NULL };
}
