/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the server may be silent before droverctl reports it.
 */
#ifndef DROVER_DROVERCTL_PATIENCE_H
#define DROVER_DROVERCTL_PATIENCE_H

enum patience {
	PATIENCE_ANSWER,                /* to what can be answered at once */
	PATIENCE_CHANGE,                /* to what takes its time: then it is asked for a sign of life */
	PATIENCE_SIGN,                  /* to that */
};

int patience_ms(enum patience p);

#endif
