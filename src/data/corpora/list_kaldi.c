/* SPDX-License-Identifier: MIT */
/* data/corpora/list_kaldi.c - a data folder of Kaldi: wav.scp (utterance, file), utt2emo and utt2spk, and segments (utterance,
 * recording, start, end) where recordings are cut.  Parts may be folders of their own: train/, dev/, test/.
 *
 * The second word of wav.scp may be a command in Kaldi ("sox ... |").  A list of clips is no program: none is ever run. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/value.h"
#include "data/corpora/list.h"

enum { BYTES = 256 << 20 /* of a file */ };

/* The files of one folder, each a map: first word -> the rest of the line. */
typedef struct folder {
  am_list *list;
  const char *path, *split;
  char *scp;
  am_value *wav, *segments, *emotion, *speaker, *gender, *speaker_gender;
} folder;

static am_status fail_line(const char *file, int line, am_error *err, const char *what) {
  return am_fail(err, AM_E_FORMAT, "%s:%d: %s", file, line, what);
}

static am_status add_line(am_list *list, am_value *map, const char *file, int line, char *text, am_error *err) {
  char *end = text + strlen(text);
  while (end > text && strchr(" \t\r", end[-1])) *--end = '\0';
  text += strspn(text, " \t");
  if (!*text) return AM_OK;
  char *rest = text + strcspn(text, " \t");
  if (!*rest) return fail_line(file, line, err, "one word; wanted two or more, the first of which names an utterance");
  *rest++ = '\0';
  rest += strspn(rest, " \t");
  const am_value *before = am_value_get(map, text);
  if (before)
    return am_fail(err, AM_E_FORMAT, "%s:%d: %s is listed already, in line %d", file, line, text, before->line);
  am_value *item = am_value_text(list->texts, rest, true);
  if (item) item->line = line;
  return am_value_add(list->texts, map, text, item, err);
}

static am_status read_text(am_list *list, char *text, size_t bytes, const char *file, am_value *map, am_error *err) {
  am_status status = AM_OK;
  int line = 1;
  if (memchr(text, 0, bytes)) return am_fail(err, AM_E_FORMAT, "%s: a NUL byte; this is not a text file", file);
  if (am_utf8_wrong(text)) return am_fail(err, AM_E_FORMAT, "%s: not UTF-8", file);
  if (!strncmp(text, "\xef\xbb\xbf", 3)) text += 3;
  for (char *at = text; *at && !status; line++) {
    char *stop = at + strcspn(at, "\n"), *next = *stop ? stop + 1 : stop;
    *stop = '\0';
    status = add_line(list, map, file, line, at, err);
    at = next;
  }
  return status;
}

/* A map of the file's lines; NULL where the folder has no such file. */
static am_status read_map(folder *f, const char *name, am_value **out, am_error *err) {
  am_context *ctx = f->list->ctx;
  char *path, *text = NULL;
  size_t bytes = 0;
  *out = NULL;
  am_status status = am_list_file(ctx, f->path, name, &path, err);
  if (!path) return status;
  status = am_file_read_ordinary(ctx, path, "a list of utterances", BYTES, &text, &bytes, err);
  am_value *map = status ? NULL : am_value_new(f->list->texts, AM_MAP);
  if (!status && !map) status = am_no_memory(err);
  if (!status) status = read_text(f->list, text, bytes, path, map, err);
  am_free(ctx, text);
  am_free(ctx, path);
  if (!status) *out = map;
  return status;
}

/* ---- rows ---- */

static const char *text_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  return v ? v->text : "";
}

/* Extended filenames of Kaldi: a command, standard input, a place inside an archive. */
static am_status check_plain(const folder *f, const am_value *wav, am_error *err) {
  const char *text = wav->text, *colon = strrchr(text, ':');
  const size_t n = strlen(text);
  if (text[n - 1] == '|' || *text == '|')
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s:%d: %s is a command; AudioMood runs none: write its sound to a file, and name that", f->scp,
                   wav->line, wav->key);
  if (!strcmp(text, "-")) return fail_line(f->scp, wav->line, err, "- is standard input; wanted a sound file");
  if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1) && colon > text)
    return am_fail(err, AM_E_UNSUPPORTED, "%s:%d: %s is a place inside an archive; wanted a sound file of its own",
                   f->scp, wav->line, text);
  return AM_OK;
}

/* "recording start end"; a negative end is that of the recording. */
static am_status cut(const folder *f, const am_value *segment, const char **recording, const char **fields,
                     am_error *err) {
  char word[3][512] = {"", "", ""}, extra[2] = "";
  double start, end;
  const int n = sscanf(segment->text, "%511s %511s %511s %1s", word[0], word[1], word[2], extra);
  if (n < 3 || (n == 4 && strspn(extra, "0123456789-") == 0) || !am_text_to_real(word[1], &start) ||
      !am_text_to_real(word[2], &end) || !(start >= 0) || !(end < 0 || end > start))
    return am_fail(err, AM_E_FORMAT,
                   "%s/segments:%d: wanted an utterance, a recording, and where it starts and ends, s", f->path,
                   segment->line);
  *recording = am_tree_string(f->list->texts, word[0]);
  fields[AM_LIST_START] = am_list_seconds(f->list, start);
  fields[AM_LIST_SECONDS] = end < 0 ? "" : am_list_seconds(f->list, end - start);
  return *recording && fields[AM_LIST_START] && fields[AM_LIST_SECONDS] ? AM_OK : am_no_memory(err);
}

static am_status add_utterance(const folder *f, const am_value *of, am_error *err) {
  const char *fields[AM_LIST_KNOWN + 1] = {NULL}, *recording = of->key;
  am_status status = f->segments ? cut(f, of, &recording, fields, err) : AM_OK;
  const am_value *wav = am_value_get(f->wav, recording);
  if (status) return status;
  if (!wav)
    return am_fail(err, AM_E_FORMAT, "%s/segments:%d: wav.scp has no recording %s", f->path, of->line, recording);
  if ((status = check_plain(f, wav, err))) return status;
  fields[AM_LIST_PATH] = wav->text;
  fields[AM_LIST_LABEL] = text_of(f->emotion, of->key);
  fields[AM_LIST_SPEAKER] = text_of(f->speaker, of->key);
  fields[AM_LIST_SPLIT] = f->split;
  fields[AM_LIST_KNOWN] = text_of(f->gender, of->key);
  if (!*fields[AM_LIST_KNOWN]) fields[AM_LIST_KNOWN] = text_of(f->speaker_gender, fields[AM_LIST_SPEAKER]);
  return am_csv_add(f->list->table, fields, f->scp, wav->line, err);
}

/* Names that recipes give to the file of the labels. */
static am_status read_labels(folder *f, am_error *err) {
  static const char *const names[] = {"utt2emo", "utt2emotion", "utt2label"};
  const am_value *said = am_value_get(f->list->columns, "label");
  am_status status = said ? read_map(f, said->text, &f->emotion, err) : AM_OK;
  for (size_t i = 0; i < 3 && !f->emotion && !said && !status; i++) status = read_map(f, names[i], &f->emotion, err);
  if (!status && !f->emotion)
    status = am_fail(err, AM_E_DATA,
                     "%s: no file %s beside wav.scp: it gives the emotion of each utterance (data.columns: {label: "
                     "NAME} names another)",
                     f->path, said ? said->text : names[0]);
  return status;
}

static am_status read_folder(folder *f, am_error *err) {
  am_status status = read_map(f, "wav.scp", &f->wav, err);
  if (status || !f->wav) return status;
  f->scp = am_path_join(f->list->ctx, f->path, "wav.scp");
  if (!f->scp) return am_no_memory(err);
  status = read_map(f, "segments", &f->segments, err);
  if (!status) status = read_labels(f, err);
  if (!status) status = read_map(f, "utt2spk", &f->speaker, err);
  if (!status) status = read_map(f, "utt2gender", &f->gender, err);
  if (!status) status = read_map(f, "spk2gender", &f->speaker_gender, err);
  const am_value *utterances = f->segments ? f->segments : f->wav;
  for (const am_value *v = utterances->first; v && !status; v = v->next) status = add_utterance(f, v, err);
  am_free(f->list->ctx, f->scp);
  return status;
}

am_status am_list_read_kaldi(am_list *list, am_error *err) {
  static const char *const more[] = {"gender"};
  list->inside = false; /* absolute paths are what recipes write */
  am_status status = am_list_begin(list, more, 1, err);
  const char *place = *list->folder ? list->folder : ".";
  folder own = {.list = list, .path = place};
  if (!status) status = read_folder(&own, err);
  for (size_t i = 0; am_list_parts[i] && !status && am_folder_exists(list->path); i++) {
    char *path = am_path_join(list->ctx, place, am_list_parts[i]);
    folder below = {.list = list, .path = path, .split = am_list_parts[i]};
    status = path ? read_folder(&below, err) : am_no_memory(err);
    am_free(list->ctx, path);
  }
  if (!status && !am_csv_rows(list->table))
    status = am_fail(err, AM_E_DATA, "%s: no utterance in wav.scp of this folder, nor of train, dev or test in it",
                     list->path);
  return status;
}
