/* SPDX-License-Identifier: MIT */
/* Prints the losses of 20 steps of a net, one a line: the C side of tools/loss-curve.py, which writes the
 * case. */
#include "net.h"

int main(int argc, char **argv) {
  static const float none[1]; /* such a case has no tensors */
  golden_file file = {0};
  am_context *ctx = NULL;
  am_error err = AM_ERROR_INIT;
  if (argc != 2 || !golden_parse(argv[1], none, &file) || file.n != 1) {
    fprintf(stderr, "usage: loss_curve FILE, a net's case as tools/loss-curve.py writes it\n");
    return 2;
  }
  if (am_context_create(NULL, &ctx, &err)) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  curve u;
  curve_create(&u, ctx, file.cases);
  for (int step = 0; step < STEPS; step++) {
    printf("%.9g\n", curve_step(&u, ctx, file.cases));
    fflush(stdout);
  }
  curve_free(&u);
  am_context_free(ctx);
  golden_free(&file);
  return 0;
}
