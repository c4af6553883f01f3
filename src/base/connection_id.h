/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The name that a connection has for people and programs: "PID-NUMBER", of the worker's process
 * id and the number that the worker gave it. It does not know whether there is such a connection.
 */
#ifndef DROVER_BASE_CONNECTION_ID_H
#define DROVER_BASE_CONNECTION_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONNECTION_ID_MAX 40            /* room for any id, with NUL */

/* Returns buf. */
const char *connection_id_format(pid_t worker, uint64_t number, char buf[static CONNECTION_ID_MAX]);

/* False if text is not an id: then *worker and *number may have changed all the same. */
bool connection_id_parse(const char *text, pid_t *worker, uint64_t *number);

#endif
