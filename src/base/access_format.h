/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fields of a line of the access log, and templates that say which of them a line has:
 * "{peer} {how}". It does not know what the values are: access_log.c does.
 */
#ifndef DROVER_BASE_ACCESS_FORMAT_H
#define DROVER_BASE_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

/* X(NAME, name), in the order that they have as text and as JSON. droverd.8 describes them. */
#define ACCESS_FORMAT_FIELDS(X) \
	X(TIME, time) X(SERVICE, service) X(ID, id) X(PEER, peer) X(VIA, via) X(LOCAL, local) \
	X(UNIQUE_ID, unique_id) X(AUTHORITY, authority) X(TLS, tls) X(CIPHER, cipher) \
	X(RESUMED, resumed) X(SNI, sni) X(TLS_ERROR, tls_error) X(DURATION, duration) X(IN, in) \
	X(OUT, out) X(HOW, how) X(PID, pid) X(EXIT, exit) X(SIGNAL, signal)

enum access_format_field {
#define X(NAME, name) ACCESS_FORMAT_##NAME,
	ACCESS_FORMAT_FIELDS(X)
#undef X
	ACCESS_FORMAT_LITERAL,          /* no field: text between fields */
};

#define ACCESS_FORMAT_TEXT_MAX   1024   /* bytes of a template */
#define ACCESS_FORMAT_PIECES_MAX 128
#define ACCESS_FORMAT_NAME_MAX   32     /* room for the name of a field, with NUL */

struct access_format_piece {
	enum access_format_field field;
	const char              *text;          /* ACCESS_FORMAT_LITERAL: len bytes of the template */
	size_t                   len;
};

struct access_format {
	const char                       *text;         /* as written */
	const struct access_format_piece *pieces;
	size_t                            n;
};

enum access_format_error {
	ACCESS_FORMAT_UNKNOWN,          /* there is no such field */
	ACCESS_FORMAT_OPEN,             /* { without } */
	ACCESS_FORMAT_CLOSED,           /* } without { */
	ACCESS_FORMAT_BYTE,             /* neither printable ASCII nor a tab */
	ACCESS_FORMAT_LONG,             /* too many bytes, or pieces */
	ACCESS_FORMAT_CONSTANT,         /* it has no field: all lines would be the same */
};

struct access_format_fault {
	enum access_format_error error;
	char                     name[ACCESS_FORMAT_NAME_MAX];  /* UNKNOWN: as written, perhaps cut */
};

/* Whether that is a template, and not the name of a format: it has a brace. */
bool access_format_is_template(const char *text);

/*
 * Cuts a template into pieces, which point into it; {{ and }} are single braces. Returns how many
 * there are; 0 with *fault if it is not right.
 */
size_t access_format_parse(const char *text, struct access_format_piece pieces[ACCESS_FORMAT_PIECES_MAX],
                           struct access_format_fault *fault);

const char *access_format_name(enum access_format_field field);

#endif
