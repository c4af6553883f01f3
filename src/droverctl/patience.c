/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alone in its file, so that a test can have a droverctl with less of it.
 */
#include <config.h>
#include "patience.h"

int patience_ms(enum patience p)
{
	static const int ms[] = {
		[PATIENCE_ANSWER] = 10000,
		[PATIENCE_CHANGE] = 5000,
		[PATIENCE_SIGN] = 5000,
	};

	return ms[p];
}
