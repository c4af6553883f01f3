/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the options of the module.
 */
#include <config.h>
#include "lua_settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MEMORY       ((int64_t)64 << 20)
#define DEFAULT_INSTRUCTIONS 10000000
#define DEFAULT_TIME_MS      1000
#define MOST                 (INT64_MAX / 1000000)      /* so that ns do not overflow */

/* As drover will judge it in frame(), which is not there yet when the configuration is checked. */
static bool is_framing(const char *text)
{
	static const char *const names[] = { "line", "netstring", "length16", "length32" };
	char *end;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0)
			return true;
	if (strncmp(text, "fixed:", 6) != 0 || text[6] < '1' || text[6] > '9')
		return false;
	errno = 0;
	strtoul(text + 6, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool read_script(struct lua_settings *s, struct drover_config *config)
{
	struct drover_value *v = &s->script_option;

	*v = (struct drover_value){ .size = sizeof *v };
	if (!config->find(config, NULL, "script", DROVER_TEXT, v)) {
		config->complain(config, NULL, "need a script, as in script = \"/srv/greet.lua\"");
		return false;
	}
	s->script = v->text;
	if (*s->script != '/') {
		config->complain(config, v->option, "is no absolute path");
		return false;
	}
	return true;
}

static bool read_framing(struct lua_settings *s, struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };

	s->framing = NULL;
	if (!config->find(config, NULL, "framing", DROVER_TEXT, &v))
		return true;
	s->framing = v.text;
	if (is_framing(s->framing))
		return true;
	config->complain(config, v.option, "must be line, netstring, length16, length32 or fixed:N");
	return false;
}

static bool read_limit(int64_t *limit, struct drover_config *config, const char *name, int64_t by_default)
{
	struct drover_value v = { .size = sizeof v };

	*limit = by_default;
	if (!config->find(config, NULL, name, DROVER_INTEGER, &v))
		return true;
	*limit = v.integer;
	if (*limit > 0 && *limit <= MOST)
		return true;
	config->complain(config, v.option, "must be from 1 to %lld", (long long)MOST);
	return false;
}

bool lua_settings_read(struct lua_settings *s, struct drover_config *config)
{
	bool is_good = read_script(s, config);

	/* All are read, so that each mistake is said at once. */
	is_good &= read_framing(s, config);
	is_good &= read_limit(&s->memory, config, "memory", DEFAULT_MEMORY);
	is_good &= read_limit(&s->instructions, config, "instructions", DEFAULT_INSTRUCTIONS);
	is_good &= read_limit(&s->time_ms, config, "time", DEFAULT_TIME_MS);
	s->options = (struct drover_value){ .size = sizeof s->options };
	if (!config->find(config, NULL, "options", DROVER_GROUP, &s->options))
		s->options.n = 0;
	return is_good;
}
