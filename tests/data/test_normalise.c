/* SPDX-License-Identifier: MIT */
/* What a batch is normalised by: clips, speakers, corpora, the training part with its changed copies, and the copies themselves. */
#include "loader_corpus.h"

#define COPIES "{copies: 3, copies_probability: 1, noise_snr: [0, 10], speed: [0.6, 0.9], vtlp: [0.9, 1.1]}"

static void add_copies(const char *yaml) {
  augment(yaml);
  am_test_ok(am_store_add_copies(f.store, f.d, f.fx, &f.data, NULL, &f.augment, f.clips, CLIPS, &f.err), &f.err);
}

/* Of the clip and its copies each as often, others in each epoch, and those of the copies' own length. */
static void an_epoch_draws_a_clip_or_one_of_its_copies(void **state) {
  (void)state;
  int of[4] = {0}, before[CLIPS], changes = 0;
  add_copies(COPIES);
  const int t = am_store_max_frames(f.store);
  am_loader *l = make((am_loader_options){.shuffle = true, .bucket = true, .augment = true, .seed = 5});
  for (uint64_t epoch = 0; epoch < 40; epoch++) {
    begin(l, epoch, 0);
    for (const am_loader_batch *b; (b = next(l));)
      for (int i = 0; i < b->n; i++) {
        const uint32_t clip = b->clips[i];
        int found = -1;
        for (int k = 0; k <= 3; k++) {
          const am_store *from = am_store_copy(f.store, k);
          const int frames = am_store_frames(from, clip);
          if (frames == b->lengths[i] && !memcmp(b->x + (size_t)(i * t) * BINS, am_store_features(from, clip),
                                                 (size_t)frames * BINS * sizeof(float)))
            found = k;
        }
        assert_in_range(found, 0, 3);
        of[found]++;
        changes += epoch && before[clip] != found;
        before[clip] = found;
      }
  }
  for (int k = 0; k <= 3; k++) assert_in_range(of[k], 180, 280); /* 920 / 4 = 230, deviation 13 */
  assert_in_range(changes, 600, 760);                            /* three of four times */
  am_loader_free(l);
  l = make((am_loader_options){.batch = 1}); /* evaluation has the clips alone */
  begin(l, 1, 0);
  for (const am_loader_batch *b; (b = next(l));) assert_int_equal(b->lengths[0], am_store_frames(f.store, b->clips[0]));
  am_loader_free(l);
}

static void copies_of_similar_length_share_a_batch(void **state) {
  (void)state;
  int spread[2] = {0};
  add_copies(COPIES);
  for (int bucket = 0; bucket < 2; bucket++) {
    am_loader *l = make((am_loader_options){.shuffle = true, .bucket = bucket, .augment = true, .seed = 5});
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
      begin(l, epoch, 0);
      for (const am_loader_batch *b; (b = next(l));) {
        int low = 1000, high = 0;
        for (int i = 0; i < b->n; i++) {
          if (b->lengths[i] < low) low = b->lengths[i];
          if (b->lengths[i] > high) high = b->lengths[i];
        }
        if (b->n == 4) spread[bucket] += high - low;
      }
    }
    am_loader_free(l);
  }
  assert_true(spread[1] * 2 < spread[0]);
}

static void batches_of_copies_do_not_depend_on_how_they_are_made(void **state) {
  (void)state;
  uint64_t a[16], b[16];
  for (int threads = 1; threads <= 2; threads++) {
    finish();
    start(threads);
    add_copies(
        "{copies: 2, copies_probability: 1, noise_snr: [0, 10], speed: [0.6, 0.9], freq_masks: 1, freq_width: 3, "
        "mixup: 0.2}");
    am_loader *l = make((am_loader_options){.shuffle = true, .augment = true, .seed = 9, .max_frames = 30});
    assert_int_equal(hash_epoch(l, 3, 0, threads == 1 ? a : b, 30), 6);
    if (threads > 1) assert_memory_equal(a, b, 6 * sizeof *a);
    hash_epoch(l, 3, 4, b, 30);
    assert_memory_equal(a + 4, b + 4, 2 * sizeof *a);
    am_loader_free(l);
  }
  augment("{copies: 3, gain: [1, 3]}");
  am_loader *l = NULL;
  am_loader_options o = {.batch = 4, .augment = true};
  am_test_fails(am_loader_create(f.ctx, f.store, f.d, &f.nz, f.fx, &f.augment, f.clips, CLIPS, &o, &l, &f.err),
                AM_E_USAGE, &f.err, "draws 3 copies, and the store has 2");
}

/* normalise: train is of all that is trained on. */
static void copies_count_in_the_statistics_of_training(void **state) {
  (void)state;
  add_copies("{copies: 2, copies_probability: 1, gain: [20, 40], noise_snr: [0, 10]}");
  normalise("train");
  double sum = 0, squares = 0, count = 0;
  for (int k = 0; k <= 2; k++)
    for (uint32_t c = 0; c < CLIPS / 2; c++) {
      const am_store *from = am_store_copy(f.store, k);
      const int t = am_store_frames(from, c);
      float x[64 * BINS];
      memcpy(x, am_store_features(from, c), (size_t)(t * BINS) * sizeof *x);
      am_normaliser_apply(&f.nz, -1, x, t);
      for (int i = 3; i < t * BINS; i += BINS) sum += x[i], squares += (double)x[i] * x[i], count++;
    }
  assert_true(fabs(sum / count) < 1e-4 && fabs(squares / count - 1) < 1e-3);
}

/* normalise: speaker and corpus: of the copies of one number apart from the clips, which are normalised as without copies. */
static void copies_are_normalised_as_copies(void **state) {
  (void)state;
  static const char *const kinds[] = {"speaker", "corpus"};
  add_copies("{copies: 2, copies_probability: 1, gain: [20, 40], noise_snr: [0, 10]}");
  for (int kind = 0; kind < 2; kind++) {
    normalise(kinds[kind]);
    for (int k = 0; k <= 2; k++) {
      double sum = 0, squares = 0, count = 0;
      for (uint32_t c = kind ? 0 : 1; c < CLIPS; c += kind ? 1 : 3) { /* all, or of the second speaker */
        const am_store *from = am_store_copy(f.store, k);
        const am_clip *clip = &f.d->clips[c];
        const int t = am_store_frames(from, c);
        float x[64 * BINS];
        memcpy(x, am_store_features(from, c), (size_t)(t * BINS) * sizeof *x);
        am_normaliser_apply(&f.nz, am_normaliser_whose_copy(&f.nz, clip, k), x, t);
        for (int i = 3; i < t * BINS; i += BINS) sum += x[i], squares += (double)x[i] * x[i], count++;
      }
      assert_true(fabs(sum / count) < 1e-4 && fabs(squares / count - 1) < 1e-3);
    }
  }
  normalise("train");
  assert_int_equal(am_normaliser_whose_copy(&f.nz, &f.d->clips[1], 2), -1);
}

/* Mean and deviation of the bins of `n` clips after normalisation. */
static void moments(const uint32_t *clips, size_t n, int bin, double *mean, double *deviation) {
  double sum = 0, squares = 0, count = 0;
  for (size_t i = 0; i < n; i++) {
    int t = am_store_frames(f.store, clips[i]);
    float x[64 * BINS];
    memcpy(x, am_store_features(f.store, clips[i]), (size_t)(t * BINS) * sizeof *x);
    am_normaliser_apply(&f.nz, am_normaliser_whose(&f.nz, &f.d->clips[clips[i]]), x, t);
    for (int c = 0; c < t * BINS; c++) {
      if (bin >= 0 && c % BINS != bin) continue;
      sum += x[c];
      squares += (double)x[c] * x[c];
      count++;
    }
  }
  *mean = sum / count;
  *deviation = sqrt(squares / count - *mean * *mean);
}

static void normalisation(void **state) {
  (void)state;
  double mean, deviation;
  uint32_t of_speaker[CLIPS];
  size_t n = 0;
  for (uint32_t i = 0; i < CLIPS; i++)
    if (f.d->clips[i].speaker == 1) of_speaker[n++] = i;
  for (int all = 0; all < 2; all++) {
    f.fo.normalise_by = all;
    normalise("train"); /* statistics of the first half only */
    moments(f.clips, CLIPS / 2, all ? -1 : 3, &mean, &deviation);
    assert_true(fabs(mean) < 1e-4 && fabs(deviation - 1) < 1e-4);
    moments(f.clips, CLIPS, all ? -1 : 3, &mean, &deviation);
    assert_true(fabs(mean) > 1e-3);
    normalise("speaker");
    moments(of_speaker, n, all ? -1 : 3, &mean, &deviation);
    assert_true(fabs(mean) < 1e-4 && fabs(deviation - 1) < 1e-4);
    normalise("clip");
    moments(f.clips + 4, 1, all ? -1 : 3, &mean, &deviation);
    assert_true(fabs(mean) < 1e-4 && fabs(deviation - 1) < 1e-4);
  }
  for (uint32_t i = 0; i < CLIPS; i++) f.d->clips[i].speaker = -1;
  am_normaliser_free(f.ctx, &f.nz);
  f.fo.normalise = AM_NORMALISE_SPEAKER;
  am_test_fails(am_normaliser_fit(f.ctx, f.store, f.d, &f.fo, f.clips, CLIPS, &f.nz, &f.err), AM_E_DATA, &f.err,
                "does not say who speaks");
}

/* Clips by a row each, as the model sees them. */
static void see(uint32_t clip, float *x) {
  int t = am_store_frames(f.store, clip);
  memcpy(x, am_store_features(f.store, clip), (size_t)(t * BINS) * sizeof *x);
  am_normaliser_apply(&f.nz, am_normaliser_whose(&f.nz, &f.d->clips[clip]), x, t);
}

/* The clips of speaker s2 are a corpus.  It is recorded once as loud as the others and once 40 dB below: a model sees the same. */
static void a_corpus_may_have_a_level_of_its_own(void **state) {
  (void)state;
  static const char *const names[] = {"one", "two"};
  float seen[2][64 * BINS], plain[2][64 * BINS];
  for (int quiet = 0; quiet < 2; quiet++) {
    finish();
    f.ctx = am_test_context(1, NULL);
    for (uint32_t i = 0; i < CLIPS; i++) {
      char name[32];
      snprintf(name, sizeof name, "%02u.wav", i);
      write_noisy_tone(f.ctx, in(name), 200 + 50 * i, 0.2, 8000, quiet && i % 3 == 2 ? 0.003 : 0.3);
    }
    am_context_free(f.ctx);
    start(2);
    am_tree_free(f.tree[1]);
    am_features_free(f.fx);
    am_store_free(f.store);
    f.tree[1] =
        read_section(f.ctx, am_feature_table,
                     "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 20, ref: one, top_db: 0, amin: 1e-12}", &f.fo);
    am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
    am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, true, &f.store, &f.err), &f.err);
    f.d->n_corpora = 2;
    const char **corpora = f.d->corpora, **identities = f.d->identities;
    f.d->corpora = (const char **)names;
    f.d->identities = NULL;
    for (uint32_t i = 0; i < CLIPS; i++) f.d->clips[i].corpus = i % 3 == 2;
    normalise("train");
    see(5, plain[quiet]);
    normalise("corpus");
    see(5, seen[quiet]);
    double mean, deviation;
    uint32_t of_two[CLIPS];
    size_t n = 0;
    for (uint32_t i = 2; i < CLIPS; i += 3) of_two[n++] = i;
    moments(of_two, n, 3, &mean, &deviation);
    assert_true(fabs(mean) < 1e-4 && fabs(deviation - 1) < 1e-4);
    assert_int_equal(f.nz.n_corpora, 2);
    /* A sound of neither is heard in the middle of both. */
    float x[BINS], one[BINS] = {0}, two[BINS] = {0};
    for (int i = 0; i < 3; i += 2) { /* the means: what becomes 0 */
      am_norm_stats s;
      am_test_ok(am_norm_init(f.ctx, &s, BINS, &f.err), &f.err);
      for (uint32_t c = 0; c < CLIPS / 2; c++) /* the training part */
        if ((c % 3 == 2) == (i == 2)) am_norm_add(&s, am_store_features(f.store, c), am_store_frames(f.store, c));
      for (int j = 0; j < BINS; j++) (i ? two : one)[j] = (float)s.mean[j];
      am_norm_free(f.ctx, &s);
    }
    for (int j = 0; j < BINS; j++) x[j] = (one[j] + two[j]) / 2;
    am_normaliser_apply(&f.nz, -1, x, 1);
    for (int j = 0; j < BINS; j++) assert_true(fabsf(x[j]) < 1e-4f);
    f.d->n_corpora = 1;
    f.d->corpora = corpora;
    f.d->identities = identities;
  }
  float off = 0, without = 0;
  for (int i = 0; i < am_store_frames(f.store, 5) * BINS; i++) {
    off = fmaxf(off, fabsf(seen[0][i] - seen[1][i]));
    without = fmaxf(without, fabsf(plain[0][i] - plain[1][i]));
  }
  assert_true(off < 1e-3f && without > 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_epoch_draws_a_clip_or_one_of_its_copies),
      TEST(copies_of_similar_length_share_a_batch),
      TEST(batches_of_copies_do_not_depend_on_how_they_are_made),
      TEST(copies_count_in_the_statistics_of_training),
      TEST(copies_are_normalised_as_copies),
      TEST(normalisation),
      TEST(a_corpus_may_have_a_level_of_its_own),
  };
  return cmocka_run_group_tests_name("normalise", tests, NULL, NULL);
}
