/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists in columns: alignment, order, and values that are not what they should
 * be. The table of workers stands for all.
 */
#include <config.h>
#include "table.h"

#include "unit.h"
#include "value.h"

static json_t *result;
static struct table *table;

static void make(enum view_kind kind, const char *json)
{
	json_error_t error;
	const json_t *rows;

	result = json_loads(json, 0, &error);
	ck_assert_msg(result, "%s", error.text);
	rows = view_rows(view_of(kind), result);
	ck_assert_ptr_nonnull(rows);
	table = table_new(view_of(kind), rows);
}

static void after(void)
{
	table_free(table);
	json_decref(result);
}

static const char *line(size_t row)
{
	static char buf[512];
	struct text t = text_in(buf, sizeof buf);

	table_row(table, row, &t);
	return buf;
}

#define WORKER(service, pid, open) \
	"{\"service\":\"" service "\",\"pid\":" pid ",\"open\":" open ",\"slots\":256,\"age\":5}"
#define THREE \
	"{\"workers\":[" WORKER("b", "7", "12") "," WORKER("longer", "1234", "3") "," \
	WORKER("a", "null", "\"?\"") "]}"

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	char buf[512];
	struct text t = text_in(buf, sizeof buf);

	make(VIEW_WORKERS, THREE);
	table_titles(table, &t);
	ck_assert_str_eq(buf, "SERVICE   PID  AGE    OPEN  USE");
	ck_assert_str_eq(line(0), "b           7   5s  12/256   5%");
	ck_assert_str_eq(line(1), "longer   1234   5s   3/256   1%");
	ck_assert_str_eq(line(2), "a           -   5s   -/256    -");
} END_TEST

START_TEST(a_column_of_nothing_is_left_out)
{
	make(VIEW_SERVICES,
	     "{\"services\":[{\"name\":\"a\",\"served\":0,\"accepted\":0,\"deaths\":{},"
	     "\"queue\":{\"length\":0,\"limit\":128},\"workers\":{\"accepting\":0,\"wanted\":2}},"
	     "{\"name\":\"b\",\"served\":0,\"accepted\":1,\"queue\":{\"length\":0,\"limit\":128},"
	     "\"workers\":{\"accepting\":2,\"wanted\":2}}]}");
	ck_assert_str_eq(line(0), "a            0/2         0");
	ck_assert_str_eq(line(1), "b            2/2         1");
	ck_assert(table_shows(table, 3));
	ck_assert(!table_shows(table, 6));      /* none waits, of 128 */
	ck_assert_uint_eq(table_place(table, 6).width, 0);
} END_TEST

START_TEST(a_list_of_none_has_all_its_titles)
{
	char buf[512];
	struct text t = text_in(buf, sizeof buf);

	make(VIEW_WORKERS, "{\"workers\":[]}");
	table_titles(table, &t);
	ck_assert_str_eq(buf, "SERVICE  PID  GEN  STATE  AGE  OPEN  USE  ACCEPTED  SERVED  REQUESTS  IN  OUT  TURN");
} END_TEST

START_TEST(what_does_not_fit_is_scrolled_to)
{
	make(VIEW_WORKERS, THREE);
	table_scroll_to(table, 1, 20);
	ck_assert_int_eq(strncmp(line(0), "b           7   5s", 18), 0);
	table_scroll_to(table, 5, 20);          /* the name stays */
	ck_assert_str_eq(line(0), "b         5s  12/256   5%");
	ck_assert_uint_eq(table_place(table, 1).width, 0);
	ck_assert_uint_eq(table_place(table, 5).at, 14);
	table_scroll_to(table, 6, 5);           /* if nothing is narrow enough, it comes second */
	ck_assert_str_eq(line(0), "b         5%");
	table_scroll_to(table, 6, 80);
	ck_assert_str_eq(line(0), "b           7   5s  12/256   5%");
} END_TEST

static const struct { size_t width; const char *text; } printed[] = {
	{ 0,  "SERVICE   PID  AGE    OPEN  USE\nb           7   5s  12/256   5%\n"
	      "longer   1234   5s   3/256   1%\na           -   5s   -/256    -\n" },
	{ 31, "SERVICE   PID  AGE    OPEN  USE\nb           7   5s  12/256   5%\n"
	      "longer   1234   5s   3/256   1%\na           -   5s   -/256    -\n" },
	{ 30, "SERVICE   PID  AGE    OPEN\nb           7   5s  12/256\n"
	      "longer   1234   5s   3/256\na           -   5s   -/256\n"
	      "\nSERVICE  USE\nb         5%\nlonger    1%\na          -\n" },
	{ 1,  "SERVICE   PID\nb           7\nlonger   1234\na           -\n"
	      "\nSERVICE  AGE\nb         5s\nlonger    5s\na         5s\n"
	      "\nSERVICE    OPEN\nb        12/256\nlonger    3/256\na         -/256\n"
	      "\nSERVICE  USE\nb         5%\nlonger    1%\na          -\n" },
};

START_TEST(what_does_not_fit_is_printed_below)
{
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	make(VIEW_WORKERS, THREE);
	ck_assert_uint_eq(table_width_of(f), 0);
	table_print(table, f, printed[_i].width);
	fclose(f);
	ck_assert_str_eq(out, printed[_i].text);
	free(out);
} END_TEST

START_TEST(a_place_is_where_a_column_is)
{
	struct table_place p;
	char buf[512];
	struct text t = text_in(buf, sizeof buf);

	make(VIEW_WORKERS, THREE);
	table_titles(table, &t);
	p = table_place(table, 5);
	ck_assert_int_eq(strncmp(buf + p.at, "  OPEN", p.width), 0);
	ck_assert_uint_eq(p.width, 6);
} END_TEST

/* The services as they come, by letters, after sorting by a column. */
static const struct { const char *name; size_t column; bool descending; const char *order; } orders[] = {
	{ "text",                             0, false, "abl" },
	{ "text, from behind",                0, true,  "lba" },
	{ "numbers; what is none comes last", 1, false, "bla" },
	{ "and last here, too",               1, true,  "lba" },
	{ "parts by their number",            5, false, "lba" },
	{ "shares",                           6, true,  "bla" },
	{ "equal ones stay as they are",      4, false, "bla" },
	{ "in both directions",               4, true,  "bla" },
};

START_TEST(rows_are_sorted)
{
	make(VIEW_WORKERS, THREE);
	table_sort(table, orders[_i].column, orders[_i].descending);
	for (size_t r = 0; r < 3; r++)
		ck_assert_msg(line(r)[0] == orders[_i].order[r], "%s: row %zu is %s", orders[_i].name,
		              r, line(r));
} END_TEST

/* Many cells, so that their memory moves. */
START_TEST(long_lists_are_printed)
{
	char *json = malloc(1 << 20), *at = json, *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	at = stpcpy(at, "{\"connections\":[");
	for (int i = 0; i < 5000; i++)
		at += sprintf(at, "%s{\"id\":\"1-%d\",\"peer\":\"p%d\"}", i ? "," : "", i, i);
	stpcpy(at, "]}");
	make(VIEW_CONNECTIONS, json);
	ck_assert_uint_eq(table_n_rows(table), 5000);
	table_print(table, f, 0);
	fclose(f);
	unit_contains(out, "CONNECTION  PEER");
	unit_contains(out, "1-4999  ");
	unit_contains(out, "  p4999\n");
	free(out);
	free(json);
} END_TEST

START_TEST(a_service_has_values_of_several_members)
{
	make(VIEW_SERVICES,
	     "{\"services\":[{\"name\":\"a\",\"state\":\"failing\",\"restart_delay\":2,"
	     "\"workers\":{\"accepting\":3,\"wanted\":4,\"starting\":1,\"draining\":2},"
	     "\"queue\":null,\"deaths\":{\"SIGSEGV\":2,\"SIGABRT\":1},"
	     "\"listen\":[\"[::1]:80\",\"unix:/x\\ny\"]}]}");
	unit_contains(line(0), "failing, again in 2s  3/4 +1 -2 ");
	unit_contains(line(0), " SIGSEGV:2, SIGABRT:1  [::1]:80, unix:/x\\x0ay");
} END_TEST

START_TEST(what_programs_do_is_told_of_those_services_that_have_some)
{
	make(VIEW_SERVICES,
	     "{\"services\":[{\"filter\":null,\"warm\":{\"waiting\":2,\"joined\":10,\"cold\":0,"
	     "\"crashed\":1}},"
	     "{\"filter\":{\"processes\":1,\"queued\":0},\"warm\":null}]}");
	unit_contains(line(0), "  -                    "
	              "  waiting:2, joined:10, cold:0, crashed:1");
	unit_contains(line(1), "  processes:1, queued:0  -");
} END_TEST

static const char *const no_lists[] = {
	"{}", "{\"services\":{}}", "{\"services\":[1]}", "{\"services\":[{},[]]}", "{\"services\":null}",
	"[]",
};

START_TEST(what_is_no_list_of_objects_is_none)
{
	json_t *wrong = json_loads(no_lists[_i], 0, NULL);

	ck_assert_ptr_nonnull(wrong);
	ck_assert_ptr_null(view_rows(view_of(VIEW_SERVICES), wrong));
	json_decref(wrong);
	ck_assert_ptr_null(view_rows(view_of(VIEW_SERVICES), NULL));
} END_TEST

START_TEST(values_are_found_by_their_path)
{
	result = json_loads("{\"a\":{\"b\":{\"c\":7}},\"n\":null}", 0, NULL);
	ck_assert_double_eq(value_number_at(result, "a.b.c"), 7);
	ck_assert_ptr_eq(value_at(result, ""), result);
	ck_assert_double_nan(value_number_at(result, "a.b"));
	ck_assert_double_nan(value_number_at(result, "a.x.c"));
	ck_assert_double_nan(value_number_at(result, "n.x"));
	ck_assert_ptr_null(value_at(NULL, "a"));
} END_TEST

int main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = unit_case(s, "table", NULL, after);

	tcase_add_test(tc, columns_are_as_wide_as_their_widest_cell);
	tcase_add_test(tc, a_column_of_nothing_is_left_out);
	tcase_add_test(tc, a_list_of_none_has_all_its_titles);
	tcase_add_test(tc, what_does_not_fit_is_scrolled_to);
	tcase_add_loop_test(tc, what_does_not_fit_is_printed_below, 0, (int)ARRAY_SIZE(printed));
	tcase_add_test(tc, a_place_is_where_a_column_is);
	tcase_add_loop_test(tc, rows_are_sorted, 0, ARRAY_SIZE(orders));
	tcase_add_test(tc, long_lists_are_printed);
	tcase_add_test(tc, a_service_has_values_of_several_members);
	tcase_add_test(tc, what_programs_do_is_told_of_those_services_that_have_some);
	tcase_add_loop_test(tc, what_is_no_list_of_objects_is_none, 0, ARRAY_SIZE(no_lists));
	tcase_add_test(tc, values_are_found_by_their_path);
	return unit_run(s);
}
