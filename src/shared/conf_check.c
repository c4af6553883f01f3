/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services, checked as a whole. Complaints go to the setting that says it,
 * which may be one in `defaults`.
 */
#include <config.h>
#include "conf_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf_group.h"
#include "conf_path.h"
#include "conf_sandbox.h"
#include "framing.h"
#include "interpreter.h"
#include "units.h"

/* Where the service got a key from; the service itself if from nowhere. */
static config_setting_t *origin(const struct conf_draft *d, const char *path)
{
	config_setting_t *found = config_setting_lookup(d->own, path);

	if (!found && d->defaults)
		found = config_setting_lookup(d->defaults, path);
	return found ? found : d->own;
}

/* A path that a service needs: says what is wrong with it, or that it cannot be known. */
static void tell_verdict(struct conf_loader *ld, const config_setting_t *where, const char *chroot,
                         struct conf_path_verdict v, const char *what, const char *path)
{
	char hint[SANDBOX_PATHS_HINT_MAX];
	const char *in = chroot ? " in " : "";
	const char *root = chroot ? chroot : "";

	if (v.wrong) {
		conf_source_complain(ld, where, "%s %s%s%s: %s%s", what, path, in, root, v.wrong,
		                     conf_sandbox_hint(chroot ? chroot : path, hint));
		conf_report_mark_file(&ld->report, v.error);
	} else if (v.unseen && geteuid() != 0) {
		conf_source_warn(ld, where, "names %s%s%s, which could not be judged (%s)", path,
		                 in, root, v.unseen);
	}
}

static void judge_program(struct conf_loader *ld, const config_setting_t *where, const char *chroot,
                          const char *path)
{
	struct conf_path_verdict v = conf_path_judge_program(chroot, path);
	char why[INTERPRETER_TEXT_MAX];

	if (!v.wrong && !v.unseen)
		v.wrong = interpreter_judge(chroot, path, why);
	tell_verdict(ld, where, chroot, v, "cannot execute", path);
}

/* The file to execute: `program`, or else argv[0]. */
static void check_program(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	const config_setting_t *argv = origin(d, "handler.argv");
	const config_setting_t *where = origin(d, "handler.program");

	if (!h->argv[0]) {
		/* One of a wrong type has been complained of. */
		if (argv == d->own || config_setting_length(argv) == 0)
			conf_source_complain(ld, origin(d, "handler"), "needs argv (a program"
			                     " and its arguments)");
		return;
	}
	if (!h->program) {
		if (where != d->own)
			return;         /* what it holds has been complained of */
		where = argv;
		h->program = h->argv[0];
	}
	if (h->program[0] == '/')
		judge_program(ld, where, d->service->chroot, h->program);
	else
		conf_source_complain(ld, argv, "begins with \"%s\" (the program is an absolute"
		                     " path; program = \"/...\" names it apart from argv[0])",
		                     h->program);
}

/* What drover says about each connection must not come from elsewhere: drover.conf(5). */
static void check_variable(struct conf_loader *ld, const config_setting_t *where,
                           const char *setting)
{
	static const char *const ours[] = {
		"PROTO", "REMOTE_ADDR", "REMOTE_PORT", "DROVER_SERVICE", "DROVER_CONNECTION",
		"TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT",
		"TCP6REMOTEIP", "TCP6REMOTEPORT", "TCP6LOCALIP", "TCP6LOCALPORT",
	};
	const size_t len = strcspn(setting, "=");

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strncmp(ours[i], setting, len) == 0 && ours[i][len] == '\0')
			conf_source_complain(ld, where, "sets %s, which drover itself says about"
			                     " each connection", ours[i]);
}

static void check_environment(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_handler *h = &d->service->handler;

	for (size_t i = 0; h->env[i]; i++)
		if (!strchr(h->env[i], '=') || h->env[i][0] == '=')
			conf_source_complain(ld, origin(d, "handler.env"),
			                     "holds \"%s\" (NAME=VALUE)", h->env[i]);
		else
			check_variable(ld, origin(d, "handler.env"), h->env[i]);
	for (size_t i = 0; h->pass_env[i]; i++)
		if (strchr(h->pass_env[i], '=') || h->pass_env[i][0] == '\0')
			conf_source_complain(ld, origin(d, "handler.pass_env"),
			                     "holds \"%s\" (names only)", h->pass_env[i]);
		else
			check_variable(ld, origin(d, "handler.pass_env"), h->pass_env[i]);
}

static enum handler_kind kind_of(const struct conf_handler *h)
{
	const enum handler_kind kind = conf_keys_handler_kind[h->id];

	return kind == HANDLER_PROGRAM && h->warm.n > 0 ? HANDLER_WARM : kind;
}

/* Who left out `warm` is told so only of keys that it would give a meaning to. */
static void refuse_in(struct conf_loader *ld, const struct conf_handler *h,
                      const struct conf_group *group, const config_setting_t *setting)
{
	for (size_t i = 0; i < group->n_keys; i++) {
		const struct conf_key *key = &group->keys[i];
		const config_setting_t *member = conf_source_member(setting, key->name);
		const bool lacks_warm = h->kind == HANDLER_PROGRAM &&
		                        conf_keys_applies(key, HANDLER_WARM);

		if (member && !conf_keys_applies(key, h->kind))
			conf_source_complain(ld, member, "means nothing for a handler of type"
			                     " %s%s (leave it out)", conf_keys_handlers[h->id],
			                     lacks_warm ? " without warm" : "");
	}
}

/* The service's own words only: from `defaults`, some may fit others. */
static void refuse_meaningless(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_handler *h = &d->service->handler;

	refuse_in(ld, h, &conf_keys_handler, conf_source_member(d->own, "handler"));
	refuse_in(ld, h, &conf_keys_timeouts, conf_source_member(d->own, "timeouts"));
	refuse_in(ld, h, &conf_keys_service, d->own);
}

/* ---- filters ------------------------------------------------------------ */

static void check_framing(struct conf_loader *ld, const struct conf_draft *d, const char *key,
                          const char *text, struct framing *f)
{
	char limit[UNITS_TEXT_MAX];

	f->max = d->service->max_request;
	if (framing_parse(text, f) == -1)
		conf_source_complain(ld, origin(d, key), "cannot be \"%s\" (one of \"line\","
		                     " \"netstring\", \"length16\", \"length32\", \"fixed:N\")", text);
	else if (f->kind == FRAMING_FIXED && f->size > f->max)
		conf_source_complain(ld, origin(d, key), "is more than max_request (%s)",
		                     units_format_size((int64_t)f->max, limit));
}

/* A process of one connection answers it alone, and ends with it. */
static void check_share(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_filter *f = &d->service->handler.filter;
	const struct { const char *key; bool contradicts; } rows[] = {
		{ "handler.processes", f->processes > 1 },
		{ "handler.in_flight", f->in_flight > 1 },
		{ "handler.max_requests", f->max_requests > 0 },
	};

	if (f->share != FILTER_SHARE_CONNECTION)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].contradicts && config_setting_lookup(d->own, rows[i].key))
			conf_source_complain(ld, origin(d, rows[i].key), "means nothing with share ="
			                     " \"connection\" (leave it out)");
	/* What came from `defaults`. */
	f->processes = f->in_flight = 1;
	f->max_requests = 0;
}

static void check_filter(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	struct conf_filter *f = &h->filter;

	if (!f->framing_text) {
		conf_source_complain(ld, origin(d, "handler"), "needs framing (as in framing ="
		                     " \"line\")");
		return;
	}
	if (!f->filter_framing_text)
		f->filter_framing_text = f->framing_text;
	check_framing(ld, d, "handler.framing", f->framing_text, &f->framing);
	if (f->filter_framing_text != f->framing_text)
		check_framing(ld, d, "handler.filter_framing", f->filter_framing_text,
		              &f->filter_framing);
	else
		f->filter_framing = f->framing;
	if (f->error_reply && !framing_can_hold(&f->framing, f->error_reply, strlen(f->error_reply)))
		conf_source_complain(ld, origin(d, "handler.error_reply"), "does not fit into a"
		                     " frame of type %s", f->framing_text);
	if (h->err == STDERR_CLIENT)
		conf_source_complain(ld, origin(d, "handler.stderr"), "cannot be \"client\" for a"
		                     " filter (\"log\" or \"null\")");
	check_share(ld, d);
}

/* ---- all handlers ------------------------------------------------------- */

static void check_handler(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;

	h->place = conf_source_place(origin(d, "handler"));
	if ((int)h->id < 0) {           /* not given, or nonsense that was complained of */
		if (origin(d, "handler.type") == d->own)
			conf_source_complain(ld, origin(d, "handler"), "needs a handler's type"
			                     " (as in handler = { type = \"echo\"; })");
		return;
	}
	h->kind = kind_of(h);
	refuse_meaningless(ld, d);
	if (h->kind != HANDLER_WARM)
		h->warm = (struct conf_warm){ 0 };      /* what came from `defaults` */
	switch (h->kind) {
	case HANDLER_BYTES:
		h->program = NULL;
		h->argv = NULL;
		h->env[0] = h->pass_env[0] = NULL;
		h->err = STDERR_LOG;
		d->service->timeouts.request = 0;
		break;
	case HANDLER_PROGRAM:
		d->service->timeouts.idle = 0;
		/* fallthrough */
	case HANDLER_WARM:
		d->service->timeouts.write = d->service->timeouts.request = 0;
		d->service->crash_capture = 0;
		check_program(ld, d);
		check_environment(ld, d);
		break;
	case HANDLER_FILTER:
		check_program(ld, d);
		check_environment(ld, d);
		check_filter(ld, d);
		break;
	}
}

static void check_directories(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_service *svc = d->service;
	struct conf_path_verdict v;

	if (svc->chroot) {
		v = conf_path_judge_directory(NULL, svc->chroot);
		/* The worker enters it as root, which sees no more than we do. */
		if (v.unseen && geteuid() == 0)
			v.wrong = v.unseen;
		tell_verdict(ld, origin(d, "chroot"), NULL, v, "is", svc->chroot);
		if (v.wrong)
			return;
	}
	tell_verdict(ld, origin(d, "directory"), svc->chroot,
	             conf_path_judge_directory(svc->chroot, svc->directory), "is", svc->directory);
}

static void check_cpus(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_service *svc = d->service;
	const long n = sysconf(_SC_NPROCESSORS_CONF);
	bool known;

	if (!svc->cpus)
		return;
	known = units_parse_cpus(svc->cpus, &svc->cpu_set) == 0;
	if (!known && errno == EINVAL) {
		conf_source_complain(ld, origin(d, "cpus"), "is malformed (as in \"0-3,6\")");
		return;
	}
	for (size_t i = (size_t)n; i < CPU_SETSIZE; i++)
		known = known && !CPU_ISSET(i, &svc->cpu_set);
	if (!known)
		conf_source_complain(ld, origin(d, "cpus"), "is \"%s\", but this machine has CPUs"
		                     " 0 to %ld", svc->cpus, n - 1);
}

static void check_restart(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_restart *r = &d->service->restart;
	char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];

	if (r->delay_min > r->delay_max)
		conf_source_complain(ld, origin(d, "restart"),
		                     "has a delay_min of %s beyond its delay_max of %s",
		                     units_format_duration(r->delay_min, min),
		                     units_format_duration(r->delay_max, max));
}

void conf_check_service(struct conf_loader *ld, struct conf_draft *d)
{
	check_directories(ld, d);
	check_handler(ld, d);
	check_cpus(ld, d);
	check_restart(ld, d);
}
