/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holds the version in a file of its own, so that a test can link a program of another version.
 */
#include <config.h>
#include "version.h"

const char version_string[] = PACKAGE_VERSION;
