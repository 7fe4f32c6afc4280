/* SPDX-License-Identifier: MIT */
/* Recordings that stand in a corpus twice: the same file under two names, and the same sound in two files. */
#include "corpus_folder.h"

#include <unistd.h>

#include "data/twins.h"

static am_status load(const char *format, am_dataset **d) {
  char yaml[4096];
  am_data_options o;
  snprintf(yaml, sizeof yaml, format, folder, folder, folder);
  am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
  am_status status = am_dataset_load(ctx, &o, d, &err);
  am_tree_free(tree);
  return status;
}

static void ok(const char *format, size_t clips) {
  am_dataset *d = NULL;
  am_test_ok(load(format, &d), &err);
  assert_int_equal(d->n, clips);
  am_dataset_free(d);
}

static void refused(const char *format, const char *words) {
  am_dataset *d = NULL;
  am_test_fails(load(format, &d), AM_E_DATA, &err, words);
  assert_null(d);
}

/* One folder by two entries, two descriptions, a link to it, a manifest that lists its files. */
static void one_file_is_refused_by_whatever_name(void **state) {
  (void)state;
  assert_int_equal(touch_part(ctx, in("ravdess"), 1, 2, "wav"), 120);
  assert_int_equal(symlink("ravdess", in("link")), 0);
  static const char list[] = "path,label,speaker\nravdess/Actor_01/03-01-03-01-01-01-01.wav,happy,x\n";
  am_test_file(in("list.csv"), list, sizeof list - 1);
  const char words[] =
      "120 of 240 clips are there twice, the first ravdess/Actor_01/03-01-01-01-01-01-01.wav and "
      "ravdess-2/Actor_01/03-01-01-01-01-01-01.wav, which are one file";
  refused("{corpus: several, corpora: [{corpus: ravdess, root: %s/ravdess}, {corpus: ravdess, root: %s/ravdess}]}",
          words);
  refused("{corpus: several, corpora: [{corpus: ravdess, root: %s/ravdess}, {corpus: ravdess, root: %s/link}]}", words);
  refused(
      "{corpus: several, corpora: [{corpus: ravdess, root: %s/ravdess}, {corpus: manifest, root: %s, manifest: "
      "%s/list.csv}]}",
      "1 of 121 clips is there twice, the first ravdess/Actor_01/03-01-03-01-01-01-01.wav and "
      "manifest/ravdess/Actor_01/03-01-03-01-01-01-01.wav");
  char description[1024];
  snprintf(description, sizeof description,
           "name: %s\nlicence: CC0\nfiles: '03-01-(?<label>\\d\\d)-\\d\\d-\\d\\d-\\d\\d-(?<speaker>\\d\\d)'\n", "one");
  am_test_file(in("one.yaml"), description, strlen(description));
  refused(
      "{corpus: several, corpora: [{corpus: ravdess, root: %s/ravdess}, {corpus: described, description: %s/one.yaml, "
      "root: %s/ravdess}]}",
      "120 of 240 clips are there twice");
  /* the same folder for other clips is no fault */
  ok("{corpus: several, corpora: [{corpus: ravdess, root: %s/ravdess, speakers: [\"01\"]}, {corpus: ravdess, root: "
     "%s/ravdess, "
     "speakers: [\"02\"]}]}",
     120);
  /* within one corpus: a hard link */
  assert_int_equal(
      link(in("ravdess/Actor_01/03-01-03-01-01-01-01.wav"), in("ravdess/Actor_02/03-01-03-01-01-01-09.wav")), 0);
  refused("{corpus: described, description: %s/one.yaml, root: %s/ravdess}", "leave the links out (data.exclude");
}

enum { N = 4000 };
static float noise[N];

static void write_as(const char *name, int first, double gain, bool pcm16) {
  static float x[N];
  for (int i = 0; i < N - 100; i++) x[i] = (float)(gain * (double)noise[first + i]);
  am_test_ok(am_sound_write(ctx, in(name), x, N - 100, 16000, pcm16, &err), &err);
}

static void write_sound(const char *name, int first, bool pcm16) { write_as(name, first, 1, pcm16); }

/* The samples count, not the bytes: the same sound as 16-bit numbers and as floats, and parts of files; and one that was
 * converted once more, 60 dB apart, but not one that is 20 dB apart. */
static void equal_sounds_are_found_in_two_parts(void **state) {
  (void)state;
  for (int i = 0; i < N; i++) noise[i] = (float)((i * 7919 + i * i % 1009) % 30011 - 15000) / 32768;
  write_sound("a.wav", 0, true);
  write_sound("b.wav", 0, false);
  write_sound("c.wav", 1, true);
  write_sound("d.wav", 2, true);
  write_as("e.wav", 1, 0.999, true);
  write_as("f.wav", 1, 0.9, true);
  static const char list[] =
      "path,label,split,start,seconds\na.wav,x,train,,\nc.wav,y,train,,\nb.wav,x,test,,\nd.wav,y,validation,,\n"
      "e.wav,y,validation,,\nf.wav,y,test,,\na.wav,x,train,0.05,0.1\nb.wav,x,test,0.05,0.1\nb.wav,x,test,0.06,0.1\n";
  am_test_file(in("list.csv"), list, sizeof list - 1);
  am_dataset *d;
  am_test_ok(load("{corpus: manifest, root: %s, manifest: %s/list.csv}", &d), &err);
  am_feature_options fo;
  am_data_options o;
  am_split_options so;
  am_tree *trees[] = {read_section(ctx, am_feature_table, "{sample_rate: 8000, n_fft: 256, hop: 128, mels: 8}", &fo),
                      read_section(ctx, am_data_table, "{corpus: manifest}", &o),
                      read_section(ctx, am_split_table, "{kind: corpus}", &so)};
  am_features *fx;
  am_split *split;
  am_test_ok(am_features_create(ctx, &fo, &fx, &err), &err);
  am_test_ok(am_split_make(ctx, d, &so, &split, &err), &err);
  uint64_t digest = 0;
  for (int round = 0; round < 2; round++) { /* the second from the cache */
    am_store *store;
    am_twins twins;
    am_test_ok(am_store_create(ctx, d, fx, &o, in("cache"), false, &store, &err), &err);
    assert_int_equal(am_store_counted(store).from_cache, round ? 9 : 0);
    am_test_ok(am_split_find_twins(ctx, d, store, split, 600, &twins, &err), &err);
    assert_int_equal(twins.sounds, 3);
    assert_true(twins.trained);
    assert_string_equal(d->clips[twins.clip[0]].name, "a.wav");
    assert_string_equal(d->clips[twins.clip[1]].name, "b.wav");
    assert_int_equal(twins.part[0], AM_PART_TRAIN);
    assert_int_equal(twins.part[1], AM_PART_TEST);
    assert_true(am_store_digest(store, 0) == am_store_digest(store, 2) &&
                am_store_digest(store, 0) != am_store_digest(store, 1));
    assert_true(!round || digest == am_store_digest(store, 0));
    digest = am_store_digest(store, 0);
    am_store_free(store);
  }
  am_split_free(ctx, split);
  am_features_free(fx);
  for (int i = 0; i < 3; i++) am_tree_free(trees[i]);
  am_dataset_free(d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(one_file_is_refused_by_whatever_name, setup, teardown),
      cmocka_unit_test_setup_teardown(equal_sounds_are_found_in_two_parts, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
