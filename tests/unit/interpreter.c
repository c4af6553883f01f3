/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that the kernel does not execute, and what is said of each. The error is
 * the one that execve(2) itself gives.
 */
#include <config.h>
#include "interpreter.h"

#include <elf.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "unit.h"

static char why[INTERPRETER_TEXT_MAX], path[128];

static const char *make(const char *bytes, size_t len, mode_t mode)
{
	int fd;

	snprintf(path, sizeof path, "%s/program", unit_folder);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

/* errno of its execution; 0: it was executed. */
static int error_of(const char *program)
{
	char name[] = "program", *argv[] = { name, NULL };
	int ends[2], error = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execv(program, argv);
		error = errno;
		_exit(write(ends[1], &error, sizeof error) == -1);
	}
	close(ends[1]);
	ck_assert_int_ge(read(ends[0], &error, sizeof error), 0);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return error;
}

static const struct { const char *text, *why; } scripts[] = {
	{ "#!/usr/bin/pyhton3\n", "its interpreter \"/usr/bin/pyhton3\" does not exist" },
	{ "#! /bin/no-such -u\n", "its interpreter \"/bin/no-such\" does not exist" },
	{ "#!/bin/no-such", "its interpreter \"/bin/no-such\" does not exist" },
	{ "#!/bin/sh\r\n", "its interpreter \"/bin/sh\\r\" does not exist (the first line ends in CR)" },
	{ "#!/bin/\x01sh\n", "its interpreter \"/bin/\\x01sh\" does not exist" },
	{ "#!/tmp\n", "its interpreter \"/tmp\" is not a regular file" },
	{ "#!/etc/passwd\n", "its interpreter \"/etc/passwd\" may not be executed" },
	{ "#!no-such-python3\n", "its interpreter \"no-such-python3\" is no absolute path"
	  " (#!/usr/bin/env looks for a program)" },
	{ "#!\n", "its first line, #!, names no interpreter" },
	{ "\xef\xbb\xbf#!/bin/sh\n", "a byte order mark comes before its #! (it must be the first two bytes)" },
	{ "echo hello\n", "it is neither a program nor a script with a #! line, such as #!/bin/sh" },
	{ "", "it is empty" },
};

START_TEST(a_script_that_cannot_be_executed_says_what_is_wrong_with_it)
{
	const char *program = make(scripts[_i].text, strlen(scripts[_i].text), 0755);
	const int error = error_of(program);

	ck_assert_int_ne(error, 0);
	ck_assert_str_eq(interpreter_explain(program, error, why), scripts[_i].why);
	ck_assert_ptr_eq(interpreter_judge(NULL, program, why), why);
	ck_assert_str_eq(why, scripts[_i].why);
} END_TEST

static const char *const good[] = { "#!/bin/sh\nexit 0\n", "#! /bin/sh\n", "#!/usr/bin/env true\n" };

START_TEST(nothing_is_wrong_with_one_that_can)
{
	const char *program = make(good[_i], strlen(good[_i]), 0755);

	ck_assert_int_eq(error_of(program), 0);
	ck_assert_ptr_null(interpreter_judge(NULL, program, why));
	ck_assert_ptr_null(interpreter_judge(NULL, "/bin/sh", why));
} END_TEST

START_TEST(env_looks_for_a_name_with_cr)
{
	const char *text = "#!/usr/bin/env python3\r\n";
	const char *program = make(text, strlen(text), 0755);

	ck_assert_ptr_nonnull(interpreter_judge(NULL, program, why));
	ck_assert_str_eq(why, "its interpreter is looked for as \"python3\\r\" (the first line ends in CR)");
} END_TEST

START_TEST(an_interpreter_is_looked_at_likewise)
{
	char text[160];
	const char *program;

	program = make("#!/bin/no-such\n", 15, 0755);
	snprintf(text, sizeof text, "%s/inner", unit_folder);
	ck_assert_int_eq(rename(program, text), 0);
	snprintf(text, sizeof text, "#!%s/inner\n", unit_folder);
	program = make(text, strlen(text), 0755);
	ck_assert_str_eq(interpreter_explain(program, error_of(program), why),
	                 "its interpreter \"/bin/no-such\" does not exist");
} END_TEST

START_TEST(one_that_interprets_itself_comes_to_an_end)
{
	char text[160];
	const char *program;

	snprintf(text, sizeof text, "#!%s/program\n", unit_folder);
	program = make(text, strlen(text), 0755);
	ck_assert_int_eq(error_of(program), ELOOP);
	ck_assert_str_eq(interpreter_explain(program, ELOOP, why), strerror(ELOOP));
} END_TEST

START_TEST(a_loader_that_is_missing_is_named)
{
	static const char loader[] = "/lib/ld-no-such.so.1";
	struct { Elf64_Ehdr e; Elf64_Phdr p[2]; char loader[sizeof loader]; } elf = {
		.e = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 },
		       .e_phoff = sizeof elf.e, .e_phnum = 2 },
		.p = { { .p_type = PT_NOTE }, { .p_type = PT_INTERP, .p_filesz = sizeof loader } },
	};

	memcpy(elf.loader, loader, sizeof loader);
	elf.p[1].p_offset = (Elf64_Off)((char *)elf.loader - (char *)&elf);
	ck_assert_ptr_nonnull(interpreter_judge(NULL, make((char *)&elf, sizeof elf, 0755), why));
	ck_assert_str_eq(why, "its loader \"/lib/ld-no-such.so.1\" does not exist");
} END_TEST

START_TEST(a_program_of_another_machine_is_called_so)
{
	const char elf[64] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASSNONE };
	const char *program = make(elf, sizeof elf, 0755);

	ck_assert_int_eq(error_of(program), ENOEXEC);
	ck_assert_str_eq(interpreter_explain(program, ENOEXEC, why),
	                 "it is a program for another machine, or broken (Exec format error)");
} END_TEST

START_TEST(a_root_is_where_its_interpreter_is_looked_for)
{
	const char *text = "#!/bin/sh\n";

	make(text, strlen(text), 0755);
	ck_assert_ptr_nonnull(interpreter_judge(unit_folder, "/program", why));
	ck_assert_str_eq(why, "its interpreter \"/bin/sh\" does not exist");
	ck_assert_ptr_null(interpreter_judge("/", path, why));
} END_TEST

START_TEST(the_folder_that_is_not_there_is_named)
{
	ck_assert_str_eq(interpreter_explain("/no-such/bin/f", ENOENT, why), "No such file or directory (there is no \"/no-such\")");
	snprintf(path, sizeof path, "%s/f", unit_folder);
	ck_assert_str_eq(interpreter_explain(path, ENOENT, why), strerror(ENOENT));
} END_TEST

START_TEST(one_that_may_not_be_executed_is_said_to_be_so)
{
	const char *program = make("#!/bin/sh\n", 10, 0644);

	ck_assert_int_eq(error_of(program), EACCES);
	ck_assert_str_eq(interpreter_explain(program, EACCES, why), "Permission denied (it is not executable for this user)");
} END_TEST

START_TEST(another_error_is_what_it_is)
{
	ck_assert_str_eq(interpreter_explain("/bin/sh", EAGAIN, why), strerror(EAGAIN));
} END_TEST

/* In a process that leads a session without a terminal, as workers do. */
START_TEST(a_terminal_in_place_of_a_program_does_not_become_ours)
{
	const pid_t pid = fork();
	int ours, theirs, status;

	if (pid == 0) {
		if (setsid() == -1 || openpty(&ours, &theirs, NULL, NULL, NULL) == -1)
			_exit(1);
		interpreter_judge(NULL, ttyname(theirs), why);
		_exit(open("/dev/tty", O_RDONLY | O_CLOEXEC) == -1 && errno == ENXIO ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
} END_TEST

static bool has_terminals(void)
{
	int ours, theirs;
	const bool has = openpty(&ours, &theirs, NULL, NULL, NULL) == 0 && ttyname(theirs);

	if (has)
		close(ours), close(theirs);
	return has;
}

int main(void)
{
	Suite *s = suite_create("interpreter");
	TCase *tc = unit_case(s, "interpreter", unit_enter_folder, unit_leave_folder);

	tcase_add_loop_test(tc, a_script_that_cannot_be_executed_says_what_is_wrong_with_it, 0,
	                    ARRAY_SIZE(scripts));
	tcase_add_loop_test(tc, nothing_is_wrong_with_one_that_can, 0, ARRAY_SIZE(good));
	tcase_add_test(tc, env_looks_for_a_name_with_cr);
	tcase_add_test(tc, an_interpreter_is_looked_at_likewise);
	tcase_add_test(tc, one_that_interprets_itself_comes_to_an_end);
	tcase_add_test(tc, a_loader_that_is_missing_is_named);
	tcase_add_test(tc, a_program_of_another_machine_is_called_so);
	tcase_add_test(tc, a_root_is_where_its_interpreter_is_looked_for);
	tcase_add_test(tc, the_folder_that_is_not_there_is_named);
	tcase_add_test(tc, one_that_may_not_be_executed_is_said_to_be_so);
	tcase_add_test(tc, another_error_is_what_it_is);
	unit_add_if(has_terminals(), "there are no pseudo-terminals", tc,
	            a_terminal_in_place_of_a_program_does_not_become_ours);
	return unit_run(s);
}
