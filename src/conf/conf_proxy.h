/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys proxy_protocol and proxy_from, of a service and of its listeners: which listeners expect
 * a PROXY header, and from which addresses it is believed.
 */
#ifndef DROVER_CONF_CONF_PROXY_H
#define DROVER_CONF_CONF_PROXY_H

#include "conf_draft.h"

/* Takes proxy_from of the service. Must be called before its listeners are loaded. */
void conf_proxy_load(struct conf_loader *ld, const struct conf_draft *d);

/*
 * Completes the n sockets of one listener, which was loaded from setting: gives them what they have
 * from the service. Complains of keys that contradict each other, and of those that are missing.
 */
void conf_proxy_complete(struct conf_loader *ld, const struct conf_draft *d,
                         const config_setting_t *setting, struct conf_listen *sockets, size_t n);

/* When all listeners are loaded: complains of proxy_from that none of them uses. */
void conf_proxy_check(struct conf_loader *ld, const struct conf_draft *d);

#endif
