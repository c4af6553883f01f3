/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds values in JSON objects, and makes text from them.
 */
#include <config.h>
#include "value.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "human.h"

#define KEY_MAX 32

const json_t *value_at(const json_t *object, const char *path)
{
	char key[KEY_MAX];

	while (object && *path) {
		size_t len = strcspn(path, ".");

		assert(len < sizeof key);
		memcpy(key, path, len);
		key[len] = '\0';
		object = json_object_get(object, key);
		path += len;
		path += *path == '.';
	}
	return object;
}

double value_number(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : NAN;
}

double value_number_at(const json_t *object, const char *path)
{
	return value_number(value_at(object, path));
}

void value_put_text(struct text *t, const json_t *value)
{
	if (json_is_string(value) && json_string_length(value) > 0)
		text_add_safe(t, json_string_value(value), json_string_length(value));
	else
		text_add(t, "-");
}

void value_put_count(struct text *t, const json_t *value)
{
	char buf[HUMAN_TEXT_MAX];

	text_add(t, "%s", human_count(value_number(value), buf));
}

void value_put_size(struct text *t, const json_t *value)
{
	char buf[HUMAN_TEXT_MAX];

	text_add(t, "%s", human_size(value_number(value), buf));
}

void value_put_age(struct text *t, const json_t *value)
{
	char buf[HUMAN_TEXT_MAX];

	text_add(t, "%s", human_age(value_number(value), buf));
}

void value_put_texts(struct text *t, const json_t *value)
{
	size_t n = json_array_size(value);

	for (size_t i = 0; i < n; i++) {
		text_add(t, "%s", i > 0 ? ", " : "");
		value_put_text(t, json_array_get(value, i));
	}
	if (n == 0)
		text_add(t, "-");
}

static void put_counts(struct text *t, const json_t *value, bool also_zero)
{
	const char *between = "";

	/* Iterating changes nothing, but json_object_iter takes no pointer to const. */
	for (void *i = json_object_iter((json_t *)value); i; i = json_object_iter_next((json_t *)value, i)) {
		const char *key = json_object_iter_key(i);

		if (!also_zero && json_number_value(json_object_iter_value(i)) == 0)
			continue;
		text_add(t, "%s", between);
		text_add_safe(t, key, strlen(key));
		text_add(t, ":");
		value_put_count(t, json_object_iter_value(i));
		between = ", ";
	}
	if (*between == '\0')
		text_add(t, "-");
}

double value_sum(const json_t *object)
{
	double sum = 0;

	for (void *i = json_object_iter((json_t *)object); i; i = json_object_iter_next((json_t *)object, i))
		sum += json_number_value(json_object_iter_value(i));
	return sum;
}

void value_put_counts(struct text *t, const json_t *value)
{
	put_counts(t, value, true);
}

void value_put_counts_above_zero(struct text *t, const json_t *value)
{
	put_counts(t, value, false);
}
