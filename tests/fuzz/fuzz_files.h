/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What fuzz targets share: the entry that libFuzzer calls, and with -DFUZZ_STANDALONE a
 * main() that gives it the files named as arguments, for a compiler without libFuzzer.
 */
#ifndef DROVER_TESTS_FUZZ_FILES_H
#define DROVER_TESTS_FUZZ_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FUZZ_FILE_MAX (4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef FUZZ_STANDALONE
static void run_file(const char *path)
{
	static uint8_t data[FUZZ_FILE_MAX];
	FILE *in = fopen(path, "re");
	size_t size;

	if (!in) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof data, in);
	fclose(in);
	LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return 0;
}
#endif

#endif
