/* SPDX-License-Identifier: MIT */
/* subtitle/stitch.c - clips, pauses and noise in a row. */
#include "subtitle/stitch.h"

#include <math.h>
#include <string.h>

#include "audio/noise.h"
#include "audio/sound.h"
#include "audio/trim.h"
#include "base/rng.h"

static const double trim_db = 30, least_pause = 0.3, most_pause = 1.5; /* s */
enum { MOST_CLIPS = 3 };                                               /* of a mood */

void am_stitched_free(am_context *ctx, am_stitched *s) {
  am_free(ctx, s->samples);
  am_free(ctx, s->truth);
  *s = (am_stitched){0};
}

/* One speaker's clips: those without emotion first. */
typedef struct pool {
  uint32_t *clips;
  size_t plain, n;
} pool;

static bool is_plain(const am_dataset *d, uint32_t clip) {
  return !am_timeline_is_emotion(d->labels[d->clips[clip].label]);
}

static am_status fill_pool(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n, int speaker,
                           pool *out, am_error *err) {
  *out = (pool){.clips = am_alloc(ctx, n, sizeof *out->clips)};
  if (!out->clips) return am_no_memory(err);
  for (int plain = 1; plain >= 0; plain--) {
    for (size_t i = 0; i < n; i++)
      if (d->clips[clips[i]].speaker == speaker && is_plain(d, clips[i]) == plain) out->clips[out->n++] = clips[i];
    if (plain) out->plain = out->n;
  }
  return AM_OK;
}

/* The speaker of recording `number`: those who have clips take turns, in the order of the dataset. */
static int speaker_of(const am_dataset *d, const uint32_t *clips, size_t n, size_t number) {
  size_t speakers = 0;
  for (int turn = 0; turn < 2; turn++) {
    size_t seen = 0;
    for (int s = 0; s < d->n_speakers; s++) {
      bool has = false;
      for (size_t i = 0; i < n && !has; i++) has = d->clips[clips[i]].speaker == s;
      if (has && turn && seen == number % speakers) return s;
      seen += has;
    }
    speakers = seen;
    if (!speakers) return -1;
  }
  return -1;
}

static am_status add_samples(am_context *ctx, am_stitched *s, const float *x, size_t n, am_error *err) {
  am_status status = am_grow(ctx, &s->samples, &s->room, am_add(s->n, n), sizeof *s->samples, err);
  if (status) return status;
  if (x) memcpy(s->samples + s->n, x, n * sizeof *x);
  else memset(s->samples + s->n, 0, n * sizeof *s->samples);
  s->n += n;
  return AM_OK;
}

static am_status add_pause(am_context *ctx, am_stitched *s, am_rng *rng, double rate, am_error *err) {
  return add_samples(ctx, s, NULL, (size_t)(am_rng_range(rng, least_pause, most_pause) * rate), err);
}

static am_status add_clip(am_context *ctx, am_stitched *s, const am_clip *clip, const char *label,
                          const am_stitch_options *o, am_error *err) {
  am_sound sound = {.size = sizeof sound};
  am_status status = am_sound_read_clip(ctx, clip->path, o->rate, o->max_seconds, &sound, err);
  if (!status) status = am_grow(ctx, &s->truth, &s->truth_room, s->n_truth + 1, sizeof *s->truth, err);
  if (!status) {
    size_t from = am_size_of(clip->start * o->rate), n = sound.n, begin = 0, end;
    if (from > n) from = n;
    n -= from;
    if (clip->seconds > 0 && am_size_of(clip->seconds * o->rate) < n) n = am_size_of(clip->seconds * o->rate);
    end = n;
    if (n) am_trim_range(sound.samples + from, n, trim_db, &begin, &end);
    const double at = (double)s->n / o->rate;
    status = add_samples(ctx, s, sound.samples + from + begin, end - begin, err);
    if (!status && end > begin) s->truth[s->n_truth++] = (am_stretch){at, (double)s->n / o->rate, label};
  }
  am_sound_free(&sound);
  return status;
}

/* One to three clips of one label. */
static am_status add_mood(am_context *ctx, am_stitched *s, const am_dataset *d, const pool *p, am_rng *rng,
                          const am_stitch_options *o, am_error *err) {
  const size_t emotional = p->n - p->plain;
  const bool plain = p->plain && (!emotional || am_rng_uniform(rng) < 0.5);
  const uint32_t *from = p->clips + (plain ? 0 : p->plain);
  const size_t n = plain ? p->plain : emotional;
  const int label = d->clips[from[am_rng_below(rng, n)]].label;
  size_t wanted = 1 + (size_t)am_rng_below(rng, MOST_CLIPS);
  am_status status = AM_OK;
  while (!status && wanted) {
    const am_clip *clip = &d->clips[from[am_rng_below(rng, n)]];
    if (clip->label != label) continue;
    status = add_clip(ctx, s, clip, d->labels[label], o, err);
    if (!status) status = add_pause(ctx, s, rng, o->rate, err);
    wanted--;
  }
  return status;
}

am_status am_stitch(am_context *ctx, const am_dataset *d, const uint32_t *clips, size_t n, const am_stitch_options *o,
                    size_t number, am_stitched *out, am_error *err) {
  pool p = {0};
  *out = (am_stitched){.speaker = speaker_of(d, clips, n, number)};
  if (out->speaker < 0)
    return am_fail(err, AM_E_DATA, "none of these clips has a known speaker; recordings are of one each");
  am_rng rng = am_rng_stream(o->seed, AM_FOR_SYNTH, number, 0, 0);
  am_status status = fill_pool(ctx, d, clips, n, out->speaker, &p, err);
  if (!status) status = add_pause(ctx, out, &rng, o->rate, err);
  for (size_t before = 0; !status && (double)out->n < o->seconds * o->rate; before = out->n_truth) {
    status = add_mood(ctx, out, d, &p, &rng, o, err);
    if (!status && out->n_truth == before)
      status = am_fail(err, AM_E_DATA, "%s: has nothing to hear in it", d->clips[p.clips[0]].name);
  }
  if (!status && isfinite(o->snr))
    status = am_noise_add(ctx, &rng, am_rng_uniform(&rng), o->snr, out->samples, out->n, err);
  am_free(ctx, p.clips);
  if (status) am_stitched_free(ctx, out);
  return status;
}
