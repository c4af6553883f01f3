/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * It is alone in its file, so that a test can link a program of another version.
 */
#include <config.h>
#include "version.h"

const char version_string[] = PACKAGE_VERSION;
