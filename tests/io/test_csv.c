/* SPDX-License-Identifier: MIT */
/* Tables as text, read and written. */
#include "testing.h"

#include <strings.h>

#include "io/csv.h"

static int begin(void **state) {
  *state = am_test_context(1, NULL);
  return 0;
}

static int end(void **state) {
  am_context_free(*state);
  return 0;
}

static am_csv *parse(am_context *ctx, const char *text, char delimiter) {
  am_csv *csv;
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_csv_read_text(ctx, text, strlen(text), "m.csv", delimiter, &csv, &err), &err);
  return csv;
}

static void tables_are_read(void **state) {
  static const char *const same[] = {"path,label\na.wav,happy\nb.wav,sad\n", "path,label\r\na.wav,happy\r\nb.wav,sad",
                                     "path,label\ra.wav,happy\rb.wav,sad\r",
                                     "\xef\xbb\xbfpath,label\na.wav,happy\n\n\nb.wav,sad\n\n",
                                     "\"path\",\"label\"\n\"a.wav\",happy\nb.wav,\"sad\""};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    am_csv *csv = parse(*state, same[i], 0);
    assert_int_equal(am_csv_rows(csv), 2);
    assert_int_equal(am_csv_columns(csv), 2);
    assert_string_equal(am_csv_name(csv, 1), "label");
    assert_int_equal(am_csv_column(csv, "label"), 1);
    assert_int_equal(am_csv_column(csv, "speaker"), -1);
    assert_string_equal(am_csv_get(csv, 0, 0), "a.wav");
    assert_string_equal(am_csv_get(csv, 1, 1), "sad");
    am_csv_free(csv);
  }
  am_csv_free(NULL);
}

static void quotes_hold_anything(void **state) {
  am_csv *csv = parse(*state, "a,b,c\n\"x, y\",\"two\r\nlines\",\"say \"\"hi\"\"\"\n,\"\", z \n", 0);
  assert_int_equal(am_csv_rows(csv), 2);
  assert_string_equal(am_csv_get(csv, 0, 0), "x, y");
  assert_string_equal(am_csv_get(csv, 0, 1), "two\r\nlines");
  assert_string_equal(am_csv_get(csv, 0, 2), "say \"hi\"");
  assert_string_equal(am_csv_get(csv, 1, 0), "");
  assert_string_equal(am_csv_get(csv, 1, 1), "");
  assert_string_equal(am_csv_get(csv, 1, 2), " z ");
  assert_int_equal(am_csv_line(csv, 0), 2);
  assert_int_equal(am_csv_line(csv, 1), 4);
  am_csv_free(csv);
}

static void other_delimiters(void **state) {
  am_csv *csv = parse(*state, "a;b\n1,5;2\n", ';');
  assert_string_equal(am_csv_get(csv, 0, 0), "1,5");
  am_csv_free(csv);
  char *folder = am_test_folder();
  const char *path = am_test_path(folder, "x.TSV");
  am_error err = AM_ERROR_INIT;
  am_test_file(path, "a\tb\n1,5\t2\n", 10);
  am_test_ok(am_csv_read_file(*state, path, 0, &csv, &err), &err);
  assert_string_equal(am_csv_get(csv, 0, 0), "1,5");
  am_csv_free(csv);
  am_test_fails(am_csv_read_file(*state, am_test_path(folder, "none.csv"), 0, &csv, &err), AM_E_IO, &err, "none.csv");
  am_test_folder_remove(folder);
  free(folder);
}

/* Where the first row has one sign alone that separates columns, it does, whatever the ending promised; Excel's first
 * line says which.  A named separator is taken as it is. */
static void the_separator_is_found(void **state) {
  static const char *const same[] = {"path;label\na,b.wav;happy\n",
                                     "path\tlabel\na,b.wav\thappy\n",
                                     "sep=;\npath;label\na,b.wav;happy\n",
                                     "sep=,\r\npath,label\r\n\"a,b.wav\",happy\r\n",
                                     "\xef\xbb\xbfSEP=\t\npath\tlabel\na,b.wav\thappy\n",
                                     "sep=|\npath|label\na,b.wav|happy\n",
                                     "\n\"path\";label\n\"a,b.wav\";happy\n"};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    am_csv *csv = parse(*state, same[i], 0);
    assert_int_equal(am_csv_rows(csv), 1);
    assert_int_equal(am_csv_column(csv, "label"), 1);
    assert_string_equal(am_csv_get(csv, 0, 0), "a,b.wav");
    assert_int_equal(am_csv_line(csv, 0),
                     strncasecmp(same[i] + 3 * (*same[i] == '\xef'), "sep", 3) && *same[i] != '\n' ? 2 : 3);
    am_csv_free(csv);
  }
  am_csv *csv = parse(*state, "path,a;b\nx,y\n", 0); /* a comma is there */
  assert_string_equal(am_csv_name(csv, 1), "a;b");
  am_csv_free(csv);
  csv = parse(*state, "sep=;\n1\n", ','); /* as it is */
  assert_int_equal(am_csv_column(csv, "sep=;"), 0);
  am_csv_free(csv);
  csv = parse(*state, "sep=ab\n1\n", 0); /* a column of that name */
  assert_int_equal(am_csv_rows(csv), 1);
  am_csv_free(csv);
}

static void mistakes_are_refused_with_their_line(void **state) {
  static const struct {
    const char *text;
    size_t bytes;
    const char *message;
  } cases[] = {{"", 0, "m.csv: empty"},
               {"\n\r\n", 3, "m.csv: empty"},
               {"a,b\n1\n", 6, "m.csv:2: 1 fields, but the header has 2"},
               {"a,b\n\n1,2,3\n", 11, "m.csv:3: 3 fields, but the header has 2"},
               {"# my corpus\na,b\n", 16,
                "m.csv:2: 2 fields, but the header has 1; the first row begins with '#', but comments"},
               {"My corpus\na,b\n", 14, "m.csv:2: 2 fields, but the header has 1; the first row names the columns"},
               {"a,b;c\n1;2;3\n", 12,
                "m.csv:2: 1 fields, but the header has 2; the columns seem to be separated by more than one"},
               {"a\nx\"y\n", 6, "m.csv:2: a quote"},
               {"a\n\"x\"y\n", 7, "m.csv:2: text after a closing quote"},
               {"a\n1\n\"x\ny\nz", 10, "m.csv:3: a quote (\") is opened here and never closed"},
               {"a\n1\n\"x", 6, "m.csv:3: a quote (\") is opened"},
               {"a\nx\0y\n", 6, "m.csv:2: a NUL byte"},
               {"\xef\xbb\xbfpath,label\na.wav,w\xfctend\n", 26, "m.csv:2: not UTF-8; save it as UTF-8"},
               {"a\r\n1\r\n\"\xe9\"", 9, "m.csv:3: not UTF-8"},
               {"a\r1\r\xc3\r", 6, "m.csv:3: not UTF-8"},
               {"a\nx\xc3", 4, "m.csv:2: not UTF-8"},
               {"a\xff\nx\n", 5, "m.csv:1: not UTF-8"},
               {"a,a\n", 4, "two columns are called \"a\""},
               {"\xff\xfe"
                "a\0",
                4, "UTF-16"}};
  am_error err;
  am_csv *csv;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_test_fails(am_csv_read_text(*state, cases[i].text, cases[i].bytes, "m.csv", 0, &csv, &err), AM_E_FORMAT, &err,
                  cases[i].message);
    assert_null(csv);
  }
  enum { COLUMNS = 10001 };
  char wide[COLUMNS + 1];
  memset(wide, ',', COLUMNS - 1); /* so many fields, though they have no names */
  memcpy(wide + COLUMNS - 1, "\n", 2);
  am_test_fails(am_csv_read_text(*state, wide, COLUMNS, "m.csv", 0, &csv, &err), AM_E_FORMAT, &err,
                "m.csv:1: 10001 columns; at most 10000 are read");
  csv = parse(*state, "path,emotion\nx,y\n", 0);
  int column;
  am_test_fails(am_csv_need(csv, "emotoin", &column, &err), AM_E_FORMAT, &err,
                "m.csv:1: no column \"emotoin\"; there are: path, emotion");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_csv_need(csv, "emotion", &column, &err), &err);
  assert_int_equal(column, 1);
  am_test_fails(am_csv_fail(csv, 0, &err, "no label \"%s\"", "y"), AM_E_FORMAT, &err, "m.csv:2: no label \"y\"");
  am_csv_free(csv);
}

static void written_tables_read_back(void **state) {
  am_context *ctx = *state;
  static const char *const cells[] = {"",     "a", "a,b", "say \"x\"", "two\nlines",
                                      "cr\r", ";", "\t",  " lead",     "\xc3\xa4"};
  enum { N = sizeof cells / sizeof *cells };
  for (int columns = 1; columns <= 3; columns++)
    for (int d = 0; d < 3; d++) {
      am_buffer b = {0};
      am_csv_writer w = {.ctx = ctx, .out = &b, .delimiter = ",;\t"[d]};
      for (int c = 0; c < columns; c++) am_csv_put(&w, (const char *[]){"x", "y", "z"}[c]);
      am_csv_end_row(&w);
      for (int r = 0; r < N; r++) {
        for (int c = 0; c < columns; c++) am_csv_put(&w, cells[(r + c) % N]);
        am_csv_end_row(&w);
      }
      assert_false(b.failed);
      am_csv *csv = parse(ctx, b.data, ",;\t"[d]);
      assert_int_equal(am_csv_rows(csv), N);
      for (int r = 0; r < N; r++)
        for (int c = 0; c < columns; c++)
          assert_string_equal(am_csv_get(csv, (size_t)r, (size_t)c), cells[(r + c) % N]);
      am_csv_free(csv);
      am_buffer_free(ctx, &b);
    }
  am_buffer b = {0};
  am_csv_writer w = {.ctx = ctx, .out = &b};
  am_csv_put_int(&w, -5);
  am_csv_put_real(&w, 0.1);
  am_csv_put_real(&w, NAN);
  am_csv_end_row(&w);
  assert_string_equal(b.data, "-5,0.1,\n");
  am_buffer_free(ctx, &b);
}

static void every_failed_allocation_is_survived(void **state) {
  (void)state;
  char text[4096];
  int used = snprintf(text, sizeof text, "a,b\n");
  for (int i = 0; i < 200; i++) used += snprintf(text + used, sizeof text - (size_t)used, "%d,\"x\"\"%d\"\n", i, i);
  char *folder = am_test_folder();
  const char *path = am_test_path(folder, "x.csv");
  am_test_file(path, text, (size_t)used);
  for (long n = 1;; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    am_csv *csv = NULL, *again = NULL;
    am_error err = AM_ERROR_INIT;
    am_status status = am_csv_read_file(ctx, path, 0, &csv, &err);
    if (!status) status = am_csv_read_text(ctx, text, (size_t)used, "t", 0, &again, &err);
    bool fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_csv_free(csv);
    am_csv_free(again);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  am_test_folder_remove(folder);
  free(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(tables_are_read, begin, end),
      cmocka_unit_test_setup_teardown(quotes_hold_anything, begin, end),
      cmocka_unit_test_setup_teardown(other_delimiters, begin, end),
      cmocka_unit_test_setup_teardown(the_separator_is_found, begin, end),
      cmocka_unit_test_setup_teardown(mistakes_are_refused_with_their_line, begin, end),
      cmocka_unit_test_setup_teardown(written_tables_read_back, begin, end),
      cmocka_unit_test(every_failed_allocation_is_survived),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
