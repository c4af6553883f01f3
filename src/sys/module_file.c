/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads a module by the descriptor of its file, so that what is loaded is what was opened, whatever
 * stands at its path meanwhile: dlopen(3) gets the name that proc(5) has for the descriptor.
 */
#include <config.h>
#include "module_file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#define SYMBOL "drover_module_v1"
#define LAST_1_0 close                  /* the last member of version 1.0 */
#define SIZE_1_0 (offsetof(struct drover_module, LAST_1_0) + sizeof ((struct drover_module *)0)->LAST_1_0)
#define KNOWN_FLAGS (DROVER_BLOCKING | DROVER_PRODUCER)

static __attribute__((format(printf, 2, 3))) int refuse(char why[static MODULE_WHY_MAX],
                                                        const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why, MODULE_WHY_MAX, format, ap);
	va_end(ap);
	return -1;
}

int module_file_open(const char *path, struct module_identity *id, char why[static MODULE_WHY_MAX])
{
	/* Not blocking, because it may be a FIFO. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1) {
		refuse(why, "%m");
		return fd_drop(fd);
	}
	if (!S_ISREG(st.st_mode)) {
		refuse(why, "it is no regular file");
		return fd_drop(fd);
	}
	*id = (struct module_identity){
		.device = st.st_dev, .inode = st.st_ino, .size = st.st_size,
		.modified_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec,
	};
	return fd;
}

bool module_identity_is_same(const struct module_identity *a, const struct module_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified_ns == b->modified_ns;
}

/* ---- the descriptor ----------------------------------------------------- */

bool module_file_is_word(const char *text)
{
	size_t len;

	if (!text)
		return false;
	len = strnlen(text, MODULE_NAME_MAX + 1);
	if (len == 0 || len > MODULE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

int module_file_take(const struct drover_module *theirs, struct drover_module *m,
                     char why[static MODULE_WHY_MAX])
{
	if (theirs->magic != DROVER_MODULE_MAGIC)
		return refuse(why, "its " SYMBOL " begins with 0x%08x (DROVER_MODULE_MAGIC is 0x%08x)",
		              (unsigned)theirs->magic, DROVER_MODULE_MAGIC);
	if (theirs->abi_major != DROVER_ABI_MAJOR || theirs->abi_minor > DROVER_ABI_MINOR)
		return refuse(why, "it is built for version %u.%u of the interface (this drover has %u.%u: %s)",
		              theirs->abi_major, theirs->abi_minor, DROVER_ABI_MAJOR, DROVER_ABI_MINOR,
		              theirs->abi_major < DROVER_ABI_MAJOR ? "build it again" : "it needs a newer drover");
	if (theirs->size < SIZE_1_0)
		return refuse(why, "its descriptor has %zu bytes (version %u.%u has %zu)", theirs->size,
		              theirs->abi_major, theirs->abi_minor, (size_t)SIZE_1_0);
	*m = (struct drover_module){ 0 };
	memcpy(m, theirs, theirs->size < sizeof *m ? theirs->size : sizeof *m);
	if (!module_file_is_word(m->name) || !module_file_is_word(m->version))
		return refuse(why, "its %s is missing, longer than %d bytes or not printable",
		              module_file_is_word(m->name) ? "version" : "name", MODULE_NAME_MAX);
	if (m->flags & ~KNOWN_FLAGS)
		return refuse(why, "it has the flag 0x%x, which this drover does not know",
		              (unsigned)(m->flags & ~KNOWN_FLAGS));
	return 0;
}

/* What dlopen(3) has to say, without the name that it was given. */
static int refuse_load(const char *name, char why[static MODULE_WHY_MAX])
{
	const char *text = dlerror();
	const size_t len = strlen(name);

	if (access(name, F_OK) == -1)
		return refuse(why, "it cannot be loaded where /proc is not mounted");
	if (!text)
		return refuse(why, "it cannot be loaded");
	if (strncmp(text, name, len) == 0 && strncmp(text + len, ": ", 2) == 0)
		text += len + 2;
	return refuse(why, "%s", text);
}

int module_file_load(int fd, struct drover_module *m, char why[static MODULE_WHY_MAX])
{
	char name[64];
	const struct drover_module *theirs;
	void *object;

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	object = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		return refuse_load(name, why);
	theirs = dlsym(object, SYMBOL);
	if (!theirs)
		return refuse(why, "it exports no " SYMBOL " (see drover_module(3))");
	return module_file_take(theirs, m, why);
}
