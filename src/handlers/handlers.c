/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of handlers. It is made from the list in shared/handler_list.h, which the
 * configuration also uses.
 */
#include <config.h>
#include "handlers.h"

#include <assert.h>

static const struct handler *const handlers[HANDLER_IDS] = {
#define X(name, kind) [HANDLER_ID_##name] = &handler_##name,
	HANDLER_LIST(X)
#undef X
};

const struct handler *handler_find(const struct conf_handler *h)
{
	assert(h->id < HANDLER_IDS);
	if (h->module.flags & DROVER_PRODUCER)
		return &handler_producer;
	return h->kind == HANDLER_WARM || h->kind == HANDLER_RELAYED ? &handler_warm : handlers[h->id];
}
