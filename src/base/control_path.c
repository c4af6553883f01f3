/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holds the default path in a file of its own, so that a test can link programs with another default.
 */
#include <config.h>
#include "control_path.h"

const char *control_path_default(void)
{
	return RUNSTATEDIR "/drover/control.sock";
}
