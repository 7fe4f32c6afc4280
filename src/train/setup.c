/* SPDX-License-Identifier: MIT */
/* train/setup.c - from a config to everything a first step needs. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "data/twins.h"
#include "model/origin.h"
#include "nn/contrastive.h"
#include "nn/doubt.h"
#include "train/targets.h"
#include "train/trainer.h"

/* ---- data ---- */

static void say_left_out(am_trainer *t) {
  const am_dataset *d = t->dataset;
  for (size_t i = 0; i < d->n_left_out; i++)
    am_run_log(&t->folder, AM_LOG_INFO, "left out: %zu clip%s, %s (%s)", d->left_out[i].count,
               am_count(d->left_out[i].count, "", "s"), d->left_out[i].reason,
               d->left_out[i].example ? d->left_out[i].example : "");
  if (d->n_missing && d->missing_note) am_run_log(&t->folder, AM_LOG_WARNING, "%s", d->missing_note);
  if (d->synthetic)
    am_run_log(&t->folder, AM_LOG_WARNING, "this corpus is synthetic: results say nothing about real speech");
}

/* Labels that cannot be saved are known before hours of training, not at the first save. */
static am_status check_labels(const am_dataset *d, am_error *err) {
  static const char *const advice = "is the column or pattern the label is taken from the right one?";
  if (d->target == AM_TARGET_DIMENSIONS) return AM_OK;
  size_t longest = 1, n = (size_t)d->n_labels;
  for (size_t k = 0; k < n; k++)
    if (strlen(d->labels[k]) > longest) longest = strlen(d->labels[k]);
  if (am_mul(longest, n) > AM_MAX_LABEL_BYTES)
    return am_fail(err, AM_E_DATA,
                   "%zu labels of up to %zu bytes (%.60s, ...) are more than a checkpoint keeps, %d bytes; %s", n,
                   longest, d->labels[0], (int)AM_MAX_LABEL_BYTES, advice);
  return AM_OK;
}

/* Whoever names speakers to be held out must not believe that they are when another kind of split draws its own. */
static void say_unused(am_trainer *t) {
  const am_split_options *o = &t->config->split;
  const struct {
    const char *key;
    bool given;
  } fixed[] = {{"test_speakers", o->test_speakers.n > 0},
               {"validation_speakers", o->validation_speakers.n > 0},
               {"fold_lists", o->fold_lists && o->fold_lists->first}};
  for (size_t i = 0; i < 3 && o->kind != AM_SPLIT_FIXED; i++)
    if (fixed[i].given)
      am_run_log(&t->folder, AM_LOG_WARNING, "split.%s is not used: it is for split.kind fixed", fixed[i].key);
}

static void say_doubt(void *user, const char *line) {
  am_run_log(&((am_trainer *)user)->folder, AM_LOG_WARNING, "%s", line);
}

/* The shares that came out, and what is odd about them. */
static am_status say_parts(am_trainer *t, am_error *err) {
  am_buffer line = {0};
  for (int part = 0; part < 3; part++) {
    line.used = 0;
    if (!t->split->n[part]) continue;
    am_split_describe(t->dataset, t->split, (am_part)part, &line);
    if (!line.failed) am_run_log(&t->folder, AM_LOG_INFO, "%s", line.data);
  }
  am_status status = line.failed ? am_no_memory(err) : AM_OK;
  am_buffer_free(t->ctx, &line);
  return status ? status : am_split_doubts(t->dataset, &t->config->split, t->split, say_doubt, t, err);
}

/* "valence 118, arousal 118, dominance 117 of them known". */
static void say_dimensions(am_trainer *t) {
  const am_dataset *d = t->dataset;
  am_buffer line = {0}, scale = {0};
  for (int k = 0; k < d->n_dimensions; k++) {
    size_t known = 0;
    for (size_t i = 0; i < d->n; i++) known += d->clips[i].values && d->clips[i].values[k] == d->clips[i].values[k];
    am_buffer_printf(t->ctx, &line, "%s%s %zu", k ? ", " : "", d->dimensions[k], known);
  }
  am_scales_print(t->ctx, &scale, d->dimensions, d->scale, d->n_dimensions);
  const bool one = am_scales_one(d->scale, d->n_dimensions);
  if (line.data && !line.failed && scale.data && !scale.failed)
    am_run_log(&t->folder, AM_LOG_INFO, "dimensions %s%s, by the clips of which they are known: %s", one ? "from " : "",
               scale.data, line.data);
  am_buffer_free(t->ctx, &scale);
  am_buffer_free(t->ctx, &line);
}

static void say_corpus(am_trainer *t) {
  const am_dataset *d = t->dataset;
  const char *title = d->title ? d->title : d->corpus;
  if (t->values)
    am_run_log(&t->folder, AM_LOG_INFO, "%s: %zu clips, %d dimensions, %d speakers", title, d->n, d->n_dimensions,
               d->n_speakers);
  else
    am_run_log(&t->folder, AM_LOG_INFO, "%s: %zu clips, %d classes, %d speakers", title, d->n, d->n_labels,
               d->n_speakers);
  if (d->n_dimensions) say_dimensions(t);
}

static am_status load_data(am_trainer *t, am_error *err) {
  am_config *c = t->config;
  am_status status = am_dataset_load(t->ctx, &c->data, &t->dataset, err);
  if (!status) status = check_labels(t->dataset, err);
  if (!status) status = am_heads_check(c, t->dataset, err);
  if (status) return status;
  am_dataset *d = t->dataset;
  t->classes = am_dataset_outputs(d);
  t->values = d->target == AM_TARGET_DIMENSIONS;
  say_corpus(t);
  say_left_out(t);
  status = am_split_make(t->ctx, d, &c->split, &t->split, err);
  if (status) return status;
  am_run_log(&t->folder, AM_LOG_INFO, "split: %s", t->split->note);
  t->by_speaker = t->split->speaker_independent;
  status = say_parts(t, err);
  if (status) return status;
  say_unused(t);
  if (!t->split->n[AM_PART_TRAIN])
    return am_fail(err, AM_E_DATA, "the training part is empty (%s); change the split section", t->split->note);
  bool held_out = t->split->n[AM_PART_VALIDATION] || t->split->n[AM_PART_TEST];
  if (held_out && t->split->speakers_known && !t->split->speaker_independent)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "not speaker-independent: speakers of the held-out clips are also trained on");
  t->monitor = (am_monitor)c->train.monitor;
  if (!t->split->n[AM_PART_VALIDATION] && t->monitor != AM_MONITOR_TRAIN_LOSS && t->monitor != AM_MONITOR_LAST) {
    t->monitor = AM_MONITOR_TRAIN_LOSS;
    am_run_log(&t->folder, AM_LOG_WARNING, "there is no validation part: train_loss chooses the best epoch");
  }
  return am_trainer_check_calibration(t, err);
}

/* Clips that do not `stay` leave their part; true when there were any. */
static bool drop_clips(am_trainer *t, bool (*stay)(const am_store *store, uint32_t clip)) {
  bool any = false;
  for (int part = 0; part < 3; part++) {
    size_t kept = 0, why[3] = {0}; /* by am_unheard; AM_HEARD: could not be read */
    for (size_t i = 0; i < t->split->n[part]; i++) {
      uint32_t clip = t->split->at[part][i];
      if (stay(t->store, clip)) t->split->at[part][kept++] = clip;
      else {
        why[am_store_unheard(t->store, clip)]++;
        am_left_outs_add(&t->left_out[part], am_store_reason(t->store, clip), 1, t->dataset->clips[clip].name);
      }
    }
    for (int reason = 0; reason < 3; reason++)
      if (why[reason])
        am_run_log(&t->folder, AM_LOG_WARNING, "%zu clip%s left out of the %s part: %s", why[reason],
                   am_count(why[reason], "", "s"), am_part_name((am_part)part),
                   reason ? am_unheard_name((am_unheard)reason) : "unreadable");
    any |= kept < t->split->n[part];
    t->unheard[part] += why[AM_UNHEARD_SILENT] + why[AM_UNHEARD_TOO_SHORT];
    t->split->n[part] = kept;
  }
  return any;
}

/* Clips that could not be read (data.skip_unreadable) leave their part, then those with nothing to hear (data.unheard). */
static void drop_unusable(am_trainer *t) {
  drop_clips(t, am_store_readable);
  uint64_t digest = am_data_digest(t->dataset, t->split);
  if (drop_clips(t, am_store_ok)) t->split->digest = digest;
}

/* Who is heard in training is not unknown, whatever the list calls him. */
static am_status say_twins(am_trainer *t, am_error *err) {
  am_twins twins;
  am_split *split = t->split;
  am_status status = am_split_find_twins(t->ctx, t->dataset, t->store, split, t->config->data.max_seconds, &twins, err);
  if (status || !twins.sounds) return status;
  const bool doubted = twins.trained && split->speaker_independent;
  am_run_log(&t->folder, AM_LOG_WARNING,
             "%zu sound%s in two parts, e.g. %s (%s) and %s (%s): they are the same, so not all that is "
             "held out is new to the model%s; leave one of each out (data.exclude)",
             twins.sounds, twins.sounds == 1 ? " is" : "s are", t->dataset->clips[twins.clip[0]].name,
             am_part_name(twins.part[0]), t->dataset->clips[twins.clip[1]].name, am_part_name(twins.part[1]),
             doubted ? ", and the results do not count as speaker-independent" : "");
  if (doubted) split->speaker_independent = false;
  return AM_OK;
}

/* Of what is trained on. */
static am_status make_copies(am_trainer *t, const char *cache, am_error *err) {
  am_config *c = t->config;
  if (!c->augment.copies) return AM_OK;
  am_status status = am_store_add_copies(t->store, t->dataset, t->fx, &c->data, cache, &c->augment,
                                         t->split->at[AM_PART_TRAIN], t->split->n[AM_PART_TRAIN], err);
  if (status) return status;
  am_store_counts counts = am_store_counted_copies(t->store);
  am_run_log(
      &t->folder, AM_LOG_INFO, "copies: %lld of each of %zu training clips, %zu from the cache, %zu computed in %.1f s",
      (long long)c->augment.copies, t->split->n[AM_PART_TRAIN], counts.from_cache, counts.computed, counts.seconds);
  return AM_OK;
}

static am_status make_features(am_trainer *t, am_error *err) {
  am_config *c = t->config;
  const char *cache = t->options->dry_run && !am_folder_exists(c->cache) ? "" : c->cache;
  am_status status = am_features_create(t->ctx, &c->features, &t->fx, err);
  if (!status)
    status =
        am_store_create(t->ctx, t->dataset, t->fx, &c->data, cache, am_augment_in_epochs(&c->augment), &t->store, err);
  if (status) return status;
  am_store_counts counts = am_store_counted(t->store);
  am_run_log(&t->folder, AM_LOG_INFO, "features: %zu clips from the cache, %zu computed in %.1f s", counts.from_cache,
             counts.computed, counts.seconds);
  drop_unusable(t);
  if (!t->split->n[AM_PART_TRAIN])
    return am_fail(err, AM_E_DATA,
                   "no clip of the training part is left: none can be read, or none has anything to hear");
  status = am_trainer_check_calibration(t, err);
  if (!status) status = say_twins(t, err);
  if (!status) status = make_copies(t, cache, err);
  if (!status) status = am_targets_load(c, t->dataset, t->split->at[AM_PART_TRAIN], t->split->n[AM_PART_TRAIN], err);
  if (status) return status;
  return am_normaliser_fit(t->ctx, t->store, t->dataset, &c->features, t->split->at[AM_PART_TRAIN],
                           t->split->n[AM_PART_TRAIN], &t->normaliser, err);
}

/* ---- model ---- */

static void say_cut(am_trainer *t) {
  for (int part = 0; part < 3; part++) {
    size_t cut = am_evaluate_cut(t->model, t->store, t->split->at[part], t->split->n[part]);
    if (cut)
      am_run_log(&t->folder, AM_LOG_WARNING,
                 "%zu of %zu %s clips %s longer than the model's %d frames; only %s start is used", cut,
                 t->split->n[part], am_part_name((am_part)part), am_count(cut, "is", "are"), am_model_input(t->model).t,
                 am_count(cut, "its", "their"));
  }
}

static void say_precision(am_trainer *t) {
  if (t->config->train.precision != AM_PRECISION_BF16) return;
  if (am_bf16_by_processor(t->ctx))
    am_run_log(&t->folder, AM_LOG_INFO, "precision: bf16, by the processor's instruction");
  else
    am_run_log(&t->folder, AM_LOG_WARNING,
               "train.precision: bf16 has no instruction on the processor path %s; plain code gives the same products, "
               "many times slower",
               am_context_cpu(t->ctx));
}

static am_status make_model(am_trainer *t, am_error *err) {
  am_config *c = t->config;
  int fixed = am_features_fixed_frames(t->fx), frames = fixed;
  if (!fixed) {
    frames = am_store_max_frames(t->store);
    if (c->features.max_frames > 0 && c->features.max_frames < frames) frames = (int)c->features.max_frames;
  } else if (c->augment.crop_frames > 0 && c->augment.crop_frames < fixed) {
    return am_fail(err, AM_E_CONFIG,
                   "augment.crop_frames is %lld, but all clips are made %d frames long "
                   "(features.samples or mean_over_time); leave one of the two out",
                   (long long)c->augment.crop_frames, fixed);
  }
  am_status status = am_config_model(c, frames, am_store_bins(t->store), !fixed, t->classes, &t->model, err);
  if (status) return status;
  am_model_initialise(t->model, c->seed);
  size_t weights = 0;
  for (size_t i = 0; i < am_model_weight_count(t->model); i++) weights += am_model_weight_info(t->model, i)->count;
  am_run_log(&t->folder, AM_LOG_INFO, "model: input %d frames of %d bins%s, %zu layers, %zu parameters", frames,
             am_store_bins(t->store), fixed ? "" : ", any shorter length", am_model_steps(t->model), weights);
  say_precision(t);
  char doubt[512];
  if (t->values ? am_model_values_doubt(t->model, doubt, sizeof doubt)
                : am_model_output_doubt(t->model, doubt, sizeof doubt))
    am_run_log(&t->folder, AM_LOG_WARNING, "model.layers: %s", doubt);
  say_cut(t);
  return AM_OK;
}

/* With weights that may know speakers held out here no result counts as speaker-independent. */
am_status am_trainer_doubt(am_trainer *t, const char *file, am_error *err) {
  static const char no_count[] = "the results do not count as speaker-independent";
  am_names held_out = {0};
  am_status status = AM_OK;
  for (int part = AM_PART_VALIDATION; part <= AM_PART_TEST && !status; part++)
    status = am_speakers_add(t->ctx, &held_out, t->dataset, t->split->at[part], t->split->n[part], err);
  const am_shared shared = am_speakers_shared(&held_out, &t->trained_before);
  am_names_free(t->ctx, &held_out);
  if (status || !t->by_speaker || !(shared.n || shared.unknown)) return status;
  if (shared.n)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "%s: its weights know %zu of the %zu speakers held out here, e.g. %s: they were trained on them, or the "
               "epoch was chosen on them; %s",
               file, shared.n, shared.of, shared.first, no_count);
  else
    am_run_log(&t->folder, AM_LOG_WARNING, "%s: whether its weights know speakers held out here is not known; %s", file,
               no_count);
  t->split->speaker_independent = false;
  return AM_OK;
}

static am_status began_from(am_trainer *t, am_h5 *file, am_error *err) {
  am_origin from;
  am_status status = am_checkpoint_origin(t->ctx, file, &from, err);
  if (status) return status;
  status = am_origin_before(t->ctx, &from, am_data_digest(t->dataset, t->split), &t->trained_before, err);
  if (!status) status = am_credit_join(t->ctx, &t->credit_before, from.credit.licence, from.credit.attribution, err);
  am_origin_free(t->ctx, &from);
  return status ? status : am_trainer_doubt(t, am_h5_path(file), err);
}

static am_status take_weights(am_trainer *t, am_h5 *from, am_error *err) {
  const char *file = am_h5_path(from);
  am_init_report report;
  am_status status = am_checkpoint_init(t->ctx, from, t->model, &report, err);
  if (status) return status;
  am_run_log(&t->folder, AM_LOG_INFO, "%s: %zu array%s matched: %s", file, report.n_matched,
             am_count(report.n_matched, "", "s"), report.matched.data);
  if (report.n_missing)
    am_run_log(&t->folder, AM_LOG_WARNING, "%s: %zu array%s missing there, drawn new: %s", file, report.n_missing,
               am_count(report.n_missing, "", "s"), report.missing.data);
  if (report.n_anew)
    am_run_log(&t->folder, AM_LOG_INFO,
               "%s: the statistics of %zu batch norm%s serve until the first batch, then those of the "
               "batches here do (statistics: plain goes on with the former)",
               file, report.n_anew, am_count(report.n_anew, "", "s"));
  if (report.n_reshaped)
    am_run_log(&t->folder, AM_LOG_WARNING, "%s: %zu array%s of another shape, drawn new: %s", file, report.n_reshaped,
               am_count(report.n_reshaped, "", "s"), report.reshaped.data);
  if (report.n_unused)
    am_run_log(&t->folder, AM_LOG_WARNING, "%s: %zu array%s not used here: %s", file, report.n_unused,
               am_count(report.n_unused, "", "s"), report.unused.data);
  am_init_report_free(t->ctx, &report);
  return AM_OK;
}

static am_status init_from(am_trainer *t, am_error *err) {
  am_h5 *file;
  am_status status = am_checkpoint_open(t->ctx, t->options->init, &file, err);
  if (status) return status;
  status = take_weights(t, file, err);
  if (!status) status = began_from(t, file, err);
  am_h5_close(file);
  return status;
}

/* ---- what trains it ---- */

static void say_one_corpus(am_trainer *t, const uint32_t *clips, size_t n) {
  size_t same = 1;
  while (same < n && t->dataset->clips[clips[same]].corpus == t->dataset->clips[clips[0]].corpus) same++;
  if (same >= n)
    am_run_log(&t->folder, AM_LOG_WARNING,
               "train.balance: corpus has nothing to balance: all clips of the training part are of one corpus");
}

static am_status make_loader(am_trainer *t, am_error *err) {
  am_config *c = t->config;
  const uint32_t *clips = t->split->at[AM_PART_TRAIN];
  size_t n = t->split->n[AM_PART_TRAIN];
  if (c->train.class_weights == AM_CLASS_WEIGHTS_BALANCED) {
    t->class_weights = am_alloc(t->ctx, (size_t)t->classes, sizeof *t->class_weights);
    if (!t->class_weights) return am_no_memory(err);
    am_class_weights(t->dataset, clips, n, t->class_weights);
  }
  if (c->train.balance & AM_BALANCE_CORPUS) say_one_corpus(t, clips, n);
  am_loader_options options = {.batch = (int)c->train.batch,
                               .max_frames = am_model_input(t->model).t,
                               .shuffle = true,
                               .balance = c->train.balance,
                               .augment = am_augment_any(&c->augment),
                               .seed = c->seed,
                               .class_weights = t->class_weights,
                               .share = am_share_rows,
                               .share_arg = &t->share,
                               .bucket = c->train.bucket};
  am_status status = am_loader_create(t->ctx, t->store, t->dataset, &t->normaliser, t->fx, &c->augment, clips, n,
                                      &options, &t->loader, err);
  if (!status) t->per_epoch = am_loader_batches(t->loader);
  return status;
}

/* What prior_adjust adds to the logits in training. */
static am_status make_prior(am_trainer *t, am_error *err) {
  const double tau = t->config->loss.prior_adjust;
  const size_t K = (size_t)t->classes;
  if (tau == 0) return AM_OK;
  t->prior_shift = am_alloc(t->ctx, K, sizeof *t->prior_shift);
  t->adjusted = am_alloc(t->ctx, am_mul((size_t)t->config->train.batch, K), sizeof *t->adjusted);
  if (!t->prior_shift || !t->adjusted) return am_no_memory(err);
  size_t *count = am_split_clips(t->dataset, t->split, AM_PART_TRAIN);
  if (!count) return am_no_memory(err);
  for (size_t k = 0; k < K; k++) t->prior_shift[k] = am_loss_prior(tau, count[k], t->split->n[AM_PART_TRAIN]);
  am_free(t->ctx, count);
  return AM_OK;
}

/* What is learned of the embedding besides. */
static am_status make_heads(am_trainer *t, am_error *err) {
  const size_t batch = (size_t)t->config->train.batch;
  const bool contrasts = t->config->loss.contrastive > 0;
  am_status status = am_heads_create(t->ctx, t->config, t->dataset, t->split, t->model, &t->heads, err);
  if (status || !(t->heads.n || contrasts)) return status;
  status = am_model_embedding(t->model, &t->embedding, err);
  if (status) return am_error_prefix(err, "train.loss.contrastive");
  t->embedding_bytes = am_mul(am_mul(batch, (size_t)t->embedding), sizeof *t->dembedding);
  t->dembedding = am_alloc_aligned(t->ctx, t->embedding_bytes);
  if (!t->dembedding) return am_no_memory(err);
  if (contrasts) {
    t->contrastive_memory =
        am_alloc(t->ctx, am_contrastive_memory((int)batch, t->embedding), sizeof *t->contrastive_memory);
    t->labels = am_alloc(t->ctx, batch, sizeof *t->labels);
    if (!t->contrastive_memory || !t->labels) return am_no_memory(err);
  }
  for (size_t i = 0; i < t->heads.n; i++) {
    const struct am_head_task *task = &t->heads.task[i];
    char what[32] = "values";
    if (task->dimension < 0) snprintf(what, sizeof what, "%d classes", task->head.classes);
    am_run_log(&t->folder, AM_LOG_INFO, "head: %s of %s, weight %g%s", t->heads.state[i].trait, what, task->weight,
               task->weight < 0 ? " (its gradient is reversed)" : "");
  }
  return AM_OK;
}

static am_status make_training(am_trainer *t, am_error *err) {
  am_config *c = t->config;
  size_t K = (size_t)t->classes, batch = (size_t)c->train.batch;
  am_ranks *split = c->train.split_slots ? am_context_ranks(t->ctx) : NULL;
  am_status status =
      am_optimiser_create_split(t->ctx, &c->optimiser, c->train.ema, t->model, split, &t->optimiser, err);
  int width = 0;
  am_model_embedding(t->model, &width, NULL); /* whether it is wanted is known later */
  if (!status) status = am_share_begin(t->ctx, (int)batch, (int)c->train.groups, t->classes, width, &t->share, err);
  if (!status) status = make_loader(t, err);
  if (!status) status = make_prior(t, err);
  if (!status) status = make_heads(t, err);
  if (!status) status = am_share_session(&t->share, t->model, &t->session, err);
  if (!status) status = am_session_create(t->model, (int)batch, false, &t->inference, err);
  if (status) return status;
  t->dlogits = am_alloc_aligned(t->ctx, am_mul(batch * K, sizeof *t->dlogits));
  t->logits = am_alloc_aligned(t->ctx, am_mul((t->split->n[AM_PART_VALIDATION] + 1) * K, sizeof *t->logits));
  if (!t->dlogits || !t->logits) return am_no_memory(err);
  am_trainer_say_lone(t);
  if (t->optimiser->n_frozen)
    am_run_log(&t->folder, AM_LOG_INFO, "%zu of %zu arrays are frozen", t->optimiser->n_frozen, t->optimiser->n_arrays);
  if (t->optimiser->ranks)
    am_run_log(&t->folder, AM_LOG_INFO,
               "the optimiser's slots are split over %d processes; this one has %.1f%% of them",
               am_ranks_size(t->optimiser->ranks),
               100 * (double)(t->optimiser->end - t->optimiser->begin) / (double)t->optimiser->n);
  if (t->options->profile) am_session_profile(t->session, true);
  am_session_zero_gradients(t->session); /* after this the optimiser leaves them zero */
  return AM_OK;
}

/* All processes train on the same clips, */
static am_status same_data(am_trainer *t, am_error *err) {
  return am_share_same_digest(t->ctx, "digest of corpus and split", am_data_digest(t->dataset, t->split), err);
}

/* which sound the same. */
static am_status same_recordings(am_trainer *t, am_error *err) {
  uint64_t all = 0;
  for (size_t i = 0; i < t->dataset->n; i++) {
    const uint64_t digest = am_store_digest(t->store, (uint32_t)i);
    all = am_hash64(all, &digest, sizeof digest);
  }
  return am_share_same_digest(t->ctx, "digest of the recordings", all, err);
}

am_status am_trainer_setup(am_trainer *t, am_error *err) {
  am_status status = load_data(t, err);
  if (!status) status = same_data(t, err);
  if (!status) status = make_features(t, err);
  if (!status) status = same_recordings(t, err);
  if (!status) status = make_model(t, err);
  if (!status && t->options->init) status = init_from(t, err);
  return status ? status : make_training(t, err);
}

void am_trainer_free(am_trainer *t) {
  am_context *ctx = t->ctx;
  if (t->loader) am_loader_free(t->loader);
  am_share_end(&t->share); /* sums may be under way in the session's gradients */
  if (t->session) am_session_free(t->session);
  if (t->inference) am_session_free(t->inference);
  am_optimiser_free(t->optimiser);
  am_heads_free(&t->heads);
  if (t->model) am_model_free(t->model);
  am_normaliser_free(ctx, &t->normaliser);
  if (t->store) am_store_free(t->store);
  if (t->fx) am_features_free(t->fx);
  if (t->split) am_split_free(ctx, t->split);
  if (t->dataset) am_dataset_free(t->dataset);
  am_free(ctx, t->class_weights);
  am_free(ctx, t->prior_shift);
  am_free(ctx, t->adjusted);
  am_free_aligned(ctx, t->dlogits);
  am_free_aligned(ctx, t->dembedding);
  am_free(ctx, t->contrastive_memory);
  am_free(ctx, t->labels);
  am_free_aligned(ctx, t->logits);
  am_free(ctx, t->state.history);
  am_free(ctx, t->digests.at);
  am_free(ctx, t->profile.took);
  am_names_free(ctx, &t->trained_before);
  am_credit_free(ctx, &t->credit_before);
  am_run_folder_end(&t->folder);
}
