/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads the first bytes of a file as the kernel does when it executes it
 * (execve(2), "Interpreter scripts"), and follows them to the file that they
 * name. Executes nothing, and knows nothing of services.
 */
#include <config.h>
#include "interpreter.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "text.h"

#define HEAD_MAX  256                   /* bytes that the kernel looks at: BINPRM_BUF_SIZE */
#define DEPTH_MAX 4                     /* scripts that are interpreters of scripts */
#define HEADERS_MAX 64                  /* program headers that are looked at */

struct view {
	int         root;               /* O_PATH; -1: that of this process */
	struct text why;
};

static bool judge_program(struct view *v, const char *path, int depth);

/* ---- files -------------------------------------------------------------- */

/* What is wrong with a file that must be executable; NULL: nothing that we can see. */
static const char *wrong_with(const struct view *v, const char *path)
{
	const char *wrong = NULL;
	struct stat st;
	int fd = fd_open_inside(v->root, path, O_PATH);

	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? "does not exist" : NULL;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		wrong = "is not a regular file";
	else if (faccessat(fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == -1 && errno == EACCES)
		wrong = "may not be executed";
	fd_drop(fd);
	return wrong;
}

/* Writes CR as \r: it is the most common of the bytes that cannot be seen. */
static void add_quoted(struct text *t, const char *string)
{
	text_add_string(t, "\"");
	for (const char *s = string; *s; s++)
		if (*s == '\r')
			text_add_string(t, "\\r");
		else
			text_add_safe(t, s, 1);
	text_add_string(t, "\"");
}

static bool ends_in_cr(const char *string)
{
	const size_t len = strlen(string);

	return len > 0 && string[len - 1] == '\r';
}

/* ---- scripts ------------------------------------------------------------ */

/* Returns the next word of *line and moves *line behind it. "" if there is none. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t");

	*line = word + strcspn(word, " \t");
	if (**line)
		*(*line)++ = '\0';
	return word;
}

/* env(1) itself looks for the interpreter, and a CR is part of the name that it looks for. */
static bool judge_argument(struct view *v, const char *interpreter, const char *argument)
{
	const char *slash = strrchr(interpreter, '/');

	if (!slash || strcmp(slash, "/env") != 0 || !ends_in_cr(argument))
		return true;
	text_add_string(&v->why, "its interpreter is looked for as ");
	add_quoted(&v->why, argument);
	text_add_string(&v->why, " (the first line ends in CR)");
	return false;
}

static bool judge_interpreter(struct view *v, const char *interpreter, int depth)
{
	const char *wrong;

	if (interpreter[0] != '/') {
		text_add_string(&v->why, "its interpreter ");
		add_quoted(&v->why, interpreter);
		text_add_string(&v->why, " is no absolute path (#!/usr/bin/env looks for a program)");
		return false;
	}
	wrong = wrong_with(v, interpreter);
	if (!wrong)
		return judge_program(v, interpreter, depth + 1);
	text_add_string(&v->why, "its interpreter ");
	add_quoted(&v->why, interpreter);
	text_add(&v->why, " %s", wrong);
	if (ends_in_cr(interpreter))
		text_add_string(&v->why, " (the first line ends in CR)");
	return false;
}

/* line: what stands behind #!, to the end of the line. */
static bool judge_script(struct view *v, char *line, int depth)
{
	const char *interpreter = next_word(&line);

	if (!*interpreter || strcmp(interpreter, "\r") == 0) {
		text_add_string(&v->why, "its first line, #!, names no interpreter");
		return false;
	}
	return judge_interpreter(v, interpreter, depth) &&
	       judge_argument(v, interpreter, line + strspn(line, " \t"));
}

/* Neither a script nor ELF: the kernel may know other formats, but none that is text. */
static bool judge_other(struct view *v, const char *head, size_t len)
{
	if (len == 0)
		text_add_string(&v->why, "it is empty");
	else if (len > 5 && memcmp(head, "\xef\xbb\xbf#!", 5) == 0)
		text_add_string(&v->why, "a byte order mark comes before its #! (it must be the first two bytes)");
	else if (!memchr(head, '\0', len))
		text_add_string(&v->why, "it is neither a program nor a script with a #! line, such as #!/bin/sh");
	return v->why.len == 0;
}

/* ---- ELF ---------------------------------------------------------------- */

/* The place of the loader's name in the file: the bytes that struct Phdr says. */
#define FIND_LOADER(fd, head, Ehdr, Phdr, at, n) \
	do { \
		Ehdr e; \
		Phdr ph; \
		memcpy(&e, head, sizeof e); \
		for (unsigned i = 0; i < e.e_phnum && i < HEADERS_MAX; i++) { \
			const off_t where = (off_t)(e.e_phoff + i * sizeof ph); \
			if (pread(fd, &ph, sizeof ph, where) != (ssize_t)sizeof ph) \
				break; \
			if (ph.p_type == PT_INTERP) { \
				at = (off_t)ph.p_offset; \
				n = (size_t)ph.p_filesz; \
				break; \
			} \
		} \
	} while (0)

/* A file of the other byte order, or one that is cut off, is not judged. */
static bool judge_elf(struct view *v, int fd, const char *head, size_t len)
{
	const int class = head[EI_CLASS];
	char loader[PATH_MAX];
	const char *wrong;
	off_t at = 0;
	size_t n = 0;

	if (class == ELFCLASS64 && len >= sizeof(Elf64_Ehdr))
		FIND_LOADER(fd, head, Elf64_Ehdr, Elf64_Phdr, at, n);
	else if (class == ELFCLASS32 && len >= sizeof(Elf32_Ehdr))
		FIND_LOADER(fd, head, Elf32_Ehdr, Elf32_Phdr, at, n);
	if (n == 0 || n >= sizeof loader || pread(fd, loader, n, at) != (ssize_t)n)
		return true;
	loader[n] = '\0';
	wrong = loader[0] == '/' ? wrong_with(v, loader) : NULL;
	if (!wrong)
		return true;
	text_add_string(&v->why, "its loader ");
	add_quoted(&v->why, loader);
	text_add(&v->why, " %s", wrong);
	return false;
}

/* ---- a file ------------------------------------------------------------- */

/* False if something is wrong, which v->why then says. */
static bool judge_head(struct view *v, int fd, char *head, size_t len, int depth)
{
	if (len > EI_CLASS && memcmp(head, ELFMAG, SELFMAG) == 0)
		return judge_elf(v, fd, head, len);
	if (len < 2 || head[0] != '#' || head[1] != '!')
		return judge_other(v, head, len);
	head[strcspn(head, "\n")] = '\0';
	return judge_script(v, head + 2, depth);
}

static bool is_regular(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* O_NOCTTY: a worker has no terminal, and one that it opened would become its controlling terminal. */
static bool judge_program(struct view *v, const char *path, int depth)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
	char head[HEAD_MAX + 1];
	ssize_t n;
	bool fine = true;
	int fd = depth > DEPTH_MAX ? -1 : fd_open_inside(v->root, path, flags);

	n = is_regular(fd) ? read(fd, head, sizeof head - 1) : -1;
	if (n >= 0) {
		head[n] = '\0';
		fine = judge_head(v, fd, head, (size_t)n, depth);
	}
	fd_drop(fd);
	return fine;
}

const char *interpreter_judge(const char *root, const char *path, char buf[static INTERPRETER_TEXT_MAX])
{
	struct view v = { .root = -1, .why = text_in(buf, INTERPRETER_TEXT_MAX) };
	bool fine;

	if (root && (v.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return NULL;
	fine = judge_program(&v, path, 0);
	fd_drop(v.root);
	return fine ? NULL : buf;
}

/* ---- what has failed ---------------------------------------------------- */

/* The length of the first folder in path that we may not pass, or that does not exist; 0: none. */
static size_t find_barrier(const char *path, int error)
{
	char folder[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof folder)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (path[i] != '/')
			continue;
		memcpy(folder, path, i);
		folder[i] = '\0';
		if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) == -1 && errno == error)
			return i;
	}
	return 0;
}

/* Explains the error by the file itself or a folder in its path. False if neither is the reason. */
static bool explain_path(struct text *t, const char *path, int error)
{
	const size_t barrier = find_barrier(path, error);

	if (barrier > 0) {
		text_add(t, "%s (%s \"", strerror(error), error == EACCES ? "it may not pass" : "there is no");
		text_add_safe(t, path, barrier);
		text_add_string(t, "\")");
		return true;
	}
	if (error == EACCES && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == -1) {
		text_add(t, "%s (it is not executable for this user)", strerror(error));
		return true;
	}
	return false;
}

const char *interpreter_explain(const char *path, int error, char buf[static INTERPRETER_TEXT_MAX])
{
	struct text t = text_in(buf, INTERPRETER_TEXT_MAX);

	if (error == ENOENT || error == EACCES || error == ENOEXEC || error == ENOTDIR || error == ELOOP)
		if (explain_path(&t, path, error) || interpreter_judge(NULL, path, buf))
			return buf;
	t = text_in(buf, INTERPRETER_TEXT_MAX);
	if (error == ENOEXEC)
		text_add_string(&t, "it is a program for another machine, or broken (Exec format error)");
	else
		text_add_string(&t, strerror(error));
	return buf;
}
