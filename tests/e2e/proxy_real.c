/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon behind Debian's HAProxy and nginx, which send PROXY headers: the address of the client
 * arrives wherever it is needed. The tests start their own proxies, with their own configuration,
 * and give them a listening socket on a free port.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HAPROXY "/usr/sbin/haproxy"
#define NGINX   "/usr/sbin/nginx"
#define STREAM  "/usr/lib/nginx/modules/ngx_stream_module.so"

#define BACKLOG 100
#define CLIENT_IP "127.0.0.3"           /* not that of the proxies */
#define BEHIND    "proxy_protocol = \"any\"; proxy_from = \"127.0.0.1\"; "

static struct daemon d;

/* ---- proxies ------------------------------------------------------------ */

static struct {
	int         listener;           /* in the proxy it is descriptor 3 */
	const char *port;
	pid_t       pid;
} proxy;

static void listen_on_ipv4(void)
{
	proxy.listener = client_listen(&proxy.port);
	ck_assert_int_eq(listen(proxy.listener, BACKLOG), 0);
}

/* One socket for both families, as "listen [::]:80 ipv6only=off" makes it. */
static void listen_on_both(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	socklen_t len = sizeof at;
	const int off = 0;

	proxy.listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ne(proxy.listener, -1);
	ck_assert_int_eq(setsockopt(proxy.listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
	ck_assert_int_eq(bind(proxy.listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(proxy.listener, BACKLOG), 0);
	ck_assert_int_eq(getsockname(proxy.listener, (struct sockaddr *)&at, &len), 0);
	proxy.port = files_text("%d", ntohs(at.sin6_port));
}

static void start_program(const char *const *argv)
{
	const char *output = files_path("proxy-output.txt");
	const pid_t us = getpid();

	proxy.pid = fork();
	ck_assert_int_ne(proxy.pid, -1);
	if (proxy.pid != 0) {
		close(proxy.listener);
		return;
	}
	process_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != us || dup2(proxy.listener, 3) == -1 ||
	    !freopen(output, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(126);
	setenv("NGINX", "3;", 1);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static void stop_proxy(void)
{
	kill(proxy.pid, SIGTERM);               /* to both it means: now */
	ck_assert_int_eq(waitpid(proxy.pid, NULL, 0), proxy.pid);
}

static void start_haproxy(const char *bind, const char *server)
{
	const char *config = files_write("haproxy.cfg",
		"global\n\tmaxconn 200\n"
		"defaults\n\tmode tcp\n\ttimeout connect 10s\n\ttimeout client 50s\n\ttimeout server 50s\n"
		"listen s\n\tbind fd@3 %s\n\tunique-id-format %%ci-%%cp\n\tserver d 127.0.0.1:%s %s\n",
		bind, daemon_port(&d, "s", 0), server);

	start_program((const char *const[]){ HAPROXY, "-db", "-f", config, NULL });
}

static void start_nginx(const char *address)
{
	const char *config = files_write("nginx.conf",
		"load_module %s;\ndaemon off;\n%serror_log stderr;\npid %s;\nevents { }\n"
		"stream { server { listen %s:%s%s; proxy_pass 127.0.0.1:%s; proxy_protocol on;"
		" proxy_half_close on; } }\n",
		STREAM, harness_is_root() ? "user root;\n" : "", files_path("nginx.pid"), address, proxy.port,
		address[0] == '[' ? " ipv6only=off" : "", daemon_port(&d, "s", 0));

	start_program((const char *const[]){ NGINX, "-p", files_path(""), "-e", "stderr", "-c", config, NULL });
}

static void haproxy_v1(const char *address)
{
	(void)address;
	start_haproxy("", "send-proxy");
}

static void haproxy_v2(const char *address)
{
	(void)address;
	start_haproxy("", "send-proxy-v2");
}

static void haproxy_v2_sum(const char *address)
{
	(void)address;
	start_haproxy("", "send-proxy-v2 proxy-v2-options crc32c,unique-id");
}

static const struct { const char *name; void (*start)(const char *address); bool is_nginx; } proxies[] = {
	{ "send-proxy", haproxy_v1, false },
	{ "send-proxy-v2", haproxy_v2, false },
	{ "send-proxy-v2 with a checksum and an id", haproxy_v2_sum, false },
	{ "proxy_protocol on", start_nginx, true },
};

static bool is_installed(int i)
{
	return access(proxies[i].is_nginx ? NGINX : HAPROXY, X_OK) == 0 &&
	       (!proxies[i].is_nginx || access(STREAM, R_OK) == 0);
}

static void start_proxy(int i)
{
	listen_on_ipv4();
	proxies[i].start("127.0.0.1");
}

static const char *address_of_proxy(void)
{
	return files_text("127.0.0.1:%s", proxy.port);
}

/* ---- the address arrives ------------------------------------------------ */

START_TEST(in_the_log_of_echo)
{
	const char *path = files_path("access.log"), *line;
	const struct event *open;
	int fd;

	daemon_start(&d, "access_log = { target = \"%s\"; };" SERVICES(SERVICE("s", "echo", BEHIND)), path);
	start_proxy(_i);
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_echo(fd);
	open = daemon_wait_for(&d, "connection-open peer=%s", client_name(fd));
	ck_assert_int_eq(strncmp(event_word(open, "via"), "127.0.0.1:", 10), 0);
	client_end(fd);
	client_expect_end(fd);
	ck_assert_str_eq(event_word(daemon_ended(&d, open), "how"), "closed");
	daemon_settle_logs(&d);
	line = files_read(path);
	harness_contains(line, files_text(" peer=%s via=127.0.0.1:", client_name(fd)));
	harness_contains(line, files_text(" local=%s ", address_of_proxy()));
	if (proxies[_i].start == haproxy_v2_sum)
		harness_contains(line, files_text(" unique_id=" CLIENT_IP "-%s ", client_port(fd)));
	close(fd);
	stop_proxy();
} END_TEST

START_TEST(in_the_environment_of_a_program)
{
	const char *all;
	int fd;

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/usr/bin/env\";", BEHIND)));
	start_proxy(_i);
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	all = client_read_all(fd);
	harness_contains(all, "PROTO=TCP\n");
	harness_contains(all, "REMOTE_ADDR=" CLIENT_IP "\n");
	harness_contains(all, files_text("TCPREMOTEIP=" CLIENT_IP "\nTCPREMOTEPORT=%s\n", client_port(fd)));
	harness_contains(all, files_text("TCPLOCALIP=127.0.0.1\nTCPLOCALPORT=%s\n", proxy.port));
	if (proxies[_i].start == haproxy_v2_sum)
		harness_contains(all, files_text("DROVER_UNIQUE_ID=" CLIENT_IP "-%s\n", client_port(fd)));
	close(fd);
	stop_proxy();
} END_TEST

START_TEST(in_the_prefix_of_a_filter)
{
	const char *script = files_script("answer", "while read -r ip port id && read -r line; do\n"
	                                  "echo \"$line from $ip $port\"; done");
	int fd;

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; handler = { type = \"filter\"; argv = \"%s\";"
	             " framing = \"line\"; prefix = \"peer\"; }; " BEHIND " };"), script);
	start_proxy(_i);
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_say(fd, "hello\n");
	client_expect(fd, files_text("hello from " CLIENT_IP " %s\n", client_port(fd)));
	close(fd);
	stop_proxy();
} END_TEST

START_TEST(in_the_line_of_a_warm_program)
{
	int fd;

	warm_start(&d, WARM_CAT, 1, "peer = \"proxy-v1\";", BEHIND);
	start_proxy(_i);
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_expect(fd, files_text("PROXY TCP4 " CLIENT_IP " 127.0.0.1 %s %s\r\n", client_port(fd), proxy.port));
	client_say(fd, "hello");
	client_expect(fd, "hello");
	close(fd);
	stop_proxy();
} END_TEST

/* A proxy that listens for both families sees IPv4 clients as IPv4-mapped, and passes that on. */
START_TEST(from_a_socket_for_both_families)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", BEHIND)));
	listen_on_both();
	proxies[_i].start("[::]");
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_echo(fd);
	daemon_wait_for(&d, "connection-open peer=%s", client_name(fd));
	close(fd);
	fd = client_connect_from("::1", files_text("[::1]:%s", proxy.port));
	client_echo(fd);
	daemon_wait_for(&d, "connection-open peer=%s", client_name(fd));
	close(fd);
	stop_proxy();
} END_TEST

/* Each byte of many clients, through programs that have the socket. */
START_TEST(and_all_bytes_as_well)
{
	struct load l = { .n_clients = 40, .bytes = 200000 };

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/bin/cat\";", "workers = 2; " BEHIND)));
	start_proxy(_i);
	l.address = address_of_proxy();
	load_start(&l);
	load_stop(&l);
	ck_assert_uint_eq(l.done, 40);
	for (int i = 0; i < 40; i++)
		daemon_wait_for(&d, "connection-end how=exit");
	ck_assert_uint_eq(daemon_saw(&d, "connection-open"), 40);
	stop_proxy();
} END_TEST

/* ---- what only HAProxy sends -------------------------------------------- */

/* A check is a connection of the proxy itself, with a header that says LOCAL or names the proxy. */
START_TEST(checks_of_haproxy_are_connections_of_its_own)
{
	static const char *const kinds[] = { "send-proxy", "send-proxy-v2" };
	const struct event *end;
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", BEHIND)));
	listen_on_ipv4();
	start_haproxy("", files_text("%s check inter 50ms", kinds[_i]));
	for (int i = 0; i < 3; i++) {
		end = daemon_wait_for(&d, "connection-end");
		ck_assert(event_has(end, "connection-end how=closed") || event_has(end, "connection-end how=reset"));
	}
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_echo(fd);
	daemon_wait_for(&d, "connection-open peer=%s", client_name(fd));
	close(fd);
	stop_proxy();
} END_TEST

static void make_certificates(void)
{
	const char *script = files_script("certify", "set -e; cd %s\n"
		"new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
		" -subj \"$2\" -keyout $1.key -out $1.crt; cat $1.key $1.crt >$1.pem; }\n"
		"new server /CN=www.example.org\nnew alice '/O=Example/CN=alice, of Example'\n", files_path(""));

	process_must(script);
}

/* The answer to a client of TLS that shows that certificate ("": none). */
static const char *ask_over_tls(const char *certificate)
{
	const char *script = files_script("ask", "cd %s; exec openssl s_client -connect %s -quiet -tls1_2"
		" -servername www.example.org %s </dev/null >answer 2>errors-ask", files_path(""),
		address_of_proxy(), certificate);

	process_run_args(script);
	return files_read(files_path("answer"));
}

#define TLS_OPTIONS "send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,ssl-cipher,authority,crc32c,unique-id"

START_TEST(what_haproxy_knows_of_tls_is_in_the_environment)
{
	const char *path = files_path("access.log"), *all;

	daemon_start(&d, "access_log = { target = \"%s\"; };"
	             SERVICES(EXEC("s", "argv = \"/usr/bin/env\";", BEHIND)), path);
	make_certificates();
	listen_on_ipv4();
	start_haproxy(files_text("ssl crt %s ca-file %s verify optional", files_path("server.pem"),
	                         files_path("alice.crt")), TLS_OPTIONS);
	all = ask_over_tls("-cert alice.crt -key alice.key");
	harness_contains(all, "PROTO=SSL\n");
	harness_contains(all, "TCPREMOTEIP=127.0.0.1\n");
	harness_contains(all, "SSL_TLS_SNI=www.example.org\n");
	harness_contains(all, "SSL_PROTOCOL=TLSv1.2\n");
	harness_contains(all, "SSL_CIPHER=ECDHE-");
	harness_contains(all, "SSL_CLIENT_VERIFY=SUCCESS\n");
	harness_contains(all, "SSL_CLIENT_S_DN=CN=alice\\, of Example\n");
	all = ask_over_tls("");
	harness_contains(all, "PROTO=SSL\n");
	harness_contains(all, "SSL_CLIENT_VERIFY=NONE\n");
	ck_assert_ptr_null(strstr(all, "SSL_CLIENT_S_DN"));
	for (int i = 0; i < 2; i++)
		daemon_wait_for(&d, "connection-end how=exit");
	daemon_settle_logs(&d);
	harness_contains(files_read(path), " authority=www.example.org duration=");
	stop_proxy();
} END_TEST

START_TEST(a_certificate_that_haproxy_could_not_verify_names_nobody)
{
	const char *all;

	daemon_start(&d, SERVICES(EXEC("s", "argv = \"/usr/bin/env\";", BEHIND)));
	make_certificates();
	listen_on_ipv4();
	start_haproxy(files_text("ssl crt %s ca-file %s verify optional crt-ignore-err all ca-ignore-err all",
	                         files_path("server.pem"), files_path("server.crt")), TLS_OPTIONS);
	all = ask_over_tls("-cert alice.crt -key alice.key");
	harness_contains(all, "SSL_CLIENT_VERIFY=FAILED:");
	ck_assert_ptr_null(strstr(all, "SSL_CLIENT_S_DN"));
	stop_proxy();
} END_TEST

/* ---- what is not sent --------------------------------------------------- */

/* As after a setting that was forgotten. */
START_TEST(a_proxy_without_a_header_reaches_nobody)
{
	int fd;

	daemon_start(&d, SERVICES(SERVICE("s", "echo", BEHIND)));
	listen_on_ipv4();
	start_haproxy("", "");
	fd = client_connect_from(CLIENT_IP, address_of_proxy());
	client_say(fd, "hello\n");
	client_expect_gone(fd);
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "proxy");
	close(fd);
	stop_proxy();
} END_TEST

static void add_for_each_proxy(TCase *tc, const TTest *test)
{
	for (int i = 0; i < (int)ARRAY_SIZE(proxies); i++)
		if (is_installed(i))
			tcase_add_loop_test(tc, test, i, i + 1);
		else
			harness_skip(test->name, proxies[i].is_nginx ? "nginx with its module stream is not installed"
			                                             : "haproxy is not installed");
}

int main(void)
{
	Suite *s = suite_create("proxy_real");
	TCase *tc = harness_case(s, "address");
	const bool has_haproxy = is_installed(0), has_openssl = process_is_installed("openssl");
	static const char why[] = "haproxy is not installed", why_tls[] = "it needs haproxy and openssl";

	add_for_each_proxy(tc, in_the_log_of_echo);
	add_for_each_proxy(tc, in_the_environment_of_a_program);
	add_for_each_proxy(tc, in_the_prefix_of_a_filter);
	add_for_each_proxy(tc, in_the_line_of_a_warm_program);
	if (harness_has_ipv6())
		add_for_each_proxy(tc, from_a_socket_for_both_families);
	add_for_each_proxy(tc, and_all_bytes_as_well);
	tc = harness_case(s, "haproxy");
	for (int i = 0; i < 2; i++)
		if (has_haproxy)
			tcase_add_loop_test(tc, checks_of_haproxy_are_connections_of_its_own, i, i + 1);
		else
			harness_skip("checks_of_haproxy_are_connections_of_its_own", why);
	harness_add_if(has_haproxy && has_openssl, why_tls, tc, what_haproxy_knows_of_tls_is_in_the_environment);
	harness_add_if(has_haproxy && has_openssl, why_tls, tc,
	               a_certificate_that_haproxy_could_not_verify_names_nobody);
	harness_add_if(has_haproxy, why, tc, a_proxy_without_a_header_reaches_nobody);
	return harness_run(s);
}
