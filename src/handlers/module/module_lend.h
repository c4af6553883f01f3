/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that a module has lent for a client: they are sent in pieces, so that only a piece of them is
 * ever copied.
 */
#ifndef DROVER_HANDLERS_MODULE_MODULE_LEND_H
#define DROVER_HANDLERS_MODULE_MODULE_LEND_H

#include "module_client.h"

/* Sends the bytes, or keeps them until the client takes them; release is called in any case. -1 with ENOMEM. */
int module_lend(struct module_client *k, const char *bytes, size_t len, void (*release)(void *arg), void *arg);

/* The same for bytes that must come after what was lent, and are copied. */
int module_lend_copy(struct module_client *k, const char *bytes, size_t len);

/* The client has taken what it had. Sends the next bytes; true if everything is sent now. */
bool module_lend_continue(struct module_client *k);

/* Bytes that wait here. */
size_t module_lend_waiting(const struct module_client *k);

/* They will not be sent: gives them back. */
void module_lend_drop(struct module_client *k);

#endif
