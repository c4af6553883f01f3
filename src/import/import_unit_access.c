/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In systemd, what is allowed wins, however long its prefix is; and without IPAddressDeny, all clients are
 * admitted.
 */
#include <config.h>
#include "import_unit_access.h"

#include <string.h>

#include "import_access.h"
#include "import_input.h"

#define SECTION "Socket"

/* What a name stands for; two prefixes each. */
static const struct {
	const char *name, *ipv4, *ipv6;
} names[] = {
	{ "any", "0.0.0.0/0", "::/0" },
	{ "localhost", "127.0.0.0/8", "::1" },
	{ "link-local", "169.254.0.0/16", "fe80::/64" },
	{ "multicast", "224.0.0.0/4", "ff00::/8" },
};

static bool add(struct import *im, struct import_service *svc, enum import_verdict verdict, const char *text)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i].name) == 0)
			return import_access_add(im, svc, verdict, names[i].ipv4) &&
			       import_access_add(im, svc, verdict, names[i].ipv6);
	return import_access_add(im, svc, verdict, text);
}

static void add_all_of(struct import *im, struct import_service *svc, const struct import_unit *u,
                       const char *name, enum import_verdict verdict)
{
	const struct import_unit_setting *s = NULL;

	while ((s = import_unit_next(u, SECTION, name, s))) {
		const struct import_words w = import_input_split(im, s->value);

		for (size_t i = 0; i < w.n; i++)
			if (!add(im, svc, verdict, w.v[i]))
				import_access_lose(im, svc, s->place, verdict, w.v[i],
				                   "it is not an address");
	}
}

/* Where drover admits a client by the longest prefix. */
static void set_order(struct import *im, struct import_service *svc)
{
	struct import_access *a = &svc->access;

	for (size_t i = 0; i < a->allow.n; i++)
		import_words_remove(&a->deny, a->allow.v[i]);
	a->restricts = import_words_have(&a->deny, "0.0.0.0/0");
	if (a->restricts && a->allow.n > 0) {
		a->deny = (struct import_words){ 0 };
	} else if (!a->restricts && a->allow.n > 0) {
		import_access_add_all(im, svc, IMPORT_ALLOW);
		for (size_t i = 0; i < a->deny.n; i++)
			import_words_remove(&a->allow, a->deny.v[i]);
	}
}

static const char *const filters[] = { "IPIngressFilterPath", "RestrictNetworkInterfaces" };

/* They may refuse clients, and have no counterpart. */
static void lose_filters(struct import *im, struct import_service *svc, const struct import_unit *u)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		const struct import_unit_setting *s = import_unit_last(u, SECTION, filters[i]);

		if (s)
			import_access_lose(im, svc, s->place, IMPORT_DENY,
			                   import_printf(im, "%s=%s", s->name, s->value),
			                   "drover knows clients by address alone");
	}
}

void import_unit_access(struct import *im, struct import_service *svc, const struct import_unit *u)
{
	lose_filters(im, svc, u);
	if (!import_unit_next(u, SECTION, "IPAddressDeny", NULL))
		return;
	add_all_of(im, svc, u, "IPAddressAllow", IMPORT_ALLOW);
	add_all_of(im, svc, u, "IPAddressDeny", IMPORT_DENY);
	set_order(im, svc);
}

bool import_unit_access_is_known(const char *name)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (strcmp(name, filters[i]) == 0)
			return true;
	return strcmp(name, "IPAddressAllow") == 0 || strcmp(name, "IPAddressDeny") == 0;
}
