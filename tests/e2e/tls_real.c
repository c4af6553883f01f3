/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon over TLS with clients and programs that others have written: openssl, curl, GnuTLS,
 * Python, git, stunnel, HAProxy.
 */
#include <config.h>
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../certificates.h"

#define HAPROXY "/usr/sbin/haproxy"

static struct daemon d;

static void before(void)
{
	ck_assert_int_eq(chdir(files_path("")), 0);
	certificate_issue("ca", &(struct certificate_wish){ .is_ca = true });
	certificate_issue("s", &(struct certificate_wish){
		.issued_by = "ca", .names = "DNS:s.example,DNS:localhost,IP:127.0.0.1" });
}

static void start(const char *handler, const char *rest)
{
	const char *at = files_path("");

	daemon_start(&d, SERVICES(" s = { listen = \"127.0.0.1:0\"; workers = 1;"
	             " tls = { chain = \"%s/s.pem\"; key = \"%s/s.key\"; }; handler = { %s }; %s };"),
	             at, at, handler, rest);
}

static const char *port(void)
{
	return daemon_port(&d, "s", 0);
}

/* Runs a shell command; what it writes is in the file "said". */
static const char *must_say(const char *command)
{
	process_must("sh", "-c", files_text("(%s) >%s", command, files_path("said")));
	return files_read(files_path("said"));
}

/* ---- clients ------------------------------------------------------------ */

static const char *const versions[] = { "-tls1_2", "-tls1_3" };

START_TEST(openssl_is_a_client)
{
	start("type = \"exec\"; argv = [ \"/usr/bin/head\", \"-n\", \"2\" ];", "");
	ck_assert_str_eq(must_say(files_text(
		"printf 'hello\\nbye\\n' | openssl s_client %s -connect 127.0.0.1:%s -servername s.example"
		" -CAfile ca.pem -verify_return_error -quiet 2>err", versions[_i], port())), "hello\nbye\n");
	ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "exit");
} END_TEST

START_TEST(openssl_resumes_sessions)
{
	start("type = \"daytime\";", "");
	must_say(files_text("openssl s_client %s -connect 127.0.0.1:%s -CAfile ca.pem -sess_out session"
	                    " -ign_eof </dev/null", versions[_i], port()));
	harness_contains(must_say(files_text(
		"openssl s_client %s -connect 127.0.0.1:%s -CAfile ca.pem -sess_in session -ign_eof </dev/null",
		versions[_i], port())), "Reused, TLSv1.");
} END_TEST

/* The whole answer, and then close_notify: curl says if that is missing. */
START_TEST(curl_gets_an_answer)
{
	process_must("sh", "-c", files_text("head -c 3000000 /dev/urandom >%s", files_path("big")));
	process_must("sh", "-c", "(printf 'HTTP/1.0 200 OK\\r\\n\\r\\n'; cat big) >reply");
	/* It reads the first line, and the relay takes the rest. */
	start("type = \"exec\"; argv = [ \"/bin/sh\", \"-c\", \"read -r line; exec cat reply\" ];",
	      files_text("directory = \"%s\";", files_path("")));
	process_must("curl", "--silent", "--show-error", "--fail", "--cacert", files_path("ca.pem"), "--output",
	             files_path("got"), files_text("https://127.0.0.1:%s/", port()));
	process_must("cmp", files_path("big"), files_path("got"));
	daemon_wait_for(&d, "program-end how=exit value=0");
} END_TEST

START_TEST(gnutls_is_a_client)
{
	start("type = \"echo\";", "");
	harness_contains(must_say(files_text(
		"printf 'hello\\n' | gnutls-cli --x509cafile=ca.pem --sni-hostname=s.example"
		" --verify-hostname=s.example --port=%s 127.0.0.1", port())), "hello\n");
} END_TEST

START_TEST(python_is_a_client)
{
	const char *script = files_write("client.py",
		"import socket, ssl, sys\n"
		"ctx = ssl.create_default_context(cafile='ca.pem')\n"
		"data = bytes(i * 7 %% 251 for i in range(1 << 20))\n"
		"for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:\n"
		"    ctx.minimum_version = ctx.maximum_version = version\n"
		"    s = ctx.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))),\n"
		"                        server_hostname='s.example', suppress_ragged_eofs=False)\n"
		"    got = b''\n"
		"    for at in range(0, len(data), 65536):\n"
		"        s.sendall(data[at:at + 65536])\n"
		"        while len(got) < at + 65536:\n"
		"            got += s.recv(65536)\n"
		"    assert got == data\n"
		"    s.unwrap()\n");

	start("type = \"echo\";", "");
	process_must("python3", script, port());
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(event_word(daemon_wait_for(&d, "connection-end"), "how"), "closed");
} END_TEST

/* ---- programs ----------------------------------------------------------- */

/* git has stunnel carry its connection. */
START_TEST(git_clones_over_stunnel)
{
	const char *script = files_script("tunnel",
		"cd %s || exit\n"
		"printf 'client = yes\\noutput = /dev/null\\nCAfile = ca.pem\\nverifyChain = yes\\n"
		"connect = %%s:%%s\\n' \"$1\" \"$2\" >stunnel.conf\nexec stunnel stunnel.conf\n", files_path(""));

	process_configure_git();
	process_must("git", "init", "--quiet", files_path("repo"));
	process_must("sh", "-c", files_text("head -c 3000000 /dev/urandom >%s", files_path("repo/noise")));
	process_must("git", "-C", files_path("repo"), "add", "noise");
	process_must("git", "-C", files_path("repo"), "commit", "--quiet", "-m", "first");
	start(files_text("type = \"exec\"; argv = [ \"/usr/bin/git\", \"daemon\", \"--inetd\", \"--export-all\","
	                 " \"--base-path=%s\" ];", files_path("")), "");
	process_must("git", "-c", files_text("core.gitproxy=%s", script), "clone", "--quiet",
	             files_text("git://127.0.0.1:%s/repo", port()), files_path("clone"));
	process_must("cmp", files_path("repo/noise"), files_path("clone/noise"));
	daemon_wait_for(&d, "program-end how=exit value=0");
} END_TEST

/* It was started, and has read its modules, before the client came. */
START_TEST(a_warm_python_program_answers)
{
	const char *script = files_write("server.py",
		"import itertools, json, socket\n"
		"s = socket.socket(fileno=0)\n"
		"for line in itertools.islice(s.makefile('r'), 2):\n"
		"    s.sendall(json.dumps(sorted(line.split())).encode() + b'\\n')\n");

	start(files_text("type = \"exec\"; argv = [ \"/usr/bin/env\", \"python3\", \"%s\" ]; warm = 2;", script), "");
	ck_assert_str_eq(must_say(files_text("printf 'b a\\nd c\\n' | openssl s_client -connect 127.0.0.1:%s"
	                                     " -CAfile ca.pem -quiet 2>err", port())),
	                 "[\"a\", \"b\"]\n[\"c\", \"d\"]\n");
	daemon_wait_for(&d, "warm-join");
} END_TEST

/* ---- HAProxy in front --------------------------------------------------- */

static pid_t start_haproxy(int listener)
{
	const char *config = files_write("haproxy.cfg",
		"global\n\tmaxconn 200\n"
		"defaults\n\tmode tcp\n\ttimeout connect 10s\n\ttimeout client 50s\n\ttimeout server 50s\n"
		"listen s\n\tbind fd@3\n\tserver d 127.0.0.1:%s send-proxy-v2 ssl verify required ca-file %s"
		" verifyhost s.example sni str(s.example)\n", port(), files_path("ca.pem"));
	const pid_t us = getpid(), pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	process_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != us || dup2(listener, 3) == -1 ||
	    !freopen("haproxy-output", "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(126);
	execl(HAPROXY, HAPROXY, "-db", "-f", config, (char *)NULL);
	_exit(127);
}

START_TEST(haproxy_names_the_client_and_speaks_tls)
{
	const char *proxy_port;
	const int listener = client_listen(&proxy_port);
	pid_t pid;
	int fd;

	ck_assert_int_eq(listen(listener, 10), 0);
	start("type = \"exec\"; argv = [ \"/usr/bin/env\" ];",
	      "proxy_protocol = \"v2\"; proxy_from = \"127.0.0.1\";");
	pid = start_haproxy(listener);
	fd = client_connect_from("127.0.0.3", files_text("127.0.0.1:%s", proxy_port));
	harness_contains(client_read_all(fd), "TCPREMOTEIP=127.0.0.3\n");
	harness_contains(files_text("%s", event_word(daemon_wait_for(&d, "connection-open"), "peer")),
	                 "127.0.0.3:");
	close(fd);
	kill(pid, SIGTERM);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(listener);
} END_TEST

/* ---- */

static void add_for(TCase *tc, const char *program, const TTest *test, int n)
{
	if (process_is_installed(program))
		tcase_add_loop_test(tc, test, 0, n);
	else
		harness_skip(test->name, files_text("%s is not installed", program));
}

int main(void)
{
	Suite *s = suite_create("tls_real");
	TCase *tc = harness_case(s, "real");

	tcase_add_checked_fixture(tc, before, NULL);
	add_for(tc, "openssl", openssl_is_a_client, ARRAY_SIZE(versions));
	add_for(tc, "openssl", openssl_resumes_sessions, ARRAY_SIZE(versions));
	add_for(tc, "curl", curl_gets_an_answer, 1);
	add_for(tc, "gnutls-cli", gnutls_is_a_client, 1);
	add_for(tc, "python3", python_is_a_client, 1);
	add_for(tc, process_is_installed("git") ? "stunnel" : "git", git_clones_over_stunnel, 1);
	add_for(tc, "python3", a_warm_python_program_answers, 1);
	harness_add_if(access(HAPROXY, X_OK) == 0, "haproxy is not installed", tc,
	               haproxy_names_the_client_and_speaks_tls);
	return harness_run(s);
}
