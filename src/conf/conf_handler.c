/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The group `handler` of a service, checked as a whole: a function for each kind of handler.
 * It does not know how a handler works; a new kind is a row of `checks`.
 */
#include <config.h>
#include "conf_handler.h"

#include <string.h>

#include "conf_env_file.h"
#include "conf_group.h"
#include "conf_module.h"
#include "conf_path.h"
#include "framing.h"
#include "interpreter.h"
#include "units.h"

static void judge_program(struct conf_loader *ld, const config_setting_t *where, const char *chroot,
                          const char *path)
{
	struct conf_path_verdict v = conf_path_judge_program(chroot, path);
	char why[INTERPRETER_TEXT_MAX];

	if (!v.wrong && !v.unseen)
		v.wrong = interpreter_judge(chroot, path, why);
	conf_draft_tell(ld, where, chroot, v, "cannot execute", path);
}

/* The file to execute: `program`, or else argv[0]. */
static void check_program(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	const config_setting_t *argv = conf_draft_origin(d, "handler.argv");
	const config_setting_t *where = conf_draft_origin(d, "handler.program");

	if (!h->argv[0]) {
		/* One of a wrong type has been complained of. */
		if (argv == d->own || config_setting_length(argv) == 0)
			conf_source_complain(ld, conf_draft_origin(d, "handler"), "needs argv (a program"
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

static void check_variable(struct conf_loader *ld, const config_setting_t *where,
                           const char *setting)
{
	const char *ours = conf_env_file_is_ours(setting);

	if (ours)
		conf_source_complain(ld, where, "sets %s, which drover itself says about"
		                     " each connection", ours);
}

static void check_environment(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_handler *h = &d->service->handler;

	conf_env_file_load(ld, d);
	for (size_t i = 0; h->env[i]; i++)
		if (!strchr(h->env[i], '=') || h->env[i][0] == '=')
			conf_source_complain(ld, conf_draft_origin(d, "handler.env"),
			                     "holds \"%s\" (NAME=VALUE)", h->env[i]);
		else
			check_variable(ld, conf_draft_origin(d, "handler.env"), h->env[i]);
	for (size_t i = 0; h->pass_env[i]; i++)
		if (strchr(h->pass_env[i], '=') || h->pass_env[i][0] == '\0')
			conf_source_complain(ld, conf_draft_origin(d, "handler.pass_env"),
			                     "holds \"%s\" (names only)", h->pass_env[i]);
		else
			check_variable(ld, conf_draft_origin(d, "handler.pass_env"), h->pass_env[i]);
}

static bool speaks_tls(const struct conf_service *svc)
{
	for (size_t i = 0; i < svc->n_listen; i++)
		if (svc->listen[i].tls)
			return true;
	return false;
}

static enum handler_kind kind_of(const struct conf_service *svc)
{
	const enum handler_kind kind = conf_keys_handler_kind[svc->handler.id];

	if (kind == HANDLER_PROGRAM && svc->handler.warm.n > 0)
		return HANDLER_WARM;
	return kind == HANDLER_PROGRAM && speaks_tls(svc) ? HANDLER_RELAYED : kind;
}

/* That `warm` is missing is said only for keys that mean something with it. */
static void refuse_in(struct conf_loader *ld, const struct conf_handler *h,
                      const struct conf_group *group, const config_setting_t *setting)
{
	for (size_t i = 0; i < group->n_keys; i++) {
		const struct conf_key *key = &group->keys[i];
		const config_setting_t *member = conf_source_member(setting, key->name);
		const bool lacks_warm = (h->kind == HANDLER_PROGRAM || h->kind == HANDLER_RELAYED) &&
		                        conf_keys_applies(key, HANDLER_WARM);

		if (member && !conf_keys_applies(key, h->kind))
			conf_source_complain(ld, member, "means nothing for a handler of type"
			                     " %s%s (leave it out)", conf_keys_handlers[h->id],
			                     lacks_warm ? " without warm" : "");
	}
}

/* Only keys of the service itself: those in `defaults` may be for other services. */
static void refuse_meaningless(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_handler *h = &d->service->handler;

	refuse_in(ld, h, &conf_keys_handler, conf_source_member(d->own, "handler"));
	refuse_in(ld, h, &conf_keys_timeouts, conf_source_member(d->own, "timeouts"));
	refuse_in(ld, h, &conf_keys_service, d->own);
}

/* ---- filters ------------------------------------------------------------ */

#define ANY_CONTENT "\"netstring\", \"length16\", \"length32\""
#define ALL_FRAMES  "\"line\", " ANY_CONTENT ", \"fixed:N\""

/* parse is framing_parse, or framing_parse_or_raw; one_of says what may be given. */
static void check_framing(struct conf_loader *ld, const config_setting_t *where, const char *text,
                          int (*parse)(const char *text, struct framing *f), const char *one_of,
                          struct framing *f)
{
	char limit[UNITS_TEXT_MAX];

	if (parse(text, f) == -1)
		conf_source_complain(ld, where, "cannot be \"%s\" (one of %s)", text, one_of);
	else if (f->kind == FRAMING_FIXED && f->size > f->max)
		conf_source_complain(ld, where, "is more than max_request (%s)",
		                     units_format_size((int64_t)f->max, limit));
}

/*
 * A raw request has any bytes, and any number of them: its frame for the filter has to say how
 * many. One that is too long for the frame becomes several, as one beyond max_request does.
 */
static void check_filter_of_raw(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_filter *f = &d->service->handler.filter;
	const config_setting_t *where = conf_draft_origin(d, "handler.filter_framing");

	if (!f->filter_framing_text)
		f->filter_framing_text = conf_loader_strdup(ld, "length32");
	if (framing_parse(f->filter_framing_text, &f->filter_framing) == -1 ||
	    f->filter_framing.kind == FRAMING_LINE || f->filter_framing.kind == FRAMING_FIXED)
		conf_source_complain(ld, where, "cannot be \"%s\" with framing = \"raw\" (one of "
		                     ANY_CONTENT ", which hold any bytes)", f->filter_framing_text);
	if (f->filter_framing.kind == FRAMING_LENGTH16 && f->framing.max > UINT16_MAX)
		f->framing.max = UINT16_MAX;
}

/* What a filter writes at once may be half an answer, or two: its side cannot be raw. */
static void check_framings(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_filter *f = &d->service->handler.filter;

	f->framing.max = f->filter_framing.max = d->service->max_request;
	check_framing(ld, conf_draft_origin(d, "handler.framing"), f->framing_text, framing_parse_or_raw,
	              ALL_FRAMES ", \"raw\"", &f->framing);
	if (f->framing.kind == FRAMING_RAW) {
		check_filter_of_raw(ld, d);
	} else if (f->filter_framing_text) {
		check_framing(ld, conf_draft_origin(d, "handler.filter_framing"), f->filter_framing_text,
		              framing_parse, ALL_FRAMES, &f->filter_framing);
	} else {
		f->filter_framing_text = f->framing_text;
		f->filter_framing = f->framing;
	}
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
			conf_source_complain(ld, conf_draft_origin(d, rows[i].key), "means nothing with share ="
			                     " \"connection\" (leave it out)");
	/* What came from `defaults`. */
	f->processes = f->in_flight = 1;
	f->max_requests = 0;
}

/* The name of a client comes from its certificate, which is shown here or to a proxy. */
static void check_prefix(struct conf_loader *ld, const struct conf_draft *d)
{
	const struct conf_service *svc = d->service;
	bool may_have_name = speaks_tls(svc) && svc->tls.client_auth != TLS_CLIENT_NONE;

	for (size_t i = 0; i < svc->n_listen; i++)
		may_have_name |= svc->listen[i].proxy != PROXY_OFF;
	if (svc->handler.filter.prefix == FILTER_PREFIX_PEER_SUBJECT && !may_have_name)
		conf_source_complain(ld, conf_draft_origin(d, "handler.prefix"), "cannot be \"peer-subject\":"
		                     " no client shows a certificate (tls.client_auth or proxy_protocol)");
}

static void check_requests(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	struct conf_filter *f = &h->filter;

	if (!f->framing_text) {
		conf_source_complain(ld, conf_draft_origin(d, "handler"), "needs framing (as in framing ="
		                     " \"line\")");
		return;
	}
	check_framings(ld, d);
	if (f->error_reply && !framing_can_hold(&f->framing, f->error_reply, strlen(f->error_reply)))
		conf_source_complain(ld, conf_draft_origin(d, "handler.error_reply"), "does not fit into a"
		                     " frame of type %s", f->framing_text);
	if (h->err == STDERR_CLIENT)
		conf_source_complain(ld, conf_draft_origin(d, "handler.stderr"), "cannot be \"client\" for a"
		                     " filter (\"log\" or \"null\")");
	check_share(ld, d);
	check_prefix(ld, d);
}

/* ---- each kind of handler ----------------------------------------------- */

/* No program: what came from `defaults` is cleared. */
static void check_bytes(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;

	(void)ld;
	h->program = NULL;
	h->argv = NULL;
	h->env[0] = h->pass_env[0] = h->env_file[0] = NULL;
	h->err = STDERR_LOG;
	d->service->timeouts.request = 0;
}

/* Its bytes are the program's: they are not seen, or only relayed. */
static void check_warm(struct conf_loader *ld, struct conf_draft *d)
{
	d->service->timeouts.write = d->service->timeouts.request = 0;
	d->service->crash_capture = 0;
	check_program(ld, d);
	check_environment(ld, d);
}

static void check_exec(struct conf_loader *ld, struct conf_draft *d)
{
	d->service->timeouts.idle = 0;
	check_warm(ld, d);
}

static void check_filter(struct conf_loader *ld, struct conf_draft *d)
{
	check_program(ld, d);
	check_environment(ld, d);
	check_requests(ld, d);
}

/* No program, and requests only if the module wants them. */
static void check_module(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;

	h->program = NULL;
	h->argv = NULL;
	h->env[0] = h->pass_env[0] = h->env_file[0] = NULL;
	h->err = STDERR_LOG;
	if (h->kind == HANDLER_LUA)
		conf_module_take_lua(ld, d);
	else
		conf_module_take(ld, d);
}

/* Complains of what contradicts the kind, and clears what means nothing for it. */
static void (*const checks[])(struct conf_loader *ld, struct conf_draft *d) = {
	[HANDLER_BYTES]   = check_bytes,
	[HANDLER_PROGRAM] = check_exec,
	[HANDLER_WARM]    = check_warm,
	[HANDLER_RELAYED] = check_warm,
	[HANDLER_FILTER]  = check_filter,
	[HANDLER_MODULE]  = check_module,
	[HANDLER_LUA]     = check_module,
};

void conf_handler_check(struct conf_loader *ld, struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;

	h->place = conf_source_place(conf_draft_origin(d, "handler"));
	if ((int)h->id < 0) {           /* not given, or nonsense that was complained of */
		if (conf_draft_origin(d, "handler.type") == d->own)
			conf_source_complain(ld, conf_draft_origin(d, "handler"), "needs a handler's type"
			                     " (as in handler = { type = \"echo\"; })");
		return;
	}
	h->kind = kind_of(d->service);
	refuse_meaningless(ld, d);
	if (h->kind != HANDLER_WARM)
		h->warm = (struct conf_warm){ 0 };      /* what came from `defaults` */
	checks[h->kind](ld, d);
}
