/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who could change a file, or replace what is in a folder: what owner and mode say of that.
 */
#include <config.h>
#include "trust.h"

#include <sys/xattr.h>

#include "unit.h"

#define OURS   1000
#define OTHERS 1001

#define GROUP  100              /* of many users */

static const struct {
	const char *name;
	mode_t      mode;
	uid_t       owner;
	gid_t       group;
	const char *want;               /* NULL: no other user */
} rows[] = {
	{ "our own file",                      S_IFREG | 0644, OURS, GROUP, NULL },
	{ "a file of root",                    S_IFREG | 0600, 0, GROUP, NULL },
	{ "a file of another user",            S_IFREG | 0600, OTHERS, GROUP, "it belongs to another user" },
	{ "a file for its group",              S_IFREG | 0660, OURS, GROUP, "its group can write to it" },
	{ "a file of root for its group",      S_IFREG | 0664, 0, GROUP, "its group can write to it" },
	{ "a file for everybody",              S_IFREG | 0666, OURS, GROUP, "everybody can write to it" },
	{ "a file for all but its group",      S_IFREG | 0606, OURS, GROUP, "everybody can write to it" },
	{ "the sticky bit of a file",          S_IFREG | S_ISVTX | 0666, OURS, GROUP, "everybody can write to it" },
	{ "a folder for its group",            S_IFDIR | 0775, 0, GROUP, "its group can write to it" },
	{ "a folder for everybody",            S_IFDIR | 0777, 0, GROUP, "everybody can write to it" },
	{ "a folder like /tmp",                S_IFDIR | S_ISVTX | 0777, 0, GROUP, NULL },
	{ "another's folder like /tmp", S_IFDIR | S_ISVTX | 0777, OTHERS, GROUP, "it belongs to another user" },
	{ "a file for our private group",      S_IFREG | 0664, OURS, OURS, NULL },
	{ "a folder for our private group",    S_IFDIR | 02775, OURS, OURS, NULL },
	{ "a file of root for a private group", S_IFREG | 0664, 0, OURS, "its group can write to it" },
	{ "a file for the group of root",      S_IFREG | 0664, 0, 0, NULL },
	{ "a folder for the group of root",    S_IFDIR | 0775, 0, 0, NULL },
	{ "our folder for the group of root",  S_IFDIR | 0775, OURS, 0, NULL },
	{ "a folder for root and everybody",   S_IFDIR | 0777, 0, 0, "everybody can write to it" },
};

static bool has_its_number(gid_t group, uid_t owner)
{
	return group == owner;
}

START_TEST(owner_and_mode_say_which_users_can_write)
{
	const struct stat st = { .st_mode = rows[_i].mode, .st_uid = rows[_i].owner,
	                         .st_gid = rows[_i].group };
	const char *why = trust_judge(&st, NULL, OURS, has_its_number);

	ck_assert_msg((why != NULL) == (rows[_i].want != NULL), "%s: %s", rows[_i].name, why);
	if (why)
		ck_assert_str_eq(why, rows[_i].want);
} END_TEST

/* The entries of its owner, of the user OTHERS, of its group, the mask, and all others. */
static const unsigned char list_for_another[] = {
	2, 0, 0, 0,
	1, 0, 6, 0, 255, 255, 255, 255,
	2, 0, 6, 0, OTHERS & 255, OTHERS >> 8, 0, 0,
	4, 0, 4, 0, 255, 255, 255, 255,
	16, 0, 6, 0, 255, 255, 255, 255,
	32, 0, 4, 0, 255, 255, 255, 255,
};

START_TEST(a_list_lets_others_write_whatever_the_group_is)
{
	struct stat st;

	unit_write_file("file", "");
	ck_assert_int_eq(chmod("file", 0664), 0);
	ck_assert_int_eq(stat("file", &st), 0);
	st.st_uid = st.st_gid = 0;
	ck_assert_ptr_null(trust_judge(&st, "file", OURS, has_its_number));
	if (setxattr("file", "system.posix_acl_access", list_for_another, sizeof list_for_another, 0) == -1) {
		printf("# skipped: there are no access control lists (%s)\n", strerror(errno));
		return;
	}
	ck_assert_str_eq(trust_judge(&st, "file", OURS, has_its_number),
	                 "an access control list lets others write to it");
} END_TEST

START_TEST(an_owner_is_hidden_only_in_a_namespace_that_lacks_it)
{
	unit_write_file("first", "         0          0 4294967295\n");
	unit_write_file("container", "         0     100000      65536\n");
	ck_assert(trust_owner_is_hidden(65534, "container"));
	ck_assert(!trust_owner_is_hidden(OTHERS, "container"));
	ck_assert(!trust_owner_is_hidden(65534, "first"));
	ck_assert(!trust_owner_is_hidden(65534, "none"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("trust");
	TCase *tc = unit_case(s, "trust", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, owner_and_mode_say_which_users_can_write, 0, (int)ARRAY_SIZE(rows));
	tcase_add_test(tc, a_list_lets_others_write_whatever_the_group_is);
	tcase_add_test(tc, an_owner_is_hidden_only_in_a_namespace_that_lacks_it);
	return unit_run(s);
}
