/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key `tls`, of a service and of its listeners.
 */
#ifndef DROVER_CONF_CONF_TLS_H
#define DROVER_CONF_CONF_TLS_H

#include "conf_draft.h"

/* Decides whether the n sockets of one listener, which was loaded from setting, speak TLS. */
void conf_tls_complete(struct conf_loader *ld, const struct conf_draft *d,
                       const config_setting_t *setting, struct conf_listen *sockets, size_t n);

/* When all listeners are loaded: reads certificates, and complains of what cannot be used. */
void conf_tls_check(struct conf_loader *ld, const struct conf_draft *d);

#endif
