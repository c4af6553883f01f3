/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left to the next program: it comes over as it was, and whatever else
 * is there is refused, and does no harm.
 */
#include <config.h>
#include "handover.h"

#include <arpa/inet.h>
#include <assert.h>
#include <jansson.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "clock.h"
#include "unit.h"

static struct handover h, got;
static char why[256];
static int listener, client[2], control;
static struct leash leash, its_leash, log_leash, its_log_leash, key_leash, its_key_leash,
                    status_leash, its_status_leash;
static size_t indices[1];                /* the first socket */
static int log_pipe[2];
static struct board *board;
static struct holds *holds;
static struct sources *sources;
static struct blocks *blocks;
static struct ticket_keys *tickets;
static struct poison poison;

/* ---- One that has everything ---- */

static int listen_at(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (family == AF_UNIX)
		ck_assert_int_eq(bind(fd, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static struct handover_service *only_service(struct handover *of)
{
	return &of->generations[0].services[0];
}

static void fill_service(struct handover_service *s)
{
	static size_t sockets[] = { 0 };
	static struct handover_worker workers[] = {
		{ 3, { .pid = 4711, .state = CHILD_ACCEPTING, .retiring = true, .born_ms = 5,
		       .until_ms = CLOCK_NEVER } },
	};

	workers[0].past.leash = leash;
	*s = (struct handover_service){
		.name = "echo", .handler = "echo", .connections = 7, .min = 1, .max = 4,
		.input = 64, .hang_ms = 9000, .drain_ms = 1500,
		.sockets = sockets, .n_sockets = 1, .workers = workers, .n_workers = 1,
	};
	s->log_index = 1;
	s->past = (struct pool_past){
		.n_places = 8, .memory.board = { board_fd(board), BOARD_VERSION },
		.memory.holds = { holds_fd(holds), SOURCES_VERSION },
		.state = { .drained = true, .workers = 3, .failed = true, .delayed_ms = 99, .leaving_ms = 98, .limit = 512,
		            .restart = { .window_ms = 1, .deaths = 2, .delay_ms = 3, .last_ms = 4 } },
		.totals = { .accepted = 1, .served = 2, .bytes_in = UINT64_MAX, .bytes_out = 4,
		            .requests = 5, .answered = 7, .replaced = 8, .joined = 9, .cold = 10,
		            .crashed = 11, .refused_access = 13, .refused_blocked = 14,
		            .refused_proxy = 15, .refused_tls = 22, .refused_connections = 16, .refused_source = 17,
		            .refused_rate = 18, .refused_source_rate = 19, .refused_memory = 20,
		            .untracked = 21, .lost = 12,
		            .duration = { { [0] = 31, [HISTOGRAM_BUCKETS - 1] = 32 }, 33 },
		            .accept_wait = { { [1] = 34 }, 35 }, .answer = { { [2] = 36 }, 37 },
		            .handshake = { { [3] = 38 }, 39 }, .by_signal[SIGSEGV] = 6 },
	};
}

static void fill_poison(struct handover_poison *p)
{
	poison.sources[7] = (struct poison_source){
		.source = { .prefix = { .family = AF_INET, .len = 24, .ip = { 192, 0, 2 } } },
		.n_crashes = 2, .crashes_ms = { 30, 20 }, .since_ms = 30, .until_ms = 90, .counted = 3,
		.block_ms = 60, .free_ms = 10, .changed_ms = 31,
	};
	poison.sources[9] = (struct poison_source){
		.source = { .prefix.family = AF_UNIX, .uid = 1000 }, .n_crashes = 1, .crashes_ms = { 40 },
		.changed_ms = 40,
	};
	*p = (struct handover_poison){ .service = "echo", .blocks = { blocks_fd(blocks), BLOCKS_VERSION },
	                               .history = &poison };
}

static void fill(void)
{
	static struct handover_poison poisons[1];
	static struct handover_socket sockets[1];
	static struct handover_generation generations[1];
	static struct handover_state states[1];
	static struct handover_service services[1];
	static struct log_input inputs[1] = { { .to = LOG_PIPE_ACCESS_LOG, .access_log = 1 } };
	static struct conf_log service_logs[1] = { { .target = LOG_TARGET_FILE, .path = "/own",
	                                             .format = LOG_FORMAT_JSON } };
	static const char *notices[] = { "READY=1\nSTATUS=s" }, *events[] = { "one", "two \xff" };

	sockets[0] = (struct handover_socket){
		.fd = listener, .kind = LISTEN_INET, .service = "echo", .device = "lo", .position = 2,
		.file = { .dev = 8, .ino = 9 }, .announced = true,
		.key = { .len = sizeof(struct sockaddr_in),
		         .u.in = { .sin_family = AF_INET, .sin_port = htons(7) } },
	};
	states[0] = (struct handover_state){
		.service = "echo", .memory = { { sources_fd(sources), SOURCES_VERSION }, SOURCES_MIN,
		                               { ticket_keys_fd(tickets), TICKET_KEYS_VERSION } },
	};
	fill_service(&services[0]);
	inputs[0].fd = log_pipe[0];
	generations[0] = (struct handover_generation){
		.number = 3, .serves = true, .shutdown_ms = 30000, .lame_duck_ms = 5000, .balancers = 2, .state_dir = "/var/lib/drover",
		.services = services, .n_services = 1,
		.log = { .target = LOG_TARGET_FILE, .path = "/x\xe4\n\"", .level = LOG_LEVEL_DEBUG,
		         .format = LOG_FORMAT_JSON },
		.access_log = { .target = LOG_TARGET_NONE },
		.service_logs = service_logs, .n_service_logs = 1,
		.log_process = { .pid = 4712, .leash = log_leash, .inputs = inputs, .n_inputs = 1 },
		.key_process = { .pid = 4713, .leash = key_leash },
		.http_sockets = indices, .n_http_sockets = 1,
	};
	h.status = (struct status_past){ .pid = 4714, .leash = status_leash };
	h.pid = getpid();
	h.version = "1.2.3";
	h.program = "/usr/sbin/droverd\xc3";
	h.text = "services = { };\n";
	h.n_numbers = 4;
	h.started_ms = 12345;
	h.nofile = (struct rlimit){ 1024, RLIM_INFINITY };
	h.suspended = h.upgrade_again = true;
	h.pending_scale = -2;
	h.control = control;
	h.control_file = (struct listener_file){ .dev = 1, .ino = UINT64_MAX };
	h.client = client[0];
	h.notices = notices;
	h.n_notices = 1;
	h.events = events;
	h.n_events = 2;
	h.sockets = sockets;
	h.n_sockets = 1;
	h.states = states;
	h.n_states = 1;
	fill_poison(&poisons[0]);
	h.poisons = poisons;
	h.n_poisons = 1;
	h.generations = generations;
	h.n_generations = 1;
}

static void set_up(void)
{
	ck_assert_int_eq(handover_init(&h), 0);
	ck_assert_int_eq(handover_init(&got), 0);
	listener = listen_at(AF_INET);
	control = listen_at(AF_UNIX);
	ck_assert_int_eq(leash_open(&leash, &its_leash), 0);
	ck_assert_int_eq(leash_open(&log_leash, &its_log_leash), 0);
	ck_assert_int_eq(leash_open(&key_leash, &its_key_leash), 0);
	ck_assert_int_eq(leash_open(&status_leash, &its_status_leash), 0);
	ck_assert_int_eq(pipe2(log_pipe, O_CLOEXEC), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client), 0);
	board = board_new(8, 7, 0);
	holds = holds_new(8, 7);
	sources = sources_make(SOURCES_MIN);
	blocks = blocks_new();
	tickets = ticket_keys_new(1);
	ck_assert(board && holds && sources && blocks && tickets);
	fill();
}

static void tear_down(void)
{
	handover_free(&h);
	handover_free(&got);
	close(listener);
	close(control);
	leash_close(&leash);
	leash_close(&its_leash);
	leash_close(&log_leash);
	leash_close(&its_log_leash);
	leash_close(&key_leash);
	leash_close(&its_key_leash);
	leash_close(&status_leash);
	leash_close(&its_status_leash);
	close(log_pipe[0]);
	close(log_pipe[1]);
	close(client[0]);
	close(client[1]);
	board_free(&board);
	holds_free(&holds);
	sources_free(&sources);
	blocks_free(&blocks);
	ticket_keys_free(&tickets);
}

static bool read_back(void)
{
	int fd = handover_write(&h);
	bool ok;

	ck_assert_msg(fd != -1, "%m");
	ok = handover_read(&got, fd, why, sizeof why);
	close(fd);
	return ok;
}

START_TEST(it_comes_over_as_it_was)
{
	const struct handover_service *s;

	ck_assert_msg(read_back(), "%s", why);
	ck_assert_msg(handover_check(&got, why, sizeof why), "%s", why);
	ck_assert_int_eq(got.pid, getpid());
	ck_assert_str_eq(got.program, h.program);
	ck_assert_str_eq(got.text, h.text);
	ck_assert_ptr_null(got.pid_file);
	ck_assert(got.suspended && got.upgrade_again && !got.reload_again);
	ck_assert_int_eq(got.pending_scale, -2);
	ck_assert_int_eq(got.started_ms, h.started_ms);
	ck_assert_uint_eq(got.nofile.rlim_cur, 1024);
	ck_assert_uint_eq(got.nofile.rlim_max, RLIM_INFINITY);
	ck_assert_uint_eq(got.control_file.ino, UINT64_MAX);
	ck_assert_int_eq(got.client, client[0]);
	ck_assert_str_eq(got.notices[0], h.notices[0]);
	ck_assert_str_eq(got.events[1], h.events[1]);
	ck_assert(address_equal(&got.sockets[0].key, &h.sockets[0].key));
	ck_assert_str_eq(got.sockets[0].device, "lo");
	ck_assert_ptr_null(got.sockets[0].name);
	ck_assert(got.sockets[0].announced);
	ck_assert_str_eq(got.generations[0].log.path, h.generations[0].log.path);
	ck_assert_int_eq(got.generations[0].log.level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(got.generations[0].log.format, LOG_FORMAT_JSON);
	ck_assert_int_eq(got.generations[0].log_process.pid, 4712);
	ck_assert_int_eq(got.generations[0].log_process.leash.words, log_leash.words);
	ck_assert_int_eq(got.generations[0].key_process.pid, 4713);
	ck_assert_int_eq(got.generations[0].key_process.leash.orders, key_leash.orders);
	ck_assert_int_eq(got.generations[0].key_process.leash.words, key_leash.words);
	ck_assert_uint_eq(got.generations[0].log_process.n_inputs, 1);
	ck_assert_int_eq(got.generations[0].log_process.inputs[0].fd, log_pipe[0]);
	ck_assert_int_eq(got.generations[0].log_process.inputs[0].to, LOG_PIPE_ACCESS_LOG);
	ck_assert_int_eq(got.status.pid, 4714);
	ck_assert_int_eq(got.status.leash.words, status_leash.words);
	ck_assert_uint_eq(got.generations[0].n_http_sockets, 1);
	ck_assert_uint_eq(got.generations[0].http_sockets[0], 0);
	ck_assert_uint_eq(got.generations[0].n_agent_sockets, 0);
	ck_assert_uint_eq(got.generations[0].log_process.inputs[0].access_log, 1);
	ck_assert_uint_eq(got.generations[0].n_service_logs, 1);
	ck_assert_str_eq(got.generations[0].service_logs[0].path, "/own");
	ck_assert_int_eq(only_service(&got)->log_index, 1);
	ck_assert_str_eq(got.states[0].service, "echo");
	ck_assert_int_eq(got.states[0].memory.sources.fd, sources_fd(sources));
	ck_assert_uint_eq(got.states[0].memory.n_sources, SOURCES_MIN);
	ck_assert_int_eq(got.states[0].memory.tickets.fd, ticket_keys_fd(tickets));
	ck_assert_int_eq(got.states[0].memory.tickets.version, TICKET_KEYS_VERSION);
	ck_assert_uint_eq(got.n_poisons, 1);
	ck_assert_str_eq(got.poisons[0].service, "echo");
	ck_assert_int_eq(got.poisons[0].blocks.fd, blocks_fd(blocks));
	ck_assert_int_eq(got.poisons[0].blocks.version, BLOCKS_VERSION);
	ck_assert_mem_eq(got.poisons[0].history, &poison, sizeof poison);
	s = only_service(&got);
	ck_assert_str_eq(s->name, "echo");
	ck_assert_uint_eq(s->state, 0);
	ck_assert_int_eq(s->past.memory.holds.fd, holds_fd(holds));
	ck_assert_int_eq(s->workers[0].past.pid, 4711);
	ck_assert_int_eq(s->workers[0].past.state, CHILD_ACCEPTING);
	ck_assert_int_eq(s->workers[0].past.until_ms, CLOCK_NEVER);
	ck_assert(s->workers[0].past.retiring && s->past.state.drained && s->past.state.failed);
	ck_assert_int_eq(s->past.state.restart.last_ms, 4);
	ck_assert_uint_eq(s->past.totals.bytes_in, UINT64_MAX);
#define X(name) ck_assert_uint_eq(s->past.totals.name, only_service(&h)->past.totals.name);
	TOTALS(X)
#undef X
#define X(name) \
	ck_assert_mem_eq(&s->past.totals.name, &only_service(&h)->past.totals.name, \
	                 sizeof s->past.totals.name);
	BOARD_HISTOGRAMS(X)
#undef X
	ck_assert_uint_eq(s->past.totals.by_signal[SIGSEGV], 6);
} END_TEST

/* ---- What is not as it should be ---- */

/* The JSON of the one above, to be spoilt. */
static json_t *as_json(void)
{
	int fd = handover_write(&h);
	json_t *root;

	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	root = json_loadfd(fd, 0, NULL);
	ck_assert_ptr_nonnull(root);
	close(fd);
	return root;
}

static bool read_text(const char *text, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	bool ok;

	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	handover_free(&got);
	ck_assert_int_eq(handover_init(&got), 0);
	why[0] = '\0';
	ok = handover_read(&got, fd, why, sizeof why);
	close(fd);
	ck_assert_msg(ok || why[0], "no reason is given for refusing %.*s", (int)len, text);
	return ok;
}

static bool read_json(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);
	bool ok = read_text(text, strlen(text));

	free(text);
	return ok;
}

/* Where a path like "generations.0.services.0.name" leads: its last step is *key. */
static json_t *follow(json_t *root, char *path, const char **key)
{
	json_t *at = root;
	char *step, *rest = path;

	while ((step = strsep(&rest, ".")) && rest)
		at = json_is_array(at) ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
	*key = step;
	return at;
}

#define SERVICE_0 "generations.0.services.0."

static const struct {
	const char *path, *value;
} spoilt[] = {
	{ "major", "2" },
	{ "major", "\"1\"" },
	{ "pid", "null" },
	{ "version", "7" },
	{ "text", "null" },
	{ "program", "\"\\u0100\"" },
	{ "numbers", "0" },
	{ "numbers", "2" },
	{ "pending_scale", "2000000" },
	{ "pending_scale", "-2000000" },
	{ "pending_scale", "null" },
	{ "control.fd", "-2" },
	{ "client", "true" },
	{ "events", "{}" },
	{ "events.0", "1" },
	{ "sockets.0.kind", "\"tcp\"" },
	{ "sockets.0.kind", "\"unix\"" },
	{ "sockets.0.kind", "\"systemd\"" },
	{ "sockets.0.key", "\"\"" },
	{ "sockets.0.key", "\"0200\"" },
	{ "sockets.0.key", "\"020\"" },
	{ "sockets.0.key", "\"zz00000000000000000000000000zz00\"" },
	{ "sockets.0.service", "null" },
	{ "poison", "null" },
	{ "poison.0.service", "\"\"" },
	{ "poison.0.blocks.fd", "-2" },
	{ "poison.0.blocks.version", "null" },
	{ "poison.0.sources.0.place", "128" },
	{ "poison.0.sources.0.place", "9" },
	{ "poison.0.sources.0.place", "-1" },
	{ "poison.0.sources.0.source", "\"192.0.2.7/24\"" },
	{ "poison.0.sources.0.source", "\"uid:1000\"" },
	{ "poison.0.sources.0.source", "\"unknown\"" },
	{ "poison.0.sources.0.crashes", "[1, 2]" },
	{ "poison.0.sources.0.crashes", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]" },
	{ "poison.0.sources.0.since", "91" },
	{ "poison.0.sources.0.block", "0" },
	{ "poison.0.sources.0.counted", "-1" },
	{ "generations", "[]" },
	{ "generations.0.serves", "false" },
	{ "generations.0.number", "-1" },
	{ "generations.0.log.target", "\"none\"" },
	{ "generations.0.log.path", "null" },
	{ "generations.0.log.level", "\"loud\"" },
	{ "generations.0.access_log.target", "\"file\"" },
	{ "generations.0.service_logs", "{}" },
	{ "generations.0.service_logs", "[]" },
	{ "generations.0.service_logs.0.path", "null" },
	{ "generations.0.log_process.inputs.0.log_index", "2" },
	{ "generations.0.log_process.inputs.0.log_index", "-1" },
	{ SERVICE_0 "log_index", "2" },
	{ SERVICE_0 "log_index", "-2" },
	{ SERVICE_0 "name", "null" },
	{ SERVICE_0 "name", "\"\"" },
	{ SERVICE_0 "connections", "0" },
	{ SERVICE_0 "connections", "1e3" },
	{ SERVICE_0 "places", "0" },
	{ SERVICE_0 "places", "100000000000" },
	{ SERVICE_0 "places", "3" },
	{ SERVICE_0 "drain", "-1" },
	{ SERVICE_0 "max", "0" },
	{ SERVICE_0 "sockets.0", "1" },
	{ SERVICE_0 "sockets.0", "-1" },
	{ SERVICE_0 "sockets", "null" },
	{ SERVICE_0 "orders.workers", "-1" },
	{ SERVICE_0 "orders.restart.delay", "-1" },
	{ SERVICE_0 "totals", "[]" },
	{ SERVICE_0 "totals.accepted", "null" },
	{ SERVICE_0 "totals.crashed", "\"7\"" },
	{ SERVICE_0 "totals.deaths.0", "[]" },
	{ SERVICE_0 "totals.times", "[]" },
	{ SERVICE_0 "totals.times.duration", "7" },
	{ SERVICE_0 "totals.times.handshake", "null" },
	{ SERVICE_0 "totals.times.answer.0", "\"7\"" },
	{ SERVICE_0 "workers.0.place", "8" },
	{ SERVICE_0 "workers.0.place", "-1" },
	{ SERVICE_0 "workers.0.pid", "1" },
	{ SERVICE_0 "workers.0.pid", "-4711" },
	{ SERVICE_0 "workers.0.state", "\"asleep\"" },
};

START_TEST(what_makes_no_sense_is_refused)
{
	json_t *root = as_json(), *at;
	char path[128];
	const char *key;

	ck_assert(read_json(root));
	strcpy(path, spoilt[_i].path);
	at = follow(root, path, &key);
	if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(key), json_loads(spoilt[_i].value, JSON_DECODE_ANY, NULL));
	else
		json_object_set_new(at, key, json_loads(spoilt[_i].value, JSON_DECODE_ANY, NULL));
	ck_assert_msg(!read_json(root), "%s %s", spoilt[_i].path, spoilt[_i].value);
	json_decref(root);
} END_TEST

START_TEST(a_worker_that_is_there_twice_is_refused)
{
	json_t *root = as_json(), *workers;
	char path[] = SERVICE_0 "workers.0";
	const char *key;

	workers = follow(root, path, &key);
	json_array_append_new(workers, json_deep_copy(json_array_get(workers, 0)));
	ck_assert(!read_json(root));
	json_object_set_new(json_array_get(workers, 1), "pid", json_integer(4712));
	ck_assert(!read_json(root));            /* in the same place */
	json_object_set_new(json_array_get(workers, 1), "place", json_integer(4));
	ck_assert(read_json(root));
	json_decref(root);
} END_TEST

START_TEST(blocks_of_a_service_that_are_there_twice_are_refused)
{
	json_t *root = as_json(), *poisons = json_object_get(root, "poison");

	json_array_append_new(poisons, json_deep_copy(json_array_get(poisons, 0)));
	ck_assert(!read_json(root));
	json_object_set_new(json_array_get(poisons, 1), "service", json_string("other"));
	ck_assert(read_json(root));
	json_decref(root);
} END_TEST

static bool count_descriptor(void *arg, int fd)
{
	*(int *)arg += fd != -1;
	return true;
}

/* They are walked through when the program before gets them back. */
START_TEST(those_descriptors_that_were_read_are_there_when_the_rest_is_refused)
{
	json_t *root = as_json(), *inputs;
	char path[] = "generations.0.log_process.inputs.0";
	const char *key;
	int n = 0;

	inputs = follow(root, path, &key);
	json_array_append_new(inputs, json_object());
	ck_assert(!read_json(root));
	ck_assert_uint_eq(got.generations[0].log_process.n_inputs, 1);
	ck_assert(handover_each_fd(&got, count_descriptor, &n));
	ck_assert_int_gt(n, 0);
	json_decref(root);
} END_TEST

static bool is_counter(const char *key)
{
#define X(name) || strcmp(key, #name) == 0
	return false TOTALS(X) BOARD_HISTOGRAMS(X);
#undef X
}

/* What the program before may not have had. */
static bool is_of_late(const char *key)
{
	static const char *const keys[] = {
		"words", "nofile", "log_process", "key_process", "pending_scale", "states", "state_index",
		"holds", "poison", "tickets", "times", "limit", "leaving", "lame_duck", "balancers",
		"status_process", "http_sockets", "agent_sockets", "log_index",
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return is_counter(key);
}

/* Without any of its keys but those it is refused; with one more, it is not. */
static void check_keys(json_t *root, json_t *at)
{
	json_t *value, *copy;
	const char *key;
	void *next;

	if (json_is_array(at))
		for (size_t i = 0; i < json_array_size(at); i++)
			check_keys(root, json_array_get(at, i));
	if (!json_is_object(at))
		return;
	copy = json_copy(at);
	json_object_foreach_safe(copy, next, key, value) {
		json_object_del(at, key);
		ck_assert_msg(read_json(root) == is_of_late(key), "without %s", key);
		json_object_set(at, key, value);
	}
	json_object_set_new(at, "of a later version", json_true());
	ck_assert_msg(read_json(root), "%s", why);
	json_object_foreach(copy, key, value)
		check_keys(root, value);
	json_decref(copy);
}

START_TEST(every_key_is_needed_and_others_are_passed_over)
{
	json_t *root = as_json();

	check_keys(root, root);
	json_decref(root);
} END_TEST

START_TEST(a_counter_that_the_program_before_did_not_have_begins_at_0)
{
	json_t *root = as_json();
	char path[] = SERVICE_0 "totals.crashed";
	const char *key;
	const struct totals *t;

	json_object_del(follow(root, path, &key), "crashed");
	ck_assert_msg(read_json(root), "%s", why);
	t = &only_service(&got)->past.totals;
	ck_assert_uint_eq(t->crashed, 0);
	ck_assert_uint_eq(t->cold, 10);
	ck_assert_uint_eq(t->by_signal[SIGSEGV], 6);
	json_decref(root);
} END_TEST

/* From a program that knew none of them, had fewer, or counts by other bounds. */
START_TEST(histograms_that_the_program_before_did_not_have_begin_empty)
{
	static const struct { const char *path, *gone; bool cut; } times[] = {
		{ SERVICE_0 "totals.times", "times", false },
		{ SERVICE_0 "totals.times.duration", "duration", false },
		{ SERVICE_0 "totals.times.duration.0", NULL, true },
	};
	json_t *root = as_json(), *at;
	char path[64];
	const char *key;
	const struct totals *t;

	strcpy(path, times[_i].path);
	at = follow(root, path, &key);
	if (times[_i].cut)
		json_array_remove(at, 0);
	else
		json_object_del(at, times[_i].gone);
	ck_assert_msg(read_json(root), "%s", why);
	t = &only_service(&got)->past.totals;
	ck_assert_uint_eq(histogram_count(&t->duration) + t->duration.sum_ms, 0);
	ck_assert_uint_eq(histogram_count(&t->answer), _i == 0 ? 0 : 36);
	ck_assert_uint_eq(t->untracked, 21);
	json_decref(root);
} END_TEST

START_TEST(a_worker_of_before_there_was_a_pipe_says_its_words_over_the_socket)
{
	json_t *root = as_json();
	char path[] = SERVICE_0 "workers.0.words";
	const char *key;

	ck_assert(read_json(root));
	ck_assert_int_eq(only_service(&got)->workers[0].past.leash.words, leash.words);
	json_object_del(follow(root, path, &key), "words");
	ck_assert_msg(read_json(root), "%s", why);
	ck_assert_int_eq(only_service(&got)->workers[0].past.leash.orders, leash.orders);
	ck_assert_int_eq(only_service(&got)->workers[0].past.leash.words, -1);
	ck_assert_msg(handover_check(&got, why, sizeof why), "%s", why);
	json_decref(root);
} END_TEST

/* What is garbled otherwise is for tests/fuzz/handover_fuzz.c. */
START_TEST(what_is_cut_is_refused)
{
	json_t *root = as_json();
	char *text = json_dumps(root, JSON_COMPACT);
	const size_t len = strlen(text);

	for (size_t n = 0; n < len; n++)
		ck_assert_msg(!read_text(text, n), "%zu bytes", n);
	free(text);
	json_decref(root);
} END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert(!handover_read(&got, leash.orders, why, sizeof why));
	ck_assert(!handover_read(&got, -1, why, sizeof why));
	ck_assert(!read_text("", 0));
	ck_assert(!read_text("[]", 2));
	ck_assert(!read_text("7", 1));
} END_TEST

/* ---- Descriptors ---- */

#define BAD_DESCRIPTORS 24

START_TEST(descriptors_are_what_they_should_be)
{
	struct handover_service *s = only_service(&h);
	const struct { int *fd, is; const char *name; } rows[] = {
		{ &h.sockets[0].fd, leash.orders, "a listener that is a leash" },
		{ &h.sockets[0].fd, client[0], "a listener that is connected" },
		{ &h.control, listener, "a control socket with a port" },
		{ &h.client, its_leash.orders, "a client that is a leash" },
		{ &h.client, control, "a client that listens" },
		{ &s->workers[0].past.leash.orders, client[1], "a leash that is a stream" },
		{ &s->workers[0].past.leash.orders, leash.words, "a leash that is a pipe" },
		{ &s->workers[0].past.leash.words, client[1], "words that come over a socket" },
		{ &s->workers[0].past.leash.words, its_leash.words, "the wrong end of a pipe" },
		{ &h.generations[0].log_process.leash.orders, client[1], "a log process with a stream" },
		{ &h.generations[0].key_process.leash.words, client[1], "a key process with a stream" },
		{ &h.status.leash.orders, client[1], "a status process with a stream" },
		{ (int *)(uintptr_t)&h.generations[0].log_process.inputs[0].fd, log_pipe[1],
		  "the wrong end of a log's pipe" },
		{ &s->past.memory.board.fd, listener, "a board that is a socket" },
		{ &s->past.memory.board.fd, STDERR_FILENO, "a standard one" },
		{ &s->past.memory.board.fd, 100000, "one that is not there" },
		{ &s->past.memory.board.fd, -1, "none" },
		{ &s->past.memory.board.fd, -7, "less than none" },
		{ &s->past.memory.board.fd, leash.orders, "one that is named twice" },
		{ &s->past.memory.holds.fd, listener, "holds that are a socket" },
		{ &h.states[0].memory.sources.fd, listener, "sources that are a socket" },
		{ &h.states[0].memory.tickets.fd, listener, "keys for tickets that are a socket" },
		{ &h.poisons[0].blocks.fd, client[1], "blocks that are a socket" },
		{ &h.poisons[0].blocks.fd, board_fd(board), "blocks that are named twice" },
	};

	static_assert(ARRAY_SIZE(rows) == BAD_DESCRIPTORS, "each row is a test");
	ck_assert_msg(handover_check(&h, why, sizeof why), "%s", why);
	*rows[_i].fd = rows[_i].is;
	why[0] = '\0';
	ck_assert_msg(!handover_check(&h, why, sizeof why), "%s", rows[_i].name);
	ck_assert_msg(why[0] != '\0', "%s", rows[_i].name);
} END_TEST

START_TEST(a_board_that_could_shrink_is_not_mapped)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct board *b;

	ck_assert_int_eq(ftruncate(fd, lseek(board_fd(board), 0, SEEK_END)), 0);
	ck_assert_ptr_null(board_adopt(fd, 8, 7, 0));
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	ck_assert_ptr_null(board_adopt(fd, 9, 7000, 0));   /* too small for that */
	ck_assert_ptr_null(board_adopt(listener, 8, 7, 0));
	ck_assert_int_ne(fcntl(fd, F_GETFD), -1);       /* still ours */
	b = board_adopt(fd, 8, 7, 0);
	ck_assert_msg(b, "%m");
	board_free(&b);
} END_TEST

START_TEST(an_adopted_board_is_the_same_memory)
{
	struct board *b = board_adopt(fcntl(board_fd(board), F_DUPFD_CLOEXEC, 0), 8, 7, 0);
	struct board_worker_view v;

	ck_assert_msg(b, "%m");
	board_add(&board_slot(board, 5)->served, 3);
	board_view(b, 5, &v);
	ck_assert_uint_eq(v.served, 3);
	board_free(&b);
} END_TEST

int main(void)
{
	Suite *s = suite_create("handover");
	TCase *tc = unit_case(s, "handover", set_up, tear_down);

	tcase_add_test(tc, it_comes_over_as_it_was);
	tcase_add_loop_test(tc, what_makes_no_sense_is_refused, 0, ARRAY_SIZE(spoilt));
	tcase_add_test(tc, a_worker_that_is_there_twice_is_refused);
	tcase_add_test(tc, blocks_of_a_service_that_are_there_twice_are_refused);
	tcase_add_test(tc, those_descriptors_that_were_read_are_there_when_the_rest_is_refused);
	tcase_add_test(tc, every_key_is_needed_and_others_are_passed_over);
	tcase_add_test(tc, a_counter_that_the_program_before_did_not_have_begins_at_0);
	tcase_add_loop_test(tc, histograms_that_the_program_before_did_not_have_begin_empty, 0, 3);
	tcase_add_test(tc, a_worker_of_before_there_was_a_pipe_says_its_words_over_the_socket);
	tcase_add_test(tc, what_is_cut_is_refused);
	tcase_add_test(tc, what_is_no_file_is_refused);
	tcase_add_loop_test(tc, descriptors_are_what_they_should_be, 0, BAD_DESCRIPTORS);
	tcase_add_test(tc, a_board_that_could_shrink_is_not_mapped);
	tcase_add_test(tc, an_adopted_board_is_the_same_memory);
	return unit_run(s);
}
