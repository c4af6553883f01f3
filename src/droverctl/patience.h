/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long the server may be silent before droverctl reports it.
 */
#ifndef DROVER_DROVERCTL_PATIENCE_H
#define DROVER_DROVERCTL_PATIENCE_H

enum patience {
	PATIENCE_ANSWER,                /* the answer to what can be answered at once */
	PATIENCE_CHANGE,                /* the answer to what takes time: then a sign of life is asked for */
	PATIENCE_SIGN,                  /* that sign of life */
	PATIENCE_REPLAY,                /* not drover: the server to which a crash is replayed */
};

int patience_ms(enum patience p);

#endif
