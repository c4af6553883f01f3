/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * It is alone in its file, so that a test can link a droverctl with shorter time limits.
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
