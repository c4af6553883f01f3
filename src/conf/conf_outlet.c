/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks `metrics` and `agent`. Figures tell what a server does and when it is weak: other machines
 * get them only if the configuration says so.
 */
#include <config.h>
#include "conf_outlet.h"

#include <arpa/inet.h>

#include "conf_address.h"
#include "conf_prefixes.h"
#include "conf_value.h"

/* True if only processes of this machine can connect. What is inherited may be anything. */
static bool is_local(const struct conf_listen *l)
{
	switch (l->kind) {
	case LISTEN_UNIX:
		return true;
	case LISTEN_SYSTEMD:
		return false;
	case LISTEN_INET:
		break;
	}
	if (l->address.u.sa.sa_family == AF_INET)
		return ntohl(l->address.u.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&l->address.u.in6.sin6_addr);
}

static const struct conf_listen *find_exposed(const struct conf_outlet *o)
{
	for (size_t i = 0; i < o->n_listen; i++)
		if (!is_local(&o->listen[i]))
			return &o->listen[i];
	return NULL;
}

static void take_allowed(struct conf_loader *ld, struct conf_outlet *o, const config_setting_t *setting)
{
	struct conf_prefixes p = { 0 };

	if (!o->allow[0])
		return;
	conf_prefixes_add_list(ld, &p, setting, o->allow, PREFIX_ALLOW);
	o->allowed = conf_prefixes_build(ld, &p);
	conf_prefixes_free(&p);
}

static void load_outlet(struct conf_loader *ld, struct conf_outlet *o, const config_setting_t *group)
{
	const config_setting_t *listen = conf_source_member(group, "listen");
	const struct conf_listen *exposed;

	if (!group || !config_setting_is_group(group))
		return;                 /* of anything else has been complained */
	o->place = conf_source_place(group);
	if (!listen) {
		conf_source_complain(ld, group, "needs listen (as in listen = \"127.0.0.1:9550\")");
		return;
	}
	conf_address_load(ld, NULL, listen, &o->listen, &o->n_listen);
	take_allowed(ld, o, conf_source_member(group, "allow"));
	exposed = find_exposed(o);
	if (exposed && !o->allow[0])
		conf_source_complain(ld, listen, "\"%s\" can be reached by other machines: say which of them"
		                     " may ask (as in allow = [ \"192.0.2.0/24\" ])", exposed->text);
}

void conf_outlet_load(struct conf_loader *ld, const config_setting_t *root)
{
	load_outlet(ld, &ld->conf->metrics.outlet, conf_source_member(root, "metrics"));
	load_outlet(ld, &ld->conf->agent.outlet, conf_source_member(root, "agent"));
}
