/* SPDX-License-Identifier: MIT */
/* base/value.c - the value tree. */
#include "base/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

/* A tree's memory: blocks of 4 KiB or one large piece, freed together. */
typedef struct block {
  struct block *next;
  size_t used, size;
} block;

struct am_tree {
  am_context *ctx;
  block *blocks;
  size_t bytes;
  am_value *root;
  bool stored;
};
enum { BLOCK = 4096, ALIGN = 16 };

am_status am_tree_create(am_context *ctx, am_tree **out, am_error *err) {
  *out = am_alloc(ctx, 1, sizeof **out);
  if (!*out) return am_no_memory(err);
  (*out)->ctx = ctx;
  return AM_OK;
}

void am_tree_free(am_tree *tree) {
  if (!tree) return;
  for (block *b = tree->blocks, *next; b; b = next) {
    next = b->next;
    am_free(tree->ctx, b);
  }
  am_free(tree->ctx, tree);
}

am_context *am_tree_context(const am_tree *tree) { return tree->ctx; }
void am_tree_set_stored(am_tree *tree) { tree->stored = true; }
bool am_tree_stored(const am_tree *tree) { return tree->stored; }
am_value *am_tree_root(am_tree *tree) { return tree->root; }
void am_tree_set_root(am_tree *tree, am_value *root) { tree->root = root; }
size_t am_tree_bytes(const am_tree *tree) { return tree->bytes; }

/* With what a reader needs besides, and what is made of the tree, within the 64 MB and 20 times the size of a file that
 * docs/reliability.md promises. */
size_t am_tree_most(size_t bytes) { return am_add(24 << 20, am_mul(bytes, 8)); }

am_status am_tree_read_file(am_context *ctx, const char *path, size_t most, am_tree_reader *read, am_tree **out,
                            am_error *err) {
  *out = NULL;
  char *text;
  size_t bytes;
  am_tree *tree = NULL;
  am_status status = am_file_read(ctx, path, most, &text, &bytes, err);
  if (status) return status;
  status = am_tree_create(ctx, &tree, err);
  if (!status) status = read(tree, text, bytes, path, &tree->root, err);
  am_free(ctx, text);
  if (status) am_tree_free(tree);
  else *out = tree;
  return status;
}

void *am_tree_take(am_tree *tree, size_t count, size_t bytes) {
  size_t head = (sizeof(block) + ALIGN - 1) / ALIGN * ALIGN;
  size_t size = am_add(am_mul(count, bytes), ALIGN - 1);
  if (size > PTRDIFF_MAX) return NULL;
  size = size / ALIGN * ALIGN;
  block *b = tree->blocks;
  if (!b || b->size - b->used < size) {
    size_t room = size > BLOCK - head ? size : BLOCK - head;
    b = am_alloc(tree->ctx, 1, am_add(head, room));
    if (!b) return NULL;
    b->size = room;
    tree->bytes += head + room;
    b->next = tree->blocks;
    tree->blocks = b;
  }
  char *piece = (char *)b + head + b->used;
  b->used += size;
  return piece;
}

const char *am_tree_string(am_tree *tree, const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = am_tree_take(tree, bytes, 1);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

am_value *am_value_new(am_tree *tree, am_kind kind) {
  am_value *v = am_tree_take(tree, 1, sizeof *v);
  if (v) v->kind = kind;
  return v;
}

am_value *am_value_text(am_tree *tree, const char *text, bool quoted) {
  am_value *v = am_value_new(tree, AM_SCALAR);
  if (!v) return NULL;
  v->quoted = quoted;
  v->text = am_tree_string(tree, text);
  return v->text ? v : NULL;
}

am_value *am_value_int(am_tree *tree, int64_t number) {
  char text[32];
  snprintf(text, sizeof text, "%" PRId64, number);
  return am_value_text(tree, text, false);
}

am_value *am_value_real(am_tree *tree, double number) {
  char text[32];
  am_real_to_text(number, text);
  return am_value_text(tree, text, false);
}

am_value *am_value_bool(am_tree *tree, bool truth) { return am_value_text(tree, truth ? "true" : "false", false); }

/* Keys of a large map by open addressing.  Where it stands in memory is nothing that a file can know, and so no file
 * can choose keys that fall on each other. */
struct am_value_index {
  size_t room; /* a power of two, at least twice the keys */
  am_value *at[];
};
enum { INDEXED = 16 }; /* keys from which on a map has one */

static size_t place_of(const struct am_value_index *index, const char *key, size_t n) {
  size_t i = (size_t)am_hash64((uintptr_t)index, key, n) & (index->room - 1);
  while (index->at[i] && (strncmp(index->at[i]->key, key, n) != 0 || index->at[i]->key[n]))
    i = (i + 1) & (index->room - 1);
  return i;
}

static void enter(struct am_value_index *index, am_value *child) {
  size_t i = place_of(index, child->key, strlen(child->key));
  if (!index->at[i]) index->at[i] = child; /* of equal keys the first is found */
}

/* Enters the last child of a map, with all others where the index is new or has become too small. */
static bool index_last(am_tree *tree, am_value *map) {
  if (map->count < INDEXED) return true;
  if (map->index && 2 * map->count <= map->index->room) {
    enter(map->index, map->last);
    return true;
  }
  size_t room = map->index ? 2 * map->index->room : 4 * INDEXED;
  while (room < 2 * map->count) room *= 2; /* a child was taken out, and the index with it */
  struct am_value_index *index = am_tree_take(tree, 1, am_add(sizeof *index, am_mul(room, sizeof *index->at)));
  if (!index) return false;
  index->room = room;
  map->index = index;
  for (am_value *child = map->first; child; child = child->next) enter(index, child);
  return true;
}

static am_status append(am_tree *tree, am_value *parent, am_value *item, am_error *err) {
  item->next = NULL;
  if (parent->last) parent->last->next = item;
  else parent->first = item;
  parent->last = item;
  parent->count++;
  return parent->kind != AM_MAP || index_last(tree, parent) ? AM_OK : am_no_memory(err);
}

am_status am_value_add(am_tree *tree, am_value *parent, const char *key, am_value *item, am_error *err) {
  if (!parent || !item) return am_no_memory(err);
  item->key = NULL;
  if (parent->kind == AM_MAP) {
    item->key = key ? am_tree_string(tree, key) : NULL;
    if (!item->key) return am_no_memory(err);
  }
  return append(tree, parent, item, err);
}

void am_value_remove(am_value *parent, const am_value *child) {
  am_value **at = &parent->first, *before = NULL;
  while (*at != child) {
    before = *at;
    at = &before->next;
  }
  *at = child->next;
  if (parent->last == child) parent->last = before;
  parent->count--;
  parent->index = NULL; /* the next child that is added makes a new one */
}

/* Without its children; the texts are those of `value`. */
static am_value *copy_alone(am_tree *tree, const am_value *value) {
  am_value *copy = am_value_new(tree, value->kind);
  if (!copy) return NULL;
  *copy = *value;
  copy->first = copy->last = copy->next = NULL;
  copy->count = 0;
  copy->index = NULL;
  return copy;
}

am_value *am_value_copy(am_tree *tree, const am_value *value) {
  am_value *copy = copy_alone(tree, value);
  if (!copy) return NULL;
  if (value->source && !(copy->source = am_tree_string(tree, value->source))) return NULL;
  if (value->key && !(copy->key = am_tree_string(tree, value->key))) return NULL;
  if (value->text && !(copy->text = am_tree_string(tree, value->text))) return NULL;
  for (const am_value *child = value->first; child; child = child->next)
    if (am_value_add(tree, copy, child->key, am_value_copy(tree, child), NULL)) return NULL;
  return copy;
}

am_value *am_value_repeat(am_tree *tree, const am_value *value) {
  am_value *copy = copy_alone(tree, value);
  if (!copy) return NULL;
  for (const am_value *child = value->first; child; child = child->next) {
    am_value *repeated = am_value_repeat(tree, child);
    if (!repeated || append(tree, copy, repeated, NULL)) return NULL;
  }
  return copy;
}

/* The child called by the first `n` characters of `name`: a key, or an index of a list. */
static am_value *child_named(const am_value *parent, const char *name, size_t n) {
  if (parent->kind == AM_MAP) {
    if (parent->index && strnlen(name, n) == n) return parent->index->at[place_of(parent->index, name, n)];
    for (am_value *child = parent->first; child; child = child->next)
      if (strlen(child->key) == n && !memcmp(child->key, name, n)) return child;
  }
  if (parent->kind == AM_LIST && n && n < 10 && strspn(name, "0123456789") == n) {
    size_t index = 0;
    for (size_t i = 0; i < n; i++) index = index * 10 + (size_t)(name[i] - '0');
    am_value *child = parent->first;
    while (child && index--) child = child->next;
    return child;
  }
  return NULL;
}

am_value *am_value_get(const am_value *map, const char *key) {
  return map && map->kind == AM_MAP ? child_named(map, key, strlen(key)) : NULL;
}

am_value *am_value_find(const am_value *root, const char *path) {
  const am_value *at = root;
  while (at && *path) {
    size_t n = strcspn(path, ".");
    at = child_named(at, path, n);
    path += n;
    if (*path) path++;
  }
  return (am_value *)at;
}

/* One step of a path that has to exist afterwards: found, or a new null entry of a map. */
static am_status step_into(am_tree *tree, am_value *parent, const char *path, const char *name, size_t n,
                           const char *source, am_value **out, am_error *err) {
  *out = child_named(parent, name, n);
  if (*out) return AM_OK;
  int shown = (int)(name - path + (ptrdiff_t)n), before = name > path ? (int)(name - path - 1) : 0;
  const char *from = source ? source : "setting";
  if (parent->kind == AM_LIST)
    return am_fail(err, AM_E_CONFIG, "%s: %.*s: no such item; \"%.*s\" is a list of %zu, numbered from 0", from, shown,
                   path, before, path, parent->count);
  if (parent->kind == AM_SCALAR)
    return am_fail(err, AM_E_CONFIG, "%s: %.*s: \"%.*s\" is a single value (%s), not a section", from, shown, path,
                   before, path, parent->text);
  parent->kind = AM_MAP; /* a section written without content was null */
  char *key = am_tree_take(tree, n + 1, 1);
  *out = am_value_new(tree, AM_NULL);
  if (!key || !*out) return am_no_memory(err);
  memcpy(key, name, n);
  (*out)->source = source;
  return am_value_add(tree, parent, key, *out, err);
}

am_status am_value_set(am_tree *tree, const char *path, am_value *item, am_error *err) {
  if (!item) return am_no_memory(err);
  if (!tree->root && !(tree->root = am_value_new(tree, AM_MAP))) return am_no_memory(err);
  am_value *at = tree->root;
  for (const char *name = path;;) {
    size_t n = strcspn(name, ".");
    if (!n)
      return am_fail(err, AM_E_CONFIG, "%s: \"%s\" is no dotted path such as train.epochs",
                     item->source ? item->source : "setting", path);
    am_status status = step_into(tree, at, path, name, n, item->source, &at, err);
    if (status) return status;
    name += n;
    if (!*name) break;
    name++;
  }
  am_value old = *at;
  *at = *item;
  at->key = old.key;
  at->key_line = item->line;
  at->key_column = item->column;
  at->next = old.next;
  return AM_OK;
}

bool am_value_equal(const am_value *a, const am_value *b) {
  if (!a || !b) return a == b;
  if (a->kind != b->kind || a->count != b->count) return false;
  if (a->kind == AM_SCALAR) return !strcmp(a->text, b->text);
  const am_value *x = a->first, *y = b->first;
  for (; x && y; x = x->next, y = y->next) {
    /* Maps are equal in any order; lists are not. */
    const am_value *other = a->kind == AM_MAP ? am_value_get(b, x->key) : y;
    if (!am_value_equal(x, other)) return false;
  }
  return true;
}

static am_status fail_place(am_error *err, const char *source, int line, int column, const char *format, va_list args) {
  char text[sizeof err->message];
  vsnprintf(text, sizeof text, format, args);
  if (line) return am_fail(err, AM_E_CONFIG, "%s:%d:%d: %s", source ? source : "config", line, column, text);
  if (source) return am_fail(err, AM_E_CONFIG, "%s: %s", source, text);
  return am_fail(err, AM_E_CONFIG, "%s", text);
}

am_status(am_fail_at)(am_error *err, const am_value *at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_place(err, at ? at->source : NULL, at ? at->line : 0, at ? at->column : 0, format, args);
  va_end(args);
  return AM_E_CONFIG;
}

am_status(am_fail_at_key)(am_error *err, const am_value *at, const char *format, ...) {
  bool has_key = at && at->key_line;
  va_list args;
  va_start(args, format);
  fail_place(err, at ? at->source : NULL,
             has_key ? at->key_line
             : at    ? at->line
                     : 0,
             has_key ? at->key_column
             : at    ? at->column
                     : 0,
             format, args);
  va_end(args);
  return AM_E_CONFIG;
}

bool am_value_to_bool(const am_value *v, bool *out) {
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
  if (!v || v->kind != AM_SCALAR || v->quoted) return false;
  for (int i = 0; i < 6; i++) {
    if (strcasecmp(v->text, words[i])) continue;
    *out = i % 2;
    return true;
  }
  return false;
}

bool am_value_to_int(const am_value *v, int64_t *out) {
  return v && v->kind == AM_SCALAR && !v->quoted && am_text_to_int(v->text, out);
}

bool am_value_to_real(const am_value *v, double *out) {
  return v && v->kind == AM_SCALAR && !v->quoted && am_text_to_real(v->text, out);
}
