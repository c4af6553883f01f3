/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the sockets of a service from its key `listen`. It asks the name service.
 */
#ifndef DROVER_CONF_CONF_ADDRESS_H
#define DROVER_CONF_CONF_ADDRESS_H

#include "conf_draft.h"

/*
 * Fills *listen and *n from an address, a listener's group, or a list of them. draft is the service
 * whose listeners they are, or NULL: then they are of the status process, with fewer keys.
 */
void conf_address_load(struct conf_loader *ld, const struct conf_draft *draft,
                       const config_setting_t *setting, struct conf_listen **listen, size_t *n);

/* What the keys of a listener's group depend on: an enum listen_kind, or this. */
#define CONF_ADDRESS_ABSTRACT (LISTEN_SYSTEMD + 1)

/* For conf_keys_applies. */
unsigned conf_address_variant(const struct conf_listen *l);

#endif
