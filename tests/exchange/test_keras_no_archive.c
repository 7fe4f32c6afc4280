/* SPDX-License-Identifier: MIT */
/* What import and export say of archives in a build without libzip: this program is one. */
#include "keras_fixture.h"

static void archives_are_refused(void **state) {
  (void)state;
  static const char words[] = "with libzip's headers installed (Debian: libzip-dev), build it again";
  const char *out = in_folder("x.h5"), *golden = am_test_source("tests/exchange/golden/archive_chain.keras");
  am_test_fails(import(golden, out, 0, 5, 6), AM_E_UNSUPPORTED, &err, words);
  assert_false(am_file_exists(out));
  make_checkpoint(in_folder("a.h5"), "flatten, dense", (am_shape){.rank = 2, .t = 6, .f = 1, .c = 5});
  out = in_folder("x.keras");
  am_test_fails(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, out, &err), AM_E_UNSUPPORTED, &err,
                words);
  assert_false(am_file_exists(out));
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &(am_exchange_options){0}, in_folder("y.h5"), &err), &err);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(archives_are_refused)};
  return cmocka_run_group_tests(tests, begin, end);
}
