/* SPDX-License-Identifier: MIT */
/* synth/synth.c - clips, and the corpus on disk. */
#include "synth/synth.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audio/sound.h"
#include "base/file.h"
#include "base/system.h"
#include "synth/parts.h"
#include "synth/prosody.h"
#include "synth/room.h"
#include "synth/speech.h"
#include "synth/voice.h"

#define ACTORS 24
#define CLIPS_PER_REPETITION 30 /* 2 statements x (1 neutral + 7 emotions x 2 intensities) */
#define MARK_NAME "SYNTHETIC"
#define MARK_FIRST_LINE "audiomood synthetic corpus 1\n"

static am_status clip_check(const am_synth_clip *c, double rate, am_error *err) {
  if (c->emotion < 1 || c->emotion > 8 || c->intensity < 1 || c->intensity > 2 || c->statement < 1 ||
      c->statement > 2 || c->repetition < 1 || c->repetition > 2 || c->actor < 1 || c->actor > ACTORS)
    return am_fail(err, AM_E_USAGE,
                   "synth: no clip has emotion %d, intensity %d, statement %d, repetition %d, actor %d; "
                   "wanted emotion 1-8, "
                   "intensity, statement and repetition 1-2, actor 1-24",
                   c->emotion, c->intensity, c->statement, c->repetition, c->actor);
  if (c->emotion == 1 && c->intensity == 2)
    return am_fail(err, AM_E_USAGE, "synth: emotion 1 (neutral) has no strong intensity; use intensity 1");
  if (!(rate >= 8000 && rate <= 96000))
    return am_fail(err, AM_E_USAGE, "synth: rate is %g Hz; wanted 8000 to 96000", rate);
  return AM_OK;
}

am_status am_synth_voice(am_context *ctx, uint64_t seed, const am_synth_clip *clip, double rate, float **samples,
                         size_t *n, am_error *err) {
  *samples = NULL;
  *n = 0;
  am_status status = clip_check(clip, rate, err);
  if (status != AM_OK) return status;
  am_synth_speaker speaker = am_synth_speaker_draw(seed, clip->actor);
  double cue[AM_CUES];
  am_synth_delivery_draw(seed, clip, &speaker, cue);
  am_synth_frame *frames;
  size_t n_frames;
  status = am_synth_speak(ctx, seed, clip, &speaker, cue, &frames, &n_frames, err);
  if (status != AM_OK) return status;
  size_t length = am_synth_length(n_frames, rate);
  float *out = am_alloc(ctx, length, sizeof *out), *scratch = am_alloc(ctx, 2 * length, sizeof *scratch);
  if (!out || !scratch) {
    status = am_no_memory(err);
    am_free(ctx, out);
  } else {
    am_synth_source source = {.open = cue[AM_CUE_OPEN],
                              .tilt_db = cue[AM_CUE_TILT],
                              .jitter = cue[AM_CUE_JITTER],
                              .shimmer_db = 0.3 + 0.5 * cue[AM_CUE_JITTER],
                              .higher = 1000 * speaker.tract * speaker.higher,
                              .damping = 1 + 0.03 * fmax(0, cue[AM_CUE_BREATH] + 30)};
    am_synth_room room = am_synth_room_draw(seed, clip);
    room.energy_db = cue[AM_CUE_ENERGY];
    am_synth_voice_run(am_synth_stream(seed, clip, AM_SYNTH_DRAW_SOURCE), frames, n_frames, &source, rate, out, length);
    am_synth_room_run(am_synth_stream(seed, clip, AM_SYNTH_DRAW_NOISE), &room, rate, out, scratch, length);
    *samples = out;
    *n = length;
  }
  am_free(ctx, scratch);
  am_free(ctx, frames);
  return status;
}

/* --- The corpus on disk. --- */

/* Clip `index` of an actor in name order, 0..59 (repetitions innermost, as RAVDESS's names sort). */
static am_synth_clip clip_at(int actor, int index) {
  int repetition = index % 2 + 1, statement = index / 2 % 2 + 1, take = index / 4; /* 0..14: neutral, then 7 x 2 */
  int emotion = take == 0 ? 1 : (take - 1) / 2 + 2, intensity = take == 0 ? 1 : (take - 1) % 2 + 1;
  return (am_synth_clip){emotion, intensity, statement, repetition, actor};
}

/* DIR/Actor_NN/03-01-EE-II-SS-RR-NN.wav; NULL when memory fails. */
static char *clip_path(am_context *ctx, const char *dir, const am_synth_clip *c) {
  return am_format(ctx, "%s/Actor_%02d/03-01-%02d-%02d-%02d-%02d-%02d.wav", dir, c->actor, c->emotion, c->intensity,
                   c->statement, c->repetition, c->actor);
}

typedef struct corpus_job {
  am_context *ctx;
  const char *dir;
  const am_synth_options *options;
  size_t n;
  atomic_size_t done;
  atomic_bool failed;
  am_error *errors; /* (workers) the first failure of each */
  double began;
} corpus_job;

static am_synth_clip job_clip(const corpus_job *job, size_t index) {
  int per_actor = CLIPS_PER_REPETITION * job->options->repetitions;
  int actor = (int)(index / (size_t)per_actor) + 1, k = (int)(index % (size_t)per_actor);
  return clip_at(actor, job->options->repetitions == 2 ? k : 2 * k);
}

static void job_progress(const corpus_job *job, size_t done) {
  am_progress p = {.size = sizeof p,
                   .task = "synthetic corpus",
                   .unit = "clips",
                   .done = done,
                   .total = job->n,
                   .seconds = am_now() - job->began,
                   .finished = done == job->n};
  am_progress_emit(job->ctx, &p);
}

static void job_piece(void *arg, size_t index, int worker) {
  corpus_job *job = arg;
  if (atomic_load(&job->failed) || am_context_stopping(job->ctx)) return;
  am_synth_clip clip = job_clip(job, index);
  am_error *err = &job->errors[worker];
  float *samples = NULL;
  size_t n = 0;
  char *path = clip_path(job->ctx, job->dir, &clip);
  am_status status = path ? AM_OK : am_no_memory(err);
  if (status == AM_OK)
    status = am_synth_voice(job->ctx, job->options->seed, &clip, job->options->rate, &samples, &n, err);
  if (status == AM_OK) status = am_sound_write_as(job->ctx, AM_OURS, path, samples, n, job->options->rate, true, err);
  am_free(job->ctx, samples);
  am_free(job->ctx, path);
  if (status != AM_OK) {
    atomic_store(&job->failed, true);
    return;
  }
  size_t done = atomic_fetch_add(&job->done, 1) + 1;
  if (done % 8 == 0 && done != job->n) job_progress(job, done);
}

/* Writes all clips on all cores. */
static am_status clips_write(corpus_job *job, am_error *err) {
  int workers = am_context_threads(job->ctx);
  job->errors = am_alloc(job->ctx, (size_t)workers, sizeof *job->errors);
  if (!job->errors) return am_no_memory(err);
  for (int w = 0; w < workers; w++) job->errors[w].size = sizeof(am_error);
  job->began = am_now();
  am_parallel_for(job->ctx, job->n, job_piece, job);
  am_status status = AM_OK;
  for (int w = 0; w < workers && status == AM_OK; w++)
    if (job->errors[w].status != AM_OK) status = am_fail(err, job->errors[w].status, "%s", job->errors[w].message);
  am_free(job->ctx, job->errors);
  size_t done = atomic_load(&job->done);
  if (status == AM_OK && done < job->n)
    status = am_fail(err, AM_E_STOPPED, "%s: stopped after %zu of %zu clips; run synth again to write them all",
                     job->dir, done, job->n);
  if (status == AM_OK) job_progress(job, job->n);
  return status;
}

/* The mark that the folder is ours and may be written again. */
static am_status mark_write(const corpus_job *job, const char *state, am_error *err) {
  am_buffer text = {0};
  const am_synth_options *o = job->options;
  am_buffer_printf(job->ctx, &text,
                   MARK_FIRST_LINE "seed %" PRIu64 "\nactors %d\nrepetitions %d\nrate %.17g\nclips %zu\nstate %s\n",
                   o->seed, o->actors, o->repetitions, o->rate, job->n, state);
  char *path = am_path_join(job->ctx, job->dir, MARK_NAME);
  am_status status =
      text.failed || !path ? am_no_memory(err) : am_file_write_own(job->ctx, path, NULL, text.data, text.used, err);
  am_free(job->ctx, path);
  am_buffer_free(job->ctx, &text);
  return status;
}

static am_status readme_write(const corpus_job *job, am_error *err) {
  static const char text[] =
      "SYNTHETIC SPEECH\n\n"
      "These clips were computed by `audiomood synth`; nobody spoke them. They follow the\n"
      "naming of RAVDESS (Livingstone & Russo 2018) so that the same loader reads them, and\n"
      "contain nothing of it. Results on them say that the software works, and nothing\n"
      "about emotions in people. SYNTHETIC holds the settings that made this folder.\n\n"
      "modality(03)-channel(01)-emotion-intensity-statement-repetition-actor.wav\n"
      "emotion 01 neutral 02 calm 03 happy 04 sad 05 angry 06 fearful 07 disgust 08 surprised\n"
      "odd actors have a man's voice, even actors a woman's\n";
  char *path = am_path_join(job->ctx, job->dir, "README.txt");
  am_status status = path ? am_file_write_own(job->ctx, path, NULL, text, sizeof text - 1, err) : am_no_memory(err);
  am_free(job->ctx, path);
  return status;
}

/* AM_OK when `dir` is absent, empty, or made by us. */
static am_status folder_check(am_context *ctx, const char *dir, am_error *err) {
  if (!am_folder_exists(dir)) return AM_OK; /* a file of that name is refused when the folder is created */
  am_folder_clean(ctx, dir, AM_OLD_ASIDE);  /* a killed process may have left its mark half-written, and nothing else */
  am_names names;
  am_status status = am_folder_list(ctx, dir, &names, err);
  if (status != AM_OK) return status;
  size_t n = names.n;
  am_names_free(ctx, &names);
  if (n == 0) return AM_OK;
  char *path = am_path_join(ctx, dir, MARK_NAME), *text = NULL;
  size_t bytes = 0;
  status = path ? am_file_read(ctx, path, 65536, &text, &bytes, NULL) : AM_E_NOMEM;
  bool ours = status == AM_OK && strncmp(text, MARK_FIRST_LINE, strlen(MARK_FIRST_LINE)) == 0;
  am_free(ctx, text);
  am_free(ctx, path);
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (!ours)
    return am_fail(err, AM_E_USAGE,
                   "%s: holds %zu files or folders and no " MARK_NAME
                   " mark; nothing was written. Give a new or empty "
                   "folder",
                   dir, n);
  return AM_OK;
}

/* Removes clips of an earlier, larger corpus, so that no mixture of two remains. */
static am_status leftovers_remove(const corpus_job *job, am_error *err) {
  for (int actor = 1; actor <= ACTORS; actor++) {
    char name[24];
    snprintf(name, sizeof name, "Actor_%02d", actor);
    am_status own = am_folder_check_own(job->ctx, job->dir, name, err); /* or recordings elsewhere would be removed */
    if (own != AM_OK) return own;
    for (int k = 0; k < 2 * CLIPS_PER_REPETITION; k++) {
      am_synth_clip clip = clip_at(actor, k);
      if (actor <= job->options->actors && clip.repetition <= job->options->repetitions) continue;
      char *path = clip_path(job->ctx, job->dir, &clip);
      if (!path) return am_no_memory(err);
      int failed = am_context_system(job->ctx)->unlink(path) != 0 && errno != ENOENT ? errno : 0;
      am_status status =
          failed ? am_fail_errno(err, failed, "%s: cannot remove a clip of an earlier corpus", path) : AM_OK;
      am_free(job->ctx, path);
      if (status != AM_OK) return status;
    }
    if (actor > job->options->actors) {
      char *folder = am_format(job->ctx, "%s/Actor_%02d", job->dir, actor);
      if (!folder) return am_no_memory(err);
      rmdir(folder); /* only if it is empty now: what others put there stays */
      am_free(job->ctx, folder);
    }
  }
  return AM_OK;
}

static am_status folders_create(const corpus_job *job, am_error *err) {
  for (int actor = 1; actor <= job->options->actors; actor++) {
    char name[24];
    snprintf(name, sizeof name, "Actor_%02d", actor);
    am_status status = am_folder_own(job->ctx, job->dir, name, err);
    char *folder = am_path_join(job->ctx, job->dir, name);
    if (!folder) status = am_no_memory(err);
    if (status == AM_OK) am_folder_clean(job->ctx, folder, AM_OLD_ASIDE); /* what killed processes left half-written */
    am_free(job->ctx, folder);
    if (status != AM_OK) return status;
  }
  return AM_OK;
}

am_status am_synth_corpus(am_context *ctx, const char *dir, const am_synth_options *options, size_t *clips,
                          am_error *err) {
  *clips = 0;
  if (options->actors < 1 || options->actors > ACTORS)
    return am_fail(err, AM_E_USAGE, "synth: actors is %d; wanted 1 to %d", options->actors, ACTORS);
  if (options->repetitions < 1 || options->repetitions > 2)
    return am_fail(err, AM_E_USAGE, "synth: repetitions is %d; wanted 1 or 2", options->repetitions);
  am_synth_clip first = clip_at(1, 0);
  am_status status = clip_check(&first, options->rate, err);
  if (status == AM_OK) status = folder_check(ctx, dir, err);
  if (status == AM_OK) status = am_folder_create(ctx, dir, err);
  corpus_job job = {.ctx = ctx,
                    .dir = dir,
                    .options = options,
                    .n = (size_t)options->actors * (size_t)options->repetitions * CLIPS_PER_REPETITION};
  /* The mark comes first: an interrupted corpus is still ours to finish. */
  if (status == AM_OK) status = mark_write(&job, "unfinished", err);
  if (status == AM_OK) status = leftovers_remove(&job, err);
  if (status == AM_OK) status = folders_create(&job, err);
  if (status == AM_OK) status = readme_write(&job, err);
  if (status == AM_OK) status = clips_write(&job, err);
  if (status == AM_OK) status = mark_write(&job, "complete", err);
  *clips = atomic_load(&job.done);
  return status;
}
