# SPDX-License-Identifier: GPL-3.0-or-later

# DROVER_OPENSSL: --without-openssl. Finds the libraries of TLS, defines HAVE_OPENSSL, and sets
# the conditional WITH_OPENSSL, OPENSSL_CFLAGS and OPENSSL_LIBS. libseccomp is for the process
# that holds private keys.
AC_DEFUN([DROVER_OPENSSL], [
	AC_ARG_WITH([openssl],
		[AS_HELP_STRING([--without-openssl], [build a droverd without TLS])],
		[], [with_openssl=yes])
	openssl_say="no: built without OpenSSL"
	AS_IF([test "$with_openssl" != no], [
		PKG_CHECK_MODULES([OPENSSL], [openssl >= 3.0], [],
			[AC_MSG_ERROR([OpenSSL >= 3.0 is missing; ./bootstrap installs it (Debian: libssl-dev), or use --without-openssl])])
		PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.5], [],
			[AC_MSG_ERROR([libseccomp >= 2.5 is missing; ./bootstrap installs it (Debian: libseccomp-dev), or use --without-openssl])])
		AC_DEFINE([HAVE_OPENSSL], [1], [Define to 1 to build TLS.])
		# What OpenSSL 3.0 calls deprecated is gone in 4.0.
		OPENSSL_CFLAGS="$OPENSSL_CFLAGS -DOPENSSL_NO_DEPRECATED"
		openssl_say=yes
	])
	AM_CONDITIONAL([WITH_OPENSSL], [test "$with_openssl" != no])
])
