/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges whether a server, or one service of it, is ready for clients, by what the command `status`
 * says. A service that is only full is ready: who sends clients elsewhere then makes it worse for
 * the others.
 */
#ifndef DROVER_STATUS_READY_H
#define DROVER_STATUS_READY_H

#include <jansson.h>

enum ready {
	READY,
	READY_NOT,
	READY_UNKNOWN,                  /* there is no such service */
};

/*
 * service NULL: all of them. *why becomes a text of lines that says it, to be freed: which services do
 * not serve, and for which reason. NULL: there was no memory for it.
 */
enum ready ready_judge(const json_t *status, const char *service, char **why);

#endif
