# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_LMDB: finds LMDB for the tests of examples/kv, which are left out without it. drover itself does
# not need it. Sets the conditional WITH_LMDB, LMDB_CFLAGS, LMDB_LIBS and lmdb_say.
AC_DEFUN([DROVER_LMDB], [
	PKG_CHECK_MODULES([LMDB], [lmdb >= 0.9.24], [have_lmdb=yes lmdb_say=yes],
		[have_lmdb=no lmdb_say="no: LMDB is missing, examples/kv is not tested (Debian: liblmdb-dev)"])
	AM_CONDITIONAL([WITH_LMDB], [test $have_lmdb = yes])
])
