/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * droverctl top: live on a terminal, plain lines elsewhere.
 */
#ifndef DROVER_DROVERCTL_TOP_H
#define DROVER_DROVERCTL_TOP_H

#include "arguments.h"

/* Returns the exit status; what went wrong has been printed. */
int top_run(const struct arguments *a);

#endif
