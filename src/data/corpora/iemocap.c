/* SPDX-License-Identifier: MIT */
/* data/corpora/iemocap.c - IEMOCAP (Busso et al. 2008), the official tree:
 *
 *   Session<k>/dialog/EmoEvaluation/<dialogue>.txt                    consensus, attributes, all raters
 *   Session<k>/dialog/EmoEvaluation/Categorical/<dialogue>_e?_cat.txt one rater
 *   Session<k>/sentences/wav/<dialogue>/<utterance>.wav
 *
 * Clips are in the order of sessions, of dialogues by name, and of the lines
 * of a label file.  A speaker is a session and the LAST letter of the
 * utterance's name; a group is a session. */
#include "data/corpora/iemocap.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audio/sound.h"
#include "base/file.h"
#include "data/corpora/corpus.h"
#include "data/names.h"

enum { SESSIONS = 5 };

static const char *const speakers[2 * SESSIONS] = {"Ses01F", "Ses01M", "Ses02F", "Ses02M", "Ses03F",
                                                   "Ses03M", "Ses04F", "Ses04M", "Ses05F", "Ses05M"};

/* Consensus labels of the full release, xxx last: 10,039 utterances. */
static const size_t known[AM_IEMOCAP_LABELS + 1] = {1708, 595, 1084, 1103, 107, 40, 2, 1849, 1041, 3, 2507};
enum { KNOWN_ALL = 10039 };
/* Chunks of 2 s of the published experiments, ten classes of the first rater. */
enum { KNOWN_CHUNKS = 20228 };

typedef struct load {
  am_corpus *corpus;
  const am_data_options *o;
  const char *base;   /* the folder with Session1 ... */
  const char *prefix; /* from the root to it: "" or "IEMOCAP_full_release/" */
  int session;
  const char *group;                   /* "Session1" */
  const char *file;                    /* label file at hand, relative to the root */
  char dialogue[96];                   /* of that file */
  am_name_set seen;                    /* utterances with a label line */
  size_t count[AM_IEMOCAP_LABELS + 1]; /* label lines, xxx last */
  size_t sessions, lines, unheard, chunks;
  const char *first_unheard;
} load;

static am_status leave_out(load *l, const char *reason, const char *example, am_error *err) {
  return am_corpus_leave_out(l->corpus, reason, example, err);
}

/* Utterances */

static int style_of(const am_iemocap_line *line);

static am_status add_part(load *l, am_entry e, size_t chunk, am_error *err) {
  if (chunk) { /* chunks of one file need names of their own */
    e.name = am_corpus_text(l->corpus, err, "%s#%zu", e.name, chunk);
    if (!e.name) return AM_E_NOMEM;
  }
  l->chunks++;
  return am_corpus_add(l->corpus, &e, err);
}

/* With n samples and c = chunk_seconds: whole when n < 1.25 c, and floor(n / c) full chunks.  So a clip of
 * c to 1.25 c is listed twice, as published.  A file without a readable header is left to the decoder. */
static am_status add_chunks(load *l, am_entry e, am_error *err) {
  am_sound_info info = {.size = sizeof info};
  double c = l->o->chunk_seconds;
  am_status status = c > 0 ? am_sound_inspect_clip(l->corpus->ctx, e.path, &info, NULL) : AM_OK;
  if (status == AM_E_NOMEM) return am_no_memory(err);
  if (status || !(c > 0)) return add_part(l, e, 0, err);
  double n = (double)info.frames, length = c * info.rate;
  status = n < 1.25 * length ? add_part(l, e, 0, err) : AM_OK;
  size_t full = am_size_of(n / length);
  if (!status && length < 1)
    status = am_fail(err, AM_E_CONFIG, "data.chunk_seconds: %g s are less than a sample of %s", c, e.path);
  for (size_t k = 0; k < full && !status; k++) {
    e.start = (double)k * c;
    e.seconds = c;
    status = add_part(l, e, k + 1, err);
  }
  return status;
}

/* Copies what the dataset keeps of a label line. */
static am_status fill_entry(load *l, const am_iemocap_line *line, am_entry *e, am_error *err) {
  am_tree *memory = l->corpus->d->strings;
  double *values = NULL, *votes = NULL;
  if (l->o->labels_from == AM_IEMOCAP_CONSENSUS && (values = am_tree_take(memory, 3, sizeof *values)))
    memcpy(values, line->vad, sizeof line->vad);
  if (l->o->soft_labels && (votes = am_tree_take(memory, AM_IEMOCAP_LABELS, sizeof *votes)))
    memcpy(votes, line->votes, sizeof line->votes);
  if ((l->o->labels_from == AM_IEMOCAP_CONSENSUS && !values) || (l->o->soft_labels && !votes)) return am_no_memory(err);
  e->values = values;
  e->votes = votes;
  e->label = line->label < 0 ? AM_UNLABELLED : am_iemocap_labels[line->label];
  e->speaker = speakers[2 * (line->session - 1) + (line->speaker == 'M')];
  e->group = l->group;
  e->utterance = am_corpus_text(l->corpus, err, "%s", line->utterance);
  e->part = AM_PART_NONE;
  e->traits[am_corpus_trait(l->corpus, "gender")] = line->speaker == 'M' ? "male" : "female";
  e->traits[am_corpus_trait(l->corpus, "style")] = style_of(line) ? "scripted" : "improvised";
  e->traits[am_corpus_trait(l->corpus, "session")] = l->group;
  return e->utterance ? AM_OK : AM_E_NOMEM;
}

/* The sound in the utterance's own dialogue folder, else in that of the label file; path stays NULL when in
 * neither. */
static am_status find_sound(load *l, const am_iemocap_line *line, am_entry *e, am_error *err) {
  char own[sizeof line->utterance];
  snprintf(own, sizeof own, "%.*s", (int)line->dialogue, line->utterance);
  const char *folders[] = {own, l->dialogue};
  for (int i = 0; i < 2; i++) {
    am_context *ctx = l->corpus->ctx;
    char *name =
        am_format(ctx, "%sSession%d/sentences/wav/%s/%s.wav", l->prefix, l->session, folders[i], line->utterance);
    char *path = name ? am_path_join(ctx, l->corpus->d->root, name) : NULL;
    bool found = path && am_file_exists(path), failed = !path;
    if (found || i == 0) e->name = am_corpus_text(l->corpus, err, "%s", name ? name : "");
    if (found) e->path = am_corpus_text(l->corpus, err, "%s", path);
    am_free(ctx, path);
    am_free(ctx, name);
    if (failed) return am_no_memory(err);
    if (!e->name || (found && !e->path)) return AM_E_NOMEM;
    if (found) break;
  }
  return AM_OK;
}

static int style_of(const am_iemocap_line *line) {
  const char *scene = line->utterance + 6; /* after "Ses01F" */
  return !strncmp(scene, "_impro", 6)    ? AM_IEMOCAP_IMPROVISED
         : !strncmp(scene, "_script", 7) ? AM_IEMOCAP_SCRIPTED
                                         : -1;
}

/* Why an utterance with a good label line is not used; NULL: it is. */
static const char *refuse(const load *l, const am_iemocap_line *line) {
  int style = style_of(line);
  if (style < 0) return "dialogue is neither impro nor script by its name";
  if (!(l->o->style >> style & 1))
    return style == AM_IEMOCAP_SCRIPTED ? "scripted (data.style)" : "improvised (data.style)";
  if (line->label >= 0 || l->o->target == AM_TARGET_DIMENSIONS) return NULL;
  return l->o->labels_from == AM_IEMOCAP_CONSENSUS ? "no agreement of the raters (xxx)" : "the rater gave no label";
}

static am_status on_utterance(void *user, const am_iemocap_line *line, am_error *err) {
  load *l = user;
  am_entry e = {0};
  if (line->session != l->session)
    return am_fail(err, AM_E_DATA, "%s/%s:%d: utterance %s in %s; wanted one of session %d", l->corpus->d->root,
                   l->file, line->number, line->utterance, l->group, l->session);
  size_t before = l->seen.n;
  const char *id = am_corpus_text(l->corpus, err, "%s", line->utterance);
  if (!id || am_name_set_add(&l->seen, id) < 0) return am_no_memory(err);
  if (l->seen.n == before) return leave_out(l, "a second label line of the same utterance", id, err);
  l->lines++;
  l->count[line->label < 0 ? AM_IEMOCAP_LABELS : line->label]++;
  const char *reason = refuse(l, line);
  if (reason) return leave_out(l, reason, id, err);
  am_status status = find_sound(l, line, &e, err);
  if (status) return status;
  if (!e.path) {
    l->unheard++;
    if (!l->first_unheard) l->first_unheard = e.name;
    return leave_out(l, "a label and no sound file", e.name, err);
  }
  status = fill_entry(l, line, &e, err);
  return status ? status : add_chunks(l, e, err);
}

static am_status on_strange(void *user, int number, am_error *err) {
  load *l = user;
  char at[256];
  snprintf(at, sizeof at, "%s:%d", l->file, number);
  return leave_out(l, "line that is not in the label format", at, err);
}

/* Label files */

/* "Ses01F_impro01.txt", "Ses01F_impro01_e2_cat.txt": *n is the length of the dialogue's name. */
static bool dialogue_name(const load *l, const char *name, size_t *n) {
  size_t length = strlen(name);
  if (strncmp(name, "Ses", 3)) return false;
  if (l->o->labels_from == AM_IEMOCAP_CONSENSUS) {
    *n = length > 4 ? length - 4 : 0;
    return am_text_ends(name, ".txt") && *n;
  }
  if (length < 11 || !am_text_ends(name, "_cat.txt") || strncmp(name + length - 11, "_e", 2)) return false;
  *n = length - 11;
  return *n > 0;
}

static am_status read_file(load *l, const char *folder, const char *name, size_t n, am_error *err) {
  size_t room = sizeof l->dialogue - 1;
  snprintf(l->dialogue, sizeof l->dialogue, "%.*s", (int)(n < room ? n : room), name);
  l->file = am_corpus_text(l->corpus, err, "%s%s/%s", l->prefix, folder, name);
  const char *path = l->file ? am_corpus_text(l->corpus, err, "%s/%s/%s", l->base, folder, name) : NULL;
  if (!path) return AM_E_NOMEM;
  am_iemocap_reader reader = {.ctx = l->corpus->ctx,
                              .file = path,
                              .votes = l->o->soft_labels,
                              .user = l,
                              .utterance = on_utterance,
                              .strange = on_strange};
  if (l->o->labels_from == AM_IEMOCAP_CONSENSUS) return am_iemocap_read_consensus(&reader, err);
  return am_iemocap_read_rater(&reader, err);
}

/* All label files of a session; of a dialogue's raters only the first file. */
static am_status read_files(load *l, const char *folder, const am_names *names, size_t *used, am_error *err) {
  am_status status = AM_OK;
  char before[96] = "";
  for (size_t i = 0; i < names->n && !status; i++) {
    const char *name = names->at[i];
    size_t n;
    if (!am_text_ends(name, ".txt")) continue; /* folders, .anvil, .DS_Store */
    if (!strncmp(name, "._", 2)) {
      status = leave_out(l, "AppleDouble file (._*), not a label file", name, err);
    } else if (!dialogue_name(l, name, &n)) {
      status = leave_out(l, "label file without the name of a dialogue", name, err);
    } else if (*before && strlen(before) == n && !strncmp(before, name, n)) {
      status = leave_out(l, "label file of a further rater (the first of each dialogue counts)", name, err);
    } else {
      if (l->o->labels_from == AM_IEMOCAP_RATER) snprintf(before, sizeof before, "%.*s", (int)(n < 95 ? n : 95), name);
      ++*used;
      status = read_file(l, folder, name, n, err);
    }
  }
  return status;
}

/* Names in a folder for "found ...". */
static void list_some(am_context *ctx, const char *path, char *out, size_t size) {
  am_names names;
  if (!am_folder_exists(path)) {
    snprintf(out, size, "no such folder");
  } else if (am_folder_list(ctx, path, &names, NULL)) {
    snprintf(out, size, "an unreadable folder");
  } else {
    size_t used = (size_t)snprintf(out, size, "%zu names%s", names.n, names.n ? ": " : "");
    for (size_t i = 0; i < names.n && i < 6 && used < size; i++)
      used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", names.at[i]);
    am_names_free(ctx, &names);
  }
}

static am_status read_labels(load *l, am_error *err) {
  bool rater = l->o->labels_from == AM_IEMOCAP_RATER;
  const char *folder =
      am_corpus_text(l->corpus, err, "Session%d/dialog/EmoEvaluation%s", l->session, rater ? "/Categorical" : "");
  const char *path = folder ? am_corpus_text(l->corpus, err, "%s/%s", l->base, folder) : NULL;
  am_names names;
  if (!path) return AM_E_NOMEM;
  size_t used = 0;
  if (am_folder_exists(path)) {
    am_status status = am_folder_list(l->corpus->ctx, path, &names, err);
    if (status) return status;
    status = read_files(l, folder, &names, &used, err);
    am_names_free(l->corpus->ctx, &names);
    if (status) return status;
  }
  if (used) return AM_OK;
  char found[512];
  list_some(l->corpus->ctx, path, found, sizeof found);
  return am_fail(err, AM_E_DATA, "%s: no label file of IEMOCAP: looked for %s, found %s", path,
                 rater ? "Ses01F_impro01_e1_cat.txt and the like (data.labels_from: rater)"
                       : "Ses01F_impro01.txt and the like (data.labels_from: consensus)",
                 found);
}

/* Sounds that no label line names */

static am_status check_sounds(load *l, const char *folder, const char *dialogue, am_error *err) {
  am_context *ctx = l->corpus->ctx;
  char *path = am_path_join(ctx, folder, dialogue);
  am_names names = {0};
  if (!path) return am_no_memory(err);
  am_status status = am_folder_exists(path) ? am_folder_list(ctx, path, &names, err) : AM_OK;
  am_free(ctx, path);
  if (status) return status;
  for (size_t i = 0; i < names.n && !status; i++) {
    char id[64], example[256];
    const char *name = names.at[i];
    size_t n = strlen(name);
    if (!am_text_ends(name, ".wav") || n - 4 >= sizeof id) continue;
    snprintf(id, sizeof id, "%.*s", (int)(n - 4), name);
    snprintf(example, sizeof example, "%sSession%d/sentences/wav/%s/%s", l->prefix, l->session, dialogue, name);
    bool apple = !strncmp(name, "._", 2);
    if (apple) status = leave_out(l, "AppleDouble file (._*), not a sound", example, err);
    else if (am_name_set_find(&l->seen, id) < 0) status = leave_out(l, "a sound file and no label", example, err);
  }
  am_names_free(ctx, &names);
  return status;
}

static am_status read_session(load *l, am_error *err) {
  l->sessions++;
  l->group = am_corpus_text(l->corpus, err, "Session%d", l->session);
  if (!l->group) return AM_E_NOMEM;
  am_status status = read_labels(l, err);
  const char *folder = am_corpus_text(l->corpus, err, "%s/Session%d/sentences/wav", l->base, l->session);
  am_names names;
  if (status || !folder) return status ? status : AM_E_NOMEM;
  if (!am_folder_exists(folder)) return AM_OK; /* its utterances have been counted as without sound */
  status = am_folder_list(l->corpus->ctx, folder, &names, err);
  if (status) return status;
  for (size_t i = 0; i < names.n && !status; i++) status = check_sounds(l, folder, names.at[i], err);
  am_names_free(l->corpus->ctx, &names);
  return status;
}

/* The tree */

static am_status has_sessions(am_context *ctx, const char *path, bool *out, am_error *err) {
  *out = false;
  for (int s = 1; s <= SESSIONS && !*out; s++) {
    char *folder = am_format(ctx, "%s/Session%d", path, s);
    if (!folder) return am_no_memory(err);
    *out = am_folder_exists(folder);
    am_free(ctx, folder);
  }
  return AM_OK;
}

static am_status fail_tree(const load *l, am_error *err) {
  const char *root = l->corpus->d->root;
  char found[512];
  char *dialog = am_path_join(l->corpus->ctx, root, "dialog");
  bool low = dialog && am_folder_exists(dialog);
  am_free(l->corpus->ctx, dialog);
  list_some(l->corpus->ctx, root, found, sizeof found);
  return am_fail(err, AM_E_DATA,
                 "%s: no IEMOCAP tree: looked for Session1 to Session5 here and in the folders below, found %s%s%s; "
                 "set data.root to the folder IEMOCAP_full_release (datasets/README.md says how to obtain it)",
                 root, found, low ? "; this is one session: give the folder above it" : "",
                 strstr(found, ".tar") || strstr(found, ".zip") ? "; unpack the archive first" : "");
}

/* The root itself, or the one folder below it that has sessions. */
static am_status find_base(load *l, am_error *err) {
  am_corpus *corpus = l->corpus;
  const char *root = corpus->d->root;
  bool here;
  am_names names;
  l->base = root;
  l->prefix = "";
  am_status status = has_sessions(corpus->ctx, root, &here, err);
  if (status || here) return status;
  if ((status = am_folder_list(corpus->ctx, root, &names, err))) return status;
  for (size_t i = 0; i < names.n && !status && !here; i++) {
    l->base = am_corpus_text(corpus, err, "%s/%s", root, names.at[i]);
    l->prefix = am_corpus_text(corpus, err, "%s/", names.at[i]);
    status = l->base && l->prefix ? has_sessions(corpus->ctx, l->base, &here, err) : AM_E_NOMEM;
  }
  am_names_free(corpus->ctx, &names);
  return status ? status : here ? AM_OK : fail_tree(l, err);
}

/* Says where a release of five sessions differs from what is known of it. */
static void check_counts(const load *l) {
  am_context *ctx = l->corpus->ctx;
  if (l->corpus->d->synthetic) return;
  if (l->sessions < SESSIONS) {
    am_log(ctx, AM_LOG_WARNING, "%s: %zu of the 5 sessions of IEMOCAP are there", l->base, l->sessions);
    return;
  }
  bool whole = l->o->style == (1u << AM_IEMOCAP_IMPROVISED | 1u << AM_IEMOCAP_SCRIPTED);
  if (l->o->labels_from == AM_IEMOCAP_RATER) {
    if (whole && l->o->chunk_seconds == 2 && l->chunks != KNOWN_CHUNKS)
      am_log(ctx, AM_LOG_WARNING, "%s: %zu chunks of 2 s; the published experiments had %d", l->base, l->chunks,
             KNOWN_CHUNKS);
    return;
  }
  am_buffer text = {0};
  for (int k = 0; k <= AM_IEMOCAP_LABELS; k++)
    if (l->count[k] != known[k])
      am_buffer_printf(ctx, &text, "%s %s %zu (%zu)", text.used ? "," : "",
                       k < AM_IEMOCAP_LABELS ? am_iemocap_labels[k] : "xxx", l->count[k], known[k]);
  if (text.data)
    am_log(ctx, AM_LOG_WARNING,
           "%s: %zu labelled utterances; the full release has %d; different, with the known count:%s", l->base,
           l->lines, KNOWN_ALL, text.data);
  am_buffer_free(ctx, &text);
}

static void describe(am_dataset *d) {
  if (d->synthetic) {
    d->corpus = "synthetic";
    d->title = "AudioMood demo corpus: synthetic voices in the shape of IEMOCAP, no human speech";
    d->licence = "MIT, as AudioMood itself";
    d->citation = "made by `audiomood synth --layout iemocap`";
    d->language = "synthetic";
    return;
  }
  d->identity = "iemocap";
  d->title = "IEMOCAP: Interactive Emotional Dyadic Motion Capture Database";
  d->licence = "signed research licence of the University of Southern California; never to be redistributed";
  d->citation =
      "Busso C, Bulut M, Lee CC, Kazemzadeh A, Mower E, Kim S, Chang JN, Lee S, Narayanan SS "
      "(2008), IEMOCAP: "
      "interactive emotional dyadic motion capture database, Language Resources and Evaluation "
      "42(4): 335-359";
  d->language = "English (North American)";
}

/* Label sets of papers */

static const char *const classes[] = {"neutral", "happy", "sad", "angry", "frustrated", "excited", "fearful"};
static const char *const nine[] = {"neutral", "happy",   "sad",        "angry",  "surprised",
                                   "fearful", "disgust", "frustrated", "excited"};

static am_status choose_labels(am_corpus *corpus, const am_data_options *o, am_error *err) {
  static const struct {
    const char *const *at;
    size_t n;
    bool merge; /* excited counts as happy */
  } sets[] = {[AM_IEMOCAP_4] = {classes, 4, true},  [AM_IEMOCAP_5] = {classes, 5, true},
              [AM_IEMOCAP_6] = {classes, 6, false}, [AM_IEMOCAP_7] = {classes, 7, false},
              [AM_IEMOCAP_9] = {nine, 9, false},    [AM_IEMOCAP_10] = {am_iemocap_labels, 10, false}};
  if (o->label_set == AM_IEMOCAP_ALL) return AM_OK;
  if (o->labels.n || (o->merge && o->merge->first))
    return am_fail(err, AM_E_CONFIG, "data.label_set replaces data.labels and data.merge; leave out one or the other");
  corpus->classes = (am_texts){sets[o->label_set].n, sets[o->label_set].at};
  if (!sets[o->label_set].merge) return AM_OK;
  am_tree *memory = corpus->d->strings;
  am_value *map = am_value_new(memory, AM_MAP);
  if (!map) return am_no_memory(err);
  corpus->merge = map;
  return am_value_add(memory, map, "excited", am_value_text(memory, "happy", false), err);
}

static am_status run(load *l, am_error *err) {
  am_corpus *corpus = l->corpus;
  am_status status = find_base(l, err);
  for (int s = 1; s <= SESSIONS && !status; s++) {
    char *folder = am_format(corpus->ctx, "%s/Session%d", l->base, s);
    if (!folder) return am_no_memory(err);
    l->session = s;
    if (am_folder_exists(folder)) status = read_session(l, err);
    am_free(corpus->ctx, folder);
  }
  if (!status) status = am_corpus_find_mark(corpus, err);
  if (status) return status;
  if (!corpus->n && l->unheard)
    return am_fail(err, AM_E_DATA, "%s: labels of %zu utterances and the sound of none: looked for %s", corpus->d->root,
                   l->unheard, l->first_unheard);
  check_counts(l);
  return AM_OK;
}

/* The means of the raters' values, which the files of the consensus have. */
static void offer_dimensions(am_corpus *corpus, const am_data_options *o) {
  static const char *const names[] = {"valence", "arousal", "dominance"};
  for (int i = 0; i < 3 && o->labels_from == AM_IEMOCAP_CONSENSUS; i++) {
    const int at = am_corpus_dimension(corpus, names[i]);
    if (at >= 0) corpus->scale[at] = (am_scale){1, 5};
  }
}

static am_status load_iemocap(am_corpus *corpus, const am_data_options *o, am_error *err) {
  am_status status = am_corpus_root(corpus, o->root, "IEMOCAP_full_release", " (Session1 to Session5)", err);
  if (status) return status;
  load l = {.corpus = corpus, .o = o, .seen = {.ctx = corpus->ctx}};
  status = choose_labels(corpus, o, err);
  if (!status) status = run(&l, err);
  am_name_set_free(&l.seen);
  if (status) return status;
  describe(corpus->d);
  offer_dimensions(corpus, o);
  corpus->labels = am_iemocap_labels;
  corpus->n_labels = AM_IEMOCAP_LABELS;
  corpus->speakers = speakers;
  corpus->n_speakers = corpus->d->synthetic ? 0 : 2 * SESSIONS;
  return AM_OK;
}

#define AT(member) offsetof(am_data_options, member)
static const am_option own_table[] = {
    {"labels_from", AM_OPT_CHOICE, AT(labels_from), "consensus", 0, 0, AM_WORDS(AM_IEMOCAP_SOURCES),
     "the raters' majority, or the first rater's file of each dialogue"},
    {"label_set", AM_OPT_CHOICE, AT(label_set), "all", 0, 0, AM_WORDS(AM_IEMOCAP_SETS),
     "in place of labels and merge; 4: neutral, happy with excited, sad, angry; 5: and frustrated; "
     "6: excited apart; 7: and fearful; 9: all but other; 10"},
    {"style", AM_OPT_CHOICES, AT(style), "[improvised, scripted]", 0, 0, AM_WORDS(AM_IEMOCAP_STYLES),
     "which dialogues"},
    {"chunk_seconds", AM_OPT_REAL, AT(chunk_seconds), "0", 0, 3600, NULL,
     "c > 0 cuts utterances into full chunks of c s; shorter than 1.25 c: whole too; 0: no cutting"},
    {"soft_labels", AM_OPT_BOOL, AT(soft_labels), "false", 0, 0, NULL,
     "train on the shares of the raters' votes; results still count the one label"},
    AM_OPTION_END};
#undef AT

const am_corpus_class am_corpus_iemocap = {
    .is = {"iemocap", "IEMOCAP as released: Session1 to Session5", own_table},
    .load = load_iemocap,
};
