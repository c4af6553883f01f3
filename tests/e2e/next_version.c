/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd of another version: this is linked before the one of the library.
 */
#include <config.h>
#include "version.h"

const char version_string[] = "9.9.9";
