/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words for reasons of refusals.
 */
#include <config.h>
#include "refusals.h"

static const struct {
	const char *name, *how, *words;
} kinds[REFUSAL_KINDS] = {
#define X(NAME, name, how, words) [REFUSAL_##NAME] = { #name, "refused-" how, words },
	REFUSALS(X)
#undef X
};

const char *refusal_name(enum refusal why)
{
	return kinds[why].name;
}

const char *refusal_how(enum refusal why)
{
	return kinds[why].how;
}

const char *refusal_words(enum refusal why)
{
	return kinds[why].words;
}
