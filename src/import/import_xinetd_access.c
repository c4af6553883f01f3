/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A number is the host that inet_aton(3) makes of it, 192.168.1 is 192.168.0.1; if it ends in zeros then,
 * it stands for a network: 10.1.0.0 is 10.1.0.0/16. In braces, the parts that are written count, zeros too.
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

static bool add_number(struct import *im, struct import_service *svc, enum import_verdict verdict,
                       const char *text)
{
	char host[INET_ADDRSTRLEN];
	struct in_addr ip;
	int n;

	if (inet_aton(text, &ip) == 0)
		return false;
	n = significant(ip);
	if (n == 0) {           /* every client, of both families */
		import_access_add_all(im, svc, verdict);
		return true;
	}
	inet_ntop(AF_INET, &ip, host, sizeof host);
	return import_access_add(im, svc, verdict, n == 4 ? host : import_printf(im, "%s/%d", host, 8 * n));
}

/* How many parts, from 1 to 4, "10.1.2" has; 0 if it is not that. */
static int count_parts(const char *text)
{
	int parts = 0;
	size_t len;

	do {
		len = strspn(text, "0123456789");
		if (len == 0 || len > 3 || ++parts > 4)
			return 0;
		text += len;
	} while (*text++ == '.');
	return text[-1] == '\0' ? parts : 0;
}

/* The network of the parts in "10.1.2": what is missing is zeros. False if it is not that. */
static bool add_parts(struct import *im, struct import_service *svc, enum import_verdict verdict,
                      const char *text)
{
	static const char *const zeros[] = { "", ".0.0.0", ".0.0", ".0" };
	const int parts = count_parts(text);

	if (parts == 0 || parts == 4)
		return parts == 4 && import_access_add(im, svc, verdict, text);
	return import_access_add(im, svc, verdict,
	                         import_printf(im, "%s%s/%d", text, zeros[parts], 8 * parts));
}

/* "10.1.": a number with a dot at its end. */
static bool add_partial(struct import *im, struct import_service *svc, enum import_verdict verdict,
                        const char *text)
{
	const size_t len = strlen(text);

	return len > 0 && text[len - 1] == '.' &&
	       add_parts(im, svc, verdict, import_strndup(im, text, len - 1));
}

/* "10.1.2.{3,4}". False if it has no braces at its end, or an item is not a number. */
static bool add_braces(struct import *im, struct import_service *svc, enum import_verdict verdict,
                       const char *text)
{
	const char *open = strchr(text, '{'), *item = open ? open + 1 : NULL;
	bool ok = open && strchr(open, '}') == text + strlen(text) - 1;
	char end = ',';

	while (ok && end == ',') {
		const size_t len = strcspn(item, ",}");

		ok = strspn(item, "0123456789") == len &&
		     add_parts(im, svc, verdict, import_printf(im, "%.*s%.*s", (int)(open - text), text,
		                                               (int)len, item));
		end = item[len];
		item += len + 1;
	}
	return ok;
}

void import_xinetd_access(struct import *im, struct import_service *svc, struct import_place place,
                          enum import_verdict verdict, const char *entry)
{
	if (strcasecmp(entry, "localhost") == 0)
		import_access_add_loopback(im, svc, verdict);
	else if (strcmp(entry, "::") == 0)
		import_access_add(im, svc, verdict, "::/0");
	else if (!add_number(im, svc, verdict, entry) && !add_braces(im, svc, verdict, entry) &&
	         !import_access_add(im, svc, verdict, entry) && !add_partial(im, svc, verdict, entry))
		import_access_lose(im, svc, place, verdict, entry, "drover knows clients by address, and"
		                   " looks up no names");
}
