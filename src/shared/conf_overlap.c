/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compares listeners by the kernel's rules for sockets without SO_REUSEPORT.
 */
#include <config.h>
#include "conf_overlap.h"

#include <stdlib.h>
#include <string.h>

struct claim {
	const struct conf_listen  *listen;
	const struct conf_service *service;
};

/* An inherited socket without a name claims all of them. */
static bool same_inherited(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

static bool overlaps(const struct conf_listen *a, const struct conf_listen *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case LISTEN_SYSTEMD:
		return same_inherited(a->systemd_name, b->systemd_name);
	case LISTEN_UNIX:
		return address_equal(&a->address, &b->address);
	case LISTEN_INET:
		break;
	}
	return address_overlaps(&a->address, a->device, &b->address, b->device);
}

/* By port first: only neighbours need a closer look. */
static int compare(const void *one, const void *other)
{
	const struct claim *a = one, *b = other;
	const int port_a = address_port(&a->listen->address);
	const int port_b = address_port(&b->listen->address);
	int diff = port_a - port_b;

	if (!diff)
		diff = strcmp(a->listen->place.file, b->listen->place.file);
	if (!diff)
		diff = a->listen->place.line - b->listen->place.line;
	if (!diff)
		diff = (a->listen > b->listen) - (a->listen < b->listen);
	return diff;
}

static void complain(struct conf_loader *ld, const struct claim *first, const struct claim *then)
{
	const bool same = strcmp(first->listen->text, then->listen->text) == 0;

	conf_report_at(&ld->report, then->listen->place,
	               "services.%s.listen \"%s\" %s \"%s\" of service %s (%s:%d)",
	               then->service->name, then->listen->text,
	               same ? "is listened on already:" : "overlaps with",
	               first->listen->text, first->service->name,
	               first->listen->place.file, first->listen->place.line);
}

static struct claim *collect(const struct conf *conf, size_t *n)
{
	struct claim *claims;

	*n = 0;
	for (size_t i = 0; i < conf->n_services; i++)
		*n += conf->services[i]->n_listen;
	claims = calloc(*n + 1, sizeof *claims);
	if (!claims)
		abort();
	*n = 0;
	for (size_t i = 0; i < conf->n_services; i++)
		for (size_t j = 0; j < conf->services[i]->n_listen; j++)
			claims[(*n)++] = (struct claim){
				&conf->services[i]->listen[j], conf->services[i],
			};
	return claims;
}

void conf_overlap_check(struct conf_loader *ld)
{
	size_t n;
	struct claim *claims = collect(ld->conf, &n);

	qsort(claims, n, sizeof *claims, compare);
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			if (address_port(&claims[i].listen->address) !=
			    address_port(&claims[j].listen->address))
				break;
			if (overlaps(claims[i].listen, claims[j].listen))
				complain(ld, &claims[i], &claims[j]);
		}
	free(claims);
}
