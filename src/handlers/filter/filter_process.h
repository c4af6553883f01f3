/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One process of a filter: a program that gives exactly one answer to each request, in order. The
 * worker never blocks on it, in either direction. A process that breaks this contract is ended,
 * and what it writes after that is ignored.
 */
#ifndef DROVER_HANDLERS_FILTER_FILTER_PROCESS_H
#define DROVER_HANDLERS_FILTER_FILTER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "conf.h"
#include "framing.h"
#include "list.h"
#include "loop.h"
#include "programs.h"

struct filter_process;

enum filter_end {                       /* why a process does not serve any more */
	FILTER_END_RECYCLED,            /* it has answered max_requests */
	FILTER_END_CLOSED,              /* its connection has ended */
	FILTER_END_DRAINED,             /* the worker has nothing more to do */
	FILTER_END_DIED,                /* by itself, or it closed its input or output */
	FILTER_END_TIMEOUT,
	FILTER_END_UNASKED,             /* it wrote something when it had no request */
	FILTER_END_TOO_LONG,            /* its answer was longer than max_request */
	FILTER_END_BROKEN,              /* its answer was not a frame */
};

/* A request. It is a member of its owner's struct; the owner keeps it and its bytes unchanged meanwhile. */
struct filter_request {
	struct list            in_queue;        /* of the pool, while it waits */
	struct filter_process *process;         /* the process that has it; NULL: none */
	struct filter_process *own;             /* share = "connection": the process that gets it */
	const char *prefix;                     /* sent before it; NULL: nothing */
	const char *content;
	size_t      content_len;
	const char *frame;                      /* the content framed for the filter; NULL: not yet framed */
	size_t      frame_len;
};

struct filter_answer {                  /* lent for the call */
	const char *frame;              /* as the filter framed it */
	size_t      frame_len;
	const char *content;
	size_t      content_len;
	int64_t     took_ms;            /* since the process got the request */
};

/* The owner of processes. All is lent. */
struct filter_owner {
	struct loop              *loop;
	struct programs          *programs;
	const struct conf_filter *conf;
	const char               *name;         /* of the service */
	char *const              *envp;
	char                     *scratch;      /* of scratch_len bytes, for reading */
	size_t                    scratch_len;

	/* r was answered; r is NULL if the answer is not wanted any more. */
	void (*answered)(struct filter_owner *o, struct filter_process *p,
	                 struct filter_request *r, const struct filter_answer *a);
	/*
	 * p does not serve any more, and was not dismissed. filter_process_take_back gives its
	 * requests back; p has not read any byte of the last n_unread of them.
	 */
	void (*lost)(struct filter_owner *o, struct filter_process *p, enum filter_end why,
	             size_t n_unread);
	/* The process has ended, with that status of waitpid(2); p is freed after this call. */
	void (*ended)(struct filter_owner *o, struct filter_process *p, int status);
};

/* Starts a process, which frees itself when it has ended. NULL with errno if that fails. */
struct filter_process *filter_process_start(struct filter_owner *o);

/* Whether it may get one more request. */
bool filter_process_has_room(const struct filter_process *p);

/*
 * Whether it has written nothing without a request. Must be called before it gets a request
 * while it has none. If false, it is lost.
 */
bool filter_process_is_quiet(struct filter_process *p);

/* Adds a request; filter_process_flush sends it. 0, or -1 with ENOMEM. */
int filter_process_put(struct filter_process *p, struct filter_request *r);
void filter_process_flush(struct filter_process *p);

/* The answer to r is not wanted any more: `answered` will be called without r. */
void filter_process_forget(struct filter_process *p, const struct filter_request *r);

/*
 * Takes back the oldest request of a process that is lost; *r is NULL if its answer is not wanted any
 * more. False: it has none.
 */
bool filter_process_take_back(struct filter_process *p, struct filter_request **r);

/* Ends it by end of file on its input, then TERM, then KILL. `lost` is not called. */
void filter_process_dismiss(struct filter_process *p, enum filter_end why);

pid_t filter_process_pid(const struct filter_process *p);
size_t filter_process_n(const struct filter_process *p);        /* requests that it has */
uint64_t filter_process_answered(const struct filter_process *p);
bool filter_process_is_silent(const struct filter_process *p);  /* it never began an answer */
int64_t filter_process_age_ms(const struct filter_process *p);

/* Within `ended`: adds the last line of its standard error, as program_add_last_words does. */
void filter_process_add_last_words(const struct filter_process *p, struct text *t);

/* Returns how many bytes of an answer have come so far, and its state in *s; 0: none has begun. */
size_t filter_process_part(const struct filter_process *p, struct framing_state *s);

enum filter_end filter_process_why(const struct filter_process *p);

/* What the owner keeps with each process. */
struct filter_links {
	bool                   early;   /* it was lost, and no request can have been the reason */
	struct list            in_pool; /* in the list of processes that serve */
	struct filter_request *own;     /* share = "connection": the request that it is for */
};
struct filter_links *filter_process_links(struct filter_process *p);
struct filter_process *filter_process_of(struct list *in_pool);

#endif
