/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at what is at these paths, by name, without opening it.
 */
#include <config.h>
#include "conf_own_files.h"

#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "private_group.h"
#include "trust.h"

/* NULL for a regular file and for a FIFO. */
static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode) ? "a directory" : S_ISCHR(mode) ? "a device" :
	       S_ISBLK(mode) ? "a block device" : S_ISSOCK(mode) ? "a socket" : NULL;
}

/* The start refuses it; a check may be made by another user than the start. */
static void warn_of_owner(struct conf_loader *ld, const config_setting_t *where, const char *folder,
                          uid_t owner)
{
	if (owner != 0 && owner != geteuid())
		conf_source_warn(ld, where, "is in %s, which belongs to the user %u: only root and that user"
		                 " can start droverd with it (chown root %s)", folder, (unsigned int)owner, folder);
}

/* Users that can write there could decide which process an init script signals. */
static void check_folder(struct conf_loader *ld, const config_setting_t *where, const char *path)
{
	char copy[PATH_MAX];
	const char *folder, *why;
	struct stat st;

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		return;
	folder = dirname(copy);
	if (stat(folder, &st) == -1)
		return;
	why = trust_judge(&st, folder, st.st_uid, private_group_is_of);
	if (why)
		conf_source_complain(ld, where, "is in %s, where others could replace it: %s (chmod %s %s)",
		                     folder, why, st.st_mode & S_IWOTH ? "go-w" : "g-w", folder);
	else
		warn_of_owner(ld, where, folder, st.st_uid);
}

/* A file at the path is replaced, and so are a FIFO and a link, but nothing that others need. */
static void check_pid_file(struct conf_loader *ld, const config_setting_t *where, const char *path)
{
	struct stat st;
	const char *kind;

	if (!path)
		return;
	kind = lstat(path, &st) == 0 ? kind_of(st.st_mode) : NULL;
	if (kind)
		conf_source_complain(ld, where, "is %s: %s (it must be a file, as in"
		                     " \"/run/drover/drover.pid\")", path, kind);
	else
		check_folder(ld, where, path);
}

/* To a device of characters, such as a terminal, lines can go. */
void conf_own_files_check_log(struct conf_loader *ld, const config_setting_t *target, const char *path)
{
	struct stat st;
	const char *kind;

	if (!path || stat(path, &st) == -1 || S_ISCHR(st.st_mode))
		return;
	kind = kind_of(st.st_mode);
	if (kind)
		conf_source_complain(ld, target, "is %s: %s (it must be a file,"
		                     " as in \"/var/log/drover/drover.log\")", path, kind);
}

static void check_top_log(struct conf_loader *ld, const config_setting_t *root, const char *name,
                          const char *path)
{
	const config_setting_t *log = conf_source_member(root, name);

	conf_own_files_check_log(ld, conf_source_member(log, "target"), path);
}

static void check_state_dir(struct conf_loader *ld, const config_setting_t *where, const char *path)
{
	struct stat st;

	if (where && path && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		conf_source_complain(ld, where, "is %s: not a directory", path);
}

static bool is_something_else(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

/* The default one may belong to another process; then the server runs without it. */
static void check_control(struct conf_loader *ld, const config_setting_t *where)
{
	const struct conf_control *c = &ld->conf->control;

	if (where && c->socket && !c->is_default && is_something_else(c->socket))
		conf_source_complain(ld, where, "%s exists and is not a socket", c->socket);
}

static void check_listener(struct conf_loader *ld, const struct conf_service *svc,
                           const struct conf_listen *l)
{
	const char *path = l->address.u.un.sun_path;

	if (l->kind == LISTEN_UNIX && path[0] != '\0' && is_something_else(path))
		conf_errors_at(&ld->errors, l->place, "services.%s.listen %s exists and is not a socket", svc->name, path);
}

void conf_own_files_check_listeners(struct conf_loader *ld)
{
	for (size_t i = 0; i < ld->conf->n_services; i++)
		for (size_t j = 0; j < ld->conf->services[i]->n_listen; j++)
			check_listener(ld, ld->conf->services[i], &ld->conf->services[i]->listen[j]);
}

void conf_own_files_check(struct conf_loader *ld, const config_setting_t *root)
{
	const struct conf *conf = ld->conf;

	check_pid_file(ld, conf_source_member(root, "pid_file"), conf->pid_file);
	check_top_log(ld, root, "log", conf->log.path);
	check_top_log(ld, root, "access_log", conf->access_log.path);
	check_state_dir(ld, conf_source_member(root, "state_dir"), conf->state_dir);
	check_control(ld, conf_source_member(conf_source_member(root, "control"), "socket"));
}
