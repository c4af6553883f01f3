/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes listeners in the order of their places, and compares each with those before it. There
 * is one complaint for a listener, even if it overlaps with many.
 */
#include <config.h>
#include "conf_overlap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "list.h"

struct wish {
	struct claim               claim;
	const struct conf_listen  *listen;
	const char                *owner;       /* the name of a service; or "metrics", "agent" */
	bool                       service;
};

/* The kernel chooses a free port: that overlaps with nothing. */
static bool can_overlap(const struct conf_listen *l)
{
	return l->kind != LISTEN_INET || address_port(&l->address) != 0;
}

static struct claim claim_of(const struct conf_listen *l)
{
	if (l->kind != LISTEN_SYSTEMD)
		return claim_of_address(l->kind, &l->address, l->device);
	return claim_of_inherited(l->systemd_name);
}

static int by_place(const void *one, const void *other)
{
	const struct conf_listen *a = ((const struct wish *)one)->listen;
	const struct conf_listen *b = ((const struct wish *)other)->listen;
	int diff = strcmp(a->place.file, b->place.file);

	if (!diff)
		diff = a->place.line - b->place.line;
	return diff ? diff : (a > b) - (a < b);
}

/* n: how many before it there are. */
static void complain_of_overlap(struct conf_loader *ld, const struct wish *first, const struct wish *then,
                                size_t n)
{
	const bool same = strcmp(first->listen->text, then->listen->text) == 0;
	char others[64] = "";

	if (n > 1)
		snprintf(others, sizeof others, " and %zu more before it", n - 1);
	conf_errors_at(&ld->errors, then->listen->place,
	               "%s%s.listen \"%s\" %s \"%s\" of %s%s (%s:%d)%s",
	               then->service ? "services." : "", then->owner, then->listen->text,
	               same ? "is listened on already:" : "overlaps with",
	               first->listen->text, first->service ? "service " : "", first->owner,
	               first->listen->place.file, first->listen->place.line, others);
}

/* Adds the n listeners of owner to *end. */
static void add_wishes(struct wish **end, const struct conf_listen *listen, size_t n, const char *owner,
                       bool service)
{
	for (size_t i = 0; i < n; i++)
		*(*end)++ = (struct wish){ .listen = &listen[i], .owner = owner, .service = service };
}

static struct wish *collect_listeners(const struct conf *conf, size_t *n)
{
	const struct conf_outlet *const metrics = &conf->metrics.outlet, *const agent = &conf->agent.outlet;
	struct wish *wishes, *end;

	*n = metrics->n_listen + agent->n_listen;
	for (size_t i = 0; i < conf->n_services; i++)
		*n += conf->services[i]->n_listen;
	wishes = end = calloc(*n + 1, sizeof *wishes);
	if (!wishes)
		abort();
	add_wishes(&end, metrics->listen, metrics->n_listen, "metrics", false);
	add_wishes(&end, agent->listen, agent->n_listen, "agent", false);
	for (size_t i = 0; i < conf->n_services; i++)
		add_wishes(&end, conf->services[i]->listen, conf->services[i]->n_listen,
		           conf->services[i]->name, true);
	return wishes;
}

/* Adds w to those that are there, or complains of it. */
static void judge_listener(struct conf_loader *ld, struct claims *claims, struct wish *w)
{
	const struct claim *first;
	size_t n;

	w->claim = claim_of(w->listen);
	first = claims_find_overlap(claims, &w->claim, &n);
	if (first)
		complain_of_overlap(ld, container_of(first, struct wish, claim), w, n);
	if (claims_add(claims, &w->claim) == -1)
		abort();
}

void conf_overlap_check(struct conf_loader *ld)
{
	struct claims claims = { .root = NULL };
	size_t n;
	struct wish *wishes = collect_listeners(ld->conf, &n);

	qsort(wishes, n, sizeof *wishes, by_place);
	for (size_t i = 0; i < n; i++)
		if (can_overlap(wishes[i].listen))
			judge_listener(ld, &claims, &wishes[i]);
	for (size_t i = 0; i < n; i++)
		claims_remove(&claims, &wishes[i].claim);
	free(wishes);
}
