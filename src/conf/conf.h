/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration, complete and checked: what master and workers agree on.
 * Read-only once it is loaded. Names have been looked up, addresses resolved,
 * lists merged with `defaults`; nothing here needs the name service again.
 *
 * All of it lies in one arena. Each service begins on a page of its own, so
 * that a worker can unmap all services but its own.
 */
#ifndef DROVER_CONF_CONF_H
#define DROVER_CONF_CONF_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "access_format.h"
#include "address.h"
#include "arena.h"
#include "bucket.h"
#include "framing.h"
#include "handler_list.h"
#include "log.h"
#include "module_file.h"
#include "proxy_header.h"
#include "prefix_set.h"
#include "ticket_keys.h"
#include "units.h"

#define CONF_ARENA_SIZE   (64u << 20)   /* address space for one configuration */
#define CONF_FILE_MAX     (4u << 20)    /* bytes in one file */
#define CONF_TEXT_MAX     (64u << 20)   /* bytes in all its files together */
#define CONF_FILES_MAX    10000         /* files, the main one among them */
#define CONF_NAMES_MAX    100000        /* names in folders that patterns look at: under a second */
#define CONF_GROUP_MAX    20000         /* settings in one group: the arena has room for fewer services */
#define CONF_PREFIX_FILE_MAX (16u << 20) /* bytes in a file of prefixes */
#define CONF_PREFIXES_MAX 1000000       /* prefixes in it */
#define CONF_LISTEN_MAX   64            /* sockets of one service; a bit each in a leash message */
#define CONF_KEEP         (-1)          /* umask, nice, mode, uid, gid: leave as it is */

struct prefix_set;

struct conf_place {                     /* where a setting is */
	const char *file;
	int         line;
};

enum listen_kind {
	LISTEN_INET,                    /* address is an IPv4 or IPv6 address */
	LISTEN_UNIX,                    /* address is a path or an abstract name */
	LISTEN_SYSTEMD,                 /* inherited; address is empty */
};

struct conf_keepalive {                 /* how the kernel finds out that an idle peer is gone */
	bool    on;                     /* first: conf_keys.h, KEY_SWITCH */
	int64_t idle, interval;         /* ms, though the kernel counts whole seconds */
	int     count;
};

struct conf_listen {                    /* one socket; "*:PORT" makes two of these */
	struct conf_place place;
	const char       *text;         /* as it was written */
	enum listen_kind  kind;
	struct address    address;
	bool              optional;     /* one family of "*:PORT" or a name: skipped if the
	                                 * kernel lacks it */
	int               same_port_as; /* index in listen[]: "*:0" takes the port chosen there,
	                                 * as does "name:0"; else -1 */
	const char       *systemd_name; /* FileDescriptorName; NULL: all that were inherited */
	int               backlog;
	bool              nodelay;
	struct conf_keepalive keepalive;
	const char       *device;       /* SO_BINDTODEVICE, or NULL */
	bool              freebind;     /* also an address that no interface has yet */
	int               mode;         /* unix path: permission bits */
	uid_t             owner;        /* unix path: (uid_t)CONF_KEEP or its owner */
	gid_t             group;
	const char       *owner_name;   /* as written, for -T; NULL: not given */
	const char       *group_name;
	int               proxy;        /* the header that comes first: enum proxy_versions */
	const char      **proxy_from;   /* whose header is believed, as written, NULL-terminated; */
	const struct prefix_set *proxies; /* the same, allowed; NULL: all peers, over a unix socket */
	bool              tls;          /* clients speak TLS, as conf_service.tls says */
};

enum handler_stderr { STDERR_LOG, STDERR_NULL, STDERR_CLIENT };
enum filter_share { FILTER_SHARE_SERVICE, FILTER_SHARE_CONNECTION };
enum filter_prefix { FILTER_PREFIX_NONE, FILTER_PREFIX_PEER, FILTER_PREFIX_PEER_SUBJECT };

struct conf_filter {                    /* what handler filter has beside a program */
	const char        *framing_text, *filter_framing_text;  /* as written; both given */
	struct framing     framing;     /* of clients; max is the service's max_request, or less if raw */
	struct framing     filter_framing;
	int                processes;   /* of each worker; none with FILTER_SHARE_CONNECTION */
	int                in_flight;   /* requests in one process */
	enum filter_share  share;
	int64_t            timeout;     /* ms, of a request in a process; 0: never */
	int                max_requests; /* then a process is replaced; 0: never */
	const char        *error_reply; /* NULL: the connection is closed */
	enum filter_prefix prefix;
	bool               pty;
};

enum warm_peer { WARM_PEER_NONE, WARM_PEER_PROXY_V1 };

struct conf_warm {                      /* programs that are started before their clients come */
	int            n;               /* that wait in each worker; 0: none */
	int64_t        max_age;         /* ms that one may wait; 0: for ever */
	enum warm_peer peer;            /* what it is told of its client, first */
};

enum conf_option_type {                 /* those of enum drover_type, in <drover/module.h> */
	CONF_OPTION_TEXT = 1,
	CONF_OPTION_INTEGER,
	CONF_OPTION_NUMBER,
	CONF_OPTION_BOOLEAN,
	CONF_OPTION_GROUP,
	CONF_OPTION_LIST,
};

struct conf_option {                    /* of a module: conf_options.h */
	enum conf_option_type type;
	struct conf_place     place;
	const char           *name;     /* NULL: it is in a list */
	const char           *full_name; /* for complaints; what is in a list has that of the list */
	const char           *text;
	int64_t               integer;  /* also of a BOOLEAN */
	double                number;   /* also of an INTEGER */
	size_t                n;        /* members of a GROUP or LIST */
	struct conf_option   *members;
	size_t                number_in_tree;   /* from 0: conf_options_number */
};

struct conf_module {                    /* handlers module and lua */
	const char            *path;    /* of the shared object; NULL: the handler is another one */
	struct conf_place      place;   /* what a complaint about the module points to */
	struct conf_option    *options; /* a group, never NULL with a path */
	size_t                 n_options; /* in the whole tree */
	struct module_identity file;    /* which file it was when it was checked */
	const char            *name, *version;  /* as it says itself */
	uint32_t               flags;   /* of <drover/module.h> */
	bool                   has_hang_timeout; /* the service says one */
};

struct conf_lua {                       /* what handler lua has; it becomes options of the module */
	const char *script;
	int64_t     memory;             /* bytes in a worker */
	int         instructions;       /* in one call of the script */
	int64_t     time;               /* ms, the same */
};

struct conf_env_file {                  /* that was read for a program */
	const char *path;
	size_t      n;                  /* variables in it */
};

struct conf_handler {
	struct conf_place   place;
	enum handler_id     id;
	enum handler_kind   kind;       /* follows from id and warm */
	const char         *program;    /* exec, filter: the file that is executed; else NULL */
	const char        **argv;       /* what it is given: NULL-terminated; NULL without program */
	const char        **env;        /* "NAME=VALUE", NULL-terminated, never NULL */
	const char        **pass_env;   /* names, NULL-terminated, never NULL */
	const char        **env_file;   /* paths as written, NULL-terminated, never NULL */
	const char        **env_of_files; /* "NAME=VALUE" in them; NULL: no program, or an error */
	struct conf_env_file *env_files; /* those that were read */
	size_t              n_env_files;
	const char         *env_unread; /* one that this process may not read, or NULL */
	enum handler_stderr err;
	int64_t             stderr_rate; /* bytes of log a second, for STDERR_LOG; 0: no bound */
	struct conf_warm    warm;       /* exec only */
	struct conf_filter  filter;
	const char         *module_file; /* handler module: as written */
	struct conf_option *options;    /* handlers module and lua: as written; NULL: none are */
	struct conf_lua     lua;
	struct conf_module  module;
};

struct conf_identity {                  /* the user and groups of a worker */
	struct conf_place place;        /* of user; line 0: none is given */
	struct conf_place group_place;
	const char *user;               /* name as written; NULL: not given */
	const char *group;
	uid_t       uid;                /* (uid_t)CONF_KEEP: as the master */
	gid_t       gid;                /* (gid_t)CONF_KEEP: as the master */
	gid_t      *groups;             /* supplementary; NULL with n 0 */
	size_t      n_groups;
	const char *home;               /* of user, from passwd(5); NULL without user */
	const char *shell;
};

struct conf_rlimit {                    /* both the soft and the hard limit */
	bool   given;
	rlim_t value;                   /* nofile, nproc: a number; core, as: bytes; cpu: seconds */
};

struct conf_rlimits {
	struct conf_place  place;
	struct conf_rlimit nofile, nproc, core, as, cpu;
};

struct conf_timeouts {                  /* milliseconds; 0: never */
	int64_t start, handshake, session, drain, linger;
	int64_t idle, write;                    /* 0 for programs, but for idle of warm ones */
	int64_t request;                        /* filter only; else 0 */
};

struct conf_restart {
	int     burst;                          /* at least twice the workers */
	int64_t within, delay_min, delay_max;   /* milliseconds */
};

#define CONF_POISON_CRASHES_MAX 16

struct conf_poison {                    /* when a source that crashes workers is refused for a while */
	bool    on;                     /* first: conf_keys.h, KEY_SWITCH */
	int     crashes;                /* 1 to CONF_POISON_CRASHES_MAX */
	int64_t within;                 /* milliseconds, like the others */
	int64_t block, block_max;       /* the first one, and the longest */
};

/*
 * Which clients are served, by their addresses: what the longest prefix says that has the address.
 * What no prefix has is served, unless something is allowed. An empty list says nothing.
 */
struct conf_access {
	const char **allow, **deny;             /* prefixes as written, NULL-terminated, never NULL */
	const char  *allow_file, *deny_file;    /* files with more of them; NULL: none */
	const char  *unread;                    /* one of the two that this process may not read, or NULL */
	const struct prefix_set *set;           /* of them all; NULL: there are none, all clients are served */
	size_t       n_allow, n_deny;           /* prefixes, with those of the files */
	bool         refuses_others;            /* what no prefix has is refused */
};

enum limits_overload {
	OVERLOAD_QUEUE,                         /* clients wait in the accept queue */
	OVERLOAD_REJECT,                        /* they are accepted, answered and closed */
};

/* Clients whose addresses begin with the same bits are one source. */
struct conf_source_prefix {
	int ipv4, ipv6;                         /* in bits */
};

/* The default. */
#define CONF_SOURCE_PREFIX ((struct conf_source_prefix){ .ipv4 = 32, .ipv6 = 64 })

/* How many connections there may be, and how many may come in a time: of all clients, of each source. */
struct conf_limits {
	int                connections;         /* of the service at the same time; 0: any number */
	int                connections_per_source;
	struct units_rate  rate_text;           /* as written; count 0: not given */
	struct units_rate  rate_per_source_text;
	int                burst, burst_per_source;     /* connections; 0 without the rate */
	struct bucket_rate rate;                /* of new connections, with the burst; interval 0: any rate */
	struct bucket_rate rate_per_source;
	struct conf_source_prefix source_prefix;
	rlim_t             n_sources;           /* places in the table of sources; a power of two */
	const char       **exempt_text;         /* as written, NULL-terminated, never NULL */
	const struct prefix_set *exempt;        /* not limited by source; NULL: there are none */
	enum limits_overload overload;
	const char        *reject_message;      /* NULL: none; only with OVERLOAD_REJECT */
	bool               dry_run;             /* what is above a limit is noted, and admitted */
};

struct conf_bytes {
	const uint8_t *data;
	size_t         len;
};

/*
 * A certificate with its chain, read and judged, and the file of its private key, which is not
 * here. Times are seconds since 1970, UTC.
 */
struct conf_certificate {
	struct conf_place        place;
	const char              *chain, *key;   /* paths; the same one if the file has both */
	const struct conf_bytes *der;           /* the certificate itself first, then its issuer ... */
	size_t                   n_der;
	const char             **names;         /* of subjectAltName: DNS in lower case, IP as text; NULL-terminated */
	int64_t                  not_before, not_after;
	const char              *type;          /* of the key: "EC P-256", "RSA 2048", "Ed25519" */
	uint8_t                  sha256[32];    /* of the certificate's DER */
	uint8_t                  spki_sha256[32]; /* of the DER of its SubjectPublicKeyInfo */
};

enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

enum tls_sni {
	TLS_SNI_DEFAULT,                        /* a client whose name no pair has gets the first pair */
	TLS_SNI_STRICT,                         /* it is refused, as is one that sends no name */
};

enum tls_client_auth {
	TLS_CLIENT_NONE,                        /* clients are not asked for a certificate */
	TLS_CLIENT_OPTIONAL,                    /* none is fine, an invalid one is refused */
	TLS_CLIENT_REQUIRED,
};

struct tls_names;

/*
 * TLS of a service. All that is in files is here, as DER, so that workers read none of them but
 * private keys. If `on` is false, the rest means nothing.
 */
struct conf_tls {
	bool                     on;            /* first: conf_keys.h, KEY_SWITCH */
	struct conf_place        place;
	const struct conf_certificate *certificates; /* at least one */
	size_t                   n_certificates;
	const struct tls_names  *names;         /* which certificate is for a name: its index */
	enum tls_sni             sni;
	enum tls_version         min_version;
	const char              *ciphers;       /* of TLS 1.2, as openssl-ciphers(1) has them; NULL: without 1.2 */
	const char              *ciphersuites;  /* of TLS 1.3 */
	const char              *groups;        /* of the key exchange, the preferred one first */
	const char             **alpn;          /* protocols, the preferred one first, NULL-terminated, never NULL */
	enum tls_client_auth     client_auth;
	const char              *client_ca, *client_crl; /* paths; NULL: none */
	const struct conf_bytes *ca;            /* certificates of client_ca */
	size_t                   n_ca;
	const struct conf_bytes *crl;           /* lists of client_crl */
	size_t                   n_crl;
	bool                     tickets;       /* sessions can be resumed */
	const char              *ticket_keys;   /* path; NULL: droverd makes them */
	const struct ticket_key *ticket_secrets; /* of that file, the one that encrypts first */
	size_t                   n_ticket_secrets; /* at most TICKET_KEYS_MAX */
	bool                     isolate_keys;  /* private keys are in a process of their own */
	const char              *chain, *key;   /* of a single pair while it is loaded; then NULL */
	const char              *unread;        /* a file that this process may not read, or NULL */
};

struct conf_log {
	struct conf_place place;
	enum log_target   target;       /* NONE: no such log (access_log only) */
	const char       *path;         /* for LOG_TARGET_FILE; else NULL */
	enum log_level    level;        /* of log; access_log has none */
	enum log_format   format;
	struct access_format template;  /* for LOG_FORMAT_TEMPLATE (access_log only) */
	bool              refused;      /* access_log: a line also for each refused client */
};

/*
 * How many workers: `min` of them, always; or, if it was written as a group, as
 * many as are needed, from min to max.
 */
struct conf_workers {
	bool    ranged;                         /* a group */
	int     min;                            /* ranged: 0 means on demand */
	int     max;                            /* not ranged: TTIN goes up to here */
	int     spare_min, spare_max;           /* ranged: free connection slots */
	int64_t calm;                           /* ms */
	int64_t idle_exit;                      /* ms; min 0 only; 0: never */
};

struct conf_service {
	struct conf_place     place;
	const char           *name;
	void                 *pages;    /* from here, page aligned, */
	size_t                pages_len; /* and of that length, belongs to this service alone */
	bool                  enabled;  /* a disabled one is checked, and not in conf.services */
	struct conf_listen   *listen;
	size_t                n_listen;
	struct conf_handler   handler;
	struct conf_workers   workers;
	int                   connections;      /* slots in a worker */
	bool                  measures_queue;   /* how long clients wait to be accepted; costs a system call each */
	int                   max_accepts;      /* a worker is replaced after about that many; 0: never */
	rlim_t                max_request;      /* filter: bytes in a frame */
	int64_t               hang_timeout;     /* ms without a turn of its loop; 0: never */
	rlim_t                crash_capture;    /* bytes of the last input; 0 for programs */
	struct conf_identity  identity;
	const char           *chroot;           /* NULL: none */
	const char           *directory;
	int                   umask;            /* CONF_KEEP, or bits */
	bool                  has_nice;
	int                   nice;
	const char           *cpus;             /* as written; NULL: any */
	cpu_set_t             cpu_set;
	struct conf_rlimits   rlimits;
	bool                  may_dump;         /* rlimits.core asks for it, and its user runs no programs */
	bool                  no_new_privs;
	enum proxy_versions   proxy;            /* for listeners that say nothing of it; so are these two: */
	const char          **proxy_from;
	const struct prefix_set *proxies;
	struct conf_access    access;
	struct conf_timeouts  timeouts;
	struct conf_restart   restart;
	struct conf_poison    poison;
	struct conf_limits    limits;
	struct conf_tls       tls;
	struct conf_log       access_log;
	size_t                access_log_index; /* which of conf.access_logs that is */
};

struct conf_control {                   /* the socket for droverctl(8) */
	struct conf_place place;
	const char       *socket;       /* its path; NULL: there is none */
	bool              is_default;   /* the path is not in the configuration: it is there only if it can be */
	struct address    address;      /* the same */
	int               mode;
	const char       *group;        /* its members may look, as written; NULL: none */
	const char       *admin_group;  /* its members may change things as well; likewise */
	gid_t             gid;          /* (gid_t)CONF_KEEP: none */
	gid_t             admin_gid;
};

/* Where the status process listens for clients of one kind. */
struct conf_outlet {
	struct conf_place        place;         /* of the group; line 0: it is not configured */
	struct conf_listen      *listen;
	size_t                   n_listen;      /* 0: it is not configured */
	const char             **allow;         /* prefixes as written, NULL-terminated, never NULL */
	const struct prefix_set *allowed;       /* of their addresses; NULL: any. Unix peers are served */
};

struct conf_page {                      /* the page for people */
	bool on;                        /* first: conf_keys.h, KEY_SWITCH */
	bool addresses;                 /* it shows from where clients connect */
};

struct conf_metrics {                   /* what is served over HTTP */
	struct conf_outlet outlet;
	struct conf_page   page;
};

struct conf_agent {                     /* what a load balancer asks */
	struct conf_outlet outlet;
	int                balancers;   /* that divide the slots among them */
	int64_t            lame_duck;   /* ms for which a server that stops goes on accepting */
};

struct conf_prefix_list {               /* a file that was read for `access` */
	const char *path;
	size_t      n;                  /* prefixes in it */
};

struct conf {
	const char           *file;             /* the main file, absolute; NULL: command line */
	struct conf_identity  identity;         /* what services start from */
	const char           *pid_file;         /* NULL: none */
	const char           *state_dir;        /* never NULL; it need not exist */
	int64_t               shutdown_timeout; /* ms; 0: no limit */
	struct conf_log       log;
	struct conf_log       access_log;       /* of services that have none of their own */
	const struct conf_log **access_logs;    /* all that differ in target or format: access_log first, */
	size_t                n_access_logs;    /* which may be none, then those of services */
	struct conf_control   control;
	struct conf_metrics   metrics;
	struct conf_agent     agent;
	const char          **include;          /* patterns as written, NULL-terminated */
	const char          **files_read;       /* NULL-terminated, in the order read */
	const char          **files_passed;     /* in an include folder, but no pattern took them */
	struct conf_prefix_list *prefix_lists;  /* each file once, in the order read */
	size_t                n_prefix_lists;
	struct conf_service **services;         /* enabled ones, in the order of their names */
	size_t                n_services;
	size_t                n_disabled;
	size_t                size;             /* bytes of the arena that belong to it */
};

enum conf_weight {
	CONF_ERROR,                     /* the configuration cannot be used */
	CONF_WARNING,                   /* it can, but may not do what is expected */
};

/*
 * Receives one complaint, without a newline, "FILE:LINE: what is wrong (what
 * would be right)", or one warning, "FILE:LINE: warning: ...". They come in the
 * order of their places. The text is lent for the call.
 */
typedef void conf_complain(void *arg, enum conf_weight weight, const char *line);

/*
 * Loads file (made absolute), or text if that is not NULL (file is then what
 * messages call it), into a, which the caller has opened with CONF_ARENA_SIZE,
 * empty, and closes. The result lies at the very beginning of the arena.
 * Blocks: it reads files and asks the name service. Returns NULL after at
 * least one complaint; the arena is then good for arena_close only.
 *
 * Never fails for lack of privilege: what needs root is judged by
 * conf_check_privileges.
 */
struct conf *conf_load(struct arena *a, const char *file, const char *text,
                       conf_complain *complain, void *arg);

enum conf_asker {
	CONF_FOR_SHELL,                 /* droverd -t: whether the daemon could be started with it */
	CONF_FOR_DAEMON,                /* this process is the daemon, or a child of it */
};

/*
 * The same, and judges in the same run what this process may not do, also of a
 * configuration with other errors, as far as that was understood. An ordinary
 * user in a shell is spared that; root there is warned of paths that the systemd
 * unit hides. Returns 0 with *conf set; or, with NULL, the exit status
 * (sysexits.h): 77 if all that is missing is a privilege; 75 if nothing is wrong
 * but look-ups of names, users or paths that failed for now (as opposed to what
 * does not exist), so that the same file may load in a moment; else 78.
 *
 * before is what is served now, in another arena; NULL: nothing. A certificate that has expired is
 * an error if it is not there, too, and else a warning.
 */
int conf_load_for(enum conf_asker asker, struct arena *a, const char *file, const char *text,
                  const struct conf *before, conf_complain *complain, void *arg,
                  const struct conf **conf);

/*
 * What this process may not do, or must not do as root: an ordinary user with
 * keys that need root; root with a service that names no user. Returns 0, or
 * the exit status (sysexits.h: 77 or 78) after at least one complaint.
 */
int conf_check_privileges(const struct conf *conf, conf_complain *complain, void *arg);

/* Prints the effective configuration, every default spelled out, as a file that loads. */
void conf_dump(const struct conf *conf, FILE *out);

#endif
