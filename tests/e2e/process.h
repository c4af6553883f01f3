/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Other processes: what the kernel says about one, and running a command.
 */
#ifndef DROVER_E2E_PROCESS_H
#define DROVER_E2E_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The value of a line in a text like /proc/PID/status ("Umask"); "" if there is none. */
const char *process_field(const char *text, const char *name);
const char *process_status(pid_t pid, const char *name);

/* Where a link of /proc/PID leads: "root", "cwd". */
const char *process_link(pid_t pid, const char *name);

/* A file as it is now, in static memory: also where there is no test. */
const char *process_file(const char *path);

/* Whether the memory of a process holds these bytes anywhere. Needs the right to trace it. */
bool process_remembers(pid_t pid, const char *text);
bool process_remembers_bytes(pid_t pid, const void *bytes, size_t len);

/* The pid of one of our children, 0 if there is none. */
pid_t process_first_child(void);

/*
 * In a child, before execve(2): no signal is ignored or blocked. nohup and some service
 * managers start the tests with SIGHUP or SIGPIPE ignored, and programs inherit that.
 */
void process_reset_signals(void);

/* A pidfd, which process_wait_end closes. */
int process_watch(pid_t pid);

/* Waits until the process of that pidfd has ended. */
void process_wait_end(int pidfd);

/*
 * Runs a command with HOME in the test's folder. Its output goes to the file
 * "command-output" there. Returns the exit status.
 */
int process_run(const char *const *argv);
#define process_run_args(...) process_run((const char *const[]){ __VA_ARGS__, NULL })

/* The same; fails with the output of a command that does not succeed. */
void process_must_run(const char *const *argv);
#define process_must(...) process_must_run((const char *const[]){ __VA_ARGS__, NULL })

/* From now on git has no configuration but this: who makes commits, and on which branch. */
void process_configure_git(void);

/* The absolute path of a program that is built beside droverd, e.g. "tests/e2e/odd_filter". */
const char *process_built(const char *name);

/* Whether there is such a program in PATH. */
bool process_is_installed(const char *program);

/*
 * Gives up a capability for the program that is executed next: of the bounding set, and of the
 * inheritable one, in which root has all in some containers, and keeps them over execve(2).
 * 0, or -1 with errno.
 */
int process_give_up(int capability);

#endif
