/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds a service from the top level, from `defaults`, and from its own group; each overrides
 * the one before it.
 */
#include <config.h>
#include "conf_service.h"

#include <string.h>

#include "conf_address.h"
#include "conf_check.h"
#include "conf_group.h"
#include "conf_identity.h"
#include "conf_logs.h"
#include "conf_proxy.h"
#include "conf_workers.h"
#include "units.h"

#define NAME_MAX_LEN 64

static const char *copy_of(struct conf_loader *ld, const char *s)
{
	return s ? conf_loader_strdup(ld, s) : NULL;
}

static void inherit_identity(struct conf_loader *ld, struct conf_service *svc)
{
	const struct conf_identity *top = &ld->conf->identity;

	svc->identity.user = copy_of(ld, top->user);
	svc->identity.group = copy_of(ld, top->group);
	svc->identity.place = top->place;
	svc->identity.group_place = top->group_place;
}

static void overlay(struct conf_loader *ld, struct conf_service *svc, config_setting_t *layer)
{
	conf_identity_enter(&svc->identity, layer);
	conf_logs_enter(svc, layer);
	conf_group_load(ld, &conf_keys_service, layer, svc);
	conf_workers_overlay(ld, &svc->workers, conf_source_member(layer, "workers"));
}

static void load_listen(struct conf_loader *ld, const struct conf_draft *d)
{
	const config_setting_t *listen = conf_source_member(d->own, "listen");

	conf_proxy_load(ld, d);
	if (listen)
		conf_address_load(ld, d, listen, &d->service->listen, &d->service->n_listen);
	else if (config_setting_is_group(d->own))
		conf_source_complain(ld, d->own, "needs listen (as in listen = \"*:7007\")");
	conf_proxy_check(ld, d);
}

/* How many of its workers can run at once. Nonsense in `cpus` is complained of elsewhere. */
static int usable_cpus(const struct conf_loader *ld, const struct conf_service *svc)
{
	cpu_set_t own;
	const bool given = svc->cpus && units_parse_cpus(svc->cpus, &own) == 0;

	return cpus_usable(&ld->cpus, given ? &own : NULL);
}

/* Numbers that depend on the machine, or on each other. */
static void derive(const struct conf_loader *ld, struct conf_service *svc)
{
	struct conf_workers *w = &svc->workers;
	int n;

	conf_workers_derive(w, svc->connections, usable_cpus(ld, svc));
	/* All workers may die at once, and once more, before starts are delayed. */
	n = w->ranged ? w->max : w->min;
	if (svc->restart.burst < 2 * n)
		svc->restart.burst = 2 * n;
}

static void check_name(struct conf_loader *ld, const config_setting_t *own, const char *name)
{
	if (strchr(name, '*') || strlen(name) > NAME_MAX_LEN)
		conf_source_complain(ld, own, "is not a service name (a letter, then letters,"
		                     " digits, _ and -, at most %d)", NAME_MAX_LEN);
}

static void build(struct conf_loader *ld, struct conf_service *svc, config_setting_t *own,
                  config_setting_t *defaults)
{
	struct conf_draft draft = { .service = svc, .own = own, .defaults = defaults };

	svc->place = conf_source_place(own);
	svc->name = conf_loader_strdup(ld, config_setting_name(own));
	check_name(ld, own, svc->name);
	conf_group_reset(ld, &conf_keys_service, svc);
	conf_workers_reset(ld, &svc->workers);
	inherit_identity(ld, svc);
	conf_logs_inherit(ld, svc);
	if (defaults)
		overlay(ld, svc, defaults);
	overlay(ld, svc, own);
	if (!config_setting_is_group(own))
		return;
	load_listen(ld, &draft);
	derive(ld, svc);
	conf_identity_resolve(ld, &svc->identity);
	conf_check_service(ld, &draft);
	conf_logs_check_service(ld, &draft);
	conf_workers_check(ld, &draft);
}

struct conf_service *conf_service_load(struct conf_loader *ld, config_setting_t *own,
                                       config_setting_t *defaults)
{
	char *pages = conf_loader_next_page(ld), *end;
	struct conf_service *svc = conf_loader_alloc(ld, sizeof *svc);

	build(ld, svc, own, defaults);
	end = conf_loader_next_page(ld);
	svc->pages = pages;
	svc->pages_len = pages && end ? (size_t)(end - pages) : 0;
	return svc;
}
