/* data/normaliser.c - statistics of one run, from its training part only. */
#include <math.h>
#include <string.h>

#include "data/loader.h"
#include "data/normaliser.h"

static am_status gather(am_context *ctx, const am_store *store, const uint32_t *clips, size_t n, int f,
                        am_norm_stats *out, am_error *err) {
  am_status status = am_norm_init(ctx, out, f, err);
  for (size_t i = 0; i < n && !status; i++)
    if (am_store_ok(store, clips[i]))
      am_norm_add(out, am_store_features(store, clips[i]), am_store_frames(store, clips[i]));
  return status;
}

static am_status fit_train(am_context *ctx, const am_store *store, const uint32_t *train, size_t n, am_normaliser *nz,
                           am_error *err) {
  am_norm_stats stats;
  nz->mean = am_alloc(ctx, (size_t)nz->f, sizeof *nz->mean);
  nz->inverse = am_alloc(ctx, (size_t)nz->f, sizeof *nz->inverse);
  if (!nz->mean || !nz->inverse) return am_no_memory(err);
  am_status status = gather(ctx, store, train, n, nz->f, &stats, err);
  if (status) return status;
  am_norm_finish(&stats, nz->by_all, nz->mean, nz->inverse);
  am_norm_free(ctx, &stats);
  return AM_OK;
}

/* What the speakers are known by; the order of the clips is that in which they are added. */
typedef struct hearing {
  const uint32_t *clips; /* NULL: all of the corpus */
  size_t n;
  const am_norm_stats *prior; /* NULL: none */
  double shrink;              /* rows of the prior */
} hearing;

static am_status fit_speaker(am_context *ctx, const am_store *store, const am_dataset *d, const hearing *h, int speaker,
                             am_normaliser *nz, am_error *err) {
  am_norm_stats stats;
  am_status status = am_norm_init(ctx, &stats, nz->f, err);
  if (status) return status;
  for (size_t i = 0; i < h->n; i++) {
    const uint32_t clip = h->clips ? h->clips[i] : (uint32_t)i;
    if (d->clips[clip].speaker == speaker && am_store_ok(store, clip))
      am_norm_add(&stats, am_store_features(store, clip), am_store_frames(store, clip));
  }
  const size_t at = (size_t)speaker * (size_t)nz->f;
  am_norm_shrink(&stats, h->prior, h->shrink, nz->by_all, nz->speaker_mean + at, nz->speaker_inverse + at);
  am_norm_free(ctx, &stats);
  return AM_OK;
}

static am_status fit_speakers(am_context *ctx, const am_store *store, const am_dataset *d, const hearing *h,
                              am_normaliser *nz, am_error *err) {
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].speaker < 0)
      return am_fail(err, AM_E_DATA,
                     "%s: the corpus does not say who speaks, and features.normalise is speaker; use clip "
                     "or train",
                     d->clips[i].name);
  nz->n_speakers = d->n_speakers;
  size_t count = am_mul((size_t)nz->n_speakers, (size_t)nz->f);
  nz->speaker_mean = am_alloc(ctx, count, sizeof *nz->speaker_mean);
  nz->speaker_inverse = am_alloc(ctx, count, sizeof *nz->speaker_inverse);
  if (!nz->speaker_mean || !nz->speaker_inverse) return am_no_memory(err);
  am_status status = AM_OK;
  for (int speaker = 0; speaker < nz->n_speakers && !status; speaker++)
    status = fit_speaker(ctx, store, d, h, speaker, nz, err);
  return status;
}

static am_normaliser begin(const am_store *store, const am_feature_options *o) {
  return (am_normaliser){
      .kind = o->normalise, .by_all = o->normalise_by == AM_NORMALISE_BY_ALL, .f = am_store_bins(store)};
}

am_status am_normaliser_fit(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                            const uint32_t *train, size_t n_train, am_normaliser *out, am_error *err) {
  *out = begin(store, o);
  am_status status = AM_OK;
  if (out->kind == AM_NORMALISE_TRAIN) status = fit_train(ctx, store, train, n_train, out, err);
  if (out->kind == AM_NORMALISE_SPEAKER) {
    status = fit_speakers(ctx, store, d, &(hearing){.n = d->n}, out, err);
    if (!status && n_train) status = gather(ctx, store, train, n_train, out->f, &out->training, err);
  }
  if (status) am_normaliser_free(ctx, out);
  return status;
}

am_status am_normaliser_enrol(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                              const am_norm_stats *training, const uint32_t *heard, size_t n_heard, am_normaliser *out,
                              am_error *err) {
  const hearing h = {heard, n_heard, training->f ? training : NULL, am_feature_rows(o, o->shrink)};
  *out = begin(store, o);
  am_status status = fit_speakers(ctx, store, d, &h, out, err);
  if (status) am_normaliser_free(ctx, out);
  return status;
}

/* The same floor as am_norm_finish: a flat bin is centred and not blown up. */
static void centre(double sum, double squares, double count, float *mean, float *inverse) {
  *mean = (float)(sum / count);
  double deviation = sqrt(squares / count);
  *inverse = (float)(deviation < 1e-6 ? 1 : 1 / deviation);
}

/* Statistics of one clip, a bin at a time in two passes, so nothing is allocated. */
static void apply_clip(float *x, int t, int f, bool by_all) {
  double all = 0, all_squares = 0, count = (double)t * f;
  for (size_t i = 0; i < (size_t)t * (size_t)f; i++) all += x[i];
  for (size_t i = 0; i < (size_t)t * (size_t)f; i++) all_squares += (x[i] - all / count) * (x[i] - all / count);
  for (int j = 0; j < f; j++) {
    double sum = 0, squares = 0;
    for (int i = 0; i < t && !by_all; i++) sum += x[(size_t)i * (size_t)f + (size_t)j];
    for (int i = 0; i < t && !by_all; i++) {
      double d = x[(size_t)i * (size_t)f + (size_t)j] - sum / t;
      squares += d * d;
    }
    float mean, inverse;
    if (by_all) centre(all, all_squares, count, &mean, &inverse);
    else centre(sum, squares, t, &mean, &inverse);
    for (int i = 0; i < t; i++) {
      float *at = &x[(size_t)i * (size_t)f + (size_t)j];
      *at = (*at - mean) * inverse;
    }
  }
}

void am_normaliser_apply(const am_normaliser *nz, int speaker, float *x, int t) {
  if (t <= 0 || nz->kind == AM_NORMALISE_NONE) return;
  if (nz->kind == AM_NORMALISE_TRAIN) {
    am_norm_apply(x, t, nz->f, nz->mean, nz->inverse);
  } else if (nz->kind == AM_NORMALISE_SPEAKER && speaker >= 0 && speaker < nz->n_speakers) {
    size_t at = (size_t)speaker * (size_t)nz->f;
    am_norm_apply(x, t, nz->f, nz->speaker_mean + at, nz->speaker_inverse + at);
  } else { /* clip; a stranger among speakers is all that is known of himself */
    apply_clip(x, t, nz->f, nz->by_all);
  }
}

void am_normaliser_free(am_context *ctx, am_normaliser *nz) {
  am_free(ctx, nz->mean);
  am_free(ctx, nz->inverse);
  am_free(ctx, nz->speaker_mean);
  am_free(ctx, nz->speaker_inverse);
  am_norm_free(ctx, &nz->training);
  *nz = (am_normaliser){0};
}
