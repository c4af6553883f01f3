/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Built-in handlers are modules that are compiled in: each defines a struct drover_module, and its
 * handler with one of these. The server's functions reach them as any module.
 */
#ifndef DROVER_HANDLERS_BUILTIN_H
#define DROVER_HANDLERS_BUILTIN_H

#include <drover/module.h>

#include "handler.h"
#include "module_calls.h"
#include "module_worker.h"

#define MODULE_FUNCTIONS \
	.opened = module_opened, .received = module_received, .ended = module_ended, \
	.taken = module_taken, .closed = module_closed, .begin = module_worker_begin, \
	.drain = module_worker_drain, .end = module_worker_end

#define PRODUCER_FUNCTIONS MODULE_FUNCTIONS, .produce = module_produce

#endif
