/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The smallest program worth serving: a few bytes, and gone. What a connection
 * costs beyond it is the server's. Linked statically, so that no dynamic
 * loader is measured.
 */
#include <unistd.h>

int main(void)
{
	return write(STDOUT_FILENO, "tiny\n", 5) == 5 ? 0 : 1;
}
