/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The events that log lines are about: a word for each, which stays the same when the text of the
 * line changes, and for those that an administrator should be told of, the id of the message.
 */
#ifndef DROVER_BASE_LOG_EVENTS_H
#define DROVER_BASE_LOG_EVENTS_H

/*
 * X(NAME, word, id): id is 128 random bits in hexadecimal, made once (journalctl --new-id128)
 * and never changed; NULL: the event has none. droverd.8 lists the words and the ids.
 */
#define LOG_EVENTS(X) \
	/* those to be alerted on */ \
	X(WORKER_DIED,        "worker-died",        "4a0de3d2c6024b398d79fa24204883fa") \
	X(WORKER_HUNG,        "worker-hung",        "65a014ba6fe04ef3ab3128835583ab8b") \
	X(WORKER_DELAYED,     "worker-delayed",     "dd7685751ba74bd29a06f568036c15ab") \
	X(POOL_EXHAUSTED,     "pool-exhausted",     "88258c063ed94870b749d99ac62e42b4") \
	X(PROGRAMS_FAIL,      "programs-fail",      "3ca93edd90e74cf4b6608e6771615624") \
	X(RELOAD_REFUSED,     "reload-refused",     "4c3e426cfa4747e8977569ce559afcfd") \
	X(UPGRADE_FAILED,     "upgrade-failed",     "33b0e48433734313811f2bfd392b0a5b") \
	X(CERTIFICATE_SHORT,  "certificate-short",  "116ad1aff1a24094a6680cdf2d13391d") \
	X(SOURCE_BLOCKED,     "source-blocked",     "9a68b069d1ed4a82b8a3678802733c0b") \
	X(LINES_DROPPED,      "lines-dropped",      "5939976242e74cb8aac47bf803ab4737") \
	/* of the server */ \
	X(READY,              "ready",              NULL) \
	X(LEAVING,            "leaving",            NULL) \
	X(STOPPING,           "stopping",           NULL) \
	X(STOPPED,            "stopped",            NULL) \
	X(RELOADING,          "reloading",          NULL) \
	X(RELOADED,           "reloaded",           NULL) \
	X(UPGRADING,          "upgrading",          NULL) \
	X(UPGRADED,           "upgraded",           NULL) \
	X(LOGS_REOPENED,      "logs-reopened",      NULL) \
	X(LISTENING,          "listening",          NULL) \
	X(CONTROL,            "control",            NULL) \
	X(LOG_PROCESS_DIED,   "log-process-died",   NULL) \
	X(KEY_PROCESS_DIED,   "key-process-died",   NULL) \
	X(STATUS_PROCESS_DIED, "status-process-died", NULL) \
	/* of a service */ \
	X(SCALED,             "scaled",             NULL) \
	X(SUSPENDED,          "suspended",          NULL) \
	X(RESUMED,            "resumed",            NULL) \
	X(POOL_RELIEVED,      "pool-relieved",      NULL) \
	X(PROGRAMS_WORK,      "programs-work",      NULL) \
	X(SOURCE_UNBLOCKED,   "source-unblocked",   NULL) \
	X(REFUSING_BEGIN,     "refusing-begin",     NULL) \
	X(REFUSING_END,       "refusing-end",       NULL) \
	X(CRASH_REPORT,       "crash-report",       NULL) \
	/* of a worker */ \
	X(WORKER_EXITED,      "worker-exited",      NULL) \
	X(WORKER_LATE,        "worker-late",        NULL) \
	X(WORKER_BROKEN,      "worker-broken",      NULL) \
	X(WORKER_FAILED,      "worker-failed",      NULL) \
	X(MASTER_GONE,        "master-gone",        NULL) \
	X(ACCEPT_FAILED,      "accept-failed",      NULL) \
	/* of a program */ \
	X(PROGRAM_OUTPUT,     "program-output",     NULL) \
	X(OUTPUT_DROPPED,     "output-dropped",     NULL) \
	X(PROGRAM_ENDED,      "program-ended",      NULL) \
	/* of a connection */ \
	X(CONNECTION_END,     "connection-end",     NULL) \
	X(TLS_FAILED,         "tls-failed",         NULL) \
	X(PROXY_FAILED,       "proxy-failed",       NULL) \
	X(REQUEST_REFUSED,    "request-refused",    NULL)

enum log_event {
	LOG_EVENT_NONE,
#define X(NAME, word, id) LOG_EVENT_##NAME,
	LOG_EVENTS(X)
#undef X
	LOG_EVENT_COUNT,
};

#define LOG_EVENT_WORD_MAX 20           /* room for any word, with NUL */

/* NULL for LOG_EVENT_NONE. */
const char *log_events_word(enum log_event event);

/* 32 digits; NULL: the event has none. */
const char *log_events_id(enum log_event event);

#endif
