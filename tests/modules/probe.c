/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A module that does what it is told: by its options, and by each line of a client. What it sees it
 * tells to the mailbox that the option `events` names. probe2.so is the same with another version.
 */
#define _GNU_SOURCE
#include <drover/module.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION "1"
#endif
#define WORD_MAX 128

static const struct drover_server *drover;

struct client {
	struct drover_connection *c;
	struct client            *next;
	char                      later[WORD_MAX];      /* what its timer says */
	int                       resumes;              /* its timer does that as well */
};

static struct {
	char crashes_in[WORD_MAX], fails_in[WORD_MAX];  /* names of callbacks */
	char consumes[WORD_MAX];                        /* "none", "more", "all": echoes; "": lines */
	char framing[WORD_MAX];
	char ended[WORD_MAX];                           /* a line that `ended` obeys, without its end */
	char hello[WORD_MAX];                           /* a line that `open` obeys, without its end */
	char events[sizeof ((struct sockaddr_un *)0)->sun_path];
} option;

static struct {
	struct drover_worker *worker;
	struct drover_timer  *timer;
	struct drover_watch  *watch;
	struct client        *clients;
	int                   pipe[2], mailbox;
	unsigned              n_released;
	char                  fire[WORD_MAX];
} my = { .pipe = { -1, -1 }, .mailbox = -1 };

/* ---- telling ------------------------------------------------------------ */

static void tell(const char *format, ...)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char text[512];
	va_list ap;
	int n = snprintf(text, sizeof text, "probe version=%s pid=%ld ", VERSION, (long)getpid());

	va_start(ap, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	va_end(ap);
	strcpy(to.sun_path, option.events);
	if (my.mailbox != -1)
		sendto(my.mailbox, text, strlen(text), 0, (const struct sockaddr *)&to, sizeof to);
}

static void crash(void)
{
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* Whether the callback of that name is to fail. Does not return if it is to crash. */
static int fails_in(const char *callback)
{
	if (strcmp(option.crashes_in, callback) == 0)
		crash();
	return strcmp(option.fails_in, callback) == 0 ? -1 : 0;
}

/* ---- the options -------------------------------------------------------- */

static void take_text(struct drover_config *config, const char *name, char text[static WORD_MAX])
{
	struct drover_value v = { .size = sizeof v };

	if (config->find(config, NULL, name, DROVER_TEXT, &v))
		snprintf(text, WORD_MAX, "%s", v.text);
}

static void take_options(struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };

	take_text(config, "crash", option.crashes_in);
	take_text(config, "fail", option.fails_in);
	take_text(config, "consume", option.consumes);
	take_text(config, "framing", option.framing);
	take_text(config, "ended", option.ended);
	take_text(config, "hello", option.hello);
	if (config->find(config, NULL, "events", DROVER_TEXT, &v))
		snprintf(option.events, sizeof option.events, "%s", v.text);
}

/* Asks for everything in a list or a group; "wrong" in it is complained of. */
static void look_into(struct drover_config *config, const struct drover_option *in)
{
	struct drover_value v = { .size = sizeof v };

	for (size_t i = 0; config->member(config, in, i, &v); i++) {
		if (v.type == DROVER_TEXT && strcmp(v.text, "wrong") == 0)
			config->complain(config, v.option, "is %s", "wrong");
		if (v.type == DROVER_GROUP || v.type == DROVER_LIST)
			look_into(config, v.option);
	}
}

/* Whether a mapping is shared with another process and can be written to: proc_pid_maps(5). */
static int shares_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int shares = 0;

	while (maps && fgets(line, sizeof line, maps))
		shares |= strstr(line, " rw-s ") != NULL;
	if (maps)
		fclose(maps);
	return shares || !maps;
}

/* The option `configure` says how this ends. */
static int end_configure(struct drover_config *config, const char *how, const struct drover_option *o)
{
	if (strcmp(how, "refuse") == 0)
		return -1;
	if (strcmp(how, "complain") == 0)
		config->complain(config, o, "is \"%s\" (the probe %s says no)", how, VERSION);
	if (strcmp(how, "shared") == 0 && shares_memory())
		config->complain(config, o, "is run where memory is shared");
	if (strcmp(how, "exit") == 0)
		exit(3);
	if (strcmp(how, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(how, "fork") == 0 && fork() == 0)
		for (;;)
			pause();
	if (strcmp(how, "garbage") == 0)
		for (int fd = 3; fd < 16; fd++) {
			char junk[4096];

			memset(junk, 0x41, sizeof junk);
			if (write(fd, junk, sizeof junk) == -1)
				continue;
		}
	return 0;
}

static int probe_configure(struct drover_config *config)
{
	struct drover_value v = { .size = sizeof v };

	take_options(config);
	config->find(config, NULL, "number", DROVER_NUMBER, &v);
	config->find(config, NULL, "on", DROVER_BOOLEAN, &v);
	config->find(config, NULL, "integer", DROVER_INTEGER, &v);
	if (config->find(config, NULL, "tree", DROVER_GROUP, &v))
		look_into(config, v.option);
	if (config->find(config, NULL, "list", DROVER_LIST, &v))
		look_into(config, v.option);
	if (config->find(config, NULL, "configure", DROVER_TEXT, &v) &&
	    end_configure(config, v.text, v.option) == -1)
		return -1;
	return fails_in("configure");
}

/* ---- clients ------------------------------------------------------------ */

static void say(struct drover_connection *c, const char *text)
{
	char line[512];

	if (option.framing[0] && drover->reply(c, text, strlen(text)) == 0)
		return;
	snprintf(line, sizeof line, "%s\n", text);
	drover->write(c, line, strlen(line));
}

static void say_to_all(const struct drover_connection *but, const char *text)
{
	for (struct client *k = my.clients; k; k = k->next)
		if (k->c != but)
			say(k->c, text);
}

static void for_all(const struct drover_connection *but, void (*function)(struct drover_connection *c))
{
	for (struct client *k = my.clients; k; k = k->next)
		if (k->c != but)
			function(k->c);
}

/* ---- what a line can say ------------------------------------------------ */

struct loan {
	char  *bytes;
	size_t len;
};

static void release(void *arg)
{
	struct loan *l = arg;

	munmap(l->bytes, l->len);
	free(l);
	my.n_released++;
	tell("released=%u", my.n_released);
}

static void lend(struct drover_connection *c, const char *how_many)
{
	struct loan *l = malloc(sizeof *l);

	l->len = strtoul(how_many, NULL, 10);
	l->bytes = mmap(NULL, l->len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < l->len; i++)
		l->bytes[i] = (char)(i % 251);
	if (drover->lend(c, l->bytes, l->len, release, l) == -1)
		tell("lend errno=%d", errno);
}

static void lend_and_finish(struct drover_connection *c, const char *how_many)
{
	lend(c, how_many);
	drover->finish(c);
}

static void lend_and_say(struct drover_connection *c, const char *how_many)
{
	lend(c, how_many);
	say(c, "after it");
}

static void finish(struct drover_connection *c, const char *text)
{
	int result;

	say(c, text);
	drover->finish(c);
	result = drover->write(c, "never", 5);
	tell("write-after-finish=%d errno=%d", result, errno);
}

static void abort_it(struct drover_connection *c, const char *text)
{
	say(c, text);
	drover->abort(c);
}

static void set_later(struct drover_connection *c, const char *text, int resumes)
{
	struct client *k = drover->pointer(c);

	snprintf(k->later, sizeof k->later, "%s", text);
	k->resumes = resumes;
	drover->set_timer(c, 1);
}

static void later(struct drover_connection *c, const char *text)
{
	set_later(c, text, 0);
}

static void never(struct drover_connection *c, const char *text)
{
	(void)text;
	drover->set_timer(c, INT64_MAX);
	drover->timer_set(my.timer, INT64_MAX);
	say(c, "set");
}

static void rest(struct drover_connection *c, const char *text)
{
	drover->pause(c);
	set_later(c, text, 1);
}

static void pause_it(struct drover_connection *c, const char *text)
{
	(void)text;
	drover->pause(c);
	tell("paused");
}

static void pause_and_resume(struct drover_connection *c, const char *text)
{
	drover->pause(c);
	drover->resume(c);
	say(c, text);
}

static void to_others(struct drover_connection *c, const char *text)
{
	say_to_all(c, text);
}

static void pause_others(struct drover_connection *c, const char *text)
{
	for_all(c, drover->pause);
	say(c, text);
}

static void resume_others(struct drover_connection *c, const char *text)
{
	say_to_all(c, text);
	for_all(c, drover->resume);
}

static void finish_others(struct drover_connection *c, const char *text)
{
	say_to_all(c, text);
	for_all(c, drover->finish);
	say_to_all(c, "never");
}

static void abort_others(struct drover_connection *c, const char *text)
{
	for_all(c, drover->abort);
	say(c, text);
}

static void facts(struct drover_connection *c, const char *text)
{
	struct drover_endpoint peer = { .size = sizeof peer }, local = { .size = sizeof local };
	char line[500], protocol[32], id[64];
	int tls = drover->tls(c, DROVER_TLS_PROTOCOL, protocol, sizeof protocol);

	(void)text;
	drover->endpoint(c, DROVER_PEER, &peer);
	drover->endpoint(c, DROVER_LOCAL, &local);
	drover->id(c, id, sizeof id);
	snprintf(line, sizeof line, "family=%d %s %s port=%d tls=%d %s id=%s uid=%ld", peer.family, peer.ip,
	         local.ip, peer.port, tls, protocol, id, (long)(int)peer.uid);
	say(c, line);
}

static void into_pipe(struct drover_connection *c, const char *text)
{
	(void)c;
	if (write(my.pipe[1], text, strlen(text)) == -1)
		tell("pipe errno=%d", errno);
}

static void fire(struct drover_connection *c, const char *text)
{
	(void)c;
	snprintf(my.fire, sizeof my.fire, "%s", text);
	drover->timer_set(my.timer, 1);
}

static void nap(struct drover_connection *c, const char *text)
{
	const struct timespec t = { .tv_nsec = 1000000 * atol(text) };

	nanosleep(&t, NULL);
	say(c, "slept");
}

static void crash_now(struct drover_connection *c, const char *text)
{
	(void)c, (void)text;
	crash();
}

static void say_version(struct drover_connection *c, const char *text)
{
	(void)text;
	say(c, VERSION);
}

static void say_pid(struct drover_connection *c, const char *text)
{
	char pid[32];

	(void)text;
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	say(c, pid);
}

static const struct {
	const char *word;
	void (*act)(struct drover_connection *c, const char *text);
} words[] = {
	{ "echo", say }, { "version", say_version }, { "pid", say_pid }, { "finish", finish },
	{ "abort", abort_it }, { "lend", lend }, { "lend-finish", lend_and_finish },
	{ "lend-say", lend_and_say }, { "later", later }, { "never", never }, { "rest", rest },
	{ "pause", pause_it }, { "pause-resume", pause_and_resume }, { "others", to_others },
	{ "pause-others", pause_others }, { "resume-others", resume_others },
	{ "finish-others", finish_others }, { "abort-others", abort_others }, { "facts", facts },
	{ "pipe", into_pipe }, { "fire", fire }, { "nap", nap }, { "crash", crash_now },
};

static void obey(struct drover_connection *c, const char *bytes, size_t len)
{
	char line[WORD_MAX], *text;

	snprintf(line, sizeof line, "%.*s", (int)len, bytes);
	text = strchr(line, ' ');
	if (text)
		*text++ = '\0';
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(line, words[i].word) == 0)
			words[i].act(c, text ? text : "");
}

/* ---- the callbacks ------------------------------------------------------ */

static void on_fire(void *arg)
{
	(void)arg;
	fails_in("fire");
	say_to_all(NULL, my.fire);
}

static void on_pipe(void *arg, uint32_t events)
{
	char text[WORD_MAX];
	const ssize_t n = read(my.pipe[0], text, sizeof text - 1);

	(void)arg, (void)events;
	fails_in("ready");
	text[n > 0 ? n : 0] = '\0';
	say_to_all(NULL, text);
}

static int probe_worker_start(struct drover_worker *w, struct drover_config *config)
{
	take_options(config);
	my.worker = w;
	my.mailbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	my.timer = drover->timer_new(w, on_fire, NULL);
	if (!my.timer || pipe2(my.pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	my.watch = drover->watch_new(w, my.pipe[0], EPOLLIN, on_pipe, NULL);
	tell("worker-start");
	return my.watch ? fails_in("worker_start") : -1;
}

static void probe_worker_drain(struct drover_worker *w)
{
	(void)w;
	fails_in("worker_drain");
	tell("worker-drain");
}

static void probe_worker_stop(struct drover_worker *w)
{
	(void)w;
	fails_in("worker_stop");
	tell("worker-stop");
	drover->timer_free(my.timer);
	drover->watch_free(my.watch);
	close(my.pipe[0]);
	close(my.pipe[1]);
	close(my.mailbox);
}

static int probe_open(struct drover_connection *c)
{
	struct client *k = calloc(1, sizeof *k);

	if (!k)
		return -1;
	k->c = c;
	k->next = my.clients;
	my.clients = k;
	drover->set_pointer(c, k);
	if (option.framing[0] && drover->frame(c, option.framing) == -1)
		tell("frame errno=%d", errno);
	obey(c, option.hello, strlen(option.hello));
	return fails_in("open");
}

static ptrdiff_t probe_data(struct drover_connection *c, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);

	tell("data=%lu", (unsigned long)len);
	if (fails_in("data") == -1)
		return -1;
	if (strcmp(option.consumes, "none") == 0)
		return 0;
	if (strcmp(option.consumes, "more") == 0)
		return (ptrdiff_t)len + 1;
	if (strcmp(option.consumes, "all") == 0) {
		drover->write(c, bytes, len);
		return (ptrdiff_t)len;
	}
	for (const char *line = bytes; end; line = end + 1, end = memchr(line, '\n', (size_t)(bytes + len - line))) {
		obey(c, line, (size_t)(end - line));
		if (!memchr(end + 1, '\n', (size_t)(bytes + len - end - 1)) || strncmp(line, "pause\n", 6) == 0 ||
		    strncmp(line, "rest ", 5) == 0)
			return end + 1 - bytes;
	}
	return 0;
}

static int probe_request(struct drover_connection *c, const char *bytes, size_t len)
{
	obey(c, bytes, len);
	return fails_in("request");
}

static int probe_ended(struct drover_connection *c, const char *bytes, size_t len)
{
	tell("ended rest=%lu", (unsigned long)len);
	(void)bytes;
	obey(c, option.ended, strlen(option.ended));
	return fails_in("ended");
}

static int probe_taken(struct drover_connection *c)
{
	(void)c;
	tell("taken");
	return fails_in("taken");
}

static int probe_timer(struct drover_connection *c)
{
	struct client *k = drover->pointer(c);

	say(c, k->later);
	if (k->resumes)
		drover->resume(c);
	return fails_in("timer");
}

static void probe_close(struct drover_connection *c, int reason)
{
	struct client *k = drover->pointer(c), **at = &my.clients;

	tell("close reason=%d write=%d", reason, drover->write(c, "never", 5));
	fails_in("close");
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	free(k);
}

const struct drover_module drover_module_v1 = {
	DROVER_MODULE("probe", VERSION),
	.server = &drover,
	.configure = probe_configure,
	.worker_start = probe_worker_start,
	.worker_drain = probe_worker_drain,
	.worker_stop = probe_worker_stop,
	.open = probe_open,
	.data = probe_data,
	.request = probe_request,
	.ended = probe_ended,
	.taken = probe_taken,
	.timer = probe_timer,
	.close = probe_close,
};
