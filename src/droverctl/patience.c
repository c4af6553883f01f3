/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time limits of droverctl. They are alone in this file, so that a test can link a droverctl
 * with shorter ones.
 */
#include <config.h>
#include "patience.h"

int patience_ms(enum patience p)
{
	static const int ms[] = {
		[PATIENCE_ANSWER] = 10000,
		[PATIENCE_CHANGE] = 5000,
		[PATIENCE_SIGN] = 5000,
		[PATIENCE_REPLAY] = 10000,
	};

	return ms[p];
}
