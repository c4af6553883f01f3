/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares an ordinary user with what the keys need. As root, it looks at paths as the user of
 * each service would.
 */
#include <config.h>
#include "conf_privileges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf_path.h"
#include "conf_sandbox.h"

struct self {                           /* the process that asks */
	uid_t  uid;
	gid_t  gid;
	int    n_groups;
	gid_t *groups;
	int    lowest_nice;             /* that may be set */
};

static int find_lowest_nice(void)
{
	const int now = getpriority(PRIO_PROCESS, 0);
	struct rlimit limit = { 0 };
	int granted;

	getrlimit(RLIMIT_NICE, &limit);
	granted = 20 - (int)(limit.rlim_cur < 40 ? limit.rlim_cur : 40);
	return granted < now ? granted : now;
}

static struct self find_self(void)
{
	struct self self = { .uid = geteuid(), .gid = getegid() };
	int n = getgroups(0, NULL);

	self.groups = calloc((size_t)n + 1, sizeof *self.groups);
	if (!self.groups)
		abort();
	self.n_groups = getgroups(n, self.groups);
	self.lowest_nice = find_lowest_nice();
	return self;
}

static bool is_own_user(const struct self *self, uid_t uid)
{
	return uid == (uid_t)CONF_KEEP || uid == self->uid;
}

static bool is_own_group(const struct self *self, gid_t gid)
{
	bool own = gid == (gid_t)CONF_KEEP || gid == self->gid;

	for (int i = 0; !own && i < self->n_groups; i++)
		own = self->groups[i] == gid;
	return own;
}

static void judge_identity(struct conf_errors *r, const struct self *self,
                           const struct conf_service *svc)
{
	const struct conf_identity *id = &svc->identity;

	if (!is_own_user(self, id->uid))
		conf_errors_at(r, id->place, "service %s: user %s needs root", svc->name, id->user);
	else if (!is_own_group(self, id->gid))
		conf_errors_at(r, id->group ? id->group_place : id->place,
		               "service %s: group %s needs root", svc->name,
		               id->group ? id->group : id->user);
}

static void judge_limit(struct conf_errors *r, const struct conf_service *svc, const char *name,
                        __rlimit_resource_t resource, const struct conf_rlimit *wanted)
{
	struct rlimit now;

	if (wanted->given && getrlimit(resource, &now) == 0 && wanted->value > now.rlim_max)
		conf_errors_at(r, svc->place, "service %s: rlimits.%s beyond the hard limit of %llu"
		               " needs root", svc->name, name, (unsigned long long)now.rlim_max);
}

static void judge_place(struct conf_errors *r, const struct self *self,
                        const struct conf_service *svc)
{
	if (svc->chroot)
		conf_errors_at(r, svc->place, "service %s: chroot needs root", svc->name);
	if (svc->has_nice && svc->nice < self->lowest_nice)
		conf_errors_at(r, svc->place, "service %s: nice %d needs root (%d or more)",
		               svc->name, svc->nice, self->lowest_nice);
	judge_limit(r, svc, "nofile", RLIMIT_NOFILE, &svc->rlimits.nofile);
	judge_limit(r, svc, "nproc", RLIMIT_NPROC, &svc->rlimits.nproc);
	judge_limit(r, svc, "core", RLIMIT_CORE, &svc->rlimits.core);
	judge_limit(r, svc, "as", RLIMIT_AS, &svc->rlimits.as);
	judge_limit(r, svc, "cpu", RLIMIT_CPU, &svc->rlimits.cpu);
}

static void judge_files(struct conf_errors *r, const struct conf_service *svc)
{
	if (svc->access.unread)
		conf_errors_at(r, svc->place, "service %s: access: %s: %s", svc->name, svc->access.unread,
		               strerror(EACCES));
	if (svc->handler.env_unread)
		conf_errors_at(r, svc->handler.place, "service %s: env_file: %s: %s", svc->name,
		               svc->handler.env_unread, strerror(EACCES));
	if (svc->tls.unread)
		conf_errors_at(r, svc->tls.place, "service %s: tls: %s: %s", svc->name, svc->tls.unread,
		               strerror(EACCES));
}

static void judge_listeners(struct conf_errors *r, const struct self *self,
                            const struct conf_service *svc)
{
	for (size_t i = 0; i < svc->n_listen; i++) {
		const struct conf_listen *l = &svc->listen[i];

		if (l->kind != LISTEN_UNIX)
			continue;
		if (!is_own_user(self, l->owner))
			conf_errors_at(r, l->place, "service %s: owner %s of a socket needs root",
			               svc->name, l->owner_name);
		if (!is_own_group(self, l->group))
			conf_errors_at(r, l->place, "service %s: group %s of a socket needs root",
			               svc->name, l->group_name);
	}
}

/* The group of the socket's file: the one that may look, or else the one that may change things. */
static void judge_control(struct conf_errors *r, const struct self *self,
                          const struct conf_control *c)
{
	const char *name = c->group ? c->group : c->admin_group;
	const gid_t gid = c->group ? c->gid : c->admin_gid;

	if (c->socket && !is_own_group(self, gid))
		conf_errors_at(r, c->place, "control: group %s of the socket needs root", name);
}

/* With the eyes of the service's user; inside its chroot, if there is one. */
static void judge_access(struct conf_errors *r, const struct conf_service *svc,
                         struct conf_place place, const char *key, const char *path)
{
	const struct conf_identity *id = &svc->identity;
	const char *trouble = path ? conf_path_judge_access(svc->chroot, path, id) : NULL;
	char hint[SANDBOX_PATHS_HINT_MAX];

	if (trouble)
		conf_errors_at(r, place, "service %s: %s: %s: %s for user %s%s", svc->name, key, path,
		               trouble, id->user, conf_sandbox_hint(svc->chroot ? svc->chroot : path, hint));
}

static void judge_as_root(struct conf_errors *r, const struct conf_service *svc)
{
	const struct conf_identity *id = &svc->identity;
	const struct conf_handler *h = &svc->handler;

	if (id->uid == (uid_t)CONF_KEEP && !id->user)
		conf_errors_at(r, svc->place, "service %s needs a user (set user = \"...\" in the"
		               " service or at the top level; user = \"root\" to run as root on"
		               " purpose)", svc->name);
	else if (id->uid == 0 && strcmp(id->user, "root") != 0)
		conf_errors_at(r, id->place, "service %s: user %s is root (write \"root\" if that"
		               " is meant)", svc->name, id->user);
	/* One that does not exist has been complained of. */
	if (id->uid == (uid_t)CONF_KEEP)
		return;
	if (h->program)
		judge_access(r, svc, h->place, h->program == h->argv[0] ? "argv" : "program",
		             h->program);
	judge_access(r, svc, svc->place, "directory", svc->directory);
}

int conf_privileges_judge(struct conf_errors *r, const struct conf *conf)
{
	const unsigned before = r->count;
	struct self self = find_self();

	if (self.uid != 0)
		judge_control(r, &self, &conf->control);
	for (size_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *svc = conf->services[i];

		if (self.uid == 0) {
			judge_as_root(r, svc);
			continue;
		}
		judge_identity(r, &self, svc);
		judge_place(r, &self, svc);
		judge_listeners(r, &self, svc);
		judge_files(r, svc);
	}
	free(self.groups);
	if (r->count == before)
		return 0;
	return self.uid == 0 ? EX_CONFIG : EX_NOPERM;
}

int conf_check_privileges(const struct conf *conf, conf_complain *complain, void *arg)
{
	struct conf_errors errors = { .complain = complain, .arg = arg, .main = conf->file };
	const int status = conf_privileges_judge(&errors, conf);

	conf_errors_flush(&errors);
	return status;
}
