/* SPDX-License-Identifier: MIT */
/* data/corpora/ravdess.c - RAVDESS (Livingstone & Russo 2018), in every layout in
 * which it is found on disks: nested, flat, or with a copy of itself inside.
 *
 * The file name says everything, MM-CC-EE-II-SS-RR-AA: modality,
 * channel, emotion, intensity, statement, repetition, actor.  So clips are
 * found at any depth, and the names of the complete corpus (1440 speech, 1012
 * song) follow from the rule.  Clips are listed as the published experiments
 * walked them: song before speech, actors ascending, names ascending. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/endings.h"
#include "base/file.h"
#include "base/utf8.h"
#include "data/corpora/corpus.h"

enum { SPEECH = 1, SONG = 2, ACTORS = 24, EMOTIONS = 8, SONG_EMOTIONS = 6, NEUTRAL = 1, AUDIO_ONLY = 3 };
enum { CELLS = 2 * ACTORS * EMOTIONS * 2 * 2 * 2 };

static const char *const labels[EMOTIONS] = {"neutral", "calm",    "happy",   "sad",
                                             "angry",   "fearful", "disgust", "surprised"};
static const char *const actors[ACTORS] = {"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12",
                                           "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24"};

typedef struct code {
  int modality, channel, emotion, intensity, statement, repetition, actor;
} code;

typedef struct search {
  am_corpus *corpus;
  const am_data_options *o;
  const char *found[CELLS]; /* names by cell, NULL missing */
  size_t clips;             /* audio-only clips in the naming grid, copies aside */
  bool synthetic;
  char archive[128]; /* a zip that was not unpacked */
} search;

/* "03-01-06-01-02-01-12.wav": seven pairs of digits, then an extension. */
static bool parse(const char *base, code *out) {
  int pair[7];
  for (int i = 0; i < 7; i++) {
    const char *p = base + 3 * i;
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9' || p[2] != (i < 6 ? '-' : '.')) return false;
    pair[i] = 10 * (p[0] - '0') + (p[1] - '0');
  }
  *out = (code){pair[0], pair[1], pair[2], pair[3], pair[4], pair[5], pair[6]};
  return true;
}

static bool within(int value, int high) { return value >= 1 && value <= high; }

/* Does the corpus have such a clip?  Neutral has no strong intensity; song has six emotions and not actor 18. */
static bool in_grid(const code *c) {
  if (!within(c->channel, 2) || !within(c->emotion, c->channel == SONG ? SONG_EMOTIONS : EMOTIONS) ||
      !within(c->intensity, 2) || !within(c->statement, 2) || !within(c->repetition, 2) || !within(c->actor, ACTORS))
    return false;
  return !(c->emotion == NEUTRAL && c->intensity == 2) && !(c->channel == SONG && c->actor == 18);
}

/* Cells in the published order. */
static int cell_of(const code *c) {
  int at = c->channel == SONG ? 0 : 1;
  at = at * ACTORS + c->actor - 1;
  at = at * EMOTIONS + c->emotion - 1;
  at = at * 2 + c->intensity - 1;
  at = at * 2 + c->statement - 1;
  return at * 2 + c->repetition - 1;
}

static code code_of(int cell) {
  code c = {.modality = AUDIO_ONLY};
  c.repetition = cell % 2 + 1;
  c.statement = cell / 2 % 2 + 1;
  c.intensity = cell / 4 % 2 + 1;
  c.emotion = cell / 8 % EMOTIONS + 1;
  c.actor = cell / (8 * EMOTIONS) % ACTORS + 1;
  c.channel = cell / (8 * EMOTIONS * ACTORS) ? SPEECH : SONG;
  return c;
}

static bool part_wanted(const am_data_options *o, int channel) {
  return o->parts >> (channel == SONG ? AM_RAVDESS_SONG : AM_RAVDESS_SPEECH) & 1;
}
static bool intensity_wanted(const am_data_options *o, int intensity) {
  return o->intensity >> (intensity == 1 ? AM_RAVDESS_NORMAL : AM_RAVDESS_STRONG) & 1;
}

/* Why a file that looks like a clip is none of ours; NULL: it is. */
static const char *refuse(const am_data_options *o, const code *c) {
  if (c->modality != AUDIO_ONLY)
    return "taken from the videos (modality 01 or 02): repeats the sound of the audio-only clips";
  if (!in_grid(c)) return "no clip of RAVDESS has such a name";
  if (!part_wanted(o, c->channel)) return c->channel == SONG ? "song (data.parts)" : "speech (data.parts)";
  if (!intensity_wanted(o, c->intensity))
    return c->intensity == 1 ? "normal intensity (data.intensity)" : "strong intensity (data.intensity)";
  return NULL;
}

static am_status on_file(void *user, const char *name, am_error *err) {
  search *s = user;
  const char *base = am_path_base(name);
  code c;
  if (!strcmp(base, "SYNTHETIC")) s->synthetic = true;
  if (am_text_ends(base, ".zip") && !*s->archive) snprintf(s->archive, sizeof s->archive, "%s", name);
  bool named = parse(base, &c), sound = am_sound_ending_known(base);
  if (!strncmp(base, "._", 2)) /* left by macOS beside each file of a copied folder */
    return sound ? am_corpus_leave_out(s->corpus, "AppleDouble file (._*), not a sound", name, err) : AM_OK;
  if (!named) return sound ? am_corpus_leave_out(s->corpus, "name is not RAVDESS's", name, err) : AM_OK;
  if (!sound && c.modality == AUDIO_ONLY) return AM_OK; /* notes, labels, pictures beside a clip */
  const char *reason = refuse(s->o, &c);
  if (reason && c.modality == AUDIO_ONLY && in_grid(&c)) s->clips++;
  if (reason) return am_corpus_leave_out(s->corpus, reason, name, err);
  if (am_utf8_wrong(name)) return am_corpus_leave_out(s->corpus, "name is not UTF-8", name, err);
  int cell = cell_of(&c);
  if (s->found[cell]) return am_corpus_leave_out(s->corpus, "copy of a clip that was found already", name, err);
  s->clips++;
  s->found[cell] = am_corpus_text(s->corpus, err, "%s", name);
  return s->found[cell] ? AM_OK : AM_E_NOMEM;
}

/* Such a thing is no sound even under a clip's name, and reading it might never end. */
static am_status on_special(void *user, const char *name, am_error *err) {
  search *s = user;
  return am_corpus_leave_out(s->corpus, "a pipe or a device, not a file", name, err);
}

static am_status fail_nothing(const search *s, const am_walk *walk, am_error *err) {
  const char *root = s->corpus->d->root;
  char found[448] = "", more[256] = "";
  if (walk->files)
    snprintf(found, sizeof found, "%zu file%s such as %s in %zu folder%s", walk->files, am_count(walk->files, "", "s"),
             *walk->first_file ? walk->first_file : "hidden ones", walk->folders, am_count(walk->folders, "", "s"));
  else if (walk->folders)
    snprintf(found, sizeof found, "%zu folder%s such as %s and no file", walk->folders,
             am_count(walk->folders, "", "s"), walk->first_folder);
  else snprintf(found, sizeof found, "an empty folder");
  if (*s->archive) snprintf(more, sizeof more, "; unpack %s first", s->archive);
  else if (s->corpus->n_left_out)
    snprintf(more, sizeof more, "; %zu left out: %s", s->corpus->left_out[0].count, s->corpus->left_out[0].reason);
  return am_fail(err, AM_E_DATA,
                 "%s: no RAVDESS clip: looked for names such as Actor_12/03-01-06-01-02-01-12.wav to %d folders deep, "
                 "found %s%s; set data.root (datasets/get-ravdess fetches the corpus)",
                 root, AM_WALK_DEPTH, found, more);
}

/* The root is one actor's folder: works, but is rarely meant. */
static void hint_low_root(am_corpus *corpus) {
  const char *root = corpus->d->root, *base = am_path_base(root);
  if (strncmp(base, "Actor_", 6)) return;
  am_log(corpus->ctx, AM_LOG_WARNING, "%s is the folder of one actor; give the folder above it for all 24", root);
}

static void describe(am_dataset *d) {
  if (d->synthetic) {
    d->corpus = "synthetic";
    d->title = "AudioMood demo corpus: synthetic voices in RAVDESS naming, no human speech";
    d->licence = "MIT, as AudioMood itself";
    d->citation = "made by `audiomood synth`";
    d->language = "synthetic";
    return;
  }
  d->identity = "ravdess";
  d->title = "RAVDESS: The Ryerson Audio-Visual Database of Emotional Speech and Song";
  d->licence = "CC BY-NC-SA 4.0";
  d->citation =
      "Livingstone SR, Russo FA (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), "
      "PLoS ONE 13(5): e0196391, doi 10.1371/journal.pone.0196391; Zenodo record 1188976";
  d->language = "English (North American)";
}

/* The seed in the mark of `audiomood synth` says which voices these are; those of a mark further down may be of several. */
static am_status find_voices(am_corpus *corpus, am_error *err) {
  static const char *const marks[] = {"SYNTHETIC", "../SYNTHETIC"};
  am_dataset *d = corpus->d;
  am_status status = AM_OK;
  for (int i = 0; i < 2 && d->synthetic && !d->identity && !status; i++) {
    char *path = am_path_join(corpus->ctx, d->root, marks[i]), *text = NULL;
    size_t bytes;
    status = path ? am_file_read_ordinary(corpus->ctx, path, "a mark", 65536, &text, &bytes, NULL) : AM_E_NOMEM;
    const char *seed = status ? NULL : strstr(text, "\nseed ");
    const int digits = seed ? (int)strspn(seed + 6, "0123456789") : 0;
    if (digits && !(d->identity = am_corpus_text(corpus, err, "synthetic seed %.*s", digits, seed + 6)))
      status = AM_E_NOMEM;
    if (status != AM_E_NOMEM) status = AM_OK; /* not there */
    am_free(corpus->ctx, text);
    am_free(corpus->ctx, path);
  }
  return status ? am_no_memory(err) : AM_OK;
}

/* The complete selection in order, with what is missing; a synthetic corpus is complete as it is. */
static am_status list(search *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  am_status status = AM_OK;
  for (int cell = 0; cell < CELLS && !status; cell++) {
    code c = code_of(cell);
    const char *name = s->found[cell];
    if (!in_grid(&c) || !part_wanted(s->o, c.channel) || !intensity_wanted(s->o, c.intensity)) continue;
    if (!name && corpus->d->synthetic) continue;
    am_entry e = {.label = labels[c.emotion - 1],
                  .speaker = actors[c.actor - 1],
                  .part = AM_PART_NONE,
                  .section = c.channel == SONG ? "song part" : "speech part",
                  .intensity = c.intensity,
                  .statement = c.statement,
                  .repetition = c.repetition,
                  .channel = c.channel};
    e.name = name ? name
                  : am_corpus_text(corpus, err, "Actor_%02d/03-%02d-%02d-%02d-%02d-%02d-%02d.wav", c.actor, c.channel,
                                   c.emotion, c.intensity, c.statement, c.repetition, c.actor);
    if (name) e.path = am_corpus_text(corpus, err, "%s/%s", corpus->d->root, name);
    e.traits[am_corpus_trait(corpus, "gender")] = c.actor % 2 ? "male" : "female";
    e.traits[am_corpus_trait(corpus, "intensity")] = c.intensity == 1 ? "normal" : "strong";
    e.traits[am_corpus_trait(corpus, "statement")] = c.statement == 1 ? "kids" : "dogs";
    e.traits[am_corpus_trait(corpus, "channel")] = c.channel == SONG ? "song" : "speech";
    if (!e.name || (name && !e.path)) return AM_E_NOMEM;
    status = am_corpus_add(corpus, &e, err);
  }
  return status;
}

static am_status run(search *s, am_error *err) {
  am_corpus *corpus = s->corpus;
  am_walk walk = {.ctx = corpus->ctx, .root = corpus->d->root, .file = on_file, .special = on_special, .user = s};
  am_status status = am_walk_run(&walk, err);
  if (status) return status;
  if (!s->clips) return fail_nothing(s, &walk, err);
  hint_low_root(corpus);
  if ((status = am_corpus_find_mark(corpus, err))) return status;
  corpus->d->synthetic |= s->synthetic; /* at any depth: a root given too high */
  if ((status = find_voices(corpus, err))) return status;
  describe(corpus->d);
  corpus->labels = labels;
  corpus->n_labels = EMOTIONS;
  corpus->speakers = actors;
  corpus->n_speakers = corpus->d->synthetic ? 0 : ACTORS;
  return list(s, err);
}

static am_status load_ravdess(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_status status = am_corpus_root(corpus, o->root, "that holds RAVDESS", " (Actor_01 to Actor_24)", err);
  if (status) return status;
  search *s = am_alloc(corpus->ctx, 1, sizeof *s);
  if (!s) return am_no_memory(err);
  s->corpus = corpus;
  s->o = o;
  status = run(s, err);
  am_free(corpus->ctx, s);
  return status;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {
    {"parts", AM_OPT_CHOICES, AT(parts), "[speech, song]", 0, 0, AM_WORDS(AM_RAVDESS_PARTS), "which recordings"},
    {"intensity", AM_OPT_CHOICES, AT(intensity), "[normal, strong]", 0, 0, AM_WORDS(AM_RAVDESS_INTENSITIES),
     "which intensities"},
    {"complete_split", AM_OPT_BOOL, AT(complete_split), "true", 0, 0, NULL,
     "draw random splits over the complete corpus, then keep what is there"},
    AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_ravdess = {
    .is = {"ravdess", "RAVDESS as downloaded, or files named like its own, at any depth", own_table},
    .load = load_ravdess,
};
