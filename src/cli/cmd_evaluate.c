/* SPDX-License-Identifier: MIT */
/* cli/cmd_evaluate.c - audiomood evaluate: how good a checkpoint is, per emotion. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/inspect.h"
#include "io/json.h"
#include "model/enrolment.h"
#include "model/evaluation.h"
#include "nn/doubt.h"
#include "run/folder.h"
#include "run/predictions.h"
#include "run/recordings.h"
#include "study/compare.h"

typedef struct job {
  cli *c;
  cli_models team;
  am_checkpoint *checkpoint; /* the first of the team */
  const char *data;          /* --data, or NULL: the run's own corpus */
  am_config *other;          /* its config, or NULL */
  am_config *reloaded;       /* the checkpoint's config with --set applied, or NULL */
  am_config *config;         /* the one whose data section is read: borrowed */
  am_dataset *d;
  am_evaluation *e; /* which clips, and what the models say of them */
  bool enrols;      /* --enrol-seconds */
  bool known;       /* that, or --known-voices */
  am_enrolment enrolment;
  bool decides; /* --threshold */
  am_thresholds thresholds;
  char doubt[CLI_DOUBT]; /* of the clips being of speakers unknown to the models, "": none */
} job;

/* Where the clips are and which are scored may be set; how they are heard is the model's. */
static am_status check_overrides(const cli_overrides *over, am_error *err) {
  static const char *const free_keys[] = {"data", "split", "cache"};
  for (size_t i = 0; i < over->n; i++) {
    size_t n = strcspn(over->at[i], ".="), k = 0;
    while (k < 3 && (strlen(free_keys[k]) != n || memcmp(free_keys[k], over->at[i], n) != 0)) k++;
    if (k == 3)
      return am_fail(err, AM_E_USAGE,
                     "--set %.*s: only data, split and cache can be set here; the rest is the model's own",
                     (int)strcspn(over->at[i], "="), over->at[i]);
  }
  return AM_OK;
}

static am_status open_data(job *j, am_error *err) {
  const char *data = j->data;
  cli_overrides over;
  am_status st = cli_overrides_get(j->c, &over, err);
  if (!st) st = check_overrides(&over, err);
  if (st) return st;
  j->config = j->checkpoint->config;
  const char *root = cli_value(j->c, "root", NULL);
  inspect_kind kind = INSPECT_CONFIG;
  char *placed = root ? am_format(j->c->ctx, "data.root=%s", root) : NULL;
  if (root && !placed) return am_no_memory(err);
  if (placed) over.at[over.n++] = placed;
  if (data) st = inspect_kind_of(j->c, data, &kind, err);
  if (st) {
  } else if (kind != INSPECT_CONFIG) {
    const bool list = kind == INSPECT_LIST;
    if (j->checkpoint->values) over.at[over.n++] = "data.target=dimensions";
    st = am_config_of_corpus(j->c->ctx, list ? "manifest" : "described", list ? "manifest" : "description", data,
                             j->checkpoint->config, over.at, over.n, &j->other, err);
    j->config = j->other;
  } else if (data) {
    st = am_config_load_data(j->c->ctx, data, j->checkpoint->config, over.at, over.n, &j->other, err);
    j->config = j->other;
  } else if (over.n) {
    am_buffer text = {0};
    st = am_config_text(j->checkpoint->config, &text, err);
    if (!st)
      st = am_config_from_stored(j->c->ctx, text.data, "config of the checkpoint", over.at, over.n, &j->reloaded, err);
    am_buffer_free(j->c->ctx, &text);
    j->config = j->reloaded;
  }
  am_free(j->c->ctx, placed); /* the configs have copies */
  if (!st) st = am_dataset_load(j->c->ctx, &j->config->data, &j->d, err);
  if (st) return st;
  cli_warn_left_out(j->c, j->d);
  const am_evaluate_options o = {.size = sizeof o,
                                 .part = cli_value(j->c, "split", NULL),
                                 .partial = cli_has(j->c, "partial"),
                                 .under = cli_value(j->c, "under", NULL)};
  return am_evaluation_create(j->team.ensemble, j->config, j->d, j->other != NULL, &o, &j->e, err);
}

static bool hears_corpora(const am_checkpoint *m) {
  bool any = !m->n_members && m->normaliser.kind == AM_NORMALISE_CORPUS;
  for (size_t i = 0; i < m->n_members; i++) any |= hears_corpora(m->members[i]);
  return any;
}

/* Whose clips make the statistics that they are normalised by, "speaker" or "corpus"; NULL: those of no model do. */
static const char *transductive(const job *j) {
  const char *whose = NULL;
  for (size_t i = 0; i < j->team.n; i++) {
    const am_checkpoint *m = j->team.at[i];
    if (!j->enrols && (am_checkpoint_wants_speaker(m) || (j->known && am_checkpoint_uses_speaker(m)))) return "speaker";
    if (hears_corpora(j->team.at[i])) whose = "corpus";
  }
  return whose;
}

/* Which set of weights is asked, "known" or "not known"; NULL: no model has two. */
static const char *voices(const job *j) {
  for (size_t i = 0; i < j->team.n; i++)
    if (j->team.at[i]->known) return j->known ? "known" : "not known";
  return NULL;
}

static void print_left_out(const am_left_outs *list) {
  for (size_t i = 0; i < list->n; i++) {
    char words[64];
    bool label = !strcmp(list->at[i].reason, AM_LEFT_OUT_LABEL);
    snprintf(words, sizeof words, "left out %s%s", label ? "" : "as ", label ? "by their label" : list->at[i].reason);
    cli_print("%-27s%zu clip%s, e.g. %s\n", words, list->at[i].count, am_count(list->at[i].count, "", "s"),
              list->at[i].example);
  }
}

static void print_text(const job *j, const am_metrics *m) {
  const size_t members = am_checkpoint_members(j->checkpoint);
  cli_print("%s", j->checkpoint->config->name);
  if (members > 1) cli_print(", fused with %zu more,", members - 1);
  if (j->team.n > 1) cli_print(" and %zu more, by the mean of their probabilities,", j->team.n - 1);
  cli_print(" on %s, %s part%s\n\n", j->d->title, j->e->part_name, j->d->synthetic ? " (synthetic speech)" : "");
  cli_print_metrics(stdout, m, cli_has(j->c, "speakers"));
  print_left_out(&j->e->left_out);
  cli_print("speaker-independent        %s\n", *j->doubt ? j->doubt : "yes");
  const char *whose = transductive(j);
  if (whose)
    cli_print("transductive               yes: the clips of each %s are normalised by the statistics of all of them\n",
              whose);
  if (j->e->under) cli_print("sounds                     %s: %s\n", j->e->under->name, j->e->under->help);
  if (voices(j))
    cli_print("voices                     %s: by the model's weights for such voices%s\n", voices(j),
              j->known ? "" : " (--known-voices, --enrol-seconds: by those for voices that it knows)");
  const am_enrolment *e = &j->enrolment;
  if (j->enrols)
    cli_print(
        "enrolled                   %.1f s of each speaker (%.1f to %.1f), %zu clips of %d speaker%s, seed %llu; "
        "not scored\n",
        e->mean, e->least, e->most, e->n_heard, e->speakers, am_count((size_t)e->speakers, "", "s"),
        (unsigned long long)e->seed);
}

static am_protocol protocol_of(const job *j) {
  return (am_protocol){.split = j->e->part_name,
                       .corpus = j->d->corpus,
                       .left_out = &j->e->left_out,
                       .models = (int)j->team.n,
                       .speaker_independent = !*j->doubt,
                       .synthetic = j->d->synthetic,
                       .transductive = transductive(j) != NULL,
                       .voices = voices(j),
                       .under = j->e->under ? j->e->under->name : NULL,
                       .enrolment = j->enrols ? &j->enrolment : NULL};
}

static am_status print_results(const job *j, const am_metrics *m, am_error *err) {
  if (!cli_has(j->c, "json")) return print_text(j, m), AM_OK;
  am_buffer text = {0};
  const am_protocol protocol = protocol_of(j);
  am_status st = am_metrics_json(j->c->ctx, m, &protocol, &text, err);
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(j->c->ctx, &text);
  return st;
}

static am_status write_predictions(job *j, am_whose whose, const char *path, am_error *err) {
  const am_predicted_rows rows = {.d = j->d,
                                  .clips = j->e->clips,
                                  .n = j->e->n,
                                  .names = j->checkpoint->labels,
                                  .classes = j->checkpoint->classes,
                                  .told = j->e->probabilities,
                                  .truth = j->e->truth};
  am_status st = am_predictions_write(j->c->ctx, whose, path, &rows, err);
  if (!st) am_log(j->c->ctx, AM_LOG_INFO, "predictions in %s", path);
  return st;
}

/* "predictions-emodb-all.csv" of --data configs/emodb.yaml, "predictions-mean-test.csv" of several models: each set of clips
 * has a file of its own. */
static char *predictions_path(const job *j, const char *run) {
  const char *data = j->other ? am_path_base(j->data) : "", *dot = strrchr(data, '.');
  int n = dot && dot != data ? (int)(dot - data) : (int)strlen(data);
  return am_format(j->c->ctx, "%s/predictions-%s%.*s%s%s.csv", run, j->team.n > 1 ? "mean-" : "", n, data, n ? "-" : "",
                   j->e->part_name);
}

/* Into the run's folder, where they are a by-product: of a run that only others may change they are left out, and the file
 * that the training wrote stays. */
static am_status keep_predictions(job *j, const char *run, am_error *err) {
  /* Those of a part of the clips, or of other sounds, have no name. */
  if (!am_folder_exists(run) || j->known || j->enrols || j->e->under) return AM_OK;
  char *path = predictions_path(j, run);
  if (!path) return am_no_memory(err);
  if (!j->other && j->team.n == 1 && j->e->part == AM_PART_VALIDATION && am_file_exists(path)) {
    am_log(j->c->ctx, AM_LOG_INFO, "%s stays as the training wrote it; --out FILE.csv writes these predictions", path);
    am_free(j->c->ctx, path);
    return AM_OK;
  }
  am_error why = AM_ERROR_INIT;
  am_file_clean_beside(j->c->ctx, path);
  am_status st = write_predictions(j, AM_OURS, path, &why);
  if (st == AM_E_IO) am_log(j->c->ctx, AM_LOG_WARNING, "%s; the predictions are not kept", why.message);
  am_free(j->c->ctx, path);
  return st == AM_OK || st == AM_E_IO ? AM_OK : am_fail(err, st, "%s", why.message);
}

/* Recordings of the run's own corpus that are not those it was trained and tested on. */
static am_status warn_of_recordings(const job *j, size_t model, const am_store *store, am_error *err) {
  const char *run = j->team.given[model];
  am_context *ctx = j->c->ctx;
  am_recordings r;
  am_error why = AM_ERROR_INIT;
  if (j->other || !am_folder_exists(run)) return AM_OK;
  am_status st = am_recordings_compare(ctx, run, j->d, store, j->e->clips, j->e->n, &r, &why);
  if (st == AM_E_NOMEM) return am_no_memory(err);
  if (st) am_log(ctx, AM_LOG_WARNING, "%s; whether the recordings are those of the run is not known", why.message);
  else if (r.n_changed)
    am_log(ctx, AM_LOG_WARNING, "%zu of the %zu clips scored %s that %s was made with: %s", r.n_changed, j->e->n,
           am_count(r.n_changed, "is not the recording", "are not the recordings"), run, r.names.data);
  if (!st) am_buffer_free(ctx, &r.names);
  return AM_OK;
}

/* What is to be said of a model before it is asked. */
static am_status warn_of(void *user, const am_evaluation *e, size_t model, const am_checkpoint *m,
                         const am_store *store, am_error *err) {
  job *j = user;
  am_checkpoint *whole = j->team.at[model];
  char start[512];
  if (am_model_start_doubt(m->model, m->step, start, sizeof start))
    am_log(e->ctx, AM_LOG_WARNING, "%s: %s", j->team.path[model], start);
  size_t first = 0; /* of those that are asked */
  while (!(am_checkpoint_weight(whole, first) > 0)) first++;
  if (m != am_checkpoint_member(whole, first)) return AM_OK; /* the rest is of all members together */
  am_status st = warn_of_recordings(j, model, store, err);
  const cli_scored scored = {
      .dataset = j->d, .split = e->split, .part = e->part, .clips = e->clips, .n = e->n, .other_corpus = e->other};
  char doubt[CLI_DOUBT];
  if (!st) st = cli_speakers_known(j->c, whole, j->team.path[model], &scored, doubt, err);
  if (!st && !*j->doubt) memcpy(j->doubt, doubt, sizeof doubt);
  return st;
}

/* --enrol-seconds and what goes with it. */
static am_status read_enrolment(job *j, am_error *err) {
  const cli *c = j->c;
  const char *seconds = cli_value(c, "enrol-seconds", NULL);
  int64_t seed = 1;
  bool wanted = false;
  j->enrols = seconds != NULL;
  j->known = j->enrols || cli_has(c, "known-voices");
  if (seconds && cli_has(c, "known-voices"))
    return am_fail(
        err, AM_E_USAGE,
        "--enrol-seconds or --known-voices, not both: voices are known by clips that are not scored, or by all of "
        "their clips");
  if (!seconds && (cli_has(c, "enrol-seed") || cli_has(c, "shrink")))
    return am_fail(err, AM_E_USAGE, "--enrol-seed and --shrink are of --enrol-seconds, which is missing");
  if (!j->known) return AM_OK;
  for (size_t i = 0; i < j->team.n; i++) wanted |= am_checkpoint_uses_speaker(j->team.at[i]);
  if (!wanted)
    return am_fail(err, AM_E_USAGE, "--%s: this model does not normalise per speaker, so a voice changes nothing",
                   seconds ? "enrol-seconds" : "known-voices");
  if (!seconds) return AM_OK;
  j->enrolment.wanted = HUGE_VAL;
  am_status st = AM_OK;
  if (strcmp(seconds, "all")) st = cli_real(c, "enrol-seconds", 0, 1e6, 0, &j->enrolment.wanted, err);
  if (!st) st = cli_int(c, "enrol-seed", 0, INT64_MAX, 1, &seed, err);
  j->enrolment.seed = (uint64_t)seed;
  j->known = j->enrolment.wanted > 0; /* of 0 s the voice is not known, and the same clips are scored */
  return st ? st : cli_shrink(c, &j->team, err);
}

/* Asks the models of one corpus; am_metrics_free. */
static am_status ask(job *j, am_metrics **m, am_error *err) {
  am_status st = open_data(j, err);
  if (!st && j->enrols) j->e->enrolment = &j->enrolment;
  if (!st) j->e->known = j->known;
  if (!st && j->decides) j->e->thresholds = &j->thresholds;
  if (!st) st = am_evaluation_ask(j->e, warn_of, j, err);
  return st ? st : am_evaluation_metrics(j->e, m, err);
}

/* Of the corpus that was asked about; the models stay. */
static void end_data(job *j) {
  const am_enrolment wanted = {.wanted = j->enrolment.wanted, .seed = j->enrolment.seed};
  am_evaluation_free(j->e);
  am_enrolment_free(j->c->ctx, &j->enrolment);
  j->enrolment = wanted;
  am_dataset_free(j->d);
  am_config_free(j->other);
  am_config_free(j->reloaded);
  j->e = NULL, j->d = NULL, j->other = NULL, j->reloaded = NULL;
  *j->doubt = '\0';
}

static am_status score(job *j, am_error *err) {
  am_metrics *m = NULL;
  am_status st = ask(j, &m, err);
  for (size_t i = 0; !st && cli_has(j->c, "json") && i < m->n_diagnoses; i++) /* else the table has them */
    am_log(j->c->ctx, AM_LOG_WARNING, "%s", m->diagnoses[i].text);
  if (!st) st = print_results(j, m, err);
  const char *out = cli_value(j->c, "out", NULL);
  if (!st && out) st = write_predictions(j, AM_GIVEN, out, err);
  else if (!st && j->c->n_arguments) st = keep_predictions(j, j->c->arguments[0], err);
  am_metrics_free(m);
  end_data(j);
  return st;
}

/* ---- several corpora ---- */

static int speakers_among(const am_evaluation *e) {
  int n = 0;
  for (size_t i = 0; i < e->n; i++) {
    size_t k = 0;
    while (k < i && e->speakers[k] != e->speakers[i]) k++;
    n += k == i;
  }
  return n;
}

/* What the table says of one corpus. */
typedef struct row {
  char *corpus;
  am_metrics *m;
  int speakers;
  char doubt[CLI_DOUBT];
  const char *whose;
  bool synthetic;
} row;

static am_status ask_row(job *j, row *r, am_error *err) {
  am_status st = ask(j, &r->m, err);
  if (st) return st;
  r->corpus = am_strdup(j->c->ctx, j->d->corpus);
  r->speakers = speakers_among(j->e);
  r->whose = transductive(j);
  r->synthetic = j->d->synthetic;
  memcpy(r->doubt, j->doubt, sizeof r->doubt);
  return r->corpus ? AM_OK : am_no_memory(err);
}

static void print_row(const row *r, int width) {
  const am_metrics *m = r->m;
  char interval[40], classes[40];
  snprintf(interval, sizeof interval, "%.1f to %.1f", 100 * m->uar_low, 100 * m->uar_high);
  snprintf(classes, sizeof classes, "%d of %d", m->scored, m->classes);
  cli_print("%-*s%7zu%10d%7.1f %%%16s%8.1f %%%9s\n", width, r->corpus, m->n, r->speakers, 100 * m->uar, interval,
            100 * m->accuracy, classes);
  for (size_t i = 0; i < m->n_groups; i++)
    if (!strcmp(m->groups[i].trait, "gender"))
      cli_print("  %-*s%7zu%10s%7.1f %%%16s%8.1f %%\n", width - 2, m->groups[i].value, m->groups[i].n, "",
                100 * m->groups[i].uar, "", 100 * m->groups[i].accuracy);
  if (*r->doubt) cli_print("  speaker-independent: %s\n", r->doubt);
  if (r->synthetic) cli_print("  synthetic speech\n");
  if (r->whose) cli_print("  transductive: normalised by the statistics of all clips of each %s\n", r->whose);
}

static void print_rows(const row *rows, size_t n) {
  int width = 12;
  for (size_t i = 0; i < n; i++) width = cli_width(rows[i].corpus) >= width ? cli_width(rows[i].corpus) + 1 : width;
  cli_print("%-*s%7s%10s%9s%16s%10s%9s\n", width, "corpus", "clips", "speakers", "UAR", "95 %", "accuracy", "classes");
  for (size_t i = 0; i < n; i++) print_row(&rows[i], width);
}

/* A row for each --data, or an object each in a list. */
static am_status score_several(job *j, const char *const *data, size_t n, am_error *err) {
  am_context *ctx = j->c->ctx;
  row *rows = am_alloc(ctx, n, sizeof *rows); /* zeroed */
  am_buffer text = {0};
  am_json list = am_json_begin(ctx, &text, 2);
  am_status st = rows ? AM_OK : am_no_memory(err);
  am_json_open(&list, NULL, '[');
  for (size_t i = 0; i < n && !st; i++) {
    j->data = data[i];
    st = ask_row(j, &rows[i], err);
    if (!st) {
      const am_protocol protocol = protocol_of(j);
      am_metrics_write(&list, NULL, rows[i].m, &protocol);
    }
    if (!st && j->c->n_arguments) st = keep_predictions(j, j->c->arguments[0], err);
    end_data(j);
  }
  am_json_close(&list);
  if (!st && text.failed) st = am_no_memory(err);
  if (!st && cli_has(j->c, "json")) cli_put_lines(stdout, text.data);
  else if (!st) print_rows(rows, n);
  for (size_t i = 0; rows && i < n; i++) {
    am_metrics_free(rows[i].m);
    am_free(ctx, rows[i].corpus);
  }
  am_free(ctx, rows);
  am_buffer_free(ctx, &text);
  return st;
}

/* ---- a cross-validation ---- */

/* Each clip by the model of the fold that it was held out of, as the folds wrote it down.  Asked again, the models would be
 * scored on clips that most of them were trained on. */
static am_status pooled(cli *c, const char *folder, am_error *err) {
  static const char *const others[] = {"with",          "split",        "set",       "root", "out",
                                       "enrol-seconds", "known-voices", "threshold", "under"};
  am_compared x = {0};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (cli_has(c, others[i]))
      return am_fail(err, AM_E_USAGE,
                     "--%s: of a cross-validation the pooled results of its folds are given, as they are in %s; "
                     "the mean of its models can be evaluated on another corpus (--data), one of them by %s/fold-0",
                     others[i], folder, folder);
  am_status st = am_compared_read(c->ctx, folder, &x, err);
  if (st) return st;
  if (!x.complete) am_log(c->ctx, AM_LOG_WARNING, "%s: some of its runs are not finished", folder);
  if (cli_has(c, "json")) {
    am_buffer text = {0};
    am_protocol protocol = {.split = x.part,
                            .corpus = x.corpus,
                            .speaker_independent = x.speaker_independent,
                            .synthetic = x.synthetic,
                            .transductive = x.transductive};
    st = am_metrics_json(c->ctx, x.metrics, &protocol, &text, err);
    if (!st) cli_put_lines(stdout, text.data);
    am_buffer_free(c->ctx, &text);
  } else {
    cli_print("%s, all folds pooled: each clip by the model that it was held out of%s%s\n\n", x.config->name,
              x.n_seeds > 1 ? ", once a seed" : "", x.synthetic ? " (synthetic speech)" : "");
    cli_print_metrics(stdout, x.metrics, cli_has(c, "speakers"));
    cli_print("speaker-independent        %s\n", x.speaker_independent ? "yes" : "no, or not known");
  }
  am_compared_free(&x);
  return st;
}

/* What goes with recordings, and what goes with clips alone. */
static am_status check_over_time(const cli *c, am_error *err) {
  static const char *const of_clips[] = {"data",         "root",  "split",    "set",     "enrol-seconds",
                                         "known-voices", "under", "speakers", "partial", "out"};
  static const char *const of_time[] = {"reference",      "window",      "hop",  "vad",          "min-silence",
                                        "switch-penalty", "learn-voice", "tags", "neutral-prior"};
  const bool timed = cli_has(c, "over-time");
  for (size_t i = 0; timed && i < sizeof of_clips / sizeof *of_clips; i++)
    if (cli_has(c, of_clips[i]))
      return am_fail(err, AM_E_USAGE, "--%s is of clips; it does not go with --over-time", of_clips[i]);
  for (size_t i = 0; !timed && i < sizeof of_time / sizeof *of_time; i++)
    if (cli_has(c, of_time[i])) return am_fail(err, AM_E_USAGE, "--%s is of --over-time, which is missing", of_time[i]);
  return AM_OK;
}

static am_status run(cli *c, am_error *err) {
  job j = {.c = c, .data = cli_value(c, "data", NULL)};
  const char *out = cli_value(c, "out", NULL), *data[CLI_MAX_FLAGS];
  const size_t n_data = cli_values(c, "data", data);
  const char *model = c->n_arguments ? c->arguments[0] : NULL;
  if (!model && !cli_has(c, "data") && !cli_has(c, "over-time"))
    return am_fail(err, AM_E_USAGE,
                   "name a model, a run folder or a checkpoint (.h5); or the corpus on which the model that comes with "
                   "AudioMood is to be scored: --data CONFIG|DESCRIPTION|LIST");
  am_status timed = check_over_time(c, err);
  if (timed) return timed;
  if (model && cli_is_crossval(c, model) && !cli_has(c, "data") && !cli_has(c, "over-time"))
    return pooled(c, model, err);
  static const char *const of_one[] = {"out", "root", "speakers"};
  for (size_t i = 0; n_data > 1 && i < sizeof of_one / sizeof *of_one; i++)
    if (cli_has(c, of_one[i]))
      return am_fail(err, AM_E_USAGE, "--%s is of one corpus, and --data is given %zu times", of_one[i], n_data);
  am_status st = out ? am_file_can_be_made(c->ctx, out, err) : AM_OK;
  if (out && !st) am_file_clean_beside(c->ctx, out);
  if (!st) st = cli_models_load(c, model, &j.team, err);
  for (size_t i = 0; i < j.team.n && out && !st; i++) st = cli_keep_input(out, j.team.path[i], err);
  j.checkpoint = j.team.at[0];
  if (!st) st = read_enrolment(&j, err);
  if (!st) st = cli_thresholds(c, &j.team, j.known, &j.thresholds, &j.decides, err);
  if (!st && cli_has(c, "over-time")) st = cli_models_need_classes(&j.team, "--over-time", err);
  if (!st && cli_has(c, "over-time")) st = cli_over_time(c, &j.team, j.decides ? &j.thresholds : NULL, err);
  else if (!st) st = n_data > 1 ? score_several(&j, data, n_data, err) : score(&j, err);
  cli_models_free(c, &j.team);
  return st;
}

static const cli_flag flags[] = {
    {"with", "RUN|FILE.h5", "another model of the same classes: the mean of the probabilities is scored (repeatable)"},
    CLI_STORAGE_FLAG,
    {"data", "FILE",
     "another corpus: a config, of which the data section counts, or a description; labels are matched by name. "
     "Several make one table (repeatable)"},
    {"root", "DIR", "where the recordings are: data.root"},
    {"split", "train|validation|test|all", "whose clips (default: test, else validation; all of another corpus)"},
    {"set", "KEY=VALUE", "replaces a setting of data or split, or cache, e.g. data.root=DIR (repeatable)"},
    {"enrol-seconds", "SECONDS|all",
     "of each speaker, half of the clips are kept from scoring, and so much of them is all that a "
     "model that normalises per speaker knows of the voice"},
    {"known-voices", NULL,
     "each speaker's voice is known by all of the speaker's clips, those scored among them (transductive); without "
     "this and "
     "--enrol-seconds, a model that has weights for voices that it does not know is scored by these"},
    {"enrol-seed", "N", "draws these clips (default 1)"},
    {"shrink", "SECONDS", "of --enrol-seconds: in place of the model's features.shrink"},
    {"over-time", "AUDIO|DIR",
     "recordings in place of clips: how well segments (predict --segments) fit a reference of who feels what when"},
    {"reference", "FILE",
     "of --over-time: the reference of one recording, as RTTM, TextGrid, EAF, CSV or Audacity's labels (default: "
     "beside "
     "each, of the same name)"},
    {"window", "SECONDS", "of --over-time: as of predict --segments (3)"},
    {"hop", "SECONDS", "of --over-time (1)"},
    {"vad", "model|energy|none|FILE.h5", "of --over-time (energy)"},
    {"min-silence", "SECONDS", "of --over-time (0.4)"},
    {"switch-penalty", "P", "of --over-time (1)"},
    {"neutral-prior", "P", "of --over-time: as of predict --segments"},
    {"tags", NULL,
     "of --over-time: also how often the tags are right that subtitle would show, by threshold; a cue is a stretch of "
     "the "
     "reference"},
    {"learn-voice", NULL, "of --over-time: each recording is of one speaker, whose voice becomes known"},
    {"threshold", "P",
     "answers below this probability count as uncertain, in place of the model's thresholds (0 to 1)"},
    {"under", "CONDITION", "of sounds changed before: noise, telephone, ...; 'audiomood help conditions' lists them"},
    {"speakers", NULL, "the table of all speakers, the worst first (JSON has it anyway)"},
    {"partial", NULL, "scores what is left where labels leave out more than half of the clips"},
    {"out", "FILE.csv",
     "where predictions go (default: in the run's folder, predictions-<part>.csv; of --data\n"
     "                           predictions-<its name>-<part>.csv)"},
    {"json", NULL, "print one JSON object"},
    {0},
};

const cli_command cli_evaluate = {
    .name = "evaluate",
    .summary = "says how accurate a run or checkpoint is, per emotion",
    .usage =
        "[RUN|FILE.h5] [--with RUN|FILE.h5]... [--data CONFIG|DESCRIPTION|LIST [--root DIR]]... [--split PART] "
        "[--enrol-seconds SECONDS|all [--enrol-seed N] [--shrink SECONDS]] [--known-voices] [--under CONDITION] [--set "
        "KEY=VALUE]... "
        "[--threshold P] [--speakers] [--partial] [--json] [--out FILE.csv] | [RUN|FILE.h5] --over-time AUDIO|DIR "
        "[--reference FILE] [--window SECONDS] [--hop SECONDS] [--vad model|energy|none|FILE.h5] [--min-silence "
        "SECONDS] "
        "[--switch-penalty P] "
        "[--neutral-prior P] [--tags] [--learn-voice] [--threshold P] [--json]",
    .details =
        "Prints accuracy, unweighted average recall, macro F1, precision, recall and F1 per emotion, the\n"
        "confusion matrix, calibration error, risk by coverage and a 95 % confidence interval, and whether any\n"
        "speaker of these clips was trained on, as far as the checkpoint can tell.\n"
        "Without RUN or FILE.h5, with --data: the model that comes with AudioMood.\n"
        "Of a cross-validation's folder: the pooled results of its folds; with --data the mean of its models on "
        "another\n"
        "corpus.  With --data given several times: a row of one table for each corpus.",
    .flags = flags,
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run,
};
