/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Collects resource limits, and sets them with setrlimit(2).
 */
#include <config.h>
#include "rlimits.h"

#include <assert.h>

void rlimits_set(struct rlimit_list *l, int resource, rlim_t soft, rlim_t hard)
{
	size_t i = 0;

	while (i < l->n && l->items[i].resource != resource)
		i++;
	assert(i < RLIMITS_MAX);
	if (i == l->n)
		l->n++;
	l->items[i] = (struct rlimit_item){ resource, { soft, hard } };
}

void rlimits_prune(struct rlimit_list *l)
{
	struct rlimit now;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct rlimit_item *item = &l->items[i];

		if (getrlimit((__rlimit_resource_t)item->resource, &now) == -1 ||
		    now.rlim_cur != item->value.rlim_cur || now.rlim_max != item->value.rlim_max)
			l->items[kept++] = *item;
	}
	l->n = kept;
}

int rlimits_apply(const struct rlimit_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (setrlimit((__rlimit_resource_t)l->items[i].resource, &l->items[i].value) == -1)
			return -1;
	return 0;
}

rlim_t rlimits_want_descriptors(rlim_t n)
{
	struct rlimit now, more;

	if (getrlimit(RLIMIT_NOFILE, &now) == -1)
		return 0;
	if (now.rlim_cur >= n)
		return now.rlim_cur;
	more = (struct rlimit){ n, now.rlim_max < n ? n : now.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return n;
	more = (struct rlimit){ now.rlim_max, now.rlim_max };
	return setrlimit(RLIMIT_NOFILE, &more) == 0 ? now.rlim_max : now.rlim_cur;
}
