/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Calls setsid(2), and puts /dev/null in place of standard input and output.
 */
#include <config.h>
#include "detach.h"

#include <unistd.h>

#include "standard_fds.h"

int detach_from_terminal(void)
{
	return setsid() == -1 ? -1 : standard_fds_leave_in_out();
}
