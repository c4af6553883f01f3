/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daily warning of certificates that expire.
 */
#include <config.h>
#include "unit.h"

#include <time.h>

#include "certificate_watch.h"
#include "log_sink.h"

#define DAY INT64_C(86400)
#define MANY 25

static struct loop loop;
static struct log_sink *sink;
static struct certificate_watch watch;
static struct conf_certificate certificates[MANY];
static struct conf_service service = { .name = "s", .tls = { .on = true, .certificates = certificates } };
static struct conf_service *services[] = { &service };
static const struct conf conf = { .services = services, .n_services = 1 };

static void set_up(void)
{
	unit_enter_folder();
	ck_assert_int_eq(loop_init(&loop), 0);
	loop.now_ms = 1000;
	sink = log_sink_open(LOG_TARGET_FILE, "log", LOG_FORMAT_TEXT);
	log_use(sink, LOG_LEVEL_INFO);
}

static void tear_down(void)
{
	log_use(NULL, LOG_LEVEL_INFO);
	log_sink_close(&sink);
	loop_fini(&loop);
	unit_leave_folder();
}

static void expect(size_t i, int64_t at)
{
	certificates[i] = (struct conf_certificate){ .chain = "/c.pem", .not_after = at };
	service.tls.n_certificates = i + 1;
}

static size_t lines(const char *part)
{
	const char *at = unit_read_file("log");
	size_t n = 0;

	while ((at = strstr(at, part))) {
		at += strlen(part);
		n++;
	}
	return n;
}

static void pass(int64_t ms)
{
	loop.now_ms += ms;
	timer_run(&loop.timers, loop.now_ms);
}

START_TEST(only_what_expires_soon_is_told)
{
	expect(0, 100 * DAY);
	expect(1, 3 * DAY);
	expect(2, -2 * DAY);
	certificate_watch_tell(&conf, 0);
	ck_assert_uint_eq(lines("\n"), 2);
	ck_assert_uint_eq(lines("service s: the certificate /c.pem expires in 3 days, at 1970-01-04T00:00:00Z"), 1);
	ck_assert_uint_eq(lines("service s: the certificate /c.pem expired 2 days ago, at 1969-12-30T00:00:00Z"), 1);
} END_TEST

START_TEST(a_service_without_tls_has_nothing_to_tell)
{
	expect(0, 0);
	service.tls.on = false;
	certificate_watch_tell(&conf, 0);
	service.tls.on = true;
	ck_assert_uint_eq(lines("\n"), 0);
} END_TEST

START_TEST(of_many_only_some_are_told)
{
	for (size_t i = 0; i < MANY; i++)
		expect(i, DAY);
	certificate_watch_tell(&conf, 0);
	ck_assert_uint_eq(lines("\n"), 21);
	ck_assert_uint_eq(lines("5 more certificates expire soon (droverctl certificates shows them)"), 1);
} END_TEST

START_TEST(it_is_told_once_a_day_from_a_day_after_the_load)
{
	expect(0, time(NULL) + DAY);
	certificate_watch_begin(&watch, &loop, &conf);
	pass(CERTIFICATE_WATCH_MS - 1);
	ck_assert_uint_eq(lines("\n"), 0);
	pass(1);
	ck_assert_uint_eq(lines("\n"), 1);
	pass(CERTIFICATE_WATCH_MS - 1);
	ck_assert_uint_eq(lines("\n"), 1);
	pass(1);
	ck_assert_uint_eq(lines("\n"), 2);
	pass(CERTIFICATE_WATCH_MS - 1);
	certificate_watch_begin(&watch, &loop, &conf);  /* a reload has warned */
	pass(1);
	ck_assert_uint_eq(lines("\n"), 2);
} END_TEST

int main(void)
{
	Suite *s = suite_create("certificate_watch");
	TCase *tc = unit_case(s, "watch", set_up, tear_down);

	tcase_add_test(tc, only_what_expires_soon_is_told);
	tcase_add_test(tc, a_service_without_tls_has_nothing_to_tell);
	tcase_add_test(tc, of_many_only_some_are_told);
	tcase_add_test(tc, it_is_told_once_a_day_from_a_day_after_the_load);
	return unit_run(s);
}
