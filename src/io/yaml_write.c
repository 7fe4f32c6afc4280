/* SPDX-License-Identifier: MIT */
/* io/yaml_write.c - a value tree as block YAML. */
#include <string.h>

#include "base/utf8.h"
#include "io/yaml.h"

typedef struct writer {
  am_context *ctx;
  am_buffer *out;
} writer;

static void put(writer *w, const char *text) { am_buffer_append(w->ctx, w->out, text, strlen(text)); }

static void put_indent(writer *w, int indent) { am_buffer_printf(w->ctx, w->out, "%*s", indent, ""); }

/* Would a reader take this text for something else than text? */
static bool looks_special(const char *text) {
  am_value v = {.kind = AM_SCALAR, .text = text};
  bool truth;
  double number;
  return am_value_to_bool(&v, &truth) || am_text_to_real(text, &number) || !strcmp(text, "<<") || !strcmp(text, "y") ||
         !strcmp(text, "n");
}

/* Characters with which nothing can go wrong outside quotes, inside brackets too. */
static bool plain_safe(const char *text) {
  static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-()=^$; ";
  size_t n = strlen(text);
  if (!n || strspn(text, safe) != n || text[n - 1] == ' ') return false;
  if (!strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL")) return false;
  if (!strcmp(text, "---") || !strcmp(text, "...")) return false;
  return *text != ' ' && *text != '=' && !(*text == '-' && (text[1] == ' ' || text[1] == '-' || !text[1]));
}

static void put_quoted(writer *w, const char *text) {
  put(w, "\"");
  while (*text) {
    size_t n = am_utf8_length(text);
    unsigned char c = (unsigned char)*text;
    if (!n) put(w, "\\uFFFD"); /* YAML cannot hold other bytes */
    else if (c == '"' || c == '\\') am_buffer_printf(w->ctx, w->out, "\\%c", c);
    else if (c == '\n') put(w, "\\n");
    else if (c == '\t') put(w, "\\t");
    else if (c < 0x20 || c == 0x7f) am_buffer_printf(w->ctx, w->out, "\\x%02X", c);
    else if (c == 0xc2 || c == 0xe2 || c == 0xef) { /* hides NEL, line separators, the byte order mark */
      uint32_t code = n == 2 ? (c & 0x1fu) << 6 | (text[1] & 0x3f)
                             : (c & 0xfu) << 12 | (uint32_t)(text[1] & 0x3f) << 6 | (text[2] & 0x3f);
      am_buffer_printf(w->ctx, w->out, "\\u%04X", (unsigned)code);
    } else am_buffer_append(w->ctx, w->out, text, n);
    text += n ? n : 1;
  }
  put(w, "\"");
}

static void put_scalar(writer *w, const char *text, bool quoted) {
  if (plain_safe(text) && !(quoted && looks_special(text))) put(w, text);
  else put_quoted(w, text);
}

static bool only_scalars(const am_value *list) {
  for (const am_value *item = list->first; item; item = item->next)
    if (item->kind != AM_SCALAR && item->kind != AM_NULL) return false;
  return true;
}

/* Written after "key:" or "-" in the same line. */
static bool is_inline(const am_value *v) {
  return v->kind == AM_NULL || v->kind == AM_SCALAR || !v->count || (v->kind == AM_LIST && only_scalars(v));
}

static void put_inline(writer *w, const am_value *v) {
  if (v->kind == AM_NULL) put(w, "null");
  else if (v->kind == AM_SCALAR) put_scalar(w, v->text, v->quoted);
  else if (v->kind == AM_MAP) put(w, "{}");
  else {
    put(w, "[");
    for (const am_value *item = v->first; item; item = item->next) {
      put_inline(w, item);
      if (item->next) put(w, ", ");
    }
    put(w, "]");
  }
}

/* `continued`: the first line is already indented, after a dash. */
static void put_block(writer *w, const am_value *v, int indent, bool continued) {
  for (const am_value *item = v->first; item; item = item->next) {
    if (!continued) put_indent(w, indent);
    continued = false;
    if (v->kind == AM_MAP) {
      put_scalar(w, item->key, true);
      put(w, ":");
    } else {
      put(w, "-");
    }
    if (is_inline(item)) {
      put(w, " ");
      put_inline(w, item);
      put(w, "\n");
    } else if (v->kind == AM_LIST && item->kind == AM_MAP) {
      put(w, " ");
      put_block(w, item, indent + 2, true);
    } else {
      put(w, "\n");
      put_block(w, item, indent + 2, false);
    }
  }
}

void am_yaml_write(am_context *ctx, const am_value *root, am_buffer *out) {
  writer w = {ctx, out};
  if (!is_inline(root)) {
    put_block(&w, root, 0, false);
    return;
  }
  put_inline(&w, root);
  put(&w, "\n");
}
