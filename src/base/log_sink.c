/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Opens log targets and writes lines to them. Writes never block. The descriptor that was
 * inherited as standard error is never changed, because its flags belong to all processes that
 * have it.
 */
#include <config.h>
#include "log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "fd_passing.h"
#include "text.h"

#define PASS_WAIT_MS 100                /* for a slow reader of a pipe: lines of all services wait with it */

enum transport {
	BY_WRITE,               /* a regular file, or a description of our own with O_NONBLOCK */
	BY_SEND,                /* a socket: MSG_DONTWAIT */
	BY_POLL,                /* a blocking description of another process: polled before each line */
};

struct log_sink {
	enum log_target target;
	enum log_format format;
	enum transport  transport;
	int             fd;
	bool            tagged;         /* lines begin with sd-daemon(3)'s <N> */
	bool            has_fields;     /* a line is fields, not a message: the access log */
	bool            torn;           /* the target may end in the middle of a line */
	unsigned long   dropped;        /* lines since the last one that went through */
	int             why;            /* errno of the first of them */
	char           *path;           /* FILE: to open it again */
};

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* systemd says in JOURNAL_STREAM which device and inode its journal has: systemd.exec(5). */
static bool is_journal_stream(const struct stat *st)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       dev == st->st_dev && ino == st->st_ino;
}

static int open_stderr(struct log_sink *s)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) == -1)
		return -1;
	s->tagged = is_journal_stream(&st);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		s->transport = BY_WRITE;
		s->fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (s->fd != -1)
			return 0;
		s->transport = BY_POLL;
	} else {
		s->transport = S_ISSOCK(st.st_mode) ? BY_SEND : BY_WRITE;
	}
	s->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return s->fd == -1 ? -1 : 0;
}

static const struct sockaddr_un syslog_at = { AF_UNIX, "/dev/log" };
static const struct sockaddr_un journal_at = { AF_UNIX, "/run/systemd/journal/socket" };

const char *log_sink_socket(enum log_target target)
{
	return target == LOG_TARGET_SYSLOG ? syslog_at.sun_path :
	       target == LOG_TARGET_JOURNAL ? journal_at.sun_path : NULL;
}

/*
 * syslogd and the journal both read datagrams; those of the journal are in its native
 * protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). libsystemd speaks it as well, but
 * its sender waits when the journal does not read.
 */
static int open_datagram(enum log_target target)
{
	const struct sockaddr_un *to = target == LOG_TARGET_SYSLOG ? &syslog_at : &journal_at;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Workers have this socket, too: they must not send it descriptors for the master to close. */
	if (fd != -1 && (connect(fd, (const struct sockaddr *)to, sizeof *to) == -1 ||
	                 fd_passing_shut(fd) == -1))
		return fd_drop(fd);
	return fd;
}

static int open_target(struct log_sink *s)
{
	switch (s->target) {
	case LOG_TARGET_STDERR:
		return open_stderr(s);
	case LOG_TARGET_SYSLOG:
	case LOG_TARGET_JOURNAL:
		s->transport = BY_SEND;
		s->fd = open_datagram(s->target);
		break;
	case LOG_TARGET_FILE:
		s->transport = BY_WRITE;
		s->fd = log_sink_open_again(s);
		break;
	case LOG_TARGET_NONE:
		errno = EINVAL;
		return -1;
	}
	return s->fd == -1 ? -1 : 0;
}

struct log_sink *log_sink_open(enum log_target target, const char *path, enum log_format format)
{
	struct log_sink *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	*s = (struct log_sink){ .target = target, .format = format, .fd = -1 };
	if (path && !(s->path = strdup(path)))
		goto fail;
	if (open_target(s) == 0)
		return s;
fail:
	log_sink_close(&s);
	return NULL;
}

void log_sink_close(struct log_sink **sp)
{
	struct log_sink *s = *sp;
	int saved = errno;

	*sp = NULL;
	if (!s)
		return;
	fd_close(&s->fd);
	free(s->path);
	free(s);
	errno = saved;
}

enum log_format log_sink_format(const struct log_sink *s)
{
	return s->format;
}

static bool is_datagram(const struct log_sink *s)
{
	return s->target == LOG_TARGET_SYSLOG || s->target == LOG_TARGET_JOURNAL;
}

void log_sink_hold_fields(struct log_sink *s)
{
	s->has_fields = true;
}

bool log_sink_is_bare(const struct log_sink *s)
{
	return !is_datagram(s) && !s->tagged && s->format != LOG_FORMAT_PLAIN;
}

const char *log_sink_path(const struct log_sink *s)
{
	return s->path;
}

int log_sink_fd(const struct log_sink *s)
{
	return s->fd;
}

int log_sink_open_again(const struct log_sink *s)
{
	if (s->target == LOG_TARGET_FILE)
		return open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		            0640);
	return fcntl(s->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static bool is_same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

void log_sink_switch(struct log_sink *s, int fd)
{
	s->torn = s->torn && is_same_file(s->fd, fd);
	fd_close(&s->fd);
	s->fd = fd;
}

/* As syslog(3) writes it: RFC 3164. */
static void add_syslog_head(struct text *t, enum log_level level)
{
	char stamp[CLOCK_TEXT_MAX];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &tm);
	text_add(t, "<%d>%s droverd[%d]: ", LOG_DAEMON | priorities[level], stamp, (int)getpid());
}

/* All fields but the end of the last one, which is the message: what is cut is cut there. */
static void add_journal_head(struct text *t, enum log_level level, const struct log_fields *about)
{
	text_add(t, "PRIORITY=%d\nSYSLOG_IDENTIFIER=droverd\n", priorities[level]);
	log_fields_add_journal(t, about);
	text_add_string(t, "MESSAGE=");
}

/* What comes before a line on this target. */
static void add_head(struct text *t, const struct log_sink *s, enum log_level level,
                     const struct log_fields *about)
{
	char stamp[CLOCK_TEXT_MAX];

	if (s->target == LOG_TARGET_SYSLOG)
		add_syslog_head(t, level);
	else if (s->target == LOG_TARGET_JOURNAL)
		add_journal_head(t, level, about);
	else if (s->tagged)
		text_add(t, "<%d>", priorities[level]);
	switch (s->format) {
	case LOG_FORMAT_JSON:
		text_add(t, "{\"time\":\"%s\",", clock_text(stamp, sizeof stamp));
		break;
	case LOG_FORMAT_TEXT:
		if (log_sink_is_bare(s))
			text_add(t, "%s ", clock_text(stamp, sizeof stamp));
		break;
	case LOG_FORMAT_TEMPLATE:
		break;
	case LOG_FORMAT_PLAIN:
		text_add(t, s->tagged ? "" : "droverd: ");
		break;
	}
}

/* RWF_NOWAIT works on pipes since Linux 6.4. Before, two writers may see the same room, and one may wait. */
static ssize_t write_now(int fd, const char *line, size_t len)
{
	/* It is only read; the type of iov_base is older than const. */
	const struct iovec iov = { .iov_base = (void *)(uintptr_t)line, .iov_len = len };
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (n != -1 || errno != EOPNOTSUPP)
		return n;
	if (poll(&p, 1, 0) == 1 && p.revents & POLLOUT)
		return write(fd, line, len);
	errno = EAGAIN;
	return -1;
}

static ssize_t put_bytes(const struct log_sink *s, const char *bytes, size_t len)
{
	switch (s->transport) {
	case BY_POLL:
		return write_now(s->fd, bytes, len);
	case BY_WRITE:
		return write(s->fd, bytes, len);
	case BY_SEND:
		break;
	}
	return send(s->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* There is no room in the file, neither for us nor for others. */
static bool is_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/*
 * Returns how many bytes the target took; if that is not all, errno says why. If a file is
 * full, another process may have written a part of a line there, even if we wrote nothing.
 */
static size_t write_lines(struct log_sink *s, const char *lines, size_t len)
{
	size_t done = 0;

	while (done < len) {
		const ssize_t n = put_bytes(s, lines + done, len - done);

		if (n > 0) {
			done += (size_t)n;      /* the next call writes the rest, or fails */
		} else if (n == 0 || errno != EINTR) {
			errno = n == 0 ? EAGAIN : errno;
			break;
		}
	}
	if (done == len)
		s->torn = false;
	else if (!is_datagram(s))
		s->torn |= (done > 0 && lines[done - 1] != '\n') || is_full(errno);
	return done;
}

static bool deliver_line(struct log_sink *s, const char *line, size_t len)
{
	return write_lines(s, line, len) == len;
}

/* The daemon that reads the datagrams may have been restarted: its socket is then a new one. */
static bool deliver_again(struct log_sink *s, const char *line, size_t len)
{
	int fd;

	if (!is_datagram(s) || errno == EAGAIN)
		return false;
	fd = open_datagram(s->target);
	if (fd == -1)
		return false;
	log_sink_switch(s, fd);
	return deliver_line(s, line, len);
}

static bool put_line(struct log_sink *s, enum log_level level, const struct log_fields *about,
                     const char *body)
{
	const bool json = s->format == LOG_FORMAT_JSON;
	char buf[LOG_LINE_MAX + LOG_FIELDS_MAX];        /* the journal has fields, and no pipe before it */
	struct text t = text_in(buf, sizeof buf - 2);   /* room for "}\n" */

	if (s->torn)
		text_add_string(&t, "\n");
	add_head(&t, s, level, about);
	text_add(&t, "%s", body);
	if (json)
		t.buf[t.len++] = '}';
	if (s->target != LOG_TARGET_SYSLOG)
		t.buf[t.len++] = '\n'; /* the journal wants one after the last field, too */
	return deliver_line(s, buf, t.len) || deliver_again(s, buf, t.len);
}

static const char *reason_of(const struct log_sink *s)
{
	return s->why == EAGAIN ? "its target was blocked" : strerror(s->why);
}

static const struct log_fields drops = { .event = LOG_EVENT_LINES_DROPPED };

static void add_json_drops(const struct log_sink *s, struct text *t)
{
	text_add(t, "\"level\":\"warning\",\"pid\":%d,", (int)getpid());
	log_fields_add_json(t, &drops);
	text_add(t, "\"dropped\":%lu,\"message\":\"", s->dropped);
}

/* Writes the line about dropped lines, in the form of the other lines of this log. */
static void describe_drops(const struct log_sink *s, struct text *t)
{
	const bool json = s->format == LOG_FORMAT_JSON;
	const char *why = reason_of(s);
	const int pid = (int)getpid();
	char stamp[CLOCK_TEXT_MAX];

	if (s->format == LOG_FORMAT_TEMPLATE && log_sink_is_bare(s))
		text_add(t, "%s ", clock_text(stamp, sizeof stamp));
	if (s->has_fields) {
		text_add(t, json ? "\"dropped\":%lu,\"pid\":%d,\"reason\":\"%s\""
		                 : "dropped=%lu pid=%d reason=\"%s\"", s->dropped, pid, why);
		return;
	}
	if (json)
		add_json_drops(s, t);
	else if (log_sink_is_bare(s))
		text_add(t, "warning %d ", pid);
	text_add(t, "%lu lines of this log were dropped: %s%s", s->dropped, why, json ? "\"" : "");
}

static bool put_drop_count(struct log_sink *s)
{
	char body[256 + LOG_FIELDS_MAX];
	struct text t = text_in(body, sizeof body);

	if (s->dropped == 0)
		return true;
	describe_drops(s, &t);
	if (!put_line(s, LOG_LEVEL_WARNING, &drops, body))
		return false;
	s->dropped = 0;
	return true;
}

static void count_drops(struct log_sink *s, unsigned long n)
{
	if (s->dropped == 0)
		s->why = errno;
	s->dropped += n;
}

void log_sink_put(struct log_sink *s, enum log_level level, const struct log_fields *about,
                  const char *body)
{
	int saved = errno;

	if (!put_drop_count(s) || !put_line(s, level, about, body))
		count_drops(s, 1);
	errno = saved;
}

static unsigned long count_lines(const char *lines, size_t len)
{
	unsigned long n = 0;

	for (size_t i = 0; i < len; i++)
		n += lines[i] == '\n';
	return n;
}

/* Waits for a pipe or a FIFO whose reader is slow for a moment. */
static bool takes_more_soon(const struct log_sink *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return poll(&p, 1, PASS_WAIT_MS) == 1 && p.revents & POLLOUT;
}

void log_sink_pass(struct log_sink *s, const char *lines, size_t len)
{
	size_t done = 0;

	if (put_drop_count(s) && (!s->torn || deliver_line(s, "\n", 1))) {
		do
			done += write_lines(s, lines + done, len - done);
		while (done < len && errno == EAGAIN && takes_more_soon(s));
	}
	if (done < len)
		count_drops(s, count_lines(lines + done, len - done));
}

bool log_sink_is_delicate(const struct log_sink *s)
{
	return s && (s->target == LOG_TARGET_FILE || !fd_only_takes_bytes(s->fd));
}

bool log_sink_is_standard_error(const struct log_sink *s)
{
	return s->target == LOG_TARGET_STDERR;
}

void log_sink_divert(struct log_sink *s, int pipe)
{
	log_sink_switch(s, pipe);
	s->transport = BY_WRITE;
	s->torn = false;
	s->dropped = 0;                 /* the master counts its own */
}
