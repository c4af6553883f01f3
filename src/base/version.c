/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alone in its file, so that a test can have a program of another version.
 */
#include <config.h>
#include "version.h"

const char version_string[] = PACKAGE_VERSION;
