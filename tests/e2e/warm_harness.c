/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warm programs as tests see them.
 */
#include <config.h>
#include "warm_harness.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "files.h"
#include "harness.h"
#include "operator.h"

const char *warm_config(const char *argv, int n, const char *handler, const char *rest)
{
	return files_text("control = { socket = \"%s\"; };\n"
	                  SERVICES(EXEC("s", "argv = %s; warm = %d; %s", "workers = 1; %s")),
	                  files_path("control.sock"), argv, n, handler, rest);
}

void warm_start(struct daemon *d, const char *argv, int n, const char *handler, const char *rest)
{
	daemon_start(d, "%s", warm_config(argv, n, handler, rest));
}

void warm_start_script(struct daemon *d, const char *text, int n, const char *handler,
                       const char *rest)
{
	const char *path = files_script("script", "%s", text);

	warm_start(d, files_text("\"%s\"", path), n, handler, rest);
}

pid_t warm_next(struct daemon *d)
{
	return (pid_t)event_number(daemon_wait_for(d, "warm-start"), "program");
}

static pid_t program_in(struct daemon *d, const char *name, const struct event *opened)
{
	return (pid_t)event_number(daemon_wait_for(d, "%s id=%s", name, event_word(opened, "id")),
	                           "program");
}

pid_t warm_joined(struct daemon *d, const struct event *opened)
{
	return program_in(d, "warm-join", opened);
}

pid_t warm_cold(struct daemon *d, const struct event *opened)
{
	return program_in(d, "program-start", opened);
}

void warm_check_figures(int waiting, int joined, int cold, int crashed)
{
	const char *want = files_text("\"warm\":{\"waiting\":%d,\"joined\":%d,\"cold\":%d,\"crashed\":%d}",
	                              waiting, joined, cold, crashed);

	ck_assert_int_eq(operator_run_args(files_path("control.sock"), "--json", "services"), 0);
	ck_assert_msg(strstr(operator_output(), want), "%s is not in %s", want, operator_output());
}

bool warm_has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void read_more(struct turn_hook *h, short revents)
{
	struct warm_reader *r = container_of(h, struct warm_reader, hook);
	static char bytes[65536];
	ssize_t n = recv(h->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	(void)revents;
	if (n > 0)
		r->got += (size_t)n;
	if (n > 0 || (n == -1 && errno == EAGAIN))
		return;
	r->error = n == 0 ? 0 : errno;
	r->over = true;
	turn_remove(h);
}

void warm_reader_start(struct warm_reader *r, int fd)
{
	*r = (struct warm_reader){ .hook = { .fd = fd, .events = POLLIN, .ready = read_more } };
	turn_add(&r->hook);
}

void warm_reader_stop(struct warm_reader *r)
{
	turn_remove(&r->hook);
}

int warm_read_away(int fd, size_t *got)
{
	struct warm_reader r;

	warm_reader_start(&r, fd);
	while (!r.over)
		turn_once();
	if (got)
		*got = r.got;
	return r.error;
}

struct warm_fifo warm_fifo(const char *name)
{
	struct warm_fifo f = { .path = files_mkfifo(name) };

	f.fd = open(f.path, O_RDWR | O_CLOEXEC);
	ck_assert_msg(f.fd != -1, "%s: %m", f.path);
	return f;
}

void warm_tell(const struct warm_fifo *f, const char *line)
{
	const char *text = files_text("%s\n", line);

	ck_assert_int_eq(write(f->fd, text, strlen(text)), (ssize_t)strlen(text));
}

const char *warm_hear(const struct warm_fifo *f)
{
	char line[1024];
	size_t len = 0;

	do {
		ck_assert_uint_lt(len, sizeof line - 1);
		turn_until_ready(f->fd, POLLIN);
		ck_assert_int_eq(read(f->fd, line + len, 1), 1);
	} while (line[len++] != '\n');
	return files_text("%.*s", (int)len - 1, line);
}

struct warm_orders warm_start_orders(struct daemon *d, int n, const char *rest)
{
	struct warm_orders o = { .to = warm_fifo("orders"), .heard = warm_fifo("heard") };

	warm_start_script(d, files_text("read -r what <%s; echo $$ >%s; eval \"$what\"; exec cat",
	                  o.to.path, o.heard.path), n, "", rest);
	return o;
}

void warm_order(const struct warm_orders *o, pid_t program, const char *what)
{
	warm_tell(&o->to, what);
	ck_assert_int_eq(atoi(warm_hear(&o->heard)), program);
}

struct warm_work warm_start_work(struct daemon *d, int n, const char *rest)
{
	struct warm_work w = { .up = warm_fifo("up"), .release = warm_fifo("release") };

	warm_start_script(d, files_text("trap 'exit 7' TERM; trap '' PIPE\n"
	                  "while read -r line; do\n"
	                  "  echo \"$line\"; [ \"$line\" = wait ] && exec sleep 1000\n"
	                  "done\n"
	                  "echo gone >%s; echo for nobody; read -r line <%s; exit 0",
	                  w.up.path, w.release.path), n, "", rest);
	w.fd = daemon_connect(d, "s");
	w.opened = daemon_accepted(d, w.fd);
	client_echo(w.fd);
	return w;
}
