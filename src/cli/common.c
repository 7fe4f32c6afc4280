/* SPDX-License-Identifier: MIT */
/* cli/common.c - tables that several commands print, and finding a run's checkpoint. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "run/folder.h"

am_status cli_config_load(cli *c, const char *resume, const char *kind, const char *name, am_config **out,
                          am_error *err) {
  cli_overrides over;
  am_status st = cli_overrides_get(c, &over, err);
  if (st) return st;
  if (!resume) return am_config_load(c->ctx, c->arguments[0], over.at, over.n, out, err);
  char *file = am_path_join(c->ctx, resume, name);
  if (!file) return am_no_memory(err);
  if (!am_file_exists(file))
    st =
        am_fail(err, AM_E_IO, "%s: nothing to resume here: wanted the folder of a %s, with its %s", resume, kind, name);
  else st = am_config_load_stored(c->ctx, file, over.at, over.n, out, err);
  am_free(c->ctx, file);
  return st;
}

am_status cli_checkpoint_path(cli *c, const char *run_or_file, char **out, am_error *err) {
  *out = NULL;
  if (!am_folder_exists(run_or_file)) {
    if (!am_file_exists(run_or_file))
      return am_fail(err, AM_E_IO, "%s: no such file or folder; wanted a run folder or a checkpoint (.h5)",
                     run_or_file);
    *out = am_strdup(c->ctx, run_or_file);
    return *out ? AM_OK : am_no_memory(err);
  }
  *out = am_run_file_path(c->ctx, run_or_file, AM_FILE_BEST);
  if (!*out) return am_no_memory(err);
  if (am_file_exists(*out)) return AM_OK;
  am_free(c->ctx, *out);
  *out = NULL;
  if (am_crossval_folder_holds(c->ctx, run_or_file))
    return am_fail(err, AM_E_IO,
                   "%s: is a cross-validation, with a model for each fold; name one of them, as in %s/fold-0",
                   run_or_file, run_or_file);
  return am_fail(err, AM_E_IO, "%s: no best.h5 in this folder; wanted the folder of a run that has finished an epoch",
                 run_or_file);
}

am_status cli_keep_input(const char *out, const char *in, am_error *err) {
  am_file_id a, b;
  if (am_file_identify(out, &a, NULL) || am_file_identify(in, &b, NULL) || a.device != b.device || a.inode != b.inode)
    return AM_OK;
  return am_fail(err, AM_E_USAGE, "--out %s is the file that is read; give another name", out);
}

static int label_width(const char *const *labels, int n) {
  int width = 9;
  for (int k = 0; k < n; k++)
    if (cli_width(labels[k]) > width) width = cli_width(labels[k]);
  return width;
}

static void print_figure(FILE *to, double value) {
  if (isnan(value)) cli_fprint(to, "%9s", "-");
  else cli_fprint(to, "%9.1f", 100 * value);
}

/* Columns are as wide as the longest label, within 6 to 9 characters; longer labels are cut in the head only. */
static void print_confusion(FILE *to, const am_metrics *m, int width) {
  int column = 6;
  for (int k = 0; k < m->classes; k++)
    if (cli_width(m->labels[k]) > column) column = cli_width(m->labels[k]) < 9 ? cli_width(m->labels[k]) : 9;
  cli_fprint(to, "\nConfusion matrix (rows: true, columns: predicted)\n");
  cli_fprint(to, "%*s", width, "");
  for (int k = 0; k < m->classes; k++) {
    int bytes = 0;
    for (int characters = 0; m->labels[k][bytes]; bytes++)
      if (((unsigned char)m->labels[k][bytes] & 0xc0) != 0x80 && characters++ == column) break;
    cli_fprint(to, " %*.*s", column, bytes, m->labels[k]);
  }
  cli_fprint(to, "\n");
  for (int i = 0; i < m->classes; i++) {
    cli_fprint(to, "%-*s", width, m->labels[i]);
    for (int k = 0; k < m->classes; k++)
      cli_fprint(to, " %*llu", column, (unsigned long long)m->confusion[(size_t)i * (size_t)m->classes + (size_t)k]);
    cli_fprint(to, "\n");
  }
}

/* A mean, so its classes stand beside it, and what guessing among them would give. */
static void print_recall(FILE *to, const am_metrics *m) {
  cli_fprint(to, "unweighted average recall  %.1f %%   (95 %%: %.1f to %.1f) over %d of %d classes; chance %.1f %%\n",
             100 * m->uar, 100 * m->uar_low, 100 * m->uar_high, m->scored, m->classes, 100 * am_metrics_chance(m));
}

static void print_utterances(FILE *to, const am_metrics *u) {
  cli_fprint(to, "\nPer utterance, by the mean probability of its chunks\n");
  cli_fprint(to, "utterances                 %zu\n", u->n);
  cli_fprint(to, "accuracy                   %.1f %%   (95 %%: %.1f to %.1f, %s)\n", 100 * u->accuracy, 100 * u->low,
             100 * u->high, u->interval_text);
  print_recall(to, u);
}

static void print_coverage(FILE *to, const am_metrics *m) {
  cli_fprint(to, "area of risk by coverage   %.4f ", m->aurc);
  for (int i = 0; i < AM_COVERAGES; i++)
    cli_fprint(to, "%s %.0f %% right: the surest %.1f %%", i ? ";" : " ", 100 * m->coverage[i].precision,
               100 * m->coverage[i].share);
  cli_fprint(to, "\n");
  const am_answered *a = &m->answered;
  if (!a->known) return;
  double share, precision;
  am_metrics_answered(m, &share, &precision);
  cli_fprint(to, "answered                   %.1f %%   (%zu clips; the others are uncertain)", 100 * share, a->given);
  if (a->given) cli_fprint(to, ", of which %.1f %% right", 100 * precision);
  if (a->wanted > 0) cli_fprint(to, ", wanted %.0f %%", 100 * a->wanted);
  cli_fprint(to, "\n");
}

static void print_groups(FILE *to, const am_metrics *m) {
  int width = 9, wide = 9;
  for (size_t i = 0; i < m->n_groups; i++) {
    if (cli_width(m->groups[i].trait) > width) width = cli_width(m->groups[i].trait);
    if (cli_width(m->groups[i].value) > wide) wide = cli_width(m->groups[i].value);
  }
  for (size_t i = 0; i < m->n_groups; i++) {
    const am_group *g = &m->groups[i];
    if (!i) cli_fprint(to, "\n%-*s%9s%9s%9s%9s\n", width + wide + 2, "group", "clips", "accuracy", "UAR", "classes");
    cli_fprint(to, "%-*s%-*s%9zu%9.1f%9.1f%9d\n", width + 2, !i || strcmp(g->trait, g[-1].trait) ? g->trait : "", wide,
               g->value, g->n, 100 * g->accuracy, 100 * g->uar, g->scored);
  }
}

enum { FEWEST_SPEAKERS = 3 }; /* of which a spread says something */

/* "24 speakers: UAR 41.2 % (03) to 82.1 % (17), median 60.3 %" */
static void print_spread(FILE *to, const am_metrics *m) {
  if (m->n_speakers < FEWEST_SPEAKERS) return;
  const am_speaker *worst = m->speakers, *best = m->speakers + m->n_speakers - 1;
  cli_fprint(to, "UAR by speaker             worst %.1f %% (%s), median %.1f %%, best %.1f %% (%s) of %zu speakers\n",
             100 * worst->uar, worst->name, 100 * am_metrics_median_speaker(m), 100 * best->uar, best->name,
             m->n_speakers);
}

static void print_speakers(FILE *to, const am_metrics *m) {
  int width = 9;
  for (size_t i = 0; i < m->n_speakers; i++)
    if (cli_width(m->speakers[i].name) > width) width = cli_width(m->speakers[i].name);
  cli_fprint(to, "\n%-*s%9s%9s%9s%9s\n", width, "speaker", "clips", "accuracy", "UAR", "classes");
  for (size_t i = 0; i < m->n_speakers; i++) {
    const am_speaker *s = &m->speakers[i];
    cli_fprint(to, "%-*s%9zu%9.1f%9.1f%9d\n", width, s->name, s->n, 100 * s->accuracy, 100 * s->uar, s->scored);
  }
  if (!m->n_speakers) cli_fprint(to, "none is known\n");
}

void cli_print_metrics(FILE *to, const am_metrics *m, bool speakers) {
  if (m->dimensions) {
    cli_print_dimensions(to, m, speakers);
    return;
  }
  int width = label_width((const char *const *)m->labels, m->classes);
  cli_fprint(to, "%-*s%9s%9s%9s%9s\n", width, "emotion", "precision", "recall", "F1", "clips");
  for (int k = 0; k < m->classes; k++) {
    cli_fprint(to, "%-*s", width, m->labels[k]);
    print_figure(to, m->precision[k]);
    print_figure(to, m->recall[k]);
    print_figure(to, m->f1[k]);
    cli_fprint(to, "%9llu\n", (unsigned long long)m->support[k]);
  }
  print_confusion(to, m, width);
  const am_metrics *u = m->per_utterance;
  cli_fprint(to, "\n%-27s%zu\n", u ? "chunks" : "clips", m->n);
  cli_fprint(to, "accuracy                   %.1f %%   (95 %%: %.1f to %.1f, %s)\n", 100 * m->accuracy, 100 * m->low,
             100 * m->high, m->interval_text);
  print_recall(to, m);
  cli_fprint(to, "macro F1                   %.1f %%   over the same classes\n", 100 * m->macro_f1);
  cli_fprint(to, "calibration error          %.1f %%\n", 100 * m->ece);
  cli_fprint(to, "cross-entropy              %.4f\n", m->loss);
  print_coverage(to, m);
  print_spread(to, m);
  if (u) print_utterances(to, u);
  print_groups(to, m);
  if (speakers) print_speakers(to, m);
  if (m->n_diagnoses) cli_fprint(to, "\nWhat stands out\n");
  for (size_t i = 0; i < m->n_diagnoses; i++) cli_fprint(to, "- %s\n", m->diagnoses[i].text);
}

void cli_print_clips(FILE *to, const am_dataset *d) {
  int width = label_width(d->labels, d->n_labels);
  cli_fprint(to, "%-*s%9s%9s%12s%9s\n", width, "emotion", "clips", "train", "validation", "test");
  size_t sums[4] = {0};
  for (int k = 0; k < d->n_labels; k++) {
    size_t counts[4] = {0};
    for (size_t i = 0; i < d->n; i++) {
      if (d->clips[i].label != k) continue;
      counts[0]++;
      if (d->clips[i].part >= 0) counts[1 + d->clips[i].part]++;
    }
    cli_fprint(to, "%-*s%9zu%9zu%12zu%9zu\n", width, d->labels[k], counts[0], counts[1], counts[2], counts[3]);
    for (int j = 0; j < 4; j++) sums[j] += counts[j];
  }
  cli_fprint(to, "%-*s%9zu%9zu%12zu%9zu\n", width, "all", sums[0], sums[1], sums[2], sums[3]);
}

am_status cli_split_part(const cli *c, const am_config *config, am_dataset *d, am_split **split, const uint32_t **clips,
                         size_t *n, am_error *err) {
  const char *part = cli_value(c, "split", "test");
  am_status st = am_split_make(c->ctx, d, &config->split, split, err);
  for (int p = AM_PART_TRAIN; p <= AM_PART_TEST && !st; p++) {
    if (strcmp(part, am_part_name((am_part)p))) continue;
    *clips = (*split)->at[p];
    *n = (*split)->n[p];
    return *n ? AM_OK : am_fail(err, AM_E_DATA, "the split has no %s part", part);
  }
  return st ? st : am_fail(err, AM_E_USAGE, "--split %s: wanted train, validation or test", part);
}

void cli_warn_left_out(cli *c, const am_dataset *d) {
  for (size_t i = 0; i < d->n_left_out; i++)
    am_log(c->ctx, AM_LOG_INFO, "left out: %zu (%s), e.g. %s", d->left_out[i].count, d->left_out[i].reason,
           d->left_out[i].example);
  if (d->n_missing) am_log(c->ctx, AM_LOG_WARNING, "%s", d->missing_note);
}
