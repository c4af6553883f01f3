/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The access log: one line for each connection, written when it is known how the
 * connection ended. It knows neither connections nor where the log is: it gets a record and a
 * sink.
 */
#ifndef DROVER_WORKER_ACCESS_LOG_H
#define DROVER_WORKER_ACCESS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "access_format.h"
#include "address.h"
#include "log_sink.h"
#include "tls_link.h"

struct access_record {
	const char            *service;
	const char            *id;
	const struct endpoint *peer;
	const struct endpoint *via;             /* the proxy that has named peer; NULL: none has */
	const struct endpoint *local;
	const char            *unique_id;       /* of the proxy, in printable ASCII; NULL: none */
	const char            *authority;       /* the host name that the client asked for; likewise */
	int64_t                duration_us;
	bool                   counted;         /* the bytes went through the worker, which counted them */
	uint64_t               bytes_in, bytes_out;
	const char            *how;             /* how it ended, one word */
	const struct tls_link_facts *tls;       /* NULL: it was not for TLS */
	bool                   has_status;      /* it had a program, which has ended */
	int                    status;          /* with this status of waitpid(2) */
};

/*
 * Writes the line of r. sink is lent; NULL: there is no access log. template says what the line has if
 * that is the format of sink.
 */
void access_log_put(struct log_sink *sink, const struct access_format *template,
                    const struct access_record *r);

#endif
