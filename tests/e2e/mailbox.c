/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps datagrams as messages until the test ends, since a test may ask for them later.
 */
#include <config.h>
#include "mailbox.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "files.h"

static void on_message(struct turn_hook *h, short revents)
{
	(void)revents;
	mailbox_take_in(container_of(h, struct mailbox, hook));
}

void mailbox_open(struct mailbox *m, const char *name)
{
	struct address a;

	m->path = files_path(name);
	ck_assert_msg(address_set_path(&a, m->path) == 0, "%s: %m", m->path);
	m->hook = (struct turn_hook){
		.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
		.events = POLLIN, .ready = on_message,
	};
	ck_assert_msg(bind(m->hook.fd, &a.u.sa, a.len) == 0, "%s: %m", m->path);
	ck_assert_int_eq(chmod(m->path, 0666), 0);      /* for a daemon of another user */
	m->copy_fd = open(files_text("%s.txt", m->path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	turn_add(&m->hook);
}

void mailbox_close(struct mailbox *m)
{
	turn_remove(&m->hook);
	close(m->hook.fd);
	close(m->copy_fd);
	for (size_t i = 0; i < m->n; i++) {
		free(m->events[i]->text);
		free(m->events[i]);
	}
	free(m->events);
	*m = (struct mailbox){ 0 };
}

static void keep(struct mailbox *m, const char *text)
{
	struct event **more = realloc(m->events, (m->n + 1) * sizeof *more);
	struct event *e = calloc(1, sizeof *e);

	ck_assert(more && e);
	*e = (struct event){ .text = strdup(text), .nr = m->n };
	m->events = more;
	m->events[m->n++] = e;
	dprintf(m->copy_fd, "%s\n", text);
}

void mailbox_take_in(struct mailbox *m)
{
	char text[4096];
	ssize_t n;

	while ((n = recv(m->hook.fd, text, sizeof text - 1, MSG_DONTWAIT)) >= 0) {
		text[n] = '\0';
		keep(m, text);
	}
}

struct event *mailbox_find(struct mailbox *m, mailbox_match *match, const char *pattern)
{
	for (size_t i = 0; i < m->n; i++)
		if (!m->events[i]->taken && match(m->events[i], pattern))
			return m->events[i];
	return NULL;
}

/* Where the words of text have this one, of len bytes; NULL if nowhere. */
static const char *find_word(const char *text, const char *word, size_t len)
{
	for (const char *at = text; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (strncmp(at, word, len) == 0 && (at[len] == ' ' || at[len] == '\0'))
			return at;
	return NULL;
}

bool event_has(const struct event *e, const char *words)
{
	size_t len = strcspn(words, " ");

	if (find_word(e->text, words, len) != e->text)
		return false;   /* another event */
	for (words += len; *words; words += len) {
		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (!find_word(e->text, words, len))
			return false;
	}
	return true;
}

const char *mailbox_line(const struct event *e, const char *line)
{
	size_t len = strlen(line);
	bool is_whole = line[len - 1] != '=';

	for (const char *at = e->text; *at; at += strcspn(at, "\n"), at += strspn(at, "\n"))
		if (strncmp(at, line, len) == 0 && (!is_whole || at[len] == '\n' || at[len] == '\0'))
			return files_text("%.*s", (int)strcspn(at, "\n"), at);
	return NULL;
}

bool mailbox_has_line(const struct event *e, const char *line)
{
	return mailbox_line(e, line) != NULL;
}

const char *event_word(const struct event *e, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = e->text; *at; at += strcspn(at, " \n"), at += strspn(at, " \n"))
		if (strncmp(at, key, len) == 0 && at[len] == '=') {
			at += len + 1;
			return files_text("%.*s", (int)strcspn(at, " \n"), at);
		}
	ck_abort_msg("there is no %s in: %s", key, e->text);
}

long long event_number(const struct event *e, const char *key)
{
	const char *word = event_word(e, key);
	char *end;
	long long n = strtoll(word, &end, 10);

	ck_assert_msg(*word && !*end, "%s is no number in: %s", key, e->text);
	return n;
}
