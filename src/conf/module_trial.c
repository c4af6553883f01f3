/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The child that tries a module, and what it tells its parent: a record for each thing, over a pipe.
 * The child is the user of the service, where it can be, and has no other descriptor than the file of
 * the module and the pipe.
 */
#include <config.h>
#include "module_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "detach.h"
#include "fd.h"
#include "module_file.h"
#include "module_options.h"
#include "privileges.h"
#include "signals.h"

#define RECORDS_MAX 200                 /* of one child */

enum step { STEP_BEGIN, STEP_LOADED, STEP_ENDED };      /* how far the child has come */

enum told { TOLD_STEP, TOLD_MODULE, TOLD_WRONG, TOLD_OPTION };

/* One record; it is written at once, because it is smaller than PIPE_BUF (pipe(7)). */
struct record {
	enum told told;
	enum step step;
	uint32_t  flags;
	size_t    option;               /* TOLD_OPTION: its number in the tree */
	char      name[MODULE_NAME_MAX + 1], version[MODULE_NAME_MAX + 1];
	char      text[1024];
};

/* ---- in the child ------------------------------------------------------- */

static void tell(int pipe, const struct record *r)
{
	if (fd_write_all(pipe, (const char *)r, sizeof *r) == -1)
		_exit(EX_OSERR);
}

static void tell_text(int pipe, enum told told, const char *text)
{
	struct record r = { .told = told };

	strncpy(r.text, text, sizeof r.text - 1);
	tell(pipe, &r);
}

static void tell_of_option(void *arg, const struct conf_option *o, const char *text)
{
	struct record r = { .told = TOLD_OPTION, .option = o->number_in_tree };

	strncpy(r.text, text, sizeof r.text - 1);
	tell(*(const int *)arg, &r);
}

/* A module that is started in a worker is not root there either; with a chroot it is loaded before that. */
static int become_user(const struct conf_service *svc, const char **what)
{
	const struct privileges p = {
		.uid = svc->identity.uid, .gid = svc->identity.gid, .groups = svc->identity.groups,
		.n_groups = svc->identity.n_groups, .directory = "/", .no_new_privs = true,
	};

	return geteuid() == 0 ? privileges_take(&p, what) : 0;
}

/* Nothing of this process lasts: no core dump, and no process that the module starts. */
static void bound(void)
{
	const struct rlimit none = { 0, 0 };

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	alarm(MODULE_TRIAL_MS / 1000 + 1);
}

static void configure(const struct drover_module *m, const struct conf_service *svc,
                      const struct conf_module *named, int pipe)
{
	struct module_options options = { .module = named, .complain = tell_of_option, .arg = &pipe };
	int result = 0;

	options.asked = calloc(named->n_options, sizeof *options.asked);
	if (!options.asked)
		_exit(EX_OSERR);
	module_options_init(&options, svc->name);
	if (m->configure)
		result = m->configure(&options.config);
	if (result == 0)
		module_options_judge_unasked(&options);
	else if (options.n_complaints == 0)
		tell_text(pipe, TOLD_WRONG, "it refuses its options, and does not say why");
}

/* Root may have begun this in a terminal, into whose input no module may type. */
static int leave_terminal(const char **what)
{
	*what = "leave the terminal";
	if (detach_from_terminal() == -1)
		return -1;
	return dup2(STDOUT_FILENO, STDERR_FILENO) == -1 ? -1 : 0;
}

/* The configuration is in memory that this process shares with the one that will use it. */
static int keep_configuration(struct conf_loader *ld, const char **what)
{
	*what = "keep a copy of the configuration";
	return arena_seal(ld->arena, ld->arena->used);
}

static _Noreturn void try_module(struct conf_loader *ld, const struct conf_service *svc, int fd, int pipe)
{
	struct conf_module named = svc->handler.module;
	struct record r = { .told = TOLD_MODULE };
	struct drover_module m;
	const char *what;
	char why[MODULE_WHY_MAX];

	if (keep_configuration(ld, &what) == -1 || leave_terminal(&what) == -1 ||
	    become_user(svc, &what) == -1) {
		snprintf(r.text, sizeof r.text, "%s: %s", what, strerror(errno));
		tell_text(pipe, TOLD_WRONG, r.text);
		_exit(EX_OSERR);
	}
	bound();                /* a change of the user takes PR_SET_PDEATHSIG back: prctl(2) */
	if (module_file_load(fd, &m, why) == -1) {
		tell_text(pipe, TOLD_WRONG, why);
		_exit(EX_CONFIG);
	}
	r.flags = m.flags;
	strcpy(r.name, m.name);
	strcpy(r.version, m.version);
	tell(pipe, &r);
	tell(pipe, &(struct record){ .told = TOLD_STEP, .step = STEP_LOADED });
	named.name = r.name;
	named.version = r.version;
	configure(&m, svc, &named, pipe);
	tell(pipe, &(struct record){ .told = TOLD_STEP, .step = STEP_ENDED });
	_exit(EX_OK);
}

/* ---- in the parent ------------------------------------------------------ */

struct trial {
	struct conf_loader  *ld;
	struct conf_service *svc;
	enum step            step;
	unsigned             n_heard, wrong;
};

static __attribute__((format(printf, 2, 3))) void complain(struct trial *t, const char *format, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	t->wrong++;
	conf_errors_at(&t->ld->errors, t->svc->handler.module.place, "services.%s.handler cannot use the"
	               " module %s: %s", t->svc->name, t->svc->handler.module.path, text);
}

static const struct conf_option *find_option(const struct conf_option *o, size_t number)
{
	const struct conf_option *found = o->number_in_tree == number ? o : NULL;

	for (size_t i = 0; !found && i < o->n; i++)
		found = find_option(&o->members[i], number);
	return found;
}

/* What follows comes from a process in which foreign code runs. */

static bool hear_option(struct trial *t, const struct record *r)
{
	const struct conf_option *o = find_option(t->svc->handler.module.options, r->option);

	if (!o)
		return false;
	t->wrong++;
	conf_errors_at(&t->ld->errors, o->place, "%s %s", o->full_name, r->text);
	return true;
}

static bool hear_module(struct trial *t, const struct record *r)
{
	struct conf_module *m = &t->svc->handler.module;

	if (t->step != STEP_BEGIN || m->name || !module_file_is_word(r->name) ||
	    !module_file_is_word(r->version))
		return false;
	m->flags = r->flags;
	m->name = conf_loader_strdup(t->ld, r->name);
	m->version = conf_loader_strdup(t->ld, r->version);
	return m->name && m->version;
}

static bool hear_step(struct trial *t, const struct record *r)
{
	if (r->step != t->step + 1 || r->step > STEP_ENDED || !t->svc->handler.module.name)
		return false;
	t->step = r->step;
	return true;
}

/* False: the child would not say that. */
static bool hear(struct trial *t, struct record *r)
{
	r->name[MODULE_NAME_MAX] = r->version[MODULE_NAME_MAX] = r->text[sizeof r->text - 1] = '\0';
	if (++t->n_heard > RECORDS_MAX)
		return false;
	switch (r->told) {
	case TOLD_STEP:
		return hear_step(t, r);
	case TOLD_MODULE:
		return hear_module(t, r);
	case TOLD_WRONG:
		complain(t, "%s", r->text);
		return true;
	case TOLD_OPTION:
		return hear_option(t, r);
	}
	return false;
}

/* Until the child has ended, or the time is over. True: it has told everything. */
static bool hear_all(struct trial *t, int pipe)
{
	const int64_t until = clock_ms() + MODULE_TRIAL_MS;
	struct record r;
	size_t len = 0;

	for (;;) {
		const int64_t left = until - clock_ms();
		struct pollfd p = { .fd = pipe, .events = POLLIN };
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return false;
		n = read(pipe, (char *)&r + len, sizeof r - len);
		if (n == 0 || (n == -1 && errno != EINTR))
			return true;
		len += n > 0 ? (size_t)n : 0;
		if (len == sizeof r && !hear(t, &r)) {
			complain(t, "the process that tried it says too much, or what is not understood");
			return true;
		}
		if (len == sizeof r)
			len = 0;
		if (t->step == STEP_ENDED)
			return true;            /* a process that the module has started may have the pipe as well */
	}
}

/* The child has ended without having said all. */
static void judge_end(struct trial *t, bool in_time, int status)
{
	static const char *const where[] = { [STEP_BEGIN] = "while it was loaded", [STEP_LOADED] = "in its configure" };
	char how[SIGNALS_END_TEXT];

	if (t->step == STEP_ENDED || (t->wrong > 0 && in_time))
		return;
	if (!in_time)
		complain(t, "it does not come to an end %s (%d s)", where[t->step], MODULE_TRIAL_MS / 1000);
	else
		complain(t, "the process that tried it %s %s", signals_describe_end(status, how), where[t->step]);
}

bool module_trial(struct conf_loader *ld, struct conf_service *svc, int fd)
{
	struct trial t = { .ld = ld, .svc = svc };
	int ends[2], status = 0;
	bool in_time;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) == -1 || (child = fork()) == -1) {
		complain(&t, "start a process to try it: %s", strerror(errno));
		fd_close(&fd);
		return false;
	}
	if (child == 0) {
		int keep[] = { fd, ends[1] };

		fd_keep_only(keep, 2);
		try_module(ld, svc, fd, ends[1]);
	}
	fd_close(&fd);
	fd_close(&ends[1]);
	in_time = hear_all(&t, ends[0]);
	fd_close(&ends[0]);
	kill(-child, SIGKILL);          /* what the module has started */
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
	judge_end(&t, in_time, status);
	return t.wrong == 0;
}
