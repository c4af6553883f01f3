/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parser keeps no state: a request that is not complete is read again from its beginning, when at least
 * `need` bytes are there. Without `need`, a long one in small pieces would cost the square of its length.
 */
#include "resp.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BROKEN(r, ...) (snprintf((r)->why, sizeof (r)->why, __VA_ARGS__), RESP_BROKEN)

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

/* "*2\r\n" or "$3\r\n", from *p on, which is behind it then. RESP_MORE: `need` is what is missing of it. */
static enum resp_status read_length(struct resp_request *r, const char **p, const char *end, char type, int64_t *n)
{
	const size_t left = (size_t)(end - *p);
	const char *cr = memchr(*p, '\r', left < RESP_LINE_MAX ? left : RESP_LINE_MAX);

	r->need = 1;
	if (left > 0 && **p != type)
		return BROKEN(r, "expected '%c', got '%c'", type, isprint((unsigned char)**p) ? **p : ' ');
	if (!cr && left >= RESP_LINE_MAX)
		return BROKEN(r, "too big %s count string", type == '*' ? "mbulk" : "bulk");
	if (!cr || cr + 1 == end)
		return RESP_MORE;
	if (cr[1] != '\n' || !slice_integer((struct slice){ *p + 1, (size_t)(cr - *p - 1) }, n) ||
	    (type == '*' ? *n > RESP_ARGS_MAX : *n < 0 || *n > RESP_BULK_MAX))
		return BROKEN(r, "invalid %s length", type == '*' ? "multibulk" : "bulk");
	*p = cr + 2;
	return RESP_REQUEST;
}

/* One argument, "$3\r\nGET\r\n", in the same way. */
static enum resp_status read_bulk(struct resp_request *r, const char **p, const char *end)
{
	int64_t len;
	const enum resp_status status = read_length(r, p, end, '$', &len);

	if (status != RESP_REQUEST)
		return status;
	r->need = (size_t)(len + 2 - (end - *p));
	if (end - *p < len + 2)
		return RESP_MORE;
	if (memcmp(*p + len, "\r\n", 2) != 0)
		return BROKEN(r, "invalid bulk length");
	r->args[r->n_args++] = (struct slice){ *p, (size_t)len };
	*p += len + 2;
	return RESP_REQUEST;
}

static enum resp_status parse_array(struct resp_request *r, const char *bytes, const char *end)
{
	const char *p = bytes;
	int64_t n = 0;
	enum resp_status status = read_length(r, &p, end, '*', &n);

	for (; status == RESP_REQUEST && n > 0; n--)
		status = read_bulk(r, &p, end);
	r->used = (size_t)(p - bytes);
	r->need += (size_t)(end - bytes) + (size_t)n * strlen("$0\r\n\r\n");
	return status;
}

/* Words. In single quotes, a backslash is for a quote; in double quotes, for any character. */
static enum resp_status parse_line(struct resp_request *r, const char *p, const char *end)
{
	char *out = r->text, *word, quote = '\0';

	for (;;) {
		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end)
			return RESP_REQUEST;
		for (word = out; p < end && (quote || !isspace((unsigned char)*p)); p++)
			if (quote && *p == '\\' && end - p > 1 && (quote == '"' || p[1] == '\''))
				*out++ = *++p;
			else if (!quote && (*p == '"' || *p == '\''))
				quote = *p;
			else if (!quote || *p != quote)
				*out++ = *p;
			else if (end - p == 1 || isspace((unsigned char)p[1]))
				quote = '\0';
			else
				break;          /* within the quote: that is wrong */
		if (quote)
			return BROKEN(r, "unbalanced quotes in request");
		r->args[r->n_args++] = (struct slice){ word, (size_t)(out - word) };
	}
}

enum resp_status resp_parse(struct resp_request *r, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len < RESP_LINE_MAX ? len : RESP_LINE_MAX);

	r->n_args = 0;
	if (*bytes == '*')
		return parse_array(r, bytes, bytes + len);
	r->need = len + 1;
	if (!end)
		return len < RESP_LINE_MAX ? RESP_MORE : BROKEN(r, "too big inline request");
	r->used = (size_t)(end - bytes) + 1;
	return parse_line(r, bytes, end);
}

void resp_add(struct resp_reply *r, const char *bytes, size_t len)
{
	if (r->room - r->len < len) {
		const size_t room = 2 * r->room + len + 1024;
		char *grown = realloc(r->bytes, room);

		r->failed = r->failed || !grown;
		if (!grown)
			return;
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
	char text[24], *const end = text + sizeof text, *p = end - 2;
	uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

	memcpy(p, "\r\n", 2);
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
