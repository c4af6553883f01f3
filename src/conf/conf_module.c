/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes what the configuration says of a module, and talks to the child that tries it
 * (module_trial.c).
 */
#include <config.h>
#include "conf_module.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_options.h"
#include "module_file.h"
#include "module_trial.h"

#define LUA_MODULE "lua.so"

const char *conf_module_folder(void)
{
	const char *folder = secure_getenv("DROVER_MODULES");

	return folder && folder[0] == '/' ? folder : MODULESDIR;
}

/* ---- what is written ----------------------------------------------------- */

static const char *in_folder(struct conf_loader *ld, const char *file)
{
	return conf_loader_printf(ld, "%s/%s", conf_module_folder(), file);
}

/* Options that drover makes itself, for a service that has none. */
static struct conf_option *no_options(struct conf_loader *ld, const struct conf_draft *d, size_t room)
{
	char name[CONF_SOURCE_NAME_MAX];
	const config_setting_t *handler = conf_draft_origin(d, "handler");

	conf_source_full_name(handler, name, sizeof name);
	return conf_options_new(ld, conf_source_place(handler), name, room);
}

void conf_module_take(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	struct conf_module *m = &h->module;
	const config_setting_t *options = conf_draft_origin(d, "handler.options");
	const config_setting_t *path = conf_draft_origin(d, "handler.path");

	if (!h->module_file) {
		if (path == d->own)
			conf_source_complain(ld, conf_draft_origin(d, "handler"), "needs path (the shared object"
			                     " of the module)");
		return;
	}
	if (h->module_file[0] != '/' && strchr(h->module_file, '/')) {
		conf_source_complain(ld, path, "is \"%s\" (an absolute path, or the name of a file in %s)",
		                     h->module_file, conf_module_folder());
		return;
	}
	h->options = options == d->own ? NULL : conf_options_load(ld, options);
	m->options = options == d->own ? no_options(ld, d, 0) : h->options;
	if (!m->options)
		return;
	m->place = conf_source_place(path);
	m->has_hang_timeout = conf_draft_origin(d, "hang_timeout") != d->own;
	m->path = h->module_file[0] == '/' ? h->module_file : in_folder(ld, h->module_file);
	m->n_options = conf_options_number(m->options);
}

/* ---- lua ----------------------------------------------------------------- */

static struct conf_option *add(struct conf_loader *ld, struct conf_option *group, const struct conf_draft *d,
                               const char *name, const char *key, enum conf_option_type type)
{
	struct conf_option *o = &group->members[group->n++];

	*o = (struct conf_option){ .type = type, .name = name };
	o->full_name = conf_loader_printf(ld, "%s.%s", group->full_name, name);
	o->place = conf_source_place(conf_draft_origin(d, key));
	return o;
}

static void add_text(struct conf_loader *ld, struct conf_option *group, const struct conf_draft *d,
                     const char *name, const char *key, const char *text)
{
	if (text)
		add(ld, group, d, name, key, CONF_OPTION_TEXT)->text = text;
}

static void add_integer(struct conf_loader *ld, struct conf_option *group, const struct conf_draft *d,
                        const char *name, const char *key, int64_t integer)
{
	struct conf_option *o = add(ld, group, d, name, key, CONF_OPTION_INTEGER);

	o->integer = integer;
	o->number = (double)integer;
}

void conf_module_take_lua(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	struct conf_module *m = &h->module;
	const config_setting_t *options = conf_draft_origin(d, "handler.options");
	struct conf_option *group = no_options(ld, d, 6);

	if (!h->lua.script) {
		if (conf_draft_origin(d, "handler.script") == d->own)
			conf_source_complain(ld, conf_draft_origin(d, "handler"), "needs script (the path of a"
			                     " Lua script)");
		return;
	}
	add_text(ld, group, d, "script", "handler.script", h->lua.script);
	add_text(ld, group, d, "framing", "handler.framing", h->filter.framing_text);
	add_integer(ld, group, d, "memory", "handler.memory", h->lua.memory);
	add_integer(ld, group, d, "instructions", "handler.instructions", h->lua.instructions);
	add_integer(ld, group, d, "time", "handler.time", h->lua.time);
	h->options = options == d->own ? NULL : conf_options_load(ld, options);
	if (h->options)
		group->members[group->n++] = *h->options;
	else if (options != d->own)
		return;
	m->options = group;
	m->place = conf_source_place(conf_draft_origin(d, "handler.script"));
	m->has_hang_timeout = conf_draft_origin(d, "hang_timeout") != d->own;
	m->path = in_folder(ld, LUA_MODULE);
	m->n_options = conf_options_number(group);
}

/* ---- the module itself ---------------------------------------------------- */

/* A module that may block serves one client at a time, and may stand still. */
static void obey_flags(struct conf_loader *ld, struct conf_service *svc)
{
	const struct conf_module *m = &svc->handler.module;

	if (!(m->flags & DROVER_BLOCKING))
		return;
	if (svc->connections != 1)
		conf_errors_at(&ld->errors, m->place, "services.%s has connections = %d, but the module %s"
		               " may block (connections = 1)", svc->name, svc->connections, m->name);
	if (!m->has_hang_timeout)
		svc->hang_timeout = 0;
}

/* Not as root, unless it says so: conf_privileges.c refuses that later. */
static bool has_user(const struct conf_service *svc)
{
	const struct conf_identity *id = &svc->identity;

	if (geteuid() != 0)
		return true;
	return id->uid != (uid_t)CONF_KEEP && (id->uid != 0 || (id->user && strcmp(id->user, "root") == 0));
}

static void check(struct conf_loader *ld, struct conf_service *svc)
{
	struct conf_module *m = &svc->handler.module;
	char why[MODULE_WHY_MAX];
	const int fd = module_file_open(m->path, &m->file, why);

	if (fd == -1) {
		conf_errors_at(&ld->errors, m->place, "services.%s.handler cannot use the module %s: %s",
		               svc->name, m->path, why);
		return;
	}
	if (module_trial(ld, svc, fd))
		obey_flags(ld, svc);
}

/* Not if something else is wrong: only then is it sure as which user each module may run. */
void conf_module_check_all(struct conf_loader *ld)
{
	const unsigned before = ld->errors.count;

	for (size_t i = 0; i < ld->conf->n_services && before == 0; i++)
		if (ld->conf->services[i]->handler.module.path && has_user(ld->conf->services[i]))
			check(ld, ld->conf->services[i]);
}
