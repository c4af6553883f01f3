/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fuzz target is a function that takes any bytes, and returns if the code that it tests does
 * with them what its header says. If not, an assertion or a sanitizer ends the process. libFuzzer
 * makes up the bytes (make fuzz); replay.c takes them from files (make check).
 */
#ifndef DROVER_TESTS_FUZZ_H
#define DROVER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0. The bytes are lent for the call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
