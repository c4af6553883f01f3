/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables that say what the master may do in each of its phases. They do not know struct master.
 */
#include <config.h>
#include "lifecycle.h"

#include <signal.h>

const int lifecycle_signals[] = {
	SIGCHLD, SIGHUP, SIGTERM, SIGQUIT, SIGINT, SIGUSR1, SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU,
};
const size_t lifecycle_n_signals = sizeof lifecycle_signals / sizeof *lifecycle_signals;

static const struct {
	int        signal;
	enum order by_user;
	enum order by_terminal;         /* SI_KERNEL: the user typed there, resized or left it */
} meanings[] = {
	{ SIGCHLD,  ORDER_REAP,        ORDER_REAP },
	{ SIGHUP,   ORDER_RELOAD,      ORDER_STOP_DRAIN },
	{ SIGTERM,  ORDER_STOP_DRAIN,  ORDER_STOP_DRAIN },
	{ SIGQUIT,  ORDER_STOP_WAIT,   ORDER_STOP_WAIT },
	{ SIGINT,   ORDER_STOP_NOW,    ORDER_STOP_NOW },
	{ SIGUSR1,  ORDER_REOPEN_LOGS, ORDER_REOPEN_LOGS },
	{ SIGUSR2,  ORDER_UPGRADE,     ORDER_UPGRADE },
	{ SIGWINCH, ORDER_SUSPEND,     ORDER_NONE },
	{ SIGTTIN,  ORDER_MORE,        ORDER_NONE },
	{ SIGTTOU,  ORDER_FEWER,       ORDER_NONE },
};

/* A row for the phase that ends, a column for the one that begins. A stop can only become harder. */
static const bool may_follow[PHASES][PHASES] = {
	/*                        starting serving reloading upgrading leaving l_wait draining waiting ending */
	[PHASE_STARTING]     = {  0,       1,      0,        1,        0,      0,     1,       1,      1 },
	[PHASE_SERVING]      = {  0,       0,      1,        1,        1,      1,     1,       1,      1 },
	[PHASE_RELOADING]    = {  0,       1,      0,        0,        1,      1,     1,       1,      1 },
	[PHASE_UPGRADING]    = {  0,       1,      0,        0,        1,      1,     1,       1,      1 },
	[PHASE_LEAVING]      = {  0,       0,      0,        0,        0,      0,     1,       0,      1 },
	[PHASE_LEAVING_WAIT] = {  0,       0,      0,        0,        1,      0,     1,       1,      1 },
	[PHASE_DRAINING]     = {  0,       0,      0,        0,        0,      0,     0,       0,      1 },
	[PHASE_WAITING]      = {  0,       0,      0,        0,        0,      0,     1,       0,      1 },
	[PHASE_ENDING]       = {  0,       0,      0,        0,        0,      0,     0,       0,      0 },
};

#define NOW   PERMIT_NOW
#define LATER PERMIT_LATER
#define BUSY  PERMIT_BUSY
#define NEVER PERMIT_NEVER
#define INHER PERMIT_INHERITED

static const struct {
	enum permit in[PHASES];
	enum permit inherited;          /* instead of NOW, while only inherited workers serve */
} permits[ORDERS] = {
	/*                        start  serve  reload upgr.  leave  l_wait drain  wait   end */
	[ORDER_NONE]        = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW   }, NOW },
	[ORDER_REAP]        = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW   }, NOW },
	[ORDER_RELOAD]      = { { LATER, NOW,   LATER, LATER, NEVER, NEVER, NEVER, NEVER, NEVER }, NOW },
	[ORDER_STOP_DRAIN]  = { { NOW,   NOW,   NOW,   NOW,   NEVER, NOW,   NEVER, NOW,   NEVER }, NOW },
	[ORDER_STOP_WAIT]   = { { NOW,   NOW,   NOW,   NOW,   NEVER, NEVER, NEVER, NEVER, NEVER }, NOW },
	[ORDER_STOP_NOW]    = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NEVER }, NOW },
	[ORDER_REOPEN_LOGS] = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NOW   }, NOW },
	[ORDER_UPGRADE]     = { { LATER, NOW,   LATER, LATER, NEVER, NEVER, NEVER, NEVER, NEVER }, NOW },
	[ORDER_SUSPEND]     = { { BUSY,  NOW,   BUSY,  BUSY,  NEVER, NEVER, NEVER, NEVER, NEVER }, NOW },
	[ORDER_MORE]        = { { LATER, NOW,   NOW,   NOW,   NEVER, NEVER, NEVER, NEVER, NEVER }, LATER },
	[ORDER_FEWER]       = { { LATER, NOW,   NOW,   NOW,   NEVER, NEVER, NEVER, NEVER, NEVER }, LATER },
	[ORDER_SCALE]       = { { BUSY,  NOW,   BUSY,  BUSY,  NEVER, NEVER, NEVER, NEVER, NEVER }, INHER },
	[ORDER_DRAIN]       = { { BUSY,  NOW,   BUSY,  BUSY,  NEVER, NEVER, NEVER, NEVER, NEVER }, INHER },
	[ORDER_RESUME]      = { { BUSY,  NOW,   BUSY,  BUSY,  NEVER, NEVER, NEVER, NEVER, NEVER }, INHER },
	[ORDER_KICK]        = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NEVER, NEVER, NEVER }, NOW },
	[ORDER_UNBLOCK]     = { { NOW,   NOW,   NOW,   NOW,   NOW,   NOW,   NEVER, NEVER, NEVER }, NOW },
};

#undef NOW
#undef LATER
#undef BUSY
#undef NEVER
#undef INHER

static const char *const names[] = {
	[PHASE_STARTING] = "starting",
	[PHASE_SERVING] = "serving",
	[PHASE_RELOADING] = "reloading",
	[PHASE_UPGRADING] = "upgrading",
	[PHASE_LEAVING] = "leaving",
	[PHASE_LEAVING_WAIT] = "leaving to wait",
	[PHASE_DRAINING] = "draining",
	[PHASE_WAITING] = "waiting",
	[PHASE_ENDING] = "ending",
};

const char *lifecycle_phase_name(enum phase phase)
{
	return names[phase];
}

bool lifecycle_is_stopping(enum phase phase)
{
	switch (phase) {
	case PHASE_STARTING:
	case PHASE_SERVING:
	case PHASE_RELOADING:
	case PHASE_UPGRADING:
		break;
	case PHASE_LEAVING:
	case PHASE_LEAVING_WAIT:
	case PHASE_DRAINING:
	case PHASE_WAITING:
	case PHASE_ENDING:
		return true;
	}
	return false;
}

bool lifecycle_is_leaving(enum phase phase)
{
	return phase == PHASE_LEAVING || phase == PHASE_LEAVING_WAIT;
}

bool lifecycle_may_follow(enum phase from, enum phase to)
{
	return may_follow[from][to];
}

static enum order meaning(int signal, int32_t si_code)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].signal == signal)
			return si_code == SI_KERNEL ? meanings[i].by_terminal : meanings[i].by_user;
	return ORDER_NONE;
}

enum permit lifecycle_permit(enum phase phase, bool inherited, enum order order)
{
	const enum permit permit = permits[order].in[phase];

	return permit == PERMIT_NOW && inherited ? permits[order].inherited : permit;
}

enum order lifecycle_order(enum phase phase, int signal, int32_t si_code)
{
	enum order order = meaning(signal, si_code);

	if (order == ORDER_STOP_DRAIN && (phase == PHASE_LEAVING || phase == PHASE_DRAINING))
		order = ORDER_STOP_NOW;
	return permits[order].in[phase] == PERMIT_NEVER ? ORDER_NONE : order;
}
