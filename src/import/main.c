/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main function of drover-import, which translates the configurations of other superservers.
 */
#include <config.h>

#include "import_tool.h"

int main(int argc, char **argv)
{
	return import_tool_run(argc, argv);
}
