/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens leashes, and forks children that have one. Sends and receives messages between master and
 * worker: over a socket with descriptors, over a pipe without.
 */
#include <config.h>
#include "leash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "fd_passing.h"

/* What goes over the socket and over the pipe; descriptors follow in the order of their bits. */
struct wire {
	uint32_t word;
	uint32_t has_fd;        /* bit LEASH_FD_x: that one is with it */
	uint64_t removed;
	int64_t  low_free, low_open;
	uint64_t number;
};

#define WIRE_MIN offsetof(struct wire, low_free) /* bytes: as far as DRAIN goes */

union ancillary {
	struct cmsghdr header;
	char           room[CMSG_SPACE(sizeof(int) * LEASH_FDS)];
};

static const char *const names[] = {
	[LEASH_READY] = "READY", [LEASH_DRAIN] = "DRAIN", [LEASH_LOOK] = "LOOK", [LEASH_LOGS] = "LOGS",
	[LEASH_SLOTS] = "SLOTS", [LEASH_RETIRE] = "RETIRE", [LEASH_KICK] = "KICK",
	[LEASH_NO_SUCH] = "NO_SUCH", [LEASH_PING] = "PING", [LEASH_END] = "END",
	[LEASH_PROGRAMS] = "PROGRAMS",
	[LEASH_REFUSING] = "REFUSING", [LEASH_KEYS] = "KEYS", [LEASH_FACTS] = "FACTS",
};

const char *leash_word_name(enum leash_word word)
{
	return (size_t)word < sizeof names / sizeof *names ? names[word] : "?";
}

int leash_open(struct leash *master, struct leash *worker)
{
	int pair[2], ends[2];

	*master = *worker = (struct leash){ -1, -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	master->orders = pair[0];
	worker->orders = pair[1];
	if (fd_passing_shut(master->orders) == 0 &&
	    pipe2(ends, O_DIRECT | O_CLOEXEC | O_NONBLOCK) == 0) {
		master->words = ends[0];
		worker->words = ends[1];
		return 0;
	}
	leash_close(master);
	leash_close(worker);
	return -1;
}

void leash_close(struct leash *l)
{
	fd_close(&l->orders);
	fd_close(&l->words);
}

pid_t leash_fork(struct leash *l)
{
	struct leash master, child;
	pid_t pid;

	*l = (struct leash){ -1, -1 };
	if (leash_open(&master, &child) == -1)
		return -1;
	pid = fork();
	if (pid != 0)
		leash_close(&child);
	if (pid <= 0)
		leash_close(&master);
	*l = pid == 0 ? child : master;
	return pid;
}

int leash_ear(const struct leash *master)
{
	return master->words == -1 ? master->orders : master->words;
}

void leash_adopt(const struct leash *master)
{
	/* An older kernel lets descriptors through, for as long as such a worker drains. */
	if (master->words == -1)
		fd_passing_refuse(master->orders);
}

static struct wire wire_of(const struct leash_message *m)
{
	return (struct wire){ .word = m->word, .removed = m->removed, .low_free = m->low_free,
	                      .low_open = m->low_open, .number = m->number };
}

static struct leash_message message_of(const struct wire *w)
{
	return (struct leash_message){ .word = (enum leash_word)w->word, .removed = w->removed,
	                               .low_free = w->low_free, .low_open = w->low_open, .number = w->number,
	                               .fds = { -1, -1 } };
}

/* ---- over the socket ---------------------------------------------------- */

static bool carries_descriptors(enum leash_word word)
{
	return word == LEASH_LOGS || word == LEASH_KEYS || word == LEASH_FACTS;
}

int leash_order(const struct leash *master, const struct leash_message *m)
{
	struct wire wire = wire_of(m);
	struct iovec iov = { .iov_base = &wire, .iov_len = sizeof wire };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union ancillary extra = { 0 };
	int fds[LEASH_FDS];
	size_t n = 0;

	for (int i = 0; carries_descriptors(m->word) && i < LEASH_FDS; i++)
		if (m->fds[i] != -1) {
			wire.has_fd |= 1u << i;
			fds[n++] = m->fds[i];
		}
	if (n > 0) {
		msg.msg_control = &extra;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		extra.header.cmsg_level = SOL_SOCKET;
		extra.header.cmsg_type = SCM_RIGHTS;
		extra.header.cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(&extra.header), fds, sizeof(int) * n);
	}
	return sendmsg(master->orders, &msg, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* Takes the descriptors out of msg; returns how many. */
static size_t take_fds(struct msghdr *msg, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t n;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	return n;
}

static enum leash_result receive_message(int fd, struct leash_message *m)
{
	struct wire wire = { 0 };
	struct iovec iov = { .iov_base = &wire, .iov_len = sizeof wire };
	union ancillary extra;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &extra,
	                      .msg_controllen = sizeof extra };
	int fds[LEASH_FDS];
	size_t n, used = 0;
	ssize_t len = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	if (len == -1 && fd_not_yet(errno))
		return LEASH_EMPTY;
	if (len <= 0)
		return LEASH_CLOSED;
	n = take_fds(&msg, fds);
	if (len < (ssize_t)WIRE_MIN || msg.msg_flags & MSG_CTRUNC) {
		while (n > 0)
			fd_close(&fds[--n]);
		m->number = (uint64_t)len;
		return LEASH_MALFORMED;
	}
	*m = message_of(&wire);
	for (int i = 0; i < LEASH_FDS; i++)
		m->fds[i] = wire.has_fd & 1u << i && used < n ? fds[used++] : -1;
	while (used < n)
		fd_close(&fds[used++]);
	return LEASH_OK;
}

enum leash_result leash_obey(const struct leash *worker, struct leash_message *m)
{
	return receive_message(worker->orders, m);
}

bool leash_has_order(const struct leash *worker)
{
	struct pollfd p = { .fd = worker->orders, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* ---- over the pipe ------------------------------------------------------ */

int leash_say(const struct leash *worker, const struct leash_message *m)
{
	const struct wire wire = wire_of(m);

	/* Less than PIPE_BUF: all of it or nothing. */
	return write(worker->words, &wire, sizeof wire) == -1 ? -1 : 0;
}

/* What another program's worker says over its socket; it has no descriptors to give. */
static enum leash_result hear_at_socket(int fd, struct leash_message *m)
{
	const enum leash_result result = receive_message(fd, m);

	for (int i = 0; result == LEASH_OK && i < LEASH_FDS; i++)
		fd_close(&m->fds[i]);
	return result;
}

enum leash_result leash_hear(const struct leash *master, struct leash_message *m)
{
	struct wire wire = { 0 };
	ssize_t len;

	if (master->words == -1)
		return hear_at_socket(master->orders, m);
	len = read(master->words, &wire, sizeof wire);
	if (len == -1 && fd_not_yet(errno))
		return LEASH_EMPTY;
	if (len <= 0)
		return LEASH_CLOSED;
	if (len < (ssize_t)WIRE_MIN) {
		m->number = (uint64_t)len;
		return LEASH_MALFORMED;
	}
	*m = message_of(&wire);
	return LEASH_OK;
}
