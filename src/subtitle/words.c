/* SPDX-License-Identifier: MIT */
/* subtitle/words.c - see words.h. */
#include "subtitle/words.h"

#include <string.h>

enum { EMOTIONS = 8 };
static const char *const emotions[EMOTIONS] = {"neutral", "calm",    "happy",   "sad",
                                               "angry",   "fearful", "disgust", "surprised"};

static const struct language {
  const char *name;
  const char *word[EMOTIONS][2];
} languages[] = {
    {"en",
     {{"neutrally", "neutral"},
      {"calmly", "calm"},
      {"happily", "happy"},
      {"sadly", "sad"},
      {"angrily", "angry"},
      {"fearfully", "fearful"},
      {"in disgust", "disgusted"},
      {"in surprise", "surprised"}}},
    {"de",
     {{"neutral", "neutral"},
      {"ruhig", "ruhig"},
      {"fröhlich", "fröhlich"},
      {"traurig", "traurig"},
      {"wütend", "wütend"},
      {"ängstlich", "ängstlich"},
      {"angewidert", "angewidert"},
      {"überrascht", "überrascht"}}},
    {"fr",
     {{"d'un ton neutre", "neutre"},
      {"calmement", "calme"},
      {"joyeusement", "joie"},
      {"tristement", "tristesse"},
      {"avec colère", "colère"},
      {"avec peur", "peur"},
      {"avec dégoût", "dégoût"},
      {"avec surprise", "surprise"}}},
    {"es",
     {{"con tono neutro", "neutro"},
      {"con calma", "calma"},
      {"con alegría", "alegría"},
      {"con tristeza", "tristeza"},
      {"con enfado", "enfado"},
      {"con miedo", "miedo"},
      {"con asco", "asco"},
      {"con sorpresa", "sorpresa"}}},
    {"it",
     {{"con tono neutro", "neutro"},
      {"con calma", "calma"},
      {"con gioia", "gioia"},
      {"tristemente", "tristezza"},
      {"con rabbia", "rabbia"},
      {"con paura", "paura"},
      {"con disgusto", "disgusto"},
      {"con sorpresa", "sorpresa"}}},
    {"pl",
     {{"neutralnie", "neutralność"},
      {"spokojnie", "spokój"},
      {"radośnie", "radość"},
      {"smutno", "smutek"},
      {"gniewnie", "gniew"},
      {"ze strachem", "strach"},
      {"ze wstrętem", "wstręt"},
      {"ze zdziwieniem", "zdziwienie"}}},
    {"pt",
     {{"em tom neutro", "neutro"},
      {"calmamente", "calma"},
      {"alegremente", "alegria"},
      {"tristemente", "tristeza"},
      {"com raiva", "raiva"},
      {"com medo", "medo"},
      {"com nojo", "nojo"},
      {"com surpresa", "surpresa"}}},
    {"nl",
     {{"neutraal", "neutraal"},
      {"rustig", "rustig"},
      {"blij", "blij"},
      {"verdrietig", "verdrietig"},
      {"boos", "boos"},
      {"angstig", "angstig"},
      {"vol afschuw", "afschuw"},
      {"verrast", "verrast"}}},
    {"zh",
     {{"平淡地", "平淡"},
      {"平静地", "平静"},
      {"高兴地", "高兴"},
      {"悲伤地", "悲伤"},
      {"愤怒地", "愤怒"},
      {"害怕地", "害怕"},
      {"厌恶地", "厌恶"},
      {"惊讶地", "惊讶"}}},
    {"ja",
     {{"淡々と", "平常"},
      {"穏やかに", "穏やか"},
      {"嬉しそうに", "喜び"},
      {"悲しそうに", "悲しみ"},
      {"怒って", "怒り"},
      {"怯えて", "恐れ"},
      {"嫌そうに", "嫌悪"},
      {"驚いて", "驚き"}}},
};
enum { LANGUAGES = sizeof languages / sizeof *languages, BUILT_IN = LANGUAGES * EMOTIONS };

static const char *const faces[EMOTIONS] = {"\U0001F610", "\U0001F60C", "\U0001F60A", "\U0001F622",
                                            "\U0001F620", "\U0001F628", "\U0001F922", "\U0001F632"};

const char *am_emotion_face(const char *emotion) {
  for (size_t i = 0; i < EMOTIONS; i++)
    if (!strcmp(emotions[i], emotion)) return faces[i];
  return NULL;
}

void am_emotion_words_free(am_emotion_words *w) {
  am_tree_free(w->tree);
  am_free(w->ctx, w->at);
  *w = (am_emotion_words){.ctx = w->ctx};
}

/* What would end a mark, or a line. */
static bool plain(const am_value *v) {
  return v->kind == AM_SCALAR && v->text[0] && strlen(v->text) <= 30 && !strpbrk(v->text, "[]()<>:{}\n\r\t") &&
         v->text[0] != ' ' && !strstr(v->text, "-->");
}

static am_status add(am_emotion_words *w, const am_value *language, const am_value *pair, am_error *err) {
  if (pair->kind != AM_LIST || pair->count != 2 || !plain(pair->first) || !plain(pair->last))
    return am_fail_at(
        err, pair, "wanted two words, how and what: [angrily, angry], of up to 30 bytes, without brackets and colons");
  w->at[w->n++] = (am_emotion_word){language->key, pair->key, pair->first->text, pair->last->text};
  return AM_OK;
}

static am_status count(const am_value *root, size_t *n, am_error *err) {
  if (root->kind != AM_MAP) return am_fail_at(err, root, "wanted languages: {en: {angry: [angrily, angry]}}");
  *n = 0;
  for (const am_value *l = root->first; l; l = l->next) {
    if (l->kind != AM_MAP) return am_fail_at(err, l, "%s: wanted emotions: {angry: [angrily, angry]}", l->key);
    *n += l->count;
  }
  return *n <= 10000 ? AM_OK : am_fail_at(err, root, "%zu words; wanted at most 10000", *n);
}

am_status am_emotion_words_load(am_context *ctx, const char *path, am_emotion_words *out, am_error *err) {
  *out = (am_emotion_words){.ctx = ctx};
  size_t own = 0;
  am_status st = path ? am_yaml_read_file(ctx, path, &out->tree, err) : AM_OK;
  const am_value *root = !st && path ? am_tree_root(out->tree) : NULL;
  if (!st && root) st = count(root, &own, err);
  if (!st && !(out->at = am_alloc(ctx, own + BUILT_IN, sizeof *out->at))) st = am_no_memory(err);
  for (const am_value *l = root && !st ? root->first : NULL; l && !st; l = l->next)
    for (const am_value *e = l->first; e && !st; e = e->next) st = add(out, l, e, err);
  for (size_t i = 0; i < LANGUAGES && !st; i++)
    for (size_t k = 0; k < EMOTIONS; k++)
      out->at[out->n++] =
          (am_emotion_word){languages[i].name, emotions[k], languages[i].word[k][0], languages[i].word[k][1]};
  if (st) am_emotion_words_free(out);
  return st;
}

/* "de-AT" and "de_AT" are "de" where there is no such row. */
static bool same_language(const char *row, const char *wanted, bool exact) {
  if (exact) return !strcmp(row, wanted);
  const size_t n = strcspn(wanted, "-_");
  return strlen(row) == n && !strncmp(row, wanted, n);
}

const am_emotion_word *am_emotion_words_find(const am_emotion_words *w, const char *language, const char *emotion) {
  for (int exact = 1; exact >= 0; exact--)
    for (size_t i = 0; i < w->n; i++)
      if (same_language(w->at[i].language, language, exact) && !strcmp(w->at[i].emotion, emotion)) return &w->at[i];
  return NULL;
}

bool am_emotion_words_speak(const am_emotion_words *w, const char *language) {
  for (size_t i = 0; i < w->n; i++)
    if (same_language(w->at[i].language, language, true) || same_language(w->at[i].language, language, false))
      return true;
  return false;
}

void am_emotion_words_languages(const am_emotion_words *w, am_buffer *out) {
  for (size_t i = 0; i < w->n; i++) {
    bool before = false;
    for (size_t k = 0; k < i; k++) before |= !strcmp(w->at[k].language, w->at[i].language);
    if (!before) am_buffer_printf(w->ctx, out, "%s%s", out->used ? ", " : "", w->at[i].language);
  }
}
