/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who a worker is, from passwd(5) and group(5).
 */
#include <config.h>
#include "conf_identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_GROUPS 64

/* A string of digits that is no name; (uid_t)-1 is nobody's. */
static bool parse_id(const char *text, unsigned *id)
{
	unsigned long n;

	if (*text == '\0' || strlen(text) > 10 || strspn(text, "0123456789") != strlen(text))
		return false;
	n = strtoul(text, NULL, 10);
	*id = (unsigned)n;
	return n < (uid_t)-1;
}

/*
 * The entry of a user by name or by number; lent until the next call. NULL
 * with *uid set: a number without an entry. NULL with (uid_t)CONF_KEEP: has
 * complained.
 */
static const struct passwd *find_user(struct conf_loader *ld, struct conf_place place,
                                      const char *name, uid_t *uid)
{
	const struct passwd *pw;

	*uid = (uid_t)CONF_KEEP;
	errno = 0;
	pw = getpwnam(name);
	if (!pw && parse_id(name, uid))
		pw = getpwuid(*uid);
	if (pw)
		*uid = pw->pw_uid;
	else if (*uid == (uid_t)CONF_KEEP)
		conf_report_at(&ld->report, place, "user \"%s\" does not exist%s%s", name,
		               errno ? ": " : "", errno ? strerror(errno) : "");
	return pw;
}

bool conf_identity_find_user(struct conf_loader *ld, struct conf_place place,
                             const char *name, uid_t *uid)
{
	find_user(ld, place, name, uid);
	return *uid != (uid_t)CONF_KEEP;
}

bool conf_identity_find_group(struct conf_loader *ld, struct conf_place place,
                              const char *name, gid_t *gid)
{
	const struct group *gr;

	*gid = (gid_t)CONF_KEEP;
	errno = 0;
	gr = getgrnam(name);
	if (gr)
		*gid = gr->gr_gid;
	else if (!parse_id(name, gid))
		conf_report_at(&ld->report, place, "group \"%s\" does not exist%s%s", name,
		               errno ? ": " : "", errno ? strerror(errno) : "");
	return *gid != (gid_t)CONF_KEEP;
}

void conf_identity_enter(struct conf_identity *id, const config_setting_t *outer)
{
	const config_setting_t *user = conf_source_member(outer, "user");
	const config_setting_t *group = conf_source_member(outer, "group");

	if (user) {
		id->place = conf_source_place(user);
		id->group = NULL;
	}
	if (group)
		id->group_place = conf_source_place(group);
}

/* What the group file says of the user, beside gid, which is always among them. */
static void load_groups(struct conf_loader *ld, struct conf_identity *id, const char *user)
{
	int room = FIRST_GROUPS, n;
	gid_t *groups = NULL;

	do {
		n = room;
		groups = reallocarray(groups, (size_t)room, sizeof *groups);
		if (!groups)
			abort();
		room *= 2;
	} while (getgrouplist(user, id->gid, groups, &n) == -1 && room < 1 << 20);
	id->n_groups = (size_t)n;
	id->groups = conf_loader_alloc(ld, id->n_groups * sizeof *groups);
	memcpy(id->groups, groups, id->n_groups * sizeof *groups);
	free(groups);
}

static void resolve_user(struct conf_loader *ld, struct conf_identity *id)
{
	const struct passwd *pw = find_user(ld, id->place, id->user, &id->uid);
	const char *name;

	if (!pw) {
		if (id->uid != (uid_t)CONF_KEEP && !id->group)
			conf_report_at(&ld->report, id->place,
			               "user %s has no entry in passwd(5) that names a group"
			               " (give a group too)", id->user);
		return;
	}
	if (!id->group)
		id->gid = pw->pw_gid;
	id->home = conf_loader_strdup(ld, pw->pw_dir);
	id->shell = conf_loader_strdup(ld, pw->pw_shell);
	name = conf_loader_strdup(ld, pw->pw_name);
	load_groups(ld, id, name);
}

void conf_identity_resolve(struct conf_loader *ld, struct conf_identity *id)
{
	id->uid = (uid_t)CONF_KEEP;
	id->gid = (gid_t)CONF_KEEP;
	if (id->group)
		conf_identity_find_group(ld, id->group_place, id->group, &id->gid);
	if (id->user)
		resolve_user(ld, id);
}
