/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finds listeners by what they claim: the one that is the same as another, and those that
 * cannot both be bound. Each answer costs a few look-ups in a balanced tree, however
 * many listeners share a port, an address or a device.
 */
#ifndef DROVER_CONF_CLAIMS_H
#define DROVER_CONF_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "list.h"

/* With and without its address, with and without its device. */
#define CLAIM_PLACES 4

struct claims_node;

struct claim {
	/* What is claimed. Lent, and unchanged, for as long as it is among others. */
	uint64_t              group;    /* kind, family and port: others do not matter to it */
	const struct address *address;  /* NULL for LISTEN_SYSTEMD */
	bool                  every;    /* a wildcard address; LISTEN_SYSTEMD: all that were inherited */
	const char           *device;   /* NULL: any */
	const char           *name;     /* what else makes it this one, or NULL: a name, */
	size_t                number;   /* and a number */

	struct {                        /* claims.c's own */
		struct list         in_node;
		struct claims_node *node;       /* NULL: it is not among others */
	}                     places[CLAIM_PLACES];
	uint64_t              order;            /* in which it was added */
};

/* All zero: none. */
struct claims {
	void    *root;                  /* tsearch(3), of nodes */
	uint64_t n_added;
};

/* What listening at a, on device or NULL, claims by the kernel's rules. */
struct claim claim_of_address(enum listen_kind kind, const struct address *a, const char *device);

/* An inherited socket by its name; NULL: all of them. */
struct claim claim_of_inherited(const char *name);

/* Adds c, all of which but what is claimed is overwritten. 0, or -1 with errno ENOMEM. */
int claims_add(struct claims *s, struct claim *c);

/* Without effect for one that is not among them; all zero is such a one. */
void claims_remove(struct claims *s, struct claim *c);

/*
 * The one added first that cannot be bound beside c: the same address (the same name
 * and number) or one of both for all addresses, and the same device or one of both for
 * any. NULL: there is none. *n, unless NULL, is how many there are.
 */
struct claim *claims_find_overlap(const struct claims *s, const struct claim *c, size_t *n);

/* The ones that are the same as c in all that is claimed: after the one before, NULL at first. */
struct claim *claims_next_same(const struct claims *s, const struct claim *c, const struct claim *before);

#endif
