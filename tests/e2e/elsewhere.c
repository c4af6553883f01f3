/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd whose default control socket is where the test says: the real one belongs to
 * the machine. This is linked before the one of the library.
 */
#include <config.h>
#include <stdlib.h>

#include "control_path.h"

const char *control_path_default(void)
{
	const char *path = getenv("TEST_CONTROL_PATH");

	return path ? path : "/nonexistent/control.sock";
}
