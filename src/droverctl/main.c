/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main function of droverctl, the operator's tool.
 */
#include <config.h>

#include "tool.h"

int main(int argc, char **argv)
{
	return tool_run(argc, argv);
}
