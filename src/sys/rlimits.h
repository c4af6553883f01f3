/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list of resource limits (setrlimit(2)), which is applied in one call.
 */
#ifndef DROVER_SYS_RLIMITS_H
#define DROVER_SYS_RLIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

struct rlimit_item {
	int           resource;         /* RLIMIT_... */
	struct rlimit value;
};

#define RLIMITS_MAX 8

struct rlimit_list {
	struct rlimit_item items[RLIMITS_MAX];
	size_t       n;
};

/* Adds a limit, or changes the value of one that is there. */
void rlimits_set(struct rlimit_list *l, int resource, rlim_t soft, rlim_t hard);

/* Removes limits that this process has already: its children inherit them anyway. */
void rlimits_prune(struct rlimit_list *l);

/* 0, or -1 with errno. Async-signal-safe. */
int rlimits_apply(const struct rlimit_list *l);

/*
 * Raises the soft limit of descriptors to at least n, and the hard one if that is
 * necessary and allowed. Returns the soft limit that then holds.
 */
rlim_t rlimits_want_descriptors(rlim_t n);

#endif
