/* SPDX-License-Identifier: MIT */
/* cli/print_dimensions.c - figures of a model of dimensions. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

static void print_number(FILE *to, double value) {
  if (isnan(value)) cli_fprint(to, "%9s", "-");
  else cli_fprint(to, " %8.3f", value);
}

/* "0.612 to 0.701", in a column. */
static void print_interval(FILE *to, double low, double high) {
  char text[40] = "-";
  if (isfinite(low) && isfinite(high)) snprintf(text, sizeof text, "%.3f to %.3f", low, high);
  cli_fprint(to, " %17s", text); /* a wider one has a space before it, too */
}

static int widest(int least, const char *text) { return cli_width(text) > least ? cli_width(text) : least; }

static int names_width(const am_metrics *m) {
  int width = 10;
  for (int k = 0; k < m->dimensions; k++) width = widest(width, m->dimension[k].name);
  return width;
}

static void print_table(FILE *to, const am_metrics *m) {
  const int width = names_width(m);
  cli_fprint(to, "%-*s%9s%18s%9s%9s%18s%9s%9s\n", width, "dimension", "CCC", "95 %", "Pearson", "RMSE", "95 %", "MAE",
             "clips");
  for (int k = 0; k < m->dimensions; k++) {
    const am_dimension *d = &m->dimension[k];
    cli_fprint(to, "%-*s", width, d->name);
    print_number(to, d->is.ccc);
    print_interval(to, d->low.ccc, d->high.ccc);
    print_number(to, d->is.pearson);
    print_number(to, d->is.rmse);
    print_interval(to, d->low.rmse, d->high.rmse);
    print_number(to, d->is.mae);
    cli_fprint(to, "%9zu\n", d->is.n);
  }
  cli_fprint(to, "%-*s", width, "mean");
  print_number(to, m->ccc);
  print_interval(to, m->ccc_low, m->ccc_high);
  cli_fprint(to, "\n");
}

/* Of some clips apart: the concordance of each dimension, and the mean error. */
static void print_apart(FILE *to, const am_metrics *m, size_t n, const am_agreement *of) {
  cli_fprint(to, "%9zu", n);
  for (int k = 0; k < m->dimensions; k++) {
    char text[32] = "-";
    if (isfinite(of[k].ccc)) snprintf(text, sizeof text, "%.3f", of[k].ccc);
    cli_fprint(to, "%*s", 2 + widest(7, m->dimension[k].name), text);
  }
  print_number(to, am_metrics_mean_rmse(of, m->dimensions));
  cli_fprint(to, "\n");
}

static void print_heads(FILE *to, const am_metrics *m, const char *what, int width) {
  cli_fprint(to, "\n%-*s%9s", width, what, "clips");
  for (int k = 0; k < m->dimensions; k++)
    cli_fprint(to, "%*s", 2 + widest(7, m->dimension[k].name), m->dimension[k].name);
  cli_fprint(to, "%9s   (concordance of each, mean error)\n", "RMSE");
}

static void print_groups(FILE *to, const am_metrics *m) {
  int width = 9, wide = 9;
  for (size_t i = 0; i < m->n_groups; i++) {
    width = widest(width, m->groups[i].trait);
    wide = widest(wide, m->groups[i].value);
  }
  for (size_t i = 0; i < m->n_groups; i++) {
    const am_group *g = &m->groups[i];
    if (!g->of) continue;
    if (!i) print_heads(to, m, "group", width + wide + 2);
    cli_fprint(to, "%-*s%-*s", width + 2, !i || strcmp(g->trait, g[-1].trait) ? g->trait : "", wide, g->value);
    print_apart(to, m, g->n, g->of);
  }
}

static void print_speakers(FILE *to, const am_metrics *m) {
  int width = 9;
  for (size_t i = 0; i < m->n_speakers; i++) width = widest(width, m->speakers[i].name);
  print_heads(to, m, "speaker", width);
  for (size_t i = 0; i < m->n_speakers; i++) {
    if (!m->speakers[i].of) continue;
    cli_fprint(to, "%-*s", width, m->speakers[i].name);
    print_apart(to, m, m->speakers[i].n, m->speakers[i].of);
  }
  if (!m->n_speakers) cli_fprint(to, "none is known\n");
}

static double error_of(const am_metrics *m, const am_speaker *s) {
  return s->of ? am_metrics_mean_rmse(s->of, m->dimensions) : NAN;
}

enum { FEWEST_SPEAKERS = 3 }; /* of which a spread says something */

static void print_spread(FILE *to, const am_metrics *m) {
  const size_t n = m->n_speakers;
  if (n < FEWEST_SPEAKERS) return;
  const am_speaker *worst = m->speakers, *best = m->speakers + n - 1;
  cli_fprint(to, "%-27sworst %.3f (%s), best %.3f (%s) of %zu speakers\n", "RMSE by speaker", error_of(m, worst),
             worst->name, error_of(m, best), best->name, n);
}

/* Mean, deviation, and the ends of those that are known. */
static void print_known(const am_dataset *d, int k, int width) {
  double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) {
    const double v = d->clips[i].values ? (double)d->clips[i].values[k] : NAN;
    if (isnan(v)) continue;
    sum += v, squares += v * v, n++;
    least = fmin(least, v), most = fmax(most, v);
  }
  const double mean = n ? sum / (double)n : NAN, square = n ? squares / (double)n - mean * mean : NAN;
  cli_print("%-*s %8zu", width, d->dimensions[k], n);
  if (n) cli_print(" %9.3f %9.3f %9.3f %9.3f", mean, sqrt(fmax(square, 0)), least, most);
  else cli_print(" %9s %9s %9s %9s", "-", "-", "-", "-");
  cli_print("  %g to %g\n", d->scale[k].low, d->scale[k].high);
}

void cli_print_values(const am_dataset *d) {
  int width = 10;
  for (int k = 0; k < d->n_dimensions; k++) width = widest(width, d->dimensions[k]);
  if (d->n_dimensions)
    cli_print("\n%-*s %8s %9s %9s %9s %9s  scale\n", width, "dimension", "known", "mean", "deviation", "lowest",
              "highest");
  for (int k = 0; k < d->n_dimensions; k++) print_known(d, k, width);
}

/* One line, where all dimensions are on one. */
static void print_scales(FILE *to, const am_metrics *m) {
  const char *names[AM_MAX_CLASSES];
  am_scale s[AM_MAX_CLASSES];
  if (!am_metrics_scales(m, names, s)) return;
  const bool one = am_scales_one(s, m->dimensions);
  for (int k = 0; k < (one ? 1 : m->dimensions); k++)
    cli_fprint(to, "%-27s%s%s%g to %g\n", k ? "" : "scale", one ? "" : names[k], one ? "" : " ", s[k].low, s[k].high);
}

void cli_print_dimensions(FILE *to, const am_metrics *m, bool speakers) {
  print_table(to, m);
  const am_metrics *u = m->per_utterance;
  cli_fprint(to, "\n%-27s%zu\n", u ? "chunks" : "clips", m->n);
  print_scales(to, m);
  cli_fprint(to, "%-27s%s\n", "intervals", m->interval);
  print_spread(to, m);
  if (u) {
    cli_fprint(to, "\nBy utterance: the mean of its chunks\n");
    print_table(to, u);
    cli_fprint(to, "%-27s%zu\n", "utterances", u->n);
  }
  print_groups(to, m);
  if (speakers) print_speakers(to, m);
  if (m->n_diagnoses) cli_fprint(to, "\nWhat stands out\n");
  for (size_t i = 0; i < m->n_diagnoses; i++) cli_fprint(to, "- %s\n", m->diagnoses[i].text);
}
