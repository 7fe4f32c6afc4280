/* SPDX-License-Identifier: MIT */
/* data/corpora/iemocap_label.c - IEMOCAP's label files, as they are found: LF or CRLF,
 * comments in any encoding, blocks in any order, attributes that are missing.
 *
 * A line that names an utterance and does not follow the format fails with
 * file and line; a line that is neither (part of a comment, say) is counted. */
#include "data/corpora/iemocap.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/value.h"

enum { FILE_LIMIT = 4 << 20 };

const char *const am_iemocap_labels[AM_IEMOCAP_LABELS] = {"neutral", "happy",   "sad",        "angry",   "surprised",
                                                          "fearful", "disgust", "frustrated", "excited", "other"};

/* Codes of the consensus, in the order of the labels; "xxx" is no agreement. */
static const char *const codes[] = {"neu", "hap", "sad", "ang", "sur", "fea", "dis", "fru", "exc", "oth", "xxx"};
enum { XXX = AM_IEMOCAP_LABELS };

/* Words of the raters. */
static const struct {
  const char *word;
  int label;
} words[] = {
    {"neutral state", AM_IEMOCAP_NEUTRAL}, {"neutral", AM_IEMOCAP_NEUTRAL}, {"happiness", AM_IEMOCAP_HAPPY},
    {"sadness", AM_IEMOCAP_SAD},           {"anger", AM_IEMOCAP_ANGRY},     {"surprise", AM_IEMOCAP_SURPRISED},
    {"fear", AM_IEMOCAP_FEARFUL},          {"disgust", AM_IEMOCAP_DISGUST}, {"frustration", AM_IEMOCAP_FRUSTRATED},
    {"excited", AM_IEMOCAP_EXCITED},       {"other", AM_IEMOCAP_OTHER}};
enum { WORDS = sizeof words / sizeof *words };

typedef struct parse {
  const am_iemocap_reader *r;
  int number; /* of the line at hand */
  bool open;  /* `block` awaits its raters' lines */
  am_iemocap_line block;
} parse;

static am_status fail_line(const parse *p, am_error *err, const char *found, const char *wanted) {
  return am_fail(err, AM_E_DATA, "%s:%d: found \"%.80s\"; wanted %s", p->r->file, p->number, found, wanted);
}

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\t') at++;
  return at;
}

/* Utterance names */

static bool session_number(const char *name, int *session) {
  if (strncmp(name, "Ses", 3) || !isdigit((unsigned char)name[3]) || !isdigit((unsigned char)name[4])) return false;
  *session = 10 * (name[3] - '0') + name[4] - '0';
  return name[5] == 'F' || name[5] == 'M';
}

/* "Ses05M_script01_1b_F003": the last group says who speaks. */
static bool read_name(const char *at, size_t n, am_iemocap_line *line) {
  if (n >= sizeof line->utterance) return false;
  memcpy(line->utterance, at, n);
  line->utterance[n] = '\0';
  const char *last = strrchr(line->utterance, '_');
  if (!session_number(line->utterance, &line->session) || !last || last - line->utterance < 8) return false;
  if ((last[1] != 'F' && last[1] != 'M') || !isalnum((unsigned char)last[2])) return false;
  for (const char *c = line->utterance; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-') return false; /* it becomes part of a path */
  line->speaker = last[1];
  line->dialogue = (size_t)(last - line->utterance);
  return true;
}

static void start_line(const parse *p, am_iemocap_line *line) {
  *line = (am_iemocap_line){.label = -1, .vad = {NAN, NAN, NAN}, .number = p->number};
}

/* Words of a rater: "Frustration; Disgust; Anger; (free text)" */

static int find_word(const char *at, size_t n) {
  for (int i = 0; i < WORDS; i++)
    if (strlen(words[i].word) == n && !strncasecmp(words[i].word, at, n)) return words[i].label;
  return -1;
}

/* Votes for each word up to the comment; the first word's label goes to *first when that is not NULL. */
static am_status read_words(const parse *p, const char *at, am_iemocap_line *line, int *first, am_error *err) {
  size_t end = strcspn(at, "(");
  while (end) {
    size_t n = strcspn(at, ";");
    if (n > end) n = end;
    const char *word = skip_space(at);
    size_t length = n - (size_t)(word - at); /* spaces end at the latest where the word does */
    while (length && (word[length - 1] == ' ' || word[length - 1] == '\t')) length--;
    if (length) {
      int label = find_word(word, length);
      char found[64];
      snprintf(found, sizeof found, "%.*s", (int)(length < 63 ? length : 63), word);
      if (label < 0)
        return fail_line(p, err, found,
                         "an emotion: Neutral, Happiness, Sadness, Anger, Surprise, Fear, Disgust, "
                         "Frustration, Excited or Other, each ended by \";\"");
      line->votes[label]++;
      if (first && *first < 0) *first = label;
    }
    size_t step = n < end ? n + 1 : n;
    at += step;
    end -= step;
  }
  return AM_OK;
}

/* Consensus */

/* Digits and a point; nothing there is NaN where `optional`. */
static bool take_number(const char **at, bool optional, double *out) {
  char text[32];
  const char *from = skip_space(*at);
  size_t n = strspn(from, "0123456789.");
  *out = NAN;
  *at = from + n;
  if (!n) return optional;
  if (n >= sizeof text) return false;
  memcpy(text, from, n);
  text[n] = '\0';
  return am_text_to_real(text, out);
}

static bool take(const char **at, char c) {
  *at = skip_space(*at);
  if (**at != c) return false;
  ++*at;
  return true;
}

/* "[2.5000, 2.5000, 2.5000]", a value or all of them left out. */
static bool take_attributes(const char **at, double vad[3]) {
  if (!take(at, '[')) return false;
  for (int i = 0; i < 3; i++)
    if (!take_number(at, true, &vad[i]) || (i < 2 && !take(at, ',') && **at != ']')) return false;
  return take(at, ']');
}

/* "[6.2901 - 8.2357]<TAB>Ses01F_impro01_F000<TAB>neu<TAB>[2.5000, 2.5000, 2.5000]" */
static am_status read_header(parse *p, const char *text, am_error *err) {
  static const char wanted[] =
      "[start - end] utterance emotion [V, A, D], such as "
      "[6.2901 - 8.2357] Ses01F_impro01_F000 neu [2.5000, 2.5000, 2.5000]";
  const char *at = text;
  double from, to;
  start_line(p, &p->block);
  if (!take(&at, '[') || !take_number(&at, false, &from) || !take(&at, '-') || !take_number(&at, false, &to) ||
      !take(&at, ']'))
    return fail_line(p, err, text, wanted);
  at = skip_space(at);
  size_t n = strcspn(at, " \t");
  if (!read_name(at, n, &p->block)) return fail_line(p, err, text, wanted);
  at = skip_space(at + n);
  n = strcspn(at, " \t[");
  int label = XXX;
  while (label >= 0 && (strlen(codes[label]) != n || strncmp(codes[label], at, n))) label--;
  char found[64];
  snprintf(found, sizeof found, "%.*s", (int)(n < 63 ? n : 63), at);
  if (label < 0)
    return fail_line(p, err, found, "an emotion code: neu hap sad ang sur fea dis fru exc oth, or xxx (no agreement)");
  p->block.label = label == XXX ? -1 : label;
  at += n;
  if (!take_attributes(&at, p->block.vad) || *skip_space(at)) return fail_line(p, err, text, wanted);
  p->open = true;
  return AM_OK;
}

static am_status close_block(parse *p, am_error *err) {
  if (!p->open) return AM_OK;
  p->open = false;
  return p->r->utterance(p->r->user, &p->block, err);
}

/* "C-E2:<TAB>Neutral;<TAB>()"; C-F1 and C-M1 are the actors about themselves and have no vote. */
static am_status read_vote(parse *p, const char *text, am_error *err) {
  const char *colon = strchr(text, ':');
  if (!p->r->votes) return AM_OK;
  if (!colon) return fail_line(p, err, text, "a rater and his emotions, such as C-E2: Neutral; ()");
  if (text[2] != 'E' || !p->open) return AM_OK;
  return read_words(p, colon + 1, &p->block, NULL, err);
}

static am_status consensus_line(parse *p, const char *text, am_error *err) {
  am_status status = AM_OK;
  if (!*text || *text == '%') return close_block(p, err);
  if (*text == '[') {
    status = close_block(p, err);
    return status ? status : read_header(p, text, err);
  }
  if (!strncmp(text, "C-", 2)) return read_vote(p, text, err);
  if (!strncmp(text, "A-", 2)) return AM_OK; /* each rater's attributes; the header has their means */
  if (!strncmp(text, "Ses", 3)) return fail_line(p, err, text, "the times in brackets before the utterance");
  return p->r->strange(p->r->user, p->number, err);
}

/* One rater: "Ses01F_impro02_F005 :Sadness; ()" */

static am_status rater_line(parse *p, const char *text, am_error *err) {
  static const char wanted[] = "utterance :Emotion; (comment), such as Ses01F_impro02_F005 :Sadness; ()";
  am_iemocap_line line;
  if (!*text) return AM_OK;
  if (strncmp(text, "Ses", 3)) return p->r->strange(p->r->user, p->number, err);
  start_line(p, &line);
  size_t n = strcspn(text, " \t:");
  const char *at = skip_space(text + n);
  if (!read_name(text, n, &line) || *at != ':') return fail_line(p, err, text, wanted);
  am_status status = read_words(p, at + 1, &line, &line.label, err);
  return status ? status : p->r->utterance(p->r->user, &line, err);
}

/* Files */

static am_status read_lines(const am_iemocap_reader *r, am_status (*read)(parse *, const char *, am_error *),
                            am_error *err) {
  char *text;
  size_t bytes;
  am_status status = am_file_read_ordinary(r->ctx, r->file, "a label file", FILE_LIMIT, &text, &bytes, err);
  if (status) return status;
  parse p = {.r = r};
  if (memchr(text, '\0', bytes)) {
    am_free(r->ctx, text);
    return am_fail(err, AM_E_DATA, "%s: holds NUL bytes; wanted a text file of labels (UTF-16? damaged?)", r->file);
  }
  char *at = text;
  if (!strncmp(at, "\xef\xbb\xbf", 3)) at += 3;
  while (*at && !status) {
    size_t n = strcspn(at, "\n");
    char *next = at + n + (at[n] != '\0');
    while (n && (at[n - 1] == '\r' || at[n - 1] == ' ' || at[n - 1] == '\t')) n--;
    at[n] = '\0';
    p.number++;
    status = read(&p, skip_space(at), err);
    at = next;
  }
  if (!status) status = close_block(&p, err);
  am_free(r->ctx, text);
  return status;
}

am_status am_iemocap_read_consensus(const am_iemocap_reader *reader, am_error *err) {
  return read_lines(reader, consensus_line, err);
}

am_status am_iemocap_read_rater(const am_iemocap_reader *reader, am_error *err) {
  return read_lines(reader, rater_line, err);
}
