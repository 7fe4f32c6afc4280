/* SPDX-License-Identifier: MIT */
/* cli/inspect_dataset.c - audiomood inspect DESCRIPTION.yaml --root DIR: a described corpus on this disk. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "cli/inspect.h"
#include "data/check.h"
#include "data/corpora/described.h"
#include "data/corpora/described_table.h"
#include "data/corpora/list.h"
#include "io/yaml.h"
#include "model/config.h"
#include "run/folder.h"

enum { EXAMPLES = 5, PAIRS = 20 };

am_status inspect_is_list(cli *c, const char *path, bool *yes, am_error *err) {
  am_status st = am_list_is(c->ctx, path, yes, err);
  if (st || !*yes || !am_folder_exists(path)) return st;
  char *config = am_run_file_path(c->ctx, path, AM_FILE_CONFIG);
  if (!config) return am_no_memory(err);
  *yes = !am_file_exists(config);
  am_free(c->ctx, config);
  return AM_OK;
}

am_status inspect_kind_of(cli *c, const char *path, inspect_kind *out, am_error *err) {
  am_tree *tree = NULL;
  bool list;
  *out = INSPECT_CONFIG;
  am_status st = inspect_is_list(c, path, &list, err);
  if (list) *out = INSPECT_LIST;
  if (st || list || !am_file_exists(path)) return st;
  st = am_yaml_read_file(c->ctx, path, &tree, err);
  if (!st && am_description_is(am_tree_root(tree))) *out = INSPECT_DESCRIPTION;
  am_tree_free(tree);
  return st;
}

static void print_line(const char *what, const char *text) {
  if (*text) cli_print("%-9s %s\n", what, text);
}

static void print_description(const am_description *d) {
  cli_print("%s\n", d->title);
  print_line("name", d->name);
  print_line("language", d->language);
  print_line("licence", d->licence);
  print_line("citation", d->citation);
  print_line("home", d->home);
  for (size_t i = 0; i < d->files.n; i++) print_line(i ? "" : "files", d->files.at[i]);
  for (size_t i = 0; i < d->n_tables; i++) print_line(i ? "" : "table", d->tables[i].file);
  if (d->people_map) print_line("people", d->people.file);
}

/* ---- found and expected ---- */

static size_t count_label(const am_dataset *d, const char *label) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += !strcmp(d->labels[d->clips[i].label], label);
  return n;
}

static void print_row(const char *name, int width, size_t found, int64_t expected) {
  cli_print("%s%*s %9zu", name, width - cli_width(name), "", found);
  if (expected < 0) cli_print("\n");
  else cli_print(" %9lld%s\n", (long long)expected, (size_t)expected == found ? "" : "  differs");
}

static int64_t expected_of(const am_description_expected *x, const char *label) {
  const am_value *v = am_value_get(x->labels, label);
  int64_t n;
  return v && am_value_to_int(v, &n) ? n : -1;
}

static void print_counts(const am_description *x, const am_dataset *d) {
  int width = 8;
  for (int k = 0; k < d->n_labels; k++)
    if (cli_width(d->labels[k]) > width) width = cli_width(d->labels[k]);
  const bool expects = x->expected.clips || x->expected.speakers || x->expected.labels;
  cli_print("\n%-*s %9s%s\n", width, "emotion", "found", expects ? "  expected" : "");
  for (int k = 0; k < d->n_labels; k++)
    print_row(d->labels[k], width, count_label(d, d->labels[k]), expected_of(&x->expected, d->labels[k]));
  for (const am_value *v = x->expected.labels ? x->expected.labels->first : NULL; v; v = v->next)
    if (!count_label(d, v->key)) print_row(v->key, width, 0, expected_of(&x->expected, v->key));
  print_row("clips", width, d->n, x->expected.clips ? x->expected.clips : -1);
  print_row("speakers", width, (size_t)d->n_speakers, x->expected.speakers ? x->expected.speakers : -1);
}

static void print_left_out(const am_dataset *d) {
  size_t all = 0;
  for (size_t i = 0; i < d->n_left_out; i++) all += d->left_out[i].count;
  cli_print("\nleft out: %zu\n", all);
  for (size_t i = 0; i < d->n_left_out; i++) {
    const am_left_out *out = &d->left_out[i];
    cli_print("  %zu: %s, e.g. %s", out->count, out->reason, out->example);
    for (int k = 0; k < AM_LEFT_OUT_MORE && out->more[k]; k++) cli_print(", %s", out->more[k]);
    cli_print("\n");
  }
}

/* ---- sounds ---- */

/* One number of each clip, and how often each value comes. */
typedef double (*fact)(const am_check_clip *c);
static double rate_of(const am_check_clip *c) { return c->rate; }
static double channels_of(const am_check_clip *c) { return c->channels; }

static const char *name_of(const am_dataset *d, size_t i) { return d->clips[i].name; }

static void print_examples(const am_check *check, const am_dataset *d, fact of, double value) {
  int shown = 0;
  for (size_t i = 0; i < check->n && shown < EXAMPLES; i++)
    if (!check->clips[i].problem && of(&check->clips[i]) == value)
      cli_print("%s%s", shown++ ? ", " : ": ", name_of(d, i));
}

/* "44100 Hz 3 clips (odd): names"; odd is what is not expected or, with nothing expected, not the usual. */
static am_status print_values(const am_check *check, const am_dataset *d, fact of, const char *unit, double expected,
                              am_error *err) {
  double *at = am_alloc(check->ctx, check->n + 1, sizeof *at);
  size_t n = 0, most = 0;
  if (!at) return am_no_memory(err);
  for (size_t i = 0; i < check->n; i++)
    if (!check->clips[i].problem) at[n++] = of(&check->clips[i]);
  qsort(at, n, sizeof *at, am_rising);
  double usual = expected;
  for (size_t i = 0, end; i < n && expected <= 0; i = end) {
    for (end = i + 1; end < n && at[end] == at[i]; end++) {}
    if (end - i > most) most = end - i, usual = at[i];
  }
  for (size_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && at[end] == at[i]; end++) {}
    cli_print("  %g %s: %zu clips", at[i], unit, end - i);
    if (at[i] != usual) {
      cli_print("%s%g)", expected > 0 ? ", odd (expected " : ", odd (usual ", usual);
      print_examples(check, d, of, at[i]);
    }
    cli_print("\n");
  }
  am_free(check->ctx, at);
  return AM_OK;
}

/* Odd lengths: outside the description's range, or four times longer or shorter than the median. */
static am_status print_lengths(const am_check *check, const am_dataset *d, const am_description *x, am_error *err) {
  double *at = am_alloc(check->ctx, check->n + 1, sizeof *at), sum = 0;
  size_t n = 0, odd = 0;
  if (!at) return am_no_memory(err);
  for (size_t i = 0; i < check->n; i++)
    if (!check->clips[i].problem) sum += at[n++] = check->clips[i].seconds;
  qsort(at, n, sizeof *at, am_rising);
  if (n) {
    const am_reals *said = &x->sound.seconds;
    double low = said->n ? said->at[0] : at[n / 2] / 4, high = said->n ? said->at[1] : at[n / 2] * 4;
    cli_print("  %.2f to %.2f s, mean %.2f, median %.2f, together %.1f min\n", at[0], at[n - 1], sum / (double)n,
              at[n / 2], sum / 60);
    for (size_t i = 0; i < check->n; i++) {
      const am_check_clip *c = &check->clips[i];
      if (c->problem || (c->seconds >= low && c->seconds <= high)) continue;
      if (odd++ < EXAMPLES)
        cli_print("  odd length: %.2f s (wanted %.2f to %.2f): %s\n", c->seconds, low, high, name_of(d, i));
    }
    if (odd > EXAMPLES) cli_print("  odd length: %zu clips in all\n", odd);
  }
  am_free(check->ctx, at);
  return AM_OK;
}

static void print_damage(const am_check *check, const am_dataset *d) {
  size_t bad = 0, unheard = 0;
  for (size_t i = 0; i < check->n; i++) {
    const am_check_clip *c = &check->clips[i];
    if (c->problem && bad++ < EXAMPLES) cli_print("  unreadable: %s\n", c->problem);
    if (!c->problem && c->unheard && unheard++ < EXAMPLES)
      cli_print("  %s: %s\n", am_unheard_name(c->unheard), name_of(d, i));
  }
  if (bad > EXAMPLES) cli_print("  unreadable: %zu clips in all\n", bad);
  if (unheard > EXAMPLES) cli_print("  silent or too short: %zu clips in all\n", unheard);
  if (!bad) cli_print("  all can be read\n");
}

static const char *speaker_of(const am_dataset *d, const am_clip *c) {
  return c->speaker < 0 ? "?" : d->speakers[c->speaker];
}

static void print_pairs(const am_check *check, const am_dataset *d) {
  size_t across = 0, disagree = 0;
  for (size_t i = 0; i < check->n_pairs; i++) {
    const am_clip *a = &d->clips[check->pairs[i].first], *b = &d->clips[check->pairs[i].second];
    across += a->speaker != b->speaker;
    disagree += a->label != b->label;
  }
  cli_print("\nclips that repeat the sound of another: %zu (%zu across speakers, %zu with another label)\n",
            check->n_pairs, across, disagree);
  for (size_t i = 0; i < check->n_pairs && i < PAIRS; i++) {
    const am_clip *a = &d->clips[check->pairs[i].first], *b = &d->clips[check->pairs[i].second];
    cli_print("  %s = %s", a->name, b->name);
    if (a->label == b->label) cli_print(" (both %s", d->labels[a->label]);
    else cli_print(" (%s and %s", d->labels[a->label], d->labels[b->label]);
    if (a->speaker == b->speaker) cli_print(", speaker %s)\n", speaker_of(d, a));
    else cli_print(", speakers %s and %s)\n", speaker_of(d, a), speaker_of(d, b));
  }
  if (check->n_pairs > PAIRS) cli_print("  ... and %zu more\n", check->n_pairs - PAIRS);
}

static am_status listen(cli *c, const am_description *x, const am_dataset *d, double max_seconds, am_error *err) {
  am_check check;
  am_status st = am_check_run(c->ctx, d, max_seconds, &check, err);
  if (st) return st;
  cli_print("\nsounds\n");
  st = print_values(&check, d, rate_of, "Hz", x->sound.rate, err);
  if (!st) st = print_values(&check, d, channels_of, "channel(s)", (double)x->sound.channels, err);
  if (!st) st = print_lengths(&check, d, x, err);
  if (!st) {
    print_damage(&check, d);
    print_pairs(&check, d);
  }
  am_check_free(&check);
  return st;
}

static bool gives_labels(const am_description *x) {
  for (size_t i = 0; i < x->n_tables; i++)
    if (am_table_has_label(&x->tables[i])) return true;
  for (size_t i = 0; i < x->files.n; i++)
    for (size_t g = 0; am_pattern_group(x->patterns[i], g); g++)
      if (x->fields[i][g] == AM_FIELD_LABEL) return true;
  return false;
}

/* The data section `corpus: described` with all other settings at their defaults; its dimensions are looked at beside its labels, or
 * alone where it has none. */
static am_status options(am_tree *tree, const am_description *x, const char *path, const char *root, am_data_options *o,
                         am_error *err) {
  am_value *map = am_value_new(tree, AM_MAP), *names = am_value_new(tree, AM_LIST);
  if (!map || !names) return am_no_memory(err);
  am_status st = am_value_add(tree, map, "corpus", am_value_text(tree, "described", true), err);
  if (!st) st = am_value_add(tree, map, "description", am_value_text(tree, path, true), err);
  if (!st) st = am_value_add(tree, map, "root", am_value_text(tree, root, true), err);
  for (const am_value *v = x->dimensions ? x->dimensions->first : NULL; v && !st; v = v->next)
    st = am_value_add(tree, names, NULL, am_value_text(tree, v->key, true), err);
  if (!st) st = am_value_add(tree, map, "dimensions", names, err);
  if (!st && x->dimensions && !gives_labels(x))
    st = am_value_add(tree, map, "target", am_value_text(tree, "dimensions", true), err);
  return st ? st : am_options_read(tree, am_data_table, map, "data", o, err);
}

static am_status look(cli *c, const am_description *x, const char *path, const char *root, am_error *err) {
  am_tree *tree = NULL;
  am_dataset *d = NULL;
  am_data_options o;
  am_status st = am_tree_create(c->ctx, &tree, err);
  if (!st) st = options(tree, x, path, root, &o, err);
  if (!st) st = am_dataset_load(c->ctx, &o, &d, err);
  if (!st) {
    cli_print("\n%s%s\n", root, d->synthetic ? " (synthetic)" : "");
    print_counts(x, d);
    cli_print_values(d);
    inspect_print_speakers(d);
    print_left_out(d);
    st = listen(c, x, d, o.max_seconds, err);
  }
  am_dataset_free(d);
  am_tree_free(tree);
  return st;
}

am_status inspect_dataset(cli *c, const char *path, am_error *err) {
  const char *root = cli_value(c, "root", NULL);
  am_description *x = NULL;
  am_status st = am_description_load(c->ctx, path, &x, err);
  if (st) return st;
  print_description(x);
  if (root) st = look(c, x, path, root, err);
  else cli_print("\ngive --root DIR, the folder of the recordings, to see what is there\n");
  am_description_free(x);
  return st;
}

/* ---- a list of another program, or of AudioMood itself ---- */

static void print_parts(const am_dataset *d) {
  size_t n[3] = {0};
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].corpus_part != AM_PART_NONE) n[d->clips[i].corpus_part]++;
  if (n[0] + n[1] + n[2])
    cli_print("%-9s train %zu, validation %zu, test %zu (split.kind: corpus)\n", "parts", n[0], n[1], n[2]);
}

static void print_groups(const am_dataset *d) {
  for (size_t t = 0; t < d->n_traits; t++) {
    cli_print("%-9s %s:", t ? "" : "groups", d->traits[t].name);
    for (int k = 0; k < d->traits[t].n && k < EXAMPLES; k++) cli_print(" %s", d->traits[t].values[k]);
    cli_print("%s\n", d->traits[t].n > EXAMPLES ? " ..." : "");
  }
}

am_status inspect_list(cli *c, const char *path, am_error *err) {
  static const am_description nothing; /* no counts and no sounds are expected */
  const char *root = cli_value(c, "root", NULL);
  cli_overrides over;
  am_config *config = NULL;
  am_dataset *d = NULL;
  am_status st = cli_overrides_get(c, &over, err);
  char *placed = root ? am_format(c->ctx, "data.root=%s", root) : NULL;
  if (!st && root && !placed) st = am_no_memory(err);
  if (!st && placed) over.at[over.n++] = placed;
  if (!st) st = am_config_of_corpus(c->ctx, "manifest", "manifest", path, NULL, over.at, over.n, &config, err);
  am_free(c->ctx, placed); /* the config has a copy */
  if (!st) st = am_dataset_load(c->ctx, &config->data, &d, err);
  if (!st) {
    cli_print("%s%s\n", d->title, d->synthetic ? " (synthetic)" : "");
    print_line("language", d->language);
    print_line("licence", d->licence);
    print_line("citation", d->citation);
    print_parts(d);
    print_groups(d);
    print_counts(&nothing, d);
    cli_print_values(d);
    inspect_print_speakers(d);
    print_left_out(d);
    st = listen(c, &nothing, d, config->data.max_seconds, err);
  }
  am_dataset_free(d);
  am_config_free(config);
  return st;
}
