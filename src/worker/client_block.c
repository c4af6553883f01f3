/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks up clients. While no source is blocked, that is one load.
 */
#include <config.h>
#include "client_block.h"

#include <sys/socket.h>

#include "worker.h"

uid_t client_block_user(int fd)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof peer;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	return peer.uid;
}

bool client_block_check(const struct worker *w, int fd, const struct endpoint *client)
{
	struct blocks *const b = w->start.blocks;
	uid_t user;

	if (!b || blocks_is_empty(b))
		return false;
	user = client->family == AF_UNIX ? client_block_user(fd) : 0;
	return blocks_refuse(b, client, user, w->loop.now_ms);
}
