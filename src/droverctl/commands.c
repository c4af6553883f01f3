/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of the table of commands, and how a row is found. It does not know what the server
 * does for a command.
 */
#include <config.h>
#include "commands.h"

#include <string.h>

#include "suggest.h"

/* In the order in which help prints them: first the commands that only look. */
static const struct command commands[] = {
	{ .name = "status", .help = "the server, its totals, its services",
	  .at_once = true, .show = show_status },
	{ .name = "services", .help = "the services", .at_once = true, .show = show_services },
	{ .name = "workers", .usage = "[SERVICE]", .help = "the worker processes",
	  .keys = { "service" }, .at_once = true, .show = show_workers },
	{ .name = "connections", .usage = "[SERVICE]", .help = "the open connections",
	  .keys = { "service" }, .at_once = true, .show = show_connections },
	{ .name = "sources", .usage = "[SERVICE]", .help = "who holds how many connections, who is at a limit",
	  .keys = { "service" }, .at_once = true, .show = show_sources },
	{ .name = "crashes", .usage = "[CRASH [--replay ADDRESS]]",
	  .help = "workers that crashed; all about one; or send its bytes again",
	  .keys = { "crash" }, .options = COMMANDS_REPLAY, .at_once = true, .show = show_crashes },
	{ .name = "blocked", .help = "sources that are refused because they crashed workers",
	  .at_once = true, .show = show_blocked },
	{ .name = "certificates", .usage = "[SERVICE]", .help = "the certificates of TLS, and when they expire",
	  .keys = { "service" }, .at_once = true, .show = show_certificates },
	{ .name = "metrics", .usage = "[SERVICE] [--openmetrics]", .help = "all figures, as Prometheus reads them",
	  .keys = { "service" }, .options = COMMANDS_OPENMETRICS, .at_once = true, .show = show_metrics },
	{ .name = "top", .usage = "[-d SECONDS] [-n COUNT]", .help = "status, services, workers, connections and crashes, live",
	  .options = COMMANDS_DELAY | COMMANDS_COUNT },
	{ .name = "check", .usage = "[--ready|--weight [SERVICE]]",
	  .help = "check the configuration file; or whether it serves; or how much is free",
	  .keys = { "service" }, .options = COMMANDS_WEIGHT | COMMANDS_READY, .show = show_check },
	{ .name = "version", .help = "the version of the server", .at_once = true, .show = show_version },
	{ .name = "reload", .help = "load the configuration again", .show = show_reload },
	{ .name = "upgrade", .help = "execute the new program file in place", .show = show_upgrade },
	{ .name = "stop", .usage = "[--now]", .help = "drain and end; with --now, end at once",
	  .options = COMMANDS_NOW, .show = show_stop },
	{ .name = "reopen-logs", .help = "open the log files again", .show = show_reopen_logs },
	{ .name = "scale", .usage = "SERVICE N|+N|-N", .help = "have N workers, N more, or N fewer",
	  .keys = { "service", "to" }, .n_required = 2, .show = show_scale },
	{ .name = "drain", .usage = "SERVICE", .help = "finish what is open; new clients wait",
	  .keys = { "service" }, .n_required = 1, .show = show_drain },
	{ .name = "resume", .usage = "SERVICE", .help = "serve again after drain",
	  .keys = { "service" }, .n_required = 1, .show = show_resume },
	{ .name = "kick", .usage = "CONNECTION", .help = "close a connection",
	  .keys = { "connection" }, .n_required = 1, .show = show_kick },
	{ .name = "unblock", .usage = "PREFIX", .help = "admit a source again that is blocked",
	  .keys = { "prefix" }, .n_required = 1, .show = show_unblock },
};

const struct command *commands_at(size_t i)
{
	return i < sizeof commands / sizeof commands[0] ? &commands[i] : NULL;
}

const struct command *commands_find(const char *name)
{
	const struct command *c;

	for (size_t i = 0; (c = commands_at(i)); i++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const char *commands_suggest(const char *name)
{
	struct suggest s = suggest_for(name);
	const struct command *c;

	for (size_t i = 0; (c = commands_at(i)); i++)
		suggest_offer(&s, c->name);
	return s.best;
}
