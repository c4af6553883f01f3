/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An address to connect to, made from an argument of a command. It asks the name service: it is
 * for programs that may wait, and not for the daemon.
 */
#ifndef DROVER_SYS_TARGET_H
#define DROVER_SYS_TARGET_H

#include "address.h"

#define TARGET_COMPLAINT_MAX 400

enum target_outcome {
	TARGET_FOUND,
	TARGET_WRONG,                   /* the text is not an address */
	TARGET_UNKNOWN,                 /* there is no such host */
};

/*
 * HOST:PORT, [IPV6]:PORT, unix:/PATH, unix:@NAME. A name with several addresses
 * is tried, and the first that answers is taken. What is wrong is written to
 * complaint.
 */
enum target_outcome target_find(const char *text, struct address *to,
                                char complaint[static TARGET_COMPLAINT_MAX]);

#endif
