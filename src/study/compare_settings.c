/* SPDX-License-Identifier: MIT */
/* study/compare_settings.c - which settings differ between runs. */
#include <string.h>

#include "study/compare.h"

/* "0.1", "[a, b]", "{kind: adam}"; of a list of layers their types, "conv2d, max_pool2d, dense". */
static void write_value(am_context *ctx, const am_value *v, am_buffer *b) {
  if (v->kind == AM_NULL) am_buffer_printf(ctx, b, "none");
  if (v->kind == AM_SCALAR) am_buffer_printf(ctx, b, "%s", *v->text ? v->text : "\"\"");
  if (v->kind != AM_MAP && v->kind != AM_LIST) return;
  bool types = v->kind == AM_LIST && v->first && v->first->kind == AM_MAP && v->first->count == 1;
  am_buffer_printf(ctx, b, "%s", v->kind == AM_MAP ? "{" : types ? "" : "[");
  for (const am_value *item = v->first; item; item = item->next) {
    am_buffer_printf(ctx, b, "%s", item == v->first ? "" : ", ");
    if (v->kind == AM_MAP) am_buffer_printf(ctx, b, "%s: ", item->key);
    if (types && item->kind == AM_MAP && item->count == 1) am_buffer_printf(ctx, b, "%s", item->first->key);
    else write_value(ctx, item, b);
  }
  am_buffer_printf(ctx, b, "%s", v->kind == AM_MAP ? "}" : types ? "" : "]");
}

/* "-" where a run has no such setting. */
static char *text_of(am_context *ctx, const am_value *v) {
  am_buffer b = {0};
  if (v) write_value(ctx, v, &b);
  else am_buffer_printf(ctx, &b, "-");
  char *text = b.failed ? NULL : am_strdup(ctx, b.data);
  am_buffer_free(ctx, &b);
  return text;
}

static am_status add_row(am_settings_table *t, const char *path, const am_value *const *values, am_error *err) {
  am_setting *moved = am_resize(t->ctx, t->at, t->n + 1, sizeof *moved);
  if (!moved) return am_no_memory(err);
  t->at = moved;
  am_setting *row = &t->at[t->n++];
  row->path = am_strdup(t->ctx, path);
  row->text = am_alloc(t->ctx, t->runs, sizeof *row->text);
  if (!row->path || !row->text) return am_no_memory(err);
  for (size_t i = 0; i < t->runs; i++)
    if (!(row->text[i] = text_of(t->ctx, values[i]))) return am_no_memory(err);
  return AM_OK;
}

static bool all_equal(const am_settings_table *t, const am_value *const *values) {
  for (size_t i = 1; i < t->runs; i++)
    if (values[i] != values[0] && (!values[i] || !values[0] || !am_value_equal(values[i], values[0]))) return false;
  return true;
}

static bool all_maps(const am_settings_table *t, const am_value *const *values) {
  for (size_t i = 0; i < t->runs; i++)
    if (!values[i] || values[i]->kind != AM_MAP) return false;
  return true;
}

/* Lists of equally many maps or lists are compared entry by entry; others as a whole. */
static bool all_lists(const am_settings_table *t, const am_value *const *values) {
  for (size_t i = 0; i < t->runs; i++)
    if (!values[i] || values[i]->kind != AM_LIST || !values[i]->count || values[i]->count != values[0]->count)
      return false;
  return values[0]->first->kind != AM_SCALAR;
}

static am_status walk(am_settings_table *t, const char *path, const am_value *const *values, am_error *err);

/* Values of one key, or of one index where key is NULL. */
static am_status walk_child(am_settings_table *t, const char *path, const char *key, size_t index,
                            const am_value *const *values, am_error *err) {
  const am_value **children = am_alloc(t->ctx, t->runs, sizeof *children);
  char *longer =
      key ? am_format(t->ctx, "%s%s%s", path, *path ? "." : "", key) : am_format(t->ctx, "%s.%zu", path, index);
  am_status status = children && longer ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < t->runs && !status; i++) {
    if (key) {
      children[i] = am_value_get(values[i], key);
    } else {
      children[i] = values[i]->first;
      for (size_t k = 0; k < index; k++) children[i] = children[i]->next;
    }
  }
  if (!status) status = walk(t, longer, children, err);
  am_free(t->ctx, longer);
  am_free(t->ctx, children);
  return status;
}

/* A key is dealt with at the first run that has it. */
static bool had_before(const am_value *const *values, size_t run, const char *key) {
  for (size_t i = 0; i < run; i++)
    if (am_value_get(values[i], key)) return true;
  return false;
}

static bool passed_over(const char *path, const char *key) {
  return !*path && (!strcmp(key, "name") || !strcmp(key, "description") || !strcmp(key, "cache"));
}

static am_status walk(am_settings_table *t, const char *path, const am_value *const *values, am_error *err) {
  am_status status = AM_OK;
  if (all_equal(t, values)) return AM_OK;
  if (all_maps(t, values)) {
    for (size_t i = 0; i < t->runs; i++)
      for (const am_value *v = values[i]->first; v && !status; v = v->next)
        if (!passed_over(path, v->key) && !had_before(values, i, v->key))
          status = walk_child(t, path, v->key, 0, values, err);
    return status;
  }
  if (!all_lists(t, values)) return add_row(t, path, values, err);
  for (size_t k = 0; k < values[0]->count && !status; k++) status = walk_child(t, path, NULL, k, values, err);
  return status;
}

am_status am_compare_settings(am_context *ctx, const am_compared *runs, size_t n, am_settings_table *out,
                              am_error *err) {
  *out = (am_settings_table){.ctx = ctx, .runs = n};
  for (size_t i = 0; i < n; i++)
    if (!runs[i].config) return AM_OK;
  const am_value **roots = am_alloc(ctx, n, sizeof *roots);
  am_status status = roots ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) roots[i] = am_tree_root(runs[i].config->effective);
  if (!status) status = walk(out, "", roots, err);
  if (status) am_settings_table_free(out);
  am_free(ctx, roots);
  return status;
}

void am_settings_table_free(am_settings_table *t) {
  for (size_t i = 0; i < t->n; i++) {
    for (size_t k = 0; t->at[i].text && k < t->runs; k++) am_free(t->ctx, t->at[i].text[k]);
    am_free(t->ctx, t->at[i].text);
    am_free(t->ctx, t->at[i].path);
  }
  if (t->ctx) am_free(t->ctx, t->at);
  *t = (am_settings_table){0};
}
