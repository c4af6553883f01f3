/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl metrics: that Prometheus can read it, that it says the same as the other commands, and
 * that counters never go back, whatever becomes of workers and of the program.
 */
#include <config.h>
#include "upgrade_harness.h"
#include "operator.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_OPENSSL
#include "../certificates.h"
#include "tls_client.h"
#endif

static struct daemon d;

/* ---- a service of each kind --------------------------------------------- */

#ifdef HAVE_OPENSSL
static const bool has_tls = true;

static const char *tls_service(void)
{
	struct certificate *c = certificate_make(&(struct certificate_wish){ .subject = "s", .names = "DNS:s" });

	certificate_write(files_path("pair"), c);
	certificate_add_key(files_path("pair"), c);
	certificate_free(c);
	return files_text(SERVICE("t", "echo", "workers = 1; tls = { chain = \"%s\"; };"), files_path("pair"));
}

static void visit_tls(void)
{
	SSL *ssl = tls_client_connect(daemon_address(&d, "t", 0), &(struct tls_client_wish){ .host = "s" });

	tls_client_say(ssl, "hello");
	tls_client_expect(ssl, "hello");
	tls_client_end(ssl);
	tls_client_close(ssl);
	daemon_wait_for(&d, "connection-end service=t");
}
#else
static const bool has_tls = false;

static const char *tls_service(void)
{
	return "";
}

static void visit_tls(void)
{
}
#endif

static void start_all_kinds(void)
{
	const char *unix_socket = files_text("\"unix:%s\"", files_path("p.sock"));

	daemon_start(&d, CONTROL "metrics = { listen = \"127.0.0.1:0\"; };\n" "services = {\n"
		SERVICE("Odd-Name_1", "echo", "workers = 2; limits = { connections_per_source = 2; };"
		        " poison = { block = \"1h\"; };")
		" p = { listen = %s; handler = { type = \"exec\"; argv = \"/bin/cat\"; }; workers = 1; };"
		" f = { listen = \"127.0.0.1:0\"; workers = 1;"
		" handler = { type = \"filter\"; framing = \"line\"; argv = [ \"/bin/sed\", \"-u\", \"s/a/a/\" ]; }; };"
		EXEC("w", "argv = \"/bin/cat\"; warm = 1;", "workers = 1;") "%s };\n",
		control_path(), unix_socket, tls_service());
}

static void visit(const char *service)
{
	daemon_check_echo(&d, service);
	daemon_wait_for(&d, "connection-end service=%s", service);
}

static void visit_all_kinds(void)
{
	visit("Odd-Name_1");
	visit("p");
	visit("f");
	visit("w");
	visit_tls();
}


static const char *text;                /* of the metrics, as they were seen last, after a newline */

static void look(void)
{
	ck_assert_int_eq(operator_run_args(control_path(), "metrics"), 0);
	text = files_text("\n%s", operator_output());
}

/* The value of a sample, as it is written; the test fails if there is none. */
static double value(const char *format, ...) __attribute__((format(printf, 1, 2)));

static double value(const char *format, ...)
{
	char sample[512];
	const char *at;
	va_list ap;
	int len;

	sample[0] = '\n';
	va_start(ap, format);
	len = 1 + vsnprintf(sample + 1, sizeof sample - 2, format, ap);
	va_end(ap);
	strcpy(sample + len, " ");
	at = strstr(text, sample);
	ck_assert_msg(at, "there is no %s", sample + 1);
	return strtod(at + len + 1, NULL);
}

/* ---- the format --------------------------------------------------------- */

static void must_run(const char *command)
{
	process_must("/bin/sh", "-c", command);
}

START_TEST(prometheus_has_nothing_to_complain_of)
{
	start_all_kinds();
	visit_all_kinds();
	look();
	files_write("metrics", "%s", text + 1);
	must_run(files_text("promtool check metrics < %s", files_path("metrics")));
	ck_assert_str_eq(files_read(files_path("command-output")), "");
} END_TEST

/* promtool reads OpenMetrics to fill a database, and wants a time in each sample for that. */
START_TEST(prometheus_understands_openmetrics)
{
	start_all_kinds();
	visit_all_kinds();
	ck_assert_int_eq(operator_run_args(control_path(), "metrics", "--openmetrics"), 0);
	files_write("metrics", "%s", operator_output());
	must_run(files_text("cd %s && sed '/^#/!s/$/ 1700000000/' metrics > timed &&"
	                    " promtool tsdb create-blocks-from openmetrics timed database",
	                    files_path("")));
	ck_assert_uint_eq(files_count(operator_output(), "# TYPE drover_build info\n"), 1);
	ck_assert_uint_eq(files_count(operator_output(), "\n# EOF\n"), 1);
} END_TEST

/* Each metric that droverd has is in the manual, and no other. */
START_TEST(the_manual_has_the_names_of_all_metrics)
{
	const char *page = files_text("\n%s", files_read(files_text("%s/man/drover-metrics.7",
	                                                            getenv("top_srcdir"))));

	start_all_kinds();
	look();
	for (const char *at = text; (at = strstr(at, "\n# TYPE ")); at++)
		ck_assert_msg(strstr(page, files_text("\n.It Li %.*s\n", (int)strcspn(at + 8, " "), at + 8)),
		              "%.*s is not in the manual", (int)strcspn(at + 8, " "), at + 8);
	for (const char *at = page; (at = strstr(at, "\n.It Li drover_")); at++)
		ck_assert_msg(strstr(text, files_text("\n# TYPE %.*s ", (int)strcspn(at + 8, "\n"), at + 8)) ||
		              !has_tls, "%.*s is only in the manual", (int)strcspn(at + 8, "\n"), at + 8);
} END_TEST

START_TEST(one_service_can_be_asked_for)
{
	start_all_kinds();
	ck_assert_int_eq(operator_run_args(control_path(), "metrics", "f"), 0);
	text = files_text("\n%s", operator_output());
	ck_assert(value("drover_filter_requests_answered_total{service=\"f\"}") < 1);
	ck_assert_uint_eq(files_count(operator_output(), "service=\"p\""), 0);
	ck_assert_uint_eq(files_count(operator_output(), "drover_build_info"), 0);
	ck_assert_int_eq(operator_run_args(control_path(), "metrics", "x"), 1);
	harness_contains(operator_errors(), "there is no service \"x\"");
} END_TEST

START_TEST(another_format_is_not_known)
{
	daemon_start(&d, ECHO(""), control_path());
	control_ask("{\"command\":\"metrics\",\"format\":\"xml\"}",
	            "\"bad-request\",\"message\":\"format must be prometheus or openmetrics\"");
	control_ask("{\"command\":\"metrics\",\"format\":\"prometheus\"}",
	            "{\"ok\":true,\"result\":{\"text\":\"# HELP drover_build_info ");
} END_TEST

/* ---- the values --------------------------------------------------------- */

static void expect(double is, const json_t *row, const char *path)
{
	char key[64];
	const json_t *at = row;

	for (const char *p = path; p; p = strchr(p, '.') ? strchr(p, '.') + 1 : NULL) {
		snprintf(key, sizeof key, "%.*s", (int)strcspn(p, "."), p);
		at = json_object_get(at, key);
	}
	ck_assert_msg(json_is_number(at), "%s of %s", path, json_dumps(row, 0));
	ck_assert_msg(fabs(is - json_number_value(at)) < 0.001, "%s is %f, not %f", path, is,
	              json_number_value(at));
}

static const struct { const char *metric, *path, *group; } figures[] = {
	{ "drover_service_workers_wanted",            "workers.wanted",  NULL },
	{ "drover_service_workers_min",               "workers.min",     NULL },
	{ "drover_service_workers_max",               "workers.max",     NULL },
	{ "drover_service_slots",                     "slots.max",       NULL },
	{ "drover_service_slots_used",                "slots.open",      NULL },
	{ "drover_service_queue_length",              "queue.length",    "queue" },
	{ "drover_service_queue_limit",               "queue.limit",     "queue" },
	{ "drover_service_restart_delay_seconds",     "restart_delay",   NULL },
	{ "drover_connections_accepted_total",        "accepted",        NULL },
	{ "drover_connections_served_total",          "served",          NULL },
	{ "drover_connections_lost_total",            "lost",            NULL },
	{ "drover_connections_untracked_total",       "untracked",       NULL },
	{ "drover_received_bytes_total",              "bytes_in",        NULL },
	{ "drover_sent_bytes_total",                  "bytes_out",       NULL },
	{ "drover_requests_total",                    "requests",        NULL },
	{ "drover_filter_processes",                  "filter.processes", "filter" },
	{ "drover_filter_queue_length",               "filter.queued",   "filter" },
	{ "drover_filter_requests_answered_total",    "filter.answered", "filter" },
	{ "drover_filter_processes_replaced_total",   "filter.replaced", "filter" },
	{ "drover_warm_programs_waiting",             "warm.waiting",    "warm" },
	{ "drover_warm_connections_joined_total",     "warm.joined",     "warm" },
	{ "drover_warm_connections_cold_total",       "warm.cold",       "warm" },
	{ "drover_warm_programs_crashed_total",       "warm.crashed",    "warm" },
};

/* Each member of a group is a sample with that label. */
static void expect_group(const json_t *row, const char *group, const char *metric, const char *label)
{
	const char *service = json_string_value(json_object_get(row, "name")), *key;
	json_t *members = json_object_get(row, group), *member;

	json_object_foreach(members, key, member)
		if (strcmp(group, "workers") != 0 || strstr("starting accepting draining", key))
			expect(value("%s{service=\"%s\",%s=\"%s\"}", metric, service, label, key), row,
			       files_text("%s.%s", group, key));
}

static void expect_service(const json_t *row)
{
	const char *service = json_string_value(json_object_get(row, "name"));

	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (!figures[i].group || json_is_object(json_object_get(row, figures[i].group)))
			expect(value("%s{service=\"%s\"}", figures[i].metric, service), row, figures[i].path);
	expect_group(row, "workers", "drover_service_workers", "state");
	expect_group(row, "refused", "drover_connections_refused_total", "reason");
	expect_group(row, "deaths", "drover_worker_deaths_total", "signal");
	ck_assert(value("drover_service_state{service=\"%s\",state=\"%s\"}", service,
	                json_string_value(json_object_get(row, "state"))) > 0);
}

static json_t *ask_list(const char *command)
{
	json_t *result;

	ck_assert_int_eq(operator_run_args(control_path(), "--json", command), 0);
	result = json_loads(operator_output(), 0, NULL);
	ck_assert_ptr_nonnull(result);
	return result;
}

/* At rest: what both say does not change any more. */
static void expect_the_same_everywhere(void)
{
	json_t *result = ask_list("services"), *row;
	size_t i;

	look();
	json_array_foreach(json_object_get(result, "services"), i, row)
		expect_service(row);
	json_decref(result);
}

static void settle_all(void)
{
	json_t *result = ask_list("workers"), *row;
	size_t i;

	json_array_foreach(json_object_get(result, "workers"), i, row)
		daemon_settle_worker(&d, (pid_t)json_integer_value(json_object_get(row, "pid")));
	json_decref(result);
}

static void refuse_one(void)
{
	int fds[2] = { daemon_connect_echo(&d, "Odd-Name_1"), daemon_connect_echo(&d, "Odd-Name_1") };
	int refused = daemon_connect(&d, "Odd-Name_1");

	client_expect_gone(refused);
	close(refused);
	look();
	ck_assert(fabs(value("drover_source_entries{service=\"Odd-Name_1\"}") - 1) < 0.1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		daemon_wait_for(&d, "connection-end service=Odd-Name_1");
}

START_TEST(metrics_say_what_services_says)
{
	start_all_kinds();
	expect_the_same_everywhere();
	visit_all_kinds();
	refuse_one();
	settle_all();
	expect_the_same_everywhere();
	ck_assert(value("drover_connections_refused_total{service=\"Odd-Name_1\",reason=\"source\"}") > 0);
	ck_assert(value("drover_connections_accepted_total{service=\"f\"}") > 0);
	ck_assert(value("drover_source_entries_max{service=\"Odd-Name_1\"}") > 0);
	ck_assert(value("drover_workers") > 4);
#ifdef HAVE_OPENSSL
	ck_assert(value("drover_tls_certificate_not_after_timestamp_seconds{service=\"t\",certificate=\"0\","
	                "name=\"s\"}") > 1e9);
#endif
} END_TEST

START_TEST(a_worker_has_gauges_of_its_own)
{
	const char *slot;
	pid_t worker;
	int fd;

	daemon_start(&d, ONE(""), control_path());
	worker = daemon_next_worker(&d, "s");
	fd = daemon_connect_echo(&d, "s");
	look();
	ck_assert(value("drover_worker_state{service=\"s\",worker=\"0\",state=\"accepting\"}") > 0);
	ck_assert(value("drover_worker_connections_open{service=\"s\",worker=\"0\"}") > 0);
	ck_assert(value("drover_worker_received_bytes{service=\"s\",worker=\"0\"}") > 0);
	ck_assert(value("drover_worker_slots{service=\"s\",worker=\"0\"}") > 255);
	ck_assert(value("drover_worker_start_time_seconds{service=\"s\",worker=\"0\"}") >=
	          value("drover_start_time_seconds"));
	close(fd);
	daemon_wait_for(&d, "connection-end");
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	daemon_wait_for(&d, "worker-ready");
	look();
	ck_assert_uint_eq(files_count(text, "\ndrover_worker_slots{"), 1);
	slot = strstr(text, "\ndrover_worker_slots{");       /* the next one may have another slot */
	slot = files_text("%.*s", (int)strcspn(slot + 21, "} "), slot + 21);
	ck_assert(value("drover_worker_connections_accepted{%s}", slot) < 1);
	ck_assert(value("drover_connections_accepted_total{service=\"s\"}") > 0);
} END_TEST

START_TEST(a_refused_reload_is_seen_until_one_succeeds)
{
	double since, first;

	daemon_start(&d, ECHO(""), control_path());
	look();
	first = value("drover_config_last_reload_timestamp_seconds");
	ck_assert(value("drover_config_last_reload_successful") > 0);
	daemon_config(&d, "a = 1;\n" ECHO(""), control_path());
	control_ask("{\"command\":\"reload\"}", "\"refused\"");
	look();
	since = value("drover_config_last_reload_timestamp_seconds");
	ck_assert(value("drover_config_last_reload_successful") < 1);
	ck_assert(since > first);
	daemon_reload(&d, ECHO(""), control_path());
	look();
	ck_assert(value("drover_config_last_reload_successful") > 0);
	ck_assert(value("drover_config_last_reload_timestamp_seconds") > since);
	ck_assert(value("drover_generation") > 1);
} END_TEST

/* ---- counters ----------------------------------------------------------- */

/* Each counter of before is still there, and not lower. text is that of now. */
static void expect_no_counter_lower(const char *before)
{
	size_t n = 0;

	for (const char *line = before; *line; line = strchr(line, '\n') + 1) {
		const char *end = strchr(line, ' ');

		if (*line == '\n' || *line == '#' || !memmem(line, (size_t)(end - line), "_total", 6))
			continue;
		n++;
		ck_assert_msg(value("%.*s", (int)(end - line), line) >= strtod(end, NULL), "%.*s",
		              (int)strcspn(line, "\n"), line);
	}
	ck_assert_uint_gt(n, 10);
}

static void look_again(void)
{
	const char *before = text;

	look();
	expect_no_counter_lower(before);
}

static void kill_a_worker(void)
{
	int fd = daemon_connect_echo(&d, "s");
	const pid_t worker = (pid_t)event_number(daemon_accepted(&d, fd), "pid");

	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	client_expect_gone(fd);
	close(fd);
	look_again();
	daemon_wait_for(&d, "worker-end pid=%d", (int)worker);
	look_again();
	daemon_wait_for(&d, "worker-ready");
	look_again();
}

START_TEST(no_counter_goes_back_over_deaths_reloads_and_upgrades)
{
	double start;

	daemon_start(&d, ECHO(""), control_path());
	for (int i = 0; i < 3; i++)
		daemon_check_echo(&d, "s");
	look();
	start = value("drover_start_time_seconds");
	kill_a_worker();
	daemon_signal(&d, SIGHUP);
	look_again();
	daemon_wait_for(&d, "reload-done");
	look_again();
	daemon_wait_for(&d, "generation-gone");
	look_again();
	upgrade_to_next(&d);
	look_again();
	daemon_check_echo(&d, "s");
	kill_a_worker();
	look_again();
	ck_assert(value("drover_connections_accepted_total{service=\"s\"}") > 5);
	ck_assert(value("drover_worker_deaths_total{service=\"s\",signal=\"SIGKILL\"}") > 1);
	ck_assert(value("drover_connections_lost_total{service=\"s\"}") > 1);
	ck_assert(value("drover_build_info{version=\"" NEXT "\"}") > 0);
	ck_assert_msg(fabs(value("drover_start_time_seconds") - start) < 1, "it did not start again");
} END_TEST

int main(void)
{
	Suite *s = suite_create("metrics");
	TCase *tc = harness_case(s, "format");
	const bool has_promtool = process_is_installed("promtool");

	harness_add_if(has_promtool, "promtool is not installed", tc, prometheus_has_nothing_to_complain_of);
	harness_add_if(has_promtool, "promtool is not installed", tc, prometheus_understands_openmetrics);
	tcase_add_test(tc, the_manual_has_the_names_of_all_metrics);
	tcase_add_test(tc, one_service_can_be_asked_for);
	tcase_add_test(tc, another_format_is_not_known);
	tc = harness_case(s, "values");
	tcase_add_test(tc, metrics_say_what_services_says);
	tcase_add_test(tc, a_worker_has_gauges_of_its_own);
	tcase_add_test(tc, a_refused_reload_is_seen_until_one_succeeds);
	tc = upgrade_case(s, "counters");
	tcase_add_test(tc, no_counter_goes_back_over_deaths_reloads_and_upgrades);
	return harness_run(s);
}
