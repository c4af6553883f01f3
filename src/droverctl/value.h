/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values in the server's answers. They are not trusted: a value that is missing or of the wrong
 * type is shown as "-", and no control character reaches the terminal.
 */
#ifndef DROVER_DROVERCTL_VALUE_H
#define DROVER_DROVERCTL_VALUE_H

#include <jansson.h>
#include <stddef.h>

#include "text.h"

/* "workers.accepting": a member of a member. "" is the object itself; NULL: there is none. */
const json_t *value_at(const json_t *object, const char *path);

/* The value as a number; NaN if it is none. */
double value_number(const json_t *value);

/* The same for a member. */
double value_number_at(const json_t *object, const char *path);

/* The sum of all numbers in an object; 0 if it is none. */
double value_sum(const json_t *object);

/* Adds the value to t, in the form that people read best. */
void value_put_text(struct text *t, const json_t *value);       /* a string */
void value_put_count(struct text *t, const json_t *value);
void value_put_size(struct text *t, const json_t *value);       /* bytes */
void value_put_age(struct text *t, const json_t *value);        /* seconds */
void value_put_texts(struct text *t, const json_t *value);      /* a list of strings */
void value_put_counts(struct text *t, const json_t *value);     /* an object: "KEY:COUNT, ..." */
void value_put_counts_above_zero(struct text *t, const json_t *value);

#endif
