/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Descriptors that come over a unix socket unasked. Whoever receives them has
 * to close them, and a close(2) takes as long as the sender likes: that of a TCP
 * connection with SO_LINGER and bytes that nobody takes. To leave no room for them
 * in recvmsg(2) is no way out, since the kernel then closes them in the receiver.
 */
#ifndef DROVER_BASE_FD_PASSING_H
#define DROVER_BASE_FD_PASSING_H

/*
 * From now on nothing can be sent to this unix socket; what we send still goes.
 * It holds for every process that has it, and nobody can undo it. 0, or -1 with errno.
 */
int fd_passing_shut(int fd);

/*
 * From now on who sends descriptors to this unix socket gets EPERM (SO_PASSRIGHTS,
 * Linux 6.16). Of a socket that listens, those that it accepts inherit it. 0, or -1
 * with errno: ENOPROTOOPT if the kernel is older.
 */
int fd_passing_refuse(int fd);

#endif
