/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Goes through the services, and writes a line for each that does not serve.
 */
#include <config.h>
#include "ready.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* Phases in which no client should be sent here, whatever the services do. */
static bool serves(const char *phase)
{
	static const char *const away[] = { "starting", "leaving", "stopping", "resting" };

	for (size_t i = 0; i < sizeof away / sizeof *away; i++)
		if (strcmp(phase, away[i]) == 0)
			return false;
	return true;
}

/* A worker that has died is replaced at once, unless its service crashes again and again. */
static bool is_ready(const json_t *service)
{
	const char *state = text_of(service, "state");
	const bool is_delayed = json_number_value(json_object_get(service, "restart_delay")) > 0;

	return (strcmp(state, "serving") == 0 || strcmp(state, "exhausted") == 0) &&
	       !(is_delayed && json_is_false(json_object_get(service, "serves")));
}

static void describe(FILE *out, const json_t *service)
{
	const char *state = text_of(service, "state"), *reason = text_of(service, "reason");

	if (strcmp(state, "serving") == 0)
		reason = "its workers die, and the next one is delayed";
	fprintf(out, "%s: %s%s%s\n", text_of(service, "name"), state, *reason ? ": " : "", reason);
}

enum ready ready_judge(const json_t *status, const char *service, char **why)
{
	const json_t *services = json_object_get(status, "services"), *s;
	const char *phase = text_of(status, "phase");
	enum ready verdict = service ? READY_UNKNOWN : READY;
	size_t i, len;
	FILE *out;

	*why = NULL;
	out = open_memstream(why, &len);
	if (!out)
		return READY_NOT;
	json_array_foreach(services, i, s) {
		if (service && strcmp(text_of(s, "name"), service) != 0)
			continue;
		if (verdict == READY_UNKNOWN)
			verdict = READY;
		if (is_ready(s))
			continue;
		verdict = READY_NOT;
		describe(out, s);
	}
	if (verdict == READY_UNKNOWN) {
		fputs("There is no such service.\n", out);
	} else if (!serves(phase)) {
		verdict = READY_NOT;
		fprintf(out, "The server is %s.\n", phase);
	} else if (verdict == READY) {
		fputs("ready\n", out);
	}
	fclose(out);
	return verdict;
}
