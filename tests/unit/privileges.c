/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking another identity. Each test is a process of its own, which keeps it.
 */
#include <config.h>
#include "privileges.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "capabilities.h"
#include "unit.h"

#define USER  65534
#define GROUP 65533

static const gid_t groups[] = { 65500, 65501 };
static const char *what;

static struct privileges plain(void)
{
	return (struct privileges){ .uid = (uid_t)-1, .gid = (gid_t)-1, .directory = "/" };
}

static struct privileges ordinary(void)
{
	return (struct privileges){ .uid = USER, .gid = GROUP, .groups = groups, .n_groups = 2,
	                            .directory = "/" };
}

/* A line of /proc/self/status as a number in base 16. */
static unsigned long long status_bits(const char *name)
{
	char want[32];
	const char *line;

	snprintf(want, sizeof want, "\n%s:", name);
	line = strstr(unit_read_file("/proc/self/status"), want);
	ck_assert_ptr_nonnull(line);
	return strtoull(line + strlen(want), NULL, 16);
}

START_TEST(a_process_that_is_to_stay_stays)
{
	struct privileges p = plain();
	uid_t user = geteuid();

	p.directory = "/tmp";
	ck_assert_int_eq(privileges_take(&p, &what), 0);
	ck_assert_uint_eq(geteuid(), user);
	ck_assert_str_eq(getcwd((char[64]){ 0 }, 64), "/tmp");
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
} END_TEST

START_TEST(new_privileges_can_be_given_up)
{
	struct privileges p = plain();

	p.no_new_privs = true;
	ck_assert_int_eq(privileges_take(&p, &what), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
} END_TEST

START_TEST(user_and_groups_are_taken_for_good)
{
	struct privileges p = ordinary();
	uid_t r, e, s;
	gid_t rg, eg, sg, got[8];

	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	getresuid(&r, &e, &s);
	ck_assert(r == USER && e == USER && s == USER);
	getresgid(&rg, &eg, &sg);
	ck_assert(rg == GROUP && eg == GROUP && sg == GROUP);
	ck_assert_int_eq(getgroups(8, got), 2);
	ck_assert(got[0] == groups[0] && got[1] == groups[1]);
	ck_assert_int_eq(setresuid(0, 0, 0), -1);
	ck_assert_int_eq(setresgid(0, 0, 0), -1);
	ck_assert_int_eq(setgroups(0, NULL), -1);
} END_TEST

START_TEST(no_groups_means_none)
{
	struct privileges p = ordinary();
	gid_t got[8];

	ck_assert_int_eq(setgroups(2, groups), 0);
	p.groups = NULL;
	p.n_groups = 0;
	ck_assert_int_eq(privileges_take(&p, &what), 0);
	ck_assert_int_eq(getgroups(8, got), 0);
} END_TEST

static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapAmb" };

START_TEST(an_ordinary_user_has_no_capabilities)
{
	struct privileges p = ordinary();

	prctl(PR_SET_KEEPCAPS, 1);      /* as a service manager with ambient ones would have it */
	ck_assert_uint_ne(status_bits("CapEff"), 0);
	ck_assert_int_eq(privileges_take(&p, &what), 0);
	ck_assert_msg(status_bits(sets[_i]) == 0, "%s", sets[_i]);
} END_TEST

START_TEST(what_is_executed_gets_no_capabilities_if_that_is_wanted)
{
	struct privileges p = ordinary();

	p.no_capabilities = true;
	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	ck_assert_uint_eq(status_bits("CapBnd"), 0);
} END_TEST

START_TEST(else_the_bounding_set_stays)
{
	const unsigned long long before = status_bits("CapBnd");
	struct privileges p = ordinary();

	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	ck_assert_uint_eq(status_bits("CapBnd"), before);
} END_TEST

/* Its own ones stay; those that it would hand on do not. */
START_TEST(root_hands_no_inheritable_capabilities_on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	struct privileges p = plain();
	unsigned long long before;

	ck_assert_int_eq((int)syscall(SYS_capget, &header, caps), 0);
	caps[0].inheritable = caps[0].permitted;
	ck_assert_int_eq((int)syscall(SYS_capset, &header, caps), 0);
	before = status_bits("CapPrm");
	ck_assert_uint_ne(status_bits("CapInh"), 0);
	p.no_capabilities = true;
	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	ck_assert_uint_eq(status_bits("CapInh"), 0);
	ck_assert_uint_eq(status_bits("CapBnd"), 0);
	ck_assert_uint_eq(status_bits("CapPrm"), before);
	ck_assert_uint_eq(status_bits("CapEff"), before);
} END_TEST

/* As root in a container that lacks SETPCAP, and as an ordinary user. */
START_TEST(a_process_that_may_not_empty_the_bounding_set_keeps_it)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	const unsigned long long before = status_bits("CapBnd");
	struct privileges p = plain();

	ck_assert_int_eq((int)syscall(SYS_capget, &header, caps), 0);
	caps[0].effective &= ~CAP_TO_MASK(CAP_SETPCAP);
	caps[0].permitted &= ~CAP_TO_MASK(CAP_SETPCAP);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, caps), 0);
	p.no_capabilities = true;
	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	ck_assert_uint_eq(status_bits("CapBnd"), before);
} END_TEST

START_TEST(the_directory_is_judged_as_the_new_user)
{
	struct privileges p = ordinary();

	ck_assert_int_eq(mkdir("roots", 0700), 0);
	p.directory = "roots";
	ck_assert_int_eq(privileges_take(&p, &what), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_str_eq(what, "change directory");
	ck_assert_uint_eq(geteuid(), USER);
} END_TEST

START_TEST(the_root_is_changed_and_the_directory_is_inside)
{
	struct privileges p = ordinary();

	ck_assert_int_eq(chmod(".", 0755), 0);
	ck_assert_int_eq(mkdir("inside", 0755), 0);
	unit_write_file("inside/file", "");
	p.chroot = unit_folder;
	p.directory = "/inside";
	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	ck_assert_int_eq(access("file", F_OK), 0);
	ck_assert_int_eq(access("/inside/file", F_OK), 0);
	ck_assert_int_eq(access("../../../../../etc", F_OK), -1);
	ck_assert_str_eq(getcwd((char[64]){ 0 }, 64), "/inside");
	_exit(EXIT_SUCCESS);    /* a sanitizer looks for /proc at exit(3) */
} END_TEST

START_TEST(what_fails_is_named)
{
	struct privileges p = ordinary();

	p.chroot = "/no/such/folder";
	ck_assert_int_eq(privileges_take(&p, &what), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(what, "chroot");
	ck_assert_uint_eq(geteuid(), 0);
} END_TEST

START_TEST(an_ordinary_user_may_only_name_itself)
{
	struct privileges p = ordinary();

	ck_assert_int_eq(privileges_take(&p, &what), 0);
	p.n_groups = 0;
	ck_assert_msg(privileges_take(&p, &what) == 0, "%s: %m", what);
	p.uid = 1;
	ck_assert_int_eq(privileges_take(&p, &what), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_str_eq(what, "set user");
	p.gid = 1;
	ck_assert_int_eq(privileges_take(&p, &what), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_str_eq(what, "set groups");
} END_TEST

static bool may_empty_bounds(void)
{
	return geteuid() == 0 && capabilities_have(CAP_SETPCAP);
}

#define add_for_root(tc, test) unit_add_if(geteuid() == 0, "only root can do that", tc, test)

int main(void)
{
	Suite *s = suite_create("privileges");
	TCase *tc = unit_case(s, "privileges", NULL, NULL);
	TCase *folders = tcase_create("folders");

	tcase_add_test(tc, a_process_that_is_to_stay_stays);
	tcase_add_test(tc, new_privileges_can_be_given_up);
	add_for_root(tc, user_and_groups_are_taken_for_good);
	add_for_root(tc, no_groups_means_none);
	unit_add_rows_if(geteuid() == 0, "only root can do that", tc, an_ordinary_user_has_no_capabilities,
	                 ARRAY_SIZE(sets));
	unit_add_if(may_empty_bounds(), "wants root with the capability SETPCAP", tc,
	            what_is_executed_gets_no_capabilities_if_that_is_wanted);
	add_for_root(tc, else_the_bounding_set_stays);
	unit_add_if(may_empty_bounds(), "wants root with the capability SETPCAP", tc,
	            root_hands_no_inheritable_capabilities_on);
	tcase_add_test(tc, a_process_that_may_not_empty_the_bounding_set_keeps_it);
	add_for_root(tc, what_fails_is_named);
	add_for_root(tc, an_ordinary_user_may_only_name_itself);
	/* Outside of Check's child, which could not remove it any more. */
	tcase_add_unchecked_fixture(folders, unit_enter_folder, unit_leave_folder);
	suite_add_tcase(s, folders);
	add_for_root(folders, the_directory_is_judged_as_the_new_user);
	add_for_root(folders, the_root_is_changed_and_the_directory_is_inside);
	return unit_run(s);
}
