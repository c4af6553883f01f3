/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts words with a token bucket, and each kind of word since the bucket was last full.
 */
#include <config.h>
#include "word_meter.h"

#include <inttypes.h>

#include "bucket.h"
#include "text.h"

#define MS_NS INT64_C(1000000)

bool word_meter_count(struct word_meter *m, enum leash_word word, int64_t now_ms)
{
	static const struct bucket bucket = { .rate = WORD_METER_RATE, .burst = WORD_METER_BURST };
	const int64_t paid_ns = bucket_after(&bucket, m->paid_ns, 1, now_ms);

	if (m->paid_ns <= now_ms * MS_NS)
		*m = (struct word_meter){ .since_ms = now_ms };
	m->n[(unsigned)word < LEASH_WORDS ? word : LEASH_WORDS]++;
	if (paid_ns == -1)
		return false;
	m->paid_ns = paid_ns;
	return true;
}

void word_meter_describe(const struct word_meter *m, int64_t now_ms, char text[static WORD_METER_TEXT])
{
	const int64_t ms = now_ms - m->since_ms;
	struct text t = text_in(text, WORD_METER_TEXT);
	const char *between = "";
	uint64_t sum = 0;

	for (int i = 0; i <= LEASH_WORDS; i++)
		sum += m->n[i];
	text_add(&t, "%" PRIu64 " words over the leash in %" PRId64 ".%03d s (", sum, ms / 1000,
	         (int)(ms % 1000));
	for (int i = 0; i <= LEASH_WORDS; i++)
		if (m->n[i] > 0) {
			text_add(&t, "%s%s %" PRIu64, between, leash_word_name((enum leash_word)i), m->n[i]);
			between = ", ";
		}
	text_add(&t, ")");
}
