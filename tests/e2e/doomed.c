/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes a droverd that passes every check, and then cannot take over. The file
 * that the variable DOOM names, if it is there, says where it fails.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handover_import.h"
#include "worker.h"

const char version_string[] = "6.6.6";

bool __real_handover_import(struct master *m, const struct handover *h, char *why, size_t size);
bool __wrap_handover_import(struct master *m, const struct handover *h, char *why, size_t size);
struct pool *__real_pool_adopt(struct pool_context *context, const struct conf_service *service,
                               unsigned int generation, struct service_state *state,
                               const struct pool_past *past);
struct pool *__wrap_pool_adopt(struct pool_context *context, const struct conf_service *service,
                               unsigned int generation, struct service_state *state,
                               const struct pool_past *past);
struct conf_fetch *__real_conf_fetch_start(struct helpers *all, const struct conf_origin *source,
                                           const struct conf *before, conf_fetch_done *done, void *arg);
struct conf_fetch *__wrap_conf_fetch_start(struct helpers *all, const struct conf_origin *source,
                                           const struct conf *before, conf_fetch_done *done, void *arg);
_Noreturn void __real_worker_main(const struct worker_start *start);
_Noreturn void __wrap_worker_main(const struct worker_start *start);
int __real_loop_init(struct loop *l);
int __wrap_loop_init(struct loop *l);

static bool doom_is(const char *where)
{
	const char *path = getenv("DOOM");
	FILE *f = path ? fopen(path, "re") : NULL;
	char word[16] = "";

	if (!f)
		return false;
	if (!fgets(word, sizeof word, f))
		word[0] = '\0';
	fclose(f);
	return strcmp(word, where) == 0;
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);

/* Fails for every caller, if the test wants it. */
pid_t __wrap_fork(void)
{
	if (!doom_is("fork"))
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

/* At the very beginning of the master. */
int __wrap_loop_init(struct loop *l)
{
	if (!doom_is("init"))
		return __real_loop_init(l);
	errno = EMFILE;
	return -1;
}

/* When it has read what it has to take over. */
bool __wrap_handover_import(struct master *m, const struct handover *h, char *why, size_t size)
{
	if (!doom_is("take"))
		return __real_handover_import(m, h, why, size);
	snprintf(why, size, "doomed");
	return false;
}

/* When it has taken over all services but the last one, which comes last in the alphabet. */
struct pool *__wrap_pool_adopt(struct pool_context *context, const struct conf_service *service,
                               unsigned int generation, struct service_state *state,
                               const struct pool_past *past)
{
	if (!doom_is("half") || strcmp(service->name, "s") != 0)
		return __real_pool_adopt(context, service, generation, state, past);
	service_state_release(&state);
	errno = ENOMEM;
	return NULL;
}

/* When it has taken that over. */
struct conf_fetch *__wrap_conf_fetch_start(struct helpers *all, const struct conf_origin *source,
                                           const struct conf *before, conf_fetch_done *done, void *arg)
{
	if (!doom_is("load"))
		return __real_conf_fetch_start(all, source, before, done, arg);
	errno = ENOMEM;
	return NULL;
}

/* When workers of one service accept connections already: not those of the other. */
_Noreturn void __wrap_worker_main(const struct worker_start *start)
{
	if (doom_is("start") && strcmp(start->service->name, "doomed") == 0) {
		if (getenv("DOOM_WAITS"))
			fclose(fopen(getenv("DOOM_WAITS"), "r"));       /* a FIFO */
		_exit(1);
	}
	__real_worker_main(start);
}
