/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a configuration from files, and decides in which order its parts are read.
 */
#include <config.h>
#include "conf.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf_capabilities.h"
#include "conf_control.h"
#include "conf_cores.h"
#include "conf_group.h"
#include "conf_identity.h"
#include "conf_include.h"
#include "conf_logs.h"
#include "conf_module.h"
#include "conf_overlap.h"
#include "conf_outlet.h"
#include "conf_own_files.h"
#include "conf_prefix_file.h"
#include "conf_privileges.h"
#include "conf_sandbox.h"
#include "conf_service.h"

/* The settings of all services, of all files. */
struct collected {
	config_setting_t **settings;
	size_t             n;
};

static const char *absolute(struct conf_loader *ld, const char *file)
{
	char *folder;
	const char *path;

	if (*file == '/')
		return conf_loader_strdup(ld, file);
	while (strncmp(file, "./", 2) == 0)
		file += 2;
	folder = getcwd(NULL, 0);
	if (!folder)
		return conf_loader_strdup(ld, file);
	path = conf_loader_printf(ld, "%s/%s", strcmp(folder, "/") ? folder : "", file);
	free(folder);
	return path;
}

static struct conf_source *open_main(struct conf_loader *ld, const char *file, const char *text)
{
	if (text)
		return conf_source_parse(ld, file, text);
	ld->conf->file = absolute(ld, file);
	return conf_source_read(ld, ld->conf->file, (struct conf_place){ ld->conf->file, 0 });
}

static void load_top(struct conf_loader *ld, const config_setting_t *root)
{
	struct conf *conf = ld->conf;

	conf_group_reset(ld, &conf_keys_top, conf);
	conf_identity_enter(&conf->identity, root);
	conf_group_load(ld, &conf_keys_top, root, conf);
	conf_identity_resolve(ld, &conf->identity);
	conf_logs_check_top(ld, root);
	conf_control_load(ld, root);
	conf_outlet_load(ld, root);
}

/* Complains of everything but services in an included file. */
static void check_included(struct conf_loader *ld, const config_setting_t *root)
{
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = conf_source_item(root, i);

		if (strcmp(config_setting_name(setting), "services") != 0)
			conf_source_complain(ld, setting, "cannot stand in an included file"
			                     " (only services can)");
	}
}

static void collect_from(struct conf_loader *ld, const config_setting_t *root, struct collected *h)
{
	const config_setting_t *services = conf_source_member(root, "services");
	int n = services ? config_setting_length(services) : 0;

	if (!services)
		return;
	if (!config_setting_is_group(services)) {
		conf_source_complain(ld, services, "must be a group, as in { ... }, not %s",
		                     conf_value_kind(services));
		return;
	}
	h->settings = reallocarray(h->settings, h->n + (size_t)n + 1, sizeof *h->settings);
	if (!h->settings)
		abort();
	for (int i = 0; i < n; i++)
		h->settings[h->n++] = conf_source_item(services, i);
}

static int by_name_and_place(const void *one, const void *other)
{
	const config_setting_t *a = *(config_setting_t *const *)one;
	const config_setting_t *b = *(config_setting_t *const *)other;
	int diff = strcmp(config_setting_name(a), config_setting_name(b));

	return diff ? diff : strcmp(conf_source_place(a).file, conf_source_place(b).file);
}

static void complain_of_twin(struct conf_loader *ld, const config_setting_t *first,
                             const config_setting_t *then)
{
	struct conf_place place = conf_source_place(first);

	conf_source_complain(ld, then, "is defined twice (the first time at %s:%d)",
	                     place.file, place.line);
}

static void load_services(struct conf_loader *ld, const struct collected *h,
                          config_setting_t *defaults)
{
	struct conf *conf = ld->conf;

	conf->services = conf_loader_alloc(ld, (h->n + 1) * sizeof *conf->services);
	for (size_t i = 0; i < h->n && !ld->full; i++) {
		struct conf_service *svc = conf_service_load(ld, h->settings[i], defaults);

		if (i > 0 && strcmp(config_setting_name(h->settings[i - 1]), svc->name) == 0)
			complain_of_twin(ld, h->settings[i - 1], h->settings[i]);
		if (svc->enabled) {
			conf->services[conf->n_services++] = svc;
		} else {
			conf->n_disabled++;
			/* Checked, and gone: no worker would unmap its pages. */
			arena_rewind(ld->arena, svc->pages);
		}
	}
}

static void load_all_services(struct conf_loader *ld, const config_setting_t *main_root)
{
	config_setting_t *defaults = conf_source_member(main_root, "defaults");
	const config_setting_t *listen = conf_source_member(defaults, "listen");
	struct collected h = { 0 };

	for (const struct conf_source *s = ld->sources; s; s = s->next) {
		if (!s->parsed)
			continue;
		if (s != ld->sources)
			check_included(ld, config_root_setting(&s->tree));
		collect_from(ld, config_root_setting(&s->tree), &h);
	}
	if (listen)
		conf_source_complain(ld, listen, "cannot be a default (each service needs"
		                     " its own)");
	if (h.n)
		qsort(h.settings, h.n, sizeof *h.settings, by_name_and_place);
	load_services(ld, &h, defaults);
	free(h.settings);
}

/* It costs a system call for each connection: only where metrics show the result. */
static void measure_queues(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_services; i++)
		conf->services[i]->measures_queue = conf->metrics.outlet.n_listen > 0;
}

/* What can only be judged at the end, and once. */
static void check_whole(struct conf_loader *ld, struct conf_place main)
{
	const struct conf *conf = ld->conf;

	if (ld->full) {
		conf_errors_at(&ld->errors, main, "configuration too large");
	} else {
		conf_logs_collect(ld);
		conf_overlap_check(ld);
		conf_cores_allow(ld);
		conf_module_check_all(ld);
	}
	if (ld->errors.count == 0 && conf->n_services == 0)
		conf_errors_at(&ld->errors, main, conf->n_disabled ?
		               "no service is enabled" : "there are no services");
}

/* Reads all files, and understands what it can. */
static void load_file(struct conf_loader *ld, const char *file, const char *text)
{
	const struct conf_source *main;
	const config_setting_t *root;

	ld->conf = conf_loader_alloc(ld, sizeof *ld->conf);
	cpus_read(&ld->cpus, "");
	main = open_main(ld, file, text);
	ld->errors.main = ld->sources ? ld->sources->path : NULL;
	if (!main)
		return;
	root = config_root_setting(&main->tree);
	load_top(ld, root);
	conf_include_read(ld, conf_source_place_of(root, "include"));
	load_all_services(ld, root);
	conf_prefix_file_note_all(ld);
	conf_control_check(ld, conf_source_member(root, "control"));
	conf_own_files_check(ld, root);
	check_whole(ld, (struct conf_place){ main->path, 0 });
	measure_queues(ld->conf);
}

/* What may depend on the user that runs it. The exit status. */
static int judge_machine(struct conf_loader *ld, enum conf_asker asker)
{
	if (asker == CONF_FOR_SHELL && conf_sandbox_is_outside())
		conf_sandbox_warn(&ld->errors, ld->conf);
	if (asker == CONF_FOR_SHELL && geteuid() != 0)
		return EX_OK;
	conf_capabilities_warn(&ld->errors, ld->conf);
	return conf_privileges_judge(&ld->errors, ld->conf);
}

/* Of what has been complained of so far. */
static int status_of(const struct conf_errors *r)
{
	if (r->count == 0)
		return EX_OK;
	return r->temporary == r->count ? EX_TEMPFAIL : EX_CONFIG;
}

/* Tells all complaints. The configuration, if it is usable. */
static struct conf *finish_loading(struct conf_loader *ld, bool usable)
{
	struct conf *conf = usable ? ld->conf : NULL;

	conf_errors_flush(&ld->errors);
	conf_source_close_all(ld);
	conf_prefix_file_close_all(ld);
	conf_loader_fini(ld);
	if (conf)
		conf->size = ld->arena->used;
	return conf;
}

struct conf *conf_load(struct arena *a, const char *file, const char *text,
                       conf_complain *complain, void *arg)
{
	struct conf_loader ld = { .arena = a, .errors = { .complain = complain, .arg = arg } };

	load_file(&ld, file, text);
	return finish_loading(&ld, ld.errors.count == 0);
}

int conf_load_for(enum conf_asker asker, struct arena *a, const char *file, const char *text,
                  const struct conf *before, conf_complain *complain, void *arg,
                  const struct conf **conf)
{
	struct conf_loader ld = { .arena = a, .before = before, .errors = { .complain = complain, .arg = arg } };
	int status, privileges = EX_OK;

	load_file(&ld, file, text);
	if (asker == CONF_FOR_SHELL && !ld.full)
		conf_own_files_check_listeners(&ld);
	status = status_of(&ld.errors);
	if (!ld.full && ld.conf->services)
		privileges = judge_machine(&ld, asker);
	/* What is not known now may be what a privilege depends on. */
	status = status == EX_OK ? privileges : status;
	*conf = finish_loading(&ld, status == EX_OK);
	return status;
}
