/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps a peer from sending descriptors over a unix socket. The receiver would have to close
 * them, and a close(2) can take as long as the sender likes: that of a TCP connection with
 * SO_LINGER and bytes that its peer does not read. Leaving no room for descriptors in
 * recvmsg(2) does not help, because the kernel then closes them in the receiver.
 */
#ifndef DROVER_BASE_FD_PASSING_H
#define DROVER_BASE_FD_PASSING_H

/*
 * From now on nothing can be sent to this unix socket; what we send still arrives.
 * This holds for every process that has the socket, and cannot be undone. 0, or -1 with errno.
 */
int fd_passing_shut(int fd);

/*
 * From now on a process that sends descriptors to this unix socket gets EPERM (SO_PASSRIGHTS,
 * Linux 6.16). Sockets that a listening socket accepts inherit this. 0, or -1
 * with errno: ENOPROTOOPT if the kernel is older.
 */
int fd_passing_refuse(int fd);

#endif
