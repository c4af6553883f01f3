/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A few services in an array: they are looked up one after the other.
 */
#include <config.h>
#include "agent_average.h"

#include <stdlib.h>
#include <string.h>

static struct agent_series *find_series(const struct agent_average *a, const char *service)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->all[i].service, service) == 0)
			return &a->all[i];
	return NULL;
}

static struct agent_series *add_series(struct agent_average *a, const char *service)
{
	struct agent_series *more = reallocarray(a->all, a->n + 1, sizeof *more);
	char *copy = strdup(service);

	if (more)
		a->all = more;
	if (!more || !copy) {
		free(copy);
		return NULL;
	}
	a->all[a->n] = (struct agent_series){ .service = copy };
	return &a->all[a->n++];
}

int agent_average_add(struct agent_average *a, const char *service, int share)
{
	struct agent_series *s = find_series(a, service);
	int sum = 0;

	if (!s)
		s = add_series(a, service);
	if (!s)
		return share;
	s->shares[s->next] = share;
	s->next = (s->next + 1) % AGENT_AVERAGE_OVER;
	s->n += s->n < AGENT_AVERAGE_OVER;
	for (int i = 0; i < s->n; i++)
		sum += s->shares[i];
	return (sum + s->n - 1) / s->n;
}

static void remove_series(struct agent_average *a, struct agent_series *s)
{
	free(s->service);
	*s = a->all[--a->n];
}

void agent_average_forget(struct agent_average *a, const char *service)
{
	struct agent_series *s = find_series(a, service);

	if (s)
		remove_series(a, s);
}

void agent_average_prune(struct agent_average *a, bool (*is_known)(const void *arg, const char *service),
                         const void *arg)
{
	for (size_t i = a->n; i > 0; i--)
		if (!is_known(arg, a->all[i - 1].service))
			remove_series(a, &a->all[i - 1]);
}

void agent_average_free(struct agent_average *a)
{
	while (a->n > 0)
		remove_series(a, &a->all[a->n - 1]);
	free(a->all);
	a->all = NULL;
}
