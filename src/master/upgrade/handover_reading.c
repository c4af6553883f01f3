/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each reader checks one value and, if it is wrong, says so in words that the operator of the failed
 * upgrade gets.
 */
#include <config.h>
#include "handover_reading.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

bool reading_fail(const struct reading *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->why, r->size, format, ap);
	va_end(ap);
	return false;
}

bool reading_unpack(const struct reading *r, const json_t *j, const char *object, const char *format, ...)
{
	json_error_t e;
	va_list ap;
	int result;

	va_start(ap, format);
	result = json_vunpack_ex((json_t *)(uintptr_t)j, &e, 0, format, ap);    /* only reads it */
	va_end(ap);
	return result == 0 || reading_fail(r, "%s: %s", object, e.text);
}

bool reading_get_bytes(const struct reading *r, const json_t *j, const char *object, const char **bytes)
{
	return handover_get_bytes(&r->h->arena, j, bytes) ||
	       reading_fail(r, "%s: not a string of bytes", object);
}

bool reading_get_name(const struct reading *r, const json_t *j, const char *object, const char **name)
{
	return reading_get_bytes(r, j, object, name) &&
	       ((*name && **name) || reading_fail(r, "%s: no name", object));
}

bool reading_get_word(const struct reading *r, const struct handover_words *w, const char *name, int *value)
{
	*value = handover_word(w, name);
	return *value != -1 || reading_fail(r, "\"%s\" is not known", name);
}

void *reading_room(const struct reading *r, const json_t *list, size_t size)
{
	void *items = NULL;

	if (!json_is_array(list))
		reading_fail(r, "a list is missing");
	else if (!(items = arena_alloc(&r->h->arena, (json_array_size(list) + 1) * size)))
		reading_fail(r, "%m");
	return items;
}

bool reading_get_indices(const struct reading *r, const json_t *list, const char *owner, size_t **indices,
                         size_t *n)
{
	const json_t *item;
	size_t i;

	*indices = reading_room(r, list, sizeof **indices);
	if (!*indices)
		return false;
	if (json_array_size(list) > CONF_LISTEN_MAX)
		return reading_fail(r, "%s: too many sockets", owner);
	json_array_foreach(list, i, item) {
		const json_int_t index = json_is_integer(item) ? json_integer_value(item) : -1;

		if (index < 0 || (size_t)index >= r->h->n_sockets)
			return reading_fail(r, "%s: no such socket", owner);
		(*indices)[(*n)++] = (size_t)index;
	}
	return true;
}
