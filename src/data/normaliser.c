/* SPDX-License-Identifier: MIT */
/* data/normaliser.c - statistics of one run, from its training part only. */
#include <math.h>
#include <string.h>

#include "data/groups.h"
#include "data/loader.h"
#include "data/normaliser.h"

/* Adds clips to statistics, by way of memory for the longest. */
typedef struct adding {
  const am_store *store;
  float *x;
} adding;

static am_status begin_adding(am_context *ctx, const am_store *store, adding *a, am_error *err) {
  const size_t cells = am_mul((size_t)am_store_max_frames(store), (size_t)am_store_bins(store));
  *a = (adding){store, am_resize(ctx, NULL, cells, sizeof *a->x)};
  return a->x ? AM_OK : am_no_memory(err);
}

static am_status add_clip(const adding *a, uint32_t clip, am_norm_stats *out, am_error *err) {
  if (!am_store_ok(a->store, clip)) return AM_OK;
  am_status status = am_store_read(a->store, clip, a->x, err);
  if (!status) am_norm_add(out, a->x, am_store_frames(a->store, clip));
  return status;
}

static am_status add_clips(am_context *ctx, const am_store *store, const uint32_t *clips, size_t n, am_norm_stats *out,
                           am_error *err) {
  adding a;
  am_status status = begin_adding(ctx, store, &a, err);
  for (size_t i = 0; i < n && !status; i++) status = add_clip(&a, clips[i], out, err);
  am_free(ctx, a.x);
  return status;
}

static am_status gather(am_context *ctx, const am_store *store, const uint32_t *clips, size_t n, int f,
                        am_norm_stats *out, am_error *err) {
  am_status status = am_norm_init(ctx, out, f, err);
  return status ? status : add_clips(ctx, store, clips, n, out, err);
}

/* Of what is trained on: the clips and, as likely as they, their copies. */
static am_status gather_copies(am_context *ctx, const am_store *store, const uint32_t *clips, size_t n, int f,
                               am_norm_stats *out, am_error *err) {
  am_status status = gather(ctx, store, clips, n, f, out, err);
  for (int k = 1; k <= am_store_copies(store) && !status; k++)
    status = add_clips(ctx, am_store_copy(store, k), clips, n, out, err);
  return status;
}

static am_status fit_train(am_context *ctx, const am_store *store, const uint32_t *train, size_t n, am_normaliser *nz,
                           am_error *err) {
  am_norm_stats stats;
  nz->mean = am_alloc(ctx, (size_t)nz->f, sizeof *nz->mean);
  nz->inverse = am_alloc(ctx, (size_t)nz->f, sizeof *nz->inverse);
  if (!nz->mean || !nz->inverse) return am_no_memory(err);
  am_status status = gather_copies(ctx, store, train, n, nz->f, &stats, err);
  if (!status) am_norm_finish(&stats, nz->by_all, nz->mean, nz->inverse);
  am_norm_free(ctx, &stats);
  return status;
}

/* What the speakers are known by; the order of the clips is that in which they are added. */
typedef struct hearing {
  const uint32_t *clips; /* NULL: all of the corpus */
  size_t n;
  const am_norm_stats *prior; /* NULL: none */
  double shrink;              /* rows of the prior */
} hearing;

/* Of the copies of this number, 0: of the clips; the speaker's are `clips`. */
static am_status fit_speaker(am_context *ctx, const am_store *all, const hearing *h, const uint32_t *clips, size_t n,
                             int speaker, int number, am_normaliser *nz, am_error *err) {
  am_norm_stats stats;
  am_status status = gather(ctx, am_store_copy(all, number), clips, n, nz->f, &stats, err);
  const size_t at = (size_t)(number * nz->n_speakers + speaker) * (size_t)nz->f;
  if (!status) am_norm_shrink(&stats, h->prior, h->shrink, nz->by_all, nz->speaker_mean + at, nz->speaker_inverse + at);
  am_norm_free(ctx, &stats);
  return status;
}

/* The clips that are heard, those of a speaker side by side. */
static am_status group_speakers(am_context *ctx, const am_dataset *d, const hearing *h, am_groups *out, am_error *err) {
  int *of = am_alloc(ctx, h->n + 1, sizeof *of);
  for (size_t i = 0; i < h->n && of; i++) of[i] = d->clips[h->clips ? h->clips[i] : i].speaker;
  am_status status = of ? am_groups_make(ctx, of, h->n, (size_t)d->n_speakers, out, err) : am_no_memory(err);
  am_free(ctx, of);
  for (size_t i = 0; i < h->n && h->clips && !status; i++) out->members[i] = h->clips[out->members[i]];
  return status;
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
  const size_t count = am_mul(am_mul((size_t)nz->n_copies + 1, (size_t)nz->n_speakers), (size_t)nz->f);
  nz->speaker_mean = am_alloc(ctx, count, sizeof *nz->speaker_mean);
  nz->speaker_inverse = am_alloc(ctx, count, sizeof *nz->speaker_inverse);
  if (!nz->speaker_mean || !nz->speaker_inverse) return am_no_memory(err);
  am_groups of;
  am_status status = group_speakers(ctx, d, h, &of, err);
  if (status) return status;
  for (int row = 0; row < (1 + nz->n_copies) * nz->n_speakers && !status; row++) {
    const int speaker = row % nz->n_speakers;
    const size_t first = of.first[speaker];
    status = fit_speaker(ctx, store, h, of.members + first, of.first[speaker + 1] - first, speaker,
                         row / nz->n_speakers, nz, err);
  }
  am_groups_free(ctx, &of);
  return status;
}

/* ---- by corpus ---- */

/* Of n clips, NULL: all, those of a corpus.  There are few corpora. */
static am_status add_where(am_context *ctx, const am_store *store, const am_dataset *d, const int *whole, int corpus,
                           const uint32_t *clips, size_t n, am_norm_stats *out, am_error *err) {
  adding a;
  am_status status = begin_adding(ctx, store, &a, err);
  for (size_t i = 0; i < n && !status; i++) {
    const uint32_t clip = clips ? clips[i] : (uint32_t)i;
    if (whole[d->clips[clip].corpus] == corpus) status = add_clip(&a, clip, out, err);
  }
  am_free(ctx, a.x);
  return status;
}

/* One corpus, whose number is in `whole`: all of its clips, or of their copies of a number, for its own rows. */
static am_status fit_corpus(am_context *ctx, const am_store *all, const am_dataset *d, const int *whole, int corpus,
                            int number, am_normaliser *nz, am_error *err) {
  const am_store *store = am_store_copy(all, number);
  am_norm_stats stats;
  const size_t f = (size_t)nz->f, first = (size_t)(number * nz->n_corpora) * f;
  am_status status = am_norm_init(ctx, &stats, nz->f, err);
  if (!status) status = add_where(ctx, store, d, whole, corpus, NULL, d->n, &stats, err);
  for (int i = 0; i < d->n_corpora && !status; i++)
    if (whole[i] == corpus)
      am_norm_finish(&stats, nz->by_all, nz->corpus_mean + first + (size_t)i * f,
                     nz->corpus_inverse + first + (size_t)i * f);
  am_norm_free(ctx, &stats);
  return status;
}

/* Adds one corpus's training clips to the sums of means and variances. */
static am_status add_corpus(am_context *ctx, const am_store *store, const am_dataset *d, const int *whole, int corpus,
                            const uint32_t *train, size_t n, am_norm_stats *sum, am_error *err) {
  am_norm_stats stats;
  am_status status = am_norm_init(ctx, &stats, sum->f, err);
  if (!status) status = add_where(ctx, store, d, whole, corpus, train, n, &stats, err);
  if (status) {
    am_norm_free(ctx, &stats);
    return status;
  }
  sum->count += stats.count > 0;
  for (int j = 0; j < sum->f && stats.count > 0; j++) {
    sum->mean[j] += stats.mean[j];
    sum->m2[j] += stats.m2[j] / stats.count;
  }
  am_norm_free(ctx, &stats);
  return AM_OK;
}

/* What is expected of a corpus that nobody has heard: the mean of their means, and of their variances. */
static am_status fit_any_corpus(am_context *ctx, const am_store *store, const am_dataset *d, const int *whole,
                                int corpora, const uint32_t *train, size_t n, am_normaliser *nz, am_error *err) {
  am_norm_stats sum;
  am_status status = am_norm_init(ctx, &sum, nz->f, err);
  for (int corpus = 0; corpus < corpora && !status; corpus++)
    status = add_corpus(ctx, store, d, whole, corpus, train, n, &sum, err);
  nz->mean = am_alloc(ctx, (size_t)nz->f, sizeof *nz->mean);
  nz->inverse = am_alloc(ctx, (size_t)nz->f, sizeof *nz->inverse);
  if (!status && (!nz->mean || !nz->inverse)) status = am_no_memory(err);
  for (int j = 0; j < nz->f && !status; j++) sum.mean[j] /= sum.count; /* m2 and count have one already */
  if (!status) am_norm_finish(&sum, nz->by_all, nz->mean, nz->inverse);
  am_norm_free(ctx, &sum);
  return status;
}

static am_status fit_corpora(am_context *ctx, const am_store *store, const am_dataset *d, const uint32_t *train,
                             size_t n, am_normaliser *nz, am_error *err) {
  int corpora = 0;
  const size_t count = am_mul(am_mul((size_t)nz->n_copies + 1, (size_t)d->n_corpora), (size_t)nz->f);
  int *whole = am_alloc(ctx, (size_t)d->n_corpora, sizeof *whole);
  nz->corpus_mean = am_alloc(ctx, count, sizeof *nz->corpus_mean);
  nz->corpus_inverse = am_alloc(ctx, count, sizeof *nz->corpus_inverse);
  am_status status = whole && nz->corpus_mean && nz->corpus_inverse ? AM_OK : am_no_memory(err);
  nz->n_corpora = d->n_corpora;
  if (!status) status = am_dataset_corpora(ctx, d, whole, &corpora, err);
  for (int row = 0; row < (1 + nz->n_copies) * corpora && !status; row++)
    status = fit_corpus(ctx, store, d, whole, row % corpora, row / corpora, nz, err);
  if (!status && n) status = fit_any_corpus(ctx, store, d, whole, corpora, train, n, nz, err);
  am_free(ctx, whole);
  return status;
}

static am_normaliser begin(const am_store *store, const am_feature_options *o) {
  return (am_normaliser){.kind = o->normalise,
                         .by_all = o->normalise_by == AM_NORMALISE_BY_ALL,
                         .f = am_store_bins(store),
                         .n_copies = am_store_copies(store)};
}

am_status am_normaliser_fit(am_context *ctx, const am_store *store, const am_dataset *d, const am_feature_options *o,
                            const uint32_t *train, size_t n_train, am_normaliser *out, am_error *err) {
  *out = begin(store, o);
  am_status status = AM_OK;
  if (out->kind == AM_NORMALISE_TRAIN) status = fit_train(ctx, store, train, n_train, out, err);
  if (out->kind == AM_NORMALISE_CORPUS) status = fit_corpora(ctx, store, d, train, n_train, out, err);
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

bool am_normalise_transductive(int kind) { return kind == AM_NORMALISE_SPEAKER || kind == AM_NORMALISE_CORPUS; }

int am_normaliser_whose(const am_normaliser *nz, const am_clip *clip) {
  return nz->kind == AM_NORMALISE_SPEAKER ? clip->speaker : nz->kind == AM_NORMALISE_CORPUS ? clip->corpus : -1;
}

int am_normaliser_whose_copy(const am_normaliser *nz, const am_clip *clip, int number) {
  const int whose = am_normaliser_whose(nz, clip);
  return whose < 0 ? whose : whose + number * (nz->kind == AM_NORMALISE_SPEAKER ? nz->n_speakers : nz->n_corpora);
}

void am_normaliser_apply(const am_normaliser *nz, int whose, float *x, int t) {
  if (t <= 0 || nz->kind == AM_NORMALISE_NONE) return;
  const bool by_corpus = nz->kind == AM_NORMALISE_CORPUS;
  const int versions = 1 + nz->n_copies;
  size_t at = whose >= 0 ? (size_t)whose * (size_t)nz->f : 0;
  if (by_corpus && whose >= 0 && whose < versions * nz->n_corpora) {
    am_norm_apply(x, t, nz->f, nz->corpus_mean + at, nz->corpus_inverse + at);
  } else if (nz->kind == AM_NORMALISE_TRAIN || by_corpus) {
    am_norm_apply(x, t, nz->f, nz->mean, nz->inverse);
  } else if (nz->kind == AM_NORMALISE_SPEAKER && whose >= 0 && whose < versions * nz->n_speakers) {
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
  am_free(ctx, nz->corpus_mean);
  am_free(ctx, nz->corpus_inverse);
  am_norm_free(ctx, &nz->training);
  *nz = (am_normaliser){0};
}
