/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lets a reader of several values in shared memory know whether it has got all of one write, and not
 * a part of it. A number beside the values, their turn, is odd while they are written, and changes with
 * each write. This module knows the number only; what the values are is up to its user:
 *
 *     seqlock_write_begin(&m->turn);          turn = seqlock_read_begin(&m->turn);
 *     store every value, relaxed              load every value, relaxed
 *     seqlock_write_end(&m->turn);            if (!seqlock_read_end(&m->turn, turn))
 *                                                     use none of what was loaded
 *
 * Who may write: one process at a time, the master. A second writer would have to wait for the first
 * one, and nothing here does that. A writer that dies between begin and end leaves the number odd, and
 * the values are void until they are written again, as the program after an upgrade can.
 *
 * How long a reader takes: as long as its loads. It does not wait, and it should not try again in a loop,
 * because the number stays odd if the writer has died. Its users take a failure for "nothing there" or
 * "nothing new". A reader that holds the memory writable could also be a process that was taken over:
 * no reader may rely on an even number for what would be dangerous, so values are checked by their range.
 *
 * Memory order: values and number are atomics, because reader and writer access them at the same time.
 *   - The release fence of write_begin and the acquire fence of read_end belong together: a reader that has
 *     loaded a value of a write also sees the odd number of that write, or a later one.
 *   - The release store of write_end and the acquire load of read_begin belong together: a reader that has
 *     seen the even number of a write loads the values of that write, or later ones.
 *
 * They are macros, because the numbers differ in width: each is part of a layout that programs of
 * different versions share after an upgrade. An unsigned number may pass its largest value: a reader
 * would have to sleep for exactly one round of all values to take an old one for a new one.
 */
#ifndef DROVER_BASE_SEQLOCK_H
#define DROVER_BASE_SEQLOCK_H

#include <stdatomic.h>

/* From here on values are being written. `turn` points to an unsigned _Atomic of at least 32 bits. */
#define seqlock_write_begin(turn) \
	do { \
		atomic_store_explicit((turn), atomic_load_explicit((turn), memory_order_relaxed) | 1, \
		                      memory_order_relaxed); \
		atomic_thread_fence(memory_order_release); \
	} while (0)

/* All values are written. The number is even now, whatever another process has made of it meanwhile. */
#define seqlock_write_end(turn) \
	atomic_store_explicit((turn), (atomic_load_explicit((turn), memory_order_relaxed) | 1) + 1, \
	                      memory_order_release)

/* Before the first load: returns the number, for seqlock_read_end. */
#define seqlock_read_begin(turn) atomic_load_explicit((turn), memory_order_acquire)

/* After the last load: true if all values are of one write, the one that ended with the number `seen`. */
#define seqlock_read_end(turn, seen) \
	(atomic_thread_fence(memory_order_acquire), \
	 (seen) % 2 == 0 && atomic_load_explicit((turn), memory_order_relaxed) == (seen))

/* For the writer itself: false if a program has died while it wrote. */
#define seqlock_is_whole(turn) (atomic_load_explicit((turn), memory_order_relaxed) % 2 == 0)

#endif
