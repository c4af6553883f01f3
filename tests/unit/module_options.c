/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a module sees of its options, and which of them it has not asked for.
 */
#include <config.h>
#include "module_options.h"

#include "unit.h"

static struct conf_option servers[] = {
	{ .type = CONF_OPTION_TEXT, .full_name = "servers", .text = "one", .number_in_tree = 3 },
	{ .type = CONF_OPTION_TEXT, .full_name = "servers", .text = "two", .number_in_tree = 4 },
};
static struct conf_option inner[] = {
	{ .type = CONF_OPTION_BOOLEAN, .name = "on", .full_name = "inner.on", .integer = 1, .number_in_tree = 6 },
};
static struct conf_option members[] = {
	{ .type = CONF_OPTION_INTEGER, .name = "size", .full_name = "size", .integer = 7, .number = 7,
	  .number_in_tree = 1 },
	{ .type = CONF_OPTION_LIST, .name = "servers", .full_name = "servers", .n = 2, .members = servers,
	  .number_in_tree = 2 },
	{ .type = CONF_OPTION_GROUP, .name = "inner", .full_name = "inner", .n = 1, .members = inner,
	  .number_in_tree = 5 },
	{ .type = CONF_OPTION_NUMBER, .name = "rate", .full_name = "rate", .number = 1.5, .number_in_tree = 7 },
};
static struct conf_option root = {
	.type = CONF_OPTION_GROUP, .full_name = "options", .n = 4, .members = members,
};
static const struct conf_module module = {
	.path = "/x", .options = &root, .n_options = 8, .name = "test", .version = "1",
};

static bool asked[8];
static char complaints[2048];
static struct module_options o;
static struct drover_config *config;
static struct drover_value v;

static void keep(void *arg, const struct conf_option *option, const char *text)
{
	const size_t len = strlen(complaints);

	ck_assert_ptr_eq(arg, complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s %s\n", option->full_name, text);
}

static void set_up(void)
{
	memset(asked, 0, sizeof asked);
	complaints[0] = '\0';
	o = (struct module_options){ .module = &module, .asked = asked, .complain = keep, .arg = complaints };
	module_options_init(&o, "s");
	config = &o.config;
	v = (struct drover_value){ .size = sizeof v };
}

START_TEST(the_types_of_options_are_those_of_the_interface)
{
	ck_assert_int_eq(CONF_OPTION_TEXT, DROVER_TEXT);
	ck_assert_int_eq(CONF_OPTION_INTEGER, DROVER_INTEGER);
	ck_assert_int_eq(CONF_OPTION_NUMBER, DROVER_NUMBER);
	ck_assert_int_eq(CONF_OPTION_BOOLEAN, DROVER_BOOLEAN);
	ck_assert_int_eq(CONF_OPTION_GROUP, DROVER_GROUP);
	ck_assert_int_eq(CONF_OPTION_LIST, DROVER_LIST);
} END_TEST

START_TEST(an_option_is_found_by_its_name_and_type)
{
	ck_assert_int_eq(config->find(config, NULL, "size", DROVER_INTEGER, &v), 1);
	ck_assert_int_eq(v.integer, 7);
	ck_assert_str_eq(v.name, "size");
	ck_assert_int_eq(config->find(config, NULL, "size", DROVER_NUMBER, &v), 1);
	ck_assert_double_eq(v.number, 7);
	ck_assert_int_eq(config->find(config, NULL, "size", 0, &v), 1);
	ck_assert_int_eq(v.type, DROVER_INTEGER);
	ck_assert_int_eq(config->find(config, NULL, "none", 0, &v), 0);
	ck_assert_int_eq(config->find(config, NULL, "inner", DROVER_GROUP, &v), 1);
	ck_assert_int_eq(config->find(config, v.option, "on", DROVER_BOOLEAN, &v), 1);
	ck_assert_int_eq(v.integer, 1);
	ck_assert_str_eq(complaints, "");
} END_TEST

START_TEST(an_option_of_another_type_is_complained_of_and_not_there)
{
	ck_assert_int_eq(config->find(config, NULL, "rate", DROVER_INTEGER, &v), 0);
	ck_assert_int_eq(config->find(config, NULL, "size", DROVER_TEXT, &v), 0);
	ck_assert_int_eq(config->find(config, NULL, "servers", DROVER_GROUP, &v), 0);
	ck_assert_int_eq(config->find(config, NULL, "inner", 99, &v), 0);
	ck_assert_str_eq(complaints, "rate must be an integer, not a number\n"
	                             "size must be a string, not an integer\n"
	                             "servers must be a group, as in { ... }, not a list, as in [ ... ]\n"
	                             "inner must be of another type, not a group, as in { ... }\n");
	ck_assert_uint_eq(o.n_complaints, 4);
} END_TEST

START_TEST(members_of_groups_and_lists_have_numbers)
{
	const struct drover_option *list;

	ck_assert_int_eq(config->find(config, NULL, "servers", DROVER_LIST, &v), 1);
	ck_assert_uint_eq(v.n, 2);
	list = v.option;
	ck_assert_int_eq(config->member(config, list, 1, &v), 1);
	ck_assert_str_eq(v.text, "two");
	ck_assert_ptr_null(v.name);
	ck_assert_int_eq(config->member(config, list, 2, &v), 0);
	ck_assert_int_eq(config->find(config, list, "one", 0, &v), 0);
	ck_assert_int_eq(config->member(config, NULL, 3, &v), 1);
	ck_assert_str_eq(v.name, "rate");
	ck_assert_int_eq(config->member(config, v.option, 0, &v), 0);
} END_TEST

START_TEST(a_module_with_a_smaller_value_gets_what_it_has_room_for)
{
	memset(&v, 0x55, sizeof v);
	v.size = offsetof(struct drover_value, integer);
	ck_assert_int_eq(config->find(config, NULL, "size", 0, &v), 1);
	ck_assert_uint_eq(v.size, offsetof(struct drover_value, integer));
	ck_assert_int_eq(v.type, DROVER_INTEGER);
	ck_assert_int_eq(v.integer, 0x5555555555555555);
} END_TEST

START_TEST(what_a_module_has_not_asked_for_is_unknown)
{
	config->find(config, NULL, "size", 0, &v);
	config->find(config, NULL, "servers", 0, &v);
	config->member(config, v.option, 0, &v);
	module_options_judge_unasked(&o);
	ck_assert_str_eq(complaints, "servers is not known to the module test 1\n"
	                             "inner is not known to the module test 1\n"
	                             "rate is not known to the module test 1\n");
} END_TEST

START_TEST(a_complaint_about_all_options_names_the_group)
{
	config->complain(config, NULL, "need %s", "more");
	ck_assert_str_eq(complaints, "options need more\n");
} END_TEST

int main(void)
{
	Suite *s = suite_create("module_options");
	TCase *tc = unit_case(s, "module_options", set_up, NULL);

	tcase_add_test(tc, the_types_of_options_are_those_of_the_interface);
	tcase_add_test(tc, an_option_is_found_by_its_name_and_type);
	tcase_add_test(tc, an_option_of_another_type_is_complained_of_and_not_there);
	tcase_add_test(tc, members_of_groups_and_lists_have_numbers);
	tcase_add_test(tc, a_module_with_a_smaller_value_gets_what_it_has_room_for);
	tcase_add_test(tc, what_a_module_has_not_asked_for_is_unknown);
	tcase_add_test(tc, a_complaint_about_all_options_names_the_group);
	return unit_run(s);
}
