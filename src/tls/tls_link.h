/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's side of one TLS connection over a non-blocking socket: its handshake, bytes in
 * both directions and their ends. It hides OpenSSL: results are those of recv(2) and send(2), with
 * errno. It knows no event loop; it says what it waits for, and worker/stream.c watches the socket.
 */
#ifndef DROVER_TLS_TLS_LINK_H
#define DROVER_TLS_TLS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls_peer.h"

struct tls_context;
struct tls_link;

/* The context and the socket are lent. NULL with errno ENOMEM. */
struct tls_link *tls_link_new(struct tls_context *t, int fd);

/* Sends nothing: tls_link_end does. NULL is fine. */
void tls_link_free(struct tls_link *l);

/*
 * The socket may have bytes that it did not have when it was last read. at_end: also the end of
 * the bytes, or an error, which will not be reported again.
 */
void tls_link_stir(struct tls_link *l, bool at_end);

enum tls_progress {
	TLS_FAILED,                     /* tls_link_why says why; the client was told if that was possible */
	TLS_UNDER_WAY,
	TLS_ESTABLISHED,
};

/* Goes on with the handshake as far as the client lets it. */
enum tls_progress tls_link_handshake(struct tls_link *l);

/*
 * As recv(2) and send(2). Receives what has come and fits into the room, if it is not in too many
 * records: tls_link_has_unread. 0: the client has
 * said that it sends no more. -1 with ECONNRESET: also if the connection was cut, that is if it
 * ended without that (tls_link_was_cut); with EPROTO: the client breaks the protocol. For sending, what
 * stream_send demands is demanded here: after EAGAIN, the next call has the same bytes, or more.
 */
ssize_t tls_link_receive(struct tls_link *l, char *bytes, size_t size);
ssize_t tls_link_send(struct tls_link *l, const char *bytes, size_t len);

/*
 * Tells the client that nothing more is sent, and ends our direction of the socket. 0; or -1 with
 * errno. With EAGAIN it goes on with the next call, and tls_link_is_ending is true until it is done. May be
 * called more than once.
 */
int tls_link_end(struct tls_link *l);
bool tls_link_is_ending(const struct tls_link *l);

/* Only ends our direction of the socket, as an attacker could do, too. 0; or -1 with errno. */
int tls_link_break_off(struct tls_link *l);

/*
 * Whether there is something to receive that the socket will not report, because it was taken
 * from it already: bytes, the end, or an error.
 */
bool tls_link_has_unread(const struct tls_link *l);

/* Whether the client has sent its last byte, or is known to be gone: the socket has nothing to report. */
bool tls_link_is_at_end(const struct tls_link *l);

/* What the last call that failed with EAGAIN waits for: for room in the socket, or else for bytes. */
bool tls_link_receives_after_room(const struct tls_link *l);
bool tls_link_sends_after_bytes(const struct tls_link *l);

/* Whether nothing works any more: a call has returned -1 with another errno than EAGAIN. */
bool tls_link_has_failed(const struct tls_link *l);

/* Whether the connection ended without the client having said so. */
bool tls_link_was_cut(const struct tls_link *l);

/* Whether the client has sent anything at all. */
bool tls_link_has_begun(const struct tls_link *l);

#define TLS_WHY_TEXT_MAX 128
#define TLS_SNI_TEXT_MAX 1024           /* 255 bytes, all of them escaped */

/* What is known of the connection, for logs and programs. Strings are lent by the link, or in here. */
struct tls_link_facts {
	const char *version;            /* "TLSv1.3"; NULL: it was not agreed on; */
	const char *cipher;             /* likewise */
	bool        resumed;
	const char *error;              /* why nothing works any more, in plain words; NULL: it works */
	char        why[TLS_WHY_TEXT_MAX]; /* the same without blanks, or "" */
	char        sni[TLS_SNI_TEXT_MAX]; /* as the client sent it; blanks, backslashes and non-ASCII are \xNN; or "" */
};

void tls_link_facts(const struct tls_link *l, struct tls_link_facts *f);

/* The certificate of the client, as tls_peer_read. */
bool tls_link_peer(const struct tls_link *l, struct tls_peer *p);

#endif
