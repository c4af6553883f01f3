/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one program leaves to the next one that is executed in its place: all that a master must
 * know to go on as if it had been there all the time. It is written to a memfd, as JSON: an older
 * or newer program reads the keys that it knows.
 *
 * A change of the meaning of a key needs another HANDOVER_MAJOR, and then no upgrade in place is
 * possible from one to the other. A new key needs none, if the other program can do without it.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_H
#define DROVER_MASTER_UPGRADE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "address.h"
#include "arena.h"
#include "child.h"
#include "conf.h"
#include "key_holder.h"
#include "listener.h"
#include "log_process.h"
#include "poison.h"
#include "pool.h"
#include "service_state.h"
#include "status_holder.h"

#define HANDOVER_MAJOR 1

/* Strings and lists are lent, or lie in the arena. Descriptors belong to the one that takes them over. */

struct handover_worker {
	size_t            place;        /* its slot on the board */
	struct child_past past;
};

/* What a service has over all generations. */
struct handover_state {
	const char                *service;
	struct service_memory_past memory;
};

struct handover_service {
	const char             *name, *handler;
	int                     connections, min, max;
	int                     input;          /* crash_capture: bytes on the board for each worker */
	int64_t                 hang_ms;        /* hang_timeout */
	int64_t                 drain_ms;
	struct pool_past        past;
	size_t                  state;          /* index; n_states: the program before had none */
	int                     log_index;      /* of its access log: 0 is that of the generation; -1: none */
	size_t                 *sockets;        /* indices, in the order of its listeners */
	size_t                  n_sockets;
	struct handover_worker *workers;
	size_t                  n_workers;
};

struct handover_generation {
	unsigned int             number;
	bool                     serves;        /* true for one; the workers of the others drain */
	int64_t                  shutdown_ms, lame_duck_ms;
	int                      balancers;     /* 0: not known */
	const char              *state_dir;
	struct conf_log          log, access_log;       /* without their places */
	struct conf_log         *service_logs;          /* access logs of services: index 1 is the first */
	size_t                   n_service_logs;
	struct log_process_past  log_process;           /* no inputs: there is no log process */
	struct key_holder_past   key_process;           /* pid 0: there is none */
	size_t                  *http_sockets, *agent_sockets;  /* indices: those of its status process */
	size_t                   n_http_sockets, n_agent_sockets;
	struct handover_service *services;
	size_t                   n_services;
};

struct handover_poison {                        /* of a service, in all generations */
	const char             *service;
	struct pool_memory_part blocks;         /* fd -1: there is no table */
	const struct poison    *history;
};

struct handover_socket {
	int                  fd;
	enum listen_kind     kind;
	struct address       key;               /* as configured */
	const char          *service, *device, *name;
	size_t               position;
	struct listener_file file;
	bool                 announced;
};

struct handover {
	struct arena                arena;
	pid_t                       pid;
	const char                 *version;    /* of the program that leaves it */
	const char                 *program;    /* the file that the next upgrade executes; NULL: not known */
	const char                 *text;       /* the configuration that serves, as droverd -T prints it */
	const char                 *pid_file;   /* as written; NULL: none */
	unsigned int                n_numbers;  /* generations so far */
	int64_t                     started_ms;
	struct rlimit               nofile;     /* what programs get; rlim_cur 0: not known */
	bool                        suspended, reload_again, upgrade_again;
	int                         pending_scale;      /* workers more, or fewer, in every service */
	int                         control;    /* its listening socket; -1: none */
	struct listener_file        control_file;
	struct status_past          status;     /* the status process; pid 0: there is none */
	int                         client;     /* the one that waits for the end of the upgrade; -1: none */
	const char                **notices, **events;  /* not sent yet */
	size_t                      n_notices, n_events;
	struct handover_socket     *sockets;
	size_t                      n_sockets;
	struct handover_state      *states;
	size_t                      n_states;
	struct handover_poison     *poisons;
	size_t                      n_poisons;
	struct handover_generation *generations;
	size_t                      n_generations;
};

/* Makes an empty hand-over. 0, or -1 with errno. */
int handover_init(struct handover *h);
void handover_free(struct handover *h);

/* Writes all of it to a memfd, which is close-on-exec. Returns it; -1 with errno. */
int handover_write(const struct handover *h);

/*
 * Reads the hand-over in fd into *h, which must be empty. Checks only what is written there, not
 * whether the descriptors exist. False with the reason in why, which has room for size bytes.
 */
bool handover_read(struct handover *h, int fd, char *why, size_t size);

/* True if every descriptor exists, is named once, and is of the right kind. False as above. */
bool handover_check(const struct handover *h, char *why, size_t size);

/* Calls see for every descriptor in it, until see returns false; then it returns false, too. */
bool handover_each_fd(const struct handover *h, bool (*see)(void *arg, int fd), void *arg);

#endif
