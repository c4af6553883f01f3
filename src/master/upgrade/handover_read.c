/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads a hand-over: JSON in a memfd. Each value is checked before it is used. Keys that are not
 * known are ignored.
 */
#include <config.h>
#include "handover.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover_read_service.h"
#include "handover_reading.h"
#include "handover_words.h"
#include "secret.h"

#define SIZE_LIMIT  (16 << 20)          /* bytes of it */
#define SCALE_MAX   (1 << 20)           /* workers more or fewer that were ordered */

static bool get_strings(const struct reading *r, const json_t *list, const char ***strings, size_t *n)
{
	const json_t *item;
	size_t i;

	*strings = reading_room(r, list, sizeof **strings);
	if (!*strings)
		return false;
	json_array_foreach(list, i, item)
		if (!reading_get_name(r, item, "message", &(*strings)[(*n)++]))
			return false;
	return true;
}

static bool get_file(const struct reading *r, const json_t *j, struct listener_file *f)
{
	json_int_t dev, ino;

	if (!reading_unpack(r, j, "file", "{s:I, s:I}", "dev", &dev, "ino", &ino))
		return false;
	*f = (struct listener_file){ .dev = (dev_t)dev, .ino = (ino_t)ino };
	return true;
}

/* ---- sockets ------------------------------------------------------------ */

static bool fits(enum listen_kind kind, const struct address *key)
{
	const sa_family_t family = key->u.sa.sa_family;

	switch (kind) {
	case LISTEN_INET:
		return (family == AF_INET && key->len == sizeof key->u.in) ||
		       (family == AF_INET6 && key->len == sizeof key->u.in6);
	case LISTEN_UNIX:
		return family == AF_UNIX && key->len > sizeof family;
	case LISTEN_SYSTEMD:
		return key->len == 0;
	}
	return false;
}

static bool get_socket(const struct reading *r, const json_t *j, struct handover_socket *s)
{
	const json_t *key, *service, *device, *name, *file;
	const char *kind_name;
	json_int_t position;
	int kind, announced;

	if (!reading_unpack(r, j, "socket", "{s:i, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:b}", "fd", &s->fd,
	                    "kind", &kind_name, "key", &key, "service", &service, "device", &device,
	                    "name", &name, "position", &position, "file", &file, "announced", &announced) ||
	    !reading_get_word(r, &handover_kinds, kind_name, &kind) ||
	    !reading_get_bytes(r, service, "service", &s->service) ||
	    !reading_get_bytes(r, device, "device", &s->device) ||
	    !reading_get_bytes(r, name, "name", &s->name) || !get_file(r, file, &s->file))
		return false;
	s->kind = (enum listen_kind)kind;
	s->position = (size_t)position;
	s->announced = announced;
	if (!s->service || (s->kind == LISTEN_SYSTEMD) != (s->name != NULL))
		return reading_fail(r, "a socket without its name");
	if (!handover_get_address(key, &s->key) || !fits(s->kind, &s->key))
		return reading_fail(r, "a socket without its address");
	return true;
}

static bool get_sockets(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i;

	h->sockets = reading_room(r, list, sizeof *h->sockets);
	if (!h->sockets)
		return false;
	json_array_foreach(list, i, item)
		if (!get_socket(r, item, &h->sockets[h->n_sockets++]))
			return false;
	return true;
}

/* ---- generations -------------------------------------------------------- */

static bool get_log(const struct reading *r, const json_t *j, struct conf_log *l)
{
	const char *target_name, *format_name, *level_name;
	const json_t *path;
	int target, format, level;

	if (!reading_unpack(r, j, "log", "{s:s, s:s, s:s, s:o}", "target", &target_name,
	                    "format", &format_name, "level", &level_name, "path", &path) ||
	    !reading_get_word(r, &handover_targets, target_name, &target) ||
	    !reading_get_word(r, &handover_formats, format_name, &format) ||
	    !reading_get_word(r, &handover_levels, level_name, &level) ||
	    !reading_get_bytes(r, path, "path", &l->path))
		return false;
	if ((target == LOG_TARGET_FILE) != (l->path != NULL))
		return reading_fail(r, "a log without its file");
	l->target = (enum log_target)target;
	l->format = (enum log_format)format;
	l->level = (enum log_level)level;
	return true;
}

static bool get_services(const struct reading *r, const json_t *list, struct handover_generation *g)
{
	const json_t *item;
	size_t i;

	g->services = reading_room(r, list, sizeof *g->services);
	if (!g->services)
		return false;
	json_array_foreach(list, i, item)
		if (!handover_read_service(r, item, &g->services[g->n_services++]))
			return false;
	return true;
}

static bool get_inputs(const struct reading *r, const json_t *list, struct log_process_past *p)
{
	struct log_input *inputs = reading_room(r, list, sizeof *inputs);
	const json_t *item;
	size_t i;

	if (!inputs)
		return false;
	p->inputs = inputs;             /* those read so far count, even if the next one is refused */
	json_array_foreach(list, i, item) {
		const char *name;
		json_int_t index = 0;
		int to;

		if (!reading_unpack(r, item, "input", "{s:s, s?I, s:i}", "to", &name, "log_index", &index,
		                    "fd", &inputs[i].fd) ||
		    !reading_get_word(r, &handover_pipes, name, &to))
			return false;
		inputs[i].to = (enum log_pipe)to;
		inputs[i].access_log = (size_t)index;
		p->n_inputs++;
	}
	return true;
}

/* Programs whose workers had the files themselves did not write it. */
static bool get_log_process(const struct reading *r, const json_t *j, struct log_process_past *p)
{
	const json_t *inputs;
	int pid;

	*p = (struct log_process_past){ .leash = { -1, -1 } };
	if (!j || json_is_null(j))
		return true;
	if (!reading_unpack(r, j, "log process", "{s:i, s:i, s:i, s:o}", "pid", &pid,
	                    "leash", &p->leash.orders, "answers", &p->leash.words, "inputs", &inputs))
		return false;
	if (pid < 0 || pid == 1 || (pid == 0) != (p->leash.orders == -1) ||
	    (pid == 0) != (p->leash.words == -1))
		return reading_fail(r, "log process %d: no process", pid);
	p->pid = pid;
	return get_inputs(r, inputs, p);
}

/* The key process or the status process. Programs that had none did not write it: *pid is 0 then. */
static bool get_process(const struct reading *r, const json_t *j, const char *what, pid_t *pid,
                        struct leash *l)
{
	int number;

	*pid = 0;
	*l = (struct leash){ -1, -1 };
	if (!j || json_is_null(j))
		return true;
	if (!reading_unpack(r, j, what, "{s:i, s:i, s:i}", "pid", &number, "leash", &l->orders,
	                    "answers", &l->words))
		return false;
	*pid = number;
	return number > 1 || reading_fail(r, "%s %d: no process", what, number);
}

/* Programs without a status process did not write them. */
static bool get_outlet(const struct reading *r, const json_t *list, size_t **indices, size_t *n)
{
	return !list || reading_get_indices(r, list, "status process", indices, n);
}

/* Programs with one access log did not write it. */
static bool get_service_logs(const struct reading *r, const json_t *list, struct handover_generation *g)
{
	const json_t *item;
	size_t i;

	if (!list)
		return true;
	g->service_logs = reading_room(r, list, sizeof *g->service_logs);
	if (!g->service_logs)
		return false;
	json_array_foreach(list, i, item)
		if (!get_log(r, item, &g->service_logs[g->n_service_logs++]))
			return false;
	return true;
}

/* What is written to them must lead to one of them. */
static bool check_log_indices(const struct reading *r, const struct handover_generation *g)
{
	for (size_t i = 0; i < g->n_services; i++)
		if (g->services[i].log_index < -1 || g->services[i].log_index > (int)g->n_service_logs)
			return reading_fail(r, "%s: no such access log", g->services[i].name);
	for (size_t i = 0; i < g->log_process.n_inputs; i++)
		if (g->log_process.inputs[i].access_log > g->n_service_logs)
			return reading_fail(r, "log process: no such access log");
	return true;
}

static bool get_generation(const struct reading *r, const json_t *j, struct handover_generation *g)
{
	const json_t *log, *access_log, *services, *state_dir;
	const json_t *service_logs = NULL, *log_process = NULL, *key_process = NULL,
	             *http_sockets = NULL, *agent_sockets = NULL;
	json_int_t number, shutdown, lame_duck = 0;
	int serves, balancers = 0;

	if (!reading_unpack(r, j, "generation",
	                    "{s:I, s:b, s:I, s?I, s?i, s:o, s:o, s:o, s?o, s?o, s?o, s?o, s?o, s:o}",
	                    "number", &number, "serves", &serves, "shutdown", &shutdown,
	                    "lame_duck", &lame_duck, "balancers", &balancers,
	                    "state_dir", &state_dir, "log", &log, "access_log", &access_log,
	                    "service_logs", &service_logs,
	                    "log_process", &log_process, "key_process", &key_process,
	                    "http_sockets", &http_sockets, "agent_sockets", &agent_sockets,
	                    "services", &services) ||
	    !reading_get_name(r, state_dir, "state_dir", &g->state_dir) ||
	    !get_log(r, log, &g->log) || !get_log(r, access_log, &g->access_log) ||
	    !get_service_logs(r, service_logs, g) ||
	    !get_log_process(r, log_process, &g->log_process) ||
	    !get_process(r, key_process, "key process", &g->key_process.pid, &g->key_process.leash) ||
	    !get_outlet(r, http_sockets, &g->http_sockets, &g->n_http_sockets) ||
	    !get_outlet(r, agent_sockets, &g->agent_sockets, &g->n_agent_sockets))
		return false;
	if (number < 1 || number > r->h->n_numbers || shutdown < 0 || lame_duck < 0 || balancers < 0)
		return reading_fail(r, "generation: a number is out of range");
	g->number = (unsigned int)number;
	g->serves = serves;
	g->shutdown_ms = shutdown;
	g->lame_duck_ms = lame_duck;
	g->balancers = balancers;
	return get_services(r, services, g) && check_log_indices(r, g);
}

static bool get_generations(const struct reading *r, const json_t *list)
{
	struct handover *h = r->h;
	const json_t *item;
	size_t i, n_serving = 0;

	h->generations = reading_room(r, list, sizeof *h->generations);
	if (!h->generations)
		return false;
	json_array_foreach(list, i, item) {
		struct handover_generation *g = &h->generations[h->n_generations++];

		if (!get_generation(r, item, g))
			return false;
		n_serving += g->serves;
	}
	return n_serving == 1 || reading_fail(r, "%zu generations serve", n_serving);
}

/* ---- all of it ---------------------------------------------------------- */

static bool get_major(const struct reading *r, const json_t *root)
{
	int major;

	return reading_unpack(r, root, "hand-over", "{s:i}", "major", &major) &&
	       (major == HANDOVER_MAJOR ||
	        reading_fail(r, "it is written in version %d, and this program knows %d", major,
	                     HANDOVER_MAJOR));
}

static bool get_all(const struct reading *r, const json_t *root)
{
	struct handover *h = r->h;
	const json_t *version, *program, *text, *pid_file, *file, *notices, *events, *sockets, *generations,
	             *states = NULL, *poisons = NULL, *status = NULL;
	int pid, suspended, reload_again, upgrade_again, scale = 0;
	json_int_t numbers, started, soft = 0, hard = 0;

	/* Earlier programs lack "nofile", which came when the master raised its own, and "pending_scale". */
	if (!reading_unpack(r, root, "hand-over",
	                    "{s:i, s:o, s:o, s:o, s:o, s:I, s:I, s?{s:I, s:I}, s:b, s:b, s:b, s?i,"
	                    " s:{s:i, s:o}, s:i, s:o, s:o, s:o, s?o, s?o, s?o, s:o}", "pid", &pid,
	                    "version", &version, "program", &program, "text", &text, "pid_file", &pid_file,
	                    "numbers", &numbers, "started", &started, "nofile", "soft", &soft, "hard", &hard,
	                    "resting", &suspended, "reload_again", &reload_again,
	                    "upgrade_again", &upgrade_again, "pending_scale", &scale,
	                    "control", "fd", &h->control, "file", &file,
	                    "client", &h->client, "notices", &notices, "events", &events,
	                    "sockets", &sockets, "states", &states, "poison", &poisons,
	                    "status_process", &status, "generations", &generations) ||
	    !reading_get_name(r, version, "version", &h->version) ||
	    !reading_get_bytes(r, program, "program", &h->program) ||
	    !reading_get_name(r, text, "text", &h->text) ||
	    !reading_get_bytes(r, pid_file, "pid_file", &h->pid_file) ||
	    !get_file(r, file, &h->control_file) ||
	    !get_process(r, status, "status process", &h->status.pid, &h->status.leash))
		return false;
	if (numbers < 1 || numbers > UINT_MAX || h->control < -1 || h->client < -1 ||
	    scale < -SCALE_MAX || scale > SCALE_MAX)
		return reading_fail(r, "hand-over: a number is out of range");
	h->pid = pid;
	h->n_numbers = (unsigned int)numbers;
	h->started_ms = started;
	h->nofile = (struct rlimit){ (rlim_t)soft, (rlim_t)hard };
	h->suspended = suspended;
	h->reload_again = reload_again;
	h->upgrade_again = upgrade_again;
	h->pending_scale = scale;
	return get_strings(r, notices, &h->notices, &h->n_notices) &&
	       get_strings(r, events, &h->events, &h->n_events) &&
	       get_sockets(r, sockets) && handover_read_service_states(r, states) &&
	       handover_read_service_poisons(r, poisons) &&
	       get_generations(r, generations);
}

/* All bytes of fd, which the caller frees by secret_free; NULL with errno. */
static char *load_json(int fd, size_t *len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return NULL;
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
		errno = EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	n = text ? pread(fd, text, (size_t)st.st_size, 0) : -1;
	if (n == -1) {
		secret_free(text);
		return NULL;
	}
	*len = (size_t)n;
	return text;
}

bool handover_read(struct handover *h, int fd, char *why, size_t size)
{
	const struct reading r = { .h = h, .why = why, .size = size };
	json_error_t e;
	size_t len;
	char *text = load_json(fd, &len);
	json_t *root;
	bool result;

	handover_words_wipe();
	root = text ? json_loadb(text, len, JSON_REJECT_DUPLICATES, &e) : NULL;
	if (root)
		result = get_major(&r, root) && get_all(&r, root);
	else
		result = text ? reading_fail(&r, "%s", e.text) : reading_fail(&r, "%m");
	json_decref(root);
	secret_free(text);
	return result;
}
