/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the listening sockets of the server. They belong to the master, outlive the generations
 * that use them, and are never closed while one of these uses them.
 */
#ifndef DROVER_MASTER_POOL_SOCKETS_H
#define DROVER_MASTER_POOL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "claims.h"
#include "conf.h"
#include "list.h"
#include "listener.h"
#include "notify.h"

struct listening {                      /* one socket */
	struct list             in_sockets;
	struct claim            as_written;     /* what makes it the same across generations */
	struct claim            as_bound;       /* what no other listener can have beside it */
	int                     fd;
	enum listen_kind        kind;
	struct address          key;    /* as configured: a port may be 0 */
	char                   *service; /* the name of the one that uses it; "": none yet */
	size_t                  position; /* among the listeners of that service */
	char                   *device;
	char                   *name;   /* LISTEN_SYSTEMD: FileDescriptorName */
	struct address          address; /* where it really listens */
	struct listener_file    file;
	unsigned int            users;  /* how many generations use it */
	struct {                        /* what the last to ask for it wants, until sockets_commit */
		unsigned int            generation;
		char                   *service;
		size_t                  listen; /* the listener of the service, in conf_service */
		struct listener_options options;
	} wish;
	bool                    announced;
	size_t                  index;  /* among all sockets, while they are handed over in an upgrade */
};

struct sockets {
	struct list    all;
	struct claims  written, bound;  /* of all */
	struct notify *events;          /* or NULL */
	bool           keeps_lost;      /* a file that cannot be made again is a warning, not an error */
};

/* Why a socket could not be opened or taken. */
struct sockets_error {
	struct conf_place place;
	char              text[512];
	int               exit_code;    /* sysexits.h */
};

/* Takes over the sockets that systemd has passed (sd_listen_fds(3)). -1 with errno if that fails. */
int sockets_init(struct sockets *s, struct notify *events);

/*
 * Takes over a socket that an earlier program has opened. Of `like` it takes fd, and copies kind,
 * key, service, position, device, name, file and announced; the other members do not count. NULL
 * with errno, and fd is still the caller's.
 */
struct listening *sockets_adopt(struct sockets *s, const struct listening *like);

/* Counts one more user. */
void sockets_use(struct listening *l);

/* Whose sockets are wanted: those of a service, or of the status process. */
struct sockets_wish {
	const char               *owner;        /* the name of the service; no service has a name with a dot */
	const struct conf_listen *listen;
	size_t                    n_listen;     /* at least 1 */
	unsigned int              generation;
};

/*
 * Finds the sockets for one owner in a generation, and opens those that are not there yet. Fills
 * found (room for CONF_LISTEN_MAX) and returns how many; each counts one more user. -1 with *e
 * filled, and nothing is taken.
 */
int sockets_acquire(struct sockets *s, const struct sockets_wish *wish, struct listening **found,
                    struct sockets_error *e);

/* Counts one user less. Without users it is closed, and its file removed; one of systemd stays. */
void sockets_release(struct sockets *s, struct listening *l);

/* Does what that generation wishes, and logs which of its sockets are new. */
void sockets_commit(struct sockets *s, unsigned int generation);

/* Closes all, and removes the files that are our own. */
void sockets_close(struct sockets *s);

#endif
