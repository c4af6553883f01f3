/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rule is "ADDRESS:allow" or "ADDRESS:deny", with variables behind it. The most specific address wins,
 * as in drover; clients that no rule has are admitted, unless the rule without an address denies them.
 */
#include <config.h>
#include "import_tcprules.h"

#include <stdlib.h>
#include <string.h>

#include "import_access.h"
#include "import_input.h"
#include "import_read.h"

struct rules {
	struct import         *im;
	struct import_service *svc;
	struct import_place    place;
	bool                   others_denied;   /* what the rule without an address says */
};

/* Adds the numbers from..to of the last part behind "1.2.3." as prefixes, as few as there can be. */
static bool add_range(struct rules *r, enum import_verdict verdict, const char *before, int parts, int from,
                      int to)
{
	static const char *const zeros[] = { ".0.0.0", ".0.0", ".0", "" };
	bool ok = from <= to && to <= 255 && parts <= 4;

	for (int size; ok && from <= to; from += size) {
		int bits = 8 * parts;

		for (size = 1; size < 256 && from % (2 * size) == 0 && from + 2 * size - 1 <= to; size *= 2)
			bits--;
		ok = import_access_add(r->im, r->svc, verdict,
		                       bits == 32 ? import_printf(r->im, "%s%d", before, from) :
		                       import_printf(r->im, "%s%d%s/%d", before, from, zeros[parts - 1],
		                                     bits));
	}
	return ok;
}

/* "1.2.3.4", "1.2.", "1.2.3.37-53", "1.2.3-5.", an IPv6 address or prefix. */
static bool add_address(struct rules *r, enum import_verdict verdict, const char *text)
{
	const size_t len = strlen(text);
	const char *last = text, *dot;
	char *end;
	int parts = 1;
	long from, to;

	if (strspn(text, "0123456789.-") != len || !strchr(text, '.'))
		return import_access_add(r->im, r->svc, verdict, text);
	for (dot = strchr(text, '.'); dot && dot[1]; dot = strchr(dot + 1, '.')) {
		parts++;
		last = dot + 1;
	}
	from = to = strtol(last, &end, 10);
	if (*end == '-')
		to = strtol(end + 1, &end, 10);
	if (*end == '.' && parts < 4)
		end++;
	else if (parts < 4)
		return false;
	return end == text + len && from >= 0 && from <= to && to <= 255 &&
	       add_range(r, verdict, import_strndup(r->im, text, (size_t)(last - text)), parts, (int)from,
	                 (int)to);
}

static void take_rule(struct rules *r, const char *address, enum import_verdict verdict)
{
	if (*address == '\0')
		r->others_denied = verdict == IMPORT_DENY;
	else if (strchr(address, '@'))
		import_access_lose(r->im, r->svc, r->place, verdict, address, "drover asks no ident"
		                   " server");
	else if (*address == '=')
		import_access_lose(r->im, r->svc, r->place, verdict, address, "drover knows clients by"
		                   " address, and looks up no names");
	else if (!add_address(r, verdict, address))
		import_access_lose(r->im, r->svc, r->place, verdict, address, "it is not an address");
}

static void take_line(struct rules *r, const char *line)
{
	/* An IPv6 address has colons itself. */
	const char *allow = strstr(line, ":allow"), *deny = strstr(line, ":deny");
	const char *colon = allow && (!deny || allow < deny) ? allow : deny, *variables;

	if (*line == '#' || *line == '\0')
		return;
	if (!colon) {
		import_break(r->im, r->place, "\"%s\" is not a rule (ADDRESS:allow or ADDRESS:deny)", line);
		r->svc->access.lost_deny = true;        /* it may have been one that refused clients */
		return;
	}
	take_rule(r, import_strndup(r->im, line, (size_t)(colon - line)),
	          colon == allow ? IMPORT_ALLOW : IMPORT_DENY);
	variables = strchr(colon, ',');
	if (variables)
		import_lose(r->im, r->svc, r->place, "%s: variables for the clients of a rule have no"
		            " counterpart (let the program look at TCPREMOTEIP)", variables + 1);
}

/* In drover, clients without a prefix are refused as soon as any is allowed. */
static void finish(struct rules *r)
{
	struct import_access *a = &r->svc->access;

	if (r->others_denied)
		a->restricts = true;
	else if (a->deny.n == 0)
		a->allow = (struct import_words){ 0 };
	else if (a->allow.n > 0)
		import_access_add_all(r->im, r->svc, IMPORT_ALLOW);
}

int import_tcprules(struct import *im, struct import_service *svc, const char *path)
{
	const char *text = import_read(im, path), *line;
	struct rules r = { .im = im, .svc = svc };
	struct import_lines l;

	if (!text)
		return -1;
	import_words_add(im, &im->files, path);
	for (l = import_lines_of(im, path, text); (line = import_lines_next(&l));) {
		r.place = l.place;
		take_line(&r, import_input_trim(im, line));
	}
	finish(&r);
	return 0;
}
