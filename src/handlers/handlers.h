/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists all handlers, and finds the one that the configuration names. A worker does not know
 * this list: it gets one handler when it is started.
 */
#ifndef DROVER_HANDLERS_HANDLERS_H
#define DROVER_HANDLERS_HANDLERS_H

#include "conf.h"
#include "handler.h"
#include "handler_list.h"

#define X(name, kind) extern const struct handler handler_##name;
HANDLER_LIST(X)
#undef X
extern const struct handler handler_producer;   /* of type module, for one that sends unasked */
extern const struct handler handler_warm;       /* of type exec, with `warm` or TLS */

/* The handler that serves connections as h says. Never NULL. */
const struct handler *handler_find(const struct conf_handler *h);

#endif
