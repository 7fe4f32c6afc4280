/* SPDX-License-Identifier: MIT */
/* Batches: order, reading ahead, augmentation, mixup. */
#include "loader_corpus.h"

static void evaluation_goes_in_order(void **state) {
  (void)state;
  const int t = am_store_max_frames(f.store);
  am_loader *l = make((am_loader_options){.batch = 4});
  assert_int_equal(am_loader_batches(l), 6);
  const am_loader_batch *b;
  am_test_ok(am_loader_next(l, &b, &f.err), &f.err);
  assert_null(b); /* not started */
  for (int pass = 0; pass < 2; pass++) {
    begin(l, (uint64_t)pass, 0);
    uint32_t at = 0;
    while ((b = next(l))) {
      assert_int_equal(b->n, at < 20 ? 4 : 3);
      assert_null(b->weights);
      for (int i = 0; i < b->n; i++, at++) {
        const float *row = b->x + (size_t)(i * t) * BINS;
        int frames = am_store_frames(f.store, at);
        assert_int_equal(b->clips[i], at);
        assert_int_equal(b->draws[i], at);
        assert_int_equal(b->lengths[i], frames);
        assert_memory_equal(row, am_store_features(f.store, at), (size_t)frames * BINS * sizeof(float));
        for (int c = frames * BINS; c < t * BINS; c++) assert_true(row[c] == 0);
        for (int k = 0; k < 3; k++) assert_true(b->targets[i * 3 + k] == (k == f.d->clips[at].label));
      }
    }
    assert_int_equal(at, CLIPS);
    assert_null(next(l)); /* and stays at the end */
  }
  am_loader_free(l);
}

static void long_clips_are_cut_from_the_start(void **state) {
  (void)state;
  am_loader *l = make((am_loader_options){.batch = 23, .max_frames = 10});
  begin(l, 0, 0);
  const am_loader_batch *b = next(l);
  for (int i = 0; i < b->n; i++) {
    int frames = am_store_frames(f.store, b->clips[i]);
    assert_int_equal(b->lengths[i], frames < 10 ? frames : 10);
    assert_memory_equal(b->x + (size_t)i * 10 * BINS, am_store_features(f.store, b->clips[i]),
                        (size_t)b->lengths[i] * BINS * sizeof(float));
  }
  am_loader_free(l);
}

static void every_epoch_has_its_own_order(void **state) {
  (void)state;
  uint64_t a[16], b[16];
  const int t = am_store_max_frames(f.store);
  am_loader *l = make((am_loader_options){.shuffle = true, .seed = 5}),
            *other = make((am_loader_options){.shuffle = true, .seed = 6});
  assert_int_equal(hash_epoch(l, 1, 0, a, t), 6);
  hash_epoch(l, 2, 0, b, t);
  assert_true(a[0] != b[0]);
  hash_epoch(l, 1, 0, b, t);
  assert_memory_equal(a, b, 6 * sizeof *a);
  hash_epoch(other, 1, 0, b, t);
  assert_true(a[0] != b[0]);
  int seen[CLIPS] = {0};
  begin(l, 3, 0);
  for (const am_loader_batch *x; (x = next(l));)
    for (int i = 0; i < x->n; i++) seen[x->clips[i]]++;
  for (int i = 0; i < CLIPS; i++) assert_int_equal(seen[i], 1);
  am_loader_free(l);
  am_loader_free(other);
}

#define EVERYTHING \
  "{noise_snr: [10, 30], shift: [-0.05, 0.05], speed: [0.9, 1.1], vtlp: [0.9, 1.1], freq_masks: 2, " \
  "freq_width: 4, time_masks: 1, time_width: 5, crop_frames: 20, mixup: 0.3}"

/* The batches of a resumed epoch, of another number of threads and of a consumer that is slow or fast are the same. */
static void compare_ways_of_making(uint64_t balance) {
  const double weights[3] = {0.5, 1, 3};
  const am_loader_options o = {.batch = 4,
                               .shuffle = true,
                               .balance = balance,
                               .augment = true,
                               .seed = 9,
                               .class_weights = weights,
                               .max_frames = 30};
  uint64_t a[16], b[16];
  for (int threads = 1; threads <= 4; threads *= 2) {
    finish();
    start(threads);
    augment(EVERYTHING);
    normalise("clip");
    am_loader *l = make(o);
    hash_epoch(l, 3, 0, threads == 1 ? a : b, 30);
    if (threads > 1) assert_memory_equal(a, b, 6 * sizeof *a);
    hash_epoch(l, 3, 4, b, 30);
    assert_memory_equal(a + 4, b + 4, 2 * sizeof *a);
    begin(l, 3, 0); /* left in the middle */
    next(l);
    hash_epoch(l, 3, 1, b, 30);
    assert_memory_equal(a + 1, b + 1, 5 * sizeof *a);
    begin(l, 3, 0);
    for (int i = 0; i < 3; i++) {
      next(l);
      usleep(3000); /* the thread is ahead */
    }
    hash_epoch(l, 4, 0, b, 30);
    assert_true(a[0] != b[0]);
    am_loader_free(l);
  }
}

static void batches_do_not_depend_on_how_they_are_made(void **state) {
  (void)state;
  compare_ways_of_making(0);
  compare_ways_of_making(AM_BALANCE_LABEL | AM_BALANCE_CORPUS);
}

static void augmentation_is_for_training_only(void **state) {
  (void)state;
  uint64_t a[16], b[16], c[16];
  const int t = am_store_max_frames(f.store);
  am_loader *l = make((am_loader_options){.batch = 4, .max_frames = t});
  hash_epoch(l, 1, 0, a, t);
  am_loader_free(l);
  augment(EVERYTHING);
  l = make((am_loader_options){.batch = 4, .max_frames = t});
  hash_epoch(l, 1, 0, b, t);
  am_loader_free(l);
  l = make((am_loader_options){.batch = 4, .max_frames = t, .augment = true});
  hash_epoch(l, 1, 0, c, t);
  am_loader_free(l);
  assert_memory_equal(a, b, 6 * sizeof *a);
  for (int i = 0; i < 6; i++) assert_true(a[i] != c[i]);
}

static void mixup_mixes_rows_of_the_batch(void **state) {
  (void)state;
  const double weights[3] = {0.5, 1, 3};
  const int t = am_store_max_frames(f.store);
  const size_t stride = (size_t)t * BINS;
  augment("{mixup: 0.4}");
  am_loader *l = make((am_loader_options){.batch = 8, .augment = true, .shuffle = true, .class_weights = weights});
  int mixed = 0;
  begin(l, 1, 0);
  for (const am_loader_batch *b; (b = next(l));)
    for (int i = 0; i < b->n; i++) {
      uint32_t own = b->clips[i];
      int label = f.d->clips[own].label;
      const float *row = b->x + (size_t)i * stride, *target = b->targets + i * 3;
      assert_true(fabsf(target[0] + target[1] + target[2] - 1) < 1e-6f);
      double w = 0;
      for (int k = 0; k < 3; k++) w += target[k] * weights[k];
      double told[3] = {0}; /* the batch says who was mixed */
      told[label] += b->shares[i];
      told[f.d->clips[b->partners[i]].label] += 1 - (double)b->shares[i];
      for (int k = 0; k < 3; k++) assert_true(fabs(told[k] - target[k]) < 1e-6);
      assert_true(fabs(w - (double)b->weights[i]) < 1e-6);
      bool found = false; /* one partner of the batch explains the row */
      for (int j = 0; j < b->n && !found; j++) {
        uint32_t partner = b->clips[j];
        int other = f.d->clips[partner].label;
        const float *x = am_store_features(f.store, own), *y = am_store_features(f.store, partner);
        int n = am_store_frames(f.store, own), m = am_store_frames(f.store, partner), worst = 0;
        if (b->lengths[i] != (n > m ? n : m)) continue;
        if (other != label && target[other] <= 0) continue;
        if (other == label && target[label] < 1) continue;
        float a = other != label ? target[label] : -1, off = 0;
        assert_true(a < 0 || a >= 0.5f);
        for (int c = 0; c < t * BINS; c++) {
          float p = c < n * BINS ? x[c] : 0, q = c < m * BINS ? y[c] : 0;
          if (a < 0 && fabsf(p - q) > 1) a = (row[c] - q) / (p - q); /* the same class: from the row itself */
          float d = fabsf(row[c] - (a < 0 ? p : a * p + (1 - a) * q));
          if (d > off) off = d, worst = c;
        }
        (void)worst;
        found = off < 1e-3f;
        mixed += found && a > 0 && a < 0.999f;
      }
      assert_true(found);
    }
  assert_true(mixed > 10);
  am_loader_free(l);
}

static void balanced_sampling_makes_classes_equal(void **state) {
  (void)state;
  am_loader *l = make((am_loader_options){.batch = 8, .balance = AM_BALANCE_LABEL, .shuffle = true, .seed = 1});
  int count[3] = {0}, of[CLIPS] = {0};
  for (uint64_t epoch = 0; epoch < 100; epoch++) {
    begin(l, epoch, 0);
    for (const am_loader_batch *b; (b = next(l));)
      for (int i = 0; i < b->n; i++) {
        count[f.d->clips[b->clips[i]].label]++;
        of[b->clips[i]]++;
      }
  }
  for (int k = 0; k < 3; k++) assert_in_range(count[k], 690, 850); /* 2300 / 3 = 767, deviation 23 */
  for (int i = 0; i < CLIPS; i++) assert_true(of[i] > 0);
  am_loader_free(l);
}

/* Two corpora of 18 and 5 clips: the small one has classes b and c alone, and both are drawn as often as the other's three. */
static void corpora_are_equal_and_the_classes_within_them(void **state) {
  (void)state;
  static const char *const names[] = {"one", "two", "two, more"};
  f.d->n_corpora = 3;
  const char **kept = f.d->corpora, **identities = f.d->identities, *whole[] = {NULL, "two", "two"};
  f.d->corpora = (const char **)names;
  f.d->identities = whole; /* the second and third are parts of one corpus */
  for (size_t i = 18; i < CLIPS; i++) f.d->clips[i].corpus = 1 + (i % 2);
  for (int by_label = 0; by_label < 2; by_label++) {
    am_loader *l = make((am_loader_options){
        .batch = 8, .balance = AM_BALANCE_CORPUS | (by_label ? AM_BALANCE_LABEL : 0), .shuffle = true, .seed = 1});
    int of[CLIPS] = {0}, count[2][3] = {{0}};
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
      begin(l, epoch, 0);
      for (const am_loader_batch *b; (b = next(l));)
        for (int i = 0; i < b->n; i++) {
          count[f.d->clips[b->clips[i]].corpus > 0][f.d->clips[b->clips[i]].label]++;
          of[b->clips[i]]++;
        }
    }
    const int *one = count[0], *two = count[1];
    assert_in_range(one[0] + one[1] + one[2], 2200, 2400); /* 4600 / 2 = 2300, deviation 34 */
    assert_int_equal(two[0], 0);
    if (by_label) {
      for (int k = 0; k < 2; k++) assert_in_range(one[k], 1050, 1250); /* 2300 / 2: class c is the other's alone */
      for (int k = 1; k < 3; k++) assert_in_range(two[k], 1050, 1250);
    } else {
      assert_in_range(one[0], 1830, 2000); /* 2300 * 15 / 18 */
      for (size_t i = 18; i < CLIPS; i++) assert_in_range(of[i], 400, 520);
    }
    am_loader_free(l);
  }
  f.d->corpora = kept;
  f.d->identities = identities;
  f.d->n_corpora = 1;
}

static void buckets_hold_clips_of_similar_length(void **state) {
  (void)state;
  int spread[2] = {0};
  uint64_t a[16], b[16];
  const int t = am_store_max_frames(f.store);
  for (int bucket = 0; bucket < 2; bucket++) {
    am_loader *l = make((am_loader_options){.batch = 4, .shuffle = true, .bucket = bucket});
    int seen[CLIPS] = {0};
    begin(l, 7, 0);
    for (const am_loader_batch *x; (x = next(l));) {
      int low = 1000, high = 0;
      for (int i = 0; i < x->n; i++) {
        seen[x->clips[i]]++;
        if (x->lengths[i] < low) low = x->lengths[i];
        if (x->lengths[i] > high) high = x->lengths[i];
      }
      if (x->n == 4) spread[bucket] += high - low; /* the short batch is what is left over */
    }
    for (int i = 0; i < CLIPS; i++) assert_int_equal(seen[i], 1);
    hash_epoch(l, 1, 0, a, t);
    hash_epoch(l, 2, 0, b, t);
    assert_true(a[0] != b[0]);
    am_loader_free(l);
  }
  assert_true(spread[1] * 2 < spread[0]);
}

/* `inspect --augment` decodes a file and asks am_batch_make for what training makes of it: the bits of the row that a batch
 * has for the same clip, epoch and draw. */
static void what_is_shown_is_what_is_trained_on(void **state) {
  (void)state;
  static const char *const settings[] = {
      "{freq_masks: 2, freq_width: 5, time_masks: 1, time_width: 6, crop_frames: 20}",
      "{speed: [0.8, 1.3], noise_snr: [5, 20], vtlp: [0.9, 1.1], freq_masks: 2, freq_width: 5}"};
  static const char *const how[] = {"clip", "train"};
  for (int k = 0; k < 4; k++) {
    normalise(how[k / 2]);
    augment(settings[k % 2]);
    am_loader *l = make((am_loader_options){.batch = 5, .shuffle = true, .augment = true, .seed = 9, .max_frames = 60});
    am_batch_source source = {.ctx = f.ctx,
                              .nz = &f.nz,
                              .fx = f.fx,
                              .augment = &f.augment,
                              .needs_sound = k % 2,
                              .seed = 9,
                              .epoch = 3,
                              .f = BINS};
    begin(l, 3, 0);
    for (const am_loader_batch *b; (b = next(l));)
      for (int i = 0; i < b->n; i++) {
        am_sound sound = {.size = sizeof sound};
        int t, bins;
        am_test_ok(am_sound_read(f.ctx, f.d->clips[b->clips[i]].path, 8000, 0, &sound, &f.err), &f.err);
        am_features_shape(f.fx, sound.n, &t, &bins);
        float *x = calloc((size_t)t * BINS, sizeof *x);
        am_test_ok(am_features_compute(f.fx, sound.samples, sound.n, 1, x, &t, &f.err), &f.err);
        am_batch_clip clip = {.name = "it",
                              .whose = am_normaliser_whose(&f.nz, &f.d->clips[b->clips[i]]),
                              .features = x,
                              .t = t,
                              .sound = sound.samples,
                              .n = sound.n};
        am_batch_made made;
        am_test_ok(am_batch_make(&source, &clip, b->draws[i], &made, &f.err), &f.err);
        assert_int_equal(made.t, b->lengths[i]);
        assert_memory_equal(made.x, b->x + (size_t)i * 60 * BINS, (size_t)made.t * BINS * sizeof *x);
        assert_true((made.sound != NULL) == (k % 2 == 1));
        am_free(f.ctx, made.x);
        am_free(f.ctx, made.sound);
        am_sound_free(&sound);
        free(x);
      }
    am_loader_free(l);
  }
}

static void unreadable_clips_are_not_in_batches(void **state) {
  (void)state;
  am_test_file(in("05.wav"), "junk", 4);
  am_store_free(f.store);
  f.data.skip_unreadable = true;
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, false, &f.store, &f.err), &f.err);
  am_loader *l = make((am_loader_options){.batch = 22});
  assert_int_equal(am_loader_batches(l), 1);
  begin(l, 0, 0);
  const am_loader_batch *b = next(l);
  for (int i = 0; i < b->n; i++) assert_int_not_equal(b->clips[i], 5);
  am_loader_free(l);
  augment("{gain: [-6, 6]}");
  am_loader_options o = {.batch = 4, .augment = true};
  am_test_fails(am_loader_create(f.ctx, f.store, f.d, &f.nz, f.fx, &f.augment, f.clips, CLIPS, &o, &l, &f.err),
                AM_E_USAGE, &f.err, "without it");
  o = (am_loader_options){.batch = 4};
  am_test_fails(am_loader_create(f.ctx, f.store, f.d, &f.nz, f.fx, NULL, f.clips + 5, 1, &o, &l, &f.err), AM_E_DATA,
                &f.err, "no clip of this part");
}

static void memory_runs_out_cleanly(void **state) {
  (void)state;
  augment(EVERYTHING);
  int orders = 0; /* shuffled first, then balanced */
  for (long n = 1; orders < 2; n++) {
    am_test_memory m;
    am_context *small = am_test_memory_context(&m, 1);
    am_features *fx;
    am_test_ok(am_features_create(small, &f.fo, &fx, &f.err), &f.err);
    am_loader_options o = {.batch = 5,
                           .shuffle = true,
                           .bucket = true,
                           .augment = true,
                           .balance = orders ? AM_BALANCE_LABEL | AM_BALANCE_CORPUS : 0,
                           .seed = 3};
    am_error err = AM_ERROR_INIT;
    am_loader *l = NULL;
    const am_loader_batch *b = NULL;
    am_test_memory_arm(&m, n);
    am_status status = am_loader_create(small, f.store, f.d, &f.nz, fx, &f.augment, f.clips, 10, &o, &l, &err);
    if (!status) status = am_loader_start(l, 1, 0, &err);
    for (int i = 0; i < 2 && !status; i++) status = am_loader_next(l, &b, &err);
    bool fired = am_test_memory_fired(&m);
    am_test_memory_arm(&m, 0);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_loader_free(l);
    am_features_free(fx);
    am_context_free(small);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) orders++, n = 0;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(evaluation_goes_in_order),
      TEST(long_clips_are_cut_from_the_start),
      TEST(every_epoch_has_its_own_order),
      TEST(batches_do_not_depend_on_how_they_are_made),
      TEST(augmentation_is_for_training_only),
      TEST(mixup_mixes_rows_of_the_batch),
      TEST(balanced_sampling_makes_classes_equal),
      TEST(corpora_are_equal_and_the_classes_within_them),
      TEST(buckets_hold_clips_of_similar_length),
      TEST(what_is_shown_is_what_is_trained_on),
      TEST(unreadable_clips_are_not_in_batches),
      TEST(memory_runs_out_cleanly),
  };
  return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
