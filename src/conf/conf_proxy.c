/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides for each listener which PROXY headers it expects and whom it believes. What a header
 * says is taken for the truth, so that a listener that others than the proxies can reach must know
 * the proxies: by their addresses, or by the permissions of a socket file.
 */
#include <config.h>
#include "conf_proxy.h"

#include "conf_prefixes.h"

/* ---- proxy_from --------------------------------------------------------- */

static void warn_of_everybody(struct conf_loader *ld, const config_setting_t *setting,
                              const struct conf_prefixes *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].cidr.len == 0)
			conf_source_warn(ld, setting, "believes every address (so any client that reaches the"
			                 " listener can claim any address)");
}

/* The set of a list that setting holds; NULL if it is empty. */
static const struct prefix_set *build_set(struct conf_loader *ld, const config_setting_t *setting,
                                          const char *const *list)
{
	const struct prefix_set *set;
	struct conf_prefixes p = { 0 };

	if (!list[0])
		return NULL;
	conf_prefixes_add_list(ld, &p, setting, list, PREFIX_ALLOW);
	warn_of_everybody(ld, setting, &p);
	set = conf_prefixes_build(ld, &p);
	conf_prefixes_free(&p);
	return set;
}

static const char **no_list(struct conf_loader *ld)
{
	return conf_loader_alloc(ld, sizeof(const char *));
}

void conf_proxy_load(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_service *svc = d->service;

	svc->proxies = build_set(ld, conf_draft_origin(d, "proxy_from"), svc->proxy_from);
}

/* ---- one listener ------------------------------------------------------- */

/* Where its proxy_protocol is written: in its own group, or for the service. */
static const config_setting_t *origin(const struct conf_draft *d, const config_setting_t *setting)
{
	const config_setting_t *own = conf_source_member(setting, "proxy_protocol");

	return own ? own : conf_draft_origin(d, "proxy_protocol");
}

static void take_proxies(struct conf_loader *ld, const struct conf_draft *d,
                         const config_setting_t *setting, struct conf_listen *l)
{
	const config_setting_t *own = conf_source_member(setting, "proxy_from");

	if (own) {
		l->proxies = build_set(ld, own, l->proxy_from);
	} else {
		l->proxy_from = d->service->proxy_from;
		l->proxies = d->service->proxies;
	}
	if (!l->proxy_from[0])
		conf_source_complain(ld, own ? own : origin(d, setting), "%s (the addresses from which a"
		                     " header is believed, as in proxy_from = \"192.0.2.10\")",
		                     own ? "is empty" : "needs proxy_from");
}

static bool is_abstract(const struct conf_listen *l)
{
	return l->kind == LISTEN_UNIX && l->address.u.un.sun_path[0] == '\0';
}

/* Who can connect to a socket file is decided by its mode: all of them are believed. */
static void complete(struct conf_loader *ld, const struct conf_draft *d,
                     const config_setting_t *setting, struct conf_listen *l)
{
	const config_setting_t *own = conf_source_member(setting, "proxy_from");

	if (l->proxy == -1)
		l->proxy = (int)d->service->proxy;
	if (l->proxy == PROXY_OFF && l->kind != LISTEN_UNIX && l->proxy_from[0])
		conf_source_complain(ld, own, "means nothing without proxy_protocol");
	if (l->proxy != PROXY_OFF && is_abstract(l))
		conf_source_complain(ld, origin(d, setting), "cannot be used on %s, to which every local user"
		                     " can connect (use a path, whose mode says who can)", l->text);
	if (l->proxy == PROXY_OFF || l->kind == LISTEN_UNIX)
		l->proxy_from = no_list(ld);
	else
		take_proxies(ld, d, setting, l);
}

void conf_proxy_complete(struct conf_loader *ld, const struct conf_draft *d,
                         const config_setting_t *setting, struct conf_listen *sockets, size_t n)
{
	if (n == 0)
		return;
	complete(ld, d, setting, &sockets[0]);
	for (size_t i = 1; i < n; i++) {
		sockets[i].proxy = sockets[0].proxy;
		sockets[i].proxy_from = sockets[0].proxy_from;
		sockets[i].proxies = sockets[0].proxies;
	}
}

/* ---- the service -------------------------------------------------------- */

/* Whether it means something for any listener; one may have a list of its own. */
static bool is_used(const struct conf_service *svc)
{
	bool used = false;

	for (size_t i = 0; i < svc->n_listen; i++)
		used |= svc->listen[i].proxy != PROXY_OFF && svc->listen[i].kind != LISTEN_UNIX;
	return used;
}

/* What came from `defaults` may be for other services. */
void conf_proxy_check(struct conf_loader *ld, const struct conf_draft *d)
{
	const config_setting_t *own = conf_source_member(d->own, "proxy_from");
	struct conf_service *svc = d->service;

	if (!svc->proxy_from[0] || is_used(svc))
		return;
	if (own)
		conf_source_complain(ld, own, "means nothing without a listener for TCP that has"
		                     " proxy_protocol");
	svc->proxy_from = no_list(ld);
}
