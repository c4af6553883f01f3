/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * drover-import from the command line to the exit status.
 */
#ifndef DROVER_IMPORT_IMPORT_TOOL_H
#define DROVER_IMPORT_IMPORT_TOOL_H

/* Writes to standard output and standard error. Returns the exit status: drover-import(1). */
int import_tool_run(int argc, char **argv);

#endif
