/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A load client in one thread: opens connections to a port of 127.0.0.1, checks
 * every byte that comes back, and prints what it counted as key=value lines.
 * It is bounded in count and in time. It knows nothing of the server's cost:
 * with --gate it says when its measured part begins and ends, so that whoever
 * runs it can read the clocks.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_CONNS = 19000,      /* one process may be held to 20,000 descriptors */
	MAX_BYTES = 1 << 24,
	MAX_SECONDS = 600,
	MAX_ERRORS = 100,       /* then there is nothing more to learn */
	GRACE_SECONDS = 3,      /* for exchanges under way when the time is up */
	N_SOURCES = 200,        /* 127.0.0.2 and up: each has its own 28,000 ports */
	N_SHIFTS = 4096,        /* so many different messages */
};

enum mode { MODE_PING_PONG, MODE_CONNECT, MODE_EXEC, MODE_HOLD };

static const char *const mode_names[] = {
	[MODE_PING_PONG] = "ping-pong", /* exchanges on connections that stay open */
	[MODE_CONNECT]   = "connect",   /* connect, one exchange, close; again */
	[MODE_EXEC]      = "exec",      /* connect, read to the end; again */
	[MODE_HOLD]      = "hold",      /* open, one exchange each, then silence */
};

enum conn_state {
	CONN_FREE,
	CONN_CONNECTING,
	CONN_TALKING,           /* an exchange is under way */
	CONN_QUIET,             /* open, and nothing is expected */
};

struct conn {
	int             fd;
	enum conn_state state;
	const char     *message;  /* what we send and want back, in load.pattern */
	size_t          sent, got;
	uint64_t        since_ns; /* when this exchange, or connect, began */
};

/* Latencies, in classes 1/32 of a power of two wide. */
enum { SUB_BITS = 5, N_CLASSES = 64 << SUB_BITS };

struct load {
	enum mode    mode;
	in_port_t    port;
	int          n_conns;
	int          opening;     /* at most so many connects at once */
	size_t       bytes;
	uint64_t     count;       /* operations in all */
	int          seconds;
	const char  *expect;      /* MODE_EXEC: the whole answer */
	bool         gate;

	int          ep;
	struct conn *conns;
	char        *pattern;
	unsigned     n_connects;  /* the source address goes round with it */
	uint64_t     started;     /* exchanges begun, measured part only */
	bool         measuring;
	bool         stop;        /* begin nothing new */
	int          busy;        /* connections with something under way */
	uint64_t     ops, errors;
	uint64_t     latencies[N_CLASSES];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static unsigned class_of(uint64_t ns)
{
	unsigned shift = 0;

	for (; ns >> shift >= 2 << SUB_BITS; shift++)
		;
	return (shift << SUB_BITS) + (unsigned)(ns >> shift);
}

static double class_usec(unsigned class)
{
	unsigned shift = class < 2 << SUB_BITS ? 0 : (class >> SUB_BITS) - 1;

	return (double)((uint64_t)(class - (shift << SUB_BITS)) << shift) / 1000;
}

static double percentile_usec(const struct load *l, double share)
{
	uint64_t seen = 0;
	unsigned class = 0;

	for (; class < N_CLASSES - 1; class++) {
		seen += l->latencies[class];
		if ((double)seen >= share * (double)l->ops)
			break;
	}
	return l->ops ? class_usec(class) : 0;
}

static void conn_close(struct conn *c)
{
	close(c->fd);
	c->state = CONN_FREE;
}

static void conn_fail(struct load *l, struct conn *c, const char *what)
{
	if (l->errors++ == 0)
		warnx("connection %td: %s", c - l->conns, what);
	if (l->errors >= MAX_ERRORS)
		l->stop = true;
	conn_close(c);
}

/* Lends an address that connects to this port have not used for longest. */
static const struct sockaddr_in *next_source(struct load *l)
{
	static struct sockaddr_in sa = { .sin_family = AF_INET };

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + l->n_connects++ % N_SOURCES);
	return &sa;
}

static void conn_open(struct load *l, struct conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(l->port),
	                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	/* Edge-triggered for both, once: what the client spends on epoll is
	 * taken from the server on a machine with few cores. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };
	int on = 1;

	c->since_ns = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1
	    || setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == -1
	    || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1
	    || bind(c->fd, (const struct sockaddr *)next_source(l), sizeof to) == -1
	    || (connect(c->fd, (struct sockaddr *)&to, sizeof to) == -1 && errno != EINPROGRESS)
	    || epoll_ctl(l->ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
		err(EXIT_FAILURE, "connect to port %d", l->port);
	c->state = CONN_CONNECTING;
}

static void conn_send(struct load *l, struct conn *c)
{
	ssize_t n = write(c->fd, c->message + c->sent, l->bytes - c->sent);

	if (n >= 0)
		c->sent += (size_t)n;
	else if (errno != EAGAIN)
		conn_fail(l, c, strerror(errno));
}

static void conn_talk(struct load *l, struct conn *c)
{
	c->state = CONN_TALKING;
	c->message = l->pattern + random() % N_SHIFTS;
	c->sent = c->got = 0;
	if (l->mode != MODE_EXEC)
		conn_send(l, c);
}

/* Begins the next operation on c, or lets it rest if there is none. */
static void conn_next(struct load *l, struct conn *c)
{
	if (!l->measuring || l->stop || l->started == l->count) {
		l->busy--;
		return;
	}
	l->started++;
	if (c->state == CONN_FREE) {
		conn_open(l, c);
	} else {
		c->since_ns = now_ns();
		conn_talk(l, c);
	}
}

static void conn_done(struct load *l, struct conn *c)
{
	if (l->measuring) {
		l->ops++;
		l->latencies[class_of(now_ns() - c->since_ns)]++;
	}
	if (l->mode == MODE_CONNECT || l->mode == MODE_EXEC)
		conn_close(c);
	else
		c->state = CONN_QUIET;
}

/* Reads till the exchange is complete or there is no more for now. */
static void conn_receive(struct load *l, struct conn *c)
{
	static char buf[65536];
	const char *want = l->mode == MODE_EXEC ? l->expect : c->message;
	size_t len = l->mode == MODE_EXEC ? strlen(l->expect) : l->bytes;

	while (c->state == CONN_TALKING) {
		ssize_t n = read(c->fd, buf, sizeof buf);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			conn_fail(l, c, strerror(errno));
		else if ((size_t)n > len - c->got || memcmp(buf, want + c->got, (size_t)n) != 0)
			conn_fail(l, c, "wrong answer");
		else if (n == 0 && c->got < len)
			conn_fail(l, c, "ended early");
		else if (n == 0 || ((c->got += (size_t)n) == len && l->mode != MODE_EXEC))
			conn_done(l, c);
	}
}

static void conn_connected(struct load *l, struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof error;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		conn_fail(l, c, strerror(error));
	else
		conn_talk(l, c);
}

static void conn_event(struct load *l, struct conn *c, uint32_t events)
{
	if (c->state == CONN_QUIET) {
		conn_fail(l, c, "not asked for");
		return;
	}
	if (c->state == CONN_CONNECTING)
		conn_connected(l, c);
	else if (c->state == CONN_TALKING && c->sent < l->bytes && l->mode != MODE_EXEC)
		conn_send(l, c);
	if (c->state == CONN_TALKING && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		conn_receive(l, c);
	if (c->state == CONN_QUIET || c->state == CONN_FREE)
		conn_next(l, c);
}

static void turn(struct load *l)
{
	struct epoll_event events[256];
	int n = epoll_wait(l->ep, events, 256, 1000);

	for (int i = 0; i < n; i++)
		conn_event(l, events[i].data.ptr, events[i].events);
}

/* What is still under way at the deadline and the grace after it has failed. */
static void run_until_quiet(struct load *l, uint64_t deadline_ns)
{
	while (l->busy > 0) {
		turn(l);
		l->stop |= now_ns() > deadline_ns;
		if (now_ns() > deadline_ns + GRACE_SECONDS * UINT64_C(1000000000)) {
			l->errors += (uint64_t)l->busy;
			warnx("%d connections without an answer when the time was up", l->busy);
			return;
		}
	}
}

/* Opens what stays open, and proves with one exchange that it was accepted. */
static void open_all(struct load *l, uint64_t deadline_ns)
{
	for (int i = 0; i < l->n_conns && !l->stop; i++) {
		conn_open(l, &l->conns[i]);
		l->busy++;
		while (l->busy >= l->opening && !l->stop) {
			turn(l);
			l->stop |= now_ns() > deadline_ns;
		}
	}
	run_until_quiet(l, deadline_ns);
}

static void measure(struct load *l, uint64_t deadline_ns)
{
	l->measuring = true;
	l->busy = l->n_conns;
	for (int i = 0; i < l->n_conns; i++)
		conn_next(l, &l->conns[i]);
	run_until_quiet(l, deadline_ns);
}

/* Says where we are, and waits for a line or the end of standard input. */
static void pass_gate(const struct load *l, const char *name)
{
	char line[16];

	fflush(stdout);
	if (l->gate && (puts(name) == EOF || fflush(stdout) == EOF || !fgets(line, sizeof line, stdin)))
		exit(EXIT_FAILURE);
}

static void print_result(const struct load *l, double seconds)
{
	printf("ops=%" PRIu64 "\nseconds=%.6f\nops_per_sec=%.1f\nerrors=%" PRIu64 "\n"
	       "p50_usec=%.1f\np99_usec=%.1f\n",
	       l->ops, seconds, seconds > 0 ? (double)l->ops / seconds : 0, l->errors,
	       percentile_usec(l, .5), percentile_usec(l, .99));
}

static _Noreturn void usage(void)
{
	fputs("usage: load --port N [--mode ping-pong|connect|exec|hold] [--conns N] [--opening N]\n"
	      "            [--bytes N] [--count N] [--seconds N] [--expect TEXT] [--gate]\n", stderr);
	exit(64);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || end == text || n < min || n > max)
		usage();
	return n;
}

static enum mode mode_from(const char *name)
{
	for (enum mode m = MODE_PING_PONG; m <= MODE_HOLD; m++)
		if (strcmp(name, mode_names[m]) == 0)
			return m;
	usage();
}

static void read_options(struct load *l, int argc, char **argv)
{
	static const struct option options[] = {
		{ "port",    required_argument, NULL, 'p' },
		{ "mode",    required_argument, NULL, 'm' },
		{ "conns",   required_argument, NULL, 'n' },
		{ "opening", required_argument, NULL, 'o' },
		{ "bytes",   required_argument, NULL, 'b' },
		{ "count",   required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "expect",  required_argument, NULL, 'x' },
		{ "gate",    no_argument,       NULL, 'g' },
		{ 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (o) {
		case 'p': l->port = (in_port_t)number(optarg, 1, 65535); break;
		case 'm': l->mode = mode_from(optarg); break;
		case 'n': l->n_conns = (int)number(optarg, 1, MAX_CONNS); break;
		case 'o': l->opening = (int)number(optarg, 1, MAX_CONNS); break;
		case 'b': l->bytes = number(optarg, 1, MAX_BYTES); break;
		case 'c': l->count = number(optarg, 0, UINT32_MAX); break;
		case 's': l->seconds = (int)number(optarg, 1, MAX_SECONDS); break;
		case 'x': l->expect = optarg; break;
		case 'g': l->gate = true; break;
		default:  usage();
		}
	}
	if (!l->port || optind < argc)
		usage();
}

static void prepare(struct load *l)
{
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	alarm((unsigned)l->seconds + 2 * GRACE_SECONDS);        /* should all else fail */

	l->ep = epoll_create1(EPOLL_CLOEXEC);
	l->conns = calloc((size_t)l->n_conns, sizeof *l->conns);
	l->pattern = malloc(l->bytes + N_SHIFTS);
	if (l->ep == -1 || !l->conns || !l->pattern)
		err(EXIT_FAILURE, "prepare");
	for (size_t i = 0; i < l->bytes + N_SHIFTS; i++)
		l->pattern[i] = (char)random();
}

int main(int argc, char **argv)
{
	struct load l = { .n_conns = 1, .opening = 64, .bytes = 64, .count = 10000,
	                  .seconds = 30, .expect = "tiny\n" };
	uint64_t deadline_ns, start_ns;
	double seconds;

	read_options(&l, argc, argv);
	prepare(&l);
	deadline_ns = now_ns() + (uint64_t)l.seconds * 1000000000;
	if (l.mode == MODE_PING_PONG || l.mode == MODE_HOLD)
		open_all(&l, deadline_ns);
	pass_gate(&l, "begin");
	start_ns = now_ns();
	if (l.mode != MODE_HOLD)
		measure(&l, deadline_ns);
	seconds = (double)(now_ns() - start_ns) / 1e9;
	print_result(&l, seconds);
	if (l.mode != MODE_HOLD)
		pass_gate(&l, "end");
	return l.errors ? EXIT_FAILURE : EXIT_SUCCESS;
}
