/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens a unix socket with a path, whose group is the one that may use it.
 */
#include <config.h>
#include "control_listener.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "fd.h"

#define BACKLOG 128

static struct listener_options options_of(const struct conf_control *conf)
{
	return (struct listener_options){
		.backlog = BACKLOG, .mode = conf->mode, .owner = (uid_t)-1,
		.group = conf->group ? conf->gid :
		         conf->admin_group ? conf->admin_gid : getegid(),
		.refuses_descriptors = true,
	};
}

static int fail_to_open(struct control_listener_error *e, const struct conf_control *conf)
{
	const char *why = errno == ENOTSOCK ? "exists and is not a socket" :
	                  errno == EADDRINUSE ? "another process listens there" : strerror(errno);

	e->exit_code = errno == EACCES || errno == EPERM ? EX_NOPERM :
	               errno == EADDRINUSE || errno == ENOTSOCK || errno == ENOENT ||
	               errno == ENOTDIR ? EX_UNAVAILABLE : EX_OSERR;
	if (conf->is_default)
		snprintf(e->text, sizeof e->text, "control.socket %s: %s", conf->socket, why);
	else
		snprintf(e->text, sizeof e->text, "%s:%d: control.socket %s: %s", conf->place.file,
		         conf->place.line, conf->socket, why);
	return -1;
}

bool control_listener_is_wanted(const struct conf_control *conf)
{
	const char *slash = strrchr(conf->socket, '/');
	char folder[PATH_MAX];

	if (!conf->is_default)
		return true;
	snprintf(folder, sizeof folder, "%.*s", (int)(slash - conf->socket), conf->socket);
	return access(folder, F_OK) == 0 || errno != ENOENT;
}

int control_listener_open(struct control_listener *l, const struct conf_control *conf,
                          struct control_listener_error *e)
{
	const struct listener_options options = options_of(conf);

	l->address = conf->address;
	l->fd = listener_open(&l->address, &options, &l->file);
	return l->fd == -1 ? fail_to_open(e, conf) : 0;
}

void control_listener_close(struct control_listener *l)
{
	if (l->fd == -1)
		return;
	listener_unlink(&l->address, &l->file);
	fd_close(&l->fd);
}

bool control_listener_is_in_place(const struct control_listener *l, const struct conf_control *conf)
{
	return l->fd != -1 && address_equal(&l->address, &conf->address) &&
	       listener_is_in_place(&l->address, &l->file);
}

int control_listener_adjust(const struct control_listener *l, const struct conf_control *conf)
{
	const struct listener_options options = options_of(conf);

	return listener_adjust(l->fd, &l->address, &options, &l->file);
}
