/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses requests, and makes answers. control_commands.c knows what a command means.
 */
#include <config.h>
#include "control_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_value.h"

static const char *const error_names[] = {
	[CONTROL_BAD_REQUEST] = "bad-request",
	[CONTROL_UNKNOWN_COMMAND] = "unknown-command",
	[CONTROL_NOT_PERMITTED] = "not-permitted",
	[CONTROL_BUSY] = "busy",
	[CONTROL_NO_SUCH_SERVICE] = "no-such-service",
	[CONTROL_NO_SUCH_CONNECTION] = "no-such-connection",
	[CONTROL_NO_SUCH_CRASH] = "no-such-crash",
	[CONTROL_NO_SUCH_BLOCK] = "no-such-block",
	[CONTROL_REFUSED] = "refused",
	[CONTROL_TOO_MANY_CLIENTS] = "too-many-clients",
	[CONTROL_STOPPING] = "stopping",
	[CONTROL_INTERNAL] = "internal",
};

static const struct {
	const char *name;
	json_type   type;
} keys[CONTROL_KEYS] = {
	[CONTROL_KEY_SERVICE]    = { "service",    JSON_STRING },
	[CONTROL_KEY_TO]         = { "to",         JSON_STRING },
	[CONTROL_KEY_CONNECTION] = { "connection", JSON_STRING },
	[CONTROL_KEY_CRASH]      = { "crash",      JSON_STRING },
	[CONTROL_KEY_PREFIX]     = { "prefix",     JSON_STRING },
	[CONTROL_KEY_FORMAT]     = { "format",     JSON_STRING },
	[CONTROL_KEY_NOW]        = { "now",        JSON_TRUE },
};

const char *control_key_name(enum control_key key)
{
	return keys[key].name;
}

static bool has_type(const json_t *value, json_type type)
{
	return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

static void take_value(struct control_request *r, enum control_key key, const json_t *value)
{
	r->given |= CONTROL_HAS(key);
	switch (key) {
	case CONTROL_KEY_SERVICE:
		r->service = json_string_value(value);
		break;
	case CONTROL_KEY_TO:
		r->to = json_string_value(value);
		break;
	case CONTROL_KEY_CONNECTION:
		r->connection = json_string_value(value);
		break;
	case CONTROL_KEY_CRASH:
		r->crash = json_string_value(value);
		break;
	case CONTROL_KEY_PREFIX:
		r->prefix = json_string_value(value);
		break;
	case CONTROL_KEY_FORMAT:
		r->format = json_string_value(value);
		break;
	case CONTROL_KEY_NOW:
		r->now = json_is_true(value);
		break;
	case CONTROL_KEYS:
		break;
	}
}

static bool take_member(struct control_request *r, const char *name, const json_t *value,
                        char *why, size_t size)
{
	if (strcmp(name, "command") == 0) {
		r->command = json_string_value(value);
		if (!r->command)
			snprintf(why, size, "command must be a string");
		return r->command;
	}
	for (size_t i = 0; i < CONTROL_KEYS; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		if (has_type(value, keys[i].type)) {
			take_value(r, (enum control_key)i, value);
			return true;
		}
		snprintf(why, size, "%s must be %s", name,
		         keys[i].type == JSON_STRING ? "a string" : "true or false");
		return false;
	}
	snprintf(why, size, "\"%.100s\" is not a known key", name);
	return false;
}

static bool take_all(struct control_request *r, char *why, size_t size)
{
	const char *name;
	json_t *value;

	json_object_foreach(r->root, name, value)
		if (!take_member(r, name, value, why, size))
			return false;
	if (!r->command)
		snprintf(why, size, "a request needs a command");
	return r->command;
}

bool control_request_parse(struct control_request *r, const char *line, size_t len,
                           char *why, size_t size)
{
	json_error_t error;

	*r = (struct control_request){ .root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error) };
	if (!r->root)
		snprintf(why, size, "not JSON: %s (column %d)", error.text, error.column);
	else if (!json_is_object(r->root))
		snprintf(why, size, "a request is a JSON object");
	else if (take_all(r, why, size))
		return true;
	control_request_free(r);
	return false;
}

void control_request_free(struct control_request *r)
{
	json_decref(r->root);
	*r = (struct control_request){ .root = NULL };
}

/* Takes answer. */
static char *one_line(json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	char *line = NULL;

	if (text && asprintf(&line, "%s\n", text) == -1)
		line = NULL;
	free(text);
	json_decref(answer);
	return line;
}

char *control_answer_text(json_t *result)
{
	return one_line(json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

char *control_error_text(enum control_error error, const char *message)
{
	return one_line(json_pack("{s:b, s:s, s:o}", "ok", 0, "error", error_names[error],
	                          "message", json_value_text(message)));
}
