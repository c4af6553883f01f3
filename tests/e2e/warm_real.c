/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real programs as warm programs, as they come, with real clients; many at once, and
 * every answer compared.
 */
#include <config.h>
#include "harness.h"
#include "warm_harness.h"

#include <unistd.h>

#define CLIENTS 50

static struct daemon d;

/* In the test's folder. */
static void run_script(const char *name, const char *text)
{
	const char *path = files_script(name, "set -e; cd %s\n%s", files_path(""), text);

	process_must(path);
}

/* All connections are over, and each had a program of its own. */
static void check_ended(size_t n)
{
	for (size_t i = 0; i < n; i++)
		daemon_wait_for(&d, "connection-end how=exit");
	ck_assert_uint_eq(daemon_saw(&d, "connection-end"), n);
	ck_assert_uint_eq(daemon_saw(&d, "program-end how=exit"), n);
	ck_assert_uint_gt(daemon_saw(&d, "warm-join"), 0);
	ck_assert_uint_eq(daemon_saw(&d, "warm-end"), 0);
}

/* ---- httpd -------------------------------------------------------------- */

static const char *url(const char *path)
{
	return files_text("http://127.0.0.1:%s/%s", daemon_port(&d, "s", 0), path);
}

static void start_httpd(void)
{
	files_mkdir("www");
	files_mkdir("www/cgi-bin");
	files_write("www/small", "hello\n");
	files_script("www/cgi-bin/answer", "printf 'Content-Type: text/plain\\r\\n\\r\\n'\n"
	             "echo \"$REQUEST_METHOD\"; cat");
	run_script("fill", "head -c 3000000 /dev/urandom >www/big; head -c 500000 /dev/urandom >sent");
	warm_start(&d, files_text("[ \"%s\", \"httpd\", \"-i\", \"-h\", \"%s\" ]", "/usr/bin/busybox",
	           files_path("www")), 4, "", "");
}

START_TEST(httpd_gives_files_and_answers)
{
	start_httpd();
	run_script("get", files_text("curl -sS -o small %s; cmp small www/small\n"
	                             "curl -sS -o big %s; cmp big www/big\n"
	                             "[ \"$(curl -sS -o none -w '%%{http_code}' %s)\" = 404 ]\n",
	                             url("small"), url("big"), url("none")));
	run_script("post", files_text("curl -sS -H Expect: --data-binary @sent -o got %s\n"
	                              "{ echo POST; cat sent; } | cmp - got\n", url("cgi-bin/answer")));
	run_script("two", files_text("curl -sS -o one %s -o two %s; cmp one www/big; cmp two www/small\n",
	                             url("big"), url("small")));
	check_ended(6);
} END_TEST

START_TEST(httpd_serves_many_at_once)
{
	start_httpd();
	run_script("many", files_text("for i in $(seq %d); do curl -sS -o got.$i %s & done; wait\n"
	                              "for i in $(seq %d); do cmp got.$i www/big; done\n",
	                              CLIENTS, url("big"), CLIENTS));
	check_ended(CLIENTS);
} END_TEST

/* ---- git ---------------------------------------------------------------- */

static const char *git_url(const char *name)
{
	return files_text("git://127.0.0.1:%s/%s", daemon_port(&d, "s", 0), name);
}

/* Noise does not compress. */
static void start_git(void)
{
	process_configure_git();
	run_script("init", "git init --quiet repo; cd repo\n"
	           "for i in $(seq 200); do echo $i >file.$i; done; git add .; git commit --quiet -m files\n"
	           "head -c 4000000 /dev/urandom >noise; git add noise; git commit --quiet -m noise\n"
	           "git clone --quiet --bare . ../bare");
	warm_start(&d, files_text("[ \"/usr/bin/git\", \"daemon\", \"--inetd\", \"--export-all\","
	           " \"--enable=receive-pack\", \"--base-path=%s\" ]", files_path("")), 3, "", "");
}

START_TEST(git_clones_fetches_and_pushes)
{
	start_git();
	run_script("cloning", files_text("git clone --quiet %s clone; git -C clone fsck --strict\n"
	                               "[ $(git -C clone rev-parse HEAD) = $(git -C bare rev-parse HEAD) ]\n"
	                               "git ls-remote %s | grep -q $(git -C bare rev-parse HEAD)\n",
	                               git_url("bare"), git_url("bare")));
	run_script("pushing", files_text("cd repo; head -c 3000000 /dev/urandom >more; git add more\n"
	                              "git commit --quiet -m more; git push --quiet %s main; cd ..\n"
	                              "git -C bare fsck --strict\n"
	                              "[ $(git -C repo rev-parse HEAD) = $(git -C bare rev-parse HEAD) ]\n"
	                              "git -C clone pull --quiet --ff-only; cmp clone/more repo/more\n",
	                              git_url("bare")));
	check_ended(4);
	ck_assert_int_ne(process_run_args("git", "ls-remote", git_url("none")), 0);
	daemon_wait_for(&d, "connection-end how=exit");
} END_TEST

START_TEST(git_is_cloned_by_many_at_once)
{
	start_git();
	run_script("many", files_text("all='1 2 3 4 5 6 7 8'\n"
	                              "for i in $all; do git clone --quiet %s clone.$i & done; wait\n"
	                              "for i in $all; do\n"
	                              "  git -C clone.$i fsck --strict; cmp clone.$i/noise repo/noise\n"
	                              "  [ $(git -C clone.$i rev-parse HEAD) = $(git -C bare rev-parse HEAD) ]\n"
	                              "done\n", git_url("bare")));
	check_ended(8);
} END_TEST

START_TEST(git_is_asked_by_many_at_once)
{
	start_git();
	run_script("ask", files_text("for i in $(seq %d); do git ls-remote %s main >refs.$i & done; wait\n"
	                             "head=$(git -C bare rev-parse HEAD)\n"
	                             "for i in $(seq %d); do\n"
	                             "  [ \"$(cat refs.$i)\" = \"$head\trefs/heads/main\" ]\n"
	                             "done\n", CLIENTS, git_url("bare"), CLIENTS));
	check_ended(CLIENTS);
} END_TEST

/* ---- a server that talks first ------------------------------------------ */

static const char greeter[] =
	"import hashlib, sys\n"
	"def say(text):\n"
	"    sys.stdout.write(text + '\\r\\n')\n"
	"    sys.stdout.flush()\n"
	"say('220 test.example ESMTP')\n"
	"sender = None\n"
	"while True:\n"
	"    line = sys.stdin.buffer.readline()\n"
	"    word = line.split(None, 1)[0].upper() if line.strip() else b''\n"
	"    if not line:\n"
	"        sys.exit(1)\n"
	"    if word == b'EHLO':\n"
	"        say('250-test.example')\n"
	"        say('250 8BITMIME')\n"
	"    elif word == b'MAIL':\n"
	"        sender = line.split(b'<')[1].split(b'>')[0].decode()\n"
	"        say('250 sender ' + sender)\n"
	"    elif word == b'RCPT':\n"
	"        say('250 recipient')\n"
	"    elif word == b'DATA':\n"
	"        say('354 go on')\n"
	"        sum = hashlib.sha256()\n"
	"        while (line := sys.stdin.buffer.readline()) != b'.\\r\\n':\n"
	"            sum.update(line)\n"
	"        say('250 %s %s' % (sender, sum.hexdigest()))\n"
	"    elif word == b'QUIT':\n"
	"        say('221 bye')\n"
	"        break\n"
	"    else:\n"
	"        say('500 what?')\n";

/* Arguments: the port, how many at once. */
static const char mailer[] =
	"import hashlib, smtplib, sys, threading\n"
	"good = []\n"
	"def deliver(i):\n"
	"    me = 'client%d@example.org' % i\n"
	"    text = (('line %d of ' % i + me) * 10 + '\\r\\n') * (i * 40 + 1)\n"
	"    with smtplib.SMTP('127.0.0.1', int(sys.argv[1]), local_hostname='here') as s:\n"
	"        assert s.ehlo()[0] == 250 and s.has_extn('8bitmime')\n"
	"        assert s.docmd('NONSENSE')[0] == 500\n"
	"        assert s.mail(me) == (250, ('sender ' + me).encode())\n"
	"        assert s.rcpt('you@example.org')[0] == 250\n"
	"        want = '%s %s' % (me, hashlib.sha256(text.encode()).hexdigest())\n"
	"        assert s.data(text) == (250, want.encode())\n"
	"    good.append(i)\n"
	"threads = [threading.Thread(target=deliver, args=(i,)) for i in range(int(sys.argv[2]))]\n"
	"for t in threads: t.start()\n"
	"for t in threads: t.join()\n"
	"sys.exit(len(good) != len(threads))\n";

START_TEST(mail_is_taken_from_many_at_once)
{
	const char *server = files_write("server.py", "%s", greeter);
	const char *client = files_write("client.py", "%s", mailer);

	warm_start(&d, files_text("[ \"/usr/bin/env\", \"python3\", \"%s\" ]", server), 8, "", "");
	process_must("python3", client, daemon_port(&d, "s", 0), "1");
	process_must("python3", client, daemon_port(&d, "s", 0), files_text("%d", CLIENTS));
	check_ended(1 + CLIENTS);
} END_TEST

/* ---- rsync -------------------------------------------------------------- */

/* It wants to know who its client is, and believes the line that it is told first. */
START_TEST(rsync_copies_a_tree_both_ways)
{
	const char *config = files_write("rsyncd.conf", "use chroot = no\n"
	                                 "proxy protocol = yes\nproxy protocol hosts = UNDETERMINED\n"
	                                 "hosts allow = 127.0.0.1\n%s[tree]\npath = %s\nread only = no\n",
	                                 harness_is_root() ? "uid = root\ngid = root\n" : "",
	                                 files_path("tree"));

	run_script("fill", "mkdir -p tree/a/b; head -c 5000000 /dev/urandom >tree/a/big\n"
	           "echo small >tree/a/b/small; ln -s b tree/a/link");
	warm_start(&d, files_text("[ \"/usr/bin/rsync\", \"--daemon\", \"--config=%s\" ]", config), 2,
	           "peer = \"proxy-v1\";", "");
	run_script("copying", files_text("url=rsync://127.0.0.1:%s/tree\n"
	                              "for i in 1 2 3 4 5; do rsync -a $url/ copy.$i & done; wait\n"
	                              "for i in 1 2 3 4 5; do diff -r --no-dereference tree copy.$i; done\n"
	                              "head -c 5000000 /dev/urandom >copy.1/new\n"
	                              "rsync -a copy.1/ $url/; cmp copy.1/new tree/new\n",
	                              daemon_port(&d, "s", 0)));
	check_ended(6);
} END_TEST

int main(void)
{
	Suite *s = suite_create("warm_real");
	TCase *tc = harness_case(s, "real");
	bool has_httpd = access("/usr/bin/busybox", X_OK) == 0 && process_is_installed("curl");
	bool has_git = access("/usr/bin/git", X_OK) == 0;
	bool has_python = process_is_installed("python3");
	bool has_rsync = access("/usr/bin/rsync", X_OK) == 0;

	harness_add_if(has_httpd, "it needs busybox and curl", tc, httpd_gives_files_and_answers);
	harness_add_if(has_httpd, "it needs busybox and curl", tc, httpd_serves_many_at_once);
	harness_add_if(has_git, "git is not installed", tc, git_clones_fetches_and_pushes);
	harness_add_if(has_git, "git is not installed", tc, git_is_cloned_by_many_at_once);
	harness_add_if(has_git, "git is not installed", tc, git_is_asked_by_many_at_once);
	harness_add_if(has_python, "python3 is not installed", tc, mail_is_taken_from_many_at_once);
	harness_add_if(has_rsync, "rsync is not installed", tc, rsync_copies_a_tree_both_ways);
	return harness_run(s);
}
