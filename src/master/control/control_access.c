/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the kernel for the peer's credentials: SO_PEERCRED and SO_PEERGROUPS, unix(7).
 */
#include <config.h>
#include "control_access.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define FEW_GROUPS 64

static bool is_member(const struct ucred *peer, const gid_t *groups, size_t n, gid_t gid)
{
	bool found = peer->gid == gid;

	for (size_t i = 0; !found && i < n; i++)
		found = groups[i] == gid;
	return found && gid != (gid_t)-1;
}

enum control_access control_access_judge(const struct ucred *peer, const gid_t *groups, size_t n,
                                         uid_t self, const struct control_rule *rule)
{
	if (peer->uid == (uid_t)-1)
		return CONTROL_NOTHING;
	if (peer->uid == 0 || peer->uid == self ||
	    is_member(peer, groups, n, rule->admin_group))
		return CONTROL_CHANGE;
	return is_member(peer, groups, n, rule->group) ? CONTROL_LOOK : CONTROL_NOTHING;
}

/* The groups of the peer, *n of them: in few, or in allocated memory if that is too small. */
static gid_t *peer_groups(int fd, gid_t few[FEW_GROUPS], size_t *n)
{
	socklen_t len = FEW_GROUPS * sizeof *few;
	gid_t *groups = few;
	int result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);

	*n = 0;
	if (result == -1 && errno == ERANGE) {  /* len says what is needed; a peer's groups never change */
		groups = malloc(len);
		if (!groups)
			return few;
		result = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len);
	}
	if (result == 0)
		*n = len / sizeof *groups;
	return groups;
}

enum control_access control_access_of(int fd, const struct control_rule *rule,
                                      struct ucred *peer)
{
	socklen_t len = sizeof *peer;
	gid_t few[FEW_GROUPS], *groups;
	enum control_access access;
	size_t n;

	*peer = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) == -1)
		return CONTROL_NOTHING;
	groups = peer_groups(fd, few, &n);
	access = control_access_judge(peer, groups, n, geteuid(), rule);
	if (groups != few)
		free(groups);
	return access;
}
