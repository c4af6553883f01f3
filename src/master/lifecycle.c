/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Signals, phases and orders.
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
	enum order by_terminal;         /* SI_KERNEL: its owner typed, resized or left it */
} meanings[] = {
	{ SIGCHLD,  ORDER_REAP,        ORDER_REAP },
	{ SIGHUP,   ORDER_RELOAD,      ORDER_STOP_DRAIN },
	{ SIGTERM,  ORDER_STOP_DRAIN,  ORDER_STOP_DRAIN },
	{ SIGQUIT,  ORDER_STOP_WAIT,   ORDER_STOP_WAIT },
	{ SIGINT,   ORDER_STOP_NOW,    ORDER_STOP_NOW },
	{ SIGUSR1,  ORDER_REOPEN_LOGS, ORDER_REOPEN_LOGS },
	{ SIGUSR2,  ORDER_UPGRADE,     ORDER_UPGRADE },
	{ SIGWINCH, ORDER_REST,        ORDER_NONE },
	{ SIGTTIN,  ORDER_MORE,        ORDER_NONE },
	{ SIGTTOU,  ORDER_FEWER,       ORDER_NONE },
};

/* A row for the phase that ends, a column for the one that begins. A stop can only become harder. */
static const bool may_follow[PHASES][PHASES] = {
	/*                     starting serving reloading upgrading draining waiting ending */
	[PHASE_STARTING]  = {  0,       1,      0,        1,        1,       1,      1 },
	[PHASE_SERVING]   = {  0,       0,      1,        1,        1,       1,      1 },
	[PHASE_RELOADING] = {  0,       1,      0,        0,        1,       1,      1 },
	[PHASE_UPGRADING] = {  0,       1,      0,        0,        1,       1,      1 },
	[PHASE_DRAINING]  = {  0,       0,      0,        0,        0,       0,      1 },
	[PHASE_WAITING]   = {  0,       0,      0,        0,        1,       0,      1 },
	[PHASE_ENDING]    = {  0,       0,      0,        0,        0,       0,      0 },
};

static const char *const names[] = {
	[PHASE_STARTING] = "starting",
	[PHASE_SERVING] = "serving",
	[PHASE_RELOADING] = "reloading",
	[PHASE_UPGRADING] = "upgrading",
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
	case PHASE_DRAINING:
	case PHASE_WAITING:
	case PHASE_ENDING:
		return true;
	}
	return false;
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

/* Once it stops, it can only stop sooner. */
static enum order while_stopping(enum phase phase, enum order order)
{
	switch (order) {
	case ORDER_REAP:
	case ORDER_REOPEN_LOGS:
		return order;
	case ORDER_STOP_NOW:
		return phase == PHASE_ENDING ? ORDER_NONE : ORDER_STOP_NOW;
	case ORDER_STOP_DRAIN:
		if (phase == PHASE_ENDING)
			return ORDER_NONE;
		return phase == PHASE_DRAINING ? ORDER_STOP_NOW : ORDER_STOP_DRAIN;
	case ORDER_NONE:
	case ORDER_RELOAD:
	case ORDER_STOP_WAIT:
	case ORDER_UPGRADE:
	case ORDER_REST:
	case ORDER_MORE:
	case ORDER_FEWER:
		break;
	}
	return ORDER_NONE;
}

enum order lifecycle_order(enum phase phase, int signal, int32_t si_code)
{
	enum order order = meaning(signal, si_code);

	return lifecycle_is_stopping(phase) ? while_stopping(phase, order) : order;
}
