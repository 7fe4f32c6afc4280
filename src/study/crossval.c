/* SPDX-License-Identifier: MIT */
/* study/crossval.c - the plan of a cross-validation, its folder, and its runs one after another. */
#include "study/crossval.h"

#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "model/checkpoint.h"
#include "model/origin.h"
#include "ranks/ranks.h"
#include "run/folder.h"
#include "train/share.h"

/* ---- the plan ---- */

static am_status check_kind(const am_config *c, am_error *err) {
  switch (c->split.kind) {
    case AM_SPLIT_KFOLD:
    case AM_SPLIT_LOSO:
    case AM_SPLIT_LOGO:
    case AM_SPLIT_LOCO:
    case AM_SPLIT_FIXED: return AM_OK;
    default:
      return am_fail(err, AM_E_CONFIG,
                     "%s: this split has no folds; cross-validation wants split.kind kfold, "
                     "leave_one_speaker_out, leave_one_group_out, leave_one_corpus_out, or fixed with fold_lists "
                     "(for example kind: kfold with folds: 5)",
                     c->file);
  }
}

/* The corpus, and the fold of every clip, without decoding any sound. */
static am_status read_corpus(am_crossval *x, am_error *err) {
  am_split_options split = x->config->split;
  split.fold = 0;
  am_status status = am_dataset_load(x->ctx, &x->config->data, &x->dataset, err);
  if (!status) status = am_split_make(x->ctx, x->dataset, &split, &x->split, err);
  if (status || x->split->n_folds || x->config->split.kind != AM_SPLIT_FIXED) return status;
  return am_fail(err, AM_E_CONFIG,
                 "%s: split.kind fixed has a single test part and no folds to go through; list the speakers of "
                 "each fold in split.fold_lists, or use a corpus whose description has folds",
                 x->config->file);
}

static bool planned(const am_crossval *x, int fold) {
  for (size_t i = 0; i < x->n_folds; i++)
    if (x->folds[i] == fold) return true;
  return false;
}

static am_status add_fold(am_crossval *x, int fold, am_error *err) {
  if (fold < 0 || fold >= x->split->n_folds)
    return am_fail(err, AM_E_USAGE, "there is no fold %d; the folds of this split are 0 to %d", fold,
                   x->split->n_folds - 1);
  if (planned(x, fold)) return AM_OK;
  size_t at = x->n_folds++;
  for (; at && x->folds[at - 1] > fold; at--) x->folds[at] = x->folds[at - 1];
  x->folds[at] = fold;
  return AM_OK;
}

/* An empty fold would end the work in the middle of a night. */
static am_status check_folds(const am_crossval *x, am_error *err) {
  for (size_t i = 0; i < x->n_folds; i++) {
    size_t clips = 0;
    for (size_t k = 0; k < x->dataset->n; k++) clips += x->dataset->clips[k].fold == x->folds[i];
    if (!clips)
      return am_fail(err, AM_E_DATA,
                     "fold %d of %d has no clip in %s; leave it out (option folds), or complete the corpus",
                     x->folds[i], x->split->n_folds, x->dataset->root ? x->dataset->root : "the corpus");
  }
  return AM_OK;
}

static am_status plan_folds(am_crossval *x, const am_crossval_options *o, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < o->n_folds && !status; i++) status = add_fold(x, o->folds[i], err);
  for (int fold = 0; fold < x->split->n_folds && !o->n_folds && !o->resume && !status; fold++)
    status = add_fold(x, fold, err);
  return status ? status : check_folds(x, err);
}

static am_status plan_runs(am_crossval *x, am_error *err) {
  size_t n = am_mul(x->n_seeds, x->n_folds);
  x->runs = am_alloc(x->ctx, n, sizeof *x->runs);
  x->by_seed = am_alloc(x->ctx, x->n_seeds, sizeof *x->by_seed);
  x->together_by_fold = am_alloc(x->ctx, x->n_folds, sizeof *x->together_by_fold);
  if (!x->runs || !x->by_seed || !x->together_by_fold) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) {
    am_crossval_run *r = &x->runs[i];
    r->seed = x->config->seed + i / x->n_folds;
    r->fold = x->folds[i % x->n_folds];
    r->folder = x->n_seeds == 1
                    ? am_format(x->ctx, "%s/fold-%d", x->folder, r->fold)
                    : am_format(x->ctx, "%s/seed-%llu/fold-%d", x->folder, (unsigned long long)r->seed, r->fold);
    if (!r->folder) return am_no_memory(err);
  }
  return AM_OK;
}

/* ---- the folder ---- */

static bool begun_already(const am_crossval *x) {
  return am_run_file_there(x->ctx, x->folder, AM_FILE_CROSSVAL_RESULTS);
}

static am_status check_no_run(const am_crossval *x, am_error *err) {
  const char *run = am_run_folder_holds(x->ctx, x->folder);
  if (!run) return AM_OK;
  return am_fail(err, AM_E_USAGE, "%s holds a single run (%s); choose another folder for the cross-validation",
                 x->folder, run);
}

static am_status check_folder(const am_crossval *x, bool resume, am_error *err) {
  am_status status = check_no_run(x, err);
  if (status) return status;
  const bool begun = begun_already(x);
  if (resume && !begun)
    return am_fail(err, AM_E_USAGE,
                   "%s: there is no cross-validation to go on with: wanted a folder with crossval.yaml "
                   "and crossval.json",
                   x->folder);
  if (!resume && begun)
    return am_fail(err, AM_E_USAGE,
                   "%s holds a cross-validation already; choose another folder, or go on with it: "
                   "audiomood crossval --resume %s",
                   x->folder, x->folder);
  return AM_OK;
}

static am_status read_plan(am_crossval *x, am_error *err) {
  char *path = am_run_file_path(x->ctx, x->folder, AM_FILE_CROSSVAL_RESULTS);
  am_tree *tree = NULL;
  am_status status = path ? am_json_read_file(x->ctx, path, &tree, err) : am_no_memory(err);
  const am_value *root = status ? NULL : am_tree_root(tree);
  const am_value *seeds = am_value_get(root, "seeds"), *folds = am_value_get(root, "folds");
  int64_t number;
  if (!status && (!seeds || seeds->kind != AM_LIST || !seeds->count || !folds || folds->kind != AM_LIST))
    status = am_fail(err, AM_E_FORMAT, "%s: wanted the lists \"seeds\" and \"folds\" of a cross-validation", path);
  if (!status && (!am_value_to_int(seeds->first, &number) || (uint64_t)number != x->config->seed))
    status = am_fail(err, AM_E_CONFIG,
                     "%s: it began with seed %s, and the config has %llu; to train otherwise start a new "
                     "cross-validation",
                     path, seeds->first->text ? seeds->first->text : "?", (unsigned long long)x->config->seed);
  if (!status) x->n_seeds = seeds->count;
  for (const am_value *v = status ? NULL : folds->first; v && !status; v = v->next)
    status = am_value_to_int(v, &number) && number >= 0 && number <= 100000
                 ? add_fold(x, (int)number, err)
                 : am_fail(err, AM_E_FORMAT, "%s: \"folds\": wanted numbers of folds", path);
  am_tree_free(tree);
  am_free(x->ctx, path);
  return status;
}

static void clean_below(const am_crossval *x, char *folder) {
  if (folder && am_folder_check_own(x->ctx, x->folder, folder + strlen(x->folder) + 1, NULL) == AM_OK)
    am_folder_clean(x->ctx, folder, 0);
  am_free(x->ctx, folder);
}

/* What processes that were killed here left half-written beside the folders of the runs, which clean their own. */
static void clean(const am_crossval *x) {
  am_folder_clean(x->ctx, x->folder, 0);
  clean_below(x, am_format(x->ctx, "%s/plots", x->folder));
  for (size_t s = 0; s < x->n_seeds && x->n_seeds > 1; s++)
    clean_below(x, am_format(x->ctx, "%s/seed-%llu", x->folder, (unsigned long long)(x->config->seed + s)));
}

/* Jobs have the lock for a moment, one process that trains all for as long as that takes. */
static am_status take_lock(am_crossval *x, double patience, am_error *err) {
  char *lock = am_run_file_path(x->ctx, x->folder, AM_FILE_LOCK);
  am_status status = lock ? am_folder_create(x->ctx, x->folder, err) : am_no_memory(err);
  if (!status) status = am_lock_wait(x->ctx, lock, patience, &x->lock, err);
  if (am_lock_doubt(x->lock))
    am_log(x->ctx, AM_LOG_WARNING, "%s: %s: nothing keeps two processes from training the same run at once", lock,
           am_lock_doubt(x->lock));
  am_free(x->ctx, lock);
  return status;
}

static am_status check_runs_own(const am_crossval *x, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < x->n_seeds * x->n_folds && !status; i++)
    status = am_folder_check_own(x->ctx, x->folder, x->runs[i].folder + strlen(x->folder) + 1, err);
  return status;
}

static am_status write_config(const am_crossval *x, am_error *err) {
  char *yaml = am_run_file_path(x->ctx, x->folder, AM_FILE_CROSSVAL);
  am_buffer text = {0};
  am_status status = yaml ? am_config_text(x->config, &text, err) : am_no_memory(err);
  if (!status) status = am_file_write_own(x->ctx, yaml, NULL, text.data, text.used, err);
  am_buffer_free(x->ctx, &text);
  am_free(x->ctx, yaml);
  return status;
}

static am_status open_folder(am_crossval *x, bool resume, double patience, am_error *err) {
  am_status status = take_lock(x, patience, err);
  if (!status) status = check_folder(x, resume, err); /* again: another process may have been here meanwhile */
  if (!status) clean(x);
  if (!status) status = check_runs_own(x, err);
  return status || resume ? status : write_config(x, err);
}

/* ---- one of several processes ---- */

static am_status check_same_settings(const am_crossval *x, am_error *err) {
  char *yaml = am_run_file_path(x->ctx, x->folder, AM_FILE_CROSSVAL);
  am_config *saved = NULL;
  am_status status = yaml ? am_config_load_stored(x->ctx, yaml, NULL, 0, &saved, err) : am_no_memory(err);
  if (!status && am_config_check_same_run(saved, x->config, err))
    status = am_error_prefix(err, "%s: its jobs are all of one config", x->folder);
  am_config_free(saved);
  am_free(x->ctx, yaml);
  return status;
}

static am_status check_same_plan(const am_crossval *x, am_error *err) {
  am_crossval there = {
      .ctx = x->ctx, .config = x->config, .folder = x->folder, .dataset = x->dataset, .split = x->split};
  there.folds = am_alloc(x->ctx, (size_t)x->split->n_folds + 1, sizeof *there.folds);
  am_status status = there.folds ? read_plan(&there, err) : am_no_memory(err);
  if (!status && (there.n_seeds != x->n_seeds || there.n_folds != x->n_folds ||
                  memcmp(there.folds, x->folds, x->n_folds * sizeof *x->folds)))
    status = am_fail(err, AM_E_USAGE,
                     "%s was begun with %zu %s of %zu %s, and this job is one of %zu of %zu; give all jobs the same "
                     "(options seeds and folds)",
                     x->folder, there.n_seeds, am_count(there.n_seeds, "seed", "seeds"), there.n_folds,
                     am_count(there.n_folds, "fold", "folds"), x->n_seeds, x->n_folds);
  am_free(x->ctx, there.folds);
  return status;
}

/* The first of the jobs writes the plan, the others compare theirs. */
static am_status join(am_crossval *x, am_error *err) {
  enum { PATIENCE = 120 }; /* also while a file server keeps the locks of a node that is gone */
  am_status status = take_lock(x, PATIENCE, err);
  if (!status) status = check_no_run(x, err);
  if (!status) status = check_runs_own(x, err);
  if (!status && begun_already(x)) {
    status = check_same_settings(x, err);
    if (!status) status = check_same_plan(x, err);
  } else if (!status) {
    clean(x);
    status = write_config(x, err);
    if (!status) status = am_crossval_write(x, err);
  }
  am_lock_release(x->lock);
  x->lock = NULL;
  return status;
}

/* ---- the runs ---- */

static bool finished(const am_crossval *x, const am_crossval_run *r) {
  return am_run_file_there(x->ctx, r->folder, AM_FILE_METRICS) &&
         am_run_file_there(x->ctx, r->folder, AM_FILE_PREDICTIONS);
}

static am_status stopped(const am_crossval *x, am_error *err) {
  if (err) *err = (am_error)AM_ERROR_INIT;       /* the run's own advice would go on with that fold only */
  bool limited = x->config->train.max_steps > 0; /* would pause again at once */
  if (x->is_job)
    return am_fail(err, AM_E_STOPPED, "stopped; all is saved in %s; the same command goes on with it%s", x->folder,
                   limited ? " with train.max_steps 0" : "");
  return am_fail(err, AM_E_STOPPED,
                 "stopped with %zu of %zu runs finished; all is saved in %s; go on with: audiomood "
                 "crossval --resume %s%s",
                 x->n_finished, x->n_seeds * x->n_folds, x->folder, x->folder,
                 limited ? " --set train.max_steps=0" : "");
}

static am_status run_config(const am_crossval *x, const am_crossval_run *r, am_config **out, am_error *err) {
  char fold[48], seed[48];
  const char *const overrides[] = {fold, seed};
  am_buffer text = {0};
  snprintf(fold, sizeof fold, "split.fold=%d", r->fold);
  snprintf(seed, sizeof seed, "seed=%llu", (unsigned long long)r->seed);
  am_status status = am_config_text(x->config, &text, err);
  if (!status) status = am_config_from_stored(x->ctx, text.data, x->config->file, overrides, 2, out, err);
  am_buffer_free(x->ctx, &text);
  return status;
}

static am_status train(am_crossval *x, size_t index, am_error *err) {
  am_crossval_run *r = &x->runs[index];
  am_config *config = NULL;
  am_run_result result = {.size = sizeof result};
  am_run_options options = {
      .size = sizeof options, .out = r->folder, .resume = am_run_file_there(x->ctx, r->folder, AM_FILE_CONFIG)};
  am_log(x->ctx, AM_LOG_INFO, "%s fold %d, seed %llu (run %zu of %zu) in %s",
         options.resume ? "going on with" : "training", r->fold, (unsigned long long)r->seed, index + 1,
         x->n_seeds * x->n_folds, r->folder);
  am_status status = run_config(x, r, &config, err);
  if (!status) status = am_train_run(config, &options, &result, err);
  am_run_result_free(&result);
  am_config_free(config);
  if (status == AM_E_STOPPED) return stopped(x, err);
  if (!status) return AM_OK;
  am_error_prefix(err, "fold %d, seed %llu", r->fold, (unsigned long long)r->seed);
  return status;
}

/* Waits until nobody else has the run. */
static am_status wait_for(const am_crossval *x, const am_crossval_run *r, double patience, am_error *err) {
  am_lock *lock = NULL;
  char *path = am_run_file_path(x->ctx, r->folder, AM_FILE_LOCK);
  am_status status = path ? AM_OK : am_no_memory(err);
  if (!status && am_file_exists(path)) status = am_lock_wait(x->ctx, path, patience, &lock, err);
  am_lock_release(lock);
  am_free(x->ctx, path);
  return status;
}

static am_status take(am_crossval *x, am_crossval_run *r, am_error *err) {
  am_status status = am_crossval_read_run(x, r, err);
  if (!status) x->n_finished++;
  return status;
}

/* A finished fold stands beside those to come only if it was trained on the same clips, cut the same way.
 * best.h5 may have been removed to save room; with data.skip_unreadable the split changes once the sounds are
 * read. */
static am_status check_origin(am_crossval *x, const am_crossval_run *r, am_error *err) {
  if (x->config->data.skip_unreadable || !am_run_file_there(x->ctx, r->folder, AM_FILE_BEST)) return AM_OK;
  am_split_options options = x->config->split;
  am_split *split = NULL;
  char *path = am_run_file_path(x->ctx, r->folder, AM_FILE_BEST);
  am_origin origin = {0};
  am_h5 *file = NULL;
  options.fold = r->fold;
  am_status status = path ? am_checkpoint_open(x->ctx, path, &file, err) : am_no_memory(err);
  if (!status) status = am_checkpoint_origin(x->ctx, file, &origin, err);
  am_h5_close(file);
  if (!status) status = am_split_make(x->ctx, x->dataset, &options, &split, err);
  if (!status && origin.digest != am_data_digest(x->dataset, split))
    status = am_fail(err, AM_E_DATA,
                     "the clips in %s, or their split, are not those that %s was trained with; to train "
                     "this fold again, remove %s",
                     x->dataset->root ? x->dataset->root : "the corpus", r->folder, r->folder);
  am_split_free(x->ctx, split);
  am_origin_free(x->ctx, &origin);
  am_free(x->ctx, path);
  return status;
}

/* What the finished runs say together, in the files of the folder. */
static am_status gather(am_crossval *x, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < x->n_seeds * x->n_folds && !status; i++) {
    if (!finished(x, &x->runs[i])) continue;
    status = check_origin(x, &x->runs[i], err);
    if (!status) status = take(x, &x->runs[i], err);
  }
  if (!status) status = am_crossval_summarise(x, err);
  return status ? status : am_crossval_write(x, err);
}

/* Finished folds first: what they say is complete, whatever happens to the others. */
static am_status run_all(am_crossval *x, am_error *err) {
  size_t n = x->n_seeds * x->n_folds;
  am_status status = gather(x, err);
  if (!status && x->n_finished) am_log(x->ctx, AM_LOG_INFO, "%zu of %zu runs were finished already", x->n_finished, n);
  for (size_t i = 0; i < n && !status; i++) {
    if (x->runs[i].finished) continue;
    status = am_context_stopping(x->ctx) ? stopped(x, err) : train(x, i, err);
    if (!status) status = take(x, &x->runs[i], err);
    if (!status) status = am_crossval_summarise(x, err);
    if (!status) status = am_crossval_write(x, err);
  }
  return status;
}

static am_status train_one(am_crossval *x, size_t index, double patience, am_error *err) {
  const am_crossval_run *r = &x->runs[index];
  if (am_context_stopping(x->ctx)) return stopped(x, err);
  const am_status status = wait_for(x, r, patience, err);
  if (status || !finished(x, r)) return status ? status : train(x, index, err);
  am_log(x->ctx, AM_LOG_INFO, "%s is finished already", r->folder);
  return AM_OK;
}

static am_status check_jobs(const am_crossval *x, const am_crossval_options *o, am_error *err) {
  const size_t n = x->n_seeds * x->n_folds;
  for (size_t i = 0; i < o->n_jobs; i++)
    if (o->jobs[i] < 0 || (size_t)o->jobs[i] >= n)
      return am_fail(err, AM_E_USAGE,
                     "there is no run %d; the %zu of this cross-validation (%zu %s of %zu %s) are 0 to %zu", o->jobs[i],
                     n, x->n_seeds, am_count(x->n_seeds, "seed", "seeds"), x->n_folds,
                     am_count(x->n_folds, "fold", "folds"), n - 1);
  return AM_OK;
}

static am_status run_jobs(am_crossval *x, const am_crossval_options *o, am_error *err) {
  x->is_job = true;
  am_status status = check_jobs(x, o, err);
  if (!status) status = join(x, err);
  for (size_t i = 0; i < o->n_jobs && !status; i++) {
    am_crossval_run *r = &x->runs[o->jobs[i]];
    status = train_one(x, (size_t)o->jobs[i], o->patience, err);
    if (!status && !r->finished) status = take(x, r, err);
  }
  return status;
}

/* Corpus and runs, before anything is written. */
static am_status plan(am_crossval *x, const am_crossval_options *o, am_error *err) {
  am_status status = read_corpus(x, err);
  if (status) return status;
  x->folds = am_alloc(x->ctx, (size_t)x->split->n_folds + 1, sizeof *x->folds);
  x->n_seeds = (size_t)o->seeds;
  if (!x->folds) return am_no_memory(err);
  if (o->resume) status = read_plan(x, err);
  if (!status) status = plan_folds(x, o, err);
  return status ? status : plan_runs(x, err);
}

/* ---- several processes as one ---- */

/* The same corpus, cut the same way; and the folder, which is the first one's. */
static am_status begin_together(am_crossval *x, const am_crossval_options *o, am_ranks *ranks, am_error *err) {
  const bool first = am_ranks_first(ranks);
  am_status status = check_kind(x->config, err);
  if (!status && first) status = check_folder(x, o->resume, err);
  if (!status) status = am_share_same(x->config, err);
  if (!status) status = plan(x, o, err);
  if (!status)
    status = am_share_same_digest(x->ctx, "digest of corpus and split", am_data_digest(x->dataset, x->split), err);
  if (!status && first) status = open_folder(x, o->resume, 0, err);
  if (!status && first && !o->resume) status = am_crossval_write(x, err);
  return status ? status : am_ranks_barrier(ranks, err);
}

/* Alone: nothing is said between the processes until each is done with its runs. */
static am_status train_share(am_crossval *x, am_ranks *ranks, am_error *err) {
  const size_t n = x->n_seeds * x->n_folds, size = (size_t)am_ranks_size(ranks);
  am_status status = AM_OK;
  if (size > n) am_log(x->ctx, AM_LOG_WARNING, "%zu processes for %zu runs: the others have nothing to do", size, n);
  am_context_set_ranks(x->ctx, NULL);
  x->is_job = true;
  for (size_t i = (size_t)am_ranks_rank(ranks); i < n && !status; i += size) status = train_one(x, i, 0, err);
  x->is_job = false;
  am_context_set_ranks(x->ctx, ranks);
  if (!status) am_log(x->ctx, AM_LOG_INFO, "waiting for the runs of the other processes");
  return am_ranks_agree(ranks, status, err);
}

static am_status run_together(am_crossval *x, const am_crossval_options *o, am_ranks *ranks, am_error *err) {
  am_error later = AM_ERROR_INIT;
  am_status status = begin_together(x, o, ranks, err);
  if (status) return status;
  status = train_share(x, ranks, err);
  const am_status gathered = am_ranks_first(ranks) ? gather(x, &later) : AM_OK;
  if (status == AM_E_STOPPED && !gathered) return stopped(x, err);
  return status || !gathered ? status : am_fail(err, gathered, "%s", later.message);
}

static am_status work(am_crossval *x, const am_crossval_options *o, am_error *err) {
  am_ranks *ranks = am_context_ranks(x->ctx);
  if (ranks) return run_together(x, o, ranks, err);
  am_status status = check_kind(x->config, err);
  if (!status) status = o->n_jobs ? check_no_run(x, err) : check_folder(x, o->resume, err);
  if (!status) status = plan(x, o, err);
  if (!status && o->n_jobs) return run_jobs(x, o, err);
  if (!status) status = open_folder(x, o->resume, 0, err);
  return status ? status : run_all(x, err);
}

/* ---- what others trained ---- */

/* By what the process that had it said last; one that was killed said nothing more. */
static am_status say_missing(const am_crossval *x, const am_crossval_run *r, am_error *err) {
  char *facts = am_run_file_path(x->ctx, r->folder, AM_FILE_FACTS);
  if (!facts) return am_no_memory(err);
  am_tree *tree = NULL;
  const bool begun = am_file_exists(facts);
  const bool read = begun && am_json_read_file(x->ctx, facts, &tree, NULL) == AM_OK;
  const am_value *state = read ? am_value_get(am_tree_root(tree), "state") : NULL;
  const char *text = state && state->kind == AM_SCALAR ? state->text : "";
  const char *what = !begun                         ? "not begun"
                     : !strcmp(text, "failed")      ? "failed; its log.txt says why"
                     : !strcmp(text, "interrupted") ? "stopped before its end"
                     : !strcmp(text, "running")     ? "not at its end: still running, or killed"
                                                    : "not at its end";
  am_log(x->ctx, AM_LOG_WARNING, "fold %d, seed %llu: %s (%s)", r->fold, (unsigned long long)r->seed, what, r->folder);
  am_tree_free(tree);
  am_free(x->ctx, facts);
  return AM_OK;
}

static am_status collect(am_crossval *x, am_error *err) {
  enum { PATIENCE = 120 };
  const am_crossval_options o = {.resume = true};
  am_status status = check_kind(x->config, err);
  if (!status) status = check_folder(x, true, err);
  if (!status) status = plan(x, &o, err);
  if (!status) status = open_folder(x, true, PATIENCE, err);
  if (!status) status = gather(x, err);
  for (size_t i = 0; i < x->n_seeds * x->n_folds && !status; i++)
    if (!x->runs[i].finished) status = say_missing(x, &x->runs[i], err);
  return status;
}

am_status am_crossval_collect(am_config *config, const char *folder, am_crossval **out, am_error *err) {
  *out = NULL;
  am_crossval *x = am_alloc(config->ctx, 1, sizeof *x);
  if (!x) return am_no_memory(err);
  *x = (am_crossval){.ctx = config->ctx, .config = config, .folder = folder};
  am_status status = collect(x, err);
  if (status) am_crossval_free(x);
  else *out = x;
  return status;
}

am_status am_crossval_train(am_config *config, const am_crossval_options *options, am_crossval **out, am_error *err) {
  *out = NULL;
  if (!options->out || !*options->out)
    return am_fail(err, AM_E_USAGE, "a cross-validation needs a folder to write into");
  if (!options->resume && options->seeds < 1)
    return am_fail(err, AM_E_USAGE, "%lld seeds; wanted at least 1", (long long)options->seeds);
  am_crossval *x = am_alloc(config->ctx, 1, sizeof *x);
  if (!x) return am_no_memory(err);
  *x = (am_crossval){.ctx = config->ctx, .config = config, .folder = options->out};
  am_status status = work(x, options, err);
  if (status) am_crossval_free(x);
  else *out = x;
  return status;
}

void am_crossval_free(am_crossval *x) {
  if (!x) return;
  am_context *ctx = x->ctx;
  for (size_t i = 0; x->runs && i < x->n_seeds * x->n_folds; i++) {
    am_free(ctx, x->runs[i].folder);
    am_metrics_free(x->runs[i].metrics);
  }
  for (size_t s = 0; x->by_seed && s < x->n_seeds; s++) am_metrics_free(x->by_seed[s]);
  am_metrics_free(x->pooled);
  am_free(ctx, x->by_seed);
  for (size_t f = 0; x->together_by_fold && f < x->n_folds; f++) am_metrics_free(x->together_by_fold[f]);
  am_free(ctx, x->together_by_fold);
  am_metrics_free(x->together);
  am_free(ctx, x->runs);
  am_free(ctx, x->folds);
  am_free(ctx, x->clips);
  am_free(ctx, x->labels);
  am_free(ctx, x->truth);
  am_free(ctx, x->speakers);
  am_free(ctx, x->seeds);
  am_free(ctx, x->probabilities);
  am_split_free(ctx, x->split);
  if (x->dataset) am_dataset_free(x->dataset);
  am_lock_release(x->lock);
  am_free(ctx, x);
}
