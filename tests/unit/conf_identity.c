/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users and groups where there are no passwd(5) and no group(5), as in a container.
 */
#include <config.h>
#include "conf_harness.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

/* The files are not there, and so there is no entry. */
int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **result);
int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size, struct passwd **result)
{
	(void)name, (void)pw, (void)buf, (void)size;
	*result = NULL;
	return ENOENT;
}

int __wrap_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **result);
int __wrap_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size, struct passwd **result)
{
	(void)uid, (void)pw, (void)buf, (void)size;
	*result = NULL;
	return ENOENT;
}

int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size, struct group **result);
int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size, struct group **result)
{
	(void)name, (void)gr, (void)buf, (void)size;
	*result = NULL;
	return ENOENT;
}

#define ECHO_AS(identity) identity \
	"services = { s = { listen = \"127.0.0.1:0\"; handler = { type = \"echo\"; }; }; };"

static const struct conf_identity *identity_of(const char *text)
{
	return &load_well(text)->services[0]->identity;
}

START_TEST(root_is_0_without_an_entry)
{
	const struct conf_identity *id = identity_of(ECHO_AS("user = \"root\"; "));

	ck_assert_uint_eq(id->uid, 0);
	ck_assert_uint_eq(id->gid, 0);
	ck_assert_uint_eq(id->n_groups, 0);
	ck_assert_ptr_null(id->home);
	ck_assert_uint_eq(identity_of(ECHO_AS("user = \"4711\"; group = \"root\"; "))->gid, 0);
} END_TEST

START_TEST(the_own_user_has_the_own_group)
{
	char text[256];
	const struct conf_identity *id;

	snprintf(text, sizeof text, ECHO_AS("user = \"%u\"; "), geteuid());
	id = identity_of(text);
	ck_assert_uint_eq(id->uid, geteuid());
	ck_assert_uint_eq(id->gid, getegid());
} END_TEST

START_TEST(others_need_a_number_and_a_group)
{
	ck_assert_uint_eq(identity_of(ECHO_AS("user = \"4711\"; group = \"4712\"; "))->gid, 4712);
	ck_assert_ptr_null(load(ECHO_AS("user = \"4711\"; ")));
	ck_assert_str_eq(complaints, "t.conf:1: user 4711 has no entry in passwd(5) that names a group"
	                 " (give a group too)\n");
	ck_assert_ptr_null(load(ECHO_AS("user = \"git\"; ")));
	ck_assert_str_eq(complaints, "t.conf:1: user \"git\" does not exist\n");
	ck_assert_ptr_null(load(ECHO_AS("user = \"4711\"; group = \"git\"; ")));
	ck_assert_str_eq(complaints, "t.conf:1: group \"git\" does not exist\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("conf_identity");
	TCase *tc = tcase_create("no entries");

	suite_add_tcase(s, tc);
	tcase_add_test(tc, root_is_0_without_an_entry);
	tcase_add_test(tc, the_own_user_has_the_own_group);
	tcase_add_test(tc, others_need_a_number_and_a_group);
	return run_tap(s);
}
