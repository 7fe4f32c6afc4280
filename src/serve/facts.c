/* SPDX-License-Identifier: MIT */
/* serve/facts.c - see facts.h. */
#include "serve/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/json.h"
#include "model/checkpoint.h"
#include "model/ensemble.h"

static const char json_type[] = "application/json";

/* "RAVDESS: CC BY-NC-SA 4.0 ...", a text a line. */
static void put_lines(am_context *ctx, am_json *j, const char *key, const char *lines) {
  am_json_open(j, key, '[');
  for (size_t n; lines && *lines; lines += n + (lines[n] != '\0')) {
    n = strcspn(lines, "\n");
    char *line = am_format(ctx, "%.*s", (int)n, lines);
    if (line) am_json_text(j, NULL, line);
    else j->out->failed = true;
    am_free(ctx, line);
  }
  am_json_close(j);
}

static void put_thresholds(am_json *j, const am_checkpoint *m) {
  const am_thresholds *t = &am_checkpoint_set_for(m, false)->thresholds;
  if (!(t->precision > 0)) {
    am_json_null(j, "thresholds");
    return;
  }
  am_json_open(j, "thresholds", '{');
  am_json_real(j, "precision", t->precision);
  am_json_open(j, "at", '{');
  for (int k = 0; k < m->classes; k++) {
    if (t->at[k] <= 1) am_json_real(j, m->labels[k], t->at[k]);
    else am_json_null(j, m->labels[k]); /* it is never the answer */
  }
  am_json_close(j);
  am_json_close(j);
}

static void put_model(am_context *ctx, am_json *j, const am_checkpoint *m) {
  am_json_open(j, NULL, '{');
  am_json_text(j, "title", am_checkpoint_title(m));
  am_json_text(j, "licence", am_checkpoint_licence(m));
  am_json_bool(j, "noncommercial", am_checkpoint_noncommercial(m));
  put_lines(ctx, j, "corpora", am_checkpoint_attribution(m));
  am_json_bool(j, "synthetic", am_checkpoint_synthetic(m));
  am_json_bool(j, "uses_voice", am_checkpoint_uses_speaker(m));
  am_json_int(j, "members", (int64_t)am_checkpoint_members(m));
  am_json_open(j, "calibration", '{');
  am_json_real(j, "temperature", am_checkpoint_temperature(m));
  am_json_close(j);
  put_thresholds(j, m);
  am_json_close(j);
}

void am_facts_model(const am_ensemble *e, am_reply *out) {
  am_context *ctx = am_ensemble_context(e);
  const am_checkpoint *m = am_ensemble_model(e, 0);
  *out = (am_reply){.status = 200, .type = json_type};
  am_json j = am_json_begin(ctx, &out->body, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "version", am_version());
  am_json_open(&j, "labels", '[');
  for (int k = 0; k < m->classes; k++) am_json_text(&j, NULL, m->labels[k]);
  am_json_close(&j);
  if (m->values) am_scales_put(&j, (const char *const *)m->labels, m->scale, m->classes);
  am_json_real(&j, "rate", am_checkpoint_rate(m));
  am_json_text(&j, "detector", am_checkpoint_title(am_ensemble_detector(e))); /* NULL of none */
  am_json_open(&j, "models", '[');
  for (size_t i = 0; i < am_ensemble_models(e); i++) put_model(ctx, &j, am_ensemble_model(e, i));
  am_json_close(&j);
  am_json_close(&j);
  am_buffer_append(ctx, &out->body, "\n", 1);
}

void am_facts_health(am_context *ctx, const am_counts *c, am_reply *out) {
  *out = (am_reply){.status = c->stopping ? 503 : 200, .type = json_type, .retry_after = c->stopping ? 2 : 0};
  am_json j = am_json_begin(ctx, &out->body, 0);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "status", c->stopping ? "stopping" : "ok");
  am_json_int(&j, "sessions", (int64_t)c->sessions);
  am_json_int(&j, "uploads", (int64_t)c->uploads);
  am_json_close(&j);
  am_buffer_append(ctx, &out->body, "\n", 1);
}

void am_counts_answered(am_counts *c, int status) {
  for (int i = 0; i < AM_COUNT_STATUS; i++) {
    if (c->answered[i].status && c->answered[i].status != status) continue;
    c->answered[i].status = status;
    c->answered[i].n++;
    return;
  }
}

/* Of this process, from the kernel; 0 where it does not say. */
static double resident_bytes(void) {
  FILE *f = fopen("/proc/self/statm", "re");
  char line[128] = "";
  if (!f) return 0;
  const char *second = fgets(line, sizeof line, f) ? strchr(line, ' ') : NULL; /* all pages, then those in memory */
  fclose(f);
  return second ? (double)strtoul(second, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void metric(am_context *ctx, am_buffer *out, const char *name, const char *kind, const char *help,
                   double value) {
  am_buffer_printf(ctx, out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, kind, name, value);
}

void am_facts_metrics(am_context *ctx, const am_counts *c, am_reply *out) {
  *out = (am_reply){.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8"};
  am_buffer *b = &out->body;
  am_buffer_printf(ctx, b,
                   "# HELP audiomood_http_requests_total Requests answered, by status.\n"
                   "# TYPE audiomood_http_requests_total counter\n");
  for (int i = 0; i < AM_COUNT_STATUS && c->answered[i].status; i++)
    am_buffer_printf(ctx, b, "audiomood_http_requests_total{code=\"%d\"} %llu\n", c->answered[i].status,
                     (unsigned long long)c->answered[i].n);
  metric(ctx, b, "audiomood_streams_total", "counter", "Streams that began.", (double)c->streams);
  metric(ctx, b, "audiomood_streams_failed_total", "counter", "Streams that ended with an error.",
         (double)c->streams_failed);
  metric(ctx, b, "audiomood_received_bytes_total", "counter", "Bytes of bodies and messages.", (double)c->bytes_in);
  metric(ctx, b, "audiomood_sound_seconds_total", "counter", "Seconds of sound heard.", c->seconds);
  metric(ctx, b, "audiomood_uploads", "gauge", "Uploads under way.", (double)c->uploads);
  metric(ctx, b, "audiomood_uploads_waiting", "gauge", "Uploads that wait for a thread.", (double)c->waiting);
  metric(ctx, b, "audiomood_sessions", "gauge", "Streams under way.", (double)c->sessions);
  metric(ctx, b, "audiomood_connections", "gauge", "Connections that are open.", (double)c->connections);
  metric(ctx, b, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
  metric(ctx, b, "audiomood_uptime_seconds", "gauge", "Seconds since it began.", am_now() - c->began);
}
