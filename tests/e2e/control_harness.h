/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon with a control socket in the test's folder, and clients of that
 * socket without droverctl.
 */
#ifndef DROVER_E2E_CONTROL_HARNESS_H
#define DROVER_E2E_CONTROL_HARNESS_H

#include "harness.h"

/* Configurations, in which %s is control_path(); the service is called s. */
#define CONTROL    "control = { socket = \"%s\"; };\n"
#define ECHO(rest) CONTROL SERVICES(SERVICE("s", "echo", "workers = 2; " rest))
#define ONE(rest)  CONTROL SERVICES(SERVICE("s", "echo", "workers = 1; " rest))

const char *control_path(void);

/* A connection to it. */
int control_connect(void);

/* Sends a line, to which the newline is added. */
void control_say(int fd, const char *line);

/* The next line has all of this in it; returns it. */
const char *control_expect(int fd, const char *part);

/* The same as the answer to a request on a connection of its own. */
const char *control_ask(const char *line, const char *part);

/* All is well: a client of s is served, others can look, and a reload works. */
void control_check_health(struct daemon *d);

#endif
