/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates and private keys for tests, made when the test runs, as PEM files in the current
 * folder: NAME.pem and NAME.key. Without OpenSSL there is nothing of this.
 */
#ifndef DROVER_TESTS_PKI_H
#define DROVER_TESTS_PKI_H

#define PKI_DAY 86400L

struct pki_wish {
	const char *name;               /* of the files, and the common name */
	const char *issuer;             /* whose files are there; NULL: it signs itself */
	const char *names;              /* as in "DNS:a.example,IP:127.0.0.1"; NULL: none */
	const char *type;               /* "P-256" (NULL), "P-384", "RSA", "ED25519" */
	long        from_s, to_s;       /* valid from and to, in seconds from now; both 0: for 30 days */
	int         is_ca;              /* may issue others */
};

/* Writes a certificate and its key. Ends the test if it cannot. */
void pki_issue(const struct pki_wish *w);

/* Writes the key of NAME once more, to NAME.encrypted.key, with this password. */
void pki_encrypt_key(const char *name, const char *password);

/* Writes the contents of the files `from` (the last is NULL) one after the other to the file `to`. */
void pki_join(const char *to, const char *const *from);

#endif
