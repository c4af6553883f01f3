/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Doubly linked lists whose links lie inside their members. A list is a link
 * that stands for no member; a member that is in no list links to itself.
 */
#ifndef DROVER_BASE_LIST_H
#define DROVER_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* Visits each member; the current one may be removed and freed meanwhile. */
#define list_each(l, var, type, member) \
	for (struct list *it_ = (l)->next, *next_ = it_->next; \
	     it_ != (l) && ((var) = container_of(it_, type, member), true); \
	     it_ = next_, next_ = next_->next)

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *l, struct list *item)
{
	item->prev = l->prev;
	item->next = l;
	l->prev->next = item;
	l->prev = item;
}

/* Removing what is in no list does nothing. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#endif
