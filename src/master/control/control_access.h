/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Decides what a client of the control socket may do, by the credentials that its process had when
 * it connected, which the kernel tells.
 */
#ifndef DROVER_MASTER_CONTROL_CONTROL_ACCESS_H
#define DROVER_MASTER_CONTROL_CONTROL_ACCESS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

enum control_access {
	CONTROL_NOTHING,
	CONTROL_LOOK,
	CONTROL_CHANGE,         /* and look */
};

struct control_rule {                   /* (gid_t)-1: no group */
	gid_t group;            /* may look */
	gid_t admin_group;      /* may change things */
};

/* Of the peer of a connected unix socket; its credentials go to *peer. An unknown peer may do nothing. */
enum control_access control_access_of(int fd, const struct control_rule *rule,
                                      struct ucred *peer);

/* The judgement alone: self is our effective user, groups the supplementary ones of the peer. */
enum control_access control_access_judge(const struct ucred *peer, const gid_t *groups, size_t n,
                                         uid_t self, const struct control_rule *rule);

#endif
