/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who could change a file, or replace what is in a folder: what owner and mode say of that.
 */
#include <config.h>
#include "trust.h"

#include "unit.h"

#define OURS   1000
#define OTHERS 1001

static const struct {
	const char *name;
	mode_t      mode;
	uid_t       owner;
	const char *want;               /* NULL: nobody else */
} rows[] = {
	{ "our own file",                      S_IFREG | 0644, OURS, NULL },
	{ "a file of root",                    S_IFREG | 0600, 0, NULL },
	{ "a file of another user",            S_IFREG | 0600, OTHERS, "it belongs to another user" },
	{ "a file for its group",              S_IFREG | 0660, OURS, "its group can write to it" },
	{ "a file of root for its group",      S_IFREG | 0664, 0, "its group can write to it" },
	{ "a file for everybody",              S_IFREG | 0666, OURS, "everybody can write to it" },
	{ "a file for all but its group",      S_IFREG | 0606, OURS, "everybody can write to it" },
	{ "the sticky bit of a file",          S_IFREG | S_ISVTX | 0666, OURS, "everybody can write to it" },
	{ "a folder for its group",            S_IFDIR | 0775, 0, "its group can write to it" },
	{ "a folder for everybody",            S_IFDIR | 0777, 0, "everybody can write to it" },
	{ "a folder like /tmp",                S_IFDIR | S_ISVTX | 0777, 0, NULL },
	{ "a folder like /tmp, of another user", S_IFDIR | S_ISVTX | 0777, OTHERS, "it belongs to another user" },
};

START_TEST(owner_and_mode_say_who_can_write)
{
	const struct stat st = { .st_mode = rows[_i].mode, .st_uid = rows[_i].owner };
	const char *why = trust_judge(&st, OURS);

	ck_assert_msg((why != NULL) == (rows[_i].want != NULL), "%s: %s", rows[_i].name, why);
	if (why)
		ck_assert_str_eq(why, rows[_i].want);
} END_TEST

int main(void)
{
	Suite *s = suite_create("trust");
	TCase *tc = unit_case(s, "trust", NULL, NULL);

	tcase_add_loop_test(tc, owner_and_mode_say_who_can_write, 0, (int)ARRAY_SIZE(rows));
	return unit_run(s);
}
