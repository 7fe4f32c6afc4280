/* SPDX-License-Identifier: MIT */
/* The shipped descriptions of corpora on short sounds with their published names: labels, speakers and groups. */
#include "corpus_folder.h"

#include "data/check.h"

typedef struct count {
  const char *name;
  size_t n;
} count;

/* Clips of a corpus as they lie below the folder that its get-* script makes. */
typedef struct corpus {
  const char *description, *language, *licence, *const *files;
  double rate;
  count labels[12], speakers[12], groups[8]; /* groups: value of the first trait */
  const char *trait;
  size_t left_out;
} corpus;

static void load(const char *name, am_dataset **d) {
  char yaml[1024];
  am_data_options o;
  snprintf(yaml, sizeof yaml, "{corpus: described, description: %s/datasets/%s.yaml, root: %s, vocabulary: common}",
           AM_SOURCE_ROOT, name, folder);
  am_tree *tree = read_section(ctx, am_data_table, yaml, &o);
  am_test_ok(am_dataset_load(ctx, &o, d, &err), &err);
  am_tree_free(tree);
}

/* A tone of its own for each clip: none repeats another. */
static void write_clips(const corpus *c) {
  for (int i = 0; c->files[i]; i++) {
    char *slash = strrchr(c->files[i], '/');
    if (slash) {
      char path[256];
      snprintf(path, sizeof path, "%.*s", (int)(slash - c->files[i]), c->files[i]);
      make_folder(ctx, in(path));
    }
    write_tone(ctx, in(c->files[i]), 150 + 17 * i, 0.2, c->rate);
  }
}

static size_t of_label(const am_dataset *d, const char *label) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++) n += !strcmp(d->labels[d->clips[i].label], label);
  return n;
}

static size_t of_speaker(const am_dataset *d, const char *speaker) {
  size_t n = 0;
  for (size_t i = 0; i < d->n; i++)
    n += !strcmp(d->clips[i].speaker < 0 ? "nobody" : d->speakers[d->clips[i].speaker], speaker);
  return n;
}

static size_t of_group(const am_dataset *d, const char *trait, const char *value) {
  size_t n = 0, t = 0;
  while (t < d->n_traits && strcmp(d->traits[t].name, trait)) t++;
  if (t == d->n_traits) fail_msg("no group %s", trait);
  for (size_t i = 0; i < d->n; i++) {
    int at = d->traits[t].of[i];
    n += at >= 0 && !strcmp(d->traits[t].values[at], value);
  }
  return n;
}

static void has(size_t found, const char *what, size_t wanted) {
  if (found != wanted) fail_msg("%s: %zu clips, wanted %zu", what, found, wanted);
}

static void counts_are(const am_dataset *d, const corpus *c) {
  size_t clips = 0, n = 0;
  for (const count *k = c->labels; k->name; k++, n++) {
    has(of_label(d, k->name), k->name, k->n);
    clips += k->n;
  }
  assert_int_equal(d->n, clips);
  assert_int_equal(d->n_labels, n);
  for (n = 0; c->speakers[n].name; n++) has(of_speaker(d, c->speakers[n].name), c->speakers[n].name, c->speakers[n].n);
  assert_int_equal(d->n_speakers, strcmp(c->speakers[0].name, "nobody") ? n : 0);
  for (const count *k = c->groups; k->name; k++) has(of_group(d, c->trait, k->name), k->name, k->n);
}

/* All can be heard, none repeats another, and the rate is the one that the description says, if it does. */
static void sounds_are_in_order(const am_dataset *d, const corpus *c) {
  am_check check;
  am_test_ok(am_check_run(ctx, d, 60, &check, &err), &err);
  assert_int_equal(check.n_pairs, 0);
  for (size_t i = 0; i < d->n; i++) {
    assert_null(check.clips[i].problem);
    assert_int_equal(check.clips[i].rate, (int)c->rate);
  }
  am_check_free(&check);
}

static void reads(const corpus *c) {
  am_dataset *d;
  write_clips(c);
  load(c->description, &d);
  assert_string_equal(d->corpus, c->description);
  assert_string_equal(d->language, c->language);
  assert_non_null(strstr(d->licence, c->licence));
  assert_true(*d->citation);
  counts_are(d, c);
  size_t left_out = 0;
  for (size_t i = 0; i < d->n_left_out; i++) left_out += d->left_out[i].count;
  assert_int_equal(left_out, c->left_out);
  sounds_are_in_order(d, c);
  am_dataset_free(d);
}

#define FILES (const char *const[])

static void nemo(void **state) {
  (void)state;
  const char *table =
      "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
      "WR0_surprised_64.wav\tsurprised\tUcho.\tucho\t        WR0\tmale\t23\n";
  am_test_file(in("data.tsv"), table, strlen(table)); /* is not needed */
  reads(&(corpus){"nemo",
                  "Polish",
                  "CC BY-NC-SA 4.0",
                  FILES{"samples/WR0_surprised_64.wav", "samples/EB0_neutral_13.wav", "samples/KS0_anger_19.wav",
                        "samples/KS0_sadness_2.wav", "samples/KS0_happiness_2.wav", "samples/MK0_fear_90.wav",
                        "samples/MP0_anger_1.wav", "samples/KS0_joy_1.wav", NULL},
                  24000,
                  {{"surprised", 1}, {"neutral", 1}, {"angry", 2}, {"sad", 1}, {"happy", 1}, {"fearful", 1}},
                  {{"WR0", 1}, {"EB0", 1}, {"KS0", 3}, {"MK0", 1}, {"MP0", 1}},
                  {{"female", 2}, {"male", 5}},
                  "gender",
                  1});
}

static void emodb(void **state) {
  (void)state;
  reads(
      &(corpus){"emodb",
                "German",
                "free to download",
                FILES{"wav/03a01Fa.wav", "wav/03a01Nc.wav", "wav/16b10Wb.wav", "wav/08a02La.wav", "wav/09a05Ea.wav",
                      "wav/11b03Aa.wav", "wav/11a04Td.wav", NULL},
                16000,
                {{"happy", 1}, {"neutral", 1}, {"angry", 1}, {"bored", 1}, {"disgust", 1}, {"fearful", 1}, {"sad", 1}},
                {{"03", 2}, {"16", 1}, {"08", 1}, {"09", 1}, {"11", 2}},
                {{"male", 4}, {"female", 3}},
                "gender",
                0});
}

static void crema_d(void **state) {
  (void)state;
  reads(
      &(corpus){"crema_d",
                "English",
                "Open Database License",
                FILES{"1001_DFA_ANG_XX.wav", "1001_IEO_ANG_HI.wav", "1002_IEO_DIS_LO.wav", "1002_MTI_FEA_XX.wav",
                      "1091_WSI_HAP_XX.wav", "1091_ITH_NEU_XX.wav", "1091_ITH_SAD_XX.wav", "1076_MTI_SAD_XX.wav", NULL},
                16000,
                {{"angry", 2}, {"disgust", 1}, {"fearful", 1}, {"happy", 1}, {"neutral", 1}, {"sad", 1}},
                {{"1001", 2}, {"1002", 2}, {"1091", 3}},
                {{"male", 2}, {"female", 5}},
                "gender",
                1});
}

/* Labels and speakers are in a table below the root. */
static void emozionalmente(void **state) {
  (void)state;
  const char *table =
      "file_name,sentence,sentence_language,actor,emotion_expressed\n"
      "1591636264523.wav,\"Oggi, domani.\",it,u1,anger\n1591636264524.wav,Ciao.,it,u1,neutrality\n"
      "1591636264525.wav,Ciao.,it,u2,joy\n1591636264526.wav,Ciao.,it,u2,fear\n"
      "1591636264527.wav,Ciao.,it,u2,sadness\n1591636264528.wav,Ciao.,it,u3,disgust\n"
      "1591636264529.wav,Ciao.,it,u3,surprise\n";
  make_folder(ctx, in("metadata"));
  am_test_file(in("metadata/samples.csv"), table, strlen(table));
  const char *people = "username,gender,age\nu1,f,31\nu2,m,25\nu3,f,58\n";
  am_test_file(in("metadata/users.csv"), people, strlen(people));
  reads(&(corpus){
      "emozionalmente",
      "Italian",
      "CC BY 4.0",
      FILES{"audio/1591636264523.wav", "audio/1591636264524.wav", "audio/1591636264525.wav", "audio/1591636264526.wav",
            "audio/1591636264527.wav", "audio/1591636264528.wav", "audio/1591636264529.wav", "audio/1591636264530.wav",
            NULL},
      16000,
      {{"angry", 1}, {"neutral", 1}, {"happy", 1}, {"fearful", 1}, {"sad", 1}, {"disgust", 1}, {"surprised", 1}},
      {{"u1", 2}, {"u2", 3}, {"u3", 2}},
      {{"f", 4}, {"m", 3}},
      "gender",
      1});
}

static void jl(void **state) {
  (void)state;
  reads(&(corpus){"jl",
                  "English (New Zealand)",
                  "CC0 1.0",
                  FILES{"JL(wav+txt)/male1_angry_10a_1.wav", "JL(wav+txt)/male1_angry_10a_2.wav",
                        "JL(wav+txt)/male2_neutral_1b_1.wav", "JL(wav+txt)/female1_excited_3a_1.wav",
                        "JL(wav+txt)/female2_encouraging_15b_2.wav", "JL(wav+txt)/female2_sad_4a_1.wav",
                        "JL(wav+txt)/female2_happy_4a_1.wav", "JL(wav+txt)/male1_anxious_4a_1.wav",
                        "JL(wav+txt)/male1_apologetic_4a_1.wav", "JL(wav+txt)/male1_assertive_4a_1.wav",
                        "JL(wav+txt)/male1_concerned_4a_1.wav", NULL},
                  44100,
                  {{"angry", 2},
                   {"neutral", 1},
                   {"excited", 1},
                   {"encouraging", 1},
                   {"sad", 1},
                   {"happy", 1},
                   {"anxious", 1},
                   {"apologetic", 1},
                   {"assertive", 1},
                   {"concerned", 1}},
                  {{"male1", 6}, {"male2", 1}, {"female1", 1}, {"female2", 3}},
                  {{"male", 7}, {"female", 4}},
                  "gender",
                  0});
}

static void subesco(void **state) {
  (void)state;
  reads(&(corpus){
      "subesco",
      "Bangla",
      "CC BY 4.0",
      FILES{"F_01_OISHI_S_1_ANGRY_1.wav", "F_01_OISHI_S_10_ANGRY_5.wav", "F_02_MONIKA_S_2_SURPRISE_3].wav",
            "F_02_MONIKA_S_1_NEUTRAL_5.wav", "M_01_BORHAN_S_1_SAD_1.wav", "M_01_BORHAN_S_1_HAPPY_1.wav",
            "M_10_SHUVO_S_9_FEAR_1.wav", "M_10_SHUVO_S_9_DISGUST_2.wav", NULL},
      48000,
      {{"angry", 2}, {"surprised", 1}, {"neutral", 1}, {"sad", 1}, {"happy", 1}, {"fearful", 1}, {"disgust", 1}},
      {{"F_01", 2}, {"F_02", 2}, {"M_01", 2}, {"M_10", 2}},
      {{"female", 4}, {"male", 4}},
      "gender",
      0});
}

/* Who speaks is not in the names: no speaker, but a group for the women, the men and the children. */
static void mesd(void **state) {
  (void)state;
  reads(&(corpus){
      "mesd",
      "Spanish (Mexico)",
      "CC BY 4.0",
      FILES{"Anger_F_A_abajo.wav", "Anger_F_B_ab.wav", "Disgust_M_A_abajo.wav", "Fear_C_A_abajo.wav",
            "Happiness_C_B_acu\xc3\xa9rdate.wav", "Neutral_M_B_mesa_redonda.wav", "Sadness_F_A_abajo.wav", NULL},
      48000,
      {{"angry", 2}, {"disgust", 1}, {"fearful", 1}, {"happy", 1}, {"neutral", 1}, {"sad", 1}},
      {{"nobody", 7}},
      {{"woman", 3}, {"man", 2}, {"child", 2}},
      "voice",
      0});
  am_dataset *d;
  load("mesd", &d);
  assert_int_equal(d->n_groups, 3);
  am_dataset_free(d);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {CASE(nemo), CASE(emodb),   CASE(crema_d), CASE(emozionalmente),
                                     CASE(jl),   CASE(subesco), CASE(mesd)};
  return cmocka_run_group_tests_name("descriptions", tests, NULL, NULL);
}
