/* SPDX-License-Identifier: MIT */
/* exchange/keras_read_keys.c - the keys of a Keras layer.
 *
 * Each is carried over, or must have the one value that our layer stands for, or does not touch what the layer
 * computes; anything else is refused by name.  A key of a Keras newer than this list is taken for an option that is off
 * where it is null or false, as Keras writes such options. */
#include <string.h>

#include "exchange/keras_read.h"

/* Keys that do not touch what a layer computes once it is trained. */
static const char without_effect[] =
    "name|trainable|batch_input_shape|batch_shape|seed|implementation|unroll|unit_forget_bias|kernel_initializer|"
    "bias_initializer|recurrent_initializer|beta_initializer|gamma_initializer|moving_mean_initializer|"
    "moving_variance_initializer|input_dim|input_length|use_cudnn|zero_output_for_mask|synchronized|renorm_clipping|"
    "renorm_momentum";
/* Keys that act in training only. */
static const char in_training[] =
    "kernel_regularizer|bias_regularizer|recurrent_regularizer|beta_regularizer|gamma_regularizer|activity_regularizer|"
    "kernel_constraint|bias_constraint|recurrent_constraint|beta_constraint|gamma_constraint|dropout|recurrent_dropout";
/* Keys that have but one value here; NULL stands for null. */
static const struct {
  const char *key, *value;
} fixed[] = {{"data_format", "channels_last"},
             {"groups", "1"},
             {"go_backwards", "false"},
             {"stateful", "false"},
             {"time_major", "false"},
             {"return_state", "false"},
             {"keepdims", "false"},
             {"noise_shape", NULL},
             {"max_value", NULL},
             {"threshold", "0"},
             {"ragged", "false"},
             {"sparse", "false"},
             {"optional", "false"},
             {"rms_scaling", "false"},
             {"renorm", "false"},
             {"virtual_batch_size", NULL},
             {"quantization_config", NULL},
             {"normalize", "false"}};

/* ---- values ---- */

char *am_keras_join(am_tree *tree, const char *a, const char *b, const char *c) {
  char *text = am_tree_take(tree, strlen(a) + strlen(b) + strlen(c) + 1, 1);
  return text ? strcat(strcat(strcpy(text, a), b), c) : NULL;
}

const char *am_keras_text(const am_value *v) { return v && v->kind == AM_SCALAR ? v->text : NULL; }

static const char *shown(const am_value *v) {
  if (!v || v->kind == AM_NULL) return "null";
  return v->kind == AM_SCALAR ? v->text : v->kind == AM_LIST ? "a list" : "an object";
}

am_status am_keras_refuse(const am_keras_reader *r, const am_keras_source *s, const char *key, const char *wanted,
                          am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s): option %s is %s; only %s can be imported", r->file, s->name,
                 s->type, key, shown(am_value_get(s->config, key)), wanted);
}

bool am_keras_is(const am_value *v, const char *wanted) {
  double a, b;
  if (!wanted || !v || v->kind != AM_SCALAR) return !wanted && v && v->kind == AM_NULL;
  return !strcmp(v->text, wanted) || (am_value_to_real(v, &a) && am_text_to_real(wanted, &b) && a == b);
}

am_status am_keras_int(const am_keras_reader *r, const am_keras_source *s, const char *key, int64_t *out,
                       am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  if (v && am_value_to_int(v, out) && *out >= 1 && *out <= INT32_MAX) return AM_OK;
  return am_keras_refuse(r, s, key, "a number from 1", err);
}

am_status am_keras_real(const am_keras_reader *r, const am_keras_source *s, const char *key, double fallback,
                        double *out, am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  *out = fallback;
  return !v || am_value_to_real(v, out) ? AM_OK : am_keras_refuse(r, s, key, "a number", err);
}

am_status am_keras_bool(const am_keras_reader *r, const am_keras_source *s, const char *key, bool fallback, bool *out,
                        am_error *err) {
  const am_value *v = am_value_get(s->config, key);
  *out = fallback;
  return !v || am_value_to_bool(v, out) ? AM_OK : am_keras_refuse(r, s, key, "true or false", err);
}

/* ---- keys ---- */

/* "float32", or what Keras 3 wraps around it. What is computed in half precision comes out a little different here. */
static am_status check_dtype(am_keras_reader *r, const am_keras_source *s, const am_value *v, am_error *err) {
  static const char narrow[] = "float16|bfloat16|mixed_float16|mixed_bfloat16";
  const char *name = am_keras_text(v ? v->kind == AM_MAP ? am_value_find(v, "config.name") : v : NULL);
  if (!v || v->kind == AM_NULL || (name && am_choice_index("float32|float64", name) >= 0)) return AM_OK;
  if (!name || am_choice_index(narrow, name) < 0)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%s: layer %s (%s): option dtype is %s; only float16, bfloat16, float32 and float64 can be imported",
                   r->file, s->name, s->type, name ? name : "an object");
  if (!r->narrow)
    am_log(r->ctx, AM_LOG_WARNING,
           "%s: layer %s: made for %s, computed in float32 here; probabilities may differ by some 0.001 from Keras's",
           r->file, s->name, name);
  r->narrow = true;
  return AM_OK;
}

static bool is_set(const am_value *v) {
  double number;
  return v->kind != AM_NULL && !(am_value_to_real(v, &number) && number == 0);
}

/* `over`: the keys that were passed over. */
static am_status check_key(am_keras_reader *r, const am_keras_source *s, const char *options, const am_value *v,
                           am_buffer *over, am_error *err) {
  if (am_choice_index(options, v->key) >= 0) return AM_OK;
  if (!strcmp(v->key, "dtype")) return check_dtype(r, s, v, err);
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    if (strcmp(fixed[i].key, v->key)) continue;
    if (!am_keras_is(v, fixed[i].value))
      return am_keras_refuse(r, s, v->key, fixed[i].value ? fixed[i].value : "null", err);
    am_buffer_printf(r->ctx, over, " %s", v->key);
    return AM_OK;
  }
  bool training = am_choice_index(in_training, v->key) >= 0;
  if (training && is_set(v))
    am_log(r->ctx, AM_LOG_WARNING, "%s: layer %s: %s acts in training only and is left out", r->file, s->name, v->key);
  if (!training && am_choice_index(without_effect, v->key) < 0 && v->kind != AM_NULL && !am_keras_is(v, "false"))
    return am_fail(err, AM_E_UNSUPPORTED, "%s: layer %s (%s) has an option that is not known here: %s", r->file,
                   s->name, s->type, v->key);
  if (strcmp(v->key, "name") != 0) am_buffer_printf(r->ctx, over, " %s", v->key);
  return AM_OK;
}

am_status am_keras_check_keys(am_keras_reader *r, const am_keras_source *s, const char *options, am_error *err) {
  am_buffer over = {0};
  am_status status = AM_OK;
  for (const am_value *v = s->config ? s->config->first : NULL; v && !status; v = v->next)
    status = check_key(r, s, options, v, &over, err);
  if (!status && over.failed) status = am_no_memory(err);
  if (!status && over.used)
    am_log(r->ctx, AM_LOG_DEBUG, "%s: layer %s (%s): passed over, for they change nothing here:%s", r->file, s->name,
           s->type, over.data);
  am_buffer_free(r->ctx, &over);
  return status;
}
