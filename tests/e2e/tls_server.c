/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A TLS server for tests, with blocking calls.
 */
#include <config.h>
#include "tls_server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "files.h"
#include "harness.h"

static struct tls_server_wish wish;
static SSL_CTX *context;
static pid_t pid;

static void *serve_one(void *arg)
{
	const int fd = (int)(intptr_t)arg;
	SSL *ssl = SSL_new(context);

	if (wish.buffer) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wish.buffer, sizeof wish.buffer);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wish.buffer, sizeof wish.buffer);
	}
	SSL_set_fd(ssl, fd);
	if ((!wish.greet || wish.greet(fd)) && SSL_accept(ssl) == 1)
		wish.serve(ssl);
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void make_context(void)
{
	context = SSL_CTX_new(TLS_server_method());
	ck_assert(SSL_CTX_use_certificate_chain_file(context, files_text("%s.pem", wish.name)) == 1 &&
	          SSL_CTX_use_PrivateKey_file(context, files_text("%s.key", wish.name),
	                                      SSL_FILETYPE_PEM) == 1);
	SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
	if (wish.version) {
		SSL_CTX_set_min_proto_version(context, wish.version);
		SSL_CTX_set_max_proto_version(context, wish.version);
	}
	if (wish.without_tickets) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(context, 0);
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	}
	if (wish.client_ca) {
		ck_assert_int_eq(SSL_CTX_load_verify_file(context, wish.client_ca), 1);
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
}

static _Noreturn void run(int listener)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd == -1 || pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) != 0)
			_exit(1);
		pthread_detach(thread);
	}
}

const char *tls_server_start(const struct tls_server_wish *w)
{
	const char *address, *port;
	int listener;

	wish = *w;
	make_context();
	if (w->on_unix) {
		listener = client_listen_unix(files_path("tls.sock"));
		address = files_text("unix:%s", files_path("tls.sock"));
	} else {
		listener = client_listen(&port);
		address = files_text("127.0.0.1:%s", port);
	}
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		run(listener);
	close(listener);
	SSL_CTX_free(context);
	return address;
}

void tls_server_stop(void)
{
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	pid = 0;
}

void tls_server_echo(SSL *ssl)
{
	char buf[65536];
	int n;

	while ((n = SSL_read(ssl, buf, sizeof buf)) > 0)
		if (SSL_write(ssl, buf, n) != n)
			return;
	SSL_shutdown(ssl);
}

size_t tls_server_drain(SSL *ssl)
{
	char buf[65536];
	size_t sum = 0;
	int n;

	while ((n = SSL_read(ssl, buf, sizeof buf)) > 0)
		sum += (size_t)n;
	return sum;
}
