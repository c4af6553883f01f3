/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All handlers, and the choice among them. A worker does not know this list: it is
 * given one handler when it is started.
 */
#ifndef DROVER_HANDLERS_HANDLERS_H
#define DROVER_HANDLERS_HANDLERS_H

#include "conf.h"
#include "handler.h"
#include "handler_list.h"

#define X(name, kind) extern const struct handler handler_##name;
HANDLER_LIST(X)
#undef X
extern const struct handler handler_warm;       /* of type exec, with `warm` */

/* What serves connections as the configuration says. Never NULL. */
const struct handler *handler_find(const struct conf_handler *h);

#endif
