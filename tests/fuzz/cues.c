/* SPDX-License-Identifier: MIT */
/* tests/fuzz/cues.c - SRT, WebVTT, ASS, TTML and recognisers' JSON: an unchanged document gives its bytes, and what tags put comes off again. */
#include "fuzz/fuzz.h"
#include "subtitle/convert.h"
#include "subtitle/show.h"
#include "subtitle/tag.h"
#include "subtitle/transcript.h"

static const am_emotion_words *all_words(am_context *ctx) {
  static am_emotion_word row = {"de", "angry", "wütend", "wütend"};
  static am_emotion_words few;
  few = (am_emotion_words){.ctx = ctx, .at = &row, .n = 1};
  return &few;
}

static am_buffer written(const am_cues *c) {
  am_buffer out = {0};
  am_cues_write(c, &out);
  fuzz_require(!out.failed);
  return out;
}

/* With tags in all cues, or without any; false: it can not be read. */
static bool change(am_context *ctx, const am_buffer *in, int style, am_buffer *out) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  am_tagger t;
  size_t n = 0;
  bool fits, any = false;
  am_buffer room = {0};
  am_status st = am_cues_parse(ctx, in->data ? in->data : "", in->used, "fuzz", NULL, &c, &err);
  fuzz_check(st, &err);
  if (st) return false;
  const am_emotion_words *words = all_words(ctx);
  fuzz_require(!am_tagger_begin(&t, &c, words, &err));
  if (style < 0) fuzz_require(!am_tag_strip(&t, &n, &err));
  for (size_t i = 0; i < c.n && style >= 0; i++) {
    am_error why = AM_ERROR_INIT;
    st = am_tag_put(&t, &c.at[i], (am_tag_style)style, words->at, false, &fits, &why);
    fuzz_check(st, &why);
    fuzz_require(!st || st == AM_E_DATA);
    if (!st) any |= fits;
    am_slice speaker;
    fuzz_require(!am_show_cue_speaker(&c, &c.at[i], am_tag_inside(&t, &c.at[i]).text, &room, &speaker, &fits, &why) ||
                 why.status);
  }
  am_buffer_free(ctx, &room);
  if (any && style == AM_TAG_CLASS) fuzz_require(!am_tag_style_block(&t, &err));
  *out = written(&c);
  am_tagger_end(&t);
  am_cues_free(&c);
  return true;
}

static bool same(const am_buffer *a, const am_buffer *b) {
  return a->used == b->used && (!a->used || !memcmp(a->data, b->data, a->used));
}

/* Until there is nothing of ours in it. */
static bool strip(am_context *ctx, am_buffer *text) {
  for (;;) {
    am_buffer next = {0};
    if (!change(ctx, text, -1, &next)) return false;
    const bool done = same(text, &next);
    am_buffer_free(ctx, text);
    *text = next;
    if (done) return true;
  }
}

static size_t cues_of(am_context *ctx, const am_buffer *text) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  fuzz_require(!am_cues_parse(ctx, text->data ? text->data : "", text->used, "fuzz", NULL, &c, &err));
  const size_t n = c.n;
  am_buffer as_it_was = written(&c);
  fuzz_require(same(&as_it_was, text));
  am_buffer_free(ctx, &as_it_was);
  am_cues_free(&c);
  return n;
}

/* To each other format and back to this one: as many cues. */
static void convert(am_context *ctx, const am_buffer *in) {
  static const am_cue_syntax *const all[] = {&am_srt, &am_vtt, &am_ass, &am_ttml};
  am_error err = AM_ERROR_INIT;
  am_cues from, other, back;
  fuzz_require(!am_cues_parse(ctx, in->data ? in->data : "", in->used, "fuzz", NULL, &from, &err));
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    am_error why = AM_ERROR_INIT;
    if (all[i] == from.syntax) continue;
    am_status st = am_cues_convert(&from, all[i], "fuzz", &other, &why);
    fuzz_check(st, &why);
    /* The others take any text, where they are there. */
    fuzz_require(!st || st == AM_E_UNSUPPORTED || all[i] == &am_srt || all[i] == &am_vtt);
    if (st) continue;
    fuzz_require(other.n == from.n && !other.latin1);
    st = am_cues_convert(&other, from.syntax, "fuzz", &back, &why);
    fuzz_check(st, &why);
    if (!st) am_cues_free(&back);
    am_cues_free(&other);
  }
  am_cues_free(&from);
}

/* What a recogniser wrote becomes WebVTT, which is used as if it had been given; false: it is none. */
static bool transcribe(am_context *ctx, const uint8_t *data, size_t bytes, am_buffer *out) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  am_status st = am_transcript_parse(ctx, (const char *)data, bytes, "fuzz", &c, &err);
  fuzz_check(st, &err);
  if (st) return false;
  *out = written(&c);
  am_cues_free(&c);
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  am_context *ctx = fuzz_begin(bytes, true);
  am_buffer plain = {0};
  const bool json = bytes && (data[0] == '{' || (data[0] == '[' && bytes > 1 && data[1] != 'S' && data[1] != 'V'));
  if (!json) am_buffer_append(ctx, &plain, data, bytes);
  const bool ours = (!json || transcribe(ctx, data, bytes, &plain)) && strip(ctx, &plain);
  for (int style = 0; ours && style < AM_TAG_STYLES; style++) {
    am_buffer with = {0}, again = {0}, off = {0};
    fuzz_require(change(ctx, &plain, style, &with));
    fuzz_require(cues_of(ctx, &with) == cues_of(ctx, &plain));
    fuzz_require(change(ctx, &with, style, &again) && same(&again, &with));
    fuzz_require(change(ctx, &with, -1, &off) && same(&off, &plain));
    am_buffer_free(ctx, &with);
    am_buffer_free(ctx, &again);
    am_buffer_free(ctx, &off);
  }
  if (ours) convert(ctx, &plain);
  am_buffer_free(ctx, &plain);
  fuzz_end();
  return 0;
}
