/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Prints the report as text, with a drawn histogram.
 */
#include <config.h>
#include "report.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

enum { ROWS_MAX = 24, LABEL_WIDTH = 33, BAR_MIN = 8 };

const struct report_point report_points[REPORT_POINTS] = {
	{ "p50", .5 }, { "p75", .75 }, { "p90", .9 }, { "p99", .99 }, { "p99.9", .999 }, { "p99.99", .9999 },
};

double report_per_second(const struct report *r, uint64_t n)
{
	return r->seconds > 0 ? (double)n / r->seconds : 0;
}

double report_handshakes_per_second(const struct report *r)
{
	const bool counts = r->plan->tls.on && !bench_plan_keeps_connections(r->plan);

	return counts ? report_per_second(r, r->tally.handshakes) : -1;
}

unsigned report_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == -1 || size.ws_col < 40)
		return 80;
	return size.ws_col;
}

/* Three significant digits and a unit: "84.2 us", "1.25 ms". */
static const char *time_text(double ns, char buf[static 32])
{
	static const struct { double worth; const char *unit; } units[] = {
		{ 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 0, "ns" },
	};
	unsigned i = 0;
	double n;

	while (ns < units[i].worth)
		i++;
	n = units[i].worth > 0 ? ns / units[i].worth : ns;
	snprintf(buf, 32, "%.*f %s", n < 10 ? 2 : n < 100 ? 1 : 0, n, units[i].unit);
	return buf;
}

static const char *bytes_text(double bytes, char buf[static 32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	unsigned i = 0;

	for (; bytes >= 1000 && i < 4; i++)
		bytes /= 1000;
	snprintf(buf, 32, "%.*f %s", i == 0 || bytes >= 100 ? 0 : bytes < 10 ? 2 : 1, bytes, units[i]);
	return buf;
}

/* ---- what was run ------------------------------------------------------- */

static void print_plan(FILE *out, const struct report *r)
{
	const struct bench_plan *p = r->plan;
	char answer[ANSWER_TEXT_MAX];

	fprintf(out, "%s to %s, %u connection%s, %u thread%s", bench_mode_name(p->mode), p->target,
	        p->connections, p->connections == 1 ? "" : "s", p->threads, p->threads == 1 ? "" : "s");
	if (p->mode == BENCH_OPEN_LOOP)
		fprintf(out, ", %g/s %s%s", p->rate, p->poisson ? "poisson" : "even",
		        p->new_connections ? ", new connections" : "");
	fprintf(out, "\nmessage of %zu bytes", p->message_bytes);
	if (p->mode != BENCH_STREAM)
		fprintf(out, ", answer %s%s", answer_rule_format(&p->answer, answer),
		        p->answer.echo ? ", echo" : p->answer.expect ? ", as expected" : "");
	if (r->tally.tls_version)
		fprintf(out, "\n%s, %s, server %s", r->tally.tls_version, r->tally.tls_cipher,
		        p->tls.ca ? "verified" : "not verified");
	fputs("\n\n", out);
}

/* ---- numbers ------------------------------------------------------------ */

static void print_failure(FILE *out, const struct tally *t, enum failure kind)
{
	const char *first = kind == FAILURE_OTHER ? strerror(t->first_other) : t->first_reason[kind];

	fprintf(out, "  %-15s%9" PRIu64 "%s%s\n", failure_name(kind), t->failures[kind],
	        first ? "  first: " : "", first ? first : "");
}

static void print_failures(FILE *out, const struct tally *t)
{
	const uint64_t sum = tally_failures(t);

	fprintf(out, "errors        %12" PRIu64 "\n", sum);
	for (unsigned i = 0; i < FAILURES; i++)
		if (t->failures[i])
			print_failure(out, t, i);
}

static void print_handshakes(FILE *out, const struct report *r)
{
	const struct tally *t = &r->tally;
	const double rate = report_handshakes_per_second(r);

	if (!r->plan->tls.on)
		return;
	fprintf(out, "handshakes    %12" PRIu64 "     ", t->handshakes);
	if (rate >= 0)
		fprintf(out, "%.1f/s, ", rate);
	fprintf(out, "%" PRIu64 " resumed (%.1f %%)\n", t->resumed,
	        t->handshakes ? 100 * (double)t->resumed / (double)t->handshakes : 0);
}

static void print_totals(FILE *out, const struct report *r)
{
	const struct tally *t = &r->tally;
	char in[32], sent[32];

	fprintf(out, "time          %12.3f s, in which drover-bench used the processor for %.3f s\n",
	        r->seconds, r->client_cpu_seconds);
	if (r->plan->mode != BENCH_HOLD)
		fprintf(out, "operations    %12" PRIu64 "     %.1f/s\n", t->operations,
		        report_per_second(r, t->operations));
	fprintf(out, "connections   %12" PRIu64 "     opened\n", t->connections_opened);
	print_handshakes(out, r);
	fprintf(out, "received      %12s/s   sent %s/s\n",
	        bytes_text(report_per_second(r, t->bytes_received), in),
	        bytes_text(report_per_second(r, t->bytes_sent), sent));
	if (t->arrivals_unserved)
		fprintf(out, "unserved      %12" PRIu64 "     arrivals had not begun when time was up\n",
		        t->arrivals_unserved);
	print_failures(out, t);
}

static void print_times(FILE *out, const char *name, const struct bench_histogram *h)
{
	char buf[32];

	if (h->count == 0)
		return;
	fprintf(out, "\n%s\n", name);
	fprintf(out, "  min    %10s\n", time_text((double)h->min, buf));
	fprintf(out, "  mean   %10s\n", time_text(bench_histogram_mean(h), buf));
	for (unsigned i = 0; i < REPORT_POINTS; i++)
		fprintf(out, "  %-6s %10s\n", report_points[i].name,
		        time_text((double)bench_histogram_percentile(h, report_points[i].share), buf));
	fprintf(out, "  max    %10s\n", time_text((double)h->max, buf));
}

/* ---- the histogram ------------------------------------------------------ */

/* How many neighbouring classes are drawn as one, so that there are not too many rows. */
static unsigned classes_a_row(const struct bench_histogram *h)
{
	const unsigned span = bench_histogram_class(h->max) - bench_histogram_class(h->min) + 1;
	unsigned n = 4;

	while (span / n + 2 > ROWS_MAX)
		n *= 2;
	return n;
}

static uint64_t row_count(const struct bench_histogram *h, unsigned first, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = first; i < first + n && i < BENCH_HISTOGRAM_CLASSES; i++)
		sum += h->classes[i];
	return sum;
}

/* Draws in eighths of a column, if there are characters for that. */
static void draw_bar(FILE *out, uint64_t n, uint64_t most, unsigned width, bool blocks)
{
	static const char *const part[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	const unsigned eighths = (unsigned)((double)n / (double)most * width * 8 + .5);

	for (unsigned i = 0; i < eighths / 8; i++)
		fputs(blocks ? "█" : "#", out);
	if (blocks)
		fputs(eighths == 0 && n ? part[1] : part[eighths % 8], out);
	else if (eighths < 8 && n)
		putc('.', out);
}

static void print_histogram(FILE *out, const struct bench_histogram *h, unsigned width, bool blocks)
{
	const unsigned n = h->count ? classes_a_row(h) : 1;
	const unsigned first = bench_histogram_class(h->min) / n, last = bench_histogram_class(h->max) / n;
	const unsigned room = width > LABEL_WIDTH + BAR_MIN ? width - LABEL_WIDTH : BAR_MIN;
	uint64_t most = 0;
	char low[32], high[32];

	if (h->count == 0)
		return;
	for (unsigned row = first; row <= last; row++)
		most = row_count(h, row * n, n) > most ? row_count(h, row * n, n) : most;
	putc('\n', out);
	for (unsigned row = first; row <= last; row++) {
		const uint64_t count = row_count(h, row * n, n);

		fprintf(out, "%9s - %-9s%11" PRIu64 " ",
		        time_text((double)bench_histogram_first(row * n), low),
		        time_text((double)bench_histogram_first((row + 1) * n), high), count);
		draw_bar(out, count, most, room, blocks);
		putc('\n', out);
	}
}

void report_print(FILE *out, const struct report *r, unsigned width, bool blocks)
{
	const struct tally *t = &r->tally;

	print_plan(out, r);
	print_totals(out, r);
	print_times(out, "latency", &t->latency);
	print_times(out, "connect time", &t->connect);
	print_times(out, "handshake time", &t->handshake);
	if (!r->plan->quiet)
		print_histogram(out, &t->latency, width, blocks);
}
