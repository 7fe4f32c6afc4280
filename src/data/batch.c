/* data/batch.c - rows of a batch: features, augmentation, normalisation, mixup. */
#include "data/batch.h"

#include <string.h>

#include "data/order.h"

am_status am_batch_alloc(const am_batch_source *s, am_batch_memory *m, am_error *err) {
  size_t batch = (size_t)s->batch, cells = am_mul(am_mul(batch, (size_t)s->t), (size_t)s->f);
  bool mix = s->augment && s->augment->mixup > 0;
  m->raw = am_alloc_aligned(s->ctx, am_mul(cells, sizeof(float)));
  m->mixed = mix ? am_alloc_aligned(s->ctx, am_mul(cells, sizeof(float))) : m->raw;
  m->raw_lengths = am_alloc(s->ctx, batch, sizeof *m->raw_lengths);
  m->lengths = am_alloc(s->ctx, batch, sizeof *m->lengths);
  m->targets = am_alloc(s->ctx, am_mul(batch, (size_t)s->k), sizeof *m->targets);
  m->weights = am_alloc(s->ctx, batch, sizeof *m->weights);
  m->draws = am_alloc(s->ctx, batch, sizeof *m->draws);
  m->clips = am_alloc(s->ctx, batch, sizeof *m->clips);
  m->partners = am_alloc(s->ctx, batch, sizeof *m->partners);
  m->shares = am_alloc(s->ctx, batch, sizeof *m->shares);
  const bool rows = m->raw && m->mixed && m->raw_lengths && m->lengths && m->targets && m->weights;
  return rows && m->draws && m->clips && m->partners && m->shares ? AM_OK : am_no_memory(err);
}

void am_batch_free(am_context *ctx, am_batch_memory *m) {
  if (m->mixed != m->raw) am_free_aligned(ctx, m->mixed);
  am_free_aligned(ctx, m->raw);
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
  } else { /* the usual case: made in place */
    memcpy(row, clip->features, (size_t)t * f * sizeof *row);
    shape_row(s, clip->whose, draw, row, &t);
  }
  memset(row + (size_t)t * f, 0, (size_t)(s->t - t) * f * sizeof *row);
  *length = t;
  return AM_OK;
}

am_status am_batch_row(const am_batch_source *s, am_batch_memory *m, int i, am_error *err) {
  uint32_t index = m->clips[i];
  const int copy = s->augment ? am_order_copy(s->store, s->seed, s->epoch, index) : 0;
  const am_store *from = am_store_copy(s->store, copy);
  am_batch_clip clip = {.name = s->d->clips[index].name,
                        .whose = am_normaliser_whose_copy(s->nz, &s->d->clips[index], copy),
                        .features = am_store_features(from, index),
                        .t = am_store_frames(from, index)};
  clip.sound = am_store_sound(s->store, index, &clip.n);
  return am_batch_put(s, &clip, m->draws[i], m->raw + (size_t)i * (size_t)s->t * (size_t)s->f, &m->raw_lengths[i], err);
}

static float weight_of(const am_batch_source *s, uint32_t clip) {
  return s->class_weights ? (float)s->class_weights[s->d->clips[clip].label] : 1;
}

/* Adds share times the clip's target, one-hot or the raters' votes, to target (K). */
static void add_target(const am_batch_source *s, uint32_t clip, float share, float *target) {
  const am_clip *c = &s->d->clips[clip];
  if (!c->soft) target[c->label] += share;
  for (int k = 0; k < s->k && c->soft; k++) target[k] += share * c->soft[k];
}

/* Row i becomes lambda row i + (1 - lambda) row j, targets and weights alike; the longer length holds. */
static void mix_row(const am_batch_source *s, am_batch_memory *m, int i) {
  am_rng rng = am_rng_stream(s->seed, AM_FOR_MIXUP, s->epoch, m->draws[i], 0);
  float a = (float)am_augment_mixup(s->augment, &rng), b = 1 - a;
  int j = (int)am_rng_below(&rng, (uint64_t)m->n);
  size_t stride = (size_t)s->t * (size_t)s->f;
  m->partners[i] = m->clips[j];
  m->shares[i] = a;
  const float *x = m->raw + (size_t)i * stride, *y = m->raw + (size_t)j * stride;
  float *out = m->mixed + (size_t)i * stride;
  m->lengths[i] = m->raw_lengths[i] > m->raw_lengths[j] ? m->raw_lengths[i] : m->raw_lengths[j];
  size_t used = (size_t)m->lengths[i] * (size_t)s->f;
  for (size_t c = 0; c < used; c++) out[c] = a * x[c] + b * y[c];
  memset(out + used, 0, (stride - used) * sizeof *out);
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
