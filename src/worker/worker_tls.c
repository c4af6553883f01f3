/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Without OpenSSL the configuration has no TLS, and there is nothing to do.
 */
#include <config.h>
#include "worker_tls.h"

#ifdef HAVE_OPENSSL

#include <stdio.h>

#include "log.h"
#include "tls_context.h"
#include "tls_keys.h"
#include "tls_tickets.h"

#define KEYS_MS 60000                   /* for the key process, without timeouts.start */

int worker_tls_begin(struct worker *w)
{
	const struct conf_tls *conf = &w->service->tls;
	char why[KEY_FILE_WHY];

	if (!conf->on)
		return 0;
	w->tls_keys = tls_keys_open(conf, w->start.keys, why);
	if (w->tls_keys)
		w->tls = tls_context_new(conf, w->service->name, w->tls_keys, why, sizeof why);
	if (w->tls && conf->tickets) {
		w->tls_tickets = tls_tickets_new(tls_context_ssl_ctx(w->tls), conf,
		                                 w->start.service_memory->tickets);
		if (!w->tls_tickets)
			snprintf(why, sizeof why, "tickets: no memory");
	}
	if (w->tls && (w->tls_tickets || !conf->tickets))
		return 0;
	log_about(LOG_LEVEL_ERROR, LOG_ABOUT(.event = LOG_EVENT_WORKER_FAILED),
	          "%s: worker cannot start: TLS: %s", w->service->name, why);
	return -1;
}

void worker_tls_await_keys(struct worker *w)
{
	const int64_t start_ms = w->service->timeouts.start;

	/* The master waits for start_ms, and takes a worker that says nothing then for one that hangs. */
	if (w->tls_keys && !tls_keys_await(w->tls_keys, start_ms > 0 ? start_ms / 4 * 3 : KEYS_MS,
	                                   w->start.leash.orders))
		log_warn("%s: the key process does not answer yet; TLS handshakes fail until it does",
		         w->service->name);
}

void worker_tls_end(struct worker *w)
{
	tls_context_free(w->tls);
	tls_tickets_free(w->tls_tickets);
	tls_keys_free(&w->tls_keys);
}

#else

void worker_tls_await_keys(struct worker *w)
{
	(void)w;
}

int worker_tls_begin(struct worker *w)
{
	(void)w;
	return 0;
}

void worker_tls_end(struct worker *w)
{
	(void)w;
}

#endif
