/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One process of a filter: a program that answers each request with exactly one
 * answer, in order. It is never waited for, in neither direction. A breach of
 * the contract ends it: what it writes after that is ignored.
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
	FILTER_END_UNASKED,             /* it said something without a request */
	FILTER_END_TOO_LONG,            /* its answer had more than max_request */
	FILTER_END_BROKEN,              /* its answer was no frame */
};

/* A request; it is a member of its asker, which keeps it and its bytes unchanged meanwhile. */
struct filter_request {
	struct list            in_queue;        /* of the pool, while it waits */
	struct filter_process *process;         /* that has it; NULL: none */
	struct filter_process *own;             /* share = "connection": the process that gets it */
	const char *prefix;                     /* goes before it; NULL: nothing */
	const char *content;
	size_t      content_len;
	const char *frame;                      /* the same, framed for the filter; NULL: not yet */
	size_t      frame_len;
};

struct filter_answer {                  /* lent for the call */
	const char *frame;              /* as the filter framed it */
	size_t      frame_len;
	const char *content;
	size_t      content_len;
};

/* The owner of processes. All lent. */
struct filter_owner {
	struct loop              *loop;
	struct programs          *programs;
	const struct conf_filter *conf;
	const char               *name;         /* of the service */
	char *const              *envp;
	char                     *scratch;      /* of scratch_len bytes, for reading */
	size_t                    scratch_len;

	/* r was answered; NULL: the answer is not wanted any more. */
	void (*answered)(struct filter_owner *o, struct filter_process *p,
	                 struct filter_request *r, const struct filter_answer *a);
	/*
	 * It does not serve any more, and was not told to go. Of its requests, which
	 * filter_process_take_back gives back, it has never read the last n_unread.
	 */
	void (*lost)(struct filter_owner *o, struct filter_process *p, enum filter_end why,
	             size_t n_unread);
	/* The process has ended, with that status of waitpid(2); p is no more after this. */
	void (*ended)(struct filter_owner *o, struct filter_process *p, int status);
};

/* Starts one. NULL with errno if that fails. It frees itself when it has ended. */
struct filter_process *filter_process_start(struct filter_owner *o);

/* Whether one more request may be given to it. */
bool filter_process_has_room(const struct filter_process *p);

/*
 * Whether it says nothing just now; to be asked before a request is given to it
 * while it has none. If not, it is lost.
 */
bool filter_process_is_quiet(struct filter_process *p);

/* Notes a request, to be sent by filter_process_flush. 0, or -1 with ENOMEM. */
int filter_process_put(struct filter_process *p, struct filter_request *r);
void filter_process_flush(struct filter_process *p);

/* The answer to r is not wanted any more: it will be dropped. */
void filter_process_forget(struct filter_process *p, const struct filter_request *r);

/* Of one that is lost: the request that it had longest. False: there is none. */
bool filter_process_take_back(struct filter_process *p, struct filter_request **r);

/* End of file for its input, then TERM, then KILL; it is not `lost`. */
void filter_process_dismiss(struct filter_process *p, enum filter_end why);

pid_t filter_process_pid(const struct filter_process *p);
size_t filter_process_n(const struct filter_process *p);        /* requests in it */
uint64_t filter_process_answered(const struct filter_process *p);
bool filter_process_is_silent(const struct filter_process *p);  /* it never began an answer */
int64_t filter_process_age_ms(const struct filter_process *p);

/* Of one that has ended, within `ended`: what it said last on its standard error, as program_add_last_words. */
void filter_process_add_last_words(const struct filter_process *p, struct text *t);

/* The answer that has begun: bytes of it so far, and where it is; 0: none has. */
size_t filter_process_part(const struct filter_process *p, struct framing_state *s);

enum filter_end filter_process_why(const struct filter_process *p);

/* Of those that one pool has, and whose it is: for the owner. */
struct filter_links {
	bool                   early;   /* it was lost, and no request can have been the reason */
	struct list            in_pool;
	struct filter_request *own;     /* share = "connection" */
};
struct filter_links *filter_process_links(struct filter_process *p);
struct filter_process *filter_process_of(struct list *in_pool);

#endif
