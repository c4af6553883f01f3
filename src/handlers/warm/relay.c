/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves a limited number of bytes in each direction in one turn, so that no client waits for the
 * download of another. If a receiver takes no bytes, only its sender is not read. The bytes of a
 * side that sends much are spliced through a pipe: measured over loopback, that takes between a
 * third and three quarters of the time of copying.
 */
#include <config.h>
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "list.h"

#define FULL_READS  3                   /* after this many in a row, a pipe is opened */
#define PIPE_BYTES  262144              /* four times what is copied at once */
#define LAST_MOVES  64                  /* at most this many moves when a program has ended */

/* Whether bytes were read that the receiver has not taken. */
static bool is_stuck(const struct relay_way *way)
{
	return !buffer_is_empty(&way->waiting) || way->in_pipe > 0;
}

static bool may_read(const struct relay_way *way)
{
	return way->phase == RELAY_REFUSED || (way->phase == RELAY_FLOWING && !is_stuck(way));
}

/* ---- pipes -------------------------------------------------------------- */

/* If there can be none, copying goes on. */
static void open_pipe(struct relay *r, struct relay_way *way)
{
	if (r->owner->n_pipes >= r->owner->max_pipes)
		return;
	if (pipe2(way->pipe, O_CLOEXEC | O_NONBLOCK) == -1) {
		way->pipe[0] = way->pipe[1] = -1;
		return;
	}
	r->owner->n_pipes++;
	fcntl(way->pipe[0], F_SETPIPE_SZ, PIPE_BYTES);  /* a smaller one is fine, too */
}

static void close_pipe(struct relay *r, struct relay_way *way)
{
	if (way->pipe[0] != -1)
		r->owner->n_pipes--;
	fd_close(&way->pipe[0]);
	fd_close(&way->pipe[1]);
	way->in_pipe = 0;
	way->full_reads = 0;
}

/* ---- out ---------------------------------------------------------------- */

/* The receiver is gone: throws away the bytes that wait for it, and those that will come. */
static void refuse_bytes(struct relay *r, struct relay_way *way)
{
	buffer_clear(&way->waiting);
	close_pipe(r, way);
	way->phase = way->phase == RELAY_FLOWING ? RELAY_REFUSED : RELAY_ENDED;
	if (way->direction == RELAY_DOWN)
		r->is_lost = true;
}

/* n is the result of the system call. Returns how many bytes the receiver took. */
static size_t taken(struct relay *r, struct relay_way *way, ssize_t n)
{
	if (n > 0)
		r->owner->moved(r, way->direction, (size_t)n);
	else if (n == -1 && !fd_not_yet(errno))
		refuse_bytes(r, way);
	return n > 0 ? (size_t)n : 0;
}

/* Sends bytes that were read before. */
static void pass_on(struct relay *r, struct relay_way *way)
{
	size_t n;

	/* If taken() throws the bytes away, it returns 0 and in_pipe is 0: so in_pipe is read after it. */
	if (way->in_pipe > 0) {
		n = taken(r, way, stream_splice_out(way->to, way->pipe[0], way->in_pipe));
		way->in_pipe -= n;
	} else {
		n = taken(r, way, stream_send(way->to, buffer_first(&way->waiting),
		                              buffer_waiting(&way->waiting)));
		buffer_take(&way->waiting, n);
	}
}

static void tell_receiver_end(struct relay *r, struct relay_way *way)
{
	close_pipe(r, way);
	way->phase = RELAY_ENDED;
	if (stream_end(way->to) == -1 && way->direction == RELAY_DOWN)
		r->is_lost = true;
	r->is_finished |= way->direction == RELAY_DOWN;
}

/* ---- in ----------------------------------------------------------------- */

/* The sender sends no more. If the connection of a client is broken, it receives no more, either. */
static void source_ended(struct relay *r, struct relay_way *way, bool broken)
{
	if (broken && way->direction == RELAY_UP)
		r->is_lost = true;
	way->phase = way->phase == RELAY_FLOWING ? RELAY_ENDING : RELAY_ENDED;
}

static void copy_on(struct relay *r, struct relay_way *way, const char *bytes, size_t len)
{
	size_t n;

	if (way->phase == RELAY_REFUSED)
		return;
	way->full_reads = len == r->owner->scratch_len ? way->full_reads + 1 : 0;
	n = taken(r, way, stream_send(way->to, bytes, len));
	if (way->phase == RELAY_FLOWING && buffer_add(&way->waiting, bytes + n, len - n) == -1)
		r->is_lost = true;      /* no memory: bytes would be missing */
}

static bool copy_some(struct relay *r, struct relay_way *way)
{
	ssize_t n = stream_receive(way->from, r->owner->scratch, r->owner->scratch_len);

	if (n == -1 && fd_not_yet(errno))
		return false;
	if (n > 0)
		copy_on(r, way, r->owner->scratch, (size_t)n);
	else
		source_ended(r, way, n == -1);
	return true;
}

/*
 * If a socket is readable for epoll(7) but not for splice(2), its next bytes are urgent ones,
 * which recv(2) steps over. If the end of the stream follows them, splice(2) returns 0 as if the
 * end were there already.
 */
static bool splice_some(struct relay *r, struct relay_way *way)
{
	ssize_t n = stream_splice_in(way->from, way->pipe[1], PIPE_BYTES);

	if (n == 0 || (n == -1 && fd_not_yet(errno))) {
		close_pipe(r, way);
		return copy_some(r, way);
	}
	if (n > 0) {
		way->in_pipe = (size_t)n;
		pass_on(r, way);
	} else {
		source_ended(r, way, true);
	}
	return true;
}

static bool read_some(struct relay *r, struct relay_way *way)
{
	if (way->pipe[0] == -1 && way->full_reads >= FULL_READS &&
	    stream_can_splice(way->from) && stream_can_splice(way->to))
		open_pipe(r, way);
	return way->pipe[0] == -1 ? copy_some(r, way) : splice_some(r, way);
}

/* Reads once, or sends bytes that wait. False if nothing could be done. */
static bool move(struct relay *r, enum relay_direction d)
{
	struct relay_way *way = &r->ways[d];
	bool something = true;

	if (r->is_lost || way->phase == RELAY_ENDED)
		return false;
	if (may_read(way)) {
		something = read_some(r, way);
	} else if (is_stuck(way)) {
		pass_on(r, way);
		something = !is_stuck(way);
	}
	if (way->phase == RELAY_ENDING && !is_stuck(way))
		tell_receiver_end(r, way);
	return something;
}

/* ---- events ------------------------------------------------------------- */

static enum stream_wait wait_for(const struct relay_way *in, const struct relay_way *out)
{
	if (may_read(in))
		return is_stuck(out) ? STREAM_BYTES_OR_ROOM : STREAM_BYTES;
	return is_stuck(out) ? STREAM_ROOM : STREAM_NOTHING;
}

/*
 * epoll(7) reports a socket that is hung up in each turn. So if nothing is wanted of the program,
 * its socket is not watched; and if nothing is wanted of the client, it is watched so that its end
 * is reported once.
 */
static int rewatch_both(struct relay *r)
{
	const struct relay_way *up = &r->ways[RELAY_UP], *down = &r->ways[RELAY_DOWN];
	const bool over = up->phase == RELAY_ENDED && down->phase == RELAY_ENDED;
	const enum stream_wait of_client = wait_for(up, down);

	if (stream_watch(r->client, r->owner->loop,
	                 of_client == STREAM_NOTHING && !over ? STREAM_GONE : of_client) == -1)
		return -1;
	return stream_watch(&r->program, r->owner->loop, wait_for(down, up));
}

/* After bytes were moved: watches what is wanted now, and calls the owner, which may end r. */
static int settle_relay(struct relay *r)
{
	const bool finished = r->is_finished;

	r->is_finished = false;
	if (!r->is_lost && rewatch_both(r) == -1)
		return -1;
	if (r->is_lost)
		r->owner->lost(r);
	else if (finished)
		r->owner->finished(r);
	return 0;
}

static void move_ready(struct relay *r, enum relay_direction in, enum relay_direction out,
                       uint32_t events)
{
	if (events & ~(uint32_t)EPOLLOUT)
		move(r, in);
	if (events & ~(uint32_t)EPOLLIN)
		move(r, out);
	if (settle_relay(r) == -1)
		r->owner->lost(r);
}

void relay_client_ready(struct relay *r, uint32_t events)
{
	/* If the client's bytes are read, reading returns the error after them. */
	if (events & EPOLLERR && !may_read(&r->ways[RELAY_UP]))
		r->is_lost = true;
	move_ready(r, RELAY_UP, RELAY_DOWN, events);
}

static void on_program_ready(struct stream *s, uint32_t events)
{
	move_ready(container_of(s, struct relay, program), RELAY_DOWN, RELAY_UP, events);
}

/* ---- begin and end ------------------------------------------------------ */

static void join_sides(struct relay *r, enum relay_direction d, struct stream *from, struct stream *to)
{
	r->ways[d] = (struct relay_way){
		.direction = d, .from = from, .to = to, .pipe = { -1, -1 } };
}

void relay_init(struct relay *r, struct relay_owner *owner, struct stream *client, int program)
{
	*r = (struct relay){ .owner = owner, .client = client };
	stream_open(&r->program, program, AF_UNIX, on_program_ready);
	join_sides(r, RELAY_UP, client, &r->program);
	join_sides(r, RELAY_DOWN, &r->program, client);
}

/* The bytes are not counted, as they are not the client's. If the program is gone, relaying shows that. */
int relay_tell(struct relay *r, const char *bytes, size_t len)
{
	ssize_t n = stream_send(&r->program, bytes, len);

	if (n == -1 && !fd_not_yet(errno))
		return 0;
	n = n == -1 ? 0 : n;
	return buffer_add(&r->ways[RELAY_UP].waiting, bytes + n, len - (size_t)n);
}

int relay_begin(struct relay *r)
{
	move(r, RELAY_DOWN);
	move(r, RELAY_UP);
	return settle_relay(r);
}

static void let_go(struct relay *r)
{
	stream_watch(r->client, r->owner->loop, STREAM_NOTHING);
	for (int d = 0; d < RELAY_DIRECTIONS; d++) {
		buffer_clear(&r->ways[d].waiting);
		close_pipe(r, &r->ways[d]);
	}
}

void relay_end(struct relay *r)
{
	let_go(r);
	stream_close(&r->program, r->owner->loop);
}

void relay_hang_up(struct relay *r)
{
	r->is_lost = true;
	let_go(r);
	stream_hang_up(&r->program, r->owner->loop, r->owner->scratch, r->owner->scratch_len);
}

enum relay_pending relay_flush(struct relay *r)
{
	for (int i = 0; i < LAST_MOVES && move(r, RELAY_DOWN); i++)
		;
	r->is_finished = false;
	/* Another process may hold the program's socket and send nothing: so the client must be watched. */
	if (r->is_lost || rewatch_both(r) == -1)
		return RELAY_CLIENT_LOST;
	return r->ways[RELAY_DOWN].phase == RELAY_ENDED ? RELAY_ALL_SENT : RELAY_PENDING;
}

bool relay_client_ended(const struct relay *r)
{
	return r->ways[RELAY_UP].phase == RELAY_ENDING || r->ways[RELAY_UP].phase == RELAY_ENDED;
}
