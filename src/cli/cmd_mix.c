/* SPDX-License-Identifier: MIT */
/* cli/cmd_mix.c - audiomood mix: speech in generated noise, to teach and to measure a speech detector. */
#include <math.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "base/number.h"
#include "cli/cli.h"
#include "data/split.h"
#include "io/csv.h"
#include "model/detector.h"
#include "synth/mixture.h"

enum { MOST = 32 }; /* families, ratios */

typedef struct mixing {
  cli *c;
  const char *folder;
  const am_dataset *d;
  am_mixture_options o;
  const am_noise_family *families[MOST];
  double snr[MOST];
  size_t recordings, windows;
  am_buffer lists[3]; /* recordings.csv, speech.csv, manifest.csv */
} mixing;

static const char *const names[] = {"recordings.csv", "speech.csv", "manifest.csv"};
static const char *const heads[] = {"path,speaker,noise,held_out,snr,level,seconds\n", "path,start,end\n",
                                    "path,label,speaker,start,seconds,noise\n"};

static const char *speaker_name(const mixing *m, const am_mixture *x) {
  return x->speaker < 0 ? "nobody" : m->d->speakers[x->speaker];
}

static void list_recording(mixing *m, const am_mixture *x, const char *file) {
  am_csv_writer w = {.ctx = m->c->ctx, .out = &m->lists[0]};
  am_csv_put(&w, file);
  am_csv_put(&w, speaker_name(m, x));
  am_csv_put(&w, x->family->name);
  am_csv_put_int(&w, x->family->held_out);
  am_csv_put_real(&w, x->snr);
  am_csv_put_real(&w, isfinite(x->gain) ? round(100 * x->gain) / 100 : NAN);
  am_csv_put_real(&w, (double)x->n / m->o.rate);
  am_csv_end_row(&w);
  w.out = &m->lists[1];
  for (size_t from = 0, to; from < x->steps; from = to) {
    for (to = from; to < x->steps && x->speech[to] == x->speech[from]; to++) {}
    if (!x->speech[from]) continue;
    am_csv_put(&w, file);
    am_csv_put_real(&w, (double)from / AM_MIXTURE_STEPS);
    am_csv_put_real(&w, (double)to / AM_MIXTURE_STEPS);
    am_csv_end_row(&w);
  }
}

static size_t steps_of(double seconds) { return (size_t)llround(seconds * AM_MIXTURE_STEPS); }

/* Whether somebody speaks where a window that ends with step `end` asks for it: 0, 1, or -1: in a part. */
static int label_at(const am_mixture *x, size_t end) {
  const size_t to = end - steps_of(AM_DETECTOR_LOOK), from = to - steps_of(AM_DETECTOR_STEP);
  int sum = 0;
  for (size_t k = from; k < to; k++) sum += x->speech[k];
  return sum == 0 ? 0 : (size_t)sum == to - from ? 1 : -1;
}

/* Windows at places that are drawn, each once, with and without speech by turns as far as there are both. */
static am_status list_windows(mixing *m, const am_mixture *x, size_t number, const char *file, am_error *err) {
  am_rng rng = am_rng_stream(m->o.seed, AM_FOR_SYNTH, number, 2, 0);
  am_csv_writer w = {.ctx = m->c->ctx, .out = &m->lists[2]};
  const size_t window = steps_of(AM_DETECTOR_WINDOW);
  uint8_t *taken = am_alloc(m->c->ctx, x->steps + 1, 1);
  if (!taken) return am_no_memory(err);
  for (size_t i = 0; i < m->windows; i++) {
    size_t end = 0;
    for (int tries = 0; tries < 100; tries++) {
      const size_t at = window + (size_t)am_rng_below(&rng, x->steps - window + 1);
      const int label = taken[at] ? -1 : label_at(x, at);
      if (label < 0) continue;
      end = at;
      if (label == (int)(i % 2) || x->speaker < 0) break;
    }
    if (!end) continue;
    taken[end] = 1;
    am_csv_put(&w, file);
    am_csv_put(&w, label_at(x, end) ? AM_DETECTOR_SPEECH : AM_DETECTOR_OTHER);
    am_csv_put(&w, speaker_name(m, x));
    am_csv_put_real(&w, (double)(end - window) / AM_MIXTURE_STEPS);
    am_csv_put_real(&w, AM_DETECTOR_WINDOW);
    am_csv_put(&w, x->family->name);
    am_csv_end_row(&w);
  }
  am_free(m->c->ctx, taken);
  return AM_OK;
}

static am_status mix_one(mixing *m, const uint32_t *clips, size_t n, size_t number, am_error *err) {
  char file[48];
  am_mixture x;
  am_status st = am_mixture_make(m->c->ctx, m->d, clips, n, &m->o, number, &x, err);
  if (st) return st;
  snprintf(file, sizeof file, "recording-%05zu.wav", number + 1);
  char *path = am_path_join(m->c->ctx, m->folder, file);
  st = path ? am_sound_write_as(m->c->ctx, AM_OURS, path, x.samples, x.n, m->o.rate, true, err) : am_no_memory(err);
  list_recording(m, &x, file);
  if (!st && m->windows) st = list_windows(m, &x, number, file, err);
  am_free(m->c->ctx, path);
  am_mixture_free(m->c->ctx, &x);
  return st;
}

static am_status write_list(mixing *m, int which, am_error *err) {
  am_buffer *b = &m->lists[which];
  char *path = am_path_join(m->c->ctx, m->folder, names[which]);
  am_status st = path && !b->failed ? AM_OK : am_no_memory(err);
  if (!st) st = am_file_write_as(m->c->ctx, AM_OURS, path, b->data, b->used, err);
  am_free(m->c->ctx, path);
  return st;
}

static am_status mix_all(mixing *m, const uint32_t *clips, size_t n, am_error *err) {
  am_status st = AM_OK;
  if (am_folder_has(m->c->ctx, m->folder, "recordings.csv"))
    st = am_fail(err, AM_E_USAGE, "%s holds recordings already; choose another folder", m->folder);
  if (!st) st = am_folder_create(m->c->ctx, m->folder, err);
  for (int i = 0; i < 3; i++) am_buffer_printf(m->c->ctx, &m->lists[i], "%s", heads[i]);
  for (size_t i = 0; i < m->recordings && !st; i++) {
    if (am_context_stopping(m->c->ctx))
      st = am_fail(err, AM_E_STOPPED, "stopped after %zu of %zu recordings", i, m->recordings);
    if (!st) st = mix_one(m, clips, n, i, err);
  }
  for (int i = m->windows ? 2 : 1; i >= 0 && !st; i--) st = write_list(m, i, err);
  for (int i = 0; i < 3; i++) am_buffer_free(m->c->ctx, &m->lists[i]);
  return st;
}

/* ---- what is asked for ---- */

static am_status no_family(cli *c, const char *name, am_error *err) {
  am_buffer all = {0};
  for (size_t i = 0; am_noise_family_at(i); i++)
    am_buffer_printf(c->ctx, &all, "%s%s", i ? ", " : "", am_noise_family_at(i)->name);
  am_status st = all.failed ? am_no_memory(err)
                            : am_fail(err, AM_E_USAGE, "--noises %s: wanted trained, held-out, all, or some of %s",
                                      name, all.data);
  am_buffer_free(c->ctx, &all);
  return st;
}

static am_status get_families(mixing *m, am_error *err) {
  const char *text = cli_value(m->c, "noises", "trained");
  const bool all = !strcmp(text, "all"), trained = !strcmp(text, "trained"), held_out = !strcmp(text, "held-out");
  m->o.families = m->families;
  for (size_t i = 0; am_noise_family_at(i); i++) {
    const am_noise_family *f = am_noise_family_at(i);
    if (all || (trained && !f->held_out) || (held_out && f->held_out)) m->families[m->o.n_families++] = f;
  }
  while (!m->o.n_families || *text == ',') {
    char name[32];
    text += *text == ',';
    const size_t n = strcspn(text, ",");
    snprintf(name, sizeof name, "%.*s", (int)n, text);
    const am_noise_family *f = am_noise_family_find(name);
    if (!f || m->o.n_families == MOST) return no_family(m->c, name, err);
    m->families[m->o.n_families++] = f;
    text += n;
  }
  return AM_OK;
}

static am_status get_ratios(mixing *m, am_error *err) {
  const char *given = cli_value(m->c, "snr", "-5,0,5,10,15,20,30"), *text = given;
  m->o.snr = m->snr;
  for (;; text++) {
    char number[32];
    double snr;
    const size_t n = strcspn(text, ",");
    snprintf(number, sizeof number, "%.*s", (int)n, text);
    if (!am_text_to_real(number, &snr) || !(snr >= -40 && snr <= 100) || m->o.n_snr == MOST)
      return am_fail(err, AM_E_USAGE, "--snr %s: wanted dB with commas between them, -40 to 100, at most %d", given,
                     (int)MOST);
    m->snr[m->o.n_snr++] = snr;
    text += n;
    if (!*text) return AM_OK;
  }
}

static am_status get_options(mixing *m, am_error *err) {
  int64_t recordings, windows, seed;
  am_mixture_options *o = &m->o;
  if (!cli_has(m->c, "out")) return am_fail(err, AM_E_USAGE, "--out DIR is missing: where the recordings go");
  am_status st = cli_int(m->c, "recordings", 1, 99999, 100, &recordings, err);
  if (!st) st = cli_int(m->c, "windows", 0, 1000, 0, &windows, err);
  if (!st) st = cli_int(m->c, "seed", 0, INT64_MAX, 1, &seed, err);
  if (!st) st = cli_real(m->c, "seconds", 2, 600, 10, &o->seconds, err);
  if (!st) st = cli_real(m->c, "empty", 0, 1, 0.3, &o->empty, err);
  if (!st) st = cli_real(m->c, "two", 0, 1, 0, &o->two, err);
  if (!st) st = cli_real(m->c, "rate", 8000, 48000, 16000, &o->rate, err);
  if (!st) st = get_families(m, err);
  if (!st) st = get_ratios(m, err);
  if (st) return st;
  m->folder = cli_value(m->c, "out", NULL);
  m->recordings = (size_t)recordings;
  m->windows = (size_t)windows;
  o->seed = (uint64_t)seed;
  return AM_OK;
}

static am_status run(cli *c, am_error *err) {
  mixing m = {.c = c};
  cli_overrides over = {0};
  am_config *config = NULL;
  am_dataset *d = NULL;
  am_split *split = NULL;
  const uint32_t *clips = NULL;
  size_t n = 0;
  am_status st = get_options(&m, err);
  if (!st) st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load_data(c->ctx, c->arguments[0], NULL, over.at, over.n, &config, err);
  if (!st) st = am_dataset_load(c->ctx, &config->data, &d, err);
  if (!st) st = cli_split_part(c, config, d, &split, &clips, &n, err);
  if (!st) {
    m.d = d;
    m.o.max_seconds = config->data.max_seconds;
    cli_warn_left_out(c, d);
    st = mix_all(&m, clips, n, err);
  }
  if (!st)
    cli_print("%zu recording%s of %g s in %s: %s in %zu generated noise%s (seed %llu)\n", m.recordings,
              am_count(m.recordings, "", "s"), m.o.seconds, m.folder, d->synthetic ? "SYNTHETIC SPEECH" : d->title,
              m.o.n_families, am_count(m.o.n_families, "", "s"), (unsigned long long)m.o.seed);
  am_split_free(c->ctx, split);
  am_dataset_free(d);
  am_config_free(config);
  return st;
}

static const cli_flag flags[] = {
    {"out", "DIR", "where recording-NNNNN.wav, recordings.csv, speech.csv and manifest.csv go"},
    {"split", "train|validation|test", "whose clips (test)"},
    {"recordings", "N", "how many, 1 to 99999 (100); families of noise take turns"},
    {"seconds", "S", "of each, 2 to 600 (10)"},
    {"noises", "NAMES", "trained, held-out, all, or families (one may come twice) with commas between them (trained)"},
    {"snr", "DB,...", "speech over noise, of which one is drawn for each recording (-5,0,5,10,15,20,30)"},
    {"empty", "SHARE", "of the recordings have no speech (0.3)"},
    {"two", "SHARE", "of the recordings have a second noise, which is softer (0)"},
    {"windows", "N", "of each recording for a manifest that a speech detector is trained on (0: no manifest)"},
    {"rate", "HZ", "sample rate (16000)"},
    {"seed", "N", "of what is drawn: the same seed gives the same files (1)"},
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {0},
};

const cli_command cli_mix = {
    .name = "mix",
    .summary = "puts speech into generated noise, with lists of where the speech is",
    .usage =
        "CONFIG --out DIR [--split PART] [--recordings N] [--seconds S] [--noises NAMES] [--snr DB,...] [--empty "
        "SHARE] "
        "[--windows N] [--rate HZ] [--seed N] [--set KEY=VALUE]...",
    .details =
        "Each recording has clips of one speaker of a part of the corpus, with pauses, over one noise: silence, room, "
        "coloured,\n"
        "hum, fan, keyboard, rain, wind, engine, alarm, music, drums or babble (of other speakers of that part), and "
        "held out\n"
        "of training crackle, birds, bells or surf. The noises are generated; they are no street. recordings.csv names "
        "speaker,\n"
        "noise and ratio of each recording, speech.csv where somebody speaks, by the level of the clips before the "
        "noise comes.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
