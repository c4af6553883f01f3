/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The target of the load: makes a socket address from the argument ADDRESS. It asks the name
 * service.
 */
#ifndef DROVER_BENCH_TARGET_H
#define DROVER_BENCH_TARGET_H

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
