/* The smallest service: bytes come back as they are. */
#include <drover/module.h>

static const struct drover_server *drover;

static ptrdiff_t echo(struct drover_connection *c, const char *bytes, size_t len)
{
	drover->write(c, bytes, len);
	return (ptrdiff_t)len;
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("echo", "1.0"), .server = &drover, .data = echo,
};
