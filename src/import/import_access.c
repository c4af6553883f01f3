/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An import that is not complete must refuse more clients than before, never fewer.
 */
#include <config.h>
#include "import_access.h"

#include <string.h>

#include "cidr.h"

static struct import_words *list_of(struct import_service *svc, enum import_verdict verdict)
{
	return verdict == IMPORT_ALLOW ? &svc->access.allow : &svc->access.deny;
}

static void add(struct import *im, struct import_service *svc, enum import_verdict verdict,
                const char *prefix)
{
	if (!import_words_have(list_of(svc, verdict), prefix))
		import_words_add(im, list_of(svc, verdict), import_strdup(im, prefix));
}

bool import_access_add(struct import *im, struct import_service *svc, enum import_verdict verdict,
                       const char *prefix)
{
	char text[CIDR_TEXT_MAX];
	struct cidr c;

	switch (cidr_parse(prefix, &c)) {
	case CIDR_OK:
		add(im, svc, verdict, prefix);
		return true;
	case CIDR_HOST_BITS:
		add(im, svc, verdict, cidr_format(&c, text, sizeof text));
		return true;
	case CIDR_MALFORMED:
	case CIDR_LENGTH:
		break;
	}
	return false;
}

void import_access_add_all(struct import *im, struct import_service *svc, enum import_verdict verdict)
{
	add(im, svc, verdict, "0.0.0.0/0");
	add(im, svc, verdict, "::/0");
}

void import_access_add_loopback(struct import *im, struct import_service *svc, enum import_verdict verdict)
{
	add(im, svc, verdict, "127.0.0.1");
	add(im, svc, verdict, "::1");
}

void import_access_lose(struct import *im, struct import_service *svc, struct import_place place,
                        enum import_verdict verdict, const char *entry, const char *why)
{
	import_lose(im, svc, place, "\"%s\": %s (write addresses in access.%s)", entry, why,
	            verdict == IMPORT_ALLOW ? "allow" : "deny");
	if (verdict == IMPORT_DENY)
		svc->access.lost_deny = true;
}

void import_access_finish(struct import *im, struct import_service *svc)
{
	struct import_access *a = &svc->access;

	if (a->restricts && a->allow.n == 0) {
		import_note(im, svc, svc->place, "it admits no client as long as access.allow has no"
		            " address");
		a->deny = (struct import_words){ 0 };
		import_access_add_all(im, svc, IMPORT_DENY);
	}
	if (a->lost_deny && !svc->disabled) {
		import_note(im, svc, svc->place, "it is disabled, because it would admit clients that were"
		            " refused before: complete access.deny, then remove enabled = false");
		svc->disabled = svc->held = true;
	}
}
