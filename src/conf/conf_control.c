/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks `control`. Users that may control the server must not be users that serve: a worker
 * that a client has taken over could then control all the others.
 */
#include <config.h>
#include "conf_control.h"

#include <string.h>

#include "conf_identity.h"
#include "control_path.h"

/* The path that the setting names; none if it says so, or is wrong. */
static void take_socket(struct conf_loader *ld, const config_setting_t *setting)
{
	struct conf_control *c = &ld->conf->control;
	const char *text = c->socket;

	c->socket = NULL;
	if (!text || strcmp(text, "none") == 0)
		return;
	if (*text != '/')
		conf_source_complain(ld, setting, "must be an absolute path, or \"none\"");
	else if (address_set_path(&c->address, text) == -1)
		conf_source_complain(ld, setting, "is too long (a socket's path has %zu bytes at most)",
		                     ADDRESS_UNIX_MAX);
	else
		c->socket = text;
}

static void take_default(struct conf_loader *ld)
{
	struct conf_control *c = &ld->conf->control;

	c->is_default = true;
	if (address_set_path(&c->address, control_path_default()) == 0)
		c->socket = conf_loader_strdup(ld, control_path_default());
}

static gid_t find_group(struct conf_loader *ld, const config_setting_t *control, const char *key,
                        const char *name)
{
	gid_t gid = (gid_t)CONF_KEEP;

	if (name)
		conf_identity_find_group(ld, conf_source_place(conf_source_member(control, key)),
		                         name, &gid);
	return gid;
}

void conf_control_load(struct conf_loader *ld, const config_setting_t *root)
{
	struct conf_control *c = &ld->conf->control;
	const config_setting_t *setting = conf_source_member(root, "control");
	const config_setting_t *socket = conf_source_member(setting, "socket");

	c->gid = c->admin_gid = (gid_t)CONF_KEEP;
	c->place = conf_source_place(setting ? setting : root);
	if (socket)
		take_socket(ld, socket);
	else if (!setting || config_setting_is_group(setting))
		take_default(ld);       /* of anything else has been complained */
	if (!setting || !config_setting_is_group(setting))
		return;
	c->gid = find_group(ld, setting, "group", c->group);
	c->admin_gid = find_group(ld, setting, "admin_group", c->admin_group);
}

static bool has_group(const struct conf_identity *id, gid_t gid)
{
	bool found = id->gid == gid;

	for (size_t i = 0; !found && i < id->n_groups; i++)
		found = id->groups[i] == gid;
	return found;
}

static void check_group(struct conf_loader *ld, const config_setting_t *setting, const char *name,
                        gid_t gid)
{
	const struct conf *conf = ld->conf;

	for (size_t i = 0; gid != (gid_t)CONF_KEEP && i < conf->n_services; i++)
		if (has_group(&conf->services[i]->identity, gid))
			conf_source_complain(ld, setting, "is \"%s\", a group of the workers of"
			                     " service %s (a user that serves must not control)", name,
			                     conf->services[i]->name);
}

static bool is_listener(const struct conf_service *svc, const struct address *a)
{
	for (size_t i = 0; i < svc->n_listen; i++)
		if (address_equal(&svc->listen[i].address, a))
			return true;
	return false;
}

/* A service may have the default path of the control socket. */
static void check_address(struct conf_loader *ld, const config_setting_t *setting)
{
	const struct conf *conf = ld->conf;

	for (size_t i = 0; i < conf->n_services; i++) {
		if (!is_listener(conf->services[i], &conf->control.address))
			continue;
		if (conf->control.is_default)
			ld->conf->control.socket = NULL;
		else
			conf_source_complain(ld, setting, "is a listener of service %s"
			                     " (it needs a path of its own)",
			                     conf->services[i]->name);
	}
}

void conf_control_check(struct conf_loader *ld, const config_setting_t *setting)
{
	const struct conf_control *c = &ld->conf->control;

	if (!c->socket)
		return;
	check_group(ld, conf_source_member(setting, "group"), c->group, c->gid);
	check_group(ld, conf_source_member(setting, "admin_group"), c->admin_group, c->admin_gid);
	check_address(ld, conf_source_member(setting, "socket"));
}
