/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What most unit tests need beside Check: running a suite, a folder of one's
 * own, and looking at descriptors.
 */
#ifndef DROVER_TESTS_UNIT_H
#define DROVER_TESTS_UNIT_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof (a) / sizeof (a)[0])

/* Runs s, tells the results as TAP, and returns the exit status of the program. */
static inline int unit_run(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* One more case of s, with what its tests need before and after (or NULL). */
static inline TCase *unit_case(Suite *s, const char *name, SFun before, SFun after)
{
	TCase *tc = tcase_create(name);

	if (before || after)
		tcase_add_checked_fixture(tc, before, after);
	suite_add_tcase(s, tc);
	return tc;
}

/*
 * As ck_assert, for a condition that is checked thousands of times: Check sends a
 * message through a pipe for each assertion, this does so only if it fails.
 */
#define unit_require(condition) \
	do { \
		if (!(condition)) \
			ck_abort_msg("'%s' is not so", #condition); \
	} while (0)

/* The text has that part somewhere; both are shown if not. */
#define unit_contains(text, part) \
	do { \
		const char *const text_ = (text), *const part_ = (part); \
		ck_assert_msg(strstr(text_, part_) != NULL, "no \"%s\" in: %s", part_, text_); \
	} while (0)

/* Adds a test, with n rows, if it can be done here; else says so, in a line. */
#define unit_add_if(can, why, tc, test) unit_add_rows_if(can, why, tc, test, 1)
#define unit_add_rows_if(can, why, tc, test, n) \
	do { \
		if (can) { \
			tcase_add_loop_test(tc, test, 0, n); \
		} else { \
			printf("# skipped: %s (%s)\n", (test)->name, why); \
			fflush(stdout); \
		} \
	} while (0)

/* ---- a folder ----------------------------------------------------------- */

static char unit_folder[64];

static inline int unit_remove_entry(const char *path, const struct stat *st, int type,
                                    struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

/* Makes a folder and stands in it: tests name their files relative to it. */
static inline void unit_enter_folder(void)
{
	snprintf(unit_folder, sizeof unit_folder, "/tmp/drover-unit.XXXXXX");
	ck_assert_msg(mkdtemp(unit_folder) && chdir(unit_folder) == 0, "%s: %m", unit_folder);
}

static inline void unit_leave_folder(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	nftw(unit_folder, unit_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* All of a file, with NUL; "" if there is none. In static memory. */
static inline const char *unit_read_file(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof text - 1);

	if (fd != -1)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static inline void unit_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_msg(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %m", path);
}

/* ---- children ----------------------------------------------------------- */

/* Waits for a child that exits with the number of what is wrong, or 0. */
static inline void unit_child_succeeds(pid_t pid)
{
	int status;

	ck_assert_int_ne(pid, -1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "status %x", status);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

/* ---- descriptors -------------------------------------------------------- */

static inline bool unit_fd_is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Open, close-on-exec and non-blocking: how each descriptor of ours is born. */
static inline bool unit_fd_is_well_born(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static inline int unit_count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += unit_fd_is_open(fd);
	return n;
}

/* Writing to who is gone is EPIPE, as in the daemon, where all signals are blocked. */
static inline void unit_block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

#endif
