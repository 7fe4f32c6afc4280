/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_padding.c - padding of convolution and pooling: their own, or that of a ZeroPadding before them. */
#include <string.h>

#include "exchange/keras_read.h"

typedef am_keras_reader reader;
typedef am_keras_source source;

/* [before, after], or one number for both. */
static bool read_ends(const am_value *v, int64_t out[2]) {
  const bool list = v && v->kind == AM_LIST;
  if (list && v->count != 2) return false;
  for (int i = 0; i < 2; i++)
    if (!am_value_to_int(list ? (i ? v->last : v->first) : v, &out[i]) || out[i] < 0 || out[i] > UINT16_MAX)
      return false;
  return true;
}

am_status am_keras_read_zeros(reader *r, const source *s, am_error *err) {
  const am_value *v = am_value_get(s->config, "padding");
  const bool map = strstr(s->type, "2D") != NULL, each = map && v && v->kind == AM_LIST;
  am_status status = am_keras_need_rank(r, s, map ? 3 : 2, err);
  if (status) return status;
  memset(r->zeros, 0, sizeof r->zeros);
  bool good = v && (!each || v->count == 2);
  for (int i = 0; i < (map ? 2 : 1) && good; i++)
    good = read_ends(each ? (i ? v->last : v->first) : v, r->zeros[map && r->turned ? 1 - i : i]);
  if (!good) return am_keras_refuse(r, s, "padding", "numbers from 0 to 65535", err);
  r->padded = s->name;
  am_keras_passes(r, s, false);
  return AM_OK;
}

am_status am_keras_check_padded(const reader *r, const char *type, const char *name, am_error *err) {
  static const char takes[] = "Conv1D|Conv2D|AveragePooling1D|AveragePooling2D|MaxPooling1D|MaxPooling2D";
  if (!r->padded || am_choice_index(takes, type) >= 0) return AM_OK;
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: layer %s (ZeroPadding) is followed by %s (%s); only a convolution or a pooling can take its zeros", r->file,
      r->padded, name, type);
}

static int64_t first_number(const source *s, const char *key) {
  const am_value *v = am_value_get(s->config, key);
  int64_t number = 1;
  am_value_to_int(v && v->kind == AM_LIST ? v->first : v, &number);
  return number;
}

/* Those of the ZeroPadding, which is done with. */
static am_status take_zeros(reader *r, const source *s, am_error *err) {
  const bool conv = !strncmp(s->type, "Conv", 4), max = !strncmp(s->type, "Max", 3),
             map = strstr(s->type, "2D") != NULL;
  const int64_t before = r->zeros[0][0], pad[2] = {before, r->zeros[1][0]};
  const bool even = before == r->zeros[0][1] && pad[1] == r->zeros[1][1];
  if (max && strcmp(r->activation, "relu") != 0)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (ZeroPadding) before %s (%s): zeros change no maximum only behind a relu", r->file,
                   r->padded, s->name, s->type);
  const bool causal = conv && !map && !r->zeros[0][1] &&
                      before == (first_number(s, "kernel_size") - 1) * first_number(s, "dilation_rate");
  if (!even && !causal)
    return am_fail(
        err, AM_E_UNSUPPORTED,
        "%s: layer %s (ZeroPadding) puts %lld before and %lld after; only as much at both ends, or before a Conv1D all "
        "of its window but one, can be imported",
        r->file, r->padded, (long long)(before == r->zeros[0][1] ? pad[1] : before),
        (long long)(before == r->zeros[0][1] ? r->zeros[1][1] : r->zeros[0][1]));
  am_json_text(&r->json, "padding", even ? "explicit" : "causal");
  if (even) am_json_ints(&r->json, "pad", pad, map ? 2 : 1);
  if (!conv && !max) am_json_bool(&r->json, "count_include_pad", true);
  r->padded = NULL;
  return AM_OK;
}

am_status am_keras_padding(reader *r, const source *s, am_error *err) {
  const char *word = am_keras_text(am_value_get(s->config, "padding"));
  const bool causal = !strcmp(s->type, "Conv1D");
  if (!word || (strcmp(word, "valid") && strcmp(word, "same") && !(causal && !strcmp(word, "causal"))))
    return am_keras_refuse(r, s, "padding", causal ? "valid, same or causal" : "valid or same", err);
  if (r->padded && strcmp(word, "valid") != 0)
    return am_keras_refuse(r, s, "padding", "valid, behind a ZeroPadding,", err);
  if (r->padded) return take_zeros(r, s, err);
  am_json_text(&r->json, "padding", word);
  return AM_OK;
}
