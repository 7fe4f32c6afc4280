/* SPDX-License-Identifier: MIT */
/* tests/serve/schema.c - see schema.h. */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const am_value *map, const char *key) {
  const am_value *v = am_value_get(map, key);
  return v && v->kind == AM_SCALAR ? v->text : NULL;
}

const am_value *schema_follow(const schema *s, const am_value *at) {
  const char *to = text_of(at, "$ref");
  if (!to) return at;
  const am_value *v = s->root;
  char name[128];
  for (to += strspn(to, "#"); *to == '/' && v;) {
    const size_t n = strcspn(++to, "/");
    snprintf(name, sizeof name, "%.*s", (int)n, to);
    v = am_value_get(v, name);
    to += n;
  }
  return v ? schema_follow(s, v) : NULL;
}

static bool fault(schema *s, const char *where, const char *what) {
  if (!*s->why) snprintf(s->why, sizeof s->why, "%s: %s", where, what);
  return false;
}

static bool is_of(const am_value *v, const char *type) {
  double real;
  int64_t whole;
  bool truth;
  if (!strcmp(type, "object")) return v->kind == AM_MAP;
  if (!strcmp(type, "array")) return v->kind == AM_LIST;
  if (!strcmp(type, "null")) return v->kind == AM_NULL;
  if (v->kind != AM_SCALAR) return false;
  if (!strcmp(type, "string")) return v->quoted;
  if (v->quoted) return false;
  if (!strcmp(type, "number")) return am_value_to_real(v, &real);
  if (!strcmp(type, "integer")) return am_value_to_int(v, &whole);
  return !strcmp(type, "boolean") && am_value_to_bool(v, &truth);
}

static bool has_type(const am_value *is, const am_value *v) {
  const am_value *type = am_value_get(is, "type");
  if (!type) return true;
  if (type->kind == AM_SCALAR) return is_of(v, type->text);
  for (const am_value *t = type->first; t; t = t->next)
    if (is_of(v, t->text)) return true;
  return false;
}

static bool in_bounds(const am_value *is, const am_value *v) {
  const am_value *low = am_value_get(is, "minimum"), *high = am_value_get(is, "maximum");
  double x, bound;
  if (v->kind != AM_SCALAR || !am_value_to_real(v, &x)) return true;
  return !((low && am_value_to_real(low, &bound) && x < bound) ||
           (high && am_value_to_real(high, &bound) && x > bound));
}

static bool is_listed(const am_value *is, const am_value *v) {
  const am_value *all = am_value_get(is, "enum");
  const char *one = text_of(is, "const");
  if (one) return v->kind == AM_SCALAR && !strcmp(v->text, one);
  for (const am_value *e = all ? all->first : NULL; e; e = e->next)
    if (v->kind == AM_SCALAR && !strcmp(v->text, e->text)) return true;
  return !all;
}

static void see(schema *s, const am_value *property) {
  s->seen = realloc((void *)s->seen, (s->n_seen + 1) * sizeof *s->seen);
  s->seen[s->n_seen++] = property;
}

static bool members_hold(schema *s, const am_value *is, const am_value *v, const char *where) {
  const am_value *properties = am_value_get(is, "properties"), *others = am_value_get(is, "additionalProperties");
  const am_value *required = am_value_get(is, "required");
  char below[300];
  for (const am_value *r = required ? required->first : NULL; r; r = r->next)
    if (!am_value_get(v, r->text)) return fault(s, where, r->text), fault(s, where, "is missing");
  for (const am_value *m = v->first; m; m = m->next) {
    const am_value *one = am_value_get(properties, m->key);
    snprintf(below, sizeof below, "%s.%s", where, m->key);
    if (one) see(s, one);
    if (!one && others && others->kind == AM_MAP) one = others;
    if (!one && others) return fault(s, below, "is not described");
    if (one && !schema_holds(s, one, m, below)) return false;
  }
  return true;
}

/* One of several, and no more. */
static bool one_holds(schema *s, const am_value *of, const am_value *v, const char *where) {
  int n = 0;
  char why[sizeof s->why];
  for (const am_value *one = of->first; one; one = one->next) {
    memcpy(why, s->why, sizeof why);
    if (schema_holds(s, one, v, where)) n++;
    memcpy(s->why, why, sizeof why);
  }
  return n == 1 || fault(s, where, "is not exactly one of those described");
}

bool schema_holds(schema *s, const am_value *is, const am_value *v, const char *where) {
  is = schema_follow(s, is);
  if (!is) return fault(s, where, "a $ref leads nowhere");
  if (am_value_get(is, "oneOf")) return one_holds(s, am_value_get(is, "oneOf"), v, where);
  if (!has_type(is, v)) return fault(s, where, "is of another type");
  if (!in_bounds(is, v)) return fault(s, where, "is out of its bounds");
  if (!is_listed(is, v)) return fault(s, where, "is none of what is listed");
  const am_value *items = am_value_get(is, "items");
  for (const am_value *i = items && v->kind == AM_LIST ? v->first : NULL; i; i = i->next)
    if (!schema_holds(s, items, i, where)) return false;
  return v->kind != AM_MAP || members_hold(s, is, v, where);
}

size_t schema_unseen(const schema *s, const am_value *at, const char *where) {
  size_t n = 0;
  char below[300];
  if (!at || (at->kind != AM_MAP && at->kind != AM_LIST)) return 0;
  const am_value *properties = at->kind == AM_MAP ? am_value_get(at, "properties") : NULL;
  for (const am_value *p = properties && properties->kind == AM_MAP ? properties->first : NULL; p; p = p->next) {
    bool seen = false;
    for (size_t i = 0; i < s->n_seen; i++) seen |= s->seen[i] == p;
    if (!seen) printf("# %s.%s was never met\n", where, p->key);
    n += !seen;
  }
  for (const am_value *c = at->first; c; c = c->next) {
    snprintf(below, sizeof below, "%s%s%s", where, c->key ? "/" : "", c->key ? c->key : "");
    n += schema_unseen(s, c, below);
  }
  return n;
}
