/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of all keys: a row is a key. Checks that involve two keys are in conf_check.c.
 */
#include <config.h>
#include "conf_keys.h"

#include <string.h>

#include "conf.h"
#include "sources.h"
#include "suggest.h"

#define YEAR_MS    (INT64_C(365) * 24 * 60 * 60 * 1000)
#define MEGABYTE   (INT64_C(1) << 20)
#define STDERR_RATE_MAX (INT64_C(128) << 20)    /* bytes a second */
#define SLOTS_MAX  100000               /* of one worker */
#define CONNECTIONS_MAX 100000000       /* of one service */
#define BURST_MAX  1000000
#define MAX_REQUEST (INT64_C(1) << 30)  /* bytes: it is held in memory as a whole */

#define TABLE(k, t, a)  { .title = t, .around = a, \
                          .keys = (k), .n_keys = sizeof (k) / sizeof (k)[0] }

/* The member that a row fills is one of struct OF, defined for each table. */
#define AT(member)               .offset = offsetof(struct OF, member)

#define BOOL(n, m, std)          .name = n, .type = KEY_BOOL, AT(m), .standard = std
#define INT(n, m, lo, hi, std)   .name = n, .type = KEY_INT, AT(m), \
                                 .min = lo, .max = hi, .standard = std
#define TIME(n, m, lo, std)      .name = n, .type = KEY_DURATION, AT(m), \
                                 .min = lo, .max = YEAR_MS, .standard = std
#define MODE(n, m, std)          .name = n, .type = KEY_MODE, AT(m), \
                                 .max = 0777, .standard = std
#define SIZE(n, m, lo, hi, std)  .name = n, .type = KEY_SIZE, AT(m), \
                                 .min = lo, .max = hi, .standard = std
#define STRING(n, m)             .name = n, .type = KEY_STRING, AT(m)
#define PATH(n, m, std)          .name = n, .type = KEY_PATH, AT(m), .standard = std
#define RATE(n, m)               .name = n, .type = KEY_RATE, AT(m)
#define LIST(n, m)               .name = n, .type = KEY_LIST, AT(m)
#define ENUM(n, m, list, std)    .name = n, .type = KEY_ENUM, AT(m), \
                                 .names = list, .standard = std
#define TARGET(n, std)           .name = n, .type = KEY_TARGET, .standard = std
#define SUBGROUP(n, m, g)        .name = n, .type = KEY_GROUP, AT(m), .group = g
#define SWITCH(n, m, std, g)     .name = n, .type = KEY_SWITCH, AT(m), .standard = std, .group = g
#define OWN(n, t, g)             .name = n, .type = t, .group = g

/* A value that may be absent, and the bool beside it that says so. */
#define GIVEN(m)                 .given = offsetof(struct OF, m)
#define LIMIT(n, t, m, lo)       .name = n, .type = t, AT(m.value), GIVEN(m.given), \
                                 .min = lo, .max = INT64_C(1) << 60

#define ON_INET                  .variants = KEY_FOR(LISTEN_INET)
#define ON_STREAM                .variants = KEY_FOR(LISTEN_INET) | KEY_FOR(LISTEN_SYSTEMD)
#define ON_PATH                  .variants = KEY_FOR(LISTEN_UNIX)
#define FOR_MODULES              (KEY_FOR(HANDLER_MODULE) | KEY_FOR(HANDLER_LUA))
#define WITH_BYTES               .variants = KEY_FOR(HANDLER_BYTES) | KEY_FOR(HANDLER_FILTER) | FOR_MODULES
#define WITH_PROGRAM             .variants = KEY_FOR(HANDLER_PROGRAM) | KEY_FOR(HANDLER_WARM) | \
                                             KEY_FOR(HANDLER_RELAYED) | \
                                             KEY_FOR(HANDLER_FILTER)
#define WITH_EXEC                .variants = KEY_FOR(HANDLER_PROGRAM) | KEY_FOR(HANDLER_WARM) | \
                                             KEY_FOR(HANDLER_RELAYED)
#define WITH_WARM                .variants = KEY_FOR(HANDLER_WARM)
#define WITH_SEEN_BYTES          .variants = KEY_FOR(HANDLER_BYTES) | KEY_FOR(HANDLER_WARM) | \
                                             KEY_FOR(HANDLER_RELAYED) | \
                                             KEY_FOR(HANDLER_FILTER) | FOR_MODULES
#define WITH_REQUESTS            .variants = KEY_FOR(HANDLER_FILTER) | FOR_MODULES
#define WITH_FRAMING             .variants = KEY_FOR(HANDLER_FILTER) | KEY_FOR(HANDLER_LUA)
#define WITH_MODULE              .variants = KEY_FOR(HANDLER_MODULE)
#define WITH_LUA                 .variants = KEY_FOR(HANDLER_LUA)
#define WITH_OPTIONS             .variants = FOR_MODULES
#define WITH_FILTER              .variants = KEY_FOR(HANDLER_FILTER)
#define ON_DEMAND                .variants = KEY_FOR(WORKERS_ON_DEMAND)

static const char *const overload_names[] = {
	[OVERLOAD_QUEUE] = "queue", [OVERLOAD_REJECT] = "reject", NULL,
};
static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug", NULL,
};
static const char *const format_names[] = {
	[LOG_FORMAT_TEXT] = "text", [LOG_FORMAT_JSON] = "json", NULL,
};
static const char *const stderr_names[] = {
	[STDERR_LOG] = "log", [STDERR_NULL] = "null", [STDERR_CLIENT] = "client", NULL,
};
static const char *const share_names[] = {
	[FILTER_SHARE_SERVICE] = "service", [FILTER_SHARE_CONNECTION] = "connection", NULL,
};
static const char *const peer_names[] = {
	[WARM_PEER_NONE] = "none", [WARM_PEER_PROXY_V1] = "proxy-v1", NULL,
};
static const char *const prefix_names[] = {
	[FILTER_PREFIX_NONE] = "none", [FILTER_PREFIX_PEER] = "peer",
	[FILTER_PREFIX_PEER_SUBJECT] = "peer-subject", NULL,
};

static const char *const proxy_names[] = {
	[PROXY_OFF] = "off", [PROXY_V1] = "v1", [PROXY_V2] = "v2", [PROXY_ANY] = "any", NULL,
};

static const char *const sni_names[] = {
	[TLS_SNI_DEFAULT] = "default", [TLS_SNI_STRICT] = "strict", NULL,
};
static const char *const version_names[] = {
	[TLS_VERSION_1_2] = "1.2", [TLS_VERSION_1_3] = "1.3", NULL,
};
static const char *const client_auth_names[] = {
	[TLS_CLIENT_NONE] = "none", [TLS_CLIENT_OPTIONAL] = "optional",
	[TLS_CLIENT_REQUIRED] = "required", NULL,
};

#define X(name, kind) #name,
const char *const conf_keys_handlers[HANDLER_IDS + 1] = { HANDLER_LIST(X) NULL };
#undef X
#define X(name, kind) kind,
const enum handler_kind conf_keys_handler_kind[HANDLER_IDS] = { HANDLER_LIST(X) };
#undef X

#define OF conf_log
static const struct conf_key log_keys[] = {
	{ TARGET("target", "stderr") },
	{ ENUM("level", level, level_names, "info") },
	{ ENUM("format", format, format_names, "text") },
};
static const struct conf_key access_log_keys[] = {
	{ TARGET("target", "none") },
	{ .name = "format", .type = KEY_FORMAT, AT(format), .names = format_names, .standard = "text" },
	{ BOOL("refused", refused, "false") },
};
#undef OF

#define OF conf_handler
static const struct conf_key handler_keys[] = {
	{ ENUM("type", id, conf_keys_handlers, NULL) },
	{ WITH_PROGRAM, PATH("program", program, NULL) },
	{ WITH_PROGRAM, LIST("argv", argv) },
	{ WITH_PROGRAM, LIST("env_file", env_file) },
	{ WITH_PROGRAM, LIST("env", env) },
	{ WITH_PROGRAM, LIST("pass_env", pass_env) },
	{ WITH_PROGRAM, ENUM("stderr", err, stderr_names, "log") },
	{ WITH_PROGRAM, SIZE("stderr_rate", stderr_rate, 0, STDERR_RATE_MAX, "64k") },
	{ WITH_EXEC, INT("warm", warm.n, 0, 1024, "0") },
	{ WITH_WARM, TIME("warm_max_age", warm.max_age, 0, "1h") },
	{ WITH_WARM, ENUM("peer", warm.peer, peer_names, "none") },
	{ WITH_FRAMING, STRING("framing", filter.framing_text) },
	{ WITH_FILTER, STRING("filter_framing", filter.filter_framing_text) },
	{ WITH_FILTER, INT("processes", filter.processes, 1, 256, "1") },
	{ WITH_FILTER, INT("in_flight", filter.in_flight, 1, 1024, "1") },
	{ WITH_FILTER, ENUM("share", filter.share, share_names, "service") },
	{ WITH_FILTER, TIME("timeout", filter.timeout, 0, "30s") },
	{ WITH_FILTER, INT("max_requests", filter.max_requests, 0, 1000000000, "0") },
	{ WITH_FILTER, STRING("error_reply", filter.error_reply) },
	{ WITH_FILTER, ENUM("prefix", filter.prefix, prefix_names, "none") },
	{ WITH_FILTER, BOOL("pty", filter.pty, "false") },
	{ WITH_MODULE, STRING("path", module_file) },
	{ WITH_LUA, PATH("script", lua.script, NULL) },
	{ WITH_LUA, SIZE("memory", lua.memory, MEGABYTE, INT64_C(1) << 40, "64M") },
	{ WITH_LUA, INT("instructions", lua.instructions, 1000, 2000000000, "10000000") },
	{ WITH_LUA, TIME("time", lua.time, 1, "1s") },
	{ WITH_OPTIONS, OWN("options", KEY_OPTIONS, NULL), AT(options) },
};
#undef OF

#define OF conf_rlimits
static const struct conf_key rlimits_keys[] = {
	{ LIMIT("nofile", KEY_COUNT, nofile, 16) },
	{ LIMIT("nproc", KEY_COUNT, nproc, 1) },
	{ LIMIT("core", KEY_SIZE, core, 0) },
	{ LIMIT("as", KEY_SIZE, as, MEGABYTE) },
	{ LIMIT("cpu", KEY_COUNT, cpu, 1) },
};
#undef OF

#define OF conf_source_prefix
static const struct conf_key source_prefix_keys[] = {
	{ INT("ipv4", ipv4, 1, 32, "32") },
	{ INT("ipv6", ipv6, 1, 128, "64") },
};
#undef OF
static const struct conf_group source_prefix_group =
	TABLE(source_prefix_keys, "source_prefix = { ... }", &conf_keys_limits);

#define OF conf_limits
static const struct conf_key limits_keys[] = {
	{ INT("connections", connections, 1, CONNECTIONS_MAX, NULL) },
	{ INT("connections_per_source", connections_per_source, 1, SOURCES_COUNT_MAX, NULL) },
	{ RATE("rate", rate_text) },
	{ RATE("rate_per_source", rate_per_source_text) },
	{ INT("burst", burst, 1, BURST_MAX, NULL) },
	{ INT("burst_per_source", burst_per_source, 1, BURST_MAX, NULL) },
	{ SUBGROUP("source_prefix", source_prefix, &source_prefix_group) },
	{ .name = "sources", .type = KEY_COUNT, AT(n_sources), .min = SOURCES_MIN, .max = SOURCES_MAX,
	  .standard = "65536" },
	{ LIST("exempt", exempt_text) },
	{ ENUM("overload", overload, overload_names, "queue") },
	{ STRING("reject_message", reject_message) },
	{ BOOL("dry_run", dry_run, "false") },
};
#undef OF

#define OF conf_timeouts
static const struct conf_key timeouts_keys[] = {
	{ TIME("start", start, 0, "30s") },
	{ TIME("handshake", handshake, 0, "10s") },
	{ WITH_SEEN_BYTES, TIME("idle", idle, 0, "5m") },
	{ WITH_REQUESTS, TIME("request", request, 0, "0") },
	{ WITH_BYTES, TIME("write", write, 0, "60s") },
	{ TIME("session", session, 0, "0") },
	{ TIME("drain", drain, 0, "0") },
	{ TIME("linger", linger, 0, "5s") },
};
#undef OF

#define OF conf_access
static const struct conf_key access_keys[] = {
	{ LIST("allow", allow) },
	{ LIST("deny", deny) },
	{ PATH("allow_file", allow_file, NULL) },
	{ PATH("deny_file", deny_file, NULL) },
};
#undef OF

#define OF conf_restart
static const struct conf_key restart_keys[] = {
	{ INT("burst", burst, 1, 100000, "10") },
	{ TIME("within", within, 1, "10s") },
	{ TIME("delay_min", delay_min, 1, "100ms") },
	{ TIME("delay_max", delay_max, 1, "30s") },
};
#undef OF

#define OF conf_poison
static const struct conf_key poison_keys[] = {
	{ INT("crashes", crashes, 1, CONF_POISON_CRASHES_MAX, "3") },
	{ TIME("within", within, 1, "60s") },
	{ TIME("block", block, 1, "90s") },
	{ TIME("block_max", block_max, 1, "1h") },
};
#undef OF

/* The kernel's own bounds: include/net/tcp.h, MAX_TCP_KEEPIDLE and so on. */
#define SECONDS(n, m, std)       .name = n, .type = KEY_DURATION, AT(m), \
                                 .min = 1000, .max = 32767 * 1000, .standard = std

/* Together two minutes. */
#define OF conf_keepalive
static const struct conf_key keepalive_keys[] = {
	{ SECONDS("idle", idle, "60s") },
	{ SECONDS("interval", interval, "10s") },
	{ INT("count", count, 1, 127, "6") },
};
#undef OF
static const struct conf_group keepalive_group =
	TABLE(keepalive_keys, "keepalive = { ... }", &conf_keys_listen);

#define OF conf_listen
static const struct conf_key listen_keys[] = {
	{ STRING("address", text) },
	{ INT("backlog", backlog, 1, 1 << 20, "4096") },
	{ ON_STREAM, BOOL("nodelay", nodelay, "true") },
	{ ON_STREAM, SWITCH("keepalive", keepalive, "true", &keepalive_group) },
	{ ON_INET, STRING("device", device) },
	{ ON_INET, BOOL("freebind", freebind, "false") },
	{ ON_PATH, MODE("mode", mode, "0660") },
	{ ON_PATH, STRING("owner", owner_name) },
	{ ON_PATH, STRING("group", group_name) },
	{ ENUM("proxy_protocol", proxy, proxy_names, NULL) },
	{ ON_STREAM, LIST("proxy_from", proxy_from) },
	{ BOOL("tls", tls, "true") },
};
#undef OF

/* Of a listener of the status process: the bytes of its clients are not those of a service. */
#define OF conf_listen
static const struct conf_key outlet_listen_keys[] = {
	{ STRING("address", text) },
	{ INT("backlog", backlog, 1, 1 << 20, "4096") },
	{ ON_INET, STRING("device", device) },
	{ ON_INET, BOOL("freebind", freebind, "false") },
	{ ON_PATH, MODE("mode", mode, "0660") },
	{ ON_PATH, STRING("owner", owner_name) },
	{ ON_PATH, STRING("group", group_name) },
};
#undef OF

#define OF conf_certificate
static const struct conf_key certificate_keys[] = {
	{ PATH("chain", chain, NULL) },
	{ PATH("key", key, NULL) },
};
#undef OF

/* Ciphers and suites are Mozilla's intermediate ones, 5.8. What groups there are, the library knows. */
#define OF conf_tls
static const struct conf_key tls_keys[] = {
	{ PATH("chain", chain, NULL) },
	{ PATH("key", key, NULL) },
	{ OWN("certificates", KEY_CERTIFICATES, &conf_keys_certificate) },
	{ ENUM("sni", sni, sni_names, "default") },
	{ ENUM("min_version", min_version, version_names, "1.2") },
	{ STRING("ciphers", ciphers),
	  .standard = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	              "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	              "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305" },
	{ STRING("ciphersuites", ciphersuites),
	  .standard = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256" },
	{ STRING("groups", groups) },
	{ LIST("alpn", alpn) },
	{ ENUM("client_auth", client_auth, client_auth_names, "none") },
	{ PATH("client_ca", client_ca, NULL) },
	{ PATH("client_crl", client_crl, NULL) },
	{ BOOL("tickets", tickets, "true") },
	{ PATH("ticket_keys", ticket_keys, NULL) },
	{ BOOL("isolate_keys", isolate_keys, "true") },
};
#undef OF

/* What has no default here depends on the machine, or on connections: conf_workers.c. */
#define OF conf_workers
static const struct conf_key workers_keys[] = {
	{ INT("min", min, 0, CONF_KEYS_WORKERS_MAX, "1") },
	{ INT("max", max, 1, CONF_KEYS_WORKERS_MAX, NULL) },
	{ INT("spare_min", spare_min, 1, SLOTS_MAX * CONF_KEYS_WORKERS_MAX, NULL) },
	{ INT("spare_max", spare_max, 1, SLOTS_MAX * CONF_KEYS_WORKERS_MAX, NULL) },
	{ TIME("calm", calm, 1, "3s") },
	{ ON_DEMAND, TIME("idle_exit", idle_exit, 0, "60s") },
};
const struct conf_key conf_keys_fixed_workers = {
	INT("workers", min, 1, CONF_KEYS_WORKERS_MAX, NULL)
};
#undef OF

#define OF conf_control
static const struct conf_key control_keys[] = {
	{ STRING("socket", socket) },    /* a path, or "none" */
	{ MODE("mode", mode, "0600") },
	{ STRING("group", group) },
	{ STRING("admin_group", admin_group) },
};
#undef OF

#define OF conf_page
static const struct conf_key page_keys[] = {
	{ BOOL("addresses", addresses, "false") },
};
#undef OF
static const struct conf_group page_group =
	TABLE(page_keys, "page = { ... }", &conf_keys_metrics);

#define OF conf_metrics
static const struct conf_key metrics_keys[] = {
	{ OWN("listen", KEY_LISTEN, &conf_keys_outlet_listen) },
	{ LIST("allow", outlet.allow) },
	{ SWITCH("page", page, "true", &page_group) },
};
#undef OF

#define OF conf_agent
static const struct conf_key agent_keys[] = {
	{ OWN("listen", KEY_LISTEN, &conf_keys_outlet_listen) },
	{ LIST("allow", outlet.allow) },
	{ INT("balancers", balancers, 1, 1000, "1") },
	{ TIME("lame_duck", lame_duck, 0, "5s") },
};
#undef OF

static const struct conf_group log_group =
	TABLE(log_keys, "log = { ... }", &conf_keys_top);
static const struct conf_group access_log_group =
	TABLE(access_log_keys, "access_log = { ... }", &conf_keys_top);
static const struct conf_group control_group =
	TABLE(control_keys, "control = { ... }", &conf_keys_top);
const struct conf_group conf_keys_metrics =
	TABLE(metrics_keys, "metrics = { ... }", &conf_keys_top);
const struct conf_group conf_keys_agent =
	TABLE(agent_keys, "agent = { ... }", &conf_keys_top);
const struct conf_group conf_keys_outlet_listen =
	TABLE(outlet_listen_keys, "listen = ( { ... } )", &conf_keys_metrics);
static const struct conf_group rlimits_group =
	TABLE(rlimits_keys, "rlimits = { ... }", &conf_keys_service);
static const struct conf_group access_group =
	TABLE(access_keys, "access = { ... }", &conf_keys_service);
static const struct conf_group tls_group =
	TABLE(tls_keys, "tls = { ... }", &conf_keys_service);
const struct conf_group conf_keys_certificate =
	TABLE(certificate_keys, "certificates = ( { ... } )", &tls_group);
static const struct conf_group restart_group =
	TABLE(restart_keys, "restart = { ... }", &conf_keys_service);
static const struct conf_group poison_group =
	TABLE(poison_keys, "poison = { ... }", &conf_keys_service);
const struct conf_group conf_keys_handler =
	TABLE(handler_keys, "handler = { ... }", &conf_keys_service);
const struct conf_group conf_keys_limits =
	TABLE(limits_keys, "limits = { ... }", &conf_keys_service);
const struct conf_group conf_keys_timeouts =
	TABLE(timeouts_keys, "timeouts = { ... }", &conf_keys_service);
const struct conf_group conf_keys_listen =
	TABLE(listen_keys, "listen = ( { ... } )", &conf_keys_service);
const struct conf_group conf_keys_workers =
	TABLE(workers_keys, "workers = { ... }", &conf_keys_service);

#define OF conf_service
static const struct conf_key service_keys[] = {
	{ BOOL("enabled", enabled, "true") },
	{ OWN("listen", KEY_LISTEN, &conf_keys_listen) },
	{ SUBGROUP("handler", handler, &conf_keys_handler) },
	{ OWN("workers", KEY_WORKERS, &conf_keys_workers) },
	{ INT("connections", connections, 1, SLOTS_MAX, "256") },
	{ INT("max_accepts", max_accepts, 0, 1000000000, "0") },
	{ WITH_REQUESTS, SIZE("max_request", max_request, 1, MAX_REQUEST, "1M") },
	{ TIME("hang_timeout", hang_timeout, 0, "30s") },
	{ WITH_BYTES, SIZE("crash_capture", crash_capture, 0, MEGABYTE, "0") },
	{ STRING("user", identity.user) },
	{ STRING("group", identity.group) },
	{ PATH("chroot", chroot, NULL) },
	{ PATH("directory", directory, "/") },
	{ MODE("umask", umask, NULL) },
	{ INT("nice", nice, -20, 19, NULL), GIVEN(has_nice) },
	{ STRING("cpus", cpus) },
	{ SUBGROUP("rlimits", rlimits, &rlimits_group) },
	{ BOOL("no_new_privs", no_new_privs, "true") },
	{ ENUM("proxy_protocol", proxy, proxy_names, "off") },
	{ LIST("proxy_from", proxy_from) },
	{ SUBGROUP("access", access, &access_group) },
	{ SUBGROUP("timeouts", timeouts, &conf_keys_timeouts) },
	{ SUBGROUP("restart", restart, &restart_group) },
	{ SUBGROUP("limits", limits, &conf_keys_limits) },
	{ SWITCH("poison", poison, "false", &poison_group) },
	{ SWITCH("tls", tls, "false", &tls_group) },
	{ SUBGROUP("access_log", access_log, &access_log_group) },
};
#undef OF

#define OF conf
static const struct conf_key top_keys[] = {
	{ STRING("user", identity.user) },
	{ STRING("group", identity.group) },
	{ PATH("pid_file", pid_file, NULL) },
	{ PATH("state_dir", state_dir, "/var/lib/drover") },
	{ LIST("include", include) },
	{ TIME("shutdown_timeout", shutdown_timeout, 0, "30s") },
	{ SUBGROUP("log", log, &log_group) },
	{ SUBGROUP("access_log", access_log, &access_log_group) },
	{ SUBGROUP("control", control, &control_group) },
	{ OWN("defaults", KEY_DEFAULTS, &conf_keys_service) },
	{ OWN("services", KEY_SERVICES, &conf_keys_service) },
	/* The last ones: a lost key of the same name in a service is more likely meant for that. */
	{ SUBGROUP("metrics", metrics, &conf_keys_metrics) },
	{ SUBGROUP("agent", agent, &conf_keys_agent) },
};
#undef OF

const struct conf_group conf_keys_service = TABLE(service_keys, "the service", &conf_keys_top);
const struct conf_group conf_keys_top = TABLE(top_keys, "the top level", NULL);

const struct conf_key *conf_keys_find(const struct conf_group *group, const char *name)
{
	for (size_t i = 0; i < group->n_keys; i++)
		if (strcmp(group->keys[i].name, name) == 0)
			return &group->keys[i];
	return NULL;
}

const char *conf_keys_nearest(const struct conf_group *group, const char *name)
{
	struct suggest s = suggest_for(name);

	for (size_t i = 0; i < group->n_keys; i++)
		suggest_offer(&s, group->keys[i].name);
	return s.best;
}

const struct conf_group *conf_keys_elsewhere(const struct conf_group *group, const char *name)
{
	if (group->around && conf_keys_find(group->around, name))
		return group->around;
	for (size_t i = 0; i < group->n_keys; i++) {
		const struct conf_group *inner = group->keys[i].group;

		if (inner && conf_keys_find(inner, name))
			return inner;
	}
	return NULL;
}

bool conf_keys_applies(const struct conf_key *key, unsigned variant)
{
	return !key->variants || variant == KEY_ANY_VARIANT ||
	       (key->variants & KEY_FOR(variant));
}
