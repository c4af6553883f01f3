/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bare floor that drover is measured against: pre-forked workers, one
 * shared listening socket, epoll, accept4, read, write, nothing else. It has
 * no time-outs, no log, no limits, and drops a connection that does not take
 * its echo in one write.
 *
 * Compiled with -DFLOOR_TLS and OpenSSL, it has --tls: an echo over TLS 1.3. The
 * context is made before the fork, so that all workers have the same ticket keys.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FLOOR_TLS
#include <openssl/ssl.h>
#endif

enum { MAX_WORKERS = 128, MAX_EVENTS = 64, BACKLOG = 4096 };

enum spread {
	SPREAD_NOT,             /* EPOLLEXCLUSIVE as it is: one worker gets nearly all */
	SPREAD_READD,           /* listener out of epoll and back after each accept */
	SPREAD_REUSEPORT,       /* a listener for each worker, the kernel hashes */
};

struct floor {
	int          n_workers;
	enum spread  spread;
	char       **argv;      /* program for each connection; NULL: echo */
	const char  *tls;       /* file with certificate and key; NULL: plain */
	int          listen_fd;
	sigset_t     old_mask;
	pid_t        pids[MAX_WORKERS];
};

static int listen_on(in_port_t port, bool reuseport)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port),
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1
	    || (reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == -1)
	    || bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1
	    || listen(fd, BACKLOG) == -1)
		err(EXIT_FAILURE, "listen on 127.0.0.1:%d", port);
	return fd;
}

static in_port_t port_of(int fd)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) == -1)
		err(EXIT_FAILURE, "getsockname");
	return ntohs(sa.sin_port);
}

static void watch(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(EXIT_FAILURE, "epoll_ctl");
}

#ifdef FLOOR_TLS

/* ---- TLS ---------------------------------------------------------------- */

enum { MAX_FDS = 65536 };

/* A connection by its descriptor; what the socket had no room for waits here. */
static struct tls_conn {
	SSL   *ssl;
	char  *rest;
	size_t len;
} conns[MAX_FDS];

static SSL_CTX *context;

static void make_context(const char *file)
{
	context = SSL_CTX_new(TLS_server_method());
	if (!context
	    || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1
	    || SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1
	    || SSL_CTX_use_certificate_chain_file(context, file) != 1
	    || SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM) != 1)
		errx(EXIT_FAILURE, "%s is not a certificate with its key", file);
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/* Without TCP_NODELAY the echo would wait until the client acknowledges the session tickets: 40 ms. */
static void tls_open(int fd)
{
	SSL *ssl = fd < MAX_FDS ? SSL_new(context) : NULL;
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		errx(EXIT_FAILURE, "no room for connection %d", fd);
	SSL_set_accept_state(ssl);
	conns[fd] = (struct tls_conn){ .ssl = ssl };
}

static void tls_close(int fd, bool orderly)
{
	struct tls_conn *c = &conns[fd];

	if (orderly)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	free(c->rest);
	*c = (struct tls_conn){ 0 };
	close(fd);
}

static void rewatch(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev);
}

/* Returns how many bytes could be sent, or -1. */
static ssize_t tls_send(SSL *ssl, const char *bytes, size_t len)
{
	size_t sent = 0, n;

	while (sent < len) {
		if (SSL_write_ex(ssl, bytes + sent, len - sent, &n) != 1)
			return SSL_get_error(ssl, 0) == SSL_ERROR_WANT_WRITE ? (ssize_t)sent : -1;
		sent += n;
	}
	return (ssize_t)sent;
}

/* False if the socket has still no room for it, or the connection is gone. */
static bool tls_send_rest(int ep, int fd)
{
	struct tls_conn *c = &conns[fd];
	const ssize_t n = tls_send(c->ssl, c->rest, c->len);

	if (n == -1) {
		tls_close(fd, false);
		return false;
	}
	c->len -= (size_t)n;
	memmove(c->rest, c->rest + n, c->len);
	if (c->len)
		return false;
	free(c->rest);
	c->rest = NULL;
	rewatch(ep, fd, EPOLLIN);
	return true;
}

static void tls_keep_rest(int ep, int fd, const char *bytes, size_t len)
{
	struct tls_conn *c = &conns[fd];

	c->rest = malloc(len);
	if (!c->rest)
		err(EXIT_FAILURE, "malloc");
	memcpy(c->rest, bytes, len);
	c->len = len;
	rewatch(ep, fd, EPOLLOUT);
}

/* SSL_read makes the handshake, too. epoll is silent about what OpenSSL has read ahead. */
static void tls_echo(int ep, int fd)
{
	static char buf[65536];
	SSL *ssl = conns[fd].ssl;
	size_t n;
	ssize_t sent;

	if (conns[fd].rest && !tls_send_rest(ep, fd))
		return;
	do {
		if (SSL_read_ex(ssl, buf, sizeof buf, &n) != 1) {
			const int why = SSL_get_error(ssl, 0);

			if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
				tls_close(fd, why == SSL_ERROR_ZERO_RETURN);
			return;
		}
		sent = tls_send(ssl, buf, n);
		if (sent == -1) {
			tls_close(fd, false);
			return;
		}
		if ((size_t)sent < n) {
			tls_keep_rest(ep, fd, buf + sent, n - (size_t)sent);
			return;
		}
	} while (SSL_has_pending(ssl));
}

#else

static void make_context(const char *file)
{
	errx(64, "--tls %s needs a floor that is compiled with -DFLOOR_TLS -lssl -lcrypto", file);
}

static void tls_open(int fd)
{
	(void)fd;
}

static void tls_echo(int ep, int fd)
{
	(void)ep, (void)fd;
}

#endif

static void take_one(const struct floor *f, int ep)
{
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd == -1)
		return;
	watch(ep, fd, EPOLLIN);
	if (f->tls)
		tls_open(fd);
	if (f->spread == SPREAD_READD) {
		/* Being added again puts us behind our siblings in the queue
		 * of those that the kernel wakes. */
		epoll_ctl(ep, EPOLL_CTL_DEL, f->listen_fd, NULL);
		watch(ep, f->listen_fd, EPOLLIN | EPOLLEXCLUSIVE);
	}
}

static void echo_once(int fd)
{
	static char buf[65536];
	ssize_t n = read(fd, buf, sizeof buf);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0 || write(fd, buf, (size_t)n) != n)
		close(fd);
}

static void serve_echo(const struct floor *f)
{
	struct epoll_event events[MAX_EVENTS];
	int ep = epoll_create1(EPOLL_CLOEXEC);

	watch(ep, f->listen_fd, EPOLLIN | EPOLLEXCLUSIVE);
	for (;;) {
		int n = epoll_wait(ep, events, MAX_EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == f->listen_fd)
				take_one(f, ep);
			else if (f->tls)
				tls_echo(ep, events[i].data.fd);
			else
				echo_once(events[i].data.fd);
		}
	}
}

static void on_child(int sig)
{
	(void)sig;      /* it is there to interrupt accept() */
}

static void spawn(const struct floor *f, int fd)
{
	static char *const no_env[] = { NULL };

	if (vfork() == 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		execve(f->argv[0], f->argv, no_env);
		_exit(127);
	}
	close(fd);
}

/* Blocking accept() is the cheapest here, and is fair without more. */
static void serve_exec(const struct floor *f)
{
	const struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };

	sigaction(SIGCHLD, &sa, NULL);
	fcntl(f->listen_fd, F_SETFL, fcntl(f->listen_fd, F_GETFL) & ~O_NONBLOCK);
	for (;;) {
		int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd != -1)
			spawn(f, fd);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static _Noreturn void worker_main(struct floor *f, pid_t master)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != master)
		_exit(EXIT_FAILURE);    /* the master died before the prctl */
	sigprocmask(SIG_SETMASK, &f->old_mask, NULL);
	if (f->argv)
		serve_exec(f);
	else
		serve_echo(f);
	_exit(EXIT_FAILURE);
}

static void start_workers(struct floor *f)
{
	in_port_t port = port_of(f->listen_fd);
	pid_t master = getpid();

	for (int i = 0; i < f->n_workers; i++) {
		if (f->spread == SPREAD_REUSEPORT && i > 0)
			f->listen_fd = listen_on(port, true);
		f->pids[i] = fork();
		if (f->pids[i] == -1)
			err(EXIT_FAILURE, "fork");
		if (f->pids[i] == 0)
			worker_main(f, master);
	}
}

/* Until TERM or INT, the death of a worker, or the end of standard input. */
static int wait_for_the_end(const sigset_t *mask)
{
	struct signalfd_siginfo si = { 0 };
	struct pollfd fds[] = {
		{ .fd = signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	char byte;

	do {
		if (poll(fds, 2, -1) == -1)
			return EXIT_FAILURE;
		if (read(fds[0].fd, &si, sizeof si) == sizeof si)
			break;
	} while (!fds[1].revents || read(STDIN_FILENO, &byte, 1) > 0);
	return si.ssi_signo == SIGCHLD ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void stop_workers(const struct floor *f)
{
	for (int i = 0; i < f->n_workers; i++)
		kill(f->pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

static void raise_nofile(void)
{
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

static _Noreturn void usage(void)
{
	fputs("usage: floor [--workers N] [--spread[=reuseport]] [--tls FILE | --exec PROGRAM [ARG ...]]\n",
	      stderr);
	exit(64);
}

static void read_options(struct floor *f, int argc, char **argv)
{
	static const struct option options[] = {
		{ "workers", required_argument, NULL, 'w' },
		{ "spread",  optional_argument, NULL, 's' },
		{ "tls",     required_argument, NULL, 't' },
		{ "exec",    no_argument,       NULL, 'e' },
		{ 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
		if (o == 'w') {
			f->n_workers = atoi(optarg);
		} else if (o == 's' && !optarg) {
			f->spread = SPREAD_READD;
		} else if (o == 's' && strcmp(optarg, "reuseport") == 0) {
			f->spread = SPREAD_REUSEPORT;
		} else if (o == 't') {
			f->tls = optarg;
		} else if (o == 'e') {
			f->argv = argv + optind;
			break;
		} else {
			usage();
		}
	}
	if (f->tls && f->argv)
		usage();
	if (f->n_workers < 1 || f->n_workers > MAX_WORKERS || (f->argv ? !f->argv[0] : optind < argc))
		usage();
}

int main(int argc, char **argv)
{
	struct floor f = { .n_workers = 2 };
	sigset_t mask;
	int status;

	read_options(&f, argc, argv);
	raise_nofile();
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &f.old_mask);

	if (f.tls)
		make_context(f.tls);
	f.listen_fd = listen_on(0, f.spread == SPREAD_REUSEPORT);
	start_workers(&f);
	printf("PORT %d\n", port_of(f.listen_fd));
	fflush(stdout);
	status = wait_for_the_end(&mask);
	stop_workers(&f);
	return status;
}
