/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls a module for a connection, and makes a verdict of what it has decided.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_CALLS_H
#define DROVER_HANDLERS_MODULE_MODULE_CALLS_H

#include "handler.h"

/* The functions of a handler that are about a connection (handler.h). */
enum handler_verdict module_opened(struct connection *c);
enum handler_verdict module_received(struct connection *c, const char *bytes, size_t len);
enum handler_verdict module_ended(struct connection *c);
enum handler_verdict module_produce(struct connection *c);
enum handler_verdict module_taken(struct connection *c);
void module_closed(struct connection *c);

/* Its timer has fired. c may be gone afterwards. */
void module_call_timer(struct connection *c);

/* Something was done to it in a call for another one: it goes on. c may be gone afterwards. */
void module_call_settle(struct connection *c);

#endif
