/* SPDX-License-Identifier: MIT */
/* cli/cmd_compare.c - audiomood compare: runs side by side, and a paired test on the same clips. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "io/json.h"
#include "study/compare.h"

enum { MOST_RUNS = 32, CELL = 16, WIDE = 32 };

typedef struct job {
  cli *c;
  size_t n;
  am_compared runs[MOST_RUNS];
  am_comparison against[MOST_RUNS]; /* the first run; [0] unused */
  am_settings_table settings;
} job;

/* ---- tables ---- */

static void print_name(const char *text, int width) {
  cli_print("%-*s%s", width, text, cli_width(text) < width ? "" : " ");
}

/* Long texts keep their beginning; the JSON has them whole. */
static void print_cell(const char *text) {
  if (cli_width(text) < CELL) {
    cli_print("%*s", (int)CELL, text);
    return;
  }
  int bytes = 0, width = 0;
  while (text[bytes] && width < CELL - 4)
    if (((unsigned char)text[++bytes] & 0xc0) != 0x80) width++;
  cli_print(" %.*s...", bytes, text);
}

static void print_figure(double value) {
  if (isnan(value)) cli_print("%*s", (int)CELL, "-");
  else cli_print("%*.1f", (int)CELL, 100 * value);
}

static void print_runs(const job *j) {
  for (size_t i = 0; i < j->n; i++) {
    const am_compared *r = &j->runs[i];
    cli_print("%c  %s (%s, %s%s)%s\n", (char)('A' + i), r->folder, r->name, r->part,
              r->synthetic ? ", synthetic speech" : "", r->complete ? "" : "  some runs are not finished");
  }
  cli_print("\n");
  print_name("", 32);
  for (size_t i = 0; i < j->n; i++) cli_print("%*c", (int)CELL, (char)('A' + i));
  cli_print("\n");
}

static void print_settings(const job *j) {
  bool table = false;
  for (size_t i = 0; i < j->n; i++) table |= !j->runs[i].config;
  if (table) cli_print("A table of predictions does not say its settings.\n");
  else if (!j->settings.n) cli_print("All settings are the same.\n");
  for (size_t i = 0; i < j->settings.n; i++) {
    bool wide = false;
    for (size_t k = 0; k < j->n; k++) wide |= cli_width(j->settings.at[i].text[k]) >= WIDE;
    if (wide) { /* what would be cut off has a line of its own for each run */
      cli_print("%s\n", j->settings.at[i].path);
      for (size_t k = 0; k < j->n; k++) cli_print("  %c  %s\n", (char)('A' + k), j->settings.at[i].text[k]);
      continue;
    }
    print_name(j->settings.at[i].path, 32);
    for (size_t k = 0; k < j->n; k++) print_cell(j->settings.at[i].text[k]);
    cli_print("\n");
  }
}

/* By label: the runs may order or choose their classes differently. */
static double recall_of(const am_compared *r, const char *label) {
  for (int k = 0; k < r->predictions.classes; k++)
    if (!strcmp(r->predictions.labels[k], label)) return r->metrics->recall[k];
  return NAN;
}

static bool had_before(const job *j, size_t run, const char *label) {
  for (size_t i = 0; i < run; i++)
    for (int k = 0; k < j->runs[i].predictions.classes; k++)
      if (!strcmp(j->runs[i].predictions.labels[k], label)) return true;
  return false;
}

/* A row of one percentage of each run. */
static void print_row(const job *j, const char *name, double (*figure)(const am_metrics *m)) {
  print_name(name, 32);
  for (size_t i = 0; i < j->n; i++) print_figure(figure(j->runs[i].metrics));
  cli_print("\n");
}

static double concordance_of(const am_compared *r, const char *name) {
  for (int k = 0; k < r->metrics->dimensions; k++)
    if (!strcmp(r->metrics->dimension[k].name, name)) return r->metrics->dimension[k].is.ccc;
  return NAN;
}

static void print_concordance(double value) {
  if (isnan(value)) cli_print("%*s", (int)CELL, "-");
  else cli_print("%*.3f", (int)CELL, value);
}

/* Rows of dimensions, each once. */
static void print_values(const job *j) {
  print_name("mean concordance (CCC)", 32);
  for (size_t i = 0; i < j->n; i++) print_concordance(j->runs[i].metrics->ccc);
  cli_print("\n");
  for (size_t i = 0; i < j->n; i++)
    for (int k = 0; k < j->runs[i].predictions.classes; k++) {
      const char *label = j->runs[i].predictions.labels[k];
      if (had_before(j, i, label)) continue;
      char name[80];
      snprintf(name, sizeof name, "CCC of %.60s", label);
      print_name(name, 32);
      for (size_t r = 0; r < j->n; r++) print_concordance(concordance_of(&j->runs[r], label));
      cli_print("\n");
    }
}

static void print_metrics(const job *j) {
  cli_print("\n");
  print_name("clips", 32);
  for (size_t i = 0; i < j->n; i++) cli_print("%*zu", (int)CELL, j->runs[i].n);
  cli_print("\n");
  print_name("seeds", 32);
  for (size_t i = 0; i < j->n; i++) cli_print("%*zu", (int)CELL, j->runs[i].n_seeds);
  cli_print("\n");
  if (j->runs[0].values) {
    print_values(j);
    return;
  }
  print_row(j, "accuracy %", am_metrics_accuracy);
  print_row(j, "unweighted average recall %", am_metrics_uar);
  print_row(j, "macro F1 %", am_metrics_macro_f1);
  print_name("both over classes", 32);
  for (size_t i = 0; i < j->n; i++) {
    char classes[32];
    snprintf(classes, sizeof classes, "%d of %d", j->runs[i].metrics->scored, j->runs[i].predictions.classes);
    cli_print("%*s", (int)CELL, classes);
  }
  cli_print("\n");
  print_row(j, "average recall by chance %", am_metrics_chance);
  for (size_t i = 0; i < j->n; i++)
    for (int k = 0; k < j->runs[i].predictions.classes; k++) {
      if (had_before(j, i, j->runs[i].predictions.labels[k])) continue;
      char name[80];
      snprintf(name, sizeof name, "recall of %.60s %%", j->runs[i].predictions.labels[k]);
      print_name(name, 32);
      for (size_t r = 0; r < j->n; r++) print_figure(recall_of(&j->runs[r], j->runs[i].predictions.labels[k]));
      cli_print("\n");
    }
}

static void print_clips(const job *j, size_t b) {
  const am_comparison *p = &j->against[b];
  char name = (char)('A' + b);
  if (!p->only_a && !p->only_b && !p->relabelled) {
    cli_print("\n%c against A, on the same %zu clips\n", name, p->common);
    return;
  }
  cli_print("\n%c against A: the clips are not the same", name);
  if (p->only_a) cli_print("; %zu only in A", p->only_a);
  if (p->only_b) cli_print("; %zu only in %c", p->only_b, name);
  if (p->relabelled) cli_print("; %zu with another true label", p->relabelled);
  if (p->common) cli_print("\ntested on the %zu clips in common\n", p->common);
  else cli_print("\nno clip in common, so nothing to test\n");
}

static void print_value(const char *name, const struct am_paired_value *v) {
  cli_print("  %-28s %.3f to %.3f: %+.3f   (95 %%: %+.3f to %+.3f)\n", name, v->a, v->b, v->difference, v->low,
            v->high);
}

static void print_values_test(const job *j, const am_comparison *p) {
  print_value("mean concordance (CCC)", &p->values.mean);
  for (int k = 0; k < p->values.dimensions; k++) {
    char name[80];
    snprintf(name, sizeof name, "CCC of %.60s", j->runs[0].predictions.labels[p->of[k]]);
    print_value(name, &p->values.of[k]);
  }
  cli_print("  intervals: paired bootstrap over %zu %s%s\n", p->values.units,
            p->values.by_speaker ? "speakers" : "clips",
            j->runs[0].n_seeds > 1 ? ", the mean of the seeds' values" : "");
}

static void print_test(const job *j, size_t b) {
  const am_comparison *p = &j->against[b];
  const am_paired *d = &p->paired;
  char name = (char)('A' + b);
  print_clips(j, b);
  if (!p->common) return;
  if (p->values.dimensions) {
    print_values_test(j, p);
    return;
  }
  cli_print("  accuracy                   %+.1f points   (95 %%: %+.1f to %+.1f)\n", 100 * d->accuracy,
            100 * d->accuracy_low, 100 * d->accuracy_high);
  cli_print("  unweighted average recall  %+.1f points   (95 %%: %+.1f to %+.1f) over %d of %d classes\n", 100 * d->uar,
            100 * d->uar_low, 100 * d->uar_high, d->scored, j->runs[0].predictions.classes);
  cli_print("  intervals: paired bootstrap over %zu %s\n", d->units, d->by_speaker ? "speakers" : "clips");
  cli_print("  McNemar's test%s: only A right %llu, only %c right %llu; exact p = %.4g, mid-p = %.4g\n",
            j->runs[0].n_seeds > 1 || j->runs[b].n_seeds > 1 ? " (the first seeds)" : "",
            (unsigned long long)p->mcnemar.only_a, name, (unsigned long long)p->mcnemar.only_b, p->mcnemar.exact,
            p->mcnemar.mid);
}

static void print_tables(const job *j) {
  print_runs(j);
  print_settings(j);
  print_metrics(j);
  for (size_t i = 1; i < j->n; i++) print_test(j, i);
  if (j->n > 2)
    cli_print("\nEach run is tested against A by itself; the p values are not corrected for their number.\n");
}

/* ---- JSON ---- */

static void write_run(am_json *w, const am_compared *r) {
  am_json_open(w, NULL, '{');
  am_json_text(w, "folder", r->folder);
  am_json_text(w, "name", r->name);
  am_json_text(w, "part", r->part);
  am_json_bool(w, "crossval", r->crossval);
  am_json_bool(w, "complete", r->complete);
  am_json_bool(w, "synthetic", r->synthetic);
  am_json_int(w, "clips", (int64_t)r->n);
  am_json_int(w, "seeds", (int64_t)r->n_seeds);
  if (r->values) {
    am_json_real(w, "ccc", r->metrics->ccc);
    am_json_open(w, "dimensions", '{');
    for (int k = 0; k < r->metrics->dimensions; k++)
      am_json_real(w, r->metrics->dimension[k].name, r->metrics->dimension[k].is.ccc);
    am_json_close(w);
    am_json_close(w);
    return;
  }
  am_json_real(w, "accuracy", r->metrics->accuracy);
  am_json_real(w, "uar", r->metrics->uar);
  am_json_real(w, "macro_f1", r->metrics->macro_f1);
  am_json_int(w, "classes", r->predictions.classes);
  am_json_int(w, "classes_scored", r->metrics->scored);
  am_json_real(w, "chance", am_metrics_chance(r->metrics));
  am_json_open(w, "recall", '{');
  for (int k = 0; k < r->predictions.classes; k++) am_json_real(w, r->predictions.labels[k], r->metrics->recall[k]);
  am_json_close(w);
  am_json_close(w);
}

static void write_value(am_json *w, const char *key, const struct am_paired_value *v) {
  am_json_open(w, key, '{');
  am_json_real(w, "first", v->a);
  am_json_real(w, "this", v->b);
  am_json_real(w, "difference", v->difference);
  am_json_reals(w, "interval", (const double[]){v->low, v->high}, 2);
  am_json_close(w);
}

static void write_values_test(const job *j, am_json *w, const am_comparison *p) {
  write_value(w, "ccc", &p->values.mean);
  am_json_open(w, "dimensions", '{');
  for (int k = 0; k < p->values.dimensions; k++)
    write_value(w, j->runs[0].predictions.labels[p->of[k]], &p->values.of[k]);
  am_json_close(w);
  am_json_text(w, "bootstrap_over", p->values.by_speaker ? "speakers" : "clips");
  am_json_int(w, "units", (int64_t)p->values.units);
}

static void write_test(const job *j, am_json *w, const am_compared *r, const am_comparison *p) {
  const am_paired *d = &p->paired;
  am_json_open(w, NULL, '{');
  am_json_text(w, "folder", r->folder);
  am_json_int(w, "common", (int64_t)p->common);
  am_json_int(w, "only_first", (int64_t)p->only_a);
  am_json_int(w, "only_this", (int64_t)p->only_b);
  am_json_int(w, "relabelled", (int64_t)p->relabelled);
  if (p->common && p->values.dimensions) {
    write_values_test(j, w, p);
  } else if (p->common) {
    am_json_real(w, "accuracy_difference", d->accuracy);
    am_json_reals(w, "accuracy_interval", (const double[]){d->accuracy_low, d->accuracy_high}, 2);
    am_json_real(w, "uar_difference", d->uar);
    am_json_int(w, "classes_scored", d->scored);
    am_json_reals(w, "uar_interval", (const double[]){d->uar_low, d->uar_high}, 2);
    am_json_text(w, "bootstrap_over", d->by_speaker ? "speakers" : "clips");
    am_json_int(w, "units", (int64_t)d->units);
    am_json_open(w, "mcnemar", '{');
    am_json_int(w, "only_first_right", (int64_t)p->mcnemar.only_a);
    am_json_int(w, "only_this_right", (int64_t)p->mcnemar.only_b);
    am_json_real(w, "exact_p", p->mcnemar.exact);
    am_json_real(w, "mid_p", p->mcnemar.mid);
    am_json_close(w);
  }
  am_json_close(w);
}

static am_status print_json(const job *j, am_error *err) {
  am_buffer text = {0};
  am_json w = am_json_begin(j->c->ctx, &text, 2);
  am_json_open(&w, NULL, '{');
  am_json_open(&w, "runs", '[');
  for (size_t i = 0; i < j->n; i++) write_run(&w, &j->runs[i]);
  am_json_close(&w);
  am_json_open(&w, "settings", '{');
  for (size_t i = 0; i < j->settings.n; i++) {
    am_json_open(&w, j->settings.at[i].path, '[');
    for (size_t k = 0; k < j->n; k++) am_json_text(&w, NULL, j->settings.at[i].text[k]);
    am_json_close(&w);
  }
  am_json_close(&w);
  am_json_open(&w, "against_first", '[');
  for (size_t i = 1; i < j->n; i++) write_test(j, &w, &j->runs[i], &j->against[i]);
  am_json_close(&w);
  am_json_close(&w);
  am_status st = text.failed ? am_no_memory(err) : AM_OK;
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(j->c->ctx, &text);
  return st;
}

/* ---- the command ---- */

static am_status run(cli *c, am_error *err) {
  int64_t seed;
  if (c->n_arguments > MOST_RUNS)
    return am_fail(err, AM_E_USAGE, "%d runs; at most %d are compared at once", c->n_arguments, (int)MOST_RUNS);
  am_status st = cli_int(c, "seed", 0, INT64_MAX, 1, &seed, err);
  job *j = st ? NULL : am_alloc(c->ctx, 1, sizeof *j);
  if (!j) return st ? st : am_no_memory(err);
  j->c = c;
  for (int i = 0; i < c->n_arguments && !st; i++) {
    st = am_compared_read(c->ctx, c->arguments[i], &j->runs[i], err);
    if (!st) j->n++;
  }
  for (size_t i = 1; i < j->n && !st; i++)
    st = am_compare(&j->runs[0], &j->runs[i], (uint64_t)seed, &j->against[i], err);
  if (!st) st = am_compare_settings(c->ctx, j->runs, j->n, &j->settings, err);
  if (!st && cli_has(c, "json")) st = print_json(j, err);
  else if (!st) print_tables(j);
  am_settings_table_free(&j->settings);
  for (size_t i = 0; i < j->n; i++) am_compared_free(&j->runs[i]);
  am_free(c->ctx, j);
  return st;
}

static const cli_flag flags[] = {
    {"seed", "N", "of the bootstrap's draws (default 1)"},
    {"json", NULL, "prints one JSON object instead of tables"},
    {0},
};

const cli_command cli_compare = {
    .name = "compare",
    .summary = "sets runs side by side, with a paired test on the same clips",
    .usage = "RUN|FILE.csv RUN|FILE.csv... [--json] [--seed N]",
    .details =
        "RUN is the folder of a finished run or of a cross-validation; its predictions.csv (the test\n"
        "part, or validation where there is none) is compared with that of the first. FILE.csv is what\n"
        "evaluate --out wrote. McNemar's test is for the accuracy; the paired bootstrap draws whole\n"
        "speakers, by --seed.",
    .flags = flags,
    .min_arguments = 2,
    .max_arguments = -1,
    .run = run,
};
