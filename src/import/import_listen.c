/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Builds addresses of listeners.
 */
#include <config.h>
#include "import_listen.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

const char *import_listen_port(struct import *im, const char *text)
{
	const struct servent *service;

	if (*text && strspn(text, "0123456789") == strlen(text))
		return text;
	service = getservbyname(text, "tcp");
	return service ? import_printf(im, "%u", ntohs((uint16_t)service->s_port)) : text;
}

struct import_listen *import_listen_add(struct import *im, struct import_service *svc,
                                        struct import_place place, const char *address)
{
	struct import_listen *l = &svc->listen[svc->n_listen];

	if (svc->n_listen == IMPORT_LISTEN_MAX) {
		import_lose(im, svc, place, "it does not listen at %s: a service has at most %d listeners"
		            " here (write another service)", address, IMPORT_LISTEN_MAX);
		return NULL;
	}
	*l = (struct import_listen){ .address = address };
	svc->n_listen++;
	return l;
}

struct import_listen *import_listen_add_host(struct import *im, struct import_service *svc,
                                             struct import_place place, const char *host, const char *port)
{
	const bool bare_ipv6 = strchr(host, ':') && *host != '[';

	return import_listen_add(im, svc, place, import_printf(im, "%s%s%s:%s", bare_ipv6 ? "[" : "", host,
	                                                       bare_ipv6 ? "]" : "",
	                                                       import_listen_port(im, port)));
}
