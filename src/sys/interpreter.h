/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Says why a program cannot be executed. execve(2) says "No such file or directory"
 * also of a script whose interpreter is missing, and "Exec format error" of one
 * without a #! line: this module reads the file and names what is missing.
 */
#ifndef DROVER_SYS_INTERPRETER_H
#define DROVER_SYS_INTERPRETER_H

#define INTERPRETER_TEXT_MAX 512

/*
 * Looks for what the file at path needs to be executed: the interpreter of its #!
 * line, the loader of an ELF file, and what these need in turn. root is the
 * folder that will be its root, which an absolute path begins at; NULL: ours.
 * Returns NULL if nothing is missing, or the file may not be read; else buf,
 * with a clause that fits behind the path and a colon, for example
 *
 *	its interpreter "/bin/sh\r" does not exist (the first line ends in CR)
 *
 * Whether path exists and is executable is for the caller to judge.
 */
const char *interpreter_judge(const char *root, const char *path, char buf[static INTERPRETER_TEXT_MAX]);

/*
 * Why execve(2) of path failed with that error, as such a clause. What cannot be
 * explained any better is described as strerror(3) does. Returns buf.
 */
const char *interpreter_explain(const char *path, int error, char buf[static INTERPRETER_TEXT_MAX]);

#endif
