/* SPDX-License-Identifier: MIT */
/* tests/fuzz/labels.c - IEMOCAP's label files: the first byte chooses consensus, its raters, or one rater's file. */
#include "data/corpora/iemocap.h"
#include "fuzz/fuzz.h"

static am_status on_utterance(void *user, const am_iemocap_line *line, am_error *err) {
  (void)user, (void)err;
  size_t n = strnlen(line->utterance, sizeof line->utterance);
  fuzz_require(n < sizeof line->utterance && line->dialogue < n);
  fuzz_require(line->label >= -1 && line->label < AM_IEMOCAP_LABELS);
  fuzz_require(line->speaker == 'F' || line->speaker == 'M');
  fuzz_require(!strchr(line->utterance, '/'));
  for (int i = 0; i < AM_IEMOCAP_LABELS; i++) fuzz_require(line->votes[i] >= 0);
  return AM_OK;
}

static am_status on_strange(void *user, int number, am_error *err) {
  (void)user, (void)err;
  fuzz_require(number > 0);
  return AM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
  if (!bytes) return 0;
  am_context *ctx = fuzz_begin(bytes, true);
  am_error err = AM_ERROR_INIT;
  am_iemocap_reader r = {.ctx = ctx,
                         .file = fuzz_file("labels.txt", data + 1, bytes - 1),
                         .votes = data[0] == 'v',
                         .utterance = on_utterance,
                         .strange = on_strange};
  fuzz_check(data[0] == 'r' ? am_iemocap_read_rater(&r, &err) : am_iemocap_read_consensus(&r, &err), &err);
  fuzz_end();
  return 0;
}
