/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The phases of the master, which one may follow which, which order may be carried out in
 * them, and what each signal means: pure tables. master_enter changes the phase, and
 * master_permit asks for an order; run.c and control_commands.c carry it out.
 */
#ifndef DROVER_MASTER_LIFECYCLE_H
#define DROVER_MASTER_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum phase {
	PHASE_STARTING,         /* not ready yet */
	PHASE_SERVING,
	PHASE_RELOADING,        /* serving, and a new generation is on its way */
	PHASE_UPGRADING,        /* serving, before and after another program is executed in our place */
	PHASE_LEAVING,          /* TERM: still serving, for lame_duck; then DRAINING */
	PHASE_LEAVING_WAIT,     /* QUIT: the same; then WAITING */
	PHASE_DRAINING,         /* TERM: finishing what is open, within shutdown_timeout */
	PHASE_WAITING,          /* QUIT: finishing what is open, without a limit */
	PHASE_ENDING,           /* workers were told to end at once */
};
#define PHASES (PHASE_ENDING + 1)

enum order {
	ORDER_NONE,
	ORDER_REAP,             /* CHLD */
	ORDER_RELOAD,           /* HUP */
	ORDER_STOP_DRAIN,       /* TERM */
	ORDER_STOP_WAIT,        /* QUIT */
	ORDER_STOP_NOW,         /* INT, or TERM again */
	ORDER_REOPEN_LOGS,      /* USR1 */
	ORDER_UPGRADE,          /* USR2 */
	ORDER_SUSPEND,          /* WINCH */
	ORDER_MORE,             /* TTIN */
	ORDER_FEWER,            /* TTOU */
	/* Only clients of the control socket give these, for one service, connection or source: */
	ORDER_SCALE,
	ORDER_DRAIN,
	ORDER_RESUME,
	ORDER_KICK,
	ORDER_UNBLOCK,
};
#define ORDERS (ORDER_UNBLOCK + 1)

enum permit {                   /* to carry out an order */
	PERMIT_NOW,
	PERMIT_LATER,           /* not yet: it is noted, and carried out once it is permitted */
	PERMIT_BUSY,            /* not while the server starts, reloads or upgrades */
	PERMIT_INHERITED,       /* not while the server has only workers of the program before */
	PERMIT_NEVER,           /* the server stops, and can only stop sooner */
};

/* The signals that the master reads. */
extern const int lifecycle_signals[];
extern const size_t lifecycle_n_signals;

/* inherited: only workers of the program before serve. ORDER_NONE is permitted. */
enum permit lifecycle_permit(enum phase phase, bool inherited, enum order order);

/*
 * The order that the signal gives in that phase. si_code is as in sigaction(2): some signals mean
 * another order when a terminal sends them.
 */
enum order lifecycle_order(enum phase phase, int signal, int32_t si_code);

/* True from LEAVING on: the server ends, and does not begin anything else. */
bool lifecycle_is_stopping(enum phase phase);

/* True in LEAVING and LEAVING_WAIT: the server will stop, and serves all the same. */
bool lifecycle_is_leaving(enum phase phase);

/* True if the master may go from one phase to the other. */
bool lifecycle_may_follow(enum phase from, enum phase to);

const char *lifecycle_phase_name(enum phase phase);

#endif
