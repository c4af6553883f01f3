/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What configurations come to: values, defaults, and what overrides what.
 */
#include <config.h>
#include "conf_harness.h"
#include "conf_texts.h"
#include "control_path.h"
#include "cpus.h"

#include <unistd.h>

/* Zero however it is written is zero. */
START_TEST(nothing_at_all_is_never)
{
	static const char *const rows[] = { "0", "0.0", "0e5", "0.000e-999", "-0.0", "\"0s\"", "0x0" };
	char text[256];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof text, "shutdown_timeout = %s; services = { s = { listen = \"*:0\";"
		         " handler = { type = \"echo\"; }; }; };", rows[i]);
		ck_assert_int_eq(load_well(text)->shutdown_timeout, 0);
	}
} END_TEST

/* By default: those that cpus.c counts, as its own test shows. */
static int usable_cpus(void)
{
	struct cpus c;

	cpus_read(&c, "");
	return cpus_usable(&c, NULL);
}

START_TEST(what_is_not_given_has_its_default)
{
	const struct conf *conf = load_well(WITH(""));
	const struct conf_service *s = conf->services[0];
	const int cpus = usable_cpus();

	ck_assert_int_eq(conf->shutdown_timeout, 30000);
	ck_assert_int_eq(conf->log.target, LOG_TARGET_STDERR);
	ck_assert_int_eq(conf->log.level, LOG_LEVEL_INFO);
	ck_assert_int_eq(conf->access_log.target, LOG_TARGET_NONE);
	ck_assert_int_eq(s->access_log.target, LOG_TARGET_NONE);
	ck_assert_ptr_null(conf->pid_file);
	ck_assert_str_eq(conf->state_dir, "/var/lib/drover");
	ck_assert_int_eq(s->hang_timeout, 30000);
	ck_assert_uint_eq(s->crash_capture, 0);
	ck_assert(!s->workers.ranged);
	ck_assert_int_eq(s->workers.min, cpus);
	ck_assert_int_eq(s->workers.max, 4 * cpus);
	ck_assert_int_eq(s->max_accepts, 0);
	ck_assert_str_eq(conf->control.socket, control_path_default());
	ck_assert(conf->control.is_default && conf->control.mode == 0600);
	ck_assert(conf->control.gid == (gid_t)CONF_KEEP && conf->control.admin_gid == (gid_t)CONF_KEEP);
	ck_assert_int_eq(s->connections, 256);
	ck_assert_int_eq(s->umask, CONF_KEEP);
	ck_assert(!s->has_nice && !s->cpus && !s->chroot && !s->rlimits.nofile.given);
	ck_assert(s->no_new_privs && s->enabled);
	ck_assert_str_eq(s->directory, "/");
	ck_assert(s->identity.uid == (uid_t)CONF_KEEP && s->identity.gid == (gid_t)CONF_KEEP);
	ck_assert_int_eq(s->timeouts.handshake, 10000);
	ck_assert_int_eq(s->timeouts.idle, 300000);
	ck_assert_int_eq(s->timeouts.linger, 5000);
	ck_assert_int_eq(s->restart.delay_min, 100);
	ck_assert(!s->poison.on);
	ck_assert_ptr_null(s->handler.argv);
	ck_assert_ptr_null(s->handler.env[0]);
	ck_assert_int_eq(s->listen[0].backlog, 4096);
	ck_assert(s->listen[0].nodelay && s->listen[0].keepalive.on);
	ck_assert_int_eq(s->listen[0].keepalive.idle, 60000);
	ck_assert_int_eq(s->listen[0].keepalive.interval, 10000);
	ck_assert_int_eq(s->listen[0].keepalive.count, 6);
} END_TEST

START_TEST(keepalive_is_true_or_false_or_a_group)
{
	const struct conf *conf = load_well(ON("( { address = \"127.0.0.1:0\"; keepalive = false; },"
		" { address = \"127.0.0.2:0\"; keepalive = true; },"
		" { address = \"127.0.0.3:0\"; keepalive = { idle = 5; count = 2; }; } )"));
	const struct conf_listen *l = conf->services[0]->listen;

	ck_assert(!l[0].keepalive.on && l[1].keepalive.on && l[2].keepalive.on);
	ck_assert_int_eq(l[1].keepalive.idle, 60000);
	ck_assert_int_eq(l[2].keepalive.idle, 5000);
	ck_assert_int_eq(l[2].keepalive.interval, 10000);
	ck_assert_int_eq(l[2].keepalive.count, 2);
} END_TEST

START_TEST(poison_is_true_or_false_or_a_group)
{
	const struct conf *conf = load_well("defaults = { poison = { crashes = 5; block = \"2m\"; }; };"
		"services = { a = { " ECHO " }; b = { " ECHO " poison = false; };"
		" c = { " ECHO " poison = { crashes = 2; block_max = \"3m\"; }; };"
		" d = { " ECHO " poison = true; }; };");
	const struct conf_poison *a = &conf->services[0]->poison, *b = &conf->services[1]->poison,
	                         *c = &conf->services[2]->poison, *d = &conf->services[3]->poison;

	ck_assert(a->on && !b->on && c->on && d->on);
	ck_assert_int_eq(a->crashes, 5);
	ck_assert_int_eq(a->within, 60000);
	ck_assert_int_eq(a->block, 120000);
	ck_assert_int_eq(a->block_max, 3600000);
	ck_assert_int_eq(c->crashes, 2);
	ck_assert_int_eq(c->block, 120000);
	ck_assert_int_eq(c->block_max, 180000);
	ck_assert_int_eq(d->crashes, 5);
} END_TEST

START_TEST(defaults_merge_group_by_group_and_lists_replace)
{
	const struct conf *conf = load_well(
		"defaults = { connections = 7; timeouts = { idle = 1; linger = 2.5; };"
		" handler = { type = \"exec\"; argv = [ \"/bin/sh\", \"-c\", \"x\" ];"
		" env = \"A=1\"; }; };"
		"services = { a = { listen = \"*:0\"; };"
		" b = { listen = \"*:0\"; timeouts = { linger = 3; };"
		" handler = { argv = \"/bin/sh\"; }; };"
		" c = { listen = \"*:0\"; handler = { type = \"echo\"; }; connections = 1; }; };");
	const struct conf_service *a = conf->services[0], *b = conf->services[1],
	                          *c = conf->services[2];

	ck_assert_int_eq(a->connections, 7);
	ck_assert_int_eq(c->connections, 1);
	ck_assert_int_eq(a->timeouts.linger, 2500);
	ck_assert_int_eq(b->timeouts.linger, 3000);
	ck_assert_int_eq(c->timeouts.idle, 1000);
	ck_assert_int_eq(a->timeouts.idle, 0);  /* means nothing for exec */
	ck_assert_str_eq(a->handler.argv[1], "-c");
	ck_assert_ptr_null(b->handler.argv[1]);
	ck_assert_str_eq(b->handler.env[0], "A=1");
	ck_assert_ptr_null(c->handler.program);
	ck_assert_ptr_null(c->handler.argv);
	ck_assert_ptr_null(c->handler.env[0]);
} END_TEST

START_TEST(a_filter_has_two_framings_and_defaults)
{
	const struct conf *conf = load_well(
		"defaults = { handler = { in_flight = 9; }; max_request = 100;"
		" timeouts = { request = 3; }; };"
		"services = { a = { listen = \"*:0\"; handler = { type = \"filter\"; argv = \"/bin/cat\";"
		" framing = \"netstring\"; filter_framing = \"fixed:5\"; }; };"
		" b = { listen = \"*:0\"; handler = { type = \"filter\"; argv = \"/bin/cat\";"
		" framing = \"line\"; share = \"connection\"; }; };"
		" c = { " ECHO " }; };");
	const struct conf_filter *a = &conf->services[0]->handler.filter;
	const struct conf_filter *b = &conf->services[1]->handler.filter;

	ck_assert_int_eq(a->framing.kind, FRAMING_NETSTRING);
	ck_assert_int_eq(a->filter_framing.kind, FRAMING_FIXED);
	ck_assert_uint_eq(a->filter_framing.size, 5);
	ck_assert_uint_eq(a->framing.max, 100);
	ck_assert_uint_eq(a->filter_framing.max, 100);
	ck_assert_int_eq(a->in_flight, 9);
	ck_assert_int_eq(a->processes, 1);
	ck_assert_int_eq(a->timeout, 30000);
	ck_assert_int_eq(conf->services[0]->timeouts.idle, 300000);
	ck_assert_int_eq(conf->services[0]->timeouts.request, 3000);
	ck_assert_int_eq(b->filter_framing.kind, FRAMING_LINE);
	ck_assert_int_eq(b->in_flight, 1);              /* what defaults say is left out */
	ck_assert_int_eq(conf->services[2]->timeouts.request, 0);
} END_TEST

/* Of what a client may send at once, as much becomes one request as a frame for the filter can hold. */
START_TEST(raw_requests_go_to_the_filter_with_a_length)
{
	static const struct {
		const char       *service, *handler, *text;
		enum framing_kind kind;
		uint64_t          max, answer_max;
	} rows[] = {
		{ "", "", "length32", FRAMING_LENGTH32, 1 << 20, 1 << 20 },
		{ "", "filter_framing = \"netstring\";", "netstring", FRAMING_NETSTRING, 1 << 20, 1 << 20 },
		{ "", "filter_framing = \"length16\";", "length16", FRAMING_LENGTH16, 65535, 1 << 20 },
		{ "max_request = 99;", "filter_framing = \"length16\";", "length16", FRAMING_LENGTH16, 99, 99 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[512];
		const struct conf_filter *f;

		snprintf(text, sizeof text, "services = { s = { listen = \"*:0\"; %s handler = { %s"
		         " type = \"filter\"; argv = \"/bin/cat\"; framing = \"raw\"; }; }; };",
		         rows[i].service, rows[i].handler);
		f = &load_well(text)->services[0]->handler.filter;
		ck_assert_int_eq(f->framing.kind, FRAMING_RAW);
		ck_assert_uint_eq(f->framing.max, rows[i].max);
		ck_assert_str_eq(f->filter_framing_text, rows[i].text);
		ck_assert_int_eq(f->filter_framing.kind, rows[i].kind);
		ck_assert_uint_eq(f->filter_framing.max, rows[i].answer_max);
	}
} END_TEST

START_TEST(a_warm_program_has_an_age_and_idle)
{
	const struct conf *conf = load_well("services = {"
		" a = { listen = \"*:0\"; handler = { type = \"exec\"; argv = \"/bin/cat\"; warm = 3; }; };"
		" b = { listen = \"*:0\"; handler = { type = \"exec\"; argv = \"/bin/cat\"; warm = 1024;"
		" warm_max_age = 0; peer = \"proxy-v1\"; }; timeouts = { idle = \"1m\"; }; };"
		" c = { listen = \"*:0\"; handler = { type = \"exec\"; argv = \"/bin/cat\"; }; }; };");
	const struct conf_service *a = conf->services[0], *b = conf->services[1],
	                          *c = conf->services[2];

	ck_assert_int_eq(a->handler.kind, HANDLER_WARM);
	ck_assert_int_eq(a->handler.warm.n, 3);
	ck_assert_int_eq(a->handler.warm.max_age, 3600000);
	ck_assert_int_eq(a->handler.warm.peer, WARM_PEER_NONE);
	ck_assert_int_eq(a->timeouts.idle, 300000);
	ck_assert_int_eq(a->timeouts.write, 0);
	ck_assert_int_eq(a->timeouts.request, 0);
	ck_assert_int_eq(b->handler.warm.n, 1024);
	ck_assert_int_eq(b->handler.warm.max_age, 0);
	ck_assert_int_eq(b->handler.warm.peer, WARM_PEER_PROXY_V1);
	ck_assert_int_eq(b->timeouts.idle, 60000);
	ck_assert_int_eq(c->handler.kind, HANDLER_PROGRAM);
	ck_assert_int_eq(c->handler.warm.n, 0);
	ck_assert_int_eq(c->timeouts.idle, 0);
} END_TEST

START_TEST(what_defaults_say_of_warm_is_left_out_where_it_does_not_fit)
{
	const struct conf *conf = load_well(
		"defaults = { handler = { argv = \"/bin/cat\"; warm = 4; warm_max_age = \"5m\";"
		" peer = \"proxy-v1\"; in_flight = 2; }; crash_capture = \"4k\";"
		" timeouts = { idle = 1; write = 2; request = 3; }; };"
		"services = { a = { listen = \"*:0\"; handler = { type = \"exec\"; };"
		" timeouts = { idle = 7; }; };"
		" b = { listen = \"*:0\"; handler = { type = \"exec\"; warm = 0; }; };"
		" c = { " ECHO " };"
		" d = { listen = \"*:0\"; handler = { type = \"filter\"; framing = \"line\"; }; }; };");
	const struct conf_service *a = conf->services[0];

	ck_assert_int_eq(a->handler.kind, HANDLER_WARM);
	ck_assert_int_eq(a->handler.warm.n, 4);
	ck_assert_int_eq(a->handler.warm.max_age, 300000);
	ck_assert_int_eq(a->handler.warm.peer, WARM_PEER_PROXY_V1);
	ck_assert_int_eq(a->timeouts.idle, 7000);
	ck_assert_int_eq(a->timeouts.write, 0);
	ck_assert_int_eq(a->timeouts.request, 0);
	ck_assert_uint_eq(a->crash_capture, 0);
	for (size_t i = 1; i < conf->n_services; i++) {
		const struct conf_warm *w = &conf->services[i]->handler.warm;

		ck_assert_msg(conf->services[i]->handler.kind != HANDLER_WARM && w->n == 0 &&
		              w->max_age == 0 && w->peer == WARM_PEER_NONE, "service %zu", i);
	}
	ck_assert_int_eq(conf->services[1]->timeouts.idle, 0);
	ck_assert_int_eq(conf->services[2]->timeouts.idle, 1000);
	ck_assert_int_eq(conf->services[3]->handler.filter.in_flight, 2);
} END_TEST

START_TEST(a_control_socket_has_an_address_and_groups)
{
	const struct conf_control *c = &load_well("user = \"root\";"
		TOP("control = { socket = \"/run/c\"; group = \"4242\"; admin_group = \"4343\"; };"))->control;

	ck_assert_int_eq(c->mode, 0600);
	ck_assert_uint_eq(c->gid, 4242);
	ck_assert_uint_eq(c->admin_gid, 4343);
	ck_assert_str_eq(c->address.u.un.sun_path, "/run/c");
} END_TEST

START_TEST(a_control_socket_is_there_unless_it_is_called_none)
{
	const struct conf_control *c = &load_well(TOP("control = { mode = \"0660\"; };"))->control;

	ck_assert(c->is_default && c->mode == 0660);
	ck_assert_str_eq(c->address.u.un.sun_path, control_path_default());
	ck_assert_ptr_null(load_well(TOP("control = { socket = \"none\"; };"))->control.socket);
	/* A service that has this path goes before a default. */
	ck_assert_ptr_null(load_well(ON("\"unix:" RUNSTATEDIR "/drover/control.sock\""))->control.socket);
} END_TEST

START_TEST(a_burst_covers_all_workers_twice)
{
	const struct conf *conf = load_well(WITH("workers = 8; restart = { burst = 3; };"));

	ck_assert_int_eq(conf->services[0]->restart.burst, 16);
	ck_assert_int_ge(conf->services[0]->workers.max, 8);
	conf = load_well(WITH("workers = { max = 9; };"));
	ck_assert_int_eq(conf->services[0]->restart.burst, 18);
} END_TEST

/* What the keys that were given come to; max -1: four times the CPUs. */
static const struct {
	const char *name, *text;
	int         min, max, spare_min, spare_max;
	int64_t     calm;
} pools[] = {
	{ "an empty group", WITH("workers = { };"), 1, -1, 64, 256, 3000 },
	{ "only a min", WITH("workers = { min = 1000; };"), 1000, 1000, 64, 256, 3000 },
	{ "on demand", WITH("workers = { min = 0; max = 3; idle_exit = 1; };"), 0, 3, 64, 256, 3000 },
	{ "one connection each", WITH("connections = 1; workers = { max = 9; };"), 1, 9, 1, 3, 3000 },
	{ "many spare", WITH("workers = { max = 9; spare_min = 500; };"), 1, 9, 500, 1500, 3000 },
	{ "few spare", WITH("workers = { max = 9; spare_max = 5; };"), 1, 9, 5, 5, 3000 },
	{ "a group over that of defaults",
	  "defaults = { workers = { min = 2; max = 8; calm = 1; }; };" WITH("workers = { max = 9; };"),
	  2, 9, 64, 256, 1000 },
	{ "a group over the number of defaults",
	  "defaults = { workers = 7; };" WITH("workers = { max = 9; };"), 1, 9, 64, 256, 3000 },
};

START_TEST(a_pool_that_sizes_itself_has_defaults_for_the_rest)
{
	const struct conf_workers *w = &load_well(pools[_i].text)->services[0]->workers;
	const int max = pools[_i].max > 0 ? pools[_i].max :
	                4 * usable_cpus();

	ck_assert(w->ranged);
	ck_assert_msg(w->min == pools[_i].min && w->max == max, "%s: %d to %d", pools[_i].name,
	              w->min, w->max);
	ck_assert_msg(w->spare_min == pools[_i].spare_min && w->spare_max == pools[_i].spare_max,
	              "%s: spare %d to %d", pools[_i].name, w->spare_min, w->spare_max);
	ck_assert_int_eq(w->calm, pools[_i].calm);
} END_TEST

START_TEST(a_number_replaces_the_group_of_defaults)
{
	const struct conf_workers *w = &load_well(
		"defaults = { workers = { min = 0; max = 8; }; };" WITH("workers = 3;"))->services[0]->workers;

	ck_assert(!w->ranged);
	ck_assert_int_eq(w->min, 3);
} END_TEST

START_TEST(each_service_lies_on_pages_of_its_own)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct conf *conf = load_well(
		"user = \"root\"; defaults = { directory = \"/tmp\"; }; services = {"
		" a = { " ECHO " }; b = { " ECHO " }; };");

	ck_assert_ptr_eq(conf, arena.base);
	for (size_t i = 0; i < 2; i++) {
		const struct conf_service *s = conf->services[i];
		const char *from = s->pages, *to = from + s->pages_len;
		const void *const inside[] = {
			s, s->name, s->listen, s->listen[0].text, s->directory,
			s->identity.user, s->identity.groups, s->identity.home, s->handler.env,
		};

		ck_assert_uint_eq((uintptr_t)from % page, 0);
		ck_assert_uint_eq(s->pages_len % page, 0);
		for (size_t j = 0; j < LENGTH(inside); j++)
			ck_assert_msg((const char *)inside[j] >= from &&
			              (const char *)inside[j] < to, "member %zu", j);
		ck_assert((const char *)conf->services < from ||
		          (const char *)conf->services >= to);
	}
} END_TEST

static const struct conf_log *log_of(const struct conf *conf, size_t i)
{
	return &conf->services[i]->access_log;
}

START_TEST(services_override_the_access_log_key_by_key)
{
	const struct conf *conf = load_well(
		"access_log = { target = \"/var/tmp/top\"; format = \"json\"; };"
		"services = { a = { " ECHO " }; b = { " ECHO " access_log = { refused = true; }; };"
		" c = { " ECHO " access_log = { target = \"none\"; }; };"
		" d = { " ECHO " access_log = { target = \"/var/tmp/own\"; }; };"
		" e = { " ECHO " access_log = { format = \"text\"; target = \"/var/tmp/own\"; }; };"
		" f = { " ECHO " access_log = { target = \"/var/tmp/own\"; refused = true; }; };"
		" g = { " ECHO " access_log = { target = \"journal\"; }; }; };");

	ck_assert_str_eq(log_of(conf, 0)->path, "/var/tmp/top");
	ck_assert_int_eq(log_of(conf, 0)->format, LOG_FORMAT_JSON);
	ck_assert(!log_of(conf, 0)->refused && log_of(conf, 1)->refused);
	ck_assert_str_eq(log_of(conf, 1)->path, "/var/tmp/top");
	ck_assert_int_eq(log_of(conf, 2)->target, LOG_TARGET_NONE);
	ck_assert_ptr_null(log_of(conf, 2)->path);
	ck_assert_int_eq(log_of(conf, 3)->format, LOG_FORMAT_JSON);
	ck_assert_int_eq(log_of(conf, 4)->format, LOG_FORMAT_TEXT);
	ck_assert_ptr_null(log_of(conf, 6)->path);
	/* Each is opened once: that of the top level; none; own as JSON and as text; the journal. */
	ck_assert_uint_eq(conf->n_access_logs, 5);
	ck_assert_ptr_eq(conf->access_logs[0], &conf->access_log);
	ck_assert_uint_eq(conf->services[0]->access_log_index, 0);
	ck_assert_uint_eq(conf->services[1]->access_log_index, 0);
	ck_assert_uint_eq(conf->services[3]->access_log_index, conf->services[5]->access_log_index);
	ck_assert_uint_ne(conf->services[3]->access_log_index, conf->services[4]->access_log_index);
	for (size_t i = 0; i < conf->n_services; i++) {
		const struct conf_log *shared = conf->access_logs[conf->services[i]->access_log_index];

		ck_assert_int_eq(shared->target, log_of(conf, i)->target);
	}
} END_TEST

START_TEST(a_template_is_a_format_of_its_own)
{
	const struct conf *conf = load_well(
		"access_log = { target = \"syslog\"; format = \"{peer} {how}\"; };"
		"services = { a = { " ECHO " }; b = { " ECHO " access_log = { format = \"{id}\"; }; };"
		" c = { " ECHO " access_log = { format = \"json\"; }; }; };");

	ck_assert_int_eq(log_of(conf, 0)->format, LOG_FORMAT_TEMPLATE);
	ck_assert_str_eq(log_of(conf, 0)->template.text, "{peer} {how}");
	ck_assert_uint_eq(log_of(conf, 0)->template.n, 3);
	ck_assert_int_eq(log_of(conf, 0)->template.pieces[2].field, ACCESS_FORMAT_HOW);
	ck_assert_uint_eq(log_of(conf, 1)->template.n, 1);
	ck_assert_int_eq(log_of(conf, 2)->format, LOG_FORMAT_JSON);
	/* Templates share a target: what differs is made in the workers. */
	ck_assert_uint_eq(conf->services[1]->access_log_index, 0);
	ck_assert_uint_eq(conf->n_access_logs, 2);
} END_TEST

START_TEST(what_defaults_say_of_the_access_log_goes_first)
{
	const struct conf *conf = load_well(
		"access_log = { target = \"/var/tmp/top\"; };"
		"defaults = { access_log = { target = \"syslog\"; }; };"
		"services = { a = { " ECHO " }; b = { " ECHO " access_log = { target = \"none\"; }; }; };");

	ck_assert_int_eq(log_of(conf, 0)->target, LOG_TARGET_SYSLOG);
	ck_assert_int_eq(log_of(conf, 1)->target, LOG_TARGET_NONE);
} END_TEST

int main(void)
{
	Suite *suite = suite_create("conf");
	TCase *tc = tcase_create("conf");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, nothing_at_all_is_never);
	tcase_add_test(tc, what_is_not_given_has_its_default);
	tcase_add_test(tc, keepalive_is_true_or_false_or_a_group);
	tcase_add_test(tc, poison_is_true_or_false_or_a_group);
	tcase_add_test(tc, defaults_merge_group_by_group_and_lists_replace);
	tcase_add_test(tc, a_filter_has_two_framings_and_defaults);
	tcase_add_test(tc, raw_requests_go_to_the_filter_with_a_length);
	tcase_add_test(tc, a_warm_program_has_an_age_and_idle);
	tcase_add_test(tc, what_defaults_say_of_warm_is_left_out_where_it_does_not_fit);
	tcase_add_test(tc, a_control_socket_has_an_address_and_groups);
	tcase_add_test(tc, a_control_socket_is_there_unless_it_is_called_none);
	tcase_add_test(tc, a_burst_covers_all_workers_twice);
	tcase_add_loop_test(tc, a_pool_that_sizes_itself_has_defaults_for_the_rest, 0, LENGTH(pools));
	tcase_add_test(tc, a_number_replaces_the_group_of_defaults);
	tcase_add_test(tc, each_service_lies_on_pages_of_its_own);
	tcase_add_test(tc, services_override_the_access_log_key_by_key);
	tcase_add_test(tc, a_template_is_a_format_of_its_own);
	tcase_add_test(tc, what_defaults_say_of_the_access_log_goes_first);
	return run_tap(suite);
}
