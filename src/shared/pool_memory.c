/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes, maps and frees the parts of a pool's shared memory together, and keeps apart
 * which of them this program can read. What is in a part, only its own module knows.
 */
#include <config.h>
#include "pool_memory.h"

#include "fd.h"

int pool_memory_make(struct pool_memory *m, const struct pool_memory_size *size)
{
	*m = (struct pool_memory){ .board = board_new(size->workers, size->connections, size->input) };
	return m->board ? 0 : -1;
}

int pool_memory_adopt(struct pool_memory *m, const struct pool_memory_size *size,
                      const struct pool_memory_past *past)
{
	if (past->board.version == BOARD_VERSION)
		*m = (struct pool_memory){ .board = board_adopt(past->board.fd, size->workers,
		                                                size->connections, size->input) };
	else
		*m = (struct pool_memory){ .board = board_new(size->workers, size->connections, 0),
		                           .has_foreign_board = true, .foreign_board = past->board };
	if (m->board)
		return 0;
	*m = (struct pool_memory){ 0 };
	return -1;
}

struct pool_memory_past pool_memory_past(const struct pool_memory *m)
{
	if (m->has_foreign_board)
		return (struct pool_memory_past){ .board = m->foreign_board };
	return (struct pool_memory_past){ .board = { board_fd(m->board), BOARD_VERSION } };
}

int pool_memory_enter(struct pool_memory *m, size_t i)
{
	return board_enter(m->board, i);
}

void pool_memory_free(struct pool_memory *m)
{
	board_free(&m->board);
	if (m->has_foreign_board)
		fd_close(&m->foreign_board.fd);
	*m = (struct pool_memory){ 0 };
}
