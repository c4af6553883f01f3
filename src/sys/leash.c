/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages between master and worker, with descriptors beside them.
 */
#include <config.h>
#include "leash.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "fd.h"

/* What goes over the socket; the descriptors follow in the order of their bits. */
struct wire {
	uint32_t word;
	uint32_t has_fd;        /* bit LEASH_FD_x: that one is with it */
	uint64_t removed;
	int64_t  few, quiet;
	uint64_t number;
};

#define WIRE_MIN offsetof(struct wire, few)     /* bytes: as far as DRAIN goes */

union ancillary {
	struct cmsghdr header;
	char           room[CMSG_SPACE(sizeof(int) * LEASH_FDS)];
};

int leash_open(int *master_end, int *worker_end)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	*master_end = pair[0];
	*worker_end = pair[1];
	return 0;
}

int leash_send(int fd, const struct leash_message *m)
{
	struct wire wire = { .word = m->word, .removed = m->removed, .few = m->few,
	                     .quiet = m->quiet, .number = m->number };
	struct iovec iov = { .iov_base = &wire, .iov_len = sizeof wire };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union ancillary extra = { 0 };
	int fds[LEASH_FDS];
	size_t n = 0;

	for (int i = 0; m->word == LEASH_LOGS && i < LEASH_FDS; i++)
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
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == -1 ? -1 : 0;
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

enum leash_result leash_receive(int fd, struct leash_message *m)
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
		return LEASH_CLOSED;
	}
	*m = (struct leash_message){ .word = (enum leash_word)wire.word, .removed = wire.removed,
	                             .few = wire.few, .quiet = wire.quiet,
	                             .number = wire.number };
	for (int i = 0; i < LEASH_FDS; i++)
		m->fds[i] = wire.has_fd & 1u << i && used < n ? fds[used++] : -1;
	while (used < n)
		fd_close(&fds[used++]);
	return LEASH_OK;
}
