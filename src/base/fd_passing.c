/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each function is one system call on a unix socket.
 */
#include <config.h>
#include "fd_passing.h"

#include <errno.h>
#include <sys/socket.h>

/* asm-generic/socket.h of Linux 6.16; sparc and hppa have other numbers. */
#if !defined SO_PASSRIGHTS && !defined __sparc__ && !defined __hppa__
#define SO_PASSRIGHTS 83
#endif

int fd_passing_shut(int fd)
{
	return shutdown(fd, SHUT_RD);
}

int fd_passing_refuse(int fd)
{
#ifdef SO_PASSRIGHTS
	return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){ 0 }, sizeof(int));
#else
	(void)fd;
	errno = ENOPROTOOPT;
	return -1;
#endif
}
