/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values for JSON objects, made from our own types in the same way wherever JSON is written. It
 * does not know what they are for. All return NULL only for lack of memory.
 */
#ifndef DROVER_BASE_JSON_VALUE_H
#define DROVER_BASE_JSON_VALUE_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

/* A string of any bytes: if text is not UTF-8, bytes outside of ASCII are written as \xNN. */
json_t *json_value_text(const char *text);

/* The same; null if text is NULL or empty. */
json_t *json_value_text_or_null(const char *text);

json_t *json_value_count(uint64_t n);

/* Milliseconds, as a number of seconds with a fraction. */
json_t *json_value_seconds(int64_t ms);

/* A string with two hexadecimal digits for each byte. */
json_t *json_value_hex(const void *bytes, size_t len);

/* null if there is no process: pid is 0. */
json_t *json_value_process(pid_t pid);

#endif
