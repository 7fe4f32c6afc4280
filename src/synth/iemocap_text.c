/* SPDX-License-Identifier: MIT */
/* synth/iemocap_text.c - label files and transcriptions of the synthetic
 * IEMOCAP.  Every consensus label is the strict majority of its raters' votes,
 * and every attribute the mean of what they gave. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "synth/iemocap.h"

enum { NEU, HAP, SAD, ANG, SUR, FEA, DIS, FRU, EXC, OTH, XXX, RATERS = 4 };

static const char *const codes[] = {"neu", "hap", "sad", "ang", "sur", "fea", "dis", "fru", "exc", "oth", "xxx"};
static const char *const words[] = {"Neutral", "Happiness", "Sadness",     "Anger",   "Surprise",
                                    "Fear",    "Disgust",   "Frustration", "Excited", "Other"};

/* Who rated a dialogue: E1 is not always among them. */
static const int raters[AM_SYNTH_DIALOGUES][RATERS] = {{1, 2, 4, 0}, {2, 3, 4, 0}, {1, 2, 3, 4}};

static int rater_count(int dialogue) { return raters[dialogue][3] ? 4 : 3; }

/* Labels that rater r (0..) of an utterance gave, in his order. */
static int votes_of(const am_synth_turn *t, int r, int out[3]) {
  static const int apart[] = {NEU, ANG, SAD}, pairs[] = {NEU, NEU, SAD, SAD};
  int n = rater_count(t->dialogue), other = t->label == SAD ? NEU : SAD, way = (t->number + t->session) % 4;
  out[0] = t->label;
  if (t->label == XXX) {
    out[0] = n == 4 ? pairs[r] : apart[r];
  } else if (way == 1 && r == 0) { /* his first label is not the consensus */
    out[0] = other;
    out[1] = t->label;
    return 2;
  } else if (way == 2 && r == n - 1) {
    out[0] = FRU;
    out[1] = DIS;
    out[2] = ANG;
    return 3;
  } else if (way == 3 && r == n - 1) {
    out[0] = other;
  }
  return 1;
}

/* valence, activation, dominance of rater r, 1..5; 0: not given. */
static int attribute(const am_synth_turn *t, int r, int which) {
  static const int typical[][3] = {{3, 2, 3}, {4, 3, 3}, {2, 2, 2}, {2, 4, 4}, {3, 4, 3}, {2, 4, 2},
                                   {2, 3, 3}, {2, 3, 3}, {4, 4, 4}, {3, 3, 3}, {3, 3, 3}};
  if (which == 2 && r == 1 && t->number == 2) return 0;
  int value = typical[t->label][which] + (r + which + t->number) % 3 - 1;
  return value < 1 ? 1 : value > 5 ? 5 : value;
}

static double mean_attribute(const am_synth_turn *t, int which) {
  int sum = 0, count = 0;
  for (int r = 0; r < rater_count(t->dialogue); r++) {
    sum += attribute(t, r, which);
    count += attribute(t, r, which) != 0;
  }
  return (double)sum / count;
}

typedef struct text {
  am_context *ctx;
  am_buffer b;
  const char *end; /* of a line */
} text;

#define PUT(x, ...) am_buffer_printf((x)->ctx, &(x)->b, __VA_ARGS__)

static void put_votes(text *x, const am_synth_turn *t, int r, const char *neutral) {
  int labels[3], n = votes_of(t, r, labels);
  for (int i = 0; i < n; i++) PUT(x, "%s; ", labels[i] == NEU ? neutral : words[labels[i]]);
}

static void put_value(text *x, const char *name, int value) {
  if (value) PUT(x, "%s %d;", name, value);
  else PUT(x, "%s ;", name);
}

/* "val 3; act 2; dom  2;": two spaces after dom. */
static void put_attributes(text *x, const am_synth_turn *t, int r) {
  static const char *const names[] = {"val", "act", "dom "};
  for (int i = 0; i < 3; i++) {
    put_value(x, names[i], attribute(t, r, i));
    if (i < 2) PUT(x, " ");
  }
}

static void put_block(text *x, const am_synth_turn *t) {
  char name[48];
  am_synth_turn_name(t, name);
  PUT(x, "[%.4f - %.4f]\t%s\t%s\t[%.4f, %.4f, %.4f]%s", t->start, t->start + t->seconds, name, codes[t->label],
      mean_attribute(t, 0), mean_attribute(t, 1), mean_attribute(t, 2), x->end);
  int n = rater_count(t->dialogue);
  for (int r = 0; r < n; r++) {
    PUT(x, "C-E%d:\t", raters[t->dialogue][r]);
    put_votes(x, t, r, "Neutral");
    x->b.used--; /* one tab stands where a space stood */
    const char *comment = t->label == XXX && r == 1 ? "fianc\xe9"
                                                      "e, \x93so\x94 she says"
                                                    : "";
    PUT(x, "\t(%s)%s", comment, x->end);
  }
  /* The actor disagrees. */
  PUT(x, "C-%c1:\t%s;\t(curious)%s", t->speaker, words[t->label == NEU ? EXC : NEU], x->end);
  for (int r = 0; r < n; r++) {
    PUT(x, "A-E%d:\t", raters[t->dialogue][r]);
    put_attributes(x, t, r);
    PUT(x, "\t()%s", x->end);
  }
  PUT(x, "A-%c1:\tval 3; act 2; dom  1;\t()%s%s", t->speaker, x->end, x->end);
}

static am_status save(text *x, const char *dir, int session, const char *folder, const am_synth_turn *t,
                      const char *ending, am_error *err) {
  char *path =
      am_format(x->ctx, "%s/Session%d/dialog/%s/Ses%02d%s%s.txt", dir, session, folder, session, t->scene, ending);
  am_status status =
      x->b.failed || !path ? am_no_memory(err) : am_file_write_own(x->ctx, path, NULL, x->b.data, x->b.used, err);
  am_free(x->ctx, path);
  am_buffer_free(x->ctx, &x->b);
  x->b = (am_buffer){0};
  return status;
}

/* Turn k of a dialogue: all of F, then all of M. */
static am_synth_turn turn(int session, int dialogue, int k) {
  return am_synth_turn_at(((session - 1) * AM_SYNTH_DIALOGUES + dialogue) * 2 * AM_SYNTH_TURNS + k);
}

/* One rater's two files. */
static am_status write_rater(text *x, const char *dir, int session, int dialogue, int r, am_error *err) {
  char ending[16], name[48];
  am_synth_turn t = turn(session, dialogue, 0);
  for (int k = 0; k < 2 * AM_SYNTH_TURNS; k++) {
    t = turn(session, dialogue, k);
    am_synth_turn_name(&t, name);
    PUT(x, "%s :", name);
    put_votes(x, &t, r, "Neutral state");
    PUT(x, "()%s", x->end);
  }
  snprintf(ending, sizeof ending, "_e%d_cat", raters[dialogue][r]);
  am_status status = save(x, dir, session, "EmoEvaluation/Categorical", &t, ending, err);
  for (int k = 0; k < 2 * AM_SYNTH_TURNS; k++) {
    t = turn(session, dialogue, k);
    am_synth_turn_name(&t, name);
    PUT(x, "%s :act %d; val %d; ", name, attribute(&t, r, 1), attribute(&t, r, 0));
    put_value(x, "dom ", attribute(&t, r, 2));
    PUT(x, " ()%s", x->end);
  }
  snprintf(ending, sizeof ending, "_e%d_atr", raters[dialogue][r]);
  return status ? status : save(x, dir, session, "EmoEvaluation/Attribute", &t, ending, err);
}

/* The actor of each sex about himself. */
static am_status write_self(text *x, const char *dir, int session, int dialogue, am_error *err) {
  am_status status = AM_OK;
  for (int male = 0; male < 2 && status == AM_OK; male++) {
    am_synth_turn t = turn(session, dialogue, 0);
    char name[48];
    for (int k = 0; k < AM_SYNTH_TURNS; k++) {
      t = turn(session, dialogue, AM_SYNTH_TURNS * male + k);
      am_synth_turn_name(&t, name);
      PUT(x, "%s :%s; ()%s", name, t.label == NEU ? "Excited" : "Neutral state", x->end);
    }
    status = save(x, dir, session, "EmoEvaluation/Self-evaluation", &t, male ? "_m1_cat" : "_f1_cat", err);
  }
  return status;
}

static am_status write_transcription(text *x, const char *dir, int session, int dialogue, am_error *err) {
  am_synth_turn t = turn(session, dialogue, 0);
  for (int k = 0; k < 2 * AM_SYNTH_TURNS; k++) { /* in the order of time */
    t = turn(session, dialogue, k % 2 * AM_SYNTH_TURNS + k / 2);
    char name[48];
    am_synth_turn_name(&t, name);
    PUT(x, "%s [%08.4f-%08.4f]: %s%s", name, t.start, t.start + t.seconds,
        t.number % 2 ? "Dogs are sitting by the door." : "Kids are talking by the door.", x->end);
  }
  return save(x, dir, session, "transcriptions", &t, "", err);
}

am_status am_synth_iemocap_texts(am_context *ctx, const char *dir, int session, am_error *err) {
  text x = {.ctx = ctx, .end = session == 2 ? "\r\n" : "\n"};
  am_status status = AM_OK;
  for (int d = 0; d < AM_SYNTH_DIALOGUES && status == AM_OK; d++) {
    am_synth_turn t = turn(session, d, 0);
    PUT(&x, "%% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]%s%s", x.end, x.end);
    for (int k = 0; k < 2 * AM_SYNTH_TURNS; k++) {
      t = turn(session, d, k);
      put_block(&x, &t);
    }
    status = save(&x, dir, session, "EmoEvaluation", &t, "", err);
    for (int r = 0; r < rater_count(d) && status == AM_OK; r++) status = write_rater(&x, dir, session, d, r, err);
    if (status == AM_OK) status = write_self(&x, dir, session, d, err);
    if (status == AM_OK) status = write_transcription(&x, dir, session, d, err);
  }
  am_buffer_free(ctx, &x.b);
  return status;
}
