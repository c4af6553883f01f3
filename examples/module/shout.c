/* A service in C: each line of a client comes back in capital letters. */
#include <ctype.h>
#include <drover/module.h>

static const struct drover_server *drover;

static int begin(struct drover_connection *c)
{
	return drover->frame(c, "line");
}

static int process_data(struct drover_connection *c, const char *line, size_t len)
{
	char answer[len + 1];

	for (size_t i = 0; i < len; i++)
		answer[i] = (char)toupper((unsigned char)line[i]);
	return drover->reply(c, answer, len);
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("shout", "1.0"), .server = &drover, .open = begin, .request = process_data,
};
