/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The version of drover that this program belongs to, as configure.ac has it.
 */
#ifndef DROVER_BASE_VERSION_H
#define DROVER_BASE_VERSION_H

extern const char version_string[];     /* "1.2.3" */

#endif
