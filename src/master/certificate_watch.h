/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warns once a day of certificates that expire soon, or have expired. When a configuration is
 * loaded, that warns, too; this is for servers that run for months.
 */
#ifndef DROVER_MASTER_CERTIFICATE_WATCH_H
#define DROVER_MASTER_CERTIFICATE_WATCH_H

#include "conf.h"
#include "loop.h"

#define CERTIFICATE_WATCH_MS (INT64_C(24) * 60 * 60 * 1000)

struct certificate_watch {
	struct loop       *loop;
	const struct conf *conf;
	struct timer       timer;
};

/* From now on it warns of the certificates in conf, which is lent until the next call, and first in a day. */
void certificate_watch_begin(struct certificate_watch *w, struct loop *loop, const struct conf *conf);

/* Logs a line for each certificate that is short of days at now (seconds since 1970), up to a limit. */
void certificate_watch_tell(const struct conf *conf, int64_t now);

#endif
