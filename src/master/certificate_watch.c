/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A timer that looks at the certificates of the configuration that is served. It reads no files.
 */
#include <config.h>
#include "certificate_watch.h"

#include <time.h>

#include "conf_validity.h"
#include "list.h"
#include "log.h"

#define LINES_MAX 20                    /* a day */

static void tell(const struct conf_service *svc, const struct conf_certificate *c, int64_t now)
{
	char text[CONF_VALIDITY_TEXT];

	log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.service = svc->name, .event = LOG_EVENT_CERTIFICATE_SHORT),
	          "service %s: the certificate %s %s", svc->name, c->chain,
	          conf_validity_text(c, now, text));
}

void certificate_watch_tell(const struct conf *conf, int64_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *svc = conf->services[i];

		for (size_t k = 0; svc->tls.on && k < svc->tls.n_certificates; k++)
			if (conf_validity_is_short(&svc->tls.certificates[k], now) && n++ < LINES_MAX)
				tell(svc, &svc->tls.certificates[k], now);
	}
	if (n > LINES_MAX)
		log_about(LOG_LEVEL_WARNING, LOG_ABOUT(.event = LOG_EVENT_CERTIFICATE_SHORT),
		          "%zu more certificates expire soon (droverctl certificates shows them)",
		          n - LINES_MAX);
}

static void on_day(struct timer *t)
{
	struct certificate_watch *w = container_of(t, struct certificate_watch, timer);

	certificate_watch_tell(w->conf, time(NULL));
	loop_timer(w->loop, &w->timer, CERTIFICATE_WATCH_MS);
}

void certificate_watch_begin(struct certificate_watch *w, struct loop *loop, const struct conf *conf)
{
	w->loop = loop;
	w->conf = conf;
	w->timer.fire = on_day;
	loop_timer(loop, &w->timer, CERTIFICATE_WATCH_MS);
}
