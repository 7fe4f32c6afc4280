/* SPDX-License-Identifier: MIT */
/* IEMOCAP's label files with every mistake, trees that are none, the counts of the release. */
#include "iemocap_tree.h"

#include "base/system.h"
#include "data/corpora/iemocap.h"

/* Label files */

static void malformed_lines_name_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *words;
  } bad[] = {
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tnue\t[2.5, 2.5, 2.5]", "found \"nue\"; wanted an emotion code"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\t\t[2.5, 2.5, 2.5]", "wanted an emotion code"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneutral\t[2.5, 2.5, 2.5]", "found \"neutral\""},
      {"[6.2 - 8.2]\tSes01F_impro01_X001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end] utterance emotion [V, A, D]"},
      {"[6.2 - 8.2]\tSes01F_../../x_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2.1 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, x, 2.5]", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu\t[2.5, 2.5, 2.5] more", "wanted [start - end]"},
      {"[6.2 - 8.2]\tSes01F_impro01_F001\tneu", "wanted [start - end]"},
      {"Ses01F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "times in brackets"},
      {"C-E4:\tNeutrl;\t()", "found \"Neutrl\"; wanted an emotion"},
      {"C-E4\tNeutral;\t()", "such as C-E2: Neutral; ()"},
      {"[6.2 - 8.2]\tSes02F_impro01_F001\tneu\t[2.5, 2.5, 2.5]", "Ses02F_impro01_F001 in Session1"},
  };
  sound("Ses01F_impro01_F000");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[512];
    snprintf(text, sizeof text, "%s%s\n", GOOD, bad[i].line);
    write_labels("Ses01F_impro01.txt", text);
    load_fails("soft_labels: true", AM_E_DATA, bad[i].words);
    if (!strstr(err.message, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:4:"))
      fail_msg("no place in: %s", err.message);
  }
  write_labels("Ses01F_impro01.txt", GOOD "C-E4:\tNeutrl;\t()\n");
  am_dataset *d = load_ok(""); /* nobody asked the raters */
  assert_int_equal(d->n, 1);
  am_dataset_free(d);
  am_test_file(in("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"), "[\0", 2);
  load_fails("", AM_E_DATA, "Ses01F_impro01.txt: holds NUL bytes");
}

static void malformed_rater_lines(void **state) {
  (void)state;
  static const struct {
    const char *line, *words;
  } bad[] = {{"Ses01F_impro01_F001 Sadness; ()", "such as Ses01F_impro02_F005 :Sadness; ()"},
             {"Ses01F_impro01 :Sadness; ()", "such as Ses01F_impro02_F005 :Sadness; ()"},
             {"Ses01F_impro01_F001 :Sad; ()", "found \"Sad\"; wanted an emotion"}};
  sound("Ses01F_impro01_F000");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[512];
    snprintf(text, sizeof text, "Ses01F_impro01_F000 :Anger; ()\r\n%s\r\n", bad[i].line);
    write_labels("Categorical/Ses01F_impro01_e1_cat.txt", text);
    load_fails("labels_from: rater", AM_E_DATA, bad[i].words);
    assert_non_null(strstr(err.message, "Categorical/Ses01F_impro01_e1_cat.txt:2:"));
  }
}

static am_status take_line(void *user, const am_iemocap_line *line, am_error *why) {
  (void)why;
  const char *last = strrchr(line->utterance, '_');
  assert_true(line->label >= -1 && line->label < AM_IEMOCAP_LABELS);
  assert_true(last && last[1] == line->speaker && !strchr(line->utterance, '/'));
  assert_int_equal(line->dialogue, last - line->utterance);
  ++*(int *)user;
  return AM_OK;
}

static am_status take_strange(void *user, int number, am_error *why) {
  (void)user;
  (void)why;
  assert_true(number > 0);
  return AM_OK;
}

/* Bytes changed, doubled and lost anywhere: read, or refused with the file's name. */
static void damaged_files(void **state) {
  (void)state;
  static const char *const texts[] = {
      GOOD
      "C-E1:\tNeutral; Anger;\t()\r\nA-E1:\tval 3; act 2; dom  2;\t()\n\n[1 - "
      "2]\tSes01F_impro01_M000\thap\t[, 1, ]",
      "Ses01F_impro01_F000 :Anger; Neutral state; (free; text)\nSes01F_impro01_M000 :; ()\n"};
  static const char swaps[] = "\n\t\r []();:_-.,0FMSx\xff";
  uint32_t seed = 1;
  int lines = 0, refused = 0;
  for (int i = 0; i < 4000; i++) {
    char text[512];
    size_t n = strlen(texts[i % 2]);
    memcpy(text, texts[i % 2], n + 1);
    for (int change = 0; change < 1 + i % 5; change++) {
      seed = seed * 1664525 + 1013904223;
      size_t at = (seed >> 8) % n;
      if (seed >> 30 == 0) memmove(text + at, text + at + 1, n-- - at);
      else text[at] = swaps[(seed >> 20) % (sizeof swaps - 1)];
    }
    am_test_file(in("damaged.txt"), text, n);
    am_iemocap_reader reader = {.ctx = ctx,
                                .file = in("damaged.txt"),
                                .votes = true,
                                .user = &lines,
                                .utterance = take_line,
                                .strange = take_strange};
    err = (am_error)AM_ERROR_INIT;
    am_status status = i % 2 ? am_iemocap_read_rater(&reader, &err) : am_iemocap_read_consensus(&reader, &err);
    assert_true(status == AM_OK || status == AM_E_DATA);
    if (status) assert_non_null(strstr(err.message, "damaged.txt:"));
    refused += status != AM_OK;
  }
  assert_true(lines > 1000 && refused > 500);
}

/* Odd, and no reason to stop. */
static void odd_lines(void **state) {
  (void)state;
  write_labels("Ses01F_impro01.txt",
               "\xef\xbb\xbf% header\r\n\r\n"
               "[6.2 - 8.2]  Ses01F_impro01_F000  ang  [, , ]\r\nC-E2:\tAnger\t(a comment\r\nthat goes on; \xe9)\r\n"
               "A-E3:\tval ; act 2; dom  ;\t()\r\nC-F1:\tJoyful;\t()\r\n"
               "[1.0 - 2.0]\tSes01F_impro01_M000\thap\t[]\n[3.0 - 4.0]\tSes01F_impro01_F000\tsad\t[1, 2, 3]\n"
               "[5 - 6]\tSes01F_other01_F000\tsad\t[1, 2, 3]\n[5 - 6]\tSes01F_impro01_F002\txxx\t[1, 2, 3]");
  write_labels("notes.txt", "not labels");
  write_labels("Ses01F_impro01.anvil", "not labels");
  sound("Ses01F_impro01_F000");
  sound("Ses01F_impro01_M000");
  sound("Ses01F_impro01_F002");
  am_dataset *d = load_ok("soft_labels: true, dimensions: [valence, dominance]");
  assert_int_equal(d->n, 2);
  assert_string_equal(d->labels[find(d, "Ses01F_impro01_F000.wav")->label], "angry"); /* the first line */
  assert_null(find(d, "Ses01F_impro01_F000.wav")->values);                            /* none is said */
  is_near(find(d, "Ses01F_impro01_F000.wav")->soft, (double[]){0, 1}, 2);
  assert_null(find(d, "Ses01F_impro01_M000.wav")->soft); /* no rater stands there */
  assert_int_equal(left_out(d, "line that is not in the label format"), 1);
  assert_int_equal(left_out(d, "a second label line"), 1);
  assert_int_equal(left_out(d, "neither impro nor script"), 1);
  assert_int_equal(left_out(d, "label file without the name of a dialogue"), 1);
  assert_int_equal(left_out(d, "no agreement"), 1);
  for (size_t i = 0; i < d->n_left_out; i++)
    if (strstr(d->left_out[i].reason, "not in the label format"))
      assert_string_equal(d->left_out[i].example, "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:5");
  assert_non_null(strstr(log_kept.text, "1 of the 5 sessions"));
  am_dataset_free(d);
  write_labels("Categorical/Ses01F_impro01_e2_cat.txt",
               "Ses01F_impro01_F000 :; ()\nSes01F_impro01_M000:neutral state (hm)\n");
  d = load_ok("labels_from: rater");
  assert_int_equal(d->n, 1);
  assert_int_equal(left_out(d, "the rater gave no label"), 1);
  am_dataset_free(d);
}

/* Trees */

static void wrong_trees_say_what_they_hold(void **state) {
  (void)state;
  am_dataset *d;
  am_test_fails(load_from("", "", &d), AM_E_CONFIG, &err, "data.root is not set");
  am_test_fails(load_from(in("none"), "", &d), AM_E_DATA, &err,
                "does not exist; wanted the folder IEMOCAP_full_release");
  am_test_file(in("file"), "x", 1);
  am_test_fails(load_from(in("file"), "", &d), AM_E_DATA, &err, "is a file; wanted");
  unlink(in("file"));
  load_fails("", AM_E_DATA, "looked for Session1 to Session5 here and in the folders below, found 0 names");
  touch(ctx, folder, "Actor_01/03-01-05-01-01-01-01.wav");
  load_fails("", AM_E_DATA, "found 1 names: Actor_01");
  touch(ctx, folder, "IEMOCAP_full_release.tar.gz");
  load_fails("", AM_E_DATA, "unpack the archive first");
  make_folder(ctx, in("Session2/dialog"));
  load_fails("", AM_E_DATA,
             "Session2/dialog/EmoEvaluation: no label file of IEMOCAP: looked for Ses01F_impro01.txt and the like");
  assert_non_null(strstr(err.message, "found no such folder"));
  am_test_fails(load_from(in("Session2"), "", &d), AM_E_DATA, &err, "this is one session: give the folder above it");
  touch(ctx, folder, "Session2/dialog/EmoEvaluation/Attribute/x.txt");
  touch(ctx, folder, "Session2/dialog/EmoEvaluation/readme.txt");
  load_fails("", AM_E_DATA, "found 2 names: Attribute, readme.txt");
  load_fails("labels_from: rater", AM_E_DATA,
             "looked for Ses01F_impro01_e1_cat.txt and the like (data.labels_from: rater)");
  write_labels("Ses01F_impro01.txt", GOOD);
  am_test_folder_remove(in("Session2"));
  load_fails("", AM_E_DATA,
             "labels of 1 utterances and the sound of none: looked for "
             "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
}

static void the_folder_above(void **state) {
  (void)state;
  char *kept = folder;
  char inner[1024];
  snprintf(inner, sizeof inner, "%s/IEMOCAP_full_release", kept);
  folder = inner;
  write_labels("Ses01F_impro01.txt", GOOD);
  sound("Ses01F_impro01_F000");
  folder = kept;
  am_dataset *d = load_ok("");
  assert_int_equal(d->n, 1);
  assert_string_equal(d->clips[0].name,
                      "IEMOCAP_full_release/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
  assert_true(am_file_exists(d->clips[0].path));
  assert_false(d->synthetic);
  assert_non_null(strstr(d->licence, "never to be redistributed"));
  assert_int_equal(d->n_known_speakers, 10);
  am_dataset_free(d);
}

/* The counts of the real release: neu hap sad ang sur fea dis fru exc oth xxx. */
static void a_full_release_is_counted(void **state) {
  (void)state;
  static const char *const codes[] = {"neu", "hap", "sad", "ang", "sur", "fea", "dis", "fru", "exc", "oth", "xxx"};
  static const int counts[] = {1708, 595, 1084, 1103, 107, 40, 2, 1849, 1041, 3, 2507};
  am_buffer text[5] = {{0}};
  int n = 0;
  for (int k = 0; k < 11; k++)
    for (int i = 0; i < counts[k]; i++, n++) {
      char path[256];
      int s = n % 5 + 1;
      am_buffer_printf(ctx, &text[s - 1], "[0 - 1]\tSes0%dF_impro01_F%04d\t%s\t[2, 2, 2]\n\n", s, n, codes[k]);
      snprintf(path, sizeof path, "Session%d/sentences/wav/Ses0%dF_impro01/Ses0%dF_impro01_F%04d.wav", s, s, s, n);
      if (i == 0 || n < 5) touch(ctx, folder, path);
      else am_test_file(in(path), "", 0);
    }
  for (int s = 1; s <= 5; s++) {
    char path[256];
    snprintf(path, sizeof path, "Session%d/dialog/EmoEvaluation/Ses0%dF_impro01.txt", s, s);
    touch(ctx, folder, path);
    am_test_file(in(path), text[s - 1].data, text[s - 1].used);
    am_buffer_free(ctx, &text[s - 1]);
  }
  assert_int_equal(n, 10039);
  am_dataset *d = load_ok("label_set: 4");
  assert_int_equal(d->n, 5531);
  assert_int_equal(count(d, "neutral"), 1708);
  assert_int_equal(count(d, "happy"), 1636);
  assert_int_equal(left_out(d, "no agreement"), 2507);
  assert_int_equal(log_kept.lines, 0);
  am_dataset_free(d);
  d = load_ok("label_set: 5");
  assert_int_equal(d->n, 7380);
  am_dataset_free(d);
  static const char further[] = "[0 - 1]\tSes05F_impro02_F000\tdis\t[2, 2, 2]\n";
  am_test_file(in("Session5/dialog/EmoEvaluation/Ses05F_impro02.txt"), further, sizeof further - 1);
  d = load_ok("label_set: 4");
  assert_int_equal(log_kept.lines, 1);
  assert_non_null(strstr(log_kept.text,
                         "10040 labelled utterances; the full release has 10039; different, with the known "
                         "count: disgust 3 (2)\n"));
  am_dataset_free(d);
}

/* Under the name of a sound (which a length is asked of), and of a label file. */
static void pipes_among_the_files(void **state) {
  (void)state;
  alarm(60); /* a reader of the pipe would wait for ever */
  write_labels("Ses01F_impro01.txt", GOOD);
  sound("Ses01F_impro01_F000");
  const char *wav = in("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav");
  unlink(wav);
  assert_int_equal(mkfifo(wav, 0666), 0);
  am_dataset *d = load_ok("chunk_seconds: 2, min_seconds: 1");
  assert_int_equal(d->n, 1); /* left to the decoder, as any file without a readable header */
  am_dataset_free(d);
  write_labels("Categorical/Ses01F_impro01_e1_cat.txt", "");
  unlink(in("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"));
  unlink(in("Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e1_cat.txt"));
  assert_int_equal(mkfifo(in("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"), 0666), 0);
  assert_int_equal(symlink("/dev/zero", in("Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e1_cat.txt")), 0);
  load_fails("", AM_E_FORMAT, "Ses01F_impro01.txt is a device or a pipe; wanted a label file");
  load_fails("labels_from: rater", AM_E_FORMAT, "_e1_cat.txt is a device or a pipe; wanted a label file");
  alarm(0);
}

/* The maker of the tree */

static void the_maker(void **state) {
  (void)state;
  size_t clips;
  touch(ctx, folder, "mine/thesis.doc");
  am_test_fails(am_synth_iemocap(ctx, in("mine"), 1, &clips, &err), AM_E_USAGE, &err, "nothing was written");
  touch(ctx, folder, "other/Actor_01/x.wav");
  am_test_file(in("other/SYNTHETIC"), "audiomood synthetic corpus 1\nseed 1\n", 36);
  am_test_fails(am_synth_iemocap(ctx, in("other"), 1, &clips, &err), AM_E_USAGE, &err,
                "no SYNTHETIC mark of this layout");
  am_sound_info info = {.size = sizeof info};
  am_test_ok(
      am_sound_inspect(ctx, am_test_path(made_up, "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"),
                       &info, &err),
      &err);
  assert_int_equal(info.frames, 35200); /* 2.2 s */
  assert_true(info.rate == 16000 && info.channels == 1);
  char *text;
  size_t bytes;
  am_test_ok(am_file_read(ctx, am_test_path(made_up, "Session2/dialog/EmoEvaluation/Ses02M_impro02.txt"), 1 << 20,
                          &text, &bytes, &err),
             &err);
  assert_non_null(strstr(text, "\r\n"));
  assert_non_null(strstr(text, "dom  "));
  assert_non_null(memchr(text, '\xe9', bytes));
  assert_true(strstr(text, "_F003") < strstr(text, "_M000")); /* all turns of one, then of the other */
  am_free(ctx, text);
}

static int no_sync(int fd) {
  (void)fd;
  return 0;
}

/* The first of many allocations read the mark by which the folder of the first try is known. */
static void the_maker_stops(void **state) {
  (void)state;
  am_system disk = am_system_real;
  disk.fsync = no_sync;
  for (long n = 0; n <= 20; n++) {
    am_test_memory m;
    am_context *small = am_test_memory_context(&m, 1);
    am_context_set_system(small, &disk);
    am_context_stop(small);
    am_test_memory_arm(&m, n);
    size_t clips = 1;
    am_test_fails(am_synth_iemocap(small, in("tree"), 1, &clips, &err), n ? AM_E_NOMEM : AM_E_STOPPED, &err,
                  n ? "memory" : "tree: stopped before all sounds were written; run synth again");
    assert_int_equal(clips, 0);
    am_context_free(small);
    assert_int_equal(atomic_load(&m.alive), 0);
  }
}

/* Every allocation fails once: an error each time, and nothing leaks.  By all raters, by one, and as one of several
 * corpora, of so many chunks that their votes need memory at some of them. */
static void memory_runs_out_cleanly(void **state) {
  (void)state;
  write_labels("Ses01F_impro01.txt",
               GOOD "C-E1:\tNeutral;\t()\n\nstray\n[6.2 - 8.2]\tSes01F_impro01_M000\thap\t[2, 2, 2]\n");
  write_labels("Categorical/Ses01F_impro01_e1_cat.txt",
               "Ses01F_impro01_F000 :Neutral; ()\nSes01F_impro01_M000 :Excited; ()\n");
  make_folder(ctx, in("Session1/sentences/wav/Ses01F_impro01"));
  write_tone(ctx, in("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"), 300, 0.3, 8000);
  write_tone(ctx, in("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav"), 300, 0.2, 8000);
  sound("Ses01F_impro01_M009");
  char several[512];
  snprintf(several, sizeof several,
           "{corpus: several, corpora: [{corpus: iemocap, root: %s, soft_labels: true, chunk_seconds: 0.005}]}",
           folder);
  for (int round = 0; round < 3; round++)
    for (long n = 1;; n++) {
      am_test_memory m;
      am_context *small = am_test_memory_context(&m, 1);
      am_data_options o;
      am_tree *tree = read_section(
          ctx, am_data_table,
          round < 2 ? "{corpus: iemocap, soft_labels: true, chunk_seconds: 0.1, label_set: 4}" : several, &o);
      am_dataset *d = NULL;
      if (round < 2) {
        o.label_set = 0;
        o.labels_from = round;
        o.root = folder;
      }
      err = (am_error)AM_ERROR_INIT;
      am_test_memory_arm(&m, n);
      am_status status = am_dataset_load(small, &o, &d, &err);
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (status != (fired ? AM_E_NOMEM : AM_OK)) fail_msg("allocation %ld: %d %s", n, (int)status, err.message);
      am_dataset_free(d);
      am_tree_free(tree);
      am_context_free(small);
      assert_int_equal(atomic_load(&m.alive), 0);
      if (!fired) break;
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(malformed_lines_name_file_and_line, setup, teardown),
      cmocka_unit_test_setup_teardown(malformed_rater_lines, setup, teardown),
      cmocka_unit_test_setup_teardown(damaged_files, setup, teardown),
      cmocka_unit_test_setup_teardown(odd_lines, setup, teardown),
      cmocka_unit_test_setup_teardown(wrong_trees_say_what_they_hold, setup, teardown),
      cmocka_unit_test_setup_teardown(the_folder_above, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_release_is_counted, setup, teardown),
      cmocka_unit_test_setup_teardown(pipes_among_the_files, setup, teardown),
      cmocka_unit_test_setup_teardown(the_maker, setup, teardown),
      cmocka_unit_test_setup_teardown(the_maker_stops, setup, teardown),
      cmocka_unit_test_setup_teardown(memory_runs_out_cleanly, setup, teardown),
  };
  return cmocka_run_group_tests_name("iemocap files", tests, setup_all, teardown_all);
}
