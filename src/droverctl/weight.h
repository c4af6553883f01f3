/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints how much of a service is free, in the words that load balancers hear, and turns it into an
 * exit status for keepalived(8). It does not know how the status was asked for.
 */
#ifndef DROVER_DROVERCTL_WEIGHT_H
#define DROVER_DROVERCTL_WEIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* The exit status of every failure: other ones would be weights. */
#define WEIGHT_NONE 1

/*
 * Writes the line for the service, or for all if it is "", to out, or as JSON. Returns 2 and the
 * percentage that is free (3 to 102); or WEIGHT_NONE if no clients should come.
 */
int weight_tell(const json_t *status, const char *service, bool json, FILE *out);

#endif
