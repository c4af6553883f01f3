/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starts a program. It uses vfork(2), because that costs the same for a small and a large
 * process, and because the parent learns of a failed execve(2) at once.
 */
#ifndef DROVER_SYS_LAUNCH_H
#define DROVER_SYS_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "rlimits.h"

struct launch {
	const char              *program;       /* the file; argv[0] need not be its path */
	char *const             *argv;
	char *const             *envp;
	const char              *directory;     /* entered by the program; NULL: ours */
	int                      in, out;       /* become descriptors 0 and 1; blocking, may be the same */
	int                      err;           /* becomes descriptor 2; blocking, unless it is out */
	const struct rlimit_list *limits;        /* applied in the program */
};

/*
 * Starts the program in a session (and so a process group) of its own, with
 * default signals; it gets TERM if this process dies. All other descriptors must be
 * close-on-exec. Returns its pid; -1 with errno if it could not be executed,
 * and no child is left then. *no_directory says whether that was because
 * it could not enter its directory.
 */
pid_t launch(const struct launch *l, bool *no_directory);

#endif
