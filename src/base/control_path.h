/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The path of the control socket that droverd and droverctl use if neither configuration nor
 * option names another one.
 */
#ifndef DROVER_BASE_CONTROL_PATH_H
#define DROVER_BASE_CONTROL_PATH_H

/* The default path of the control socket: absolute, lent for good. */
const char *control_path_default(void);

#endif
