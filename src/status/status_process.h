/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The status process: serves the HTTP clients of `metrics` and the load balancers of `agent`, without
 * privileges, and without the memory, the files and the sockets of anything else. What a client that
 * takes it over can get are the figures that it serves. The master starts it and listens for it
 * (status_holder.h). Once it serves it logs nothing.
 */
#ifndef DROVER_STATUS_STATUS_PROCESS_H
#define DROVER_STATUS_STATUS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "leash.h"

/*
 * Its nice value, and that of the processes that answer it: clients of services come first. Not more, so
 * that it still answers in time beside dozens of busy workers on a CPU (sched(7)).
 */
#define STATUS_PROCESS_NICE 5

#define STATUS_PROCESS_USER "drover-status"     /* else nobody */
#define STATUS_PROCESS_LEAVE_MS 15000           /* to finish what is open, once the master has let go of it */

struct status_sockets {                 /* lent */
	int    fds[CONF_LISTEN_MAX];
	size_t n;
};

struct status_site {                    /* what is served */
	const struct conf_metrics *metrics;
	const struct conf_agent   *agent;
	struct status_sockets      http;        /* none: nothing is served over HTTP */
	struct status_sockets      balancers;   /* none: no load balancer asks */
};

struct status_process_start {
	struct status_site site;
	struct leash       leash;
	int                answers;     /* a socket: the answers of the master (facts.h) */
	int                log_fd;      /* of the log that is in use, while the process starts; or -1 */
	bool               detached;
	void             (*forget)(void *arg);  /* unmaps all of the master but the site's configuration */
	void              *arg;
};

/* Never returns. It ends when the master does, or lets go of the leash, after what is open. */
_Noreturn void status_process_main(const struct status_process_start *start);

#endif
