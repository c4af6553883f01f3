/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alone in its file, so that a test can have programs that meet elsewhere.
 */
#include <config.h>
#include "control_path.h"

const char *control_path_default(void)
{
	return RUNSTATEDIR "/drover/control.sock";
}
