/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The functions of struct drover_config. Of a list or a group, the module has to ask for itself and
 * for each member.
 */
#include <config.h>
#include "module_options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "list.h"

static struct module_options *of(struct drover_config *config)
{
	return container_of(config, struct module_options, config);
}

/* An option is opaque for modules, and a conf_option for us. */
static const struct conf_option *ours(const struct drover_option *o)
{
	return (const struct conf_option *)(const void *)o;
}

static const struct drover_option *theirs(const struct conf_option *o)
{
	return (const struct drover_option *)(const void *)o;
}

static const struct conf_option *group_of(struct drover_config *config, const struct drover_option *group)
{
	return group ? ours(group) : of(config)->module->options;
}

static void note_asked(struct drover_config *config, const struct conf_option *o)
{
	if (of(config)->asked)
		of(config)->asked[o->number_in_tree] = true;
}

/* A module that was built for another version has another size of the struct. */
static int give(const struct conf_option *o, struct drover_value *value)
{
	const struct drover_value all = {
		.size = value->size, .option = theirs(o), .name = o->name, .type = (int)o->type,
		.text = o->text, .integer = o->integer, .number = o->number, .n = o->n,
	};

	memcpy(value, &all, value->size < sizeof all ? value->size : sizeof all);
	return 1;
}

/* ---- what a module calls ------------------------------------------------- */

static __attribute__((format(printf, 3, 4))) void complain(struct drover_config *config,
                                                           const struct drover_option *option,
                                                           const char *format, ...)
{
	struct module_options *m = of(config);
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	m->n_complaints++;
	m->complain(m->arg, option ? ours(option) : m->module->options, text);
}

static const char *name_of_type(int type)
{
	static const char *const names[] = {
		[DROVER_TEXT] = "a string", [DROVER_INTEGER] = "an integer", [DROVER_NUMBER] = "a number",
		[DROVER_BOOLEAN] = "true or false", [DROVER_GROUP] = "a group, as in { ... }",
		[DROVER_LIST] = "a list, as in [ ... ]",
	};

	return type > 0 && type < (int)(sizeof names / sizeof *names) ? names[type] : "of another type";
}

static bool fits(const struct conf_option *o, int type)
{
	return type == 0 || type == (int)o->type ||
	       (type == DROVER_NUMBER && o->type == CONF_OPTION_INTEGER);
}

static int find(struct drover_config *config, const struct drover_option *group, const char *name,
                int type, struct drover_value *value)
{
	const struct conf_option *in = group_of(config, group);

	for (size_t i = 0; in->type == CONF_OPTION_GROUP && i < in->n; i++) {
		const struct conf_option *o = &in->members[i];

		if (strcmp(o->name, name) != 0)
			continue;
		note_asked(config, o);
		if (fits(o, type))
			return give(o, value);
		complain(config, theirs(o), "must be %s, not %s", name_of_type(type),
		         name_of_type((int)o->type));
	}
	return 0;
}

static int member(struct drover_config *config, const struct drover_option *group, size_t i,
                  struct drover_value *value)
{
	const struct conf_option *in = group_of(config, group);

	if (i >= in->n)
		return 0;
	note_asked(config, &in->members[i]);
	return give(&in->members[i], value);
}

void module_options_init(struct module_options *m, const char *service)
{
	m->n_complaints = 0;
	m->config = (struct drover_config){
		.size = sizeof m->config, .service = service,
		.find = find, .member = member, .complain = complain,
	};
}

/* ---- what it has not asked for ------------------------------------------- */

static void judge(struct module_options *m, const struct conf_option *group)
{
	for (size_t i = 0; i < group->n; i++) {
		const struct conf_option *o = &group->members[i];

		if (m->asked[o->number_in_tree])
			judge(m, o);
		else
			complain(&m->config, theirs(o), "is not known to the module %s %s", m->module->name,
			         m->module->version);
	}
}

void module_options_judge_unasked(struct module_options *m)
{
	judge(m, m->module->options);
}
