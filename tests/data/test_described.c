/* SPDX-License-Identifier: MIT */
/* Corpora by description: the shipped files on made-up names, a table, errors, checks. */
#include "described.h"

#include "data/check.h"
#include "data/split.h"

/* The shipped files */

static void test_emodb(void **state) {
  (void)state;
  put_all((const char *const[]){"wav/03a01Fa.wav", "wav/16b10Wb.wav", "wav/11a05Td.flac", "wav/notes.txt",
                                "wav/03a01Xa.wav", "wav/odd name.wav", "copy/wav/03a01Fa.wav", NULL});
  am_dataset *d;
  shipped("emodb", &d);
  assert_int_equal(d->n, 3);
  assert_string_equal(d->corpus, "emodb");
  assert_string_equal(d->language, "German");
  assert_non_null(strstr(d->citation, "Burkhardt"));
  assert_int_equal(d->n_labels, 3);
  assert_string_equal(d->labels[0], "anger"); /* in the order of the map */
  assert_string_equal(d->labels[2], "sadness");
  says(d, "copy/wav/03a01Fa.wav", "happiness", "03"); /* the folder copy comes before the folder wav */
  says(d, "wav/16b10Wb.wav", "anger", "16");
  says(d, "wav/11a05Td.flac", "sadness", "11");
  assert_int_equal(left_out(d, "copy of a clip"), 1);
  assert_int_equal(left_out(d, "matches no pattern"), 1);
  assert_int_equal(left_out(d, "label code \"X\" is not among"), 1);
  assert_true(warned("3 clips of 535"));
  assert_true(warned("anger 1 of 127"));
  assert_true(warned("3 speakers of 10"));
  am_dataset_free(d);
}

static void test_emodb_complete(void **state) {
  (void)state;
  static const struct {
    char code;
    int n;
  } counts[] = {{'W', 127}, {'L', 81}, {'E', 46}, {'A', 69}, {'F', 71}, {'T', 62}, {'N', 79}};
  char name[64];
  for (size_t k = 0; k < 7; k++)
    for (int i = 0; i < counts[k].n; i++) {
      int speaker = i % 10 ? 7 + i % 10 : 3; /* 03, 08 to 16 */
      snprintf(name, sizeof name, "wav/%02da%02d%c%c.wav", speaker, i / 10 % 100, counts[k].code, 'a' + i % 3);
      put(name);
    }
  am_dataset *d;
  shipped("emodb", &d);
  assert_int_equal(d->n, 535);
  assert_int_equal(d->n_speakers, 10);
  assert_false(warned("other counts"));
  am_dataset_free(d);
}

static void test_crema_d(void **state) {
  (void)state;
  put_all((const char *const[]){"AudioWAV/1001_DFA_ANG_XX.wav", "AudioWAV/1091_WSI_SAD_HI.wav",
                                "AudioWAV/1040_ITH_SAD_X.wav", "AudioWAV/1002_IEO_HAP_LO.wav",
                                "AudioWAV/1076_MTI_SAD_XX.wav", "AudioWAV/1064_IEO_DIS_MD.wav", NULL});
  am_dataset *d;
  shipped("crema_d", &d);
  assert_int_equal(d->n, 4);
  says(d, "AudioWAV/1001_DFA_ANG_XX.wav", "anger", "1001");
  says(d, "AudioWAV/1040_ITH_SAD_X.wav", "sadness", "1040");
  assert_int_equal(clip(d, "AudioWAV/1091_WSI_SAD_HI.wav")->intensity, 3);
  assert_int_equal(clip(d, "AudioWAV/1002_IEO_HAP_LO.wav")->intensity, 1);
  assert_int_equal(clip(d, "AudioWAV/1001_DFA_ANG_XX.wav")->intensity, 0);
  assert_int_equal(left_out(d, "excluded: silent"), 1);
  assert_int_equal(left_out(d, "excluded: about a minute"), 1);
  am_dataset_free(d);
}

static void test_tess_savee_emovo(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"OAF_angry/OAF_back_angry.wav", "YAF_pleasant_surprised/YAF_bean_ps.wav",
                                "OAF_neutral/OA_bite_neutral.wav", NULL});
  shipped("tess", &d);
  assert_int_equal(d->n, 3);
  says(d, "OAF_angry/OAF_back_angry.wav", "anger", "OAF");
  says(d, "YAF_pleasant_surprised/YAF_bean_ps.wav", "surprise", "YAF");
  says(d, "OAF_neutral/OA_bite_neutral.wav", "neutral", "OAF");
  am_dataset_free(d);

  put_all((const char *const[]){"DC/a01.wav", "DC/sa02.wav", "DC/su03.wav", "DC/s04.wav", "JE_n30.wav", "KL_su15.wav",
                                "JK/h01.wav", NULL});
  shipped("savee", &d);
  assert_int_equal(d->n, 6);
  says(d, "DC/a01.wav", "anger", "DC");
  says(d, "DC/sa02.wav", "sadness", "DC");
  says(d, "DC/su03.wav", "surprise", "DC");
  says(d, "JE_n30.wav", "neutral", "JE");
  says(d, "KL_su15.wav", "surprise", "KL");
  says(d, "JK/h01.wav", "happiness", "JK");
  assert_int_equal(left_out(d, "matches no pattern"), 4); /* TESS, and DC/s04 */
  const am_left_out *out = NULL;
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, "matches no pattern")) out = &d->left_out[i];
  assert_string_equal(out->example, "DC/s04.wav");
  assert_string_equal(out->more[0], "OAF_angry/OAF_back_angry.wav");
  assert_non_null(out->more[2]);
  assert_null(out->more[3]);
  am_dataset_free(d);

  put_all((const char *const[]){"EMOVO/f1/dis-f1-b1.wav", "EMOVO/m3/gio-m3-l4.wav", "EMOVO/m1/neu-m1-d2.wav", NULL});
  shipped("emovo", &d);
  assert_int_equal(d->n, 3);
  says(d, "EMOVO/f1/dis-f1-b1.wav", "disgust", "f1");
  says(d, "EMOVO/m3/gio-m3-l4.wav", "joy", "m3");
  am_dataset_free(d);
}

static void test_ravdess_complete(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 24, "wav");
  put("Actor_01/03-02-01-01-01-01-01.wav"); /* song */
  am_dataset *d, *own;
  shipped("ravdess_speech", &d);
  assert_false(warned("other counts"));
  am_test_ok(load("{corpus: ravdess, parts: speech}", &own), &err);
  assert_int_equal(d->n, 1440);
  assert_int_equal(own->n, 1440);
  for (size_t i = 0; i < own->n; i++) { /* both ways of reading say the same */
    const am_clip *a = &own->clips[i], *b = clip(d, a->name);
    assert_string_equal(own->labels[a->label], d->labels[b->label]);
    assert_string_equal(own->speakers[a->speaker], d->speakers[b->speaker]);
    assert_int_equal(a->statement, b->statement);
    assert_int_equal(a->repetition, b->repetition);
    assert_int_equal(a->intensity, b->intensity);
  }
  am_dataset_free(own);
  am_dataset_free(d);
}

/* Folds of the description, used by the split that asks for fixed ones. */
static void test_folds(void **state) {
  (void)state;
  touch_part(ctx, folder, 1, 9, "wav"); /* actors 10 to 24 have no clip: passed over */
  am_dataset *d;
  shipped("ravdess_speech", &d);
  am_split_options o;
  am_split *s;
  am_tree *tree = read_section(ctx, am_split_table, "{kind: fixed, fold: 1}", &o);
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err);
  assert_int_equal(s->n_folds, 5);
  assert_int_equal(s->n[AM_PART_TEST], 3 * 60); /* 03, 06 and 07 */
  assert_true(s->speaker_independent);
  am_split_free(ctx, s);
  am_tree_free(tree);
  tree = read_section(ctx, am_split_table, "{kind: fixed, fold_lists: [[1, 2], [3, 4, 5, 6, 7, 8, 9]]}", &o);
  am_test_ok(am_split_make(ctx, d, &o, &s, &err), &err); /* the config's own lists go before */
  assert_int_equal(s->n_folds, 2);
  assert_int_equal(s->n[AM_PART_TEST], 2 * 60);
  am_split_free(ctx, s);
  am_tree_free(tree);
  am_dataset_free(d);
}

/* What a user may write */

static void test_folder_names(void **state) {
  (void)state;
  put_all((const char *const[]){"anna/fröhlich/01.wav", "anna/wütend/01.wav", "ben/fröhlich/01.wav", "ben/müde/02.ogg",
                                NULL});
  am_dataset *d;
  written(
      "{name: mine, licence: own, files: '(?<speaker>\\w+)/(?<label>\\w+)/(?<take>\\d+)', speaker_prefix: s-, "
      "speakers: {ben: Benjamin}, labels: {fröhlich: joy, wütend: anger, müde: ~}}",
      &d);
  assert_int_equal(d->n, 3);
  says(d, "anna/fröhlich/01.wav", "joy", "s-anna");
  says(d, "ben/fröhlich/01.wav", "joy", "s-Benjamin");
  assert_int_equal(left_out(d, "\"müde\" is left out by the description"), 1);
  am_dataset_free(d);
}

/* Broken bytes are no place for a name to begin: "w\xfct" is not "t".  What follows them is left out as well. */
static void test_names_that_are_not_utf8(void **state) {
  (void)state;
  put_all((const char *const[]){"anna/joy/01.wav", "anna/w\xfct/01.wav", "b\xe9n/joy/02.wav", NULL});
  am_dataset *d;
  written("{name: mine, licence: own, files: '(?<speaker>\\w+)/(?<label>\\w+)/(?<take>\\d+)'}", &d);
  assert_int_equal(d->n, 1);
  assert_int_equal(d->n_labels, 1);
  assert_int_equal(left_out(d, "name is not UTF-8"), 2);
  am_dataset_free(d);
  written("{name: mine, licence: own, files: '.*(?<label>\\w)/\\d+'}", &d);
  assert_int_equal(d->n, 1);
  am_dataset_free(d);
}

/* The clips are those of the same folders without the links, in a circle or beside; what is no file is counted. */
static void test_links_and_pipes(void **state) {
  (void)state;
  put_all((const char *const[]){"ann/joy.wav", "ann/anger.wav", "ben/joy.wav", NULL});
  assert_int_equal(symlink(".", in("again")), 0);
  assert_int_equal(symlink("..", in("up")), 0);
  assert_int_equal(symlink(".", in("ann/again")), 0);
  assert_int_equal(symlink("..", in("ben/up")), 0);
  assert_int_equal(symlink("ben", in("another")), 0);
  assert_int_equal(symlink("../ben", in("ann/friend")), 0);
  assert_int_equal(mkfifo(in("ben/anger.wav"), 0666), 0);
  am_dataset *d;
  written("{name: mine, licence: own, files: '(?<speaker>\\w+)/(?<label>\\w+)'}", &d);
  assert_int_equal(d->n, 3);
  says(d, "ben/joy.wav", "joy", "ben");
  assert_int_equal(left_out(d, "a pipe or a device"), 1);
  am_dataset_free(d);
}

static void test_table(void **state) {
  (void)state;
  put_all((const char *const[]){"wav/a1.wav", "wav/a2.wav", "wav/b1.wav", "wav/b9.wav", NULL});
  const char *rows =
      "file\tfeeling\twho\tpart\na1.wav\tj\tann\ttrain\n./wav/"
      "a2\ts\tann\ttrain\nb1\tj\tbob\ttest\ngone.wav\tj\tbob\ttest\n";
  am_test_file(in("labels.tsv"), rows, strlen(rows));
  am_dataset *d;
  written(
      "name: t\nlicence: own\ntable: {file: labels.tsv, path: file, label: feeling, speaker: who, part: part}\n"
      "labels: {j: joy, s: sadness}\n",
      &d);
  assert_int_equal(d->n, 3);
  says(d, "wav/a1.wav", "joy", "ann");
  says(d, "wav/a2.wav", "sadness", "ann");
  says(d, "wav/b1.wav", "joy", "bob");
  assert_int_equal(clip(d, "wav/b1.wav")->corpus_part, AM_PART_TEST);
  assert_int_equal(left_out(d, "not in the table"), 1);
  assert_int_equal(left_out(d, "row of the table without a file"), 1);
  am_dataset_free(d);
  /* the name says who speaks, the table what it is */
  written(
      "name: t\nlicence: own\nfiles: '(?<speaker>[a-z])\\d'\ntable: {file: labels.tsv, path: file, label: "
      "feeling}\n",
      &d);
  says(d, "wav/a2.wav", "s", "a");
  am_dataset_free(d);
  fails("{name: t, licence: own, table: {file: labels.tsv, label: feeling}}", AM_E_FORMAT, "path");
  fails("{name: t, licence: own, table: {file: no.tsv, label: feeling}}", AM_E_DATA, "no.tsv: no such file");
  assert_int_equal(mkfifo(in("pipe.csv"), 0666), 0);
  fails("{name: t, licence: own, table: {file: pipe.csv, label: feeling}}", AM_E_FORMAT,
        "pipe.csv is a device or a pipe; wanted a table of labels");
  rows = "path,label\na1.wav,j\nb1.wav,s\na1.flac,s\n";
  am_test_file(in("twice.csv"), rows, strlen(rows));
  fails("{name: t, licence: own, table: {file: twice.csv, label: label}}", AM_E_FORMAT,
        "twice.csv:4: a1.flac is listed already, in line 2");
}

static void test_errors(void **state) {
  (void)state;
  put("wav/a1.wav");
  fails("name: x\nlicence: y\nfiles: '(?<label>[a-z)'\n", AM_E_CONFIG, "x.yaml:3:8: files: missing terminating ]");
  fails("name: x\nlicence: y\nfiles:\n  - '(?<label>a)'\n  - '(?<label>a'\n", AM_E_CONFIG,
        "x.yaml:5:5: files: missing closing parenthesis at character 11");
  fails("{name: x, licence: y, files: '(?<label>a)(?<speeker>b)'}", AM_E_CONFIG,
        "unknown group \"speeker\"; did you mean \"speaker\"");
  fails("{name: x, licence: y, files: 'a\\d'}", AM_E_CONFIG, "nothing gives the label");
  fails("{name: x, licence: y}", AM_E_CONFIG, "needs files");
  fails("name: x\nlicence: y\nfilse: a\n", AM_E_CONFIG,
        "x.yaml:3:1: unknown key \"filse\" in the description; did you mean \"files\"");
  fails("{licence: y, files: '(?<label>a)'}", AM_E_CONFIG, "the key \"name\" is missing");
  fails("{name: x, licence: y, files: '(?<label>a)', labels: {a: [b]}}", AM_E_CONFIG, "labels.a: wanted a text");
  fails("{name: x, licence: y, files: '(?<label>a)', expected: {clips: many}}", AM_E_CONFIG, "expected.clips");
  fails("{name: x, licence: y, files: '(?<label>a)', labels: {a: joy}, expected: {labels: {jy: 1}}}", AM_E_CONFIG,
        "means \"jy\"");
  fails("{name: x, licence: y, files: '(?<label>a)', folds: [a, b]}", AM_E_CONFIG, "folds: wanted a list of lists");
  fails("{name: x, licence: y, files: '(?<label>a)', sound: {seconds: [3, 1]}}", AM_E_CONFIG, "[shortest, longest]");
  fails("{name: x, licence: y, files: '(?<label>zz)', home: 'https://corpus.org'}", AM_E_DATA,
        "1 left out: name matches no pattern");
  fails("[a]", AM_E_CONFIG, "wanted a map");
  fails("{name: x, licence: y, files: '(?<label>a)', intensities: {a: -1}}", AM_E_CONFIG,
        "intensities.a: wanted a whole number from 0");
  fails("{name: x, licence: y, table: {file: t.csv}}", AM_E_CONFIG, "table.label is missing");
  char many[1024] = "{name: x, licence: y, files: '(?J)";
  for (int i = 0; i < 33; i++) strcat(many, "(?<label>a)?");
  fails(strcat(many, "'}"), AM_E_CONFIG, "files: more than 32 named groups");
  am_dataset *d = NULL;
  am_test_fails(load("{corpus: described}", &d), AM_E_CONFIG, &err, "data.description is not set");
  am_test_fails(load("{corpus: described, description: none.yaml}", &d), AM_E_IO, &err, "none.yaml");
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: described, root: /no/such, description: %s/datasets/emodb.yaml}",
           AM_SOURCE_ROOT);
  am_test_fails(load(yaml, &d), AM_E_DATA, &err, "data.root: /no/such does not exist; wanted the folder that holds");
}

static void test_no_hang(void **state) {
  (void)state;
  put("wav/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!.wav");
  fails("{name: x, licence: y, files: '(?<label>(a+)+)[bc]'}", AM_E_CONFIG, "too many steps");
  fails("{name: x, licence: y, files: '(?<label>(?:(?:a|aa|aaa)+)+)[bc]'}", AM_E_CONFIG, "too many steps");
}

static void test_pattern(void **state) {
  (void)state;
  am_pattern *p;
  bool matched;
  size_t start, length;
  am_test_ok(am_pattern_create(ctx, "(?<b>x)?/?(?<a>\\w+)", &p, &err), &err);
  assert_string_equal(am_pattern_group(p, 0), "a");
  assert_string_equal(am_pattern_group(p, 1), "b");
  assert_null(am_pattern_group(p, 2));
  am_test_ok(am_pattern_match(p, "top/x/yz", &matched, &start, &err), &err);
  assert_true(matched);
  assert_int_equal(start, 4);
  assert_true(am_pattern_caught(p, 0, &start, &length));
  assert_int_equal(start, 6);
  assert_int_equal(length, 2);
  am_test_ok(am_pattern_match(p, "yz", &matched, &start, &err), &err);
  assert_true(matched);
  assert_false(am_pattern_caught(p, 1, &start, &length));
  am_test_ok(am_pattern_match(p, "bad \xff name", &matched, &start, &err), &err); /* not UTF-8: no match, no crash */
  assert_false(matched);
  am_test_ok(am_pattern_match(p, "w\xfct/x/yz", &matched, &start, &err), &err); /* not in part either */
  assert_false(matched);
  am_pattern_free(p);
}

/* The same sound, under other names */
static void test_check(void **state) {
  (void)state;
  write_tone(ctx, in("a1x.wav"), 200, 0.5, 16000);
  write_tone(ctx, in("a2x.wav"), 230, 0.5, 16000);
  write_tone(ctx, in("b1y.wav"), 200, 0.5, 16000); /* a1x again, said to be another's and another emotion */
  write_tone(ctx, in("b2x.wav"), 200, 0.6, 16000); /* longer: not the same */
  write_tone(ctx, in("b3x.wav"), 200, 0.5, 8000);  /* another rate */
  put("c1x.wav");                                  /* empty: unreadable */
  size_t n = 8000;
  float *x = calloc(n, sizeof *x);
  assert_non_null(x);
  am_test_ok(am_sound_write(ctx, in("d1x.wav"), x, n, 16000, true, &err), &err);
  am_test_ok(am_sound_write(ctx, in("d2x.wav"), x, n, 16000, true, &err), &err); /* two silences are no pair */
  for (size_t i = 0; i < n; i++) /* a1x with 1 of 32768 of noise: converted once more */
    x[i] = (float)(0.3 * sin(6.283185307179586 * 200 * (double)i / 16000)) + (i % 3 ? 1.0f : -1.0f) / 32768;
  am_test_ok(am_sound_write(ctx, in("e1x.wav"), x, n, 16000, true, &err), &err);
  free(x);
  am_dataset *d;
  am_check check;
  written("{name: x, licence: y, files: '(?<speaker>[a-z])(?<take>\\d)(?<label>[xy])'}", &d);
  assert_int_equal(d->n, 9);
  am_test_ok(am_check_run(ctx, d, 60, &check, &err), &err);
  assert_int_equal(check.n_pairs, 2);
  for (size_t i = 0; i < 2; i++) {
    assert_string_equal(d->clips[check.pairs[i].first].name, "a1x.wav");
    assert_string_equal(d->clips[check.pairs[i].second].name, i ? "e1x.wav" : "b1y.wav");
  }
  assert_non_null(check.clips[5].problem);
  assert_non_null(strstr(check.clips[5].problem, "c1x.wav"));
  assert_null(check.clips[0].problem);
  assert_int_equal(check.clips[4].rate, 8000);
  assert_true(fabs(check.clips[3].seconds - 0.6) < 1e-9);
  assert_int_equal(check.clips[6].unheard, AM_UNHEARD_SILENT);
  am_check_free(&check);
  am_dataset_free(d);
}

typedef struct stopper {
  am_context *ctx;
  long left; /* allocations until the user stops */
} stopper;

static void *stop_and_resize(void *user, void *pointer, size_t bytes) {
  stopper *s = user;
  if (bytes && s->left && !--s->left) am_context_stop(s->ctx);
  if (bytes) return realloc(pointer, bytes);
  free(pointer);
  return NULL;
}

/* Allocations are the clock: stopped at each of them in turn, a check ends while it listens, while it compares, or too
 * late to matter. */
static void a_check_stops_when_it_is_told(void **state) {
  (void)state;
  write_tone(ctx, in("a1x.wav"), 200, 0.1, 16000);
  write_tone(ctx, in("b1x.wav"), 200, 0.1, 16000);
  am_dataset *d;
  written("{name: x, licence: y, files: '(?<speaker>[a-z])1(?<label>x)'}", &d);
  int listening = 0, comparing = 0;
  for (long n = 1;; n++) {
    stopper s = {NULL, 0};
    am_settings settings = {.size = sizeof settings, .threads = 1, .resize = stop_and_resize, .memory_user = &s};
    am_test_ok(am_context_create(&settings, &s.ctx, &err), &err);
    s.left = n;
    am_check check;
    am_error why = AM_ERROR_INIT;
    am_status status = am_check_run(s.ctx, d, 60, &check, &why);
    bool stopped = !s.left;
    if (!status) am_check_free(&check);
    else assert_int_equal(status, AM_E_STOPPED);
    listening += strstr(why.message, "stopped while listening to the clips") != NULL;
    comparing += strstr(why.message, "stopped while comparing the clips") != NULL;
    assert_true(stopped || !status);
    am_context_free(s.ctx);
    if (!stopped) break;
  }
  assert_true(listening > 0 && comparing > 0);
  am_dataset_free(d);
}

/* The real recordings, converted once more since: their one known pair is found all the same. */
static void test_check_ravdess(void **state) {
  (void)state;
  const char *shared = getenv("AM_SHARED");
  char root[1024], only[] = "speakers: [7]";
  snprintf(root, sizeof root, "%s/data/ravdess", shared ? shared : AM_SOURCE_ROOT "/../shared");
  if (!am_folder_exists(root)) {
    print_message("# no recordings in %s\n", root);
    skip();
  }
  char yaml[2048];
  snprintf(yaml, sizeof yaml, "{corpus: described, description: %s/datasets/ravdess_speech.yaml, root: %s, %s}",
           AM_SOURCE_ROOT, root, only);
  am_dataset *d;
  am_check check;
  am_test_ok(load(yaml, &d), &err);
  am_test_ok(am_check_run(ctx, d, 60, &check, &err), &err);
  assert_int_equal(check.n_pairs, 1);
  const am_clip *a = &d->clips[check.pairs[0].first], *b = &d->clips[check.pairs[0].second];
  assert_non_null(strstr(a->name, "03-01-03-01-02-01-07"));
  assert_non_null(strstr(b->name, "03-01-03-01-02-02-07"));
  assert_int_equal(a->label, b->label);
  am_check_free(&check);
  am_dataset_free(d);
}

/* Memory fails at every place once: an error, nothing lost, nothing leaked. */
static void test_memory(void **state) {
  (void)state;
  make_folder(ctx, in("wav"));
  write_tone(ctx, in("wav/a1.wav"), 200, 0.1, 16000);
  const char *rows = "path,label\na1.wav,j\n";
  am_test_file(in("t.csv"), rows, strlen(rows));
  char text[2048] =
      "{name: x, licence: y, files: '(?<speaker>a)(?<take>\\d)', table: {file: t.csv, label: label}, labels: "
      "{j: joy}, unique: true, expected: {clips: 2}, exclude: {zz: no}, folds: [[a";
  for (int i = 0; i < 80; i++) /* so many that their copy needs memory of its own */
    sprintf(text + strlen(text), ", s%d", i);
  strcat(text, "]]}");
  am_test_file(in("x.yaml"), text, strlen(text));
  am_data_options o;
  char yaml[1024];
  snprintf(yaml, sizeof yaml, "{corpus: several, corpora: [{corpus: described, description: %s, root: %s}]}",
           in("x.yaml"), folder);
  am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *mine = am_test_memory_context(&m, 1);
    am_dataset *d = NULL;
    am_test_memory_arm(&m, n);
    am_error why = AM_ERROR_INIT;
    am_status status = am_dataset_load(mine, &o, &d, &why);
    bool fired = am_test_memory_fired(&m);
    am_check check;
    if (!status) {
      assert_int_equal(d->n, 1);
      status = am_check_run(mine, d, 60, &check, &why);
      if (!status) am_check_free(&check);
      am_dataset_free(d);
    }
    if (status) {
      assert_int_equal(status, AM_E_NOMEM);
    }
    am_context_free(mine);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  am_tree_free(tree);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {CASE(test_emodb),
                                     CASE(test_emodb_complete),
                                     CASE(test_crema_d),
                                     CASE(test_tess_savee_emovo),
                                     CASE(test_ravdess_complete),
                                     CASE(test_folds),
                                     CASE(test_folder_names),
                                     CASE(test_names_that_are_not_utf8),
                                     CASE(test_links_and_pipes),
                                     CASE(test_table),
                                     CASE(test_errors),
                                     CASE(test_no_hang),
                                     CASE(test_pattern),
                                     CASE(test_check),
                                     CASE(a_check_stops_when_it_is_told),
                                     CASE(test_check_ravdess),
                                     CASE(test_memory)};
  return cmocka_run_group_tests_name("described", tests, NULL, NULL);
}
