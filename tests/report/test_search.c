/* SPDX-License-Identifier: MIT */
/* The page of a search over settings: what it says before and after its end, whatever the names; and what is refused. */
#include "testing.h"

#include <sys/stat.h>

#include "base/file.h"
#include "markup.h"
#include "report/report.h"
#include "study/tune.h"

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

/* ---- a search of three trials in two rungs ---- */

#define EVIL "model.layers.0.<script>"

static const char config[] =
    "name: \"a <b>bold</b> search\"\n"
    "seed: 3\n"
    "data: {corpus: manifest, root: no/such/corpus}\n"
    "split: {kind: corpus}\n"
    "features: {kind: mfcc, sample_rate: 8000, n_fft: 256, hop: 128, mels: 20, mfcc: 13, mean_over_time: true}\n"
    "model: {layers: [{dense: {}}]}\n"
    "train: {epochs: 4, monitor: validation_uar}\n";

/* Trial 2 of it goes on to the end; the third fails. %s: the winner and what follows. */
static const char results[] =
    "{\"version\": \"0.1.0\", \"monitor\": \"validation_uar\", \"seed\": 3, \"reduction\": 2, \"rungs\": [2, 4],\n"
    "\"trials\": [\n"
    "{\"trial\": 1, \"folder\": \"trial-001\", \"settings\": {\"" EVIL
    "\": \"it's\", \"train.batch\": \"8\"},\n"
    " \"epochs\": 2, \"best_epoch\": 2, \"values\": [0.25], \"seconds\": 1.5, \"failed\": null},\n"
    "{\"trial\": 2, \"folder\": \"trial-002\", \"settings\": {\"" EVIL
    "\": \"<i>\", \"train.batch\": \"16\"},\n"
    " \"epochs\": %d, \"best_epoch\": 2, \"values\": [%s], \"seconds\": 62, \"failed\": null},\n"
    "{\"trial\": 3, \"folder\": \"trial-003\", \"settings\": {\"" EVIL
    "\": \"no\", \"train.batch\": \"4\"},\n"
    " \"epochs\": 1, \"best_epoch\": 0, \"values\": [null], \"seconds\": 0.5, \"failed\": \"a loss of <nan>\"}],\n"
    "\"winner\": %s}\n";

static const char history[] =
    "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,validation_uar,learning_rate,seconds,"
    "clips_per_second\n"
    "1,1.5,0.25,1,0.5,0.25,0.01,0.5,100\n2,1.25,0.5,1,0.5,0.5,0.001,0.5,100\n";

static const char metrics[] =
    "{\"name\": \"x\", \"epochs\": 4, \"steps\": 8, \"best_epoch\": 2, \"seconds\": 62, \"split_note\": \"a note\",\n"
    "\"speaker_independent\": true, \"transductive\": false, \"synthetic\": true, \"validation\": null, \"test\":\n"
    "{\"n\": 4, \"labels\": [\"calm\", \"sad\"], \"accuracy\": 0.5, \"uar\": 0.5, \"macro_f1\": 0.5, \"loss\": 0.75,\n"
    "\"ece\": 0.1, \"interval\": {\"kind\": \"Wilson\", \"level\": 0.95, \"accuracy\": [0.25, 0.75], \"uar\": [0.25, "
    "null]},\n"
    "\"per_class\": {\"calm\": {\"precision\": null, \"recall\": 1, \"f1\": 0.5, \"support\": 1},\n"
    "\"sad\": {\"precision\": 0.5, \"recall\": 0.25, \"f1\": 0.5, \"support\": 3}},\n"
    "\"confusion\": [[1, 0], [2, 1]], \"split\": \"test\", \"speaker_independent\": true}}\n";

static const char predictions[] =
    "clip,speaker,fold,true,predicted,p_calm,p_sad\n"
    "a.wav,<s1>,,calm,calm,0.75,0.25\nb.wav,s2,,sad,calm,0.6,0.4\nc.wav,s2,,sad,calm,0.9,0.1\nd.wav,s2,,sad,sad,0.3,0."
    "7\n";

static void text_file(const char *folder, const char *name, const char *text) {
  am_test_file(am_test_path(folder, name), text, strlen(text));
}

static void write_results(const char *folder, bool ended) {
  char text[2048];
  snprintf(text, sizeof text, results, ended ? 4 : 2, ended ? "0.5, 0.75" : "0.5", ended ? "2" : "null");
  text_file(folder, "tune.json", text);
}

static void finish(const char *trial) {
  text_file(trial, "config.yaml", config);
  text_file(trial, "metrics.json", metrics);
  text_file(trial, "run.json", "{\"name\": \"x\", \"state\": \"finished\", \"data\": {\"clips\": 4}}");
  text_file(trial, "predictions.csv", predictions);
  text_file(trial, "report.html", "a page");
}

static char *make_search(bool ended) {
  char *folder = am_test_folder();
  text_file(folder, "tune.yaml", config);
  write_results(folder, ended);
  for (int i = 1; i <= 2; i++) { /* the folder of the third is gone */
    char name[16];
    snprintf(name, sizeof name, "trial-%03d", i);
    char *trial = strdup(am_test_path(folder, name));
    assert_int_equal(mkdir(trial, 0777), 0);
    text_file(trial, "history.csv", history);
    if (ended && i == 2) finish(trial);
    free(trial);
  }
  return folder;
}

static void remove_search(char *folder) {
  am_test_folder_remove(folder);
  free(folder);
}

static char *page_of(const char *folder) {
  am_error err = AM_ERROR_INIT;
  char *page;
  size_t bytes;
  am_test_ok(am_report_write(ctx, folder, NULL, &err), &err);
  am_test_ok(am_file_read(ctx, am_test_path(folder, "report.html"), 64 << 20, &page, &bytes, &err), &err);
  assert_true(markup_check(page) > 100);
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

static void a_search_that_has_ended(void **state) {
  (void)state;
  char *folder = make_search(true), *page = page_of(folder);
  assert_says(page, "AudioMood search</title>");
  assert_says(page, "a &lt;b&gt;bold&lt;/b&gt; search");
  assert_says_not(page, "<script");
  assert_says_not(page, "<i>");
  assert_says(page, "Trial 2 has won");
  assert_says(page, "The test part was untouched until the end.");
  assert_says(page, "best of 3 trials, so luck has a part in it");
  assert_says(page, "95&#8239;% interval 25.0 to 75.0");
  assert_says(page,
              "/tune.yaml \\\n  --set &#39;model.layers.0.&lt;script&gt;=&lt;i&gt;&#39; \\\n  --set "
              "&#39;train.batch=16&#39;</pre>");
  assert_says(page, "<a href=\"trial-002/report.html\">2</a>");
  assert_says_not(page, "trial-001/report.html");
  assert_says(page, "<td class=\"state\"><strong>winner</strong></td>");
  assert_says(page, "Trial 3: a loss of &lt;nan&gt;");
  assert_says(page, "<dt>Judged on (test part)</dt><dd>&lt;s1&gt;, s2 (4 clips)</dd>"); /* the corpus is not there */
  assert_says(page, "1 trial is left out, whose folders are not there");
  assert_says(page, "7; 12 if all had gone to the end"); /* epochs */
  assert_says_not(page, "Not finished");
  static const char *const plots[] = {"halving", "setting-1", "setting-2"};
  for (size_t i = 0; i < 3; i++) {
    char name[64];
    snprintf(name, sizeof name, "plots/%s.svg", plots[i]);
    assert_true(am_file_exists(am_test_path(folder, name)));
  }
  for (const char *link = page; (link = strstr(link, "http")); link++) /* nothing is fetched */
    assert_int_equal(strncmp(link, "http://www.w3.org/2000/svg\"", 27), 0);
  am_free(ctx, page);
  text_file(am_test_path(folder, "trial-001"), "metrics.json", metrics);
  page = page_of(folder);
  assert_says(page, "1 other trial has been evaluated on the test part since");
  am_free(ctx, page);
  remove_search(folder);
}

static void a_search_that_has_not(void **state) {
  (void)state;
  char *folder = make_search(false), *page = page_of(folder);
  assert_says(page, "Rung 2 of 2: 0 of its 1 trials have done it.");
  assert_says(page, "No trial has been evaluated on the test part. It goes on with: audiomood tune --resume ");
  assert_says(page, "<td class=\"state\">going on</td>");
  assert_says(page, "<td class=\"state\">left behind</td>");
  assert_says(page, "<td class=\"state\">failed</td>");
  assert_says_not(page, "has won");
  assert_says_not(page, "untouched");
  am_free(ctx, page);
  remove_search(folder);
}

/* In a shell the quotes of a value are its own. */
static void the_command_is_quoted(void **state) {
  (void)state;
  char *folder = make_search(true), text[2048];
  snprintf(text, sizeof text, results, 4, "0.5, 0.75", "1");
  text_file(folder, "tune.json", text);
  char *trial = strdup(am_test_path(folder, "trial-001"));
  finish(trial);
  free(trial);
  char *page = page_of(folder);
  assert_says(page, "=it&#39;\\&#39;&#39;s&#39;");
  am_free(ctx, page);
  remove_search(folder);
}

static void damage(void **state) {
  (void)state;
  static const struct {
    const char *from, *to;
  } bad[] = {{"\"seed\": 3", "\"seed\": 4"},
             {"\"rungs\": [2, 4]", "\"rungs\": [2, 3]"},
             {"\"rungs\": [2, 4]", "\"rungs\": [4, 4]"},
             {"\"rungs\": [2, 4]", "\"rungs\": []"},
             {"\"reduction\": 2", "\"reduction\": 1"},
             {"validation_uar", "validation_loss"},
             {"\"values\": [0.25]", "\"values\": [0.25, 0.5, 0.5]"},
             {"\"values\": [0.25]", "\"values\": [\"x\"]"},
             {"\"values\": [0.25]", "\"values\": 0.25"},
             {"\"epochs\": 2", "\"epochs\": -2"},
             {"\"best_epoch\": 2", "\"best_epoch\": 9"},
             {"\"train.batch\": \"4\"", "\"train.other\": \"4\""},
             {"\"train.batch\": \"4\"", "\"train.batch\": {}"},
             {", \"train.batch\": \"4\"", ""},
             {"\"winner\": 2", "\"winner\": 0"},
             {"\"winner\": 2", "\"winner\": 4"},
             {"\"winner\": 2", "\"winner\": \"me\""},
             {"\"seconds\": 62", "\"seconds\": null"}};
  char *folder = make_search(true);
  am_error err = AM_ERROR_INIT;
  char whole[2048], text[2200];
  snprintf(whole, sizeof whole, results, 4, "0.5, 0.75", "2");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    am_tune *t;
    const char *at = strstr(whole, bad[i].from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, bad[i].to, at + strlen(bad[i].from));
    text_file(folder, "tune.json", text);
    am_test_fails(am_tune_load(ctx, folder, &t, &err), AM_E_FORMAT, &err, "tune.json: is damaged");
    assert_null(t);
  }
  write_results(folder, true);
  assert_int_equal(remove(am_test_path(folder, "trial-002/metrics.json")), 0);
  am_test_fails(am_report_write(ctx, folder, NULL, &err), AM_E_IO, &err, "trial-002/metrics.json");
  assert_int_equal(remove(am_test_path(folder, "tune.yaml")), 0);
  am_test_fails(am_report_write(ctx, folder, NULL, &err), AM_E_IO, &err, "tune.yaml");
  remove_search(folder);
}

/* What is read is written again as it was. */
static void json_comes_back(void **state) {
  (void)state;
  char *folder = make_search(true);
  am_error err = AM_ERROR_INIT;
  am_buffer one = {0}, two = {0};
  am_tune *t;
  am_test_ok(am_tune_load(ctx, folder, &t, &err), &err);
  assert_int_equal(t->winner, 1);
  assert_true(t->trials[1].values[1] == 0.75 && isnan(t->trials[0].values[1]));
  am_test_ok(am_tune_json(t, &one, &err), &err);
  text_file(folder, "tune.json", one.data);
  am_tune_free(t);
  am_test_ok(am_tune_load(ctx, folder, &t, &err), &err);
  am_test_ok(am_tune_json(t, &two, &err), &err);
  assert_string_equal(one.data, two.data);
  size_t order[3];
  am_tune_order(t, order);
  assert_true(order[0] == 1 && order[1] == 0 && order[2] == 2);
  am_tune_free(t);
  am_buffer_free(ctx, &one);
  am_buffer_free(ctx, &two);
  remove_search(folder);
}

/* Whatever allocation fails: a clean error, and no page of half the facts. */
static void memory_may_run_out(void **state) {
  (void)state;
  char *folder = make_search(true);
  for (long n = 1;; n += 1 + n / 8) {
    am_test_memory memory;
    am_context *small = am_test_memory_context(&memory, 1);
    am_test_memory_arm(&memory, n);
    am_error err = AM_ERROR_INIT;
    remove(am_test_path(folder, "report.html"));
    const am_status st = am_report_write(small, folder, NULL, &err);
    const bool fired = am_test_memory_fired(&memory);
    assert_true(am_file_exists(am_test_path(folder, "report.html")) == !st);
    if (st && st != AM_E_NOMEM) fail_msg("allocation %ld: %d, %s", n, (int)st, err.message);
    am_context_free(small);
    assert_int_equal(atomic_load(&memory.alive), 0);
    if (!fired) assert_int_equal(st, AM_OK);
    if (!fired) break;
  }
  remove_search(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_search_that_has_ended), cmocka_unit_test(a_search_that_has_not),
      cmocka_unit_test(the_command_is_quoted),   cmocka_unit_test(damage),
      cmocka_unit_test(json_comes_back),         cmocka_unit_test(memory_may_run_out),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
