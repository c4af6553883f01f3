/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the files in the order of the key; the variables of a later one come later.
 */
#include <config.h>
#include "conf_env_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_file.h"
#include "env_file.h"

/* One file while it is read. */
struct reading {
	struct conf_loader  *ld;
	struct conf_handler *handler;
	const char          *path;
	size_t               n, room;           /* in handler->env_of_files, with those of earlier files */
};

/* What drover says about each connection must not come from elsewhere: drover.conf(5). */
const char *conf_env_file_is_ours(const char *setting)
{
	static const char *const ours[] = {
		"PROTO", "REMOTE_ADDR", "REMOTE_PORT", "DROVER_SERVICE", "DROVER_CONNECTION",
		"TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT",
		"TCP6REMOTEIP", "TCP6REMOTEPORT", "TCP6LOCALIP", "TCP6LOCALPORT",
		"DROVER_UNIQUE_ID", "SSL_TLS_SNI", "SSL_PROTOCOL", "SSL_CIPHER", "SSL_CLIENT_VERIFY",
		"SSL_CLIENT_S_DN", "SSL_CLIENT_I_DN", "SSL_CLIENT_M_SERIAL", "SSL_CLIENT_SHA256",
	};
	const size_t len = strcspn(setting, "=");

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		if (strncmp(ours[i], setting, len) == 0 && ours[i][len] == '\0')
			return ours[i];
	return NULL;
}

static void complain(void *arg, int line, const char *what)
{
	const struct reading *r = arg;

	conf_errors_at(&r->ld->errors, (struct conf_place){ r->path, line }, "%s", what);
}

static void add_setting(struct reading *r, const char *setting)
{
	const char **more;

	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 16;
		more = conf_loader_alloc(r->ld, (r->room + 1) * sizeof *more);
		if (r->n > 0)
			memcpy(more, r->handler->env_of_files, r->n * sizeof *more);
		r->handler->env_of_files = more;
	}
	r->handler->env_of_files[r->n++] = setting;
}

static void take(void *arg, int line, const char *name, const char *value)
{
	struct reading *r = arg;

	if (conf_env_file_is_ours(name))
		conf_errors_at(&r->ld->errors, (struct conf_place){ r->path, line }, "sets %s, which drover"
		               " itself says about each connection", name);
	else
		add_setting(r, conf_loader_printf(r->ld, "%s=%s", name, value));
}

/* Only a daemon needs to read it; conf_privileges_judge complains then. */
static bool is_unreadable(struct reading *r, const config_setting_t *setting)
{
	if (geteuid() == 0 || faccessat(AT_FDCWD, r->path, R_OK, AT_EACCESS) == 0 || errno != EACCES)
		return false;
	r->handler->env_unread = r->path;
	conf_source_warn(r->ld, setting, "names %s, which could not be read (%s)", r->path,
	                 strerror(EACCES));
	return true;
}

static void read_file(struct reading *r, const config_setting_t *setting)
{
	struct conf_env_file *file = &r->handler->env_files[r->handler->n_env_files];
	const size_t n_before = r->n;
	char *text;
	size_t len;

	text = conf_file_read(r->ld, r->path, conf_source_place(setting), CONF_FILE_MAX, &len);
	if (!text)
		return;
	if (env_file_parse(conf_file_skip_mark(text), take, complain, r) == -1)
		abort();                /* as libconfig would */
	free(text);
	*file = (struct conf_env_file){ .path = r->path, .n = r->n - n_before };
	r->handler->n_env_files++;
}

/* A path after "-" may be missing, as in systemd.exec(5). */
static void take_path(struct reading *r, const config_setting_t *setting, const char *written)
{
	const bool optional = *written == '-';

	r->path = written + optional;
	if (*r->path != '/')
		conf_source_complain(r->ld, setting, "holds \"%s\" (absolute paths; a - before one allows"
		                     " that the file is missing)", written);
	else if (optional && access(r->path, F_OK) == -1 && errno == ENOENT)
		return;
	else if (!is_unreadable(r, setting))
		read_file(r, setting);
}

void conf_env_file_load(struct conf_loader *ld, const struct conf_draft *d)
{
	struct conf_handler *h = &d->service->handler;
	const config_setting_t *setting = conf_draft_origin(d, "handler.env_file");
	struct reading r = { .ld = ld, .handler = h };
	size_t n = 0;

	h->env_of_files = conf_loader_alloc(ld, sizeof *h->env_of_files);
	while (h->env_file[n])
		n++;
	h->env_files = conf_loader_alloc(ld, n * sizeof *h->env_files);
	for (size_t i = 0; i < n; i++)
		take_path(&r, setting, h->env_file[i]);
}
