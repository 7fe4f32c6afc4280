/* SPDX-License-Identifier: MIT */
/* Pictures: they come out in the asked format and size, whatever the data. */
#include "testing.h"

#include <math.h>

#include "report/plot.h"

static am_context *ctx;

static int setup(void **state) {
  (void)state;
  ctx = am_test_context(1, NULL);
  return ctx ? 0 : -1;
}
static int teardown(void **state) {
  (void)state;
  am_context_free(ctx);
  return 0;
}

/* Width and height from a PNG's header. */
static void png_size(const am_buffer *b, unsigned *width, unsigned *height) {
  assert_true(b->used > 24);
  assert_memory_equal(b->data, "\x89PNG\r\n\x1a\n", 8);
  const unsigned char *p = (const unsigned char *)b->data;
  *width = (unsigned)p[16] << 24 | (unsigned)p[17] << 16 | (unsigned)p[18] << 8 | p[19];
  *height = (unsigned)p[20] << 24 | (unsigned)p[21] << 16 | (unsigned)p[22] << 8 | p[23];
}

static void assert_svg(const am_buffer *b) {
  assert_non_null(strstr(b->data, "<svg"));
  assert_non_null(strstr(b->data, "</svg>"));
}

static void test_curves(void **state) {
  (void)state;
  double x[3] = {1, 2, 3}, y[3] = {0.5, NAN, 0.1}, flat[3] = {2, 2, 2};
  am_curve curves[2] = {{"train", 3, x, y}, {"validation", 3, x, flat}};
  am_plot_style svg = {AM_IMAGE_SVG, 0, 0}, png = {AM_IMAGE_PNG, 400, 200};
  am_buffer a = {0}, b = {0};
  assert_int_equal(am_plot_curves(ctx, &svg, "loss", "epoch", "loss", curves, 2, 2, &a, NULL), AM_OK);
  assert_svg(&a);
  assert_int_equal(am_plot_curves(ctx, &png, "loss", "epoch", "loss", curves, 2, 2, &b, NULL), AM_OK);
  unsigned width, height;
  png_size(&b, &width, &height);
  assert_int_equal(width, 800);
  assert_int_equal(height, 400);
  am_buffer_free(ctx, &a);
  am_buffer_free(ctx, &b);
}

/* One writer for both: a file has its own size, paper and colours, a page's element takes those of the page. */
static void test_file_and_element(void **state) {
  (void)state;
  float x[4] = {0, 1, 2, 3};
  am_plot_style file = {AM_IMAGE_SVG, 0, 0}, page = {AM_IMAGE_INLINE, 0, 0};
  am_buffer a = {0}, b = {0};
  assert_int_equal(am_plot_spectrogram(ctx, &file, "a < b", x, 2, 2, 0.5, NULL, &a, NULL), AM_OK);
  assert_int_equal(am_plot_spectrogram(ctx, &page, "a < b", x, 2, 2, 0.5, NULL, &b, NULL), AM_OK);
  assert_int_equal(strncmp(a.data, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", 53), 0);
  assert_non_null(strstr(a.data, "pt\" font-family=\"sans-serif\">"));
  assert_non_null(strstr(a.data, "fill=\"rgb(255,255,255)\"/>"));
  assert_null(strstr(a.data, "var("));
  assert_non_null(strstr(b.data, "fill=\"var(--ink)\""));
  assert_null(strstr(b.data, "font-family"));
  for (int i = 0; i < 2; i++) {
    assert_non_null(strstr((i ? b : a).data, ">a &lt; b</text>"));
    assert_non_null(strstr((i ? b : a).data, "data:image/png;base64,"));
  }
  am_buffer_free(ctx, &a);
  am_buffer_free(ctx, &b);
}

/* Over epochs ticks are whole numbers, however few there are. */
static void test_whole_ticks(void **state) {
  (void)state;
  double whole[3] = {1, 2, 3}, half[3] = {1, 1.5, 3}, y[3] = {10, 20, 30};
  am_plot_style page = {AM_IMAGE_INLINE, 0, 0};
  for (int i = 0; i < 2; i++) {
    am_curve curve = {"a", 3, i ? half : whole, y};
    am_buffer out = {0};
    assert_int_equal(am_plot_curves(ctx, &page, "", "x", "y", &curve, 1, NAN, &out, NULL), AM_OK);
    assert_int_equal(strstr(out.data, ">2.5</text>") != NULL, i);
    assert_int_equal(strstr(out.data, ">3</text>") != NULL, !i);
    am_buffer_free(ctx, &out);
  }
}

/* A legend stands beside a title that leaves room for it, else below it. */
static void test_legend(void **state) {
  (void)state;
  double x[2] = {1, 2}, y[2] = {10, 20};
  am_curve curves[3] = {{"training", 2, x, y}, {"validation", 2, x, y}, {"val. recall", 2, x, y}};
  am_plot_style page = {AM_IMAGE_INLINE, 0, 0};
  static const char *const titles[3] = {"Loss", "Accuracy and unweighted average recall", ""};
  static const char *const at[3] = {" y=\"21\"", " y=\"37\"", " y=\"13\""};
  for (int i = 0; i < 3; i++) {
    am_buffer out = {0};
    assert_int_equal(am_plot_curves(ctx, &page, titles[i], "x", "y", curves, 3, NAN, &out, NULL), AM_OK);
    char *end = strstr(out.data, ">training</text>"), *found = NULL;
    assert_non_null(end);
    *end = 0;
    found = strrchr(out.data, '<');
    assert_non_null(strstr(found, at[i]));
    am_buffer_free(ctx, &out);
  }
}

/* The numbers of the axis of y end left of the frame, which leaves them room beside the axis's name. */
static void test_long_numbers(void **state) {
  (void)state;
  double x[2] = {1, 2}, small[2] = {0.0001, 0.001}, plain[2] = {10, 20};
  am_plot_style page = {AM_IMAGE_INLINE, 0, 0};
  double ends[2];
  for (int i = 0; i < 2; i++) {
    am_curve curve = {"a", 2, x, i ? small : plain};
    am_buffer out = {0};
    assert_int_equal(am_plot_curves(ctx, &page, "", "x", "y", &curve, 1, NAN, &out, NULL), AM_OK);
    char *end = strstr(out.data, i ? ">0.0010</text>" : ">20</text>");
    assert_non_null(end);
    *end = 0;
    ends[i] = atof(strstr(strrchr(out.data, '<'), " x=\"") + 4);
    am_buffer_free(ctx, &out);
  }
  assert_true(ends[0] == 48);
  assert_true(ends[1] > 52 && ends[1] < 80);
}

/* The model's curve is between the best order and any; marks have their words; no risk is drawn above the frame. */
static void test_risk(void **state) {
  (void)state;
  double risk[1000];
  for (int i = 0; i < 1000; i++) risk[i] = i < 5 ? 1 : 0.3 * (i + 1) / 1000; /* the surest ones are wrong */
  const am_risk_mark marks[2] = {{0.2, 0.06, "left of it", false}, {0.95, 0.28, "right of it", true}};
  am_plot_style page = {AM_IMAGE_INLINE, 360, 330}, png = {AM_IMAGE_PNG, 0, 0};
  am_buffer a = {0}, b = {0};
  assert_int_equal(am_plot_risk(ctx, &page, "", risk, 1000, marks, 2, &a, NULL), AM_OK);
  static const char *const words[] = {">surest first</text>", ">best order</text>",  ">any order</text>",
                                      ">left of it</text>",   ">right of it</text>", "answered, surest first"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) assert_non_null(strstr(a.data, words[i]));
  for (const char *y = a.data; (y = strstr(y, " cy=\"")); y++) assert_true(atof(y + 5) > 0 && atof(y + 5) < 330);
  assert_null(strstr(a.data, "nan"));
  assert_int_equal(am_plot_risk(ctx, &png, "Risk", (const double[]){0}, 1, NULL, 0, &b, NULL), AM_OK);
  unsigned width, height;
  png_size(&b, &width, &height);
  assert_int_equal(width, 840);
  am_buffer_free(ctx, &a);
  assert_int_equal(am_plot_risk(ctx, &page, "", NULL, 0, NULL, 0, &a, NULL), AM_OK);
  am_buffer_free(ctx, &a);
  am_buffer_free(ctx, &b);
}

static void test_no_data(void **state) {
  (void)state;
  double nan = NAN;
  am_curve empty = {"nothing", 0, NULL, NULL}, unknown = {"unknown", 1, &nan, &nan};
  am_plot_style svg = {AM_IMAGE_SVG, 0, 0};
  am_buffer a = {0};
  assert_int_equal(am_plot_curves(ctx, &svg, "none", "x", "y", &empty, 1, NAN, &a, NULL), AM_OK);
  assert_int_equal(am_plot_curves(ctx, &svg, "none", "x", "y", &unknown, 1, NAN, &a, NULL), AM_OK);
  assert_int_equal(am_plot_waveform(ctx, &svg, "none", NULL, 0, 16000, &a, NULL), AM_OK);
  am_error err = AM_ERROR_INIT;
  assert_int_equal(am_plot_spectrogram(ctx, &svg, "none", NULL, 0, 4, 0, NULL, &a, &err), AM_E_SHAPE);
  assert_non_null(strstr(err.message, "0 frames"));
  am_buffer_free(ctx, &a);
}

static void test_confusion(void **state) {
  (void)state;
  const char *labels[3] = {"happy", "a label that is very long", "sad"};
  uint64_t counts[9] = {7, 2, 1, 0, 0, 0, 3, 0, 9};
  am_plot_style svg = {AM_IMAGE_SVG, 0, 0};
  am_buffer a = {0}, empty = {0};
  assert_int_equal(am_plot_confusion(ctx, &svg, "c", labels, 3, counts, &a, NULL), AM_OK);
  assert_svg(&a);
  uint64_t zeros[9] = {0};
  assert_int_equal(am_plot_confusion(ctx, &svg, "c", labels, 3, zeros, &empty, NULL), AM_OK);
  assert_true(empty.used < a.used); /* zero counts are not written */
  am_buffer_free(ctx, &a);
  am_buffer_free(ctx, &empty);
}

/* A mean stands with what it is over: one of three classes has no clip. */
static void test_confusion_says_what_it_is_over(void **state) {
  (void)state;
  const char *labels[3] = {"a", "b", "c"};
  const uint64_t counts[9] = {4, 0, 0, 0, 0, 0, 1, 1, 2}, none[9] = {0};
  am_plot_style page = {AM_IMAGE_INLINE, 0, 0};
  am_buffer out = {0}, empty = {0};
  assert_int_equal(am_plot_confusion(ctx, &page, "", labels, 3, counts, &out, NULL), AM_OK);
  assert_non_null(strstr(out.data, ">UAR 75.0 % over 2 of 3, chance 50.0 %</text>"));
  assert_int_equal(am_plot_confusion(ctx, &page, "", labels, 3, none, &empty, NULL), AM_OK);
  assert_null(strstr(empty.data, "UAR"));
  am_buffer_free(ctx, &out);
  am_buffer_free(ctx, &empty);
}

static void test_sound_pictures(void **state) {
  (void)state;
  float x[5 * 3], samples[1000];
  double hertz[3] = {100, 1000, 8000};
  for (int i = 0; i < 15; i++) x[i] = i == 7 ? NAN : (float)i;
  for (int i = 0; i < 1000; i++) samples[i] = (float)sin(i * 0.1);
  am_plot_style png = {AM_IMAGE_PNG, 0, 0};
  am_buffer a = {0}, b = {0};
  unsigned width, height;
  assert_int_equal(am_plot_spectrogram(ctx, &png, "s", x, 5, 3, 0.5, hertz, &a, NULL), AM_OK);
  png_size(&a, &width, &height);
  assert_int_equal(width, 1120);
  assert_int_equal(am_plot_waveform(ctx, &png, "w", samples, 1000, 8000, &b, NULL), AM_OK);
  png_size(&b, &width, &height);
  assert_int_equal(height, 400);
  am_buffer_free(ctx, &a);
  am_buffer_free(ctx, &b);
}

/* Two below each other: one scale of colours and of time, so a view's picture depends on the other. */
static void test_two_spectrograms(void **state) {
  (void)state;
  float x[4] = {0, 1, 2, 3}, louder[4] = {0, 1, 2, 30};
  am_plot_style png = {AM_IMAGE_PNG, 300, 200}, svg = {AM_IMAGE_SVG, 0, 0};
  am_spectrogram_view views[2] = {{"before", x, 2, 2, 1}, {"after", x, 2, 2, 0.5}};
  am_buffer one = {0}, other = {0}, text = {0};
  unsigned width, height;
  assert_int_equal(am_plot_spectrograms(ctx, &png, views, 2, &one, NULL), AM_OK);
  png_size(&one, &width, &height);
  assert_int_equal(width, 600);
  assert_int_equal(height, 800);
  views[1].x = louder;
  assert_int_equal(am_plot_spectrograms(ctx, &png, views, 2, &other, NULL), AM_OK);
  assert_true(one.used != other.used || memcmp(one.data, other.data, one.used) != 0);
  assert_int_equal(am_plot_spectrograms(ctx, &svg, views, 2, &text, NULL), AM_OK);
  assert_svg(&text);
  am_error err = AM_ERROR_INIT;
  views[1].t = 0;
  assert_int_equal(am_plot_spectrograms(ctx, &png, views, 2, &other, &err), AM_E_SHAPE);
  am_buffer_free(ctx, &one);
  am_buffer_free(ctx, &other);
  am_buffer_free(ctx, &text);
}

static void test_save_fails_cleanly(void **state) {
  (void)state;
  am_buffer picture = {0};
  am_buffer_printf(ctx, &picture, "<svg/>");
  am_error err = AM_ERROR_INIT;
  assert_int_equal(am_plot_save(ctx, "/nonexistent/folder/x.svg", &picture, &err), AM_E_IO);
  assert_non_null(strstr(err.message, "/nonexistent/folder/x.svg"));
  am_buffer_free(ctx, &picture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_curves),
      cmocka_unit_test(test_file_and_element),
      cmocka_unit_test(test_whole_ticks),
      cmocka_unit_test(test_legend),
      cmocka_unit_test(test_long_numbers),
      cmocka_unit_test(test_risk),
      cmocka_unit_test(test_no_data),
      cmocka_unit_test(test_confusion),
      cmocka_unit_test(test_confusion_says_what_it_is_over),
      cmocka_unit_test(test_sound_pictures),
      cmocka_unit_test(test_two_spectrograms),
      cmocka_unit_test(test_save_fails_cleanly),
  };
  return cmocka_run_group_tests_name("report", tests, setup, teardown);
}
