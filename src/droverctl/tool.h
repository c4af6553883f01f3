/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs droverctl, from the command line to the exit status.
 */
#ifndef DROVER_DROVERCTL_TOOL_H
#define DROVER_DROVERCTL_TOOL_H

int tool_run(int argc, char **argv);

#endif
