/* SPDX-License-Identifier: MIT */
/* model/config_places.c - whether two configs are of one run: what may differ says where things are, or how long it takes. */
#include <stdio.h>
#include <string.h>

#include "model/config.h"

/* Settings that may change between the processes of one run; the first ones say only where things are, or how they are kept. */
static const char *const free_keys[] = {
    "data.root",          "data.manifest",        "data.description",  "train.targets",
    "data.memory",        "train.epochs",         "train.max_steps",   "train.save_minutes",
    "train.save_seconds", "train.early_stopping", "train.split_slots", "train.tensorboard"};
enum { FREE_KEYS = sizeof free_keys / sizeof *free_keys, PLACES = 5 };

/* Whether a setting is one of the first `n`. */
static bool may_change(const char *section, const char *key, size_t n) {
  char path[256];
  snprintf(path, sizeof path, "%s.%s", section, key);
  for (size_t i = 0; i < n; i++)
    if (!strcmp(path, free_keys[i])) return true;
  return false;
}

/* Of several corpora each has places of its own. */
static const char *const item_places[] = {"root", "manifest", "description"};
enum { ITEM_PLACES = sizeof item_places / sizeof *item_places };

static bool is_item_place(const char *key, size_t n) {
  for (size_t i = 0; i < ITEM_PLACES; i++)
    if (strlen(item_places[i]) == n && !memcmp(item_places[i], key, n)) return true;
  return false;
}

bool am_config_is_place(const char *setting) {
  static const char list[] = "data.corpora.";
  size_t n = strcspn(setting, "=");
  for (size_t i = 0; i < PLACES; i++)
    if (strlen(free_keys[i]) == n && !memcmp(free_keys[i], setting, n)) return true;
  if (strncmp(setting, list, strlen(list)) != 0) return n == strlen("cache") && !strncmp(setting, "cache", n);
  const char *key = setting + strlen(list);
  key += strspn(key, "0123456789");
  return *key == '.' && is_item_place(key + 1, n - (size_t)(key + 1 - setting));
}

/* Maps that agree in all but their places. */
static bool same_item(const am_value *a, const am_value *b) {
  if (a->kind != AM_MAP || b->kind != AM_MAP) return am_value_equal(a, b);
  for (const am_value *v = a->first; v; v = v->next)
    if (!is_item_place(v->key, strlen(v->key)) && !am_value_equal(v, am_value_get(b, v->key))) return false;
  for (const am_value *v = b->first; v; v = v->next)
    if (!is_item_place(v->key, strlen(v->key)) && !am_value_get(a, v->key)) return false;
  return true;
}

static bool same_corpora(const char *section, const am_value *a, const am_value *b) {
  if (strcmp(section, "data") != 0 || strcmp(a->key, "corpora") != 0) return false;
  if (!b || a->kind != AM_LIST || b->kind != AM_LIST || a->count != b->count) return false;
  for (const am_value *x = a->first, *y = b->first; x && y; x = x->next, y = y->next)
    if (!same_item(x, y)) return false;
  return true;
}

static const char *text_of(const am_value *v) {
  return !v ? "nothing" : v->kind == AM_SCALAR ? v->text : v->kind == AM_NULL ? "nothing" : "something else";
}

static am_status compare_section(const char *section, const am_value *saved, const am_value *now, size_t n_free,
                                 am_error *err) {
  if (!saved || saved->kind != AM_MAP) {
    if (am_value_equal(saved, now)) return AM_OK;
    return am_fail(err, AM_E_CONFIG,
                   "%s is %s, the run has %s; to train otherwise, start a new run "
                   "from its weights (option init)",
                   section, text_of(now), text_of(saved));
  }
  for (const am_value *entry = saved->first; entry; entry = entry->next) {
    const am_value *other = am_value_get(now, entry->key);
    if (may_change(section, entry->key, n_free) || am_value_equal(entry, other)) continue;
    if (same_corpora(section, entry, other)) continue;
    return am_fail(err, AM_E_CONFIG,
                   "%s.%s is %s, the run has %s; to train otherwise, start a new run "
                   "from its weights (option init)",
                   section, entry->key, text_of(other), text_of(entry));
  }
  return AM_OK;
}

static am_status compare_settings(const am_config *saved, const am_config *now, size_t n_free, am_error *err) {
  static const char *const sections[] = {"seed", "data", "split", "features", "augment", "model", "train"};
  am_status status = AM_OK;
  for (size_t i = 0; i < sizeof sections / sizeof *sections && !status; i++)
    status = compare_section(sections[i], am_value_get(am_tree_root(saved->effective), sections[i]),
                             am_value_get(am_tree_root(now->effective), sections[i]), n_free, err);
  return status;
}

am_status am_config_check_same_run(const am_config *saved, const am_config *now, am_error *err) {
  return compare_settings(saved, now, FREE_KEYS, err);
}

am_status am_config_check_places(const am_config *saved, const am_config *now, am_error *err) {
  static const char *const texts[] = {"name", "description"};
  am_status status = AM_OK;
  for (size_t i = 0; i < sizeof texts / sizeof *texts && !status; i++)
    status = compare_section(texts[i], am_value_get(am_tree_root(saved->effective), texts[i]),
                             am_value_get(am_tree_root(now->effective), texts[i]), PLACES, err);
  return status ? status : compare_settings(saved, now, PLACES, err);
}
