/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Converts enumerators, bytes and addresses to text, and histograms to lists, and back.
 */
#include <config.h>
#include "handover_words.h"

#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "conf.h"
#include "log_pipes.h"
#include "secret.h"
#include "text.h"

#define WORDS(list) { list, sizeof list / sizeof *(list) }

static const char *const states[] = {
	[CHILD_STARTING] = "starting", [CHILD_ACCEPTING] = "accepting",
	[CHILD_DRAINING] = "draining", [CHILD_STOPPING] = "stopping",
	[CHILD_HANGING] = "hanging",
};
static const char *const kinds[] = {
	[LISTEN_INET] = "inet", [LISTEN_UNIX] = "unix", [LISTEN_SYSTEMD] = "systemd",
};
static const char *const targets[] = {
	[LOG_TARGET_NONE] = "none", [LOG_TARGET_STDERR] = "stderr", [LOG_TARGET_SYSLOG] = "syslog",
	[LOG_TARGET_JOURNAL] = "journal", [LOG_TARGET_FILE] = "file",
};
/* Workers have their template; lines about dropped ones, which the master writes, are like text. */
static const char *const formats[] = {
	[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", [LOG_FORMAT_TEMPLATE] = "text",
};
static const char *const levels[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
static const char *const pipes[] = {
	[LOG_PIPE_LOG] = "log", [LOG_PIPE_ACCESS_LOG] = "access_log", [LOG_PIPE_STDERR] = "stderr",
};

const struct handover_words handover_states = WORDS(states);
const struct handover_words handover_kinds = WORDS(kinds);
const struct handover_words handover_targets = WORDS(targets);
const struct handover_words handover_formats = WORDS(formats);
const struct handover_words handover_levels = WORDS(levels);
const struct handover_words handover_pipes = WORDS(pipes);

int handover_word(const struct handover_words *w, const char *name)
{
	for (int i = 0; i < w->n; i++)
		if (w->names[i] && strcmp(w->names[i], name) == 0)
			return i;
	return -1;
}

void handover_words_wipe(void)
{
	json_set_alloc_funcs(malloc, secret_free);
}

/* ---- bytes -------------------------------------------------------------- */

json_t *handover_put_bytes(const char *bytes)
{
	char *utf8, *p;
	json_t *j;

	if (!bytes)
		return json_null();
	p = utf8 = malloc(2 * strlen(bytes) + 1);
	if (!utf8)
		return NULL;
	for (const unsigned char *b = (const unsigned char *)bytes; *b; b++) {
		if (*b >= 0x80)
			*p++ = (char)(0xc0 | *b >> 6);
		*p++ = (char)(*b < 0x80 ? *b : 0x80 | (*b & 0x3f));
	}
	*p = '\0';
	j = json_string(utf8);
	secret_free(utf8);
	return j;
}

bool handover_get_bytes(struct arena *a, const json_t *j, const char **bytes)
{
	const unsigned char *from = (const unsigned char *)json_string_value(j);
	char *to;

	*bytes = NULL;
	if (json_is_null(j))
		return true;
	to = from ? arena_alloc(a, json_string_length(j) + 1) : NULL;
	if (!to)
		return false;
	for (*bytes = to; *from; from++) {
		if (*from > 0xc3)
			return false;   /* beyond U+00FF */
		if (*from >= 0xc2) {
			*to++ = (char)((*from & 3) << 6 | (from[1] & 0x3f));
			from++;
		} else {
			*to++ = (char)*from;
		}
	}
	*to = '\0';
	return true;
}

/* ---- addresses ---------------------------------------------------------- */

json_t *handover_put_address(const struct address *a)
{
	char digits[2 * sizeof a->u + 1];
	struct text t = text_in(digits, sizeof digits);

	text_add_hex(&t, &a->u, a->len);
	return json_string(digits);
}

bool handover_get_address(const json_t *j, struct address *a)
{
	const char *digits = json_string_value(j);
	const size_t len = json_string_length(j);
	unsigned char *bytes = (unsigned char *)&a->u;

	*a = (struct address){ .len = (socklen_t)(len / 2) };
	if (!digits || len % 2 != 0 || len > 2 * sizeof a->u ||
	    strspn(digits, "0123456789abcdef") != len)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		const char pair[] = { digits[2 * i], digits[2 * i + 1], '\0' };

		bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return len == 0 || len / 2 >= sizeof a->u.sa.sa_family;
}

/* ---- histograms --------------------------------------------------------- */

json_t *handover_put_histogram(const struct histogram *h)
{
	json_t *list = json_array();

	json_array_append_new(list, json_integer((json_int_t)h->sum_ms));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		json_array_append_new(list, json_integer((json_int_t)h->buckets[i]));
	return list;
}

bool handover_get_histogram(const json_t *j, struct histogram *h)
{
	const json_t *item;
	size_t i;

	*h = (struct histogram){ .sum_ms = 0 };
	json_array_foreach(j, i, item)
		if (!json_is_integer(item))
			return false;
	if (json_array_size(j) != 1 + HISTOGRAM_BUCKETS)
		return json_is_array(j);
	h->sum_ms = (uint64_t)json_integer_value(json_array_get(j, 0));
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] = (uint64_t)json_integer_value(json_array_get(j, 1 + i));
	return true;
}
