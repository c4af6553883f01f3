/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens listening sockets, changes them in place, and closes them without removing the file of
 * another process. They never block: workers compete on accept(2), and a worker must not
 * sleep because another one has taken the connection.
 */
#ifndef DROVER_SYS_LISTENER_H
#define DROVER_SYS_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"

struct listener_options {
	int         backlog;
	/* Accepted sockets inherit nodelay and keepalive. */
	bool        nodelay;
	int         keep_idle_s, keep_interval_s, keep_count; /* tcp(7); 0 seconds idle: no keepalive */
	const char *device;                     /* SO_BINDTODEVICE, or NULL */
	bool        freebind;                   /* IP_FREEBIND: no interface need have the address */
	int         mode;                       /* unix path: permission bits; -1 leaves mode and owner */
	uid_t       owner;                      /* unix path: -1 leaves it */
	gid_t       group;
	bool        refuses_descriptors;        /* unix: from clients, where the kernel can (fd_passing.h) */
};

/* The file that a unix socket was bound to, to recognise it again. */
struct listener_file {
	dev_t dev;
	ino_t ino;                              /* 0: none */
};

/*
 * Binds and listens. Port 0 is replaced in *a by the port that was chosen. A
 * unix socket file is replaced if no process listens there; *file is then the new
 * one. If several processes try to bind one path at once, one succeeds. Returns
 * the descriptor, or -1 with errno: EADDRINUSE also if a process listens on a unix
 * path, ENOTSOCK if something else is there, EAFNOSUPPORT if the kernel lacks the
 * family.
 */
int listener_open(struct address *a, const struct listener_options *o, struct listener_file *file);

/*
 * Backlog, nodelay, keepalive, mode and owner of a socket that listens already.
 * 0, or -1 with errno: ESTALE if another file is at its path now, which is left
 * alone; ENOSYS if the mode can be changed only through /proc (Linux before 6.6), and there is none.
 */
int listener_adjust(int fd, const struct address *a, const struct listener_options *o,
                    const struct listener_file *file);

/* What to print after the text of an errno of listener_adjust: " (...)", or "". */
const char *listener_hint(int error);

/*
 * Checks a socket that was inherited: that it is a stream socket that listens;
 * makes it non-blocking and tells its address. 0, or -1 with errno.
 */
int listener_adopt(int fd, struct address *a);

/* Adds to *length how many connections wait to be accepted, and to *limit how many may. */
void listener_queue(int fd, int64_t *length, int64_t *limit);

/*
 * How long a connection waited in the queue of its listener, from the end of its handshake to
 * accept(2). It must be asked before anything is sent. -1: not known, as for all but TCP.
 */
int64_t listener_waited_ms(int fd);

/* Whether the file of a unix path is still the one that we bound; true for what has no file. */
bool listener_is_in_place(const struct address *a, const struct listener_file *file);

/* Removes the file of a unix path if it is still ours. */
void listener_unlink(const struct address *a, const struct listener_file *file);

#endif
