/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sends the bytes that a crash report has captured to an address, as the client had sent them, and
 * tells what came back and how the connection ended. It does not know where the report came from.
 */
#ifndef DROVER_DROVERCTL_REPLAY_H
#define DROVER_DROVERCTL_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * to is an address as in target.h, which may be that of any server. Prints the result to out, as
 * JSON or for people, or what is wrong to standard error in one line. Returns the exit status: 0 if
 * the bytes were sent, however the connection ended.
 */
int replay_crash(const json_t *report, const char *to, bool json, FILE *out);

#endif
