/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints whether a service, or the whole server, is ready for clients, as /ready of the status page
 * does, and turns it into an exit status for the health check of a container. It does not know how the
 * status was asked for.
 */
#ifndef DROVER_DROVERCTL_READINESS_H
#define DROVER_DROVERCTL_READINESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define READINESS_NOT 1

/*
 * Writes "ready", or a line for each service that does not serve, for the service or for all if it is
 * "", to out, or as JSON. Returns EX_OK, or READINESS_NOT; EX_SOFTWARE if the status is not understood,
 * which is said on standard error.
 */
int readiness_tell(const json_t *status, const char *service, bool json, FILE *out);

#endif
