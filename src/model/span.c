/* SPDX-License-Identifier: MIT */
/* model/span.c - stretches of speech. */
#include "model/span.h"

static const float hysteresis = 0.15f;

void am_spans_init(am_spans *s, const am_span_options *options) { *s = (am_spans){.options = *options}; }

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }
static uint64_t most(uint64_t a, uint64_t b) { return a > b ? a : b; }

static uint64_t padded_start(const am_spans *s, uint64_t first) {
  return most(s->free_from, first > s->options.padding ? first - s->options.padding : 0);
}

static void forget_pause(am_spans *s) { s->pause[0] = s->pause[1] = 0; }

static void close_at(am_spans *s, uint64_t end) {
  s->end = s->free_from = end;
  s->maybe = s->open = s->quiet = false;
  forget_pause(s);
}

/* A pause, over or not, that began in the later half. */
static void note_pause(am_spans *s, uint64_t from, uint64_t to) {
  if (from < s->first + s->options.longest / 2 || to - from <= s->pause[1] - s->pause[0]) return;
  s->pause[0] = from;
  s->pause[1] = to;
}

/* Both halves get their padding, but not more than half of the pause. */
static am_span_news cut(am_spans *s, uint64_t now) {
  uint64_t from = now, to = now;
  if (s->pause[1] > s->pause[0]) from = s->pause[0], to = s->pause[1];
  const uint64_t pad = least(s->options.padding, (to - from) / 2);
  s->end = s->free_from = from + pad;
  s->next = to - pad;
  s->first = to;
  forget_pause(s);
  return AM_SPAN_CUT;
}

static am_span_news hear_speech(am_spans *s, uint64_t from, uint64_t to) {
  if (!s->maybe) {
    s->maybe = true;
    s->first = from;
    forget_pause(s);
  }
  if (s->quiet && s->open) note_pause(s, s->quiet_from, from);
  s->quiet = false;
  if (s->open || to - s->first < s->options.min_speech) return AM_SPAN_NO_NEWS;
  s->open = true;
  s->start = padded_start(s, s->first);
  return AM_SPAN_BEGINS;
}

static am_span_news hear_quiet(am_spans *s, uint64_t from, uint64_t to) {
  if (!s->quiet) s->quiet_from = from;
  s->quiet = true;
  if (to - s->quiet_from < s->options.min_silence) return AM_SPAN_NO_NEWS;
  const bool counted = s->open;
  if (counted) close_at(s, least(to, s->quiet_from + s->options.padding));
  s->maybe = s->quiet = false;
  return counted ? AM_SPAN_ENDS : AM_SPAN_NO_NEWS;
}

am_span_news am_spans_hear(am_spans *s, uint64_t from, uint64_t to, float score) {
  am_span_news news = AM_SPAN_NO_NEWS;
  const float wanted = s->maybe && !s->quiet ? s->options.threshold - hysteresis : s->options.threshold;
  if (score >= wanted) news = hear_speech(s, from, to);
  else if (s->maybe) news = hear_quiet(s, from, to);
  if (news || !s->open || to - s->first < s->options.longest) return news;
  if (!s->quiet) return cut(s, to);
  close_at(s, least(to, s->quiet_from + s->options.padding)); /* it stands in a pause */
  return AM_SPAN_ENDS;
}

bool am_spans_end(am_spans *s, uint64_t at) {
  const bool counted = s->open;
  if (counted) close_at(s, s->quiet ? least(at, s->quiet_from + s->options.padding) : at);
  s->maybe = s->quiet = false;
  return counted;
}

uint64_t am_spans_needed(const am_spans *s, uint64_t at) { return padded_start(s, s->maybe ? s->first : at); }
