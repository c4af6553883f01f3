/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes listeners from the configuration: one string in the file, one or more sockets in the
 * service.
 */
#include <config.h>
#include "conf_address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_group.h"
#include "conf_identity.h"
#include "conf_proxy.h"
#include "conf_tls.h"

/* The sockets of one service, or of one outlet, while they are collected. */
struct collection {
	struct conf_loader     *ld;
	const struct conf_draft *draft;         /* of the service; NULL: an outlet */
	const struct conf_group *keys;          /* of a listener's group */
	const config_setting_t *setting;        /* of the listener at hand */
	size_t                  first;          /* its first socket */
	size_t                  n;
	bool                    overflown;
	struct conf_listen      sockets[CONF_LISTEN_MAX];
};

#define WRONG(c, ...) conf_source_complain((c)->ld, (c)->setting, __VA_ARGS__)

static void add_socket(struct collection *c, const struct conf_listen *l)
{
	struct conf_listen *copy = &c->sockets[c->n];

	if (c->n == CONF_LISTEN_MAX) {
		if (!c->overflown)
			WRONG(c, "has too many sockets (at most %d)", CONF_LISTEN_MAX);
		c->overflown = true;
		return;
	}
	*copy = *l;
	/* One free port for all addresses of a listener. */
	copy->same_port_as = -1;
	if (l->kind == LISTEN_INET && address_port(&l->address) == 0 && c->n > c->first)
		copy->same_port_as = (int)c->first;
	c->n++;
}

static void add_inet(struct collection *c, struct conf_listen *l, const struct sockaddr *sa,
                     socklen_t len)
{
	l->address.len = len;
	memcpy(&l->address.u, sa, len);
	for (size_t i = c->first; i < c->n; i++)
		if (address_equal(&c->sockets[i].address, &l->address))
			return;
	add_socket(c, l);
}

static void add_in(struct collection *c, struct conf_listen *l, struct in_addr ip, in_port_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip,
	};

	add_inet(c, l, (const struct sockaddr *)&in, sizeof in);
}

/* An IPv4-mapped address is the IPv4 address: the IPv6 socket is for IPv6 only. */
static void add_in6(struct collection *c, struct conf_listen *l, const struct sockaddr_in6 *from,
                    in_port_t port)
{
	struct sockaddr_in6 in6 = *from;
	struct in_addr ip;

	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
		memcpy(&ip, in6.sin6_addr.s6_addr + 12, sizeof ip);
		add_in(c, l, ip, port);
		return;
	}
	if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) && in6.sin6_scope_id == 0) {
		WRONG(c, "\"%s\" lacks its interface (as in [fe80::1%%eth0]:80)", l->text);
		return;
	}
	in6.sin6_port = htons(port);
	add_inet(c, l, (const struct sockaddr *)&in6, sizeof in6);
}

static void add_every_address(struct collection *c, struct conf_listen *l, in_port_t port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6 };

	l->optional = true;
	add_in(c, l, (struct in_addr){ .s_addr = htonl(INADDR_ANY) }, port);
	add_in6(c, l, &any, port);
}

static bool has_both_families(const struct addrinfo *list)
{
	const int first = list->ai_family;

	while (list && list->ai_family == first)
		list = list->ai_next;
	return list != NULL;
}

/* What the name service could not say now, it may say later: its server is down, or memory short. */
static void complain_of_host(struct collection *c, const struct conf_listen *l, const char *host,
                             int err)
{
	const char *why = err == EAI_SYSTEM ? strerror(errno) : gai_strerror(err);

	if (err == EAI_AGAIN || err == EAI_SYSTEM || err == EAI_MEMORY) {
		WRONG(c, "\"%s\": cannot look up %s for now: %s", l->text, host, why);
		conf_errors_mark_temporary(&c->ld->errors);
	} else {
		WRONG(c, "\"%s\": %s is unknown: %s", l->text, host, why);
	}
}

/* All addresses of a name, or the one that is written out. */
static void add_host(struct collection *c, struct conf_listen *l, const char *host, bool bracketed,
                     in_port_t port)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list;
	int err;

	if (bracketed)
		hints = (struct addrinfo){ .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM,
		                           .ai_flags = AI_NUMERICHOST };
	err = getaddrinfo(host, NULL, &hints, &list);
	if (err) {
		complain_of_host(c, l, host, err);
		return;
	}
	l->optional = has_both_families(list);
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		if (ai->ai_family == AF_INET)
			add_in(c, l, ((const struct sockaddr_in *)ai->ai_addr)->sin_addr, port);
		else if (ai->ai_family == AF_INET6)
			add_in6(c, l, (const struct sockaddr_in6 *)ai->ai_addr, port);
	}
	freeaddrinfo(list);
}

/* False with *error 0 if it is no port, else with what hindered the name service. */
static bool find_port(const char *text, in_port_t *port, int *error)
{
	struct servent entry, *service = NULL;
	char buf[8192];
	unsigned long n;

	*error = 0;
	if (isdigit((unsigned char)*text) && strspn(text, "0123456789") == strlen(text)) {
		n = strtoul(text, NULL, 10);
		*port = (in_port_t)n;
		return strlen(text) <= 5 && n <= UINT16_MAX;
	}
	if (*text)
		*error = getservbyname_r(text, "tcp", &entry, buf, sizeof buf, &service);
	if (service)
		*port = ntohs((uint16_t)service->s_port);
	else if (conf_identity_is_unknown(*error))
		*error = 0;
	return service != NULL;
}

static void complain_of_port(struct collection *c, const struct conf_listen *l, const char *port,
                             int error)
{
	if (error == 0) {
		WRONG(c, "\"%s\": port \"%s\" is unknown (0 to 65535, or a name from services(5))",
		      l->text, port);
		return;
	}
	WRONG(c, "\"%s\": cannot look up port \"%s\" for now: %s", l->text, port, strerror(error));
	conf_errors_mark_temporary(&c->ld->errors);
}

/* The port in "80", ":80" and "0:80", with which every address is meant; else NULL. */
static const char *lone_port(const char *text)
{
	const char *port = text + (text[0] == '0' && text[1] == ':' ? 2 : text[0] == ':');
	const size_t digits = strspn(port, "0123456789");

	return digits > 0 && digits <= 5 && port[digits] == '\0' ? port : NULL;
}

/* Splits "HOST:PORT" or "[HOST]:PORT" in place; false after a complaint. */
static bool split(struct collection *c, const char *written, char *text, char **host, char **port)
{
	char *colon = *text == '[' ? strstr(text, "]:") : strrchr(text, ':');

	*host = text;
	if (lone_port(text)) {
		WRONG(c, "\"%s\" is not an address (did you mean \"*:%s\", every address?)",
		      written, lone_port(text));
		return false;
	}
	if (!colon || colon == text) {
		WRONG(c, "\"%s\" is not an address (HOST:PORT, [IPV6]:PORT, *:PORT, unix:/path,"
		      " unix:@name, systemd:NAME)", written);
		return false;
	}
	*port = colon + 1;
	if (*text == '[') {
		*host = text + 1;
		*port = colon + 2;
	}
	*colon = '\0';
	if (*text != '[' && strchr(text, ':')) {
		WRONG(c, "\"%s\" is ambiguous (an IPv6 address stands in brackets, as in [::1]:80)",
		      written);
		return false;
	}
	return true;
}

static void add_host_and_port(struct collection *c, struct conf_listen *l)
{
	char text[NI_MAXHOST + NI_MAXSERV], *host, *service;
	struct in_addr ip;
	in_port_t port = 0;
	int error;

	if (snprintf(text, sizeof text, "%s", l->text) >= (int)sizeof text) {
		WRONG(c, "holds an address that is too long (at most %zu bytes)", sizeof text - 1);
		return;
	}
	l->kind = LISTEN_INET;
	if (!split(c, l->text, text, &host, &service))
		return;
	if (!find_port(service, &port, &error))
		complain_of_port(c, l, service, error);
	else if (strcmp(text, "*") == 0)
		add_every_address(c, l, port);
	else if (strspn(text, "0123456789.") != strlen(text))
		add_host(c, l, host, *text == '[', port);
	else if (inet_pton(AF_INET, text, &ip) == 1)
		add_in(c, l, ip, port);
	else
		WRONG(c, "\"%s\": %s is not an IPv4 address", l->text, text);
}

static void add_unix(struct collection *c, struct conf_listen *l, const char *name)
{
	l->kind = LISTEN_UNIX;
	if (address_set_unix(&l->address, name) == 0)
		add_socket(c, l);
	else if (errno == ENAMETOOLONG)
		WRONG(c, "\"%s\" is too long (the name has %zu bytes at most)", l->text,
		      ADDRESS_UNIX_MAX);
	else
		WRONG(c, "\"%s\" must go on with an absolute path, or @ and a name", l->text);
}

static void add_systemd(struct collection *c, struct conf_listen *l, const char *name)
{
	l->kind = LISTEN_SYSTEMD;
	if (*name == ':') {
		name++;
		if (*name == '\0' || strlen(name) > 255 || strchr(name, ':')) {
			WRONG(c, "\"%s\" is not systemd:NAME, with a FileDescriptorName", l->text);
			return;
		}
		l->systemd_name = conf_loader_strdup(c->ld, name);
	}
	add_socket(c, l);
}

static void add_text(struct collection *c, struct conf_listen *l)
{
	const char *text = l->text;

	if (strncmp(text, "unix:", 5) == 0)
		add_unix(c, l, text + 5);
	else if (strcmp(text, "systemd") == 0 || strncmp(text, "systemd:", 8) == 0)
		add_systemd(c, l, text + strlen("systemd"));
	else
		add_host_and_port(c, l);
}

unsigned conf_address_variant(const struct conf_listen *l)
{
	if (l->kind == LISTEN_UNIX && l->address.len && l->address.u.un.sun_path[0] == '\0')
		return CONF_ADDRESS_ABSTRACT;
	return l->kind;
}

static void load_group(struct collection *c, struct conf_listen *l)
{
	conf_group_load(c->ld, c->keys, c->setting, l);
	if (l->owner_name)
		conf_identity_find_user(c->ld, l->place, l->owner_name, &l->owner);
	if (l->group_name)
		conf_identity_find_group(c->ld, l->place, l->group_name, &l->group);
	if (l->device && strlen(l->device) >= IFNAMSIZ)
		WRONG(c, "names a device \"%s\" (the name of an interface has %d bytes at most)",
		      l->device, IFNAMSIZ - 1);
	if (!l->text && !conf_source_member(c->setting, "address"))
		WRONG(c, "holds a listener without an address");
}

/* One listener: a string, or a group with `address`. */
static void add_item(struct collection *c)
{
	static const char *const what[] = {
		[LISTEN_INET] = "an IP address", [LISTEN_UNIX] = "a unix socket",
		[LISTEN_SYSTEMD] = "an inherited socket",
		[CONF_ADDRESS_ABSTRACT] = "an abstract name",
	};
	const config_setting_t *setting = c->setting;
	struct conf_listen l = {
		.place = conf_source_place(setting),
		.owner = (uid_t)CONF_KEEP,
		.group = (gid_t)CONF_KEEP,
	};
	unsigned variant;

	conf_group_reset(c->ld, &conf_keys_listen, &l);
	c->first = c->n;
	if (config_setting_is_group(setting)) {
		load_group(c, &l);
	} else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
		l.text = conf_loader_strdup(c->ld, config_setting_get_string(setting));
	} else {
		WRONG(c, "must be addresses such as \"*:80\", or ( { address = ...; } ), not %s",
		      conf_value_kind(setting));
	}
	if (!l.text)
		return;
	add_text(c, &l);
	variant = conf_address_variant(&l);
	conf_group_refuse(c->ld, c->keys, setting, variant, what[variant]);
	if (!c->draft)
		return;
	conf_proxy_complete(c->ld, c->draft, setting, c->sockets + c->first, c->n - c->first);
	conf_tls_complete(c->ld, c->draft, setting, c->sockets + c->first, c->n - c->first);
}

void conf_address_load(struct conf_loader *ld, const struct conf_draft *draft,
                       const config_setting_t *setting, struct conf_listen **listen, size_t *n)
{
	struct collection c = { .ld = ld, .draft = draft, .setting = setting,
	                        .keys = draft ? &conf_keys_listen : &conf_keys_outlet_listen };

	if (config_setting_is_group(setting)) {
		WRONG(&c, "is a group (listeners that are groups stand in parentheses, as in"
		      " ( { ... } ))");
	} else if (!config_setting_is_array(setting) && !config_setting_is_list(setting)) {
		add_item(&c);
	} else {
		if (config_setting_length(setting) == 0)
			WRONG(&c, "is empty (%s needs an address)", draft ? "a service" : "it");
		for (int i = 0; i < config_setting_length(setting) && !c.overflown; i++) {
			c.setting = conf_source_item(setting, i);
			add_item(&c);
		}
	}
	*n = c.n;
	*listen = conf_loader_alloc(ld, c.n * sizeof *c.sockets);
	memcpy(*listen, c.sockets, c.n * sizeof *c.sockets);
}
