/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes JSON values from strings, counts and times.
 */
#include <config.h>
#include "json_value.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

#define ESCAPED_MAX 2048        /* bytes of a string that has to be escaped; it is cut there */

json_t *json_value_text(const char *text)
{
	char safe[ESCAPED_MAX];
	struct text t = text_in(safe, sizeof safe);
	json_t *string = json_string(text);

	if (string)
		return string;
	text_add_safe(&t, text, strlen(text));
	return json_string(safe);
}

json_t *json_value_text_or_null(const char *text)
{
	return text && *text ? json_value_text(text) : json_null();
}

json_t *json_value_count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

json_t *json_value_seconds(int64_t ms)
{
	return json_real((double)ms / 1000);
}

json_t *json_value_hex(const void *bytes, size_t len)
{
	const size_t size = 2 * len + 1;
	char *digits = malloc(size);
	struct text t;
	json_t *string;

	if (!digits)
		return NULL;
	t = text_in(digits, size);
	text_add_hex(&t, bytes, len);
	string = json_stringn(digits, 2 * len);
	free(digits);
	return string;
}

json_t *json_value_process(pid_t pid)
{
	return pid > 0 ? json_integer(pid) : json_null();
}
