/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any text as the address of a listener: it is refused with a complaint, or becomes sockets, and
 * what is printed of each becomes the same socket. The same bytes are taken as a sockaddr, of
 * which something printable is made.
 */
#include <config.h>

#include <stdio.h>

#include "address.h"
#include "fuzz.h"
#include "fuzz_conf.h"

#define TEXT_MAX 4096

/* A service that listens there; NUL ends the address. In static memory. */
static const char *configuration(const char *address)
{
	static char text[4 * TEXT_MAX + 128];
	size_t at = (size_t)sprintf(text, "services = { s = { listen = \"");

	for (; *address; address++)
		at += (size_t)sprintf(text + at, "\\x%02x", (unsigned char)*address);
	sprintf(text + at, "\"; handler = { type = \"echo\"; }; }; };");
	return text;
}

static void check_printable(const char *text, size_t room)
{
	assert(strlen(text) < room);
	for (; *text; text++)
		assert(*text >= ' ' && *text <= '~');
}

/* ---- as text ------------------------------------------------------------ */

/* The text of a socket, as droverctl shows it, can stand in a configuration. */
static void check_same(const struct conf_listen *l)
{
	char text[ADDRESS_TEXT_MAX];
	struct arena a;
	const struct conf *conf;

	address_format(&l->address, text, sizeof text);
	conf = fuzz_conf_load(&a, configuration(text));
	assert(conf && conf->n_services == 1 && conf->services[0]->n_listen == 1);
	assert(address_equal(&conf->services[0]->listen[0].address, &l->address));
	arena_close(&a);
}

static void check_order(const struct conf_service *s)
{
	for (size_t i = 0; i < s->n_listen; i++)
		for (size_t k = 0; k < s->n_listen; k++) {
			const int diff = address_compare(&s->listen[i].address, &s->listen[k].address);
			const int back = address_compare(&s->listen[k].address, &s->listen[i].address);

			assert((diff == 0) == (i == k));        /* no socket is there twice */
			assert((diff < 0) == (back > 0));
		}
}

static void load(const char *address)
{
	struct arena a;
	const struct conf *conf = fuzz_conf_load(&a, configuration(address));

	if (conf) {
		const struct conf_service *s = conf->services[0];

		assert(s->n_listen > 0);
		check_order(s);
		for (size_t i = 0; i < s->n_listen; i++)
			if (s->listen[i].kind != LISTEN_SYSTEMD)
				check_same(&s->listen[i]);
	}
	arena_close(&a);
}

/* ---- as a sockaddr ------------------------------------------------------ */

static void look_at(const uint8_t *data, size_t size)
{
	struct sockaddr_storage *sa = calloc(1, sizeof *sa);
	const size_t len = size < sizeof *sa ? size : sizeof *sa;
	char text[ADDRESS_TEXT_MAX], little[8];
	struct endpoint e;

	if (!sa)
		abort();
	memcpy(sa, data, len);
	e = endpoint_of((const struct sockaddr *)sa, (socklen_t)len);
	assert(e.family == 0 || e.family == AF_INET || e.family == AF_INET6 || e.family == AF_UNIX);
	check_printable(endpoint_format(&e, text, sizeof text), sizeof text);
	check_printable(endpoint_ip(&e, text, sizeof text), sizeof text);
	check_printable(endpoint_format(&e, little, sizeof little), sizeof little);
	free(sa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size < TEXT_MAX ? size : TEXT_MAX);

	load(text);
	look_at(data, size);
	free(text);
	return 0;
}
