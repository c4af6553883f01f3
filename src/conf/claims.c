/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps claims in a balanced tree. Each claim is in four nodes: its address or none, combined
 * with its device or none. Claims that overlap with it are in at most four nodes as well.
 */
#include <config.h>
#include "claims.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum part { PART_ALL, PART_WILD, PART_THIS };   /* whatever it is; one for all; this one */

struct key {
	const struct claim *of;         /* whose address and device it is */
	enum part           address;
	enum part           device;
};

struct claims_node {
	struct key  key;                /* first: a key is compared with nodes */
	struct list members;            /* in the order in which they were added */
	size_t      n;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_addresses(const struct claim *a, const struct claim *b)
{
	int diff = a->address ? address_compare(a->address, b->address) : 0;

	if (!diff)
		diff = compare_texts(a->name, b->name);
	return diff ? diff : compare_numbers(a->number, b->number);
}

static int compare_keys(const void *one, const void *other)
{
	const struct key *a = one, *b = other;
	int diff = compare_numbers(a->of->group, b->of->group);

	if (!diff)
		diff = compare_numbers(a->address, b->address);
	if (!diff)
		diff = compare_numbers(a->device, b->device);
	if (!diff && a->address == PART_THIS)
		diff = compare_addresses(a->of, b->of);
	if (!diff && a->device == PART_THIS)
		diff = compare_texts(a->of->device, b->of->device);
	return diff;
}

static enum part own_address(const struct claim *c)
{
	return c->every ? PART_WILD : PART_THIS;
}

static enum part own_device(const struct claim *c)
{
	return c->device ? PART_THIS : PART_WILD;
}

static uint64_t group_of(enum listen_kind kind, sa_family_t family, in_port_t port)
{
	return (uint64_t)kind << 32 | (uint64_t)family << 16 | port;
}

struct claim claim_of_address(enum listen_kind kind, const struct address *a, const char *device)
{
	return (struct claim){
		.group = group_of(kind, a->u.sa.sa_family, address_port(a)), .address = a,
		.device = device, .every = address_is_wildcard(a),
	};
}

struct claim claim_of_inherited(const char *name)
{
	return (struct claim){ .group = group_of(LISTEN_SYSTEMD, 0, 0), .name = name, .every = !name };
}

/* ---- adding and removing ------------------------------------------------ */

static struct claims_node *find_node(const struct claims *s, const struct key *key)
{
	struct claims_node *const *found = tfind(key, &s->root, compare_keys);

	return found ? *found : NULL;
}

static struct claims_node *node_for(struct claims *s, const struct key *key)
{
	struct claims_node *node = find_node(s, key);

	if (node)
		return node;
	node = calloc(1, sizeof *node);
	if (!node)
		return NULL;
	node->key = *key;
	list_init(&node->members);
	if (tsearch(node, &s->root, compare_keys))
		return node;
	free(node);
	return NULL;
}

int claims_add(struct claims *s, struct claim *c)
{
	const struct key keys[CLAIM_PLACES] = {
		{ c, own_address(c), own_device(c) }, { c, own_address(c), PART_ALL },
		{ c, PART_ALL, own_device(c) }, { c, PART_ALL, PART_ALL },
	};

	memset(c->places, 0, sizeof c->places);
	c->order = s->n_added++;
	for (int i = 0; i < CLAIM_PLACES; i++) {
		struct claims_node *node = node_for(s, &keys[i]);

		if (!node) {
			claims_remove(s, c);
			return -1;
		}
		c->places[i].node = node;
		list_append(&node->members, &c->places[i].in_node);
		node->n++;
	}
	return 0;
}

static struct claim *first_of(const struct claims_node *node, int place)
{
	return container_of(node->members.next, struct claim, places[place].in_node);
}

/* The node may have had its key from the one that goes. */
static void leave_node(struct claims *s, struct claim *c, int place)
{
	struct claims_node *node = c->places[place].node;

	c->places[place].node = NULL;
	if (!node)
		return;
	list_remove(&c->places[place].in_node);
	if (--node->n > 0) {
		node->key.of = first_of(node, place);
		return;
	}
	tdelete(node, &s->root, compare_keys);
	free(node);
}

void claims_remove(struct claims *s, struct claim *c)
{
	for (int i = 0; i < CLAIM_PLACES; i++)
		leave_node(s, c, i);
}

/* ---- asking ------------------------------------------------------------- */

struct search {
	struct claim *first;
	size_t        n;
};

/* In a node, all stand at the same place: the one that its key says. */
static int place_of(const struct key *key)
{
	return (key->address == PART_ALL ? 2 : 0) + (key->device == PART_ALL ? 1 : 0);
}

static void look_at_node(const struct claims *s, const struct key *key, struct search *q)
{
	const struct claims_node *node = find_node(s, key);
	struct claim *first;

	if (!node)
		return;
	first = first_of(node, place_of(key));
	q->n += node->n;
	if (!q->first || first->order < q->first->order)
		q->first = first;
}

static void look_on_devices(const struct claims *s, const struct claim *c, enum part address,
                            struct search *q)
{
	if (!c->device) {
		look_at_node(s, &(struct key){ c, address, PART_ALL }, q);
		return;
	}
	look_at_node(s, &(struct key){ c, address, PART_THIS }, q);
	look_at_node(s, &(struct key){ c, address, PART_WILD }, q);
}

struct claim *claims_find_overlap(const struct claims *s, const struct claim *c, size_t *n)
{
	struct search q = { .n = 0 };

	if (c->every) {
		look_on_devices(s, c, PART_ALL, &q);
	} else {
		look_on_devices(s, c, PART_THIS, &q);
		look_on_devices(s, c, PART_WILD, &q);
	}
	if (n)
		*n = q.n;
	return q.first;
}

struct claim *claims_next_same(const struct claims *s, const struct claim *c, const struct claim *before)
{
	const struct claims_node *node =
		find_node(s, &(struct key){ c, own_address(c), own_device(c) });
	const struct list *next;

	if (!node)
		return NULL;
	next = before ? before->places[0].in_node.next : node->members.next;
	return next == &node->members ? NULL : container_of(next, struct claim, places[0].in_node);
}
