/* Batches: order, reading ahead, augmentation, mixup, normalisation. */
#include "corpora.h"

#include "data/batch.h"
#include "data/loader.h"

enum { CLIPS = 23, BINS = 20 };

typedef struct fixture {
  am_context *ctx;
  kept_log log;
  am_error err;
  char *folder;
  am_tree *tree[3];
  am_data_options data;
  am_feature_options fo;
  am_augment_options augment;
  am_features *fx;
  am_dataset *d;
  am_store *store;
  am_normaliser nz;
  uint32_t clips[CLIPS];
} fixture;

static fixture f;

static const char *in(const char *name) { return am_test_path(f.folder, name); }

static void normalise(const char *how) {
  am_normaliser_free(f.ctx, &f.nz);
  f.fo.normalise = am_choice_index(AM_WORDS(AM_NORMALISES), how);
  am_test_ok(am_normaliser_fit(f.ctx, f.store, f.d, &f.fo, f.clips, CLIPS / 2, &f.nz, &f.err), &f.err);
}

static void start(int threads) {
  f.ctx = logging_context(&f.log, threads);
  f.err = (am_error)AM_ERROR_INIT;
  f.tree[0] = read_section(f.ctx, am_data_table, "{corpus: manifest}", &f.data);
  f.tree[1] = read_section(f.ctx, am_feature_table, "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 20}", &f.fo);
  f.tree[2] = read_section(f.ctx, am_augment_table, "{}", &f.augment);
  f.data.root = f.folder;
  am_test_ok(am_features_create(f.ctx, &f.fo, &f.fx, &f.err), &f.err);
  am_test_ok(am_dataset_load(f.ctx, &f.data, &f.d, &f.err), &f.err);
  am_test_ok(am_store_create(f.ctx, f.d, f.fx, &f.data, NULL, true, &f.store, &f.err), &f.err);
  normalise("none");
}

static void finish(void) {
  am_normaliser_free(f.ctx, &f.nz);
  am_store_free(f.store);
  am_dataset_free(f.d);
  am_features_free(f.fx);
  for (int i = 0; i < 3; i++) am_tree_free(f.tree[i]);
  am_context_free(f.ctx);
}

/* Classes a, b, c in proportions 15 : 6 : 2; three speakers; lengths from 0.1 to 0.4 s. */
static int setup(void **state) {
  (void)state;
  memset(&f, 0, sizeof f);
  f.folder = am_test_folder();
  f.ctx = am_test_context(1, NULL);
  am_buffer csv = {0};
  am_buffer_printf(f.ctx, &csv, "path,label,speaker\n");
  for (uint32_t i = 0; i < CLIPS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%02u.wav", i);
    write_tone(f.ctx, in(name), 200 + 50 * i, 0.1 + 0.3 * (i * 7 % CLIPS) / CLIPS, 8000);
    am_buffer_printf(f.ctx, &csv, "%s,%s,s%u\n", name, i < 15 ? "a" : i < 21 ? "b" : "c", i % 3);
    f.clips[i] = i;
  }
  am_test_file(in("manifest.csv"), csv.data, csv.used);
  am_buffer_free(f.ctx, &csv);
  am_context_free(f.ctx);
  start(2);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  finish();
  am_test_folder_remove(f.folder);
  free(f.folder);
  return 0;
}

static void augment(const char *yaml) {
  am_tree_free(f.tree[2]);
  f.tree[2] = read_section(f.ctx, am_augment_table, yaml, &f.augment);
}

static am_loader *make(am_loader_options o) {
  am_loader *l = NULL;
  if (!o.batch) o.batch = 4;
  am_test_ok(am_loader_create(f.ctx, f.store, f.d, &f.nz, f.fx, &f.augment, f.clips, CLIPS, &o, &l, &f.err), &f.err);
  return l;
}

static const am_loader_batch *next(am_loader *l) {
  const am_loader_batch *b;
  am_test_ok(am_loader_next(l, &b, &f.err), &f.err);
  return b;
}

static void begin(am_loader *l, uint64_t epoch, size_t first) {
  am_test_ok(am_loader_start(l, epoch, first, &f.err), &f.err);
}

/* Everything an epoch gives, as one hash a batch. */
static size_t hash_epoch(am_loader *l, uint64_t epoch, size_t first, uint64_t hashes[16], int t) {
  size_t n = first;
  begin(l, epoch, first);
  for (const am_loader_batch *b; (b = next(l)); n++) {
    uint64_t h = am_hash64(0, b->x, (size_t)b->n * (size_t)t * BINS * sizeof(float));
    h = am_hash64(h, b->lengths, (size_t)b->n * sizeof(int));
    h = am_hash64(h, b->targets, (size_t)(b->n * f.d->n_labels) * sizeof(float));
    h = am_hash64(h, b->draws, (size_t)b->n * sizeof *b->draws);
    h = am_hash64(h, b->clips, (size_t)b->n * sizeof *b->clips);
    if (b->weights) h = am_hash64(h, b->weights, (size_t)b->n * sizeof(float));
    assert_true(n < 16);
    hashes[n] = h;
  }
  return n;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
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
      TEST(an_epoch_draws_a_clip_or_one_of_its_copies),
      TEST(copies_of_similar_length_share_a_batch),
      TEST(batches_of_copies_do_not_depend_on_how_they_are_made),
      TEST(copies_count_in_the_statistics_of_training),
      TEST(copies_are_normalised_as_copies),
      TEST(unreadable_clips_are_not_in_batches),
      TEST(normalisation),
      TEST(a_corpus_may_have_a_level_of_its_own),
      TEST(memory_runs_out_cleanly),
  };
  return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
