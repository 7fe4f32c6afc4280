/* SPDX-License-Identifier: MIT */
/* The shipped descriptions on trees of empty files with the names that the corpora have: clips, emotions, speakers, folds, parts,
 * exclusions.  A tree is complete where its names follow from a rule, else an example of each kind of name. */
#include "described.h"

#include "data/split.h"

typedef struct stub {
  const char *description;
  const char *const *names; /* [01:12] counts, [a|b] are alternatives: each makes all files of its product */
  bool complete;            /* as many as the description expects */
  size_t clips;
  const char *labels;   /* "happy 2, sad 1": in the order of classes */
  size_t speakers;      /* 0: they are not known */
  size_t folds, tested; /* folds of the description, and clips that are tested in fold 0 */
  size_t parts[3];      /* clips of the corpus's own parts */
  size_t left_out;
} stub;

/* ---- names ---- */

static size_t put_all_of(const char *template, char *name, size_t used);

/* One alternative in the place of the brackets, then what follows them. */
static size_t put_one(const char *rest, char *name, size_t used, const char *text, size_t n) {
  assert_true(used + n < 200);
  memcpy(name + used, text, n);
  return put_all_of(rest, name, used + n);
}

static size_t put_all_of(const char *template, char *name, size_t used) {
  const size_t plain = strcspn(template, "[");
  assert_true(used + plain < 200);
  memcpy(name + used, template, plain);
  used += plain;
  if (!template[plain]) {
    name[used] = '\0';
    put(name);
    return 1;
  }
  const char *from = template + plain + 1, *end = strchr(from, ']'), *colon = memchr(from, ':', (size_t)(end - from));
  size_t n = 0;
  if (colon) {
    char number[16];
    for (long i = strtol(from, NULL, 10); i <= strtol(colon + 1, NULL, 10); i++) {
      snprintf(number, sizeof number, "%0*ld", (int)(colon - from), i);
      n += put_one(end + 1, name, used, number, strlen(number));
    }
    return n;
  }
  for (const char *at = from, *stop; at <= end; at = stop + 1) {
    stop = at + strcspn(at, "|]");
    n += put_one(end + 1, name, used, at, (size_t)(stop - at));
  }
  return n;
}

/* ---- what is found ---- */

static void labels_are(const am_dataset *d, const char *wanted) {
  char text[512] = "";
  for (int k = 0; k < d->n_labels; k++) {
    size_t n = 0, used = strlen(text);
    for (size_t i = 0; i < d->n; i++) n += d->clips[i].label == k;
    snprintf(text + used, sizeof text - used, "%s%s %zu", k ? ", " : "", d->labels[k], n);
  }
  assert_string_equal(text, wanted);
}

static void folds_are(am_dataset *d, const stub *s) {
  am_split_options o;
  am_split *split;
  size_t tested = 0;
  for (size_t fold = 0; fold < s->folds; fold++) {
    char yaml[64];
    snprintf(yaml, sizeof yaml, "{kind: fixed, fold: %zu}", fold);
    am_tree *tree = read_section(ctx, am_split_table, yaml, &o);
    am_test_ok(am_split_make(ctx, d, &o, &split, &err), &err);
    assert_int_equal(split->n_folds, s->folds);
    assert_true(split->speaker_independent);
    if (!fold) assert_int_equal(split->n[AM_PART_TEST], s->tested);
    tested += split->n[AM_PART_TEST];
    am_split_free(ctx, split);
    am_tree_free(tree);
  }
  if (s->folds) assert_int_equal(tested, d->n); /* each clip in one fold */
  else assert_null(d->folds);
}

static void reads(const stub *s) {
  am_dataset *d;
  char name[256];
  for (size_t i = 0; s->names[i]; i++) put_all_of(s->names[i], name, 0);
  log_kept.text[0] = '\0';
  shipped(s->description, &d);
  assert_int_equal(d->n, s->clips);
  assert_int_equal(d->n_speakers, s->speakers);
  labels_are(d, s->labels);
  folds_are(d, s);
  size_t parts[3] = {0}, left = 0;
  for (size_t i = 0; i < d->n; i++)
    if (d->clips[i].corpus_part != AM_PART_NONE) parts[d->clips[i].corpus_part]++;
  for (int k = 0; k < 3; k++) assert_int_equal(parts[k], s->parts[k]);
  for (size_t i = 0; i < d->n_left_out; i++) left += d->left_out[i].count;
  assert_int_equal(left, s->left_out);
  if (warned("other counts") == s->complete) fail_msg("%s: %s", s->description, log_kept.text);
  assert_true(*d->licence && *d->citation && *d->language && *d->title);
  am_dataset_free(d);
}

static void write_text(const char *name, const char *text) {
  char path[2048];
  snprintf(path, sizeof path, "%s", in(name));
  *strrchr(path, '/') = '\0';
  make_folder(ctx, path);
  am_test_file(in(name), text, strlen(text));
}

static const char *trait(const am_dataset *d, const char *clip_name, const char *name) {
  const size_t at = (size_t)(clip(d, clip_name) - d->clips);
  for (size_t t = 0; t < d->n_traits; t++)
    if (!strcmp(d->traits[t].name, name))
      return d->traits[t].of[at] < 0 ? "" : d->traits[t].values[d->traits[t].of[at]];
  return "";
}

#define NAMES (const char *const[])

/* ---- complete ---- */

static void cafe(void **state) {
  (void)state;
  reads(&(stub){"cafe",
                NAMES{"CaFE_48k/x/[01:12]-[C|D|J|P|S|T]-[1:2]-[1:6].wav", "CaFE_48k/Neutre/[01:12]-N-1-[1:6].wav",
                      "CaFE_192k_1/x/[01:03]-C-1-[1:6].wav", NULL},
                true,
                936,
                "neutral 72, happy 144, sad 144, angry 144, fearful 144, disgust 144, surprised 144",
                12,
                3,
                312,
                {0},
                18}); /* the other archive has the same clips again */
}

static void emovo(void **state) {
  (void)state;
  static const char *const speakers[] = {"f1", "f2", "f3", "m1", "m2", "m3"};
  char names[6][96];
  const char *list[7] = {NULL};
  for (int i = 0; i < 6; i++) {
    snprintf(names[i], sizeof names[i],
             "EMOVO/%s/[dis|gio|pau|rab|sor|tri|neu]-%s-[b1|b2|b3|l1|l2|l3|l4|n1|n2|n3|n4|n5|d1|d2].wav", speakers[i],
             speakers[i]);
    list[i] = names[i];
  }
  reads(&(stub){"emovo",
                list,
                true,
                588,
                "disgust 84, joy 84, fear 84, anger 84, surprise 84, sadness 84, neutral 84",
                6,
                6,
                98,
                {0},
                0});
}

static void savee(void **state) {
  (void)state;
  reads(&(stub){"savee",
                NAMES{"[DC|JE|JK|KL]_[a|d|f|h|sa|su][01:15].wav", "[DC|JE|JK|KL]_n[01:30].wav", NULL},
                true,
                480,
                "anger 60, disgust 60, fear 60, happiness 60, neutral 120, sadness 60, surprise 60",
                4,
                4,
                120,
                {0},
                0});
}

static void jl(void **state) {
  (void)state;
  reads(&(stub){
      "jl",
      NAMES{"JL(wav+txt)/[female1|female2|male1|male2]_[neutral|happy|sad|angry|excited|anxious|apologetic|assertive|"
            "concerned|encouraging]_[1:9][a|b]_[1:2].wav",
            "JL(wav+txt)/[female1|female2|male1|male2]_[neutral|happy|sad|angry|excited|anxious|apologetic|assertive|"
            "concerned|encouraging]_[10:15][a|b]_[1:2].wav",
            NULL},
      true,
      2400,
      "neutral 240, happy 240, sad 240, angry 240, excited 240, anxious 240, apologetic 240, assertive 240, concerned "
      "240, "
      "encouraging 240",
      4,
      4,
      600,
      {0},
      0});
}

static void banglaser(void **state) {
  (void)state;
  am_dataset *d;
  reads(&(stub){
      "banglaser",
      NAMES{"Happy/03-01-[01:02]-01-[01:03]-[01:03]-[01:34].wav", "Angry/03-01-[03:04]-02-[01:03]-[01:03]-[01:34].wav",
            "Neutral/03-01-05-01-[01:03]-[01:03]-[01:27].wav", NULL},
      true,
      1467,
      "neutral 243, happy 306, sad 306, angry 306, surprised 306",
      34,
      0,
      0,
      {0},
      0});
  shipped("banglaser", &d);
  assert_string_equal(trait(d, "Happy/03-01-02-01-02-02-22.wav", "gender"), "female");
  assert_string_equal(trait(d, "Happy/03-01-02-01-02-02-22.wav", "intensity"), "normal");
  am_dataset_free(d);
}

static void urdu(void **state) {
  (void)state;
  reads(&(stub){"urdu",
                NAMES{"Neutral/SM[1:8]_F1_N01.wav", "Neutral/SM[1:8]_F[2:9]_N02.wav", "Neutral/SM8_F[10:37]_N03.wav",
                      "Happy/SF[1:9]_F[1:9]_H01.wav", "Happy/SF1_F[10:28]_H0100.wav", "Sad/SF[10:11]_F[1:5]_S02.wav",
                      "Sad/SM[17:26]_F[1:9]_S02.wav", "Angry/SM[1:8]_F[1:9]_A01.wav", "Angry/SM9_F[1:9]_A050.wav",
                      "Angry/SM8_F[10:28]_A0100.wav", NULL},
                false,
                400,
                "neutral 100, happy 100, sad 100, angry 100",
                30,
                0,
                0,
                {0},
                0});
}

/* ---- examples of each kind of name ---- */

static void aesdd(void **state) {
  (void)state;
  reads(&(stub){"aesdd",
                NAMES{"anger/a[01:20] ([1:6]).wav", "happiness/h20 (1).wav", "sadness/s01 (5)[a|b].wav",
                      "fear/f10 (01).wav", "fear/f11 (1).wav", "disgust/d03 (5).wav", "disgust/notes.wav", NULL},
                false,
                126,
                "happy 1, sad 2, angry 120, fearful 2, disgust 1",
                6,
                0,
                0,
                {0},
                1});
}

static void shemo(void **state) {
  (void)state;
  reads(&(stub){"shemo",
                NAMES{"female/F[01:31][A|N|H]01.wav", "male/M[01:56][S|W|F]0[1:3].wav", "female/F21N100.wav", NULL},
                false,
                598,
                "neutral 32, happy 31, sad 168, angry 31, fearful 168, surprised 168",
                87,
                0,
                0,
                {0},
                0});
}

/* The filtered copies of the repository are passed over. */
static void turev_db(void **state) {
  (void)state;
  stub s = {"turev_db",
            NAMES{"Sound Source/Calm/[1157|1234|1358|1984|6783|7895]_sk_[acik|algi].wav",
                  "Sound Source/Happy/1234_mt_acik.wav", "Sound Source/Sad/1984_hl_melek.wav",
                  "Sound Source/Angry/1234_kz_yigin.wav",
                  "Model Output for Test Data/testEmotions500HighPass/sound/Angry/1234_kz_[beste|yigin].wav", NULL},
            false,
            15,
            "calm 12, happy 1, sad 1, angry 1",
            6,
            0,
            0,
            {0},
            2};
  reads(&s);
  am_dataset *d;
  shipped("turev_db", &d);
  says(d, "Sound Source/Angry/1234_kz_yigin.wav", "angry", "1234");
  am_dataset_free(d);
}

/* The folder of the recordings by itself. */
static void turev_db_folder(void **state) {
  (void)state;
  reads(&(stub){"turev_db",
                NAMES{"Calm/1157_sk_acik.wav", "Angry/1234_kz_[acik|algi].wav", "copy/Angry/1234_kz_algi.wav", NULL},
                false,
                3,
                "calm 1, angry 2",
                2,
                0,
                0,
                {0},
                1});
}

static void ased(void **state) {
  (void)state;
  reads(
      &(stub){"ased",
              NAMES{"01Neutral/n1-0[1:7]-0[1:2]-02-[05:09].wav", "04Sad/S4-04-02-01-29.wav", "04Sad/s4-04-02-01-29.wav",
                    "05Angry/a5-03-01-02-50.wav", "02Fearful/f2-01-01-01-65.wav", "03Happy/h3-01-01-01-65.wav", NULL},
              false,
              75,
              "neutral 70, happy 1, sad 2, angry 1, fearful 1",
              8,
              0,
              0,
              {0},
              0});
}

static void esd(void **state) {
  (void)state;
  am_dataset *d;
  reads(&(stub){"esd",
                NAMES{"00[01:10]/[Neutral|Happy|Sad|Angry|Surprise]/0001_000[001:002].wav",
                      "00[11:20]/[Neutral|Happy|Sad|Angry|Surprise]/[train|test]/0011_000351.wav", NULL},
                false,
                200,
                "neutral 40, happy 40, sad 40, angry 40, surprised 40",
                20,
                5,
                40,
                {0},
                0});
  shipped("esd", &d);
  assert_string_equal(trait(d, "0010/Sad/0001_000001.wav", "spoken"), "Mandarin");
  assert_string_equal(trait(d, "0011/Sad/test/0011_000351.wav", "spoken"), "English");
  assert_string_equal(trait(d, "0011/Sad/test/0011_000351.wav", "gender"), "male");
  am_dataset_free(d);
}

static void emov_db(void **state) {
  (void)state;
  am_dataset *d;
  reads(&(stub){"emov_db",
                NAMES{"[bea|jenie|sam]_Angry/anger_113-140_00[10:12].wav", "josh_Sleepy/sleepiness_113_140_0113.wav",
                      "jenie_Disgusted/[disgust|Disgust]_85-112_0109.wav",
                      "bea_Neutral/[neutral|Neutral]_29-56_0037.wav", "sam_Amused/amused_1-28_0001.wav", NULL},
                false,
                15,
                "neutral 2, amused 1, angry 9, disgust 2, sleepy 1",
                4,
                0,
                0,
                {0},
                0});
  shipped("emov_db", &d);
  assert_string_equal(trait(d, "josh_Sleepy/sleepiness_113_140_0113.wav", "gender"), "male");
  am_dataset_free(d);
}

/* ---- labels in tables ---- */

static void meld(void **state) {
  (void)state;
#define HEAD "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
#define TIME ",8,21,\"00:16:16,059\",\"00:16:21,731\"\n"
  write_text("train_sent_emo.csv",
             HEAD "1,\"Well, no.\",Ross,neutral,neutral,0,0" TIME "2,Oh,Monica,joy,positive,0,1" TIME
                  "3,Oh,Ross,neutral,neutral,125,3" TIME "4,Hey!,All,surprise,positive,0,2" TIME);
  write_text("dev_sent_emo.csv", HEAD "1,No,Ross,anger,negative,0,0" TIME "2,No,Phoebe,neutral,neutral,110,7" TIME);
  write_text("test_sent_emo.csv", HEAD "1,No,Mark,fear,negative,0,0" TIME "2,No,Joey,disgust,negative,0,1" TIME
                                       "3,No,Joey,sadness,negative,2,1" TIME "4,No,Student,joy,positive,38,4" TIME);
  reads(&(stub){"meld",
                NAMES{"train/train_splits/dia0_utt[0:2].mp4", "train/train_splits/dia125_utt3.mp4",
                      "dev_splits_complete/dia0_utt0.mp4", "dev_splits_complete/dia66_utt9.mp4",
                      "output_repeated_splits_test/dia0_utt[0:1].mp4", "output_repeated_splits_test/dia2_utt1.wav",
                      "output_repeated_splits_test/dia38_utt4.mp4",
                      "output_repeated_splits_test/final_videos_testdia101_utt0.mp4", NULL},
                false,
                7,
                "neutral 1, happy 1, sad 1, angry 1, fearful 1, disgust 1, surprised 1",
                4,
                0,
                0,
                {3, 1, 3},
                3}); /* two that are excluded, and the row whose film is missing */
}

static void msp_podcast(void **state) {
  (void)state;
  am_dataset *d;
  write_text(
      "Labels/labels_consensus.csv",
      "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"
      "MSP-PODCAST_0001_0008.wav,N,2.2,4.0,2.6,30,Male,Test1\nMSP-PODCAST_0001_0009.wav,H,3.7,3.5,3.7,39,Male,Train\n"
      "MSP-PODCAST_0001_0010.wav,X,4,4,4,39,Male,Train\nMSP-PODCAST_0002_0001.wav,A,4,2,4,Unknown,Unknown,Train\n"
      "MSP-PODCAST_0003_0001.wav,U,4,2,4,7,Female,Development\nMSP-PODCAST_0004_0001.wav,C,4,2,4,8,Female,Test2\n"
      "MSP-PODCAST_0004_0002.wav,O,4,2,4,8,Female,Test2\n");
  reads(&(stub){"msp_podcast",
                NAMES{"Audios/MSP-PODCAST_0001_00[08:10].wav", "Audios/MSP-PODCAST_000[2:4]_0001.wav",
                      "Audios/MSP-PODCAST_0004_0002.wav", "Audios/MSP-PODCAST_test3_0001.wav", NULL},
                true,
                5,
                "neutral 1, happy 1, angry 1, surprised 1, contempt 1",
                4,
                0,
                0,
                {2, 1, 1},
                3});
  shipped("msp_podcast", &d);
  says(d, "Audios/MSP-PODCAST_0002_0001.wav", "angry", "nobody");
  assert_string_equal(trait(d, "Audios/MSP-PODCAST_0003_0001.wav", "Gender"), "Female");
  am_dataset_free(d);
}

static void cmu_mosei(void **state) {
  (void)state;
  am_dataset *d;
  write_text("mosei.csv",
             "file,start,end,happy,sad,anger,surprise,disgust,fear,split\n-3g5yACwYnA,82.75,100.5,0.67,0,0.33,0,0,0,0\n"
             "-3g5yACwYnA,119.9,125.25,0,0,0,0,0,0,0\n-571d8cVauQ,-0.48,4.992,0,0.33,0,0,0.33,0,1\n"
             "-571d8cVauQ,21.8,28.3,0,0,0,0,0,1,1\n--qXJuDtHPw,23.2,30.3,1,0,0,0,0,0,2\n7,0,1,0,0,2,0,0,0,3\n");
  reads(&(stub){"cmu_mosei",
                NAMES{"Full/WAV_16000/-3g5yACwYnA.wav", "Full/WAV_16000/[-571d8cVauQ|--qXJuDtHPw|7].wav", NULL},
                true,
                5,
                "neutral 1, happy 2, angry 1, fearful 1",
                0,
                0,
                0,
                {2, 1, 1},
                1});
  shipped("cmu_mosei", &d);
  assert_int_equal(d->n_groups, 4);
  assert_true(d->clips[d->n - 1].seconds > 0);
  am_dataset_free(d);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {CASE(cafe),     CASE(emovo), CASE(savee),   CASE(jl),       CASE(banglaser),
                                     CASE(urdu),     CASE(aesdd), CASE(shemo),   CASE(turev_db), CASE(turev_db_folder),
                                     CASE(ased),     CASE(esd),   CASE(emov_db), CASE(meld),     CASE(msp_podcast),
                                     CASE(cmu_mosei)};
  return cmocka_run_group_tests_name("stubs", tests, NULL, NULL);
}
