/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a service listens: ports by number or name, hosts, and the form that drover has for them.
 */
#ifndef DROVER_IMPORT_IMPORT_LISTEN_H
#define DROVER_IMPORT_IMPORT_LISTEN_H

#include "import.h"

/* The number of a port of TCP; a name that services(5) does not have stays, and droverd -t refuses it. */
const char *import_listen_port(struct import *im, const char *text);

/*
 * One more listener with that address, "0.0.0.0:21" or "unix:/path". NULL, after a complaint, if there
 * are too many.
 */
struct import_listen *import_listen_add(struct import *im, struct import_service *svc,
                                        struct import_place place, const char *address);

/* The same; host "0.0.0.0", "::", "*" or a name; an IPv6 address gets its brackets. */
struct import_listen *import_listen_add_host(struct import *im, struct import_service *svc,
                                             struct import_place place, const char *host, const char *port);

#endif
