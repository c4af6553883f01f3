/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the questions of the status process (facts.h) are answered: as commands of the control socket
 * that only look.
 */
#ifndef DROVER_MASTER_RUN_STATUS_QUESTIONS_H
#define DROVER_MASTER_RUN_STATUS_QUESTIONS_H

#include "status_holder.h"

/* arg is the struct master. */
void status_questions_find(void *arg, enum fact what, struct status_question *q);

#endif
