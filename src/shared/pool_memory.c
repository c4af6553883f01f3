/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes, maps and frees the parts of a pool's shared memory together, and keeps apart
 * which of them this program can read. What is in a part, only its own module knows.
 */
#include <config.h>
#include "pool_memory.h"

#include <errno.h>
#include <fcntl.h>

#include "fd.h"
#include "sources.h"

/*
 * A worker has one for each connection, for each one that lingers, of which there are at most as
 * many (connection_state.c), and for clients that are just accepted.
 */
static size_t n_holds(const struct pool_memory_size *size)
{
	return 2 * size->connections + 64;
}

int pool_memory_make(struct pool_memory *m, const struct pool_memory_size *size)
{
	*m = (struct pool_memory){ .board = board_new(size->workers, size->connections, size->input),
	                           .holds = holds_new(size->workers, n_holds(size)) };
	if (m->board && m->holds)
		return 0;
	pool_memory_free(m);
	return -1;
}

/* A part for us, with a descriptor of its own; fd -1 with errno. */
static struct pool_memory_part copy_part(const struct pool_memory_part *part)
{
	return (struct pool_memory_part){ fcntl(part->fd, F_DUPFD_CLOEXEC, 0), part->version };
}

static bool adopt_board(struct pool_memory *m, const struct pool_memory_size *size,
                        const struct pool_memory_part *past)
{
	struct pool_memory_part part = copy_part(past);

	m->has_foreign_board = past->version != BOARD_VERSION;
	if (m->has_foreign_board)
		m->foreign_board = part;
	m->board = m->has_foreign_board
	           ? board_new(size->workers, size->connections, 0)
	           : board_adopt(part.fd, size->workers, size->connections, size->input);
	if (!m->board && !m->has_foreign_board)
		fd_drop(part.fd);
	return m->board;
}

static bool adopt_holds(struct pool_memory *m, const struct pool_memory_size *size,
                        const struct pool_memory_part *past)
{
	struct pool_memory_part part = copy_part(past);
	const bool is_ours = past->fd != -1 && past->version == SOURCES_VERSION;

	m->has_foreign_holds = past->fd != -1 && !is_ours;
	if (m->has_foreign_holds)
		m->foreign_holds = part;
	m->holds = is_ours ? holds_adopt(part.fd, size->workers, n_holds(size))
	                   : holds_new(size->workers, n_holds(size));
	if (!m->holds && is_ours)
		fd_drop(part.fd);
	return m->holds;
}

int pool_memory_adopt(struct pool_memory *m, const struct pool_memory_size *size,
                      const struct pool_memory_past *past)
{
	struct pool_memory_past theirs = *past;
	int saved;

	*m = (struct pool_memory){ 0 };
	if (!adopt_board(m, size, &past->board) || !adopt_holds(m, size, &past->holds)) {
		saved = errno;
		pool_memory_free(m);
		errno = saved;
		return -1;
	}
	fd_close(&theirs.board.fd);
	fd_close(&theirs.holds.fd);
	return 0;
}

struct pool_memory_past pool_memory_past(const struct pool_memory *m)
{
	return (struct pool_memory_past){
		.board = m->has_foreign_board ? m->foreign_board
		         : (struct pool_memory_part){ board_fd(m->board), BOARD_VERSION },
		.holds = m->has_foreign_holds ? m->foreign_holds
		         : (struct pool_memory_part){ holds_fd(m->holds), SOURCES_VERSION },
	};
}

int pool_memory_enter(struct pool_memory *m, size_t i)
{
	return board_enter(m->board, i) == -1 || holds_enter(m->holds, i) == -1 ? -1 : 0;
}

void pool_memory_free(struct pool_memory *m)
{
	board_free(&m->board);
	holds_free(&m->holds);
	if (m->has_foreign_board)
		fd_close(&m->foreign_board.fd);
	if (m->has_foreign_holds)
		fd_close(&m->foreign_holds.fd);
	*m = (struct pool_memory){ 0 };
}
