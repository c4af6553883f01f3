/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The private keys of all services, in the key process, and the signatures made with them.
 */
#ifndef DROVER_TLS_KEY_TABLE_H
#define DROVER_TLS_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "key_file.h"
#include "key_wire.h"

struct key_table;

/*
 * Reads the keys of all services that isolate them; a service keeps its index in conf->services. A key
 * that cannot be read is left out: *n_missing counts these, and why has the reason of the first.
 * conf is not needed afterwards. NULL if there is no memory, with the reason in why.
 */
struct key_table *key_table_read(const struct conf *conf, size_t *n_missing,
                                 char why[static KEY_FILE_WHY]);

/* Fills the answer to a request that is whole (key_wire.h) and came from a worker of that service. */
void key_table_answer(const struct key_table *t, size_t service, const struct key_request *r,
                      struct key_answer *a);

/* Sets *tp to NULL; NULL is fine. */
void key_table_free(struct key_table **tp);

#endif
