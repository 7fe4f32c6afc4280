/* SPDX-License-Identifier: MIT */
/* cli/cmd_inspect.c - audiomood inspect: what a checkpoint, a config or a sound file holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audio/endings.h"
#include "audio/sound.h"
#include "base/file.h"
#include "cli/inspect.h"
#include "model/profile.h"
#include "nn/doubt.h"
#include "run/folder.h"

/* ---- numbers a person reads ---- */

const char *inspect_grouped(double value, char *out, size_t size) {
  char digits[32];
  int n = snprintf(digits, sizeof digits, "%.0f", value);
  size_t used = 0;
  for (int i = 0; i < n && used + 2 < size; i++) {
    if (i > 0 && (n - i) % 3 == 0) out[used++] = ',';
    out[used++] = digits[i];
  }
  out[used] = 0;
  return out;
}

static const char *shape_text(am_shape s, char *out, size_t size) {
  const char *most = s.variable ? "<=" : "";
  if (s.rank == 1) snprintf(out, size, "(%d)", s.c);
  else if (s.rank == 2) snprintf(out, size, "(%s%d, %d)", most, s.t, s.c);
  else snprintf(out, size, "(%s%d, %d, %d)", most, s.t, s.f, s.c);
  return out;
}

static size_t step_weights(const am_layer *l) {
  size_t n = 0;
  for (int i = 0; i < l->n_weights; i++) n += l->weights[i].count;
  return n;
}

static void print_layers(const am_model *model, int batch) {
  char shape[64], weights[32], work[32];
  double all_weights = 0, all_work = 0;
  cli_print("\n%-28s %-20s %-20s %14s %18s\n", "layer", "type", "output (T, F, C)", "parameters", "multiply-adds");
  cli_print("%-28s %-20s %-20s %14s %18s\n", "input", "", shape_text(am_model_input(model), shape, sizeof shape), "",
            "");
  for (size_t i = 0; i < am_model_steps(model); i++) {
    const am_layer *l = &am_model_step(model, i)->layer;
    double operations = l->cls->operations ? l->cls->operations(l) : 0;
    size_t n = step_weights(l);
    cli_print("%-28s %-20s %-20s %14s %18s\n", l->name, l->cls->type, shape_text(l->out, shape, sizeof shape),
              n ? inspect_grouped((double)n, weights, sizeof weights) : "",
              operations > 0 ? inspect_grouped(operations, work, sizeof work) : "");
    all_weights += (double)n;
    all_work += operations;
  }
  if (am_model_had_softmax(model)) cli_print("%-28s %-20s %-20s\n", "softmax", "(in the loss)", "");
  cli_print("%-28s %-20s %-20s %14s %18s\n", "all", "", "", inspect_grouped(all_weights, weights, sizeof weights),
            inspect_grouped(all_work, work, sizeof work));
  cli_print(
      "\nmultiply-adds are of one clip's forward pass at full length; memory of a session of %d clips: "
      "training %.0f MB, inference %.0f MB\n",
      batch, (double)am_session_bytes(model, batch, true) / 1e6, (double)am_session_bytes(model, batch, false) / 1e6);
}

/* ---- a config ---- */

void inspect_print_speakers(const am_dataset *d) {
  const size_t labels = (size_t)d->n_labels;
  int width = 8;
  size_t *count = am_alloc(d->ctx, am_mul((size_t)d->n_speakers + 1, labels + 1), sizeof *count);
  if (!count) return; /* a table that is missed, where there is no memory for one */
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].speaker >= 0) count[(size_t)d->clips[i].speaker * labels + (size_t)d->clips[i].label]++;
  for (int s = 0; s < d->n_speakers; s++)
    if (cli_width(d->speakers[s]) > width) width = cli_width(d->speakers[s]);
  cli_print("\n%-*s", width, "speaker");
  for (int k = 0; k < d->n_labels; k++) cli_print(" %9.9s", d->labels[k]);
  cli_print(" %9s\n", "all");
  for (int s = 0; s < d->n_speakers; s++) {
    size_t all = 0;
    cli_print("%-*s", width, d->speakers[s]);
    for (size_t k = 0; k < labels; k++) {
      const size_t n = count[(size_t)s * labels + k];
      cli_print(" %9zu", n);
      all += n;
    }
    cli_print(" %9zu\n", all);
  }
  am_free(d->ctx, count);
}

/* Longest clip in samples at the feature rate, from the files' headers. */
static size_t longest_clip(am_context *ctx, const am_dataset *d, double rate) {
  double seconds = 0;
  for (size_t i = 0; i < d->n; i++) {
    am_sound_info info = {.size = sizeof info};
    if (d->clips[i].seconds > seconds) seconds = d->clips[i].seconds;
    if (d->clips[i].seconds <= 0 && am_sound_inspect_clip(ctx, d->clips[i].path, &info, NULL) == AM_OK &&
        info.seconds > seconds)
      seconds = info.seconds;
  }
  return am_size_of(ceil(seconds * rate));
}

static void say_doubt(void *user, const char *line) { am_log(user, AM_LOG_WARNING, "%s", line); }

/* Of a config whose data are elsewhere the model is shown all the same.  Data that are here and cannot be used are a failure. */
static bool absent(const am_data_options *o) {
  if (*o->manifest) return !am_file_exists(o->manifest) && !am_folder_exists(o->manifest);
  return *o->root && !am_folder_exists(o->root) && !am_file_exists(o->root);
}

/* Of several corpora: one of them. */
static bool any_absent(const am_data_options *o) {
  if (absent(o)) return true;
  for (const am_value *item = o->corpora ? o->corpora->first : NULL; item; item = item->next) {
    const am_value *manifest = am_value_get(item, "manifest"), *root = am_value_get(item, "root");
    am_data_options own = {.manifest = manifest && manifest->text ? manifest->text : "",
                           .root = root && root->text ? root->text : ""};
    if (absent(&own)) return true;
  }
  return false;
}

static am_status inspect_data(cli *c, const am_config *config, am_dataset **out, am_error *err) {
  am_error why = AM_ERROR_INIT;
  am_split *split = NULL;
  am_status st = am_dataset_load(c->ctx, &config->data, out, &why);
  if (st && (st == AM_E_NOMEM || st == AM_E_CONFIG || st == AM_E_STOPPED || !any_absent(&config->data)))
    return am_fail(err, st, "%s", why.message);
  if (st) {
    am_log(c->ctx, AM_LOG_WARNING, "no data: %s", why.message);
    return AM_OK;
  }
  const am_dataset *d = *out;
  cli_warn_left_out(c, d);
  st = am_split_make(c->ctx, *out, &config->split, &split, err);
  if (st) return st;
  cli_print("\n%s%s: %zu clips, %d speakers\nsplit: %s\n\n", d->title, d->synthetic ? " (synthetic)" : "", d->n,
            d->n_speakers, split->note);
  cli_print_clips(stdout, d);
  cli_print_values(d);
  inspect_print_speakers(d);
  st = am_split_doubts(d, &config->split, split, say_doubt, c->ctx, err);
  am_split_free(c->ctx, split);
  return st;
}

static am_status inspect_model(cli *c, const am_config *config, const am_dataset *d, am_error *err) {
  am_features *fx = NULL;
  am_model *model = NULL;
  am_status st = am_features_create(c->ctx, &config->features, &fx, err);
  if (st) return st;
  double rate = config->features.sample_rate;
  size_t samples = d ? longest_clip(c->ctx, d, rate) : (size_t)(10 * rate);
  bool variable = am_features_fixed_frames(fx) == 0;
  int frames, bins;
  am_features_shape(fx, samples, &frames, &bins);
  if (variable && !d) cli_print("\nclips vary in length; the table is for one of 10 s\n");
  const bool values = config->data.target == AM_TARGET_DIMENSIONS;
  int classes = d ? am_dataset_outputs(d) : (int)(values ? config->data.dimensions.n : config->data.labels.n);
  if (!classes) {
    cli_print("\nno layer table: the classes come from the data, which is not there\n");
  } else {
    st = am_config_model(config, frames, bins, variable, classes, &model, err); /* as training does */
    if (!st) print_layers(model, (int)config->train.batch);
    char doubt[512];
    if (!st && am_model_output_doubt(model, doubt, sizeof doubt))
      am_log(c->ctx, AM_LOG_WARNING, "model.layers: %s", doubt);
  }
  am_model_free(model);
  am_features_free(fx);
  return st;
}

/* Alone, so that what is printed is a config. */
static am_status print_effective(cli *c, am_config *config, am_error *err) {
  am_buffer text = {0};
  am_status st = am_config_text(config, &text, err);
  if (!st) cli_put_lines(stdout, text.data);
  am_buffer_free(c->ctx, &text);
  return st;
}

static am_status inspect_config(cli *c, const char *file, am_error *err) {
  cli_overrides over;
  am_config *config = NULL;
  am_dataset *d = NULL;
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load(c->ctx, file, over.at, over.n, &config, err);
  const char *sound = cli_value(c, "augment", NULL);
  if (!st && sound) {
    st = inspect_augment(c, config, NULL, sound, err);
  } else if (!st && cli_has(c, "effective")) {
    st = print_effective(c, config, err);
  } else if (!st) {
    cli_print("%s: %s\n", config->name, config->description);
    st = inspect_data(c, config, &d, err);
    if (!st) st = inspect_model(c, config, d, err);
  }
  am_dataset_free(d);
  am_config_free(config);
  return st;
}

/* ---- a checkpoint, a sound ---- */

/* "speakers: ravdess (16), mine (not named)": of a list that is in the order of its corpora. */
static void print_speakers(const char *title, const am_names *speakers, const char *note) {
  for (size_t i = 0, n; i < speakers->n; i += n) {
    const char *name = speakers->at[i], *tab = strchr(name, '\t');
    const size_t corpus = tab ? (size_t)(tab - name) + 1 : strlen(name);
    for (n = 1; tab && i + n < speakers->n && !strncmp(speakers->at[i + n], name, corpus);) n++;
    cli_print("%s%.*s", i ? ", " : title, (int)(corpus - (tab != NULL)), name);
    if (tab && tab[1]) cli_print(" (%zu)", n);
    else if (tab) cli_print(" (some not named)");
  }
  if (speakers->n) cli_print("%s\n", note);
}

/* A line for each corpus. */
static void print_attribution(const char *lines) {
  for (size_t n; *lines; lines += n + (lines[n] != '\0')) {
    n = strcspn(lines, "\n");
    cli_print("data:     %.*s\n", (int)n, lines);
  }
}

/* Temperature and thresholds. */
static void print_set(const am_checkpoint *m, const am_fusion_set *set, const char *whose) {
  const am_thresholds *t = &set->thresholds;
  if (set->temperature != 1)
    cli_print("temperature%s: %.4g (%s divided by it before the softmax)\n", whose, set->temperature,
              m->n_members ? "weighted logarithms are" : "train.calibrate: logits are");
  if (!(t->precision > 0)) return;
  cli_print("thresholds%s: ", whose);
  for (int k = 0; k < m->classes; k++) {
    if (t->at[k] == AM_NEVER) cli_print("%s%s never", k ? ", " : "", m->labels[k]);
    else cli_print("%s%s %.3f", k ? ", " : "", m->labels[k], t->at[k]);
  }
  cli_print(" (wanted precision %g: below its threshold an answer is uncertain)\n", t->precision);
}

static void print_origin(const am_checkpoint *m) {
  cli_print("title:    %s\ncorpus:   %s%s\nlicence:  %s%s\n", m->title, m->corpus, m->synthetic ? " (synthetic)" : "",
            m->licence, am_checkpoint_noncommercial(m) ? " (not for commercial use)" : "");
  print_attribution(m->attribution);
  print_speakers("speakers: ", &m->seen, "");
  print_speakers("before:   ", &m->before, " (known to the model that --init gave)");
  cli_print("split:    %s\n", m->speaker_independent ? "speaker-independent" : "not speaker-independent");
  print_set(m, &m->any, "");
  if (m->known) print_set(m, m->known, ", known voice");
  cli_print(m->values ? "dimensions: " : "classes: ");
  const bool each = m->values && !am_scales_one(m->scale, m->classes);
  for (int k = 0; k < m->classes; k++) {
    cli_print(" %s", m->labels[k]);
    if (each) cli_print(" from %g to %g%s", m->scale[k].low, m->scale[k].high, k + 1 < m->classes ? "," : "");
  }
  if (m->values && !each) cli_print(", from %g to %g", m->scale[0].low, m->scale[0].high);
  cli_print("\n");
}

static void print_checkpoint(const am_checkpoint *m, const char *path) {
  cli_print("%s: checkpoint of %s after epoch %llu%s\n", path, m->config->name, (unsigned long long)m->epoch,
            m->resumable ? ", resumable" : "");
  print_origin(m);
  print_layers(m->model, 1);
  cli_print("\n%-40s %s\n", "array", "dimensions");
  for (size_t i = 0; i < am_model_weight_count(m->model); i++) {
    am_array_info a = *am_model_weight_info(m->model, i);
    cli_print("%-40s", a.name);
    for (int r = 0; r < a.rank; r++) cli_print(" %d", a.dims[r]);
    cli_print("\n");
  }
}

static const char *kind_text(const am_checkpoint *m, char out[96]) {
  char kind[32], normalise[32];
  am_choice_name(AM_WORDS(AM_FEATURE_KINDS), m->config->features.kind, kind, sizeof kind);
  am_choice_name(AM_WORDS(AM_NORMALISES), m->config->features.normalise, normalise, sizeof normalise);
  snprintf(out, 96, "%s at %lld Hz, normalise %s", kind, (long long)m->config->features.sample_rate, normalise);
  return out;
}

/* Several models, each as it is by itself. */
static void print_fused(am_checkpoint *c, const char *path) {
  char hears[96];
  cli_print("%s: %zu models fused, by the %s\n", path, c->n_members,
            c->values ? "mean of their values" : "product of their probabilities");
  print_origin(c);
  if (c->known)
    cli_print("voices:   two sets of weights, for a voice that is not known and for one that is (--enrol)\n");
  cli_print("\n%-8s %-8s ", "member", "weight");
  if (c->known) cli_print("%-8s ", "known");
  cli_print("%-24s %-40s %s\n", "config", "hears", "temperature");
  for (size_t i = 0; i < c->n_members; i++) {
    cli_print("%-8zu %-8.4f ", i + 1, c->any.weights[i]);
    if (c->known) cli_print("%-8.4f ", c->known->weights[i]);
    cli_print("%-24s %-40s %.4g\n", c->members[i]->config->name, kind_text(c->members[i], hears),
              c->members[i]->any.temperature);
  }
  for (size_t i = 0; i < c->n_members; i++) {
    cli_print("\nmember %zu: %s after epoch %llu\n", i + 1, c->members[i]->config->name,
              (unsigned long long)c->members[i]->epoch);
    print_layers(c->members[i]->model, 1);
  }
}

/* What is known of a voice, and which models can use it. */
static am_status inspect_profile(cli *c, const char *path, am_error *err) {
  am_profile *p = NULL;
  if (cli_has(c, "augment") || cli_has(c, "effective"))
    return am_fail(err, AM_E_USAGE,
                   "%s: is the profile of a voice; --augment and --effective are of configs and models", path);
  am_status st = am_profile_load(c->ctx, path, &p, err);
  if (st) return st;
  const am_feature_options *o = &p->options;
  char kind[16];
  am_choice_name(AM_WORDS(AM_FEATURE_KINDS), o->kind, kind, sizeof kind);
  cli_print("%s: profile of %s\n", path, *am_profile_name(p) ? am_profile_name(p) : "a voice without a name");
  cli_print("heard:    %.1f s, %.0f frames\n", am_profile_seconds(p), p->stats.count);
  cli_print("features: %s, %d bins a frame, of sound at %g Hz\n", kind, p->stats.f, o->sample_rate);
  cli_print("holds the mean and the spread of each bin, and no sound; it is for models of just these features\n");
  cli_voice_say_short(c, p);
  am_profile_free(p);
  return AM_OK;
}

static am_status inspect_checkpoint(cli *c, const char *path, am_error *err) {
  am_checkpoint *m = NULL;
  am_status st = am_checkpoint_load(c->ctx, path, &m, err);
  if (st) return st;
  const char *sound = cli_value(c, "augment", NULL);
  if (m->n_members && (sound || cli_has(c, "effective")))
    st = am_fail(err, AM_E_USAGE, "%s: several models, fused; give one of the runs it was made of", path);
  else if (m->n_members) print_fused(m, path);
  else if (sound) st = inspect_augment(c, m->config, &m->normaliser, sound, err);
  else if (cli_has(c, "effective")) st = print_effective(c, m->config, err);
  else print_checkpoint(m, path);
  am_checkpoint_free(m);
  return st;
}

static am_status inspect_sound(cli *c, const char *path, am_error *err) {
  am_sound_info info = {.size = sizeof info};
  am_status st = am_sound_inspect(c->ctx, path, &info, err);
  if (st) return st;
  cli_print("%s: %.3f s, %.0f Hz, %d channel%s, %llu frames\n", path, info.seconds, info.rate, info.channels,
            info.channels == 1 ? "" : "s", (unsigned long long)info.frames);
  return AM_OK;
}

/* ---- which of them a file is ---- */

typedef enum kind { CHECKPOINT, TEXT, SOUND } kind;

/* A control character is in no text that a config could be. */
static bool is_text(const unsigned char *at, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (at[i] < 0x20 && at[i] != '\t' && at[i] != '\n' && at[i] != '\r') return false;
  return n > 0;
}

/* Of a file whose ending says nothing.  What cannot be read is left to the reader of sounds, which says why; so is a
 * pipe, of which nothing may be taken away here. */
static kind kind_by_content(const char *path) {
  static const unsigned char hdf5[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  unsigned char head[512];
  struct stat about;
  FILE *f = stat(path, &about) == 0 && S_ISREG(about.st_mode) ? fopen(path, "rb") : NULL;
  size_t n = f ? fread(head, 1, sizeof head, f) : 0;
  if (f) fclose(f);
  if (n >= sizeof hdf5 && memcmp(head, hdf5, sizeof hdf5) == 0) return CHECKPOINT;
  return is_text(head, n) ? TEXT : SOUND;
}

static kind kind_of(const char *path) {
  static const char *const texts[] = {".yaml", ".yml", ".json"};
  if (am_text_ends(path, ".h5") || am_text_ends(path, ".hdf5")) return CHECKPOINT;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (am_text_ends(path, texts[i])) return TEXT;
  return am_sound_ending_known(path) ? SOUND : kind_by_content(path);
}

/* YAML or JSON: a description of a corpus, or a config. */
static am_status inspect_text(cli *c, const char *path, am_error *err) {
  inspect_kind corpus;
  am_status st = inspect_kind_of(c, path, &corpus, err);
  if (st) return st;
  if (corpus == INSPECT_DESCRIPTION) return inspect_dataset(c, path, err);
  if (cli_has(c, "root"))
    return am_fail(err, AM_E_USAGE,
                   "--root is for descriptions of corpora and lists of clips; of a config, set --set data.root=DIR");
  return inspect_config(c, path, err);
}

/* A run, or one fold's; lists of clips have been told apart before. */
static am_status inspect_folder(cli *c, const char *path, am_error *err) {
  static const am_run_file marks[] = {AM_FILE_BEST, AM_FILE_CONFIG};
  bool known = am_crossval_folder_holds(c->ctx, path);
  for (size_t i = 0; i < sizeof marks / sizeof *marks && !known; i++) {
    char *file = am_run_file_path(c->ctx, path, marks[i]);
    if (!file) return am_no_memory(err);
    known = am_file_exists(file);
    am_free(c->ctx, file);
  }
  if (!known)
    return am_fail(err, AM_E_IO,
                   "%s: this folder has no run (best.h5) and no list of clips (manifest.csv, db.yaml, wav.scp ...); of "
                   "recordings, name the description of their corpus and give the folder as --root",
                   path);
  char *file = NULL;
  am_status st = cli_checkpoint_path(c, path, &file, err);
  if (!st) st = inspect_checkpoint(c, file, err);
  am_free(c->ctx, file);
  return st;
}

static am_status run(cli *c, am_error *err) {
  const char *path = c->arguments[0];
  bool list;
  am_status st = inspect_is_list(c, path, &list, err);
  if (st || list) return st ? st : inspect_list(c, path, err);
  if (am_folder_exists(path)) return inspect_folder(c, path, err);
  const am_exchange *foreign = am_exchange_holding(c->ctx, path);
  if (foreign && am_file_exists(path)) return inspect_foreign(c, foreign, path, err);
  switch (kind_of(path)) {
    case CHECKPOINT:
      return am_profile_is(c->ctx, path) ? inspect_profile(c, path, err) : inspect_checkpoint(c, path, err);
    case TEXT: return inspect_text(c, path, err);
    case SOUND: break;
  }
  return inspect_sound(c, path, err);
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {"effective", NULL, "prints nothing but the effective config: every default filled in, also of layers"},
    {"root", "DIR", "of a corpus's description, or a list of clips: the folder of the recordings"},
    {"augment", "FILE", "writes this sound before and after the config's augmentation, with features as CSV and PNG"},
    {"out", "DIR", "where --augment writes (augmented)"},
    {"seed", "N", "replaces the config's seed, on which --augment's draws depend"},
    {"epoch", "N", "epoch of the draw (1)"},
    {"draw", "N",
     "which draw of the augmentation: the position in the epoch's order (0); of augment.copies, which copy"},
    {0},
};

const cli_command cli_inspect = {
    .name = "inspect",
    .summary =
        "says what a config, a corpus, a checkpoint, another program's model, a voice's profile or a sound file holds",
    .usage =
        "CONFIG|DATASET --root DIR|LIST [--root DIR]|FILE.h5|RUN|MODEL.onnx|AUDIO [--set KEY=VALUE]... [--effective] "
        "[--augment "
        "FILE [--out DIR] "
        "[--epoch N] [--draw N]]",
    .details =
        "Of a config: the layer table with shapes, parameters and multiply-adds, and the clips per emotion\n"
        "and speaker. Of a corpus's description (datasets/*.yaml) with --root: what was found and what not, against\n"
        "the expected counts; unreadable and silent files, odd rates, channels and lengths; clips with the same "
        "sound.\n"
        "The same of a list of clips: a CSV, db.yaml of audformat, a folder of Kaldi, metadata of an audio folder, "
        "JSON lines of EmoBox, CSV of nkululeko, JSON of SpeechBrain.\n"
        "Of a model of another program (ONNX, Keras's .keras and .h5, safetensors), before it is imported: who wrote "
        "it, its inputs, labels and licence where it says them, its layers or operators, its arrays.\n"
        "--augment shows what training makes of a sound at that place of that epoch, by the config or the run that is "
        "given.\n"
        "The keys of a config: audiomood help config.",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
