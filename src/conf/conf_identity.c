/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks up users and groups in passwd(5) and group(5).
 */
#include <config.h>
#include "conf_identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "units.h"

#define FIRST_GROUPS 64
#define FIRST_ENTRY  4096             /* bytes for the strings of an entry, */
#define ENTRY_MAX    (1u << 24)       /* and where it ends: a group can have very many members */

/* A string of digits that is no name; (uid_t)-1 is no user. */
static bool parse_id(const char *text, unsigned *id)
{
	int64_t n;

	if (strlen(text) > 10 || units_parse_whole(text, (uid_t)-1 - 1, &n) == -1)
		return false;
	*id = (unsigned)n;
	return true;
}

bool conf_identity_is_unknown(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

/* What a look-up left: an entry, whose strings lie in buf. */
struct entry {
	union {
		struct passwd pw;
		struct group  gr;
	} u;
	bool  found;
	int   error;                    /* of the name service; 0: it has answered */
	char *buf;
};

enum entry_kind { USER_BY_NAME, USER_BY_ID, GROUP_BY_NAME };

static int ask_name_service(struct entry *e, enum entry_kind kind, const char *name, uid_t uid, size_t size)
{
	struct passwd *pw = NULL;
	struct group *gr = NULL;
	int error = 0;

	switch (kind) {
	case USER_BY_NAME:
		error = getpwnam_r(name, &e->u.pw, e->buf, size, &pw);
		break;
	case USER_BY_ID:
		error = getpwuid_r(uid, &e->u.pw, e->buf, size, &pw);
		break;
	case GROUP_BY_NAME:
		error = getgrnam_r(name, &e->u.gr, e->buf, size, &gr);
		break;
	}
	e->found = pw || gr;
	return error;
}

/* Frees what an earlier look-up left in *e. */
static void look_up(struct entry *e, enum entry_kind kind, const char *name, uid_t uid)
{
	size_t size = FIRST_ENTRY / 2;

	do {
		size *= 2;
		free(e->buf);
		e->buf = malloc(size);
		if (!e->buf)
			abort();
		e->error = ask_name_service(e, kind, name, uid, size);
	} while (e->error == ERANGE && size < ENTRY_MAX);
	if (e->found || conf_identity_is_unknown(e->error))
		e->error = 0;
}

static void complain_of(struct conf_loader *ld, struct conf_place place, const char *what,
                        const char *name, int error)
{
	if (error == 0) {
		conf_errors_at(&ld->errors, place, "%s \"%s\" does not exist", what, name);
		return;
	}
	conf_errors_at(&ld->errors, place, "cannot look up %s \"%s\" for now: %s", what, name,
	               strerror(error));
	conf_errors_mark_temporary(&ld->errors);
}

/* A container may have no passwd(5); 0 is root nevertheless. */
static bool is_root_without_entry(const struct entry *e, const char *name)
{
	return !e->found && e->error == 0 && strcmp(name, "root") == 0;
}

/*
 * The entry of a user by name or by number, to be freed. Not found with *uid set: a
 * number without an entry, or, with an error, one whose entry is not known now. Not
 * found with (uid_t)CONF_KEEP: neither name nor number.
 */
static struct entry find_user(const char *name, uid_t *uid)
{
	struct entry e = { .found = false };

	*uid = (uid_t)CONF_KEEP;
	look_up(&e, USER_BY_NAME, name, 0);
	if (is_root_without_entry(&e, name))
		*uid = 0;
	else if (!e.found && parse_id(name, uid))
		look_up(&e, USER_BY_ID, NULL, *uid);
	if (e.found)
		*uid = e.u.pw.pw_uid;
	return e;
}

bool conf_identity_find_user(struct conf_loader *ld, struct conf_place place,
                             const char *name, uid_t *uid)
{
	struct entry e = find_user(name, uid);

	if (*uid == (uid_t)CONF_KEEP)
		complain_of(ld, place, "user", name, e.error);
	free(e.buf);
	return *uid != (uid_t)CONF_KEEP;
}

bool conf_identity_find_group(struct conf_loader *ld, struct conf_place place,
                              const char *name, gid_t *gid)
{
	struct entry e = { .found = false };

	*gid = (gid_t)CONF_KEEP;
	look_up(&e, GROUP_BY_NAME, name, 0);
	if (e.found)
		*gid = e.u.gr.gr_gid;
	else if (is_root_without_entry(&e, name))
		*gid = 0;
	else if (!parse_id(name, gid))
		complain_of(ld, place, "group", name, e.error);
	free(e.buf);
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
	int room = FIRST_GROUPS, n, known;
	gid_t *groups = NULL;

	do {
		n = room;
		groups = reallocarray(groups, (size_t)room, sizeof *groups);
		if (!groups)
			abort();
		known = getgrouplist(user, id->gid, groups, &n);
		room *= 2;
	} while (known == -1 && room < 1 << 20);
	if (known == -1) {
		conf_errors_at(&ld->errors, id->place, "cannot look up the groups of user \"%s\""
		               " for now", user);
		conf_errors_mark_temporary(&ld->errors);
		n = 0;
	}
	id->n_groups = (size_t)n;
	id->groups = conf_loader_alloc(ld, id->n_groups * sizeof *groups);
	memcpy(id->groups, groups, id->n_groups * sizeof *groups);
	free(groups);
}

static void use_entry(struct conf_loader *ld, struct conf_identity *id, const struct passwd *pw)
{
	if (!id->group)
		id->gid = pw->pw_gid;
	id->home = conf_loader_strdup(ld, pw->pw_dir);
	id->shell = conf_loader_strdup(ld, pw->pw_shell);
	load_groups(ld, id, pw->pw_name);
}

/* Those of root and of our own user are known without an entry. */
static gid_t group_without_entry(uid_t uid)
{
	return uid == 0 ? 0 : uid == geteuid() ? getegid() : (gid_t)CONF_KEEP;
}

static void use_number(struct conf_loader *ld, struct conf_identity *id)
{
	if (id->group)
		return;
	id->gid = group_without_entry(id->uid);
	if (id->gid == (gid_t)CONF_KEEP)
		conf_errors_at(&ld->errors, id->place,
		               "user %s has no entry in passwd(5) that names a group"
		               " (give a group too)", id->user);
}

static void resolve_user(struct conf_loader *ld, struct conf_identity *id)
{
	struct entry e = find_user(id->user, &id->uid);

	if (e.found)
		use_entry(ld, id, &e.u.pw);
	else if (id->uid == (uid_t)CONF_KEEP || e.error != 0)
		complain_of(ld, id->place, "user", id->user, e.error);
	else
		use_number(ld, id);
	free(e.buf);
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
