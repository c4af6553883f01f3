/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An IPv4 address stands for a network if it ends in zeros: 10.1.0.0 is 10.1.0.0/16.
 */
#include <config.h>
#include "import_xinetd_access.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* How many of the four bytes count, from the left. */
static int significant(struct in_addr ip)
{
	const uint32_t n = ntohl(ip.s_addr);

	return n == 0 ? 0 : !(n & 0xffffff) ? 1 : !(n & 0xffff) ? 2 : !(n & 0xff) ? 3 : 4;
}

static bool add_ipv4(struct import *im, struct import_service *svc, enum import_verdict verdict,
                     const char *text)
{
	struct in_addr ip;
	int n;

	if (inet_pton(AF_INET, text, &ip) != 1)
		return false;
	n = significant(ip);
	if (n == 0) {           /* every client, of both families */
		import_access_add_all(im, svc, verdict);
		return true;
	}
	return import_access_add(im, svc, verdict, n == 4 ? text : import_printf(im, "%s/%d", text, 8 * n));
}

/* "10.1." and "10.1": what is missing is zeros. False if it is not that. */
static bool add_partial(struct import *im, struct import_service *svc, enum import_verdict verdict,
                        const char *text)
{
	size_t len = strlen(text);
	int dots = 0;

	if (strspn(text, "0123456789.") != len || len == 0)
		return false;
	if (text[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		dots += text[i] == '.';
	if (dots > 2)
		return false;
	return import_access_add(im, svc, verdict, import_printf(im, "%.*s%s/%d", (int)len, text,
	                         dots == 0 ? ".0.0.0" : dots == 1 ? ".0.0" : ".0", 8 * (dots + 1)));
}

/* "10.1.2.{3,4}". False if it has no braces at its end. */
static bool add_braces(struct import *im, struct import_service *svc, enum import_verdict verdict,
                       const char *text)
{
	const char *open = strchr(text, '{'), *item = open ? open + 1 : NULL;
	bool ok = open && text[strlen(text) - 1] == '}';

	while (ok && *item) {
		const size_t len = strcspn(item, ",}");
		const char *one = import_printf(im, "%.*s%.*s", (int)(open - text), text, (int)len, item);

		ok = add_ipv4(im, svc, verdict, one) || add_partial(im, svc, verdict, one);
		item += len + 1;
	}
	return ok;
}

void import_xinetd_access(struct import *im, struct import_service *svc, struct import_place place,
                          enum import_verdict verdict, const char *entry)
{
	if (strcasecmp(entry, "localhost") == 0)
		import_access_add_loopback(im, svc, verdict);
	else if (!add_ipv4(im, svc, verdict, entry) && !add_braces(im, svc, verdict, entry) &&
	         !import_access_add(im, svc, verdict, entry) && !add_partial(im, svc, verdict, entry))
		import_access_lose(im, svc, place, verdict, entry, "drover knows clients by address, and"
		                   " looks up no names");
}
