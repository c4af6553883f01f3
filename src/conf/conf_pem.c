/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads files for conf_certificates and conf_client_ca.
 */
#include <config.h>

#ifdef HAVE_OPENSSL

#include "conf_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_file.h"

/* Only a daemon needs to read it; conf_privileges_judge complains then. */
static bool is_unreadable(struct conf_pem_reader *r, const config_setting_t *setting, const char *path)
{
	if (geteuid() == 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES)
		return false;
	r->draft->service->tls.unread = conf_loader_strdup(r->ld, path);
	conf_source_warn(r->ld, setting, "names %s, which could not be read (%s)", path, strerror(EACCES));
	return true;
}

char *conf_pem_read(struct conf_pem_reader *r, const config_setting_t *setting, const char *path,
                    size_t *len)
{
	if (is_unreadable(r, setting, path))
		return NULL;
	return conf_file_read_bytes(r->ld, path, conf_source_place(setting), CONF_PEM_MAX, len);
}

static const struct conf_bytes *find(const struct conf_ders *all, const uint8_t *der, size_t len)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].len == len && memcmp(all->items[i].data, der, len) == 0)
			return &all->items[i];
	return NULL;
}

static struct conf_bytes add(struct conf_loader *ld, struct conf_ders *all, const uint8_t *der, size_t len)
{
	struct conf_bytes kept = { .len = len };

	kept.data = memcpy(conf_loader_alloc(ld, len), der, len);
	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 16;
		all->items = reallocarray(all->items, all->room, sizeof *all->items);
		if (!all->items)
			abort();                /* as libconfig would */
	}
	all->items[all->n++] = kept;
	return kept;
}

struct conf_bytes conf_pem_keep(struct conf_pem_reader *r, const uint8_t *der, size_t len)
{
	const struct conf_bytes *known = find(&r->ders, der, len);

	return known ? *known : add(r->ld, &r->ders, der, len);
}

#endif
