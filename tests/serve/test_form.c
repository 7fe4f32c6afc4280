/* SPDX-License-Identifier: MIT */
/* tests/serve/test_form.c - bodies of forms, settings, and who may ask: what is parsed of what a client sends. */
#include "testing.h"

#include "serve/guard.h"
#include "serve/multipart.h"
#include "serve/settings.h"

static am_status parse(const char *body, am_form *form) {
  am_error err = AM_ERROR_INIT;
  return am_multipart_parse(body, strlen(body), "B", form, &err);
}

static void test_parts(void **state) {
  (void)state;
  am_form form;
  assert_int_equal(
      parse("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\\\x\\\\..\\\\a b.wav\"\r\n"
            "Content-Type: audio/wav\r\n\r\nab\r\n--Bcd\0\r\n--B\r\n"
            "content-disposition: form-data; name=x\r\n\r\n\r\n--B--\r\n",
            &form),
      AM_E_FORMAT); /* "--Bcd" is no boundary line */
  assert_int_equal(
      parse("preamble\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../a b.wav\"\r\n\r\n"
            "a\r\n-B\r\n--B\r\nX: y\r\ncontent-disposition: form-data; name=x\r\n\r\n\r\n--B--\r\nafter",
            &form),
      AM_OK);
  assert_int_equal(form.n, 2);
  const am_form_part *file = am_form_find(&form, "file"), *x = am_form_find(&form, "x");
  assert_string_equal(file->filename, "a b.wav");
  assert_int_equal(file->bytes, 5);
  assert_memory_equal(file->data, "a\r\n-B", 5);
  assert_int_equal(x->bytes, 0);
  assert_string_equal(x->filename, "");
  assert_null(am_form_find(&form, "y"));
}

static void test_broken_parts(void **state) {
  (void)state;
  static const char *const broken[] = {"",
                                       "--B",
                                       "--B\r\n",
                                       "--B\r\n\r\n",
                                       "--C--",
                                       "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--",
                                       "--B\r\nContent-Disposition: form-data; name=\"x\r\n\r\nx\r\n--B--",
                                       "--B\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n--B",
                                       "--B\r\nContent-Disposition: form-data; name=x\r\n\r\nx",
                                       "--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--"};
  am_form form;
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    print_message("# %s\n", broken[i][0] ? "a broken body" : "no body");
    assert_int_equal(parse(broken[i], &form), AM_E_FORMAT);
  }
  assert_int_equal(parse("--B--", &form), AM_OK); /* a form without fields */
  assert_int_equal(form.n, 0);
}

static void test_boundary(void **state) {
  (void)state;
  char b[AM_BOUNDARY];
  assert_true(am_multipart_boundary("multipart/form-data; boundary=abc", b));
  assert_string_equal(b, "abc");
  assert_true(am_multipart_boundary("Multipart/Form-Data; charset=x ; Boundary=\"a b\"", b));
  assert_string_equal(b, "a b");
  assert_false(am_multipart_boundary("multipart/form-data", b));
  assert_false(am_multipart_boundary("multipart/form-data; boundary=", b));
  assert_false(am_multipart_boundary("multipart/form-data; boundary=\"a", b));
  assert_false(am_multipart_boundary("multipart/form-datax; boundary=a", b));
  assert_false(am_multipart_boundary("text/plain; boundary=a", b));
  char text[200] = "multipart/form-data; boundary=";
  memset(text + strlen(text), 'a', 71);
  assert_false(am_multipart_boundary(text, b));
  text[strlen(text) - 1] = '\0';
  assert_true(am_multipart_boundary(text, b));
  assert_int_equal(strlen(b), 70);
}

static void test_settings(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_hear_settings s;
  am_error err = AM_ERROR_INIT;
  assert_int_equal(am_hear_settings_read(ctx, "{}", 2, &s, &err), AM_OK);
  assert_true(s.rate == 16000 && s.window == 3 && s.hop == 1 && s.threshold == -1 && s.measurements &&
              s.vad == AM_VAD_USUAL);
  const char *text = "{\"rate\": 48000, \"vad\": \"none\", \"hop\": 0.5, \"measurements\": false}";
  assert_int_equal(am_hear_settings_read(ctx, text, strlen(text), &s, &err), AM_OK);
  assert_true(s.rate == 48000 && s.hop == 0.5 && !s.measurements && s.vad == AM_VAD_NONE);
  static const char *const wrong[] = {"",
                                      "[]",
                                      "7",
                                      "{\"rate\": 1}",
                                      "{\"rate\": \"x\"}",
                                      "{\"rat\": 16000}",
                                      "{\"hop\": 5}",
                                      "{\"learn_voice\": true, \"vad\": \"none\"}",
                                      "{\"rate\": 8000, \"rate\": 8000}",
                                      "{} {}"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    am_error why = AM_ERROR_INIT;
    assert_int_not_equal(am_hear_settings_read(ctx, wrong[i], strlen(wrong[i]), &s, &why), AM_OK);
    assert_true(why.message[0] != '\0');
  }
  const am_hear_field fields[] = {{"threshold", "0.5"}, {"learn_voice", "true"}};
  assert_int_equal(am_hear_settings_of(ctx, fields, 2, &s, &err), AM_OK);
  assert_true(s.threshold == 0.5 && s.learn_voice);
  const am_hear_field twice[] = {{"hop", "1"}, {"hop", "1"}};
  assert_int_not_equal(am_hear_settings_of(ctx, twice, 2, &s, &err), AM_OK);
  am_context_free(ctx);
}

static void test_guard(void **state) {
  (void)state;
  static const char *const names[] = {"mood.example"};
  static const char *const known[] = {"localhost", "LOCALHOST:8080",   "127.0.0.1:1", "10.1.2.3",
                                      "[::1]:80",  "mood.example:443", "own"};
  static const char *const strange[] = {
      "", "evil.example", "localhost.evil.example", "localhost:x", "localhost:", "[::1", "[::1]x", ":80", "1.2.3"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) assert_true(am_guard_host(known[i], "own", names, 1));
  for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
    assert_false(am_guard_host(strange[i], "own", names, 1));
  assert_true(am_guard_origin("http://localhost:8080", "localhost:8080"));
  assert_true(am_guard_origin("https://Mood.example", "mood.example"));
  assert_false(am_guard_origin("http://localhost", "localhost:8080"));
  assert_false(am_guard_origin("null", "localhost"));
  assert_false(am_guard_origin("http://evil.example", "localhost"));
  assert_false(am_guard_origin("file://localhost", "localhost"));
  assert_true(am_guard_loopback("127.9.9.9") && am_guard_loopback("::1"));
  assert_false(am_guard_loopback("0.0.0.0") || am_guard_loopback("192.168.1.1") || am_guard_loopback("x"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts), cmocka_unit_test(test_broken_parts),
                                     cmocka_unit_test(test_boundary), cmocka_unit_test(test_settings),
                                     cmocka_unit_test(test_guard)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
