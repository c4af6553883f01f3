/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program that this process executes: where its file is, how it was started, and how
 * another version is executed in its place.
 */
#ifndef DROVER_SYS_SELF_H
#define DROVER_SYS_SELF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct self_inherited { int fd; dev_t dev; ino_t ino; };

struct self {
	char  *path;            /* absolute, and not resolved: a link may lead elsewhere later */
	char  *directory;       /* that we were started in; arguments may be relative to it */
	char **argv;            /* as it was given, NULL at the end; a copy */
	int    fd;              /* the file that runs, even if path has another one now; -1: no /proc */
	struct self_inherited *inherited;       /* descriptors that it was started with */
	size_t n_inherited;
};

/*
 * To be called before the directory or argv changes. Needs self_fini in any case. 0,
 * or -1 with errno.
 */
int self_init(struct self *s, char *const *argv);
void self_fini(struct self *s);

/* For a caller that knows the path better: it is copied. 0, or -1 with errno. */
int self_set_path(struct self *s, const char *path);

/* Calls see for each descriptor that this process was started with and that is still the same. */
void self_each_inherited(const struct self *s, bool (*see)(void *arg, int fd), void *arg);

/*
 * Executes the file that is at path now, in the directory that we were started in and with
 * our arguments. Returns only on failure, with errno, in the working directory it had before.
 */
void self_exec(const struct self *s);

/* The same, with the program that fd is. */
void self_exec_fd(const struct self *s, int fd);

#endif
