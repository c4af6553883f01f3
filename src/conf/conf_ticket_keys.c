/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads keys in the form of HAProxy's tls-ticket-keys: a line of base64 for each, of 48 or 80 bytes;
 * the last three count, and the last but one of them encrypts. So a new key is added at the end on
 * all machines first, and encrypts only when another one is added behind it.
 *
 * The keys go to the pages of their service in the configuration, which only its own workers keep:
 * a worker can read no files as root, and sessions of its clients are in its memory anyway.
 */
#include <config.h>

#ifdef HAVE_OPENSSL

#include "conf_ticket_keys.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#define LEN_SHORT 48                    /* bytes: a name, and two keys of 16 */
#define LEN_LONG  80                    /* of 32 */
#define TEXT_MAX  108                   /* characters of base64 for LEN_LONG bytes */
#define BLANK     " \t\r"

/* The file while it is read. */
struct reading {
	struct conf_pem_reader  *r;
	const config_setting_t  *setting;
	const char              *path;
	int                      line;
	struct ticket_key        keys[TICKET_KEYS_MAX]; /* the last lines of it, */
	size_t                   n;     /* and how many there were */
};

/* The bytes of a key, in a buffer for LEN_LONG of them and what a padded group has more; 0: it is none. */
static size_t decode(const char *text, size_t len, uint8_t bytes[static LEN_LONG + 4])
{
	size_t padding = 0;
	int n;

	if (len == 0 || len > TEXT_MAX || len % 4 != 0)
		return 0;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	return n < 0 ? 0 : (size_t)n - padding;
}

static void take_key(struct reading *f, const uint8_t *bytes, size_t len)
{
	struct ticket_key *k = &f->keys[TICKET_KEYS_MAX - 1];

	memmove(&f->keys[0], &f->keys[1], sizeof f->keys - sizeof f->keys[0]);
	*k = (struct ticket_key){ .len = (len - sizeof k->name) / 2 };
	memcpy(k->name, bytes, sizeof k->name);
	memcpy(k->cipher, bytes + sizeof k->name, k->len);
	memcpy(k->mac, bytes + sizeof k->name + k->len, k->len);
	f->n++;
}

/* A line without blanks around it. False after a complaint. */
static bool take_line(struct reading *f, const char *text, size_t len)
{
	uint8_t bytes[LEN_LONG + 4];
	const size_t n = decode(text, len, bytes);

	if (n == LEN_SHORT || n == LEN_LONG)
		take_key(f, bytes, n);
	else
		conf_source_complain(f->r->ld, f->setting, "names %s: line %d is not 48 or 80 bytes in base64"
		                     " (as openssl rand -base64 48 prints)", f->path, f->line);
	explicit_bzero(bytes, sizeof bytes);
	return n == LEN_SHORT || n == LEN_LONG;
}

static bool take_text(struct reading *f, const char *text)
{
	bool good = true;

	for (f->line = 1; *text && good; f->line++) {
		const size_t whole = strcspn(text, "\n");
		const char *begin = text + strspn(text, BLANK);
		size_t len = begin < text + whole ? (size_t)(text + whole - begin) : 0;

		while (len > 0 && strchr(BLANK, begin[len - 1]))
			len--;
		good = len == 0 || take_line(f, begin, len);
		text += whole + (text[whole] == '\n');
	}
	return good;
}

/* The one that encrypts comes first: the last but one, or the only one. */
static void keep(struct reading *f)
{
	struct conf_tls *tls = &f->r->draft->service->tls;
	const size_t n = f->n < TICKET_KEYS_MAX ? f->n : TICKET_KEYS_MAX;
	struct ticket_key *kept = conf_loader_alloc(f->r->ld, n * sizeof *kept);
	const struct ticket_key *last = f->keys + TICKET_KEYS_MAX - n;
	const size_t first = n > 1 ? n - 2 : 0;

	kept[0] = last[first];
	for (size_t i = 0, k = 1; i < n; i++)
		if (i != first)
			kept[k++] = last[i];
	tls->ticket_secrets = kept;
	tls->n_ticket_secrets = n;
}

static void warn_of_readers(const struct reading *f)
{
	struct stat st;

	if (stat(f->path, &st) == 0 && st.st_mode & S_IROTH)
		conf_source_warn(f->r->ld, f->setting, "names %s: all users can read these keys (chmod o= %s)",
		                 f->path, f->path);
}

void conf_ticket_keys_load(struct conf_pem_reader *r)
{
	struct reading f = { .r = r, .path = r->draft->service->tls.ticket_keys,
	                     .setting = conf_draft_origin(r->draft, "tls.ticket_keys") };
	size_t len;
	char *text = conf_pem_read(r, f.setting, f.path, &len);

	if (!text)
		return;
	if (take_text(&f, text) && f.n == 0)
		conf_source_complain(r->ld, f.setting, "names %s, which is empty", f.path);
	if (f.n > 0) {
		warn_of_readers(&f);
		keep(&f);
	}
	explicit_bzero(&f, sizeof f);
	explicit_bzero(text, len);
	free(text);
}

#endif
