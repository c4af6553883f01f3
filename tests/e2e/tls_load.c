/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each client is a process of its own, with blocking calls. It asserts nothing, and uses nothing of the
 * harness, which would take events away from the test.
 */
#include <config.h>
#include "tls_load.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define LINE "a line\n"

static bool is_echoed(SSL *ssl)
{
	char back[sizeof LINE - 1];
	size_t got = 0, n;

	if (SSL_write(ssl, LINE, sizeof back) != (int)sizeof back)
		return false;
	while (got < sizeof back && SSL_read_ex(ssl, back + got, sizeof back - got, &n) == 1)
		got += n;
	return got == sizeof back && memcmp(back, LINE, got) == 0;
}

static SSL *shake_hands(int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;

	SSL_CTX_free(ctx);
	if (ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static int connect_to(const struct sockaddr_in *to)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd != -1 && connect(fd, (const struct sockaddr *)to, sizeof *to) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool visit(const struct sockaddr_in *to)
{
	const int fd = connect_to(to);
	SSL *ssl = fd == -1 ? NULL : shake_hands(fd);
	bool served;

	if (!ssl) {
		if (fd != -1)
			close(fd);
		return false;
	}
	served = is_echoed(ssl);
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	return served;
}

static _Noreturn void be_client(const char *port, int stop, int counts)
{
	struct pollfd told = { .fd = stop, .events = POLLIN };
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
	                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	long count[2] = { 0 };

	signal(SIGPIPE, SIG_IGN);
	while (poll(&told, 1, 0) == 0)
		count[visit(&to)]++;
	_exit(write(counts, count, sizeof count) == (ssize_t)sizeof count ? 0 : 1);
}

void tls_load_start(struct tls_load *l, const char *port)
{
	int stop[2], counts[2];

	ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(counts, O_CLOEXEC), 0);
	for (int i = 0; i < TLS_LOAD_CLIENTS; i++) {
		l->pids[i] = fork();
		ck_assert_int_ne(l->pids[i], -1);
		if (l->pids[i] == 0) {
			close(stop[1]);
			be_client(port, stop[0], counts[1]);
		}
	}
	close(stop[0]);
	close(counts[1]);
	l->stop = stop[1];
	l->counts = counts[0];
}

long tls_load_stop(struct tls_load *l, long *failed)
{
	long count[2], served = 0;

	*failed = 0;
	close(l->stop);
	for (int i = 0; i < TLS_LOAD_CLIENTS; i++) {
		turn_until_ready(l->counts, POLLIN);
		ck_assert_int_eq(read(l->counts, count, sizeof count), sizeof count);
		*failed += count[0];
		served += count[1];
	}
	for (int i = 0; i < TLS_LOAD_CLIENTS; i++)
		ck_assert_int_eq(waitpid(l->pids[i], NULL, 0), l->pids[i]);
	close(l->counts);
	return served;
}
