/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the fields of a line, with those of the process for what the line does not say itself.
 */
#include <config.h>
#include "log_fields.h"

#include <string.h>

#define VALUE_MAX 64                    /* bytes: the longest name of a service; ids are shorter */

static struct {
	const char  *service;
	unsigned int worker;
} process;

void log_fields_identify(const char *service, unsigned int worker)
{
	process.service = service;
	process.worker = worker;
}

static struct log_fields complete(const struct log_fields *f)
{
	struct log_fields all = f ? *f : (struct log_fields){ .service = NULL };

	if (!all.service)
		all.service = process.service;
	if (all.worker == 0)
		all.worker = process.worker;
	return all;
}

static size_t length_of(const char *value)
{
	return strnlen(value, VALUE_MAX);
}

static void add_field(struct text *t, const char *name, const char *value)
{
	if (!value)
		return;
	text_add(t, "%s=", name);
	text_add_safe(t, value, length_of(value));
	text_add_string(t, "\n");
}

void log_fields_add_journal(struct text *t, const struct log_fields *f)
{
	const struct log_fields all = complete(f);

	add_field(t, "SERVICE", all.service);
	if (all.worker > 0)
		text_add(t, "WORKER=%u\n", all.worker - 1);
	add_field(t, "CONNECTION", all.connection);
	add_field(t, "EVENT", log_events_word(all.event));
	add_field(t, "MESSAGE_ID", log_events_id(all.event));
}

static void add_member(struct text *t, const char *name, const char *value)
{
	if (!value)
		return;
	text_add(t, "\"%s\":\"", name);
	text_add_json(t, value, length_of(value));
	text_add_string(t, "\",");
}

void log_fields_add_json(struct text *t, const struct log_fields *f)
{
	const struct log_fields all = complete(f);

	add_member(t, "service", all.service);
	if (all.worker > 0)
		text_add(t, "\"worker\":%u,", all.worker - 1);
	add_member(t, "connection", all.connection);
	add_member(t, "event", log_events_word(all.event));
}
