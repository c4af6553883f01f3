/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parses files of environment variables, lines NAME=VALUE, in the syntax of EnvironmentFile= as
 * systemd.exec(5) documents it, but strictly: what systemd passes over is an error here. It does not
 * know what the variables are for.
 */
#ifndef DROVER_BASE_ENV_FILE_H
#define DROVER_BASE_ENV_FILE_H

/* A variable, with the line on which its name stands, from 1. The strings are lent for the call. */
typedef void env_file_take(void *arg, int line, const char *name, const char *value);

/* What is wrong on a line: "LINE: " is not part of the text, which is lent for the call. */
typedef void env_file_complain(void *arg, int line, const char *what);

/*
 * Parses a text that ends in NUL. Calls one of the two for each line, or lines, that are neither
 * empty nor a comment, in their order. Returns 0, or -1 with errno ENOMEM.
 */
int env_file_parse(const char *text, env_file_take *take, env_file_complain *complain, void *arg);

#endif
