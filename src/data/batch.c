/* SPDX-License-Identifier: MIT */
/* data/batch.c - rows of a batch: features, augmentation, normalisation, mixup. */
#include "data/batch.h"

#include <string.h>

#include "data/order.h"

am_status am_batch_alloc(const am_batch_source *s, am_batch_memory *m, am_error *err) {
  size_t batch = (size_t)s->batch, cells = am_mul(am_mul(batch, (size_t)s->t), (size_t)s->f);
  bool mix = s->augment && s->augment->mixup > 0;
  m->raw = am_alloc_aligned(s->ctx, am_mul(cells, sizeof(float)));
  m->mixed = mix ? am_alloc_aligned(s->ctx, am_mul(cells, sizeof(float))) : m->raw;
  m->made = am_alloc(s->ctx, batch, sizeof *m->made);
  m->raw_lengths = am_alloc(s->ctx, batch, sizeof *m->raw_lengths);
  m->lengths = am_alloc(s->ctx, batch, sizeof *m->lengths);
  m->targets = am_alloc(s->ctx, am_mul(batch, (size_t)s->k), sizeof *m->targets);
  m->weights = am_alloc(s->ctx, batch, sizeof *m->weights);
  m->draws = am_alloc(s->ctx, batch, sizeof *m->draws);
  m->clips = am_alloc(s->ctx, batch, sizeof *m->clips);
  m->partners = am_alloc(s->ctx, batch, sizeof *m->partners);
  m->shares = am_alloc(s->ctx, batch, sizeof *m->shares);
  const bool rows = m->raw && m->mixed && m->made && m->raw_lengths && m->lengths && m->targets && m->weights;
  return rows && m->draws && m->clips && m->partners && m->shares ? AM_OK : am_no_memory(err);
}

void am_batch_free(am_context *ctx, am_batch_memory *m) {
  if (m->mixed != m->raw) am_free_aligned(ctx, m->mixed);
  am_free_aligned(ctx, m->raw);
  am_free(ctx, m->made);
  am_free(ctx, m->raw_lengths);
  am_free(ctx, m->lengths);
  am_free(ctx, m->targets);
  am_free(ctx, m->weights);
  am_free(ctx, m->draws);
  am_free(ctx, m->clips);
  am_free(ctx, m->partners);
  am_free(ctx, m->shares);
  *m = (am_batch_memory){0};
}

/* Streams of AM_FOR_AUGMENT: changing the sound does not move the draws of the frames. */
enum { FOR_SOUND, FOR_FRAMES };

static am_rng stream(const am_batch_source *s, uint64_t draw, uint64_t what) {
  return am_rng_stream(s->seed, AM_FOR_AUGMENT, s->epoch, draw, what);
}

/* The features of the clip's sound, changed before where the augmentation does that, in new memory. */
static am_status from_sound(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, am_batch_made *out,
                            am_error *err) {
  am_context *ctx = s->ctx;
  const float *sound = clip->sound;
  size_t n = clip->n;
  am_status status = AM_OK;
  double warp = 1;
  int f;
  if (s->needs_sound) {
    out->n = n;
    out->sound = am_alloc(ctx, n ? n : 1, sizeof *out->sound);
    if (!out->sound) return am_no_memory(err);
    memcpy(out->sound, sound, n * sizeof *sound);
    am_rng rng = stream(s, draw, FOR_SOUND);
    status = am_augment_sound(ctx, s->augment, &rng, am_features_options(s->fx)->sample_rate, &out->sound, &out->n,
                              &warp, err);
    sound = out->sound;
    n = out->n;
  }
  if (!status) {
    am_features_shape(s->fx, n, &out->t, &f);
    out->x = am_alloc(ctx, am_mul((size_t)out->t, (size_t)f), sizeof *out->x);
    status = out->x ? am_features_compute(s->fx, sound, n, warp, out->x, &out->t, err) : am_no_memory(err);
  }
  if (status && s->needs_sound) am_error_prefix(err, "%s, augmented", clip->name);
  return status;
}

/* Normalised before frames are cropped and masked: a mask does not shift a clip's statistics. */
static void shape_row(const am_batch_source *s, int whose, uint64_t draw, float *x, int *t) {
  am_normaliser_apply(s->nz, whose, x, *t);
  if (!s->augment) return;
  am_rng rng = stream(s, draw, FOR_FRAMES);
  am_augment_frames(s->augment, &rng, x, t, s->f);
}

static am_status copy_features(const am_batch_source *s, const am_batch_clip *clip, am_batch_made *out, am_error *err) {
  size_t cells = am_mul((size_t)clip->t, (size_t)s->f);
  out->t = clip->t;
  out->x = am_alloc(s->ctx, cells, sizeof *out->x);
  if (!out->x) return am_no_memory(err);
  memcpy(out->x, clip->features, cells * sizeof *out->x);
  return AM_OK;
}

am_status am_batch_make(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, am_batch_made *out,
                        am_error *err) {
  *out = (am_batch_made){0};
  am_status status =
      s->needs_sound || !clip->features ? from_sound(s, clip, draw, out, err) : copy_features(s, clip, out, err);
  if (!status) {
    shape_row(s, clip->whose, draw, out->x, &out->t);
    return AM_OK;
  }
  am_free(s->ctx, out->x);
  am_free(s->ctx, out->sound);
  *out = (am_batch_made){0};
  return status;
}

static void end_row(const am_batch_source *s, float *row, int t, int *length) {
  const size_t f = (size_t)s->f;
  memset(row + (size_t)t * f, 0, (size_t)(s->t - t) * f * sizeof *row);
  *length = t;
}

/* Of t frames that the row has. */
static void finish_row(const am_batch_source *s, int whose, uint64_t draw, float *row, int t, int *length) {
  shape_row(s, whose, draw, row, &t);
  end_row(s, row, t, length);
}

am_status am_batch_put(const am_batch_source *s, const am_batch_clip *clip, uint64_t draw, float *row, int *length,
                       am_error *err) {
  size_t f = (size_t)s->f;
  int t = clip->t;
  if (s->needs_sound || !clip->features || t > s->t) {
    am_batch_made made;
    am_status status = am_batch_make(s, clip, draw, &made, err);
    if (status) return status;
    t = made.t < s->t ? made.t : s->t;
    memcpy(row, made.x, (size_t)t * f * sizeof *row);
    am_free(s->ctx, made.x);
    am_free(s->ctx, made.sound);
    end_row(s, row, t, length);
  } else {
    memcpy(row, clip->features, (size_t)t * f * sizeof *row);
    finish_row(s, clip->whose, draw, row, t, length);
  }
  return AM_OK;
}

/* Sound, or more features than the row has room for, by way of memory of its own. */
static am_status put_read(const am_batch_source *s, const am_store *from, uint32_t index, am_batch_clip *clip,
                          uint64_t draw, float *row, int *length, am_error *err) {
  const bool sound = s->needs_sound;
  clip->n = sound ? am_store_samples(from, index) : 0;
  const size_t cells = am_mul((size_t)clip->t, (size_t)s->f);
  float *memory = am_resize(s->ctx, NULL, sound ? clip->n : cells, sizeof *memory);
  if (!memory) return am_no_memory(err);
  am_status status = sound ? am_store_read_sound(from, index, memory, err) : am_store_read(from, index, memory, err);
  *(sound ? &clip->sound : &clip->features) = memory;
  if (!status) status = am_batch_put(s, clip, draw, row, length, err);
  am_free(s->ctx, memory);
  return status;
}

am_status am_batch_row(const am_batch_source *s, am_batch_memory *m, int i, am_error *err) {
  uint32_t index = m->clips[i];
  float *row = m->raw + (size_t)i * (size_t)s->t * (size_t)s->f;
  const int copy = s->augment ? am_order_copy(s->store, s->seed, s->epoch, index) : 0;
  const am_store *from = s->needs_sound ? s->store : am_store_copy(s->store, copy);
  am_batch_clip clip = {.name = s->d->clips[index].name,
                        .whose = am_normaliser_whose_copy(s->nz, &s->d->clips[index], copy),
                        .t = am_store_frames(from, index)};
  if (s->needs_sound || clip.t > s->t)
    return put_read(s, from, index, &clip, m->draws[i], row, &m->raw_lengths[i], err);
  am_status status = am_store_read(from, index, row, err); /* the usual case: made in place */
  if (!status) finish_row(s, clip.whose, m->draws[i], row, clip.t, &m->raw_lengths[i]);
  return status;
}

static float weight_of(const am_batch_source *s, uint32_t clip) {
  return s->class_weights ? (float)s->class_weights[s->d->clips[clip].label] : 1;
}

/* Adds share times the clip's target, one-hot, the raters' votes, or values, to target (K).  What is mixed of a value that is not
 * known is not known. */
static void add_target(const am_batch_source *s, uint32_t clip, float share, float *target) {
  const am_clip *c = &s->d->clips[clip];
  const bool values = s->d->target == AM_TARGET_DIMENSIONS;
  for (int k = 0; k < s->k && values; k++) target[k] += share * am_dataset_unit(s->d, c, k);
  if (values) return;
  if (!c->soft) target[c->label] += share;
  for (int k = 0; k < s->k && c->soft; k++) target[k] += share * c->soft[k];
}

/* The row that row i is mixed with, and the share of row i. */
static int partner_of(const am_batch_source *s, const am_batch_memory *m, int i, float *share) {
  am_rng rng = am_rng_stream(s->seed, AM_FOR_MIXUP, s->epoch, m->draws[i], 0);
  *share = (float)am_augment_mixup(s->augment, &rng);
  return (int)am_rng_below(&rng, (uint64_t)m->n);
}

void am_batch_choose(const am_batch_source *s, am_batch_memory *m) {
  memset(m->made, 0, (size_t)m->n * sizeof *m->made);
  memset(m->raw_lengths, 0, (size_t)m->n * sizeof *m->raw_lengths);
  for (int i = m->first; i < m->first + m->count; i++) {
    float share;
    m->made[i] = true;
    if (m->mixed != m->raw) m->made[partner_of(s, m, i, &share)] = true;
  }
}

static void mix_pixels(const am_batch_source *s, am_batch_memory *m, int i, int j, float a) {
  const float b = 1 - a;
  const size_t stride = (size_t)s->t * (size_t)s->f;
  const float *x = m->raw + (size_t)i * stride, *y = m->raw + (size_t)j * stride;
  float *out = m->mixed + (size_t)i * stride;
  m->lengths[i] = m->raw_lengths[i] > m->raw_lengths[j] ? m->raw_lengths[i] : m->raw_lengths[j];
  size_t used = (size_t)m->lengths[i] * (size_t)s->f;
  for (size_t c = 0; c < used; c++) out[c] = a * x[c] + b * y[c];
  memset(out + used, 0, (stride - used) * sizeof *out);
}

/* Row i becomes lambda row i + (1 - lambda) row j, targets and weights alike; the longer length holds. */
static void mix_row(const am_batch_source *s, am_batch_memory *m, int i) {
  float a;
  const int j = partner_of(s, m, i, &a);
  const float b = 1 - a;
  m->partners[i] = m->clips[j];
  m->shares[i] = a;
  m->lengths[i] = 0;
  if (i >= m->first && i < m->first + m->count) mix_pixels(s, m, i, j, a);
  float *target = m->targets + (size_t)i * (size_t)s->k;
  add_target(s, m->clips[i], a, target);
  add_target(s, m->clips[j], b, target);
  m->weights[i] = a * weight_of(s, m->clips[i]) + b * weight_of(s, m->clips[j]);
}

void am_batch_finish(const am_batch_source *s, am_batch_memory *m) {
  memset(m->targets, 0, (size_t)m->n * (size_t)s->k * sizeof *m->targets);
  for (int i = 0; i < m->n; i++) {
    if (m->mixed != m->raw) {
      mix_row(s, m, i);
      continue;
    }
    m->lengths[i] = m->raw_lengths[i];
    add_target(s, m->clips[i], 1, m->targets + (size_t)i * (size_t)s->k);
    m->weights[i] = weight_of(s, m->clips[i]);
  }
}
