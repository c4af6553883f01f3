/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes certificates of the current configuration as JSON.
 */
#include <config.h>
#include "report_certificates.h"

#include <string.h>
#include <time.h>

#include "clock.h"
#include "conf_validity.h"
#include "json_value.h"
#include "text.h"

static json_t *names(const struct conf_certificate *c)
{
	json_t *list = json_array();

	for (size_t i = 0; c->names[i]; i++)
		json_array_append_new(list, json_value_text(c->names[i]));
	return list;
}

static const char *hex(const uint8_t sha256[static 32], char buf[static 65])
{
	struct text t = text_in(buf, 65);

	text_add_hex(&t, sha256, 32);
	return buf;
}

static json_t *certificate(const struct conf_service *svc, const struct conf_certificate *c, int64_t now)
{
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX], digest[65];

	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:s}",
		"service", json_value_text(svc->name), "names", names(c), "type", c->type,
		"since", clock_utc_seconds((time_t)c->not_before, from),
		"until", clock_utc_seconds((time_t)c->not_after, to),
		"days", (json_int_t)conf_validity_days(c, now),
		"chain", json_value_text(c->chain), "key", json_value_text(c->key),
		"sha256", hex(c->sha256, digest));
}

void report_certificates(void *data, const struct control_request *r, struct answer_writer *o)
{
	const struct report_data *d = data;
	const int64_t now = time(NULL);

	answer_writer_begin_list(o, "certificates");
	for (size_t i = 0; i < d->n; i++) {
		const struct conf_service *svc = d->services[i].service->conf;

		if (!svc->tls.on || (r->service && strcmp(r->service, svc->name) != 0))
			continue;
		for (size_t k = 0; k < svc->tls.n_certificates && !o->failed; k++)
			answer_writer_item(o, certificate(svc, &svc->tls.certificates[k], now));
	}
	answer_writer_end_list(o);
}

static json_t *list_of(const struct report_data *d, bool only_short)
{
	const int64_t now = time(NULL);
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct conf_service *svc = d->services[i].service->conf;

		for (size_t k = 0; svc->tls.on && k < svc->tls.n_certificates; k++)
			if (!only_short || conf_validity_is_short(&svc->tls.certificates[k], now))
				json_array_append_new(list, certificate(svc, &svc->tls.certificates[k], now));
	}
	return list;
}

json_t *report_certificates_all(const struct report_data *d)
{
	return list_of(d, false);
}

json_t *report_certificates_short(const struct report_data *d)
{
	return list_of(d, true);
}
