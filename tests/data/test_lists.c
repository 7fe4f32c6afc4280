/* SPDX-License-Identifier: MIT */
/* Lists of clips of other programs: those that audformat and datasets wrote, against what they read; Kaldi, EmoBox, nkululeko and
 * SpeechBrain; damage. */
#include "described.h"

#include "data/corpora/list.h"
#include "io/json_table.h"

static void write_text(const char *name, const char *text) {
  char path[2048];
  snprintf(path, sizeof path, "%s", in(name));
  *strrchr(path, '/') = '\0';
  make_folder(ctx, path);
  am_test_file(in(name), text, strlen(text));
}

static void copy_golden(const char *from, const char *to) {
  char source[512], *text;
  size_t bytes;
  snprintf(source, sizeof source, "tests/data/golden/lists/%s", from);
  am_test_ok(am_file_read(ctx, am_test_source(source), 1 << 20, &text, &bytes, &err), &err);
  write_text(to, text);
  am_free(ctx, text);
}

static void put_database(void) {
  static const char *const names[] = {
      "db.yaml",      "db.emotion.train.csv", "db.emotion.dev.csv", "db.emotion.test.csv",
      "db.files.csv", "db.speaker.csv",       "db.turns.csv"};
  char from[128];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(from, sizeof from, "audformat/%s", names[i]);
    copy_golden(from, names[i]);
  }
  put_all((const char *const[]){"wav/03a.wav", "wav/03b.wav", "wav/03c.wav", "wav/08a.wav", "wav/08b.wav",
                                "wav/08c.wav", NULL});
}

static const char *trait(const am_dataset *d, size_t clip, const char *name) {
  for (size_t t = 0; t < d->n_traits; t++)
    if (!strcmp(d->traits[t].name, name))
      return d->traits[t].of[clip] < 0 ? "" : d->traits[t].values[d->traits[t].of[clip]];
  return "";
}

static void rows_are(const am_dataset *d, const char *wanted) {
  char text[8192] = "";
  for (size_t i = 0; i < d->n; i++) {
    const am_clip *c = &d->clips[i];
    char start[32], length[32] = "";
    am_real_to_text(c->start, start);
    if (c->seconds > 0) snprintf(length, sizeof length, "%.10g", c->seconds);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%s|%s|%s|%s|%s|%s|%s\n", c->name, start, length, d->labels[c->label],
             c->speaker < 0 ? "" : d->speakers[c->speaker], trait(d, i, "gender"),
             c->corpus_part == AM_PART_NONE ? "none" : am_part_name(c->corpus_part));
  }
  assert_string_equal(text, wanted);
}

static void golden_rows_are(const am_dataset *d, const char *name) {
  char source[256], *text;
  size_t bytes;
  snprintf(source, sizeof source, "tests/data/golden/lists/%s", name);
  am_test_ok(am_file_read(ctx, am_test_source(source), 1 << 20, &text, &bytes, &err), &err);
  rows_are(d, text);
  am_free(ctx, text);
}

static void reads(const char *yaml, am_dataset **d) { am_test_ok(load(yaml, d), &err); }

static void refuses(const char *yaml, am_status status, const char *words) {
  am_dataset *d = NULL;
  am_test_fails(load(yaml, &d), status, &err, words);
  assert_null(d);
}

/* ---- audformat ---- */

#define OWN "tables: [emotion.train, emotion.dev, emotion.test]"

static void test_audformat(void **state) {
  (void)state;
  am_dataset *d;
  put_database();
  reads("{corpus: manifest, " OWN "}", &d);
  golden_rows_are(d, "audformat.rows");
  assert_string_equal(d->title, "tiny");
  assert_string_equal(d->licence, "CC-BY-4.0");
  assert_string_equal(d->citation, "A. Author, B. Author: tiny, generated");
  assert_string_equal(d->language, "deu");
  assert_non_null(strstr(d->attribution, "CC-BY-4.0")); /* what a checkpoint says */
  am_dataset_free(d);
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s, root: /, title: Mine, licence: CC0, " OWN "}",
           in("db.yaml"));
  reads(yaml, &d);
  golden_rows_are(d, "audformat.rows");
  assert_string_equal(d->title, "Mine"); /* the config goes before the header */
  assert_string_equal(d->licence, "CC0");
  am_dataset_free(d);
}

/* Segments, codes that a scheme explains, speakers in another table, a row without a label. */
static void test_audformat_segments(void **state) {
  (void)state;
  am_dataset *d;
  put_database();
  reads("{corpus: manifest, tables: [turns], columns: {label: felt}}", &d);
  golden_rows_are(d, "turns.rows");
  assert_int_equal(left_out(d, "the list gives no label"), 1);
  am_dataset_free(d);
  write_text("db.turns.csv", "file,start,end,felt\nwav/03a.wav,0 days 00:00:01,0 days 00:00:00.5,0\n");
  refuses("{corpus: manifest, tables: [turns], columns: {label: felt}}", AM_E_FORMAT,
          "db.turns.csv:2: ends at 0.5 s, and begins at 1 s");
  write_text("db.turns.csv", "file,start,end,felt\nwav/03a.wav,soon,,0\n");
  refuses("{corpus: manifest, tables: [turns], columns: {label: felt}}", AM_E_FORMAT, "start is \"soon\"");
}

static void test_audformat_refused(void **state) {
  (void)state;
  put_database();
  refuses("{corpus: manifest}", AM_E_CONFIG,
          "3 tables have emotions: emotion.dev, emotion.test, emotion.train; data.tables says which");
  refuses("{corpus: manifest, tables: [emotions]}", AM_E_CONFIG, "has no table \"emotions\"");
  refuses("{corpus: manifest, tables: [turns]}", AM_E_FORMAT, "tables.turns: which column is the emotion?");
  refuses("{corpus: manifest, columns: {label: mood}}", AM_E_FORMAT, "no table has a column or a scheme");
  write_text("db.emotion.dev.csv", "file,emotion\n../03a.wav,joy\n");
  refuses("{corpus: manifest, tables: [emotion.dev]}", AM_E_FORMAT, "leads out of the folder of the list");
  write_text("db.emotion.dev.csv", "file,emotion\n/etc/passwd,joy\n");
  refuses("{corpus: manifest, tables: [emotion.dev]}", AM_E_FORMAT, "leads out of the folder of the list");
  unlink(in("db.emotion.dev.csv"));
  write_text("db.emotion.dev.parquet", "PAR1");
  refuses("{corpus: manifest, tables: [emotion.dev]}", AM_E_UNSUPPORTED, "Parquet is not read");
  write_text("db.yaml", "name: none\n");
  refuses("{corpus: manifest}", AM_E_FORMAT, "no header of an audformat database");
}

/* ---- audiofolder ---- */

static void put_folder(const char *name, const char *ending) {
  static const char *const parts[] = {"train", "test"};
  char from[128], to[128];
  for (int i = 0; i < 2; i++) {
    snprintf(from, sizeof from, "%s/%s/metadata.%s", name, parts[i], ending);
    snprintf(to, sizeof to, "%s/metadata.%s", parts[i], ending);
    copy_golden(from, to);
  }
  put_all((const char *const[]){"train/03a.wav", "train/03b.wav", "train/03c.wav", "train/08a.wav", "test/08b.wav",
                                "test/08c.wav", NULL});
}

static void test_audiofolder(void **state) {
  (void)state;
  am_dataset *d;
  put_folder("metadata_csv", "csv");
  reads("{corpus: manifest}", &d);
  golden_rows_are(d, "metadata_csv.rows");
  assert_int_equal(d->n_traits, 1); /* gender; texts of which every clip has its own say nothing */
  am_dataset_free(d);
  unlink(in("train/metadata.csv"));
  unlink(in("test/metadata.csv"));
  put_folder("metadata_jsonl", "jsonl");
  reads("{corpus: manifest, format: audiofolder}", &d);
  golden_rows_are(d, "metadata_jsonl.rows");
  am_dataset_free(d);
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s, columns: {speaker: gender}}",
           in("test/metadata.jsonl"));
  reads(yaml, &d); /* one file, which its keys give away */
  rows_are(d, "08b.wav|0||joy|female||none\n08c.wav|0||neutral|female||none\n");
  am_dataset_free(d);
}

/* One table for all parts, with stretches of files and another name for the label. */
static void test_audiofolder_whole(void **state) {
  (void)state;
  am_dataset *d;
  put("a.wav");
  write_text("metadata.csv",
             "file_name,mood,start,end,split\na.wav,joy,0.5,2,train\na.wav,,2,3,train\na.wav,fear,3,,test\n");
  refuses("{corpus: manifest}", AM_E_FORMAT,
          "which column is the label? there are file_name, mood, start, end, split; data.columns: {label: NAME}");
  reads("{corpus: manifest, columns: {label: mood}}", &d);
  rows_are(d, "a.wav|0.5|1.5|joy|||train\na.wav|3||fear|||test\n");
  am_dataset_free(d);
  refuses("{corpus: manifest, columns: {label: moods}}", AM_E_FORMAT, "no column \"moods\"");
  refuses("{corpus: manifest, columns: {lable: mood}}", AM_E_CONFIG, "data.columns: unknown column \"lable\"");
  write_text("metadata.csv", "file_name,label\n../a.wav,joy\n");
  refuses("{corpus: manifest}", AM_E_FORMAT, "metadata.csv:2: ../a.wav leads out of the folder of the list");
  write_text("train/metadata.csv", "file_name,label\n../../a.wav,joy\n");
  unlink(in("metadata.csv"));
  refuses("{corpus: manifest}", AM_E_FORMAT, "train/metadata.csv:2: ../../a.wav leads out");
  unlink(in("train/metadata.csv"));
  write_text("train/metadata.parquet", "PAR1");
  refuses("{corpus: manifest}", AM_E_UNSUPPORTED, "metadata.parquet: Parquet is not read");
  write_text("list.jsonl", "{\"sound\": \"a.wav\"}\n");
  char yaml[512];
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s}", in("list.jsonl"));
  refuses(yaml, AM_E_FORMAT, "no list of clips that is known");
}

/* ---- Kaldi ---- */

static void test_kaldi(void **state) {
  (void)state;
  am_dataset *d;
  char absolute[1024];
  put_all((const char *const[]){"wav/a 1.wav", "wav/b.wav", "wav/c.wav", NULL});
  snprintf(absolute, sizeof absolute, "ann-1 %s\nben-1\twav/b.wav  \nben-2 wav/c.wav\n", in("wav/a 1.wav"));
  write_text("train/wav.scp", absolute);
  write_text("train/utt2emo", "ann-1 joy\nben-1 anger\n");
  write_text("train/utt2spk",
             "\xef\xbb\xbf"
             "ann-1 ann\nben-1 ben\nben-2 ben\n");
  write_text("train/spk2gender", "ann f\nben m\n");
  reads("{corpus: manifest}", &d);
  assert_int_equal(d->n, 2);
  says(d, "wav/b.wav", "anger", "ben");
  assert_string_equal(trait(d, 1, "gender"), "m");
  assert_int_equal(d->clips[0].corpus_part, AM_PART_TRAIN);
  assert_int_equal(left_out(d, "the list gives no label"), 1);
  am_dataset_free(d);
}

static void test_kaldi_segments(void **state) {
  (void)state;
  am_dataset *d;
  put_all((const char *const[]){"talk.wav", NULL});
  write_text("wav.scp", "talk talk.wav\n");
  write_text("segments", "ann-1 talk 0.5 2.25\nben-1 talk 2.25 -1\n");
  write_text("moods", "ann-1 joy\nben-1 anger\n");
  write_text("utt2gender", "ann-1 female\nben-1 male\n");
  refuses("{corpus: manifest}", AM_E_DATA, "no file utt2emo beside wav.scp");
  reads("{corpus: manifest, columns: {label: moods}}", &d);
  rows_are(d, "talk.wav|0.5|1.75|joy||female|none\ntalk.wav|2.25||anger||male|none\n");
  am_dataset_free(d);
  write_text("segments", "ann-1 talk 2 1\n");
  refuses("{corpus: manifest, columns: {label: moods}}", AM_E_FORMAT, "segments:1: wanted an utterance, a recording");
  write_text("segments", "ann-1 walk 0 1\n");
  refuses("{corpus: manifest, columns: {label: moods}}", AM_E_FORMAT, "segments:1: wav.scp has no recording walk");
}

static void test_kaldi_refused(void **state) {
  (void)state;
  static const struct {
    const char *scp;
    am_status status;
    const char *words;
  } bad[] = {{"u sox a.mp3 -t wav - |\n", AM_E_UNSUPPORTED, "wav.scp:1: u is a command; AudioMood runs none"},
             {"u touch ran|\n", AM_E_UNSUPPORTED, "is a command"},
             {"u |touch ran\n", AM_E_UNSUPPORTED, "is a command"},
             {"u wav.ark:123\n", AM_E_UNSUPPORTED, "wav.ark:123 is a place inside an archive"},
             {"u -\n", AM_E_FORMAT, "- is standard input"},
             {"\nu a.wav\nu b.wav\n", AM_E_FORMAT, "wav.scp:3: u is listed already, in line 2"},
             {"u\n", AM_E_FORMAT, "wav.scp:1: one word"},
             {"u a.wav\n", AM_E_FORMAT, "wav.scp:1: no file a.wav in"},
             {"u \xff.wav\n", AM_E_FORMAT, "not UTF-8"}};
  write_text("utt2emo", "u joy\n");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    write_text("wav.scp", bad[i].scp);
    refuses("{corpus: manifest, format: kaldi}", bad[i].status, bad[i].words);
  }
  assert_false(am_file_exists("ran") || am_file_exists(in("ran")));
  write_text("wav.scp", "");
  refuses("{corpus: manifest}", AM_E_DATA, "no utterance in wav.scp");
  refuses("{corpus: manifest, tables: [a]}", AM_E_CONFIG, "data.tables: ");
}

/* ---- EmoBox ---- */

#define LINE(file, emotion) \
  "{\"key\": \"x-" file "\", \"dataset\": \"x\", \"wav\": \"downloads/x/" file \
  ".wav\", \"type\": \"raw\", \"sample_rate\": 16000, \"num_frame\": 33978.0, \"task\": \"category\", \"length\": " \
  "2.12, \"emo\": \"" emotion "\", \"channel\": 1}\n"

static void test_emobox(void **state) {
  (void)state;
  am_dataset *d;
  char yaml[512];
  put_all((const char *const[]){"downloads/x/a.wav", "downloads/x/b.wav", "downloads/x/c.wav", NULL});
  write_text("data/x/fold_1/x_train_fold_1.jsonl", LINE("a", "joy"));
  write_text("data/x/fold_1/x_valid_fold_1.jsonl", LINE("b", "joy"));
  write_text("data/x/fold_1/x_test_fold_1.jsonl", "\n" LINE("c", "anger") "\n");
  write_text("data/x/fold_1/x_test_fold_1.json", "{}");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s, manifest: %s}", folder, in("data/x/fold_1"));
  reads(yaml, &d);
  rows_are(d,
           "downloads/x/c.wav|0||anger|||test\ndownloads/x/a.wav|0||joy|||train\n"
           "downloads/x/b.wav|0||joy|||validation\n");
  assert_int_equal(d->n_traits, 0);
  am_dataset_free(d);
  write_text("data/x/x.json",
             "{\"x-a\": {\"wav\": \"downloads/x/a.wav\", \"length\": 2, \"emo\": \"joy\", \"dataset\": \"x\", "
             "\"channel\": 1, \"start_time\": 0.25, \"end_time\": 1}}");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s, manifest: %s}", folder, in("data/x/x.json"));
  reads(yaml, &d);
  rows_are(d, "downloads/x/a.wav|0.25|0.75|joy|||none\n");
  am_dataset_free(d);
  write_text("data/x/fold_1/x_test_fold_2.jsonl", LINE("c", "anger"));
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s, manifest: %s}", folder, in("data/x/fold_1"));
  refuses(yaml, AM_E_DATA, "are of two folds");
  write_text("data/x/fold_1/x_test_fold_1.jsonl", LINE("c", "anger") "{\"wav\": 1\n");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s, manifest: %s}", folder,
           in("data/x/fold_1/x_test_fold_1.jsonl"));
  refuses(yaml, AM_E_FORMAT, "x_test_fold_1.jsonl:2: not a line of JSON");
  refuses("{corpus: manifest}", AM_E_DATA, "no list of clips in this folder; looked for manifest.csv");
}

/* ---- nkululeko: tables of audformat without a database ---- */

static void test_nkululeko(void **state) {
  (void)state;
  am_dataset *d;
  char yaml[512];
  put_all((const char *const[]){"wav/03a.wav", "wav/03b.wav", "wav/03c.wav", "wav/08a.wav", "wav/08b.wav",
                                "wav/08c.wav", NULL});
  copy_golden("audformat/db.emotion.train.csv", "x_train.csv");
  copy_golden("audformat/db.emotion.dev.csv", "x_dev.csv");
  copy_golden("audformat/db.emotion.test.csv", "x_test.csv");
  reads("{corpus: manifest}", &d); /* by the names of the files */
  rows_are(d,
           "wav/08a.wav|0||anger|||validation\nwav/08b.wav|0||joy|||test\nwav/08c.wav|0||neutral|||test\n"
           "wav/03a.wav|0||anger|||train\nwav/03b.wav|0||joy|||train\nwav/03c.wav|0||neutral|||train\n");
  am_dataset_free(d);
  write_text("y_speaker_train.csv", "file,emotion,speaker,gender\n./wav/03a.wav,joy,03,male\n");
  refuses("{corpus: manifest}", AM_E_DATA, "x_train.csv and y_speaker_train.csv are of two lists; data.tables names");
  reads("{corpus: manifest, tables: [y_speaker_train, x_test]}", &d);
  assert_int_equal(d->n, 3);
  says(d, "./wav/03a.wav", "joy", "03");
  am_dataset_free(d);
  refuses("{corpus: manifest, tables: [x_test, z]}", AM_E_CONFIG, "has 1 of these 2 files; wanted names without .csv");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s}", in("y_speaker_train.csv"));
  reads(yaml, &d); /* one file, by its columns */
  rows_are(d, "./wav/03a.wav|0||joy|03|male|none\n");
  am_dataset_free(d);
  write_text("y_speaker_train.csv", "file,expression\nwav/03a.wav,joy\n");
  refuses(yaml, AM_E_FORMAT, "which column is the label? there are file, expression");
}

static void test_nkululeko_segments(void **state) {
  (void)state;
  am_dataset *d;
  char yaml[1200], text[1024];
  put_all((const char *const[]){"wav/03a.wav", "wav/08b.wav", "wav/08c.wav", NULL});
  copy_golden("audformat/db.turns.csv", "turns.csv");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s, columns: {label: felt}}", in("turns.csv"));
  reads(yaml, &d);
  rows_are(d, "wav/03a.wav|0|1.25|0|||none\nwav/03a.wav|1.25||1|||none\nwav/08b.wav|86400.5|2.625|0|||none\n");
  assert_int_equal(left_out(d, "the list gives no label"), 1);
  am_dataset_free(d);
  snprintf(text, sizeof text, "file,start,end,emotion\n%s,0 days 00:00:01,0 days 00:00:02.5,joy\n", in("wav/03a.wav"));
  write_text("turns.csv", text); /* where it is on this disk, as nkululeko takes them by default */
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s}", in("turns.csv"));
  reads(yaml, &d);
  assert_int_equal(d->n, 1);
  assert_true(d->clips[0].start == 1 && d->clips[0].seconds == 1.5);
  am_dataset_free(d);
  write_text("turns.csv", "file,start,end,emotion\nwav/03a.wav,0 days,0 days 00:00:03.5,joy\n");
  reads(yaml, &d); /* as pandas writes a column of nothing but zeros */
  assert_true(d->clips[0].start == 0 && d->clips[0].seconds == 3.5);
  am_dataset_free(d);
  write_text("turns.csv", "file,start,end,emotion\nwav/03a.wav,0 daysx,,joy\n");
  refuses(yaml, AM_E_FORMAT, "start is \"0 daysx\"");
  write_text("turns.csv", "file,start,end,emotion\nwav/03a.wav,0 days 00:00:02,0 days 00:00:01,joy\n");
  refuses(yaml, AM_E_FORMAT, "turns.csv:2: ends at 1 s, and begins at 2 s");
  write_text("turns.csv", "file,start,end,emotion\nwav/03a.wav,soon,,joy\n");
  refuses(yaml, AM_E_FORMAT, "start is \"soon\"");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s, format: nkululeko, tables: [turns]}", in("turns.csv"));
  refuses(yaml, AM_E_CONFIG, "has one table");
}

/* ---- SpeechBrain ---- */

static void test_speechbrain(void **state) {
  (void)state;
  am_dataset *d;
  char yaml[512];
  put_all((const char *const[]){"sounds/a.wav", "sounds/b.wav", "sounds/c.wav", NULL});
  write_text(
      "lists/train.json",
      "{\n  \"a\": {\n    \"wav\": \"{data_root}/a.wav\",\n    \"length\": 2.5,\n    \"emo\": \"ang\",\n    "
      "\"spk_id\": \"7\"\n  },\n  \"b\": {\"wav\": \"{data_root}/b.wav\", \"length\": 2, \"emo\": \"hap\"}\n}\n");
  write_text("lists/valid.json", "{\"c\": {\"wav\": \"c.wav\", \"length\": 2, \"emo\": \"hap\", \"spk_id\": 8}}");
  write_text("lists/label_encoder.txt", "'ang' => 0\n");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s/sounds, manifest: %s}", folder, in("lists"));
  reads(yaml, &d);
  rows_are(d, "a.wav|0||ang|7||train\nb.wav|0||hap|||train\nc.wav|0||hap|8||validation\n");
  assert_int_equal(d->n_traits, 0); /* neither names nor lengths */
  am_dataset_free(d);
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s/sounds, manifest: %s}", folder, in("lists/valid.json"));
  reads(yaml, &d);
  rows_are(d, "c.wav|0||hap|8||none\n");
  am_dataset_free(d);
  write_text("lists/one.csv", "ID,duration,wav,emotion,spk_id\nx,2,$data_root/a.wav,sad,9\n");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, root: %s/sounds, manifest: %s}", folder, in("lists/one.csv"));
  reads(yaml, &d);
  rows_are(d, "a.wav|0||sad|9||none\n");
  am_dataset_free(d);
  write_text("lists/one.csv", "ID,duration,wav,start,stop,emo\nx,2,a.wav,0,16000,sad\n");
  refuses(yaml, AM_E_FORMAT, "one.csv:2: start counts samples of a rate that the list does not say");
  write_text("lists/one.csv", "ID,duration,wav,spk_id\nx,2,a.wav,9\n");
  refuses(yaml, AM_E_FORMAT, "which column is the label?");
  write_text("lists/valid.json",
             "{\"c\": {\"wav\": {\"file\": \"c.wav\", \"start\": 0, \"stop\": 9}, \"emo\": \"hap\"}}");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, format: speechbrain, manifest: %s}", in("lists/valid.json"));
  refuses(yaml, AM_E_FORMAT, "no column \"wav\"");
  snprintf(yaml, sizeof yaml, "{corpus: manifest, format: speechbrain, manifest: %s}", in("sounds"));
  refuses(yaml, AM_E_DATA, "no file train.json, NAME_train.json or the like in this folder");
  bool is;
  am_test_ok(am_list_is(ctx, in("lists"), &is, &err), &err);
  assert_true(is);
  am_test_ok(am_list_is(ctx, in("lists/valid.json"), &is, &err), &err);
  assert_true(is);
  am_test_ok(am_list_is(ctx, in("lists/config.json"), &is, &err), &err);
  assert_false(is);
}

/* ---- AudioMood's own, under other names ---- */

static void test_columns(void **state) {
  (void)state;
  am_dataset *d;
  put("a.wav");
  write_text("manifest.csv", "file;mood;who;session\na.wav;joy;ann;3\n");
  reads("{corpus: manifest, columns: {path: file, label: mood, speaker: who, group: session}}", &d);
  says(d, "a.wav", "joy", "ann");
  assert_int_equal(d->n_groups, 1);
  assert_int_equal(d->n_traits, 1);
  assert_string_equal(trait(d, 0, "group"), "3");
  am_dataset_free(d);
}

/* A folder is named for the manifest in it, whatever other lists it has. */
static void test_folder_of_manifest(void **state) {
  (void)state;
  static const char *const formats[] = {"", ", format: csv", ", format: auto"};
  put("b.wav");
  write_text("own/manifest.csv", "path,label,speaker\n../b.wav,joy,ann\n");
  write_text("own/db.yaml", "{}");
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    am_dataset *d;
    char yaml[1200];
    snprintf(yaml, sizeof yaml, "{corpus: manifest, manifest: %s%s}", in("own"), formats[i]);
    reads(yaml, &d);
    says(d, "../b.wav", "joy", "ann");
    am_dataset_free(d);
  }
}

/* ---- JSON as a table ---- */

static void refuses_json(const char *text, const char *words) {
  am_csv *csv;
  am_test_fails(am_json_table_read_text(ctx, text, strlen(text), "x", &csv, &err), AM_E_FORMAT, &err, words);
}

static void test_json_table(void **state) {
  (void)state;
  static const char *const same[] = {"[{\"a\": 1, \"b\": \"x\"}, {\"c\": true, \"a\": null, \"d\": [1]}]",
                                     "{\"a\": 1, \"b\": \"x\"}\n\n{\"c\": true, \"a\": null, \"d\": {}}"};
  for (size_t i = 0; i < 2; i++) {
    am_csv *csv;
    am_test_ok(am_json_table_read_text(ctx, same[i], strlen(same[i]), "x", &csv, &err), &err);
    assert_int_equal(am_csv_rows(csv), 2);
    assert_int_equal(am_csv_columns(csv), 3);
    assert_string_equal(am_csv_get(csv, 0, (size_t)am_csv_column(csv, "b")), "x");
    assert_string_equal(am_csv_get(csv, 1, (size_t)am_csv_column(csv, "c")), "true");
    assert_string_equal(am_csv_get(csv, 1, (size_t)am_csv_column(csv, "a")), "");
    am_csv_fail(csv, 1, &err, "wrong");
    assert_string_equal(err.message, i ? "x:3: wrong" : "x, record 2: wrong");
    err = (am_error)AM_ERROR_INIT;
    am_csv_free(csv);
  }
  am_csv *csv;
  const char *map = "{\"one\": {\"a\": 1.5}, \"two\": {}}";
  am_test_ok(am_json_table_read_text(ctx, map, strlen(map), "x", &csv, &err), &err);
  assert_string_equal(am_csv_get(csv, 1, (size_t)am_csv_column(csv, AM_JSON_NAME)), "two");
  assert_string_equal(am_csv_get(csv, 0, (size_t)am_csv_column(csv, "a")), "1.5");
  am_csv_free(csv);
  am_test_ok(am_json_table_read_text(ctx, "{\"a\": 7}\n", 9, "x", &csv, &err), &err); /* one line, one record */
  assert_string_equal(am_csv_get(csv, 0, 0), "7");
  am_csv_free(csv);
  refuses_json("[]", "empty; wanted objects");
  refuses_json("[1]", "record 1 is no object");
  refuses_json("{\"a\": {}, \"b\": 1}", "record 2 is no object");
  refuses_json("7", "wanted a list or a map of records");
  refuses_json("{\"a\": 1}\n[2]\n", "x:2: wanted an object");
}

/* Every allocation fails once: an error each time, and nothing leaks. */
static void memory_runs_out_cleanly(void **state) {
  (void)state;
  static const char *const words[] = {"audformat", "kaldi", "audiofolder", "emobox", "nkululeko", "speechbrain"};
  put_database();
  put_folder("metadata_jsonl", "jsonl");
  write_text("wav.scp", "u wav/03a.wav\nv wav/03b.wav\n");
  write_text("segments", "u u 0 1\nv v 0.5 1\n");
  write_text("utt2emo", "u joy\nv anger\n");
  write_text("x_test_fold_1.jsonl",
             "{\"wav\": \"wav/03a.wav\", \"emo\": \"joy\"}\n{\"wav\": \"wav/03b.wav\", "
             "\"emo\": \"fear\"}\n");
  write_text("z_train.csv", "file,start,end,emotion\nwav/03a.wav,0 days 00:00:01,,joy\n");
  write_text("z_test.csv", "file,start,end,emotion\nwav/03b.wav,,,fear\n");
  write_text("train.json", "{\"a\": {\"wav\": \"{data_root}/wav/03a.wav\", \"emo\": \"joy\"}}");
  for (int kind = 0; kind < 6; kind++)
    for (long n = 1;; n++) {
      char yaml[256];
      am_data_options o;
      am_test_memory m;
      am_dataset *d = NULL;
      snprintf(yaml, sizeof yaml, "{corpus: manifest, format: %s%s}", words[kind], kind ? "" : ", " OWN);
      am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
      am_context *small = am_test_memory_context(&m, 1);
      o.root = folder;
      err = (am_error)AM_ERROR_INIT;
      am_test_memory_arm(&m, n);
      am_status status = am_dataset_load(small, &o, &d, &err);
      bool fired = am_test_memory_fired(&m);
      am_test_memory_arm(&m, 0);
      if (status != (fired ? AM_E_NOMEM : AM_OK)) fail_msg("%s, %ld: %d %s", words[kind], n, (int)status, err.message);
      am_dataset_free(d);
      am_context_free(small);
      am_tree_free(tree);
      assert_int_equal(atomic_load(&m.alive), 0);
      if (!fired) break;
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      CASE(test_audformat),         CASE(test_audformat_segments), CASE(test_audformat_refused),
      CASE(test_audiofolder),       CASE(test_audiofolder_whole),  CASE(test_kaldi),
      CASE(test_kaldi_segments),    CASE(test_kaldi_refused),      CASE(test_emobox),
      CASE(test_nkululeko),         CASE(test_nkululeko_segments), CASE(test_speechbrain),
      CASE(test_columns),           CASE(test_folder_of_manifest), CASE(test_json_table),
      CASE(memory_runs_out_cleanly)};
  return cmocka_run_group_tests_name("lists", tests, NULL, NULL);
}
