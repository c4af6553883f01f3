/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes and frees hand-overs, and checks that their descriptors are what they should be.
 */
#include <config.h>
#include "handover.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM            ((size_t)64 << 20)      /* address space */
#define DESCRIPTORS_MAX (1 << 24)

int handover_init(struct handover *h)
{
	*h = (struct handover){ .control = -1, .client = -1 };
	return arena_open(&h->arena, ROOM);
}

void handover_free(struct handover *h)
{
	arena_close(&h->arena);
	*h = (struct handover){ .control = -1, .client = -1 };
}

/* ---- descriptors -------------------------------------------------------- */

static bool each_of_service(const struct handover_service *s, bool (*see)(void *arg, int fd),
                            void *arg)
{
	for (size_t i = 0; i < s->n_workers; i++) {
		const struct leash *l = &s->workers[i].past.leash;

		if (!see(arg, l->orders) || (l->words != -1 && !see(arg, l->words)))
			return false;
	}
	return see(arg, s->past.memory.board.fd) &&
	       (s->past.memory.holds.fd == -1 || see(arg, s->past.memory.holds.fd));
}

static bool each_of_log_process(const struct log_process_past *p, bool (*see)(void *arg, int fd),
                                void *arg)
{
	for (size_t i = 0; i < p->n_inputs; i++)
		if (!see(arg, p->inputs[i].fd))
			return false;
	return p->pid == 0 || (see(arg, p->leash.orders) && see(arg, p->leash.words));
}

static bool each_of_generation(const struct handover_generation *g, bool (*see)(void *arg, int fd),
                               void *arg)
{
	for (size_t i = 0; i < g->n_services; i++)
		if (!each_of_service(&g->services[i], see, arg))
			return false;
	return each_of_log_process(&g->log_process, see, arg) &&
	       (g->key_process.pid == 0 ||
	        (see(arg, g->key_process.leash.orders) && see(arg, g->key_process.leash.words)));
}

static bool each_of_state(const struct service_memory_past *m, bool (*see)(void *arg, int fd), void *arg)
{
	return see(arg, m->sources.fd) && (m->tickets.fd == -1 || see(arg, m->tickets.fd));
}

bool handover_each_fd(const struct handover *h, bool (*see)(void *arg, int fd), void *arg)
{
	for (size_t i = 0; i < h->n_sockets; i++)
		if (!see(arg, h->sockets[i].fd))
			return false;
	for (size_t i = 0; i < h->n_states; i++)
		if (!each_of_state(&h->states[i].memory, see, arg))
			return false;
	for (size_t i = 0; i < h->n_poisons; i++)
		if (h->poisons[i].blocks.fd != -1 && !see(arg, h->poisons[i].blocks.fd))
			return false;
	for (size_t g = 0; g < h->n_generations; g++)
		if (!each_of_generation(&h->generations[g], see, arg))
			return false;
	if (h->status.pid != 0 && !(see(arg, h->status.leash.orders) && see(arg, h->status.leash.words)))
		return false;
	return (h->control == -1 || see(arg, h->control)) &&
	       (h->client == -1 || see(arg, h->client));
}

/* ---- are they what they should be? -------------------------------------- */

struct check {
	char  *why;
	size_t size;
	bool  *seen;                    /* by number */
	int    n_seen;
};

static bool fail_check(const struct check *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail_check(const struct check *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->why, c->size, format, ap);
	va_end(ap);
	return false;
}

static bool see(void *arg, int fd)
{
	struct check *c = arg;

	if (fd <= STDERR_FILENO || fd >= c->n_seen || fcntl(fd, F_GETFD) == -1)
		return fail_check(c, "descriptor %d is not there", fd);
	if (c->seen[fd])
		return fail_check(c, "descriptor %d is named twice", fd);
	return c->seen[fd] = true;
}

static bool has_option(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static bool listens(int fd)
{
	return has_option(fd, SO_TYPE, SOCK_STREAM) && has_option(fd, SO_ACCEPTCONN, 1);
}

static bool is_unix(int fd)
{
	return has_option(fd, SO_DOMAIN, AF_UNIX);
}

static bool is_pipe_to_read(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

static bool is_leash(const struct leash *l)
{
	return is_unix(l->orders) && has_option(l->orders, SO_TYPE, SOCK_SEQPACKET) &&
	       (l->words == -1 || is_pipe_to_read(l->words));
}

static bool is_client(int fd)
{
	return is_unix(fd) && has_option(fd, SO_TYPE, SOCK_STREAM) && has_option(fd, SO_ACCEPTCONN, 0);
}

/* The modules of the parts check what is in it, if it has our version. */
static bool is_shared_memory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fcntl(fd, F_GET_SEALS) > 0;
}

static bool check_service(const struct check *c, const struct handover_service *s)
{
	const int board = s->past.memory.board.fd, holds = s->past.memory.holds.fd;

	for (size_t i = 0; i < s->n_workers; i++)
		if (!is_leash(&s->workers[i].past.leash))
			return fail_check(c, "worker %d: no leash", (int)s->workers[i].past.pid);
	if (holds != -1 && !is_shared_memory(holds))
		return fail_check(c, "descriptor %d is no memory of holds", holds);
	return is_shared_memory(board) || fail_check(c, "descriptor %d is no scoreboard", board);
}

static bool check_log_process(const struct check *c, const struct log_process_past *p)
{
	for (size_t i = 0; i < p->n_inputs; i++)
		if (!is_pipe_to_read(p->inputs[i].fd))
			return fail_check(c, "descriptor %d is no pipe of a log", p->inputs[i].fd);
	return p->pid == 0 || is_leash(&p->leash) || fail_check(c, "log process %d: no leash", (int)p->pid);
}

static bool check_generation(const struct check *c, const struct handover_generation *g)
{
	for (size_t i = 0; i < g->n_services; i++)
		if (!check_service(c, &g->services[i]))
			return false;
	if (g->key_process.pid != 0 && !is_leash(&g->key_process.leash))
		return fail_check(c, "key process %d: no leash", (int)g->key_process.pid);
	return check_log_process(c, &g->log_process);
}

static bool check_state(const struct check *c, const struct service_memory_past *m)
{
	if (!is_shared_memory(m->sources.fd))
		return fail_check(c, "descriptor %d is no table of sources", m->sources.fd);
	return m->tickets.fd == -1 || is_shared_memory(m->tickets.fd) ||
	       fail_check(c, "descriptor %d is no memory of keys for tickets", m->tickets.fd);
}

static bool check_kinds(const struct handover *h, const struct check *c)
{
	for (size_t i = 0; i < h->n_sockets; i++)
		if (!listens(h->sockets[i].fd))
			return fail_check(c, "descriptor %d does not listen", h->sockets[i].fd);
	for (size_t i = 0; i < h->n_states; i++)
		if (!check_state(c, &h->states[i].memory))
			return false;
	for (size_t i = 0; i < h->n_poisons; i++)
		if (h->poisons[i].blocks.fd != -1 && !is_shared_memory(h->poisons[i].blocks.fd))
			return fail_check(c, "descriptor %d is no table of blocks", h->poisons[i].blocks.fd);
	for (size_t g = 0; g < h->n_generations; g++)
		if (!check_generation(c, &h->generations[g]))
			return false;
	if (h->status.pid != 0 && !is_leash(&h->status.leash))
		return fail_check(c, "status process %d: no leash", (int)h->status.pid);
	if (h->control != -1 && !(listens(h->control) && is_unix(h->control)))
		return fail_check(c, "descriptor %d is no control socket", h->control);
	if (h->client != -1 && !is_client(h->client))
		return fail_check(c, "descriptor %d is no client", h->client);
	return true;
}

bool handover_check(const struct handover *h, char *why, size_t size)
{
	struct arena room;
	const long limit = sysconf(_SC_OPEN_MAX);
	struct check c = { .why = why, .size = size,
	                   .n_seen = limit > 0 && limit < DESCRIPTORS_MAX ? (int)limit : DESCRIPTORS_MAX };
	bool result;

	if (arena_open(&room, (size_t)c.n_seen) == -1)
		return fail_check(&c, "%m");
	c.seen = arena_alloc(&room, (size_t)c.n_seen);
	result = c.seen ? handover_each_fd(h, see, &c) && check_kinds(h, &c) : fail_check(&c, "%m");
	arena_close(&room);
	return result;
}
