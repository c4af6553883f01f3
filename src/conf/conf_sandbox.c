/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks over the paths of a configuration. It judges where they lie, not what is there.
 */
#include <config.h>
#include "conf_sandbox.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DROP_INS "/etc/systemd/system/drover.service.d"

/* systemd.exec(5): set for each process of a unit. */
static bool is_in_unit(void)
{
	return geteuid() == 0 && getenv("INVOCATION_ID");
}

const char *conf_sandbox_hint(const char *path, char buf[static SANDBOX_PATHS_HINT_MAX])
{
	buf[0] = '\0';
	return is_in_unit() ? sandbox_paths_hint(path, buf) : buf;
}

bool conf_sandbox_is_outside(void)
{
	/* sd_booted(3) */
	return geteuid() == 0 && !is_in_unit() && access("/run/systemd/system", F_OK) == 0;
}

static bool is_shown_by_drop_in(const struct sandbox_path *row)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, DROP_INS "/%s", row->drop_in);
	return access(path, F_OK) == 0;
}

/* name: what the path is, "argv". A link may lead into a hidden folder. */
static void look_at_path(struct conf_errors *r, struct conf_place place, const char *service,
                         const char *name, const char *path)
{
	char resolved[PATH_MAX], hint[SANDBOX_PATHS_HINT_MAX];
	const char *hidden = path;

	if (!path)
		return;
	if (!sandbox_paths_find(path))
		hidden = realpath(path, resolved);
	if (!sandbox_paths_find(hidden) || is_shown_by_drop_in(sandbox_paths_find(hidden)))
		return;
	conf_errors_warn(r, place, "%s%s%s%s: the daemon under systemd cannot see %s%s",
	                 service ? "service " : "", service ? service : "", service ? ": " : "",
	                 name, path, sandbox_paths_hint(hidden, hint));
}

static void look_at_sockets(struct conf_errors *r, const struct conf_service *svc)
{
	for (size_t i = 0; i < svc->n_listen; i++) {
		const struct conf_listen *l = &svc->listen[i];

		if (l->kind == LISTEN_UNIX && l->address.u.un.sun_path[0] == '/')
			look_at_path(r, l->place, svc->name, "listen", l->address.u.un.sun_path);
	}
}

static void look_at_service(struct conf_errors *r, const struct conf_service *svc)
{
	const struct conf_handler *h = &svc->handler;

	look_at_sockets(r, svc);
	/* The master reads them, outside of chroot. */
	if (svc->access_log_index > 0 && svc->access_log.target == LOG_TARGET_FILE)
		look_at_path(r, svc->access_log.place, svc->name, "access_log", svc->access_log.path);
	look_at_path(r, svc->place, svc->name, "access.allow_file", svc->access.allow_file);
	look_at_path(r, svc->place, svc->name, "access.deny_file", svc->access.deny_file);
	for (size_t i = 0; i < h->n_env_files; i++)
		look_at_path(r, h->place, svc->name, "env_file", h->env_files[i].path);
	if (svc->chroot) {              /* what is inside it is as visible as it is */
		look_at_path(r, svc->place, svc->name, "chroot", svc->chroot);
		return;
	}
	look_at_path(r, svc->place, svc->name, "directory", svc->directory);
	if (h->program)
		look_at_path(r, h->place, svc->name, h->program == h->argv[0] ? "argv" : "program",
		             h->program);
}

void conf_sandbox_warn(struct conf_errors *r, const struct conf *conf)
{
	const struct conf_place top = { conf->file ? conf->file : "", 0 };

	look_at_path(r, top, NULL, "pid_file", conf->pid_file);
	look_at_path(r, top, NULL, "state_dir", conf->state_dir);
	if (conf->log.target == LOG_TARGET_FILE)
		look_at_path(r, conf->log.place, NULL, "log", conf->log.path);
	if (conf->access_log.target == LOG_TARGET_FILE)
		look_at_path(r, conf->access_log.place, NULL, "access_log", conf->access_log.path);
	look_at_path(r, conf->control.place, NULL, "control", conf->control.socket);
	for (size_t i = 0; i < conf->n_services; i++)
		look_at_service(r, conf->services[i]);
}
