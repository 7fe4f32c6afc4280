/* SPDX-License-Identifier: MIT */
/* synth/iemocap.c - the synthetic IEMOCAP: its plan, its sounds, its marks. */
#include "synth/iemocap.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "synth/synth.h"

#define MARK "audiomood synthetic corpus 1, layout iemocap\n"
#define RATE 16000

enum { NEU, HAP, SAD, ANG, SUR, FEA, DIS, FRU, EXC, OTH, XXX };

/* --- The plan. --- */

am_synth_turn am_synth_turn_at(int i) {
  static const char *const scenes[AM_SYNTH_DIALOGUES] = {"F_impro01", "M_impro02", "F_script01_1"};
  static const char *const odd[AM_SYNTH_DIALOGUES] = {"F_impro05a", "M_impro02", "M_script01_1b"};
  /* Of one speaker, through the dialogues; the last but one is a rare emotion. */
  static const int labels[] = {NEU, ANG, SAD, EXC, HAP, FRU, NEU, XXX, ANG, SAD, -1, NEU};
  static const int rare[2][AM_SYNTH_SESSIONS] = {{SUR, FEA, DIS, OTH, FEA}, {OTH, SUR, FEA, XXX, DIS}};
  /* About chunks of c = 2 s: below c, c itself, below 1.25 c, 1.25 c itself, longer. */
  static const double seconds[8] = {0.7, 1.9, 2.0, 2.2, 2.5, 3.0, 4.1, 1.2};
  am_synth_turn t = {.number = i % AM_SYNTH_TURNS};
  int male = i / AM_SYNTH_TURNS % 2;
  t.speaker = male ? 'M' : 'F';
  t.dialogue = i / (2 * AM_SYNTH_TURNS) % AM_SYNTH_DIALOGUES;
  t.session = i / (2 * AM_SYNTH_TURNS * AM_SYNTH_DIALOGUES) + 1;
  t.scene = t.session == AM_SYNTH_SESSIONS ? odd[t.dialogue] : scenes[t.dialogue];
  int k = t.dialogue * AM_SYNTH_TURNS + t.number;
  t.label = labels[k] < 0 ? rare[male][t.session - 1] : labels[k];
  t.seconds = seconds[(k + 3 * t.session + 5 * male) % 8];
  t.start = 6.2901 + 9 * t.number + 4.5 * male; /* the two take turns */
  return t;
}

void am_synth_turn_name(const am_synth_turn *t, char out[48]) {
  snprintf(out, 48, "Ses%02d%s_%c%03d", t->session, t->scene, t->speaker, t->number);
}

/* --- Sounds. --- */

static am_synth_clip voice_of(const am_synth_turn *t) {
  static const int emotions[] = {1, 3, 4, 5, 8, 6, 7, 5, 3, 2, 2}; /* RAVDESS codes; frustration is mild anger */
  int k = t->dialogue * AM_SYNTH_TURNS + t->number;
  bool strong = t->label == EXC || t->label == ANG || t->label == SUR || t->label == FEA;
  return (am_synth_clip){.emotion = emotions[t->label],
                         .intensity = strong ? 2 : 1,
                         .statement = k % 2 + 1,
                         .repetition = k / 2 % 2 + 1,
                         .actor = 2 * t->session - (t->speaker == 'M')};
}

/* The first n samples from where the voice begins, silence after its end. */
static void cut(const float *in, size_t n_in, float *out, size_t n) {
  float peak = 0;
  size_t from = 0;
  for (size_t i = 0; i < n_in; i++) peak = fmaxf(peak, fabsf(in[i]));
  while (from + 1 < n_in && fabsf(in[from]) < 0.1f * peak) from++;
  from = from > RATE / 20 ? from - RATE / 20 : 0;
  size_t there = n_in - from < n ? n_in - from : n;
  memcpy(out, in + from, there * sizeof *out);
  memset(out + there, 0, (n - there) * sizeof *out);
}

typedef struct job {
  am_context *ctx;
  const char *dir;
  uint64_t seed;
  atomic_size_t done;
  atomic_bool failed;
  am_error *errors; /* (workers) */
  double began;
} job;

static am_status write_turn(const job *j, const am_synth_turn *t, const char *name, am_error *err) {
  am_synth_clip clip = voice_of(t);
  float *voice = NULL;
  size_t n_voice, n = (size_t)lround(t->seconds * RATE);
  am_status status = am_synth_voice(j->ctx, j->seed, &clip, RATE, &voice, &n_voice, err);
  if (status != AM_OK) return status;
  float *samples = am_alloc(j->ctx, n, sizeof *samples);
  char *path =
      am_format(j->ctx, "%s/Session%d/sentences/wav/Ses%02d%s/%s.wav", j->dir, t->session, t->session, t->scene, name);
  status = samples && path ? AM_OK : am_no_memory(err);
  if (status == AM_OK) {
    cut(voice, n_voice, samples, n);
    status = am_sound_write_as(j->ctx, AM_OURS, path, samples, n, RATE, true, err);
  }
  am_free(j->ctx, path);
  am_free(j->ctx, samples);
  am_free(j->ctx, voice);
  return status;
}

static void report(job *j, bool finished) {
  am_progress p = {.size = sizeof p,
                   .task = "synthetic corpus",
                   .unit = "clips",
                   .done = atomic_load(&j->done),
                   .total = AM_SYNTH_UTTERANCES,
                   .seconds = am_now() - j->began,
                   .finished = finished};
  am_progress_emit(j->ctx, &p);
}

static void piece(void *arg, size_t index, int worker) {
  job *j = arg;
  if (atomic_load(&j->failed) || am_context_stopping(j->ctx)) return;
  am_synth_turn t = am_synth_turn_at((int)index);
  char name[48];
  am_synth_turn_name(&t, name);
  /* The label without a sound. */
  bool unheard = t.session == 3 && t.dialogue == 2 && t.speaker == 'F' && t.number == 3;
  am_status status = unheard ? AM_OK : write_turn(j, &t, name, &j->errors[worker]);
  if (status == AM_OK && t.session == 4 && t.dialogue == 1 && t.speaker == 'M' && t.number == 3)
    status = write_turn(j, &t, "Ses04M_impro02_M009", &j->errors[worker]); /* the sound without a label */
  if (status != AM_OK) atomic_store(&j->failed, true);
  size_t done = atomic_fetch_add(&j->done, 1) + 1;
  if (done % 8 == 0 && done < AM_SYNTH_UTTERANCES) report(j, false);
}

static am_status write_sounds(job *j, am_error *err) {
  int workers = am_context_threads(j->ctx);
  j->errors = am_alloc(j->ctx, (size_t)workers, sizeof *j->errors);
  if (!j->errors) return am_no_memory(err);
  for (int w = 0; w < workers; w++) j->errors[w] = (am_error)AM_ERROR_INIT;
  j->began = am_now();
  am_parallel_for(j->ctx, AM_SYNTH_UTTERANCES, piece, j);
  am_status status = AM_OK;
  for (int w = 0; w < workers && status == AM_OK; w++)
    if (j->errors[w].status != AM_OK) status = am_fail(err, j->errors[w].status, "%s", j->errors[w].message);
  am_free(j->ctx, j->errors);
  report(j, true);
  if (status == AM_OK && am_context_stopping(j->ctx))
    status = am_fail(err, AM_E_STOPPED, "%s: stopped before all sounds were written; run synth again", j->dir);
  return status;
}

/* --- The folder. --- */

static am_status write_text(am_context *ctx, const char *dir, const char *name, const char *text, size_t bytes,
                            am_error *err) {
  char *path = am_path_join(ctx, dir, name);
  am_status status = path ? am_file_write_own(ctx, path, NULL, text, bytes, err) : am_no_memory(err);
  am_free(ctx, path);
  return status;
}

static am_status write_mark(const job *j, const char *state, am_error *err) {
  char text[160];
  int n = snprintf(text, sizeof text, MARK "seed %" PRIu64 "\nstate %s\n", j->seed, state);
  return write_text(j->ctx, j->dir, "SYNTHETIC", text, (size_t)n, err);
}

static am_status check_folder(const job *j, am_error *err) {
  if (!am_folder_exists(j->dir)) return AM_OK;
  am_folder_clean(j->ctx, j->dir,
                  AM_OLD_ASIDE); /* a killed process may have left its mark half-written, and nothing else */
  am_names names;
  am_status status = am_folder_list(j->ctx, j->dir, &names, err);
  if (status != AM_OK) return status;
  size_t n = names.n, bytes = 0;
  am_names_free(j->ctx, &names);
  if (n == 0) return AM_OK;
  char *path = am_path_join(j->ctx, j->dir, "SYNTHETIC"), *text = NULL;
  status = path ? am_file_read(j->ctx, path, 65536, &text, &bytes, NULL) : AM_E_NOMEM;
  bool ours = status == AM_OK && strncmp(text, MARK, strlen(MARK)) == 0;
  am_free(j->ctx, text);
  am_free(j->ctx, path);
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (ours) return AM_OK;
  return am_fail(err, AM_E_USAGE,
                 "%s: holds %zu files or folders and no SYNTHETIC mark of this layout; nothing was written. "
                 "Give a new or empty folder",
                 j->dir, n);
}

/* What macOS leaves beside files that it copies. */
static am_status write_apple_doubles(const job *j, am_error *err) {
  static const char content[] = "\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ";
  static const char *const names[] = {"Session1/sentences/wav/Ses01F_impro01/._Ses01F_impro01_F000.wav",
                                      "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt",
                                      "Session1/dialog/EmoEvaluation/Categorical/._Ses01F_impro01_e1_cat.txt"};
  am_status status = AM_OK;
  for (int i = 0; i < 3 && status == AM_OK; i++)
    status = write_text(j->ctx, j->dir, names[i], content, sizeof content - 1, err);
  return status;
}

/* One of ours, without what a killed process left half-written in it. */
static am_status own_folder(const job *j, const char *name, am_error *err) {
  am_status status = am_folder_own(j->ctx, j->dir, name, err);
  char *path = am_path_join(j->ctx, j->dir, name);
  if (!path) status = am_no_memory(err);
  if (status == AM_OK) am_folder_clean(j->ctx, path, AM_OLD_ASIDE);
  am_free(j->ctx, path);
  return status;
}

static am_status make_folders(const job *j, am_error *err) {
  char name[160];
  static const char *const below[] = {"dialog/EmoEvaluation/Categorical", "dialog/EmoEvaluation/Attribute",
                                      "dialog/EmoEvaluation/Self-evaluation", "dialog/transcriptions"};
  am_status status = AM_OK;
  for (int s = 1; s <= AM_SYNTH_SESSIONS && status == AM_OK; s++)
    for (int i = 0; i < 4 && status == AM_OK; i++) {
      snprintf(name, sizeof name, "Session%d/%s", s, below[i]);
      status = own_folder(j, name, err);
    }
  for (int i = 0; i < AM_SYNTH_UTTERANCES && status == AM_OK; i += 2 * AM_SYNTH_TURNS) {
    am_synth_turn t = am_synth_turn_at(i);
    snprintf(name, sizeof name, "Session%d/sentences/wav/Ses%02d%s", t.session, t.session, t.scene);
    status = own_folder(j, name, err);
  }
  return status;
}

am_status am_synth_iemocap(am_context *ctx, const char *dir, uint64_t seed, size_t *clips, am_error *err) {
  static const char readme[] =
      "SYNTHETIC SPEECH\n\n"
      "This tree was computed by `audiomood synth --layout iemocap`; nobody spoke it and nobody rated it.\n"
      "It has the folders, file names and label formats of IEMOCAP (Busso et al. 2008), so that the same\n"
      "loader reads it, and contains nothing of it. Results on it say that the software works, and nothing\n"
      "about emotions in people.\n";
  job j = {.ctx = ctx, .dir = dir, .seed = seed};
  *clips = 0;
  am_status status = check_folder(&j, err);
  if (status == AM_OK) status = am_folder_create(ctx, dir, err);
  if (status == AM_OK) status = write_mark(&j, "unfinished", err);
  if (status == AM_OK) status = write_text(ctx, dir, "README.txt", readme, sizeof readme - 1, err);
  if (status == AM_OK) status = make_folders(&j, err);
  for (int s = 1; s <= AM_SYNTH_SESSIONS && status == AM_OK; s++) status = am_synth_iemocap_texts(ctx, dir, s, err);
  if (status == AM_OK) status = write_apple_doubles(&j, err);
  if (status == AM_OK) status = write_sounds(&j, err);
  if (status == AM_OK) status = write_mark(&j, "complete", err);
  if (status == AM_OK) *clips = AM_SYNTH_UTTERANCES; /* one missing, one more */
  return status;
}
