/* SPDX-License-Identifier: MIT */
/* The page of a run, and of a cross-validation: well-formed whatever the names, clear about what is missing or
 * damaged. */
#include "testing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "audiomood/audio.h"
#include "base/file.h"
#include "markup.h"
#include "report/html.h"
#include "report/report.h"

static am_context *ctx;

static int setup(void **state) {
  (void)state;
  ctx = am_test_context(2, NULL);
  return ctx ? 0 : -1;
}
static int teardown(void **state) {
  (void)state;
  am_context_free(ctx);
  return 0;
}

/* ---- a run with names that would break a careless page ---- */

#define EVIL "<script>alert(1)</script>"
#define TRICKY "tr\xc3\xa9s \\\"gai\\\" & 'co'" /* in JSON: très "gai" & 'co' */
#define TRICKY_CSV "tr\xc3\xa9s \"\"gai\"\" & 'co'"

static void text_file(const char *folder, const char *name, const char *text) {
  am_test_file(am_test_path(folder, name), text, strlen(text));
}

static const char config[] =
    "name: \"a <b>bold</b> name & more\"\n"
    "description: '\"quoted\" ]]> <!-- text'\n"
    "data: {corpus: manifest, root: \"%s\"}\n"
    "split: {kind: corpus}\n"
    "features: {kind: mfcc, sample_rate: 8000, n_fft: 256, hop: 128, mels: 20, mfcc: 13,"
    " mean_over_time: true}\n"
    "model: {layers: [{dense: {}}]}\n";

static const char history[] =
    "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,validation_uar,learning_rate,seconds,"
    "clips_per_second\n"
    "1,1.5,0.25,,,,0.01,0.5,100\n2,1.25,0.5,,,,0.001,0.5,100\n";

static const char metrics[] =
    "{\"name\": \"x\", \"epochs\": 2, \"steps\": 8, \"best_epoch\": 2, \"seconds\": 3725,\n"
    "\"split_note\": \"<i>a</i> & b\",\n"
    "\"speaker_independent\": false, \"transductive\": true, \"synthetic\": true,\n"
    "\"validation\": null, \"test\":\n"
    "{\"n\": 4, \"labels\": [\"" EVIL "\", \"" TRICKY
    "\"], \"accuracy\": 0.5,\n"
    "\"uar\": 0.5, \"macro_f1\": 0.5, \"loss\": 0.75, \"ece\": 0.1,\n"
    "\"interval\": {\"kind\": \"Wilson <1927>\", \"level\": 0.95, \"accuracy\": [0.25, 0.75],\n"
    "\"uar\": [0.25, null]},\n"
    "\"per_class\": {\"" EVIL
    "\": {\"precision\": null, \"recall\": 1, \"f1\": 0.5, \"support\": 1},\n"
    "\"" TRICKY
    "\": {\"precision\": 0.5, \"recall\": 0.25, \"f1\": 0.5, \"support\": 3}},\n"
    "\"confusion\": [[1, 0], [2, 1]], \"split\": \"test\", \"speaker_independent\": false}}\n";

static const char facts[] =
    "{\"name\": \"x\", \"state\": \"finished\", \"started\": \"2026-01-02T03:04:05Z\",\n"
    "\"written\": \"2026-01-02T04:04:05Z\",\n"
    "\"version\": \"0.1.0\", \"cpu\": \"<plain>\", \"threads\": 2, \"steps\": 8, \"parameters\": 1234,\n"
    "\"data\": {\"title\": \"Corpus <one>\", \"licence\": \"CC & co\", \"citation\": \"A \\\"B\\\"\",\n"
    "\"synthetic\": true, \"clips\": 4, \"missing\": 0,\n"
    "\"missing_note\": \"\", \"train\": 0, \"validation\": 0, \"test\": 4}}\n";

static const char predictions[] = "clip,speaker,fold,true,predicted,p_" EVIL ",\"p_" TRICKY_CSV
                                  "\"\n"
                                  "\"a/<b>&\"\"x'.wav\",<s1>,," EVIL "," EVIL
                                  ",0.75,0.25\n"
                                  "\"bad \x01 bytes.wav\",\"s\"\"2\",,\"" TRICKY_CSV "\"," EVIL
                                  ",0.6,0.4\n"
                                  "\xe6\x82\xb2\xe3\x81\x97\xe3\x81\x84.wav,\"s\"\"2\",,\"" TRICKY_CSV "\"," EVIL
                                  ",0.9,0.1\n"
                                  "d.wav,,,\"" TRICKY_CSV "\",\"" TRICKY_CSV "\",0.3,0.7\n";

static char *make_run(const char *corpus) {
  char *run = am_test_folder(), text[2048];
  snprintf(text, sizeof text, config, corpus);
  text_file(run, "config.yaml", text);
  text_file(run, "history.csv", history);
  text_file(run, "metrics.json", metrics);
  text_file(run, "run.json", facts);
  text_file(run, "predictions.csv", predictions);
  return run;
}

static void remove_run(char *run) {
  am_test_folder_remove(run);
  free(run);
}

static char *page_of(const char *run) {
  am_error err = AM_ERROR_INIT;
  char *page;
  size_t bytes;
  am_test_ok(am_report_write(ctx, run, NULL, &err), &err);
  am_test_ok(am_file_read(ctx, am_test_path(run, "report.html"), 64 << 20, &page, &bytes, &err), &err);
  assert_int_equal(strlen(page), bytes);
  return page;
}

#define assert_says(page, words) \
  do { \
    if (!strstr(page, words)) fail_msg("%s:%d: the page lacks %s", __FILE__, __LINE__, words); \
  } while (0)
#define assert_says_not(page, words) \
  do { \
    if (strstr(page, words)) fail_msg("%s:%d: the page has %s", __FILE__, __LINE__, words); \
  } while (0)

/* ---- tests ---- */

static void test_escape(void **state) {
  (void)state;
  am_buffer out = {0};
  am_html h = {ctx, &out};
  am_html_text(h, "<&>\"' \xc3\xa9\xf0\x9f\x98\x80 \xff\xc3 \x01\x7f\xc2\x85\xef\xbf\xbf\n");
  assert_string_equal(out.data,
                      "&lt;&amp;&gt;&quot;&#39; \xc3\xa9\xf0\x9f\x98\x80 \xef\xbf\xbd\xef\xbf\xbd "
                      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n");
  am_buffer_free(ctx, &out);
  am_html_element(h, "td class=\"n\"", "<x>");
  assert_string_equal(out.data, "<td class=\"n\">&lt;x&gt;</td>");
  am_buffer_free(ctx, &out);
  am_html_text(h, NULL);
  assert_int_equal(out.used, 0);
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    double number;
    const char *text;
  } cases[] = {{0, "0"},     {1, "1"},      {-1.5, "-1.5"},       {0.05, "0.05"}, {-0.05, "-0.05"},
               {2.999, "3"}, {-0.001, "0"}, {1234.56, "1234.56"}, {NAN, "0"},     {INFINITY, "0"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_buffer out = {0};
    am_html_number((am_html){ctx, &out}, cases[i].number);
    assert_string_equal(out.data, cases[i].text);
    am_buffer_free(ctx, &out);
  }
}

static void test_base64(void **state) { /* RFC 4648, section 10 */
  (void)state;
  static const char *const cases[][2] = {{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (size_t i = 0; i < 4; i++) {
    am_buffer out = {0};
    am_html_base64((am_html){ctx, &out}, cases[i][0], strlen(cases[i][0]));
    assert_string_equal(out.data, cases[i][1]);
    am_buffer_free(ctx, &out);
  }
}

static void test_nasty_names(void **state) {
  (void)state;
  char *run = make_run("no/such/<corpus>"), *page = page_of(run);
  assert_true(markup_check(page) > 100);
  assert_says_not(page, "<script");
  assert_says_not(page, "<b>bold");
  assert_says_not(page, "\xff");
  assert_says_not(page, "\x01");
  assert_says(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
  assert_says(page, "tr\xc3\xa9s &quot;gai&quot; &amp; &#39;co&#39;");
  assert_says(page, "a &lt;b&gt;bold&lt;/b&gt; name &amp; more");
  assert_says(page, "bad \xef\xbf\xbd bytes.wav");
  assert_says(page, "no/such/&lt;corpus&gt;");
  assert_says(page, "&lt;i&gt;a&lt;/i&gt; &amp; b");
  am_free(ctx, page);
  remove_run(run);
}

static void test_what_it_says(void **state) {
  (void)state;
  char *run = make_run("nowhere"), *page = page_of(run);
  assert_says(page, "Synthetic speech.");
  assert_says(page, "Not speaker-independent.");
  assert_says(page, "a single clip of a new one will not do as well");
  assert_says(page, "95&#8239;% interval 25.0 to 75.0");
  assert_says(page, "are left out, because the corpus could not be read");
  assert_says(page, "1 h 02 min");
  assert_says(page, "prefers-color-scheme:dark");
  assert_says(page, "2 of 4 clips were mistaken");
  const char *first = strstr(page, "Most confidently wrong");
  assert_non_null(first);
  const char *surest = strstr(first, "\xe6\x82\xb2"), *next = strstr(first, "bad ");
  assert_true(surest && next && surest < next); /* 0.9 before 0.6 */
  assert_says_not(page, "http-equiv");
  assert_says_not(page, "src=\"");
  for (const char *link = page; (link = strstr(link, "http")); link++) /* nothing is fetched */
    assert_int_equal(strncmp(link, "http://www.w3.org/2000/svg\"", 27), 0);
  static const char *const plots[] = {"loss", "accuracy", "learning-rate", "confusion", "calibration", "risk-coverage"};
  for (size_t i = 0; i < 5; i++) {
    char name[64];
    snprintf(name, sizeof name, "plots/%s.svg", plots[i]);
    assert_true(am_file_exists(am_test_path(run, name)));
  }
  am_free(ctx, page);
  remove_run(run);
}

static void make_corpus(const char *corpus) {
  float samples[8000];
  am_error err = AM_ERROR_INIT;
  for (int i = 0; i < 8000; i++) samples[i] = (float)(0.3 * sin(i * 0.2));
  text_file(corpus, "manifest.csv",
            "path,label,speaker,split\na.wav," EVIL ",s1,train\nb.wav,two,s2,test\nd.wav,two,s2,test\n");
  am_test_ok(am_sound_write(ctx, am_test_path(corpus, "a.wav"), samples, 8000, 8000, true, &err), &err);
  am_test_ok(am_sound_write(ctx, am_test_path(corpus, "b.wav"), samples, 4000, 8000, true, &err), &err);
  am_test_ok(am_sound_write(ctx, am_test_path(corpus, "d.wav"), samples, 4000, 8000, true, &err), &err);
}

static void test_with_sounds(void **state) {
  (void)state;
  char *corpus = am_test_folder();
  make_corpus(corpus);
  char *run = make_run(corpus), *page = page_of(run);
  markup_check(page);
  assert_says(page, "2.00 s in all; a clip 0.50 to 1.00 s, median 0.50 s");
  assert_says(page, "the corpus holds 3 clips now; it held 4 when the run was made");
  assert_says(page, "Log-mel spectrogram of");
  assert_says(page, "data:image/png;base64,iVBORw0KGgo");
  assert_true(am_file_exists(am_test_path(run, "plots/waveform.svg")));
  assert_true(am_file_exists(am_test_path(run, "plots/spectrogram.svg")));
  am_free(ctx, page);
  text_file(corpus, "a.wav", "not a sound");
  text_file(corpus, "d.wav", "not a sound");
  page = page_of(run);
  markup_check(page);
  assert_says(page, "a.wav: is a text file, not a sound");
  assert_says(page, "are left out, because");
  am_free(ctx, page);
  remove_run(run);
  remove_run(corpus);
}

static void test_nothing_held_out(void **state) {
  (void)state;
  char *run = make_run("nowhere");
  text_file(run, "metrics.json", "{\"best_epoch\": 2, \"validation\": null, \"test\": null}");
  unlink(am_test_path(run, "predictions.csv"));
  text_file(run, "history.csv",
            "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,"
            "validation_uar,learning_rate,seconds,clips_per_second\n");
  char *page = page_of(run);
  markup_check(page);
  assert_says(page, "Nothing was held out");
  assert_says(page, "No epoch was finished");
  am_free(ctx, page);
  remove_run(run);
}

/* Clips that are chunks: the figures by utterance stand beside them. */
static void test_utterances(void **state) {
  (void)state;
  char *run = make_run("nowhere"), text[4096];
  const char *at = strstr(metrics, "\"confusion\"");
  snprintf(text, sizeof text,
           "%.*s\"per_utterance\": {\"n\": 2, \"accuracy\": 1, \"uar\": 0.875,"
           " \"macro_f1\": 1, \"loss\": 0.125}, %s",
           (int)(at - metrics), metrics, at);
  text_file(run, "metrics.json", text);
  char *page = page_of(run);
  markup_check(page);
  assert_says(page, "test, whole utterances</th><td class=\"n\">2</td><td class=\"n\">87.5</td>");
  am_free(ctx, page);
  remove_run(run);
}

static void test_other_place(void **state) {
  (void)state;
  char *run = make_run("nowhere");
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_report_write(ctx, run, am_test_path(run, "other.html"), &err), &err);
  assert_true(am_file_exists(am_test_path(run, "other.html")));
  assert_false(am_file_exists(am_test_path(run, "report.html")));
  am_test_fails(am_report_write(ctx, run, "/nonexistent/folder/x.html", &err), AM_E_IO, &err,
                "/nonexistent/folder/x.html");
  remove_run(run);
}

/* Of a process that was killed at the page hours ago; 4194304 is the largest process id of Linux plus one. */
static void test_half_written(void **state) {
  (void)state;
  am_error err = AM_ERROR_INIT;
  static const char *const gone[] = {"plots/accuracy.svg.4194305.audiomood.tmp", "report.html.4194305.audiomood.tmp"};
  char *run = make_run("nowhere");
  am_test_ok(am_folder_create(ctx, am_test_path(run, "plots"), &err), &err);
  const struct timespec then = {.tv_sec = time(NULL) - 7200}, hours_ago[2] = {then, then};
  for (int i = 0; i < 2; i++) {
    am_test_file(am_test_path(run, gone[i]), "half", 4);
    assert_int_equal(utimensat(AT_FDCWD, am_test_path(run, gone[i]), hours_ago, 0), 0);
  }
  /* Young: of a process on another machine, for all we know. */
  am_test_file(am_test_path(run, "log.txt.4194305.audiomood.tmp"), "half", 4);
  am_test_ok(am_report_write(ctx, run, NULL, &err), &err);
  assert_true(am_file_exists(am_test_path(run, "log.txt.4194305.audiomood.tmp")));
  for (int i = 0; i < 2; i++) assert_false(am_file_exists(am_test_path(run, gone[i])));
  remove_run(run);
}

static void test_missing_files(void **state) {
  (void)state;
  static const char *const files[] = {"config.yaml", "history.csv", "metrics.json", "run.json", "predictions.csv"};
  am_error err;
  for (size_t i = 0; i < 5; i++) {
    char *run = make_run("nowhere");
    unlink(am_test_path(run, files[i]));
    am_test_fails(am_report_write(ctx, run, NULL, &err), AM_E_IO, &err, files[i]);
    assert_non_null(strstr(err.message, "--resume"));
    assert_false(am_file_exists(am_test_path(run, "report.html")));
    remove_run(run);
  }
  am_test_fails(am_report_write(ctx, "nowhere/at/all", NULL, &err), AM_E_IO, &err, "nowhere/at/all");
}

/* The file with `from` replaced by `to`. */
static void edited_file(const char *folder, const char *name, const char *whole, const char *from, const char *to) {
  char text[4096];
  const char *at = strstr(whole, from);
  assert_non_null(at);
  snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
  text_file(folder, name, text);
}

/* `run` is removed. */
static void damage_of(char *run, const char *name, const char *whole, const char *from, const char *to,
                      const char *words) {
  am_error err;
  edited_file(run, name, whole, from, to);
  am_test_fails(am_report_write(ctx, run, NULL, &err), AM_E_FORMAT, &err, name);
  if (!strstr(err.message, words)) fail_msg("\"%s\" lacks \"%s\"", err.message, words);
  assert_false(am_file_exists(am_test_path(run, "report.html")));
  remove_run(run);
}

/* Each damage on a fresh run. */
static void damage(const char *name, const char *whole, const char *from, const char *to, const char *words) {
  damage_of(make_run("nowhere"), name, whole, from, to, words);
}

static void test_damage(void **state) {
  (void)state;
  damage("config.yaml", config, "data: {", "dta: {", "did you mean");
  damage("config.yaml", config, "data: {", "data: [", "config.yaml:");
  damage("run.json", facts, "{\"name\"", "{name", "run.json:1");
  damage("run.json", facts, facts, "[]", "wanted a JSON object");
  damage("metrics.json", metrics, "\"epochs\": 2,", "\"epochs\": 2", "metrics.json:1");
  damage("metrics.json", metrics, "\"uar\": 0.5", "\"uar\": \"high\"", "'uar'");
  damage("metrics.json", metrics, "\"macro_f1\": 0.5,", "", "'macro_f1'");
  damage("metrics.json", metrics, "[[1, 0], [2, 1]]", "[[1, 0]]", "2 rows of 2 counts");
  damage("metrics.json", metrics, "[[1, 0], [2, 1]]", "[[1, 0], [2, 1, 0]]", "2 rows of 2 counts");
  damage("metrics.json", metrics, "[[1, 0], [2, 1]]", "[[1, 0], [2, -1]]", "'-1'");
  damage("metrics.json", metrics, "[[1, 0], [2, 1]]", "[[1, 0], [2, 2]]", "counts 5 clips");
  damage("metrics.json", metrics, "\"labels\": [", "\"names\": [", "'labels'");
  damage("metrics.json", metrics, "\"support\": 3", "\"support\": 3.5", "'3.5'");
  damage("history.csv", history, "1.25", "1.25x", "history.csv:3");
  damage("history.csv", history, "train_loss", "loss", "train_loss");
  damage("history.csv", history, "\n2,", "\n0,", "history.csv:3");
  damage("history.csv", history, "0.5,100\n2", "0.5\n2", "history.csv:2");
  damage("predictions.csv", predictions, ",0.75,", ",1.75,", "predictions.csv:2");
  damage("predictions.csv", predictions, ",0.75,", ",,", "wanted a probability");
  damage("predictions.csv", predictions, ",," EVIL, ",,joy", "'joy'");
  damage("predictions.csv", predictions, "p_" EVIL, "p_joy", EVIL);
  damage("predictions.csv", predictions, "d.wav,,,\"" TRICKY_CSV "\",\"" TRICKY_CSV "\",0.3,0.7\n", "", "3 rows");
  damage("predictions.csv", predictions, "d.wav,", "\"d.wav,", "predictions.csv:5");
}

/* ---- a cross-validation: three folds planned, two finished ---- */

#define FOLD(seed, fold, folder, uar) \
  "{\"seed\": " #seed ", \"fold\": " #fold ", \"folder\": \"" folder \
  "\", \"finished\": true, " \
  "\"best_epoch\": 1, \"epochs\": 2, \"seconds\": 90, \"n\": 2, \"accuracy\": 0.5, \"uar\": " #uar \
  ", " \
  "\"macro_f1\": null}"
#define SPREAD(mean, sd) "{\"n\": 2, \"mean\": " #mean ", \"sd\": " #sd "}"

static const char crossval_head[] =
  "{\"name\": \"x\", \"state\": \"running\", \"split_folds\": 4, \"speaker_independent\": true,\n"
  "\"missing_note\": \"7 <clips> are missing\", \"synthetic\": true,\n"
  "\"over_folds\": {\"accuracy\": " SPREAD(0.5, 0) ", \"uar\": " SPREAD(0.475, 0.125) ",\n"
  "\"macro_f1\": " SPREAD(0.25, null) ", \"recall\": {\"" EVIL "\": " SPREAD(0.625, 0.0625) "}},\n"
  "\"runs\": [";
static const char three_folds[] = FOLD(5, 0, "fold-0", 0.35) ",\n" FOLD(5, 1, "fold-1", 0.6) ",\n"
  "{\"seed\": 5, \"fold\": 3, \"folder\": \"fold-3\", \"finished\": false}";

/* The pooled figures are the test part of `metrics`. */
static void crossval_text(const char *runs, char text[4096]) {
  const char *part = strstr(metrics, "{\"n\":") + 1;
  snprintf(text, 4096, "%s%s],\n\"pooled\": {\"transductive\": true, %s", crossval_head, runs, part);
}

static void make_fold(const char *folder, const char *name, const char *written) {
  char *fold = strdup(am_test_path(folder, name));
  assert_int_equal(mkdir(fold, 0777), 0);
  text_file(fold, "history.csv", history);
  edited_file(fold, "run.json", facts, "2026-01-02T04:04:05Z", written);
  free(fold);
}

static char *make_crossval(void) {
  char *folder = am_test_folder(), text[4096];
  edited_file(folder, "crossval.yaml", config, "kind: corpus", "kind: kfold");
  crossval_text(three_folds, text);
  text_file(folder, "crossval.json", text);
  text_file(folder, "predictions.csv", predictions);
  make_fold(folder, "fold-0", "2026-03-04T05:06:07Z");
  make_fold(folder, "fold-1", "2026-03-03T05:06:07Z");
  return folder;
}

static void test_crossval(void **state) {
  (void)state;
  char *folder = make_crossval();
  text_file(am_test_path(folder, "fold-1"), "report.html", "a page");
  char *page = page_of(folder);
  assert_true(markup_check(page) > 100);
  assert_says(page, "AudioMood, a cross-validation");
  assert_says(page, "Synthetic speech.");
  assert_says(page, "<strong>Speaker-independent.</strong>");
  assert_says(page, "Split: folds of whole speakers, 3 of its 4 folds.");
  assert_says(page, "7 &lt;clips&gt; are missing");
  assert_says(page, "a single clip of a new one will not do as well");
  assert_says(page, "2 of 3 runs are; the figures are of these");
  assert_says(page, "<time>2026-03-04 05:06 UTC</time>"); /* the later of the two */
  assert_says(page, "<b>47.5 <small>&#177; 12.5</small>&#8239;%</b><span>pooled 50.0&#8239;%</span>");
  assert_says(page, "95&#8239;% interval 25.0 to 75.0");
  assert_says(page, "<b>25.0&#8239;%</b>"); /* no standard deviation */
  assert_says(page, "<a href=\"fold-1/report.html\">fold 1</a>");
  assert_says_not(page, "<a href=\"fold-0"); /* it has no page */
  assert_says(page,
              "<td class=\"n\">2</td><td class=\"n\">35.0</td><td class=\"n\">50.0</td>"
              "<td class=\"n\">-</td><td class=\"n\">-</td><td class=\"n\">1 of 2</td><td class=\"n\">1 min 30 s</td>");
  assert_says(page, "fold 3</th><td colspan=\"7\" class=\"faint\">not finished");
  assert_says(page, "<td class=\"n\">62.5</td><td class=\"n\">6.2</td>");
  assert_says(page, "best by train loss"); /* nothing was validated */
  assert_says(page, "Loss in training per epoch: fold 0 from 1.5 to 1.25, 1 from 1.5 to 1.25\"");
  assert_says(page, "3 min 00 s"); /* all runs */
  assert_says_not(page, "<script");
  assert_says_not(page, "could not be read");
  static const char *const plots[] = {"training-loss", "training-accuracy", "confusion", "calibration",
                                      "risk-coverage"};
  for (size_t i = 0; i < 4; i++) {
    char name[64];
    snprintf(name, sizeof name, "plots/%s.svg", plots[i]);
    assert_true(am_file_exists(am_test_path(folder, name)));
  }
  am_free(ctx, page);
  edited_file(folder, "crossval.yaml", config, "kind: corpus}\n", "kind: kfold}\ntrain: {monitor: last}\n");
  page = page_of(folder);
  assert_says(page, "those of one epoch, the last one.");
  am_free(ctx, page);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_report_write(ctx, folder, am_test_path(folder, "other.html"), &err), &err);
  size_t bytes;
  am_test_ok(am_file_read(ctx, am_test_path(folder, "other.html"), 64 << 20, &page, &bytes, &err), &err);
  assert_says_not(page, "<a href"); /* from elsewhere the runs' pages are not found */
  am_free(ctx, page);
  remove_run(folder);
}

static void test_crossval_begins(void **state) {
  (void)state;
  char *folder = make_crossval();
  text_file(folder, "crossval.json",
            "{\"runs\": [{\"seed\": 5, \"fold\": 0, \"folder\": \"fold-0\","
            "\"finished\": false}], \"speaker_independent\": true, \"pooled\": null}");
  unlink(am_test_path(folder, "predictions.csv"));
  char *page = page_of(folder);
  markup_check(page);
  assert_says(page, "0 of 1 runs are");
  assert_says_not(page, "Confusion matrix");
  am_free(ctx, page);
  remove_run(folder);
}

/* Folds test speakers in any order; the table has them by name, numbers by their value. */
static void test_crossval_speakers(void **state) {
  (void)state;
  char *folder = make_crossval();
  text_file(folder, "predictions.csv",
            "clip,speaker,fold,true,predicted,p_" EVIL ",\"p_" TRICKY_CSV
            "\"\n"
            "a.wav,s10,0," EVIL "," EVIL ",0.75,0.25\nb.wav,s3,1,\"" TRICKY_CSV "\"," EVIL
            ",0.6,0.4\n"
            "c.wav,s3,1,\"" TRICKY_CSV "\"," EVIL
            ",0.9,0.1\n"
            "d.wav,s2,2,\"" TRICKY_CSV "\",\"" TRICKY_CSV "\",0.3,0.7\n");
  char *page = page_of(folder);
  assert_says(page, "(3 speakers)");
  const char *two = strstr(page, ">s2</th><td class=\"faint\">0</td><td>1</td>");
  const char *three = strstr(page, ">s3</th><td class=\"faint\">0</td><td>2</td>");
  const char *ten = strstr(page, ">s10</th><td>1</td><td class=\"faint\">0</td>");
  assert_true(two && three && ten && two < three && three < ten);
  am_free(ctx, page);
  remove_run(folder);
}

/* Seven folds, two seeds: curves are of the extremes, a clip stands once among the mistakes. */
static void test_many_folds(void **state) {
  (void)state;
  char *folder = make_crossval(), text[2048], json[4096];
  size_t used = 0;
  make_fold(folder, "fold-2", "2026-03-01T05:06:07Z");
  /* of the first seed two folds are finished, of the second one */
  used += (size_t)snprintf(text, sizeof text, "%s,%s", FOLD(5, 0, "fold-0", 0.35), FOLD(5, 1, "fold-1", 0.6));
  for (int i = 2; i < 7; i++)
    used += (size_t)snprintf(text + used, sizeof text - used,
                             ",{\"seed\": 5, \"fold\": %d, \"folder\": \"x\", \"finished\": false}", i);
  snprintf(text + used, sizeof text - used, ",%s", FOLD(6, 1, "fold-2", 0.6));
  crossval_text(text, json);
  text_file(folder, "crossval.json", json);
  text_file(am_test_path(folder, "fold-1"), "history.csv",
            "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,validation_uar,"
            "learning_rate,seconds,clips_per_second\n1,3.5,0.25,1,1,1,0.01,0.5,100\n");
  text_file(folder, "predictions.csv",
            "clip,speaker,fold,seed,true,predicted,p_" EVIL ",\"p_" TRICKY_CSV
            "\"\n"
            "a.wav,s1,1,5," EVIL "," EVIL
            ",0.75,0.25\n"
            "b.wav,s2,1,5,\"" TRICKY_CSV "\"," EVIL
            ",0.6,0.4\n"
            "b.wav,s2,1,6,\"" TRICKY_CSV "\"," EVIL
            ",0.9,0.1\n"
            "c.wav,,1,6,\"" TRICKY_CSV "\",\"" TRICKY_CSV "\",0.3,0.7\n");
  char *page = page_of(folder);
  markup_check(page);
  assert_says(page, "the lowest, the mean, the highest; of a fold the mean over its seeds");
  /* after epoch 1 fold 0 has 1.5, fold 1 (3.5 + 1.5) / 2 */
  assert_says(page, "per epoch: lowest from 1.5 to 1.25, mean from 2 to 1.25, highest from 2.5 to 1.25\"");
  assert_says(page, "2 of 4 clips were mistaken, counted once a seed");
  assert_says(page, "b.wav<small>speaker s2, fold 1, wrong with 2 of 2 seeds</small>");
  assert_says_not(strstr(page, "b.wav<small>") + 1, "b.wav<small>");
  assert_says(page, "2 tested, each of them once a seed"); /* those of the first seed */
  am_free(ctx, page);
  remove_run(folder);
}

static void test_crossval_damage(void **state) {
  (void)state;
  static const char *const files[] = {"crossval.yaml", "crossval.json", "predictions.csv", "fold-1/history.csv",
                                      "fold-0/run.json"};
  am_error err;
  for (size_t i = 0; i < 5; i++) {
    char *folder = make_crossval();
    unlink(am_test_path(folder, files[i]));
    am_test_fails(am_report_write(ctx, folder, NULL, &err), AM_E_IO, &err, files[i]);
    assert_non_null(strstr(err.message, "crossval --resume"));
    assert_false(am_file_exists(am_test_path(folder, "report.html")));
    remove_run(folder);
  }
  char text[4096];
  crossval_text(three_folds, text);
  damage_of(make_crossval(), "crossval.json", text, "\"runs\": [", "\"runs\": 3, \"x\": [", "'runs'");
  damage_of(make_crossval(), "crossval.json", text, "\"fold\": 1", "\"fold\": true", "'runs'");
  damage_of(make_crossval(), "crossval.json", text, "\"fold-1\"", "\"../fold-1\"", "'runs'");
  damage_of(make_crossval(), "crossval.json", text, "\"fold-1\"", "\"javascript:x\"", "'runs'");
  damage_of(make_crossval(), "crossval.json", text, "\"uar\": 0.35", "\"uar\": \"high\"", "'uar'");
  damage_of(make_crossval(), "crossval.json", text, "\"pooled\":", "\"poled\":", "'pooled'");
  damage_of(make_crossval(), "crossval.json", text, "\"n\": 4", "\"n\": 5", "counts 4 clips");
  damage_of(make_crossval(), "predictions.csv", predictions, "d.wav,,,\"" TRICKY_CSV "\",\"" TRICKY_CSV "\",0.3,0.7\n",
            "", "crossval.json counts 4 clips");
  damage_of(make_crossval(), "fold-1/history.csv", history, "1.25", "1.25x", "history.csv:3");
}

/* ---- memory ---- */

/* Whatever allocation fails: a clean error, nothing left behind, no page of half the facts. */
static void starve(const char *run) {
  for (long n = 1;; n += 1 + n / 8) {
    am_test_memory memory;
    am_context *small = am_test_memory_context(&memory, 1);
    am_test_memory_arm(&memory, n);
    am_error err = AM_ERROR_INIT;
    unlink(am_test_path(run, "report.html"));
    am_status st = am_report_write(small, run, NULL, &err);
    bool fired = am_test_memory_fired(&memory);
    if (fired && st) assert_false(am_file_exists(am_test_path(run, "report.html")));
    if (!st) assert_true(am_file_exists(am_test_path(run, "report.html")));
    if (st && st != AM_E_NOMEM) fail_msg("allocation %ld: %d, %s", n, (int)st, err.message);
    am_context_free(small);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) {
      assert_int_equal(st, AM_OK);
      break;
    }
  }
}

static void test_out_of_memory(void **state) {
  (void)state;
  char *corpus = am_test_folder();
  make_corpus(corpus);
  char *run = make_run(corpus), *folder = make_crossval();
  starve(run);
  starve(folder);
  remove_run(run);
  remove_run(folder);
  remove_run(corpus);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_escape),
      cmocka_unit_test(test_numbers),
      cmocka_unit_test(test_base64),
      cmocka_unit_test(test_nasty_names),
      cmocka_unit_test(test_what_it_says),
      cmocka_unit_test(test_with_sounds),
      cmocka_unit_test(test_nothing_held_out),
      cmocka_unit_test(test_other_place),
      cmocka_unit_test(test_missing_files),
      cmocka_unit_test(test_half_written),
      cmocka_unit_test(test_damage),
      cmocka_unit_test(test_utterances),
      cmocka_unit_test(test_crossval),
      cmocka_unit_test(test_crossval_begins),
      cmocka_unit_test(test_many_folds),
      cmocka_unit_test(test_crossval_damage),
      cmocka_unit_test(test_crossval_speakers),
      cmocka_unit_test(test_out_of_memory),
  };
  return cmocka_run_group_tests_name("page", tests, setup, teardown);
}
