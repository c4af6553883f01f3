/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main function of droverd: does what the command line asks for, and returns the exit status.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "activation.h"
#include "conf.h"
#include "conf_validity.h"
#include "detach.h"
#include "fd.h"
#include "log.h"
#include "options.h"
#include "run.h"
#include "signals.h"
#include "standard_fds.h"
#include "title.h"

#define NAMES_SHOWN 5                   /* of a certificate */

/* ---- -t and -T ---------------------------------------------------------- */

static void print_complaint(void *arg, enum conf_weight weight, const char *line)
{
	(void)weight;
	fprintf(arg, "%s\n", line);
}

/* One that several services name is printed for the first of them. */
static bool is_printed(const struct conf *conf, size_t n_services, const char *path)
{
	for (size_t i = 0; i < n_services; i++) {
		const struct conf_handler *h = &conf->services[i]->handler;

		for (size_t k = 0; k < h->n_env_files; k++)
			if (strcmp(h->env_files[k].path, path) == 0)
				return true;
	}
	return false;
}

static void print_env_files(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_services; i++) {
		const struct conf_handler *h = &conf->services[i]->handler;

		for (size_t k = 0; k < h->n_env_files; k++)
			if (!is_printed(conf, i, h->env_files[k].path))
				printf("%s: read, %zu variables\n", h->env_files[k].path, h->env_files[k].n);
	}
}

static void print_files(const struct conf *conf)
{
	for (const char **f = conf->files_read; f && *f; f++)
		printf("%s: read\n", *f);
	for (size_t i = 0; i < conf->n_prefix_lists; i++)
		printf("%s: read, %zu prefixes\n", conf->prefix_lists[i].path, conf->prefix_lists[i].n);
	print_env_files(conf);
	for (const char **f = conf->files_passed; f && *f; f++)
		printf("%s: not read, no include pattern takes it\n", *f);
}

/* "NAME, NAME and 3 more". */
static void print_names(const struct conf_certificate *c)
{
	size_t n = 0;

	while (c->names[n])
		n++;
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
		printf("%s%s", i ? ", " : "", c->names[i]);
	if (n > NAMES_SHOWN)
		printf(" and %zu more", n - NAMES_SHOWN);
	else if (n == 0)
		printf("no names");
}

static void print_certificates(const struct conf *conf)
{
	const int64_t now = time(NULL);
	char text[CONF_VALIDITY_TEXT];

	for (size_t i = 0; i < conf->n_services; i++) {
		const struct conf_tls *tls = &conf->services[i]->tls;

		for (size_t k = 0; tls->on && k < tls->n_certificates; k++) {
			printf("%s: ", tls->certificates[k].chain);
			print_names(&tls->certificates[k]);
			printf(": %s, %s\n", tls->certificates[k].type,
			       conf_validity_text(&tls->certificates[k], now, text));
		}
	}
}

/* The running program, which asks in a trial, takes each line as a reason to refuse. */
static void print_error(void *arg, enum conf_weight weight, const char *line)
{
	if (weight == CONF_ERROR)
		print_complaint(arg, weight, line);
}

static int check(const struct options *o, const struct takeover *t)
{
	const struct conf *conf;
	struct arena a;
	int status;

	if (arena_open(&a, CONF_ARENA_SIZE) == -1) {
		log_err("%m");
		return EX_OSERR;
	}
	status = conf_load_for(CONF_FOR_SHELL, &a, o->file, o->text, NULL,
	                       t->trial != -1 ? print_error : print_complaint, stderr, &conf);
	/* Not after an error: the list would come behind it, and hide it. */
	if (o->action == OPTIONS_TEST && status == EX_OK)
		print_files(conf);
	if (o->action == OPTIONS_TEST && status == EX_OK)
		print_certificates(conf);
	if (status == EX_OK && o->action == OPTIONS_TEST)
		printf("%s: configuration ok\n", o->file);
	else if (status == EX_OK)
		conf_dump(conf, stdout);
	arena_close(&a);
	if (status == EX_OK && t->trial != -1 && !takeover_try(t))
		return EX_SOFTWARE;
	if (fflush(stdout) == EOF) {
		log_err("standard output: %m");
		return EX_IOERR;
	}
	return status;
}

/* ---- -d ----------------------------------------------------------------- */

/* The parent exits with 0 when the daemon is ready, and with the failure of one that ends before. */
static _Noreturn void wait_for_daemon(pid_t daemon, int ready_fd, const sigset_t *mask)
{
	char byte;
	int status;

	sigprocmask(SIG_SETMASK, mask, NULL);   /* a signal may end the waiting */
	if (read(ready_fd, &byte, 1) == 1)
		_exit(EX_OK);
	while (waitpid(daemon, &status, 0) == -1 && errno == EINTR)
		;
	/* A daemon that was told to stop before it was ready exits with 0, but nothing serves. */
	_exit(!WIFEXITED(status) ? EX_SOFTWARE :
	      WEXITSTATUS(status) == EX_OK ? EX_UNAVAILABLE : WEXITSTATUS(status));
}

/* In the daemon: leaves standard error, too, and tells the parent. */
static void say_ready(void *arg)
{
	int *ready_fd = arg;

	standard_fds_leave_err();
	if (write(*ready_fd, "", 1) == -1)
		log_warn("tell the parent: %m");
	fd_close(ready_fd);
}

/* Closes a lock or a pipe of the process that started this one, which may wait until it is closed. */
static int leave_descriptors(size_t n_passed, int ready_fd, int self_fd)
{
	int *keep = calloc(n_passed + 2, sizeof *keep), result;

	if (!keep)
		return -1;
	keep[0] = ready_fd;
	keep[1] = self_fd;
	for (size_t i = 0; i < n_passed; i++)
		keep[i + 2] = SD_LISTEN_FDS_START + (int)i;
	result = fd_keep_only(keep, n_passed + 2);
	free(keep);
	return result;
}

/* Returns in the daemon, with the descriptor for say_ready; -1 with errno. */
static int detach(const sigset_t *mask, int self_fd)
{
	const pid_t parent = getpid();
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid > 0) {
		fd_drop(ends[1]);
		wait_for_daemon(pid, ends[0], mask);
	}
	fd_drop(ends[0]);
	/* A reader of the output must not wait for the daemon's end. Errors may still be written. */
	if (pid == -1 || detach_from_terminal() == -1 || chdir("/") == -1 ||
	    leave_descriptors(activation_take(parent), ends[1], self_fd) == -1)
		return fd_drop(ends[1]);
	return ends[1];
}

/* EX_OK, or an exit status after the reason was logged. */
static int judge_start(const struct options *o)
{
	char why[512];

	if (!activation_judge(why, sizeof why)) {
		log_err("%s", why);
		return EX_CONFIG;
	}
	if (o->detach && getpid() == 1) {
		log_err("-d: process 1 must stay in the foreground, because its container ends with it");
		return EX_USAGE;
	}
	if (access("/dev/null", R_OK | W_OK) == -1) {
		log_err("/dev/null: %m; no process can be started without it");
		return EX_OSERR;
	}
	return EX_OK;
}

static int serve(const struct options *o, struct self *self, struct takeover *t, char **argv,
                 const sigset_t *mask)
{
	int ready_fd = -1;
	struct run_options run = {
		.source = { .file = o->file, .text = o->text },
		.detached = o->detach, .self = self, .takeover = t,
		.hangup_ignored = signals_is_ignored(SIGHUP), .notice = o->notice,
	};
	int status = t->due ? EX_OK : judge_start(o);

	if (status != EX_OK)
		return status;
	if (title_init(argv) == -1)
		log_warn("set the title of the process: %m");
	title_set("droverd: master %s", o->subject ? o->subject : "?");
	title_set_name("droverd");
	if (o->detach && t->due && chdir("/") == -1)
		log_warn("change to /: %m");
	if (o->detach && !t->due) {
		ready_fd = detach(mask, self->fd);
		if (ready_fd == -1) {
			log_err("detach: %m");
			return EX_OSERR;
		}
		run.ready = say_ready;
		run.arg = &ready_fd;
	}
	return run_master(&run);
}

int main(int argc, char **argv)
{
	struct options o;
	struct takeover t;
	struct self self;
	sigset_t mask;
	int status = EX_OK;

	signals_block(&mask);
	standard_fds_ensure();  /* else a socket could become one, and be written to as a log */
	takeover_find(&t);
	if (self_init(&self, argv) == -1) {
		log_err("%m");
		return EX_OSERR;
	}
	options_read(&o, argc, argv);
	switch (o.action) {
	case OPTIONS_SERVE:
		status = serve(&o, &self, &t, argv, &mask);
		break;
	case OPTIONS_TEST:
	case OPTIONS_DUMP:
		sigprocmask(SIG_SETMASK, &mask, NULL);
		status = check(&o, &t);
		break;
	case OPTIONS_DONE:
		break;
	case OPTIONS_BAD:
		takeover_decline(&self, &t, "the new program does not know its arguments");
		status = EX_USAGE;
		break;
	}
	options_free(&o);
	self_fini(&self);
	return status;
}
