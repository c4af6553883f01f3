/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes the status page of the snapshot on standard input: render NONCE. The first line is the value of
 * Content-Security-Policy, the rest is the document.
 */
#include <config.h>
#include "page.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	json_t *snapshot = json_loadf(stdin, 0, NULL);
	char policy[PAGE_POLICY_MAX], *text;
	size_t len;

	if (argc != 2 || !snapshot || !(text = page_render(snapshot, argv[1], &len)))
		return EXIT_FAILURE;
	printf("%s\n", page_policy(argv[1], policy));
	fwrite(text, 1, len, stdout);
	json_decref(snapshot);
	free(text);
	return ferror(stdout) || fflush(stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
}
