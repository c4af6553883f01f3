/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads what a hand-over says of services: a service in one generation, which is a pool with its
 * workers, and what a service has in all generations. Each function returns false with the reason in
 * r->why.
 */
#ifndef DROVER_MASTER_UPGRADE_HANDOVER_READ_SERVICE_H
#define DROVER_MASTER_UPGRADE_HANDOVER_READ_SERVICE_H

#include <jansson.h>
#include <stdbool.h>

#include "handover.h"
#include "handover_reading.h"

/* Sockets and states must have been read: a service names them by their indices. */
bool handover_read_service(const struct reading *r, const json_t *j, struct handover_service *s);

/* The states of all services, into r->h. NULL is fine: earlier programs had none. */
bool handover_read_service_states(const struct reading *r, const json_t *list);

/* The sources that have crashed workers, into r->h. NULL is fine: earlier programs did not write them. */
bool handover_read_service_poisons(const struct reading *r, const json_t *list);

#endif
