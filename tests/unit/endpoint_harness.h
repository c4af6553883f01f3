/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Endpoints of clients, from text.
 */
#ifndef DROVER_TESTS_ENDPOINT_HARNESS_H
#define DROVER_TESTS_ENDPOINT_HARNESS_H

#include <arpa/inet.h>

#include "address.h"
#include "unit.h"

/* An IPv4 or IPv6 address, or "unix"; anything else is not known. */
static inline struct endpoint endpoint(const char *ip)
{
	struct endpoint e = { .port = 4711 };

	if (strcmp(ip, "unix") == 0)
		e.family = AF_UNIX;
	else if (inet_pton(AF_INET, ip, e.ip) == 1)
		e.family = AF_INET;
	else if (inet_pton(AF_INET6, ip, e.ip) == 1)
		e.family = AF_INET6;
	return e;
}

#endif
