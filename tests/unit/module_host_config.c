/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks options up in trees that tests write down.
 */
#include <config.h>
#include "module_host_config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct module_host_option *members_of(struct drover_config *config, const struct drover_option *group)
{
	return group ? ((const struct module_host_option *)group)->members : ((struct module_host_config *)config)->options;
}

static size_t count(const struct module_host_option *o)
{
	size_t n = 0;

	while (o && o[n].type)
		n++;
	return n;
}

static void fill(struct drover_value *v, const struct module_host_option *o)
{
	unit_require(v->size == sizeof *v);
	*v = (struct drover_value){
		.size = sizeof *v, .option = (const struct drover_option *)o, .name = o->name, .type = o->type,
		.text = o->text, .integer = o->integer, .number = o->number, .n = count(o->members)
	};
}

static void complain(struct drover_config *config, const struct drover_option *option, const char *format, ...)
{
	struct module_host_config *c = (struct module_host_config *)config;
	const char *name = option ? ((const struct module_host_option *)option)->name : "options";
	char *text, *line;
	va_list args;

	va_start(args, format);
	unit_require(vasprintf(&text, format, args) >= 0);
	va_end(args);
	unit_require(asprintf(&line, "%s %s\n", name, text) >= 0);
	unit_require(buffer_add(c->complaints, line, strlen(line)) == 0);
	free(text);
	free(line);
	c->has_complained = true;
}

static int find(struct drover_config *config, const struct drover_option *group, const char *name, int type,
                struct drover_value *value)
{
	for (const struct module_host_option *o = members_of(config, group); o && o->type; o++) {
		if (!o->name || strcmp(o->name, name) != 0)
			continue;
		if (!group)
			((struct module_host_config *)config)->asked |= UINT64_C(1) << (o - ((struct module_host_config *)config)->options);
		if (type == 0 || o->type == type || (type == DROVER_NUMBER && o->type == DROVER_INTEGER)) {
			fill(value, o);
			return 1;
		}
		complain(config, (const struct drover_option *)o, "has the wrong type");
	}
	return 0;
}

static int member(struct drover_config *config, const struct drover_option *group, size_t i,
                  struct drover_value *value)
{
	const struct module_host_option *members = members_of(config, group);

	if (i >= count(members))
		return 0;
	fill(value, &members[i]);
	return 1;
}

struct module_host_config module_host_look(const struct module_host_option *options, struct buffer *complaints)
{
	return (struct module_host_config){
		.config = { .size = sizeof (struct drover_config), .service = "s", .find = find, .member = member,
		            .complain = complain },
		.options = options, .complaints = complaints
	};
}

bool module_host_asked_all(const struct module_host_config *c)
{
	return c->asked == (UINT64_C(1) << count(c->options)) - 1;
}
