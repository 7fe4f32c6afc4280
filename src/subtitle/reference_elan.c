/* SPDX-License-Identifier: MIT */
/* subtitle/reference_elan.c - annotations of ELAN: slots of time, and what refers to two of them. */
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "subtitle/reference_inside.h"
#include "subtitle/xml.h"

typedef struct slot {
  char *id;
  double seconds; /* negative: not aligned */
} slot;

typedef struct reader {
  am_rttm *to;
  size_t room, slot_room, n_slots;
  slot *slots; /* (n_slots), by id once the first tier begins */
  bool sorted, takes, wanted, inside, valued;
  double start, end;
  am_buffer text;
} reader;

static int by_id(const void *a, const void *b) { return strcmp(((const slot *)a)->id, ((const slot *)b)->id); }

static double slot_of(am_xml *x, const char **a, const char *name) {
  const reader *r = x->user;
  const char *id = am_xml_attribute(a, name);
  const slot key = {.id = (char *)id};
  const slot *found = id && r->n_slots ? bsearch(&key, r->slots, r->n_slots, sizeof key, by_id) : NULL;
  if (!found) am_xml_fail(x, AM_E_FORMAT, "%s is '%.40s', which is no TIME_SLOT before it", name, id ? id : "");
  return found ? found->seconds : -1;
}

static void add_slot(am_xml *x, const char **a) {
  reader *r = x->user;
  const char *id = am_xml_attribute(a, "TIME_SLOT_ID"), *value = am_xml_attribute(a, "TIME_VALUE");
  double ms = -1;
  if (!id || (value && (!am_text_to_real(value, &ms) || !(ms >= 0 && ms < 1e12)))) {
    am_xml_fail(x, AM_E_FORMAT, "a TIME_SLOT without TIME_SLOT_ID, or whose TIME_VALUE is no time in ms");
    return;
  }
  if (am_grow(x->ctx, &r->slots, &r->slot_room, r->n_slots + 1, sizeof *r->slots, x->err)) {
    am_xml_no_memory(x);
    return;
  }
  r->slots[r->n_slots] = (slot){am_strdup(x->ctx, id), ms < 0 ? -1 : ms / 1000};
  if (!r->slots[r->n_slots].id) am_xml_no_memory(x);
  else r->n_slots++;
}

static void open_element(am_xml *x, const char *name, const char **a) {
  reader *r = x->user;
  if (x->depth == 1 && strcmp(name, "ANNOTATION_DOCUMENT"))
    am_xml_fail(x, AM_E_FORMAT, "the document is of <%.40s>; wanted <ANNOTATION_DOCUMENT>, as ELAN has", name);
  else if (!strcmp(name, "TIME_SLOT")) add_slot(x, a);
  if (!strcmp(name, "TIER")) {
    const char *id = am_xml_attribute(a, "TIER_ID");
    if (!r->sorted && r->n_slots) qsort(r->slots, r->n_slots, sizeof *r->slots, by_id);
    r->sorted = true;
    r->takes = !r->wanted || (id && am_reference_tier(id));
  }
  if (!strcmp(name, "ALIGNABLE_ANNOTATION") && r->takes) {
    r->start = slot_of(x, a, "TIME_SLOT_REF1");
    if (!x->status) r->end = slot_of(x, a, "TIME_SLOT_REF2");
    r->inside = true;
    r->text.used = 0;
  }
  r->valued = r->inside && !strcmp(name, "ANNOTATION_VALUE");
}

static void close_element(am_xml *x, const char *name) {
  reader *r = x->user;
  r->valued = false;
  if (strcmp(name, "ALIGNABLE_ANNOTATION") || !r->inside) return;
  r->inside = false;
  if (r->text.failed) am_xml_no_memory(x);
  else if (r->start >= 0 && r->end >= 0 && r->text.used)
    x->status = am_rttm_add(r->to, &r->room, "", r->text.data, r->start, r->end, x->line, x->err);
}

static void take_text(am_xml *x, const char *text, size_t n) {
  reader *r = x->user;
  if (r->valued) am_buffer_append(x->ctx, &r->text, text, n);
}

static am_status pass(am_rttm *to, const char *text, size_t bytes, const char *source, bool wanted, am_error *err) {
  reader r = {.to = to, .wanted = wanted};
  am_xml x = {
      .ctx = to->ctx, .source = source, .open = open_element, .close = close_element, .text = take_text, .user = &r};
  const am_status st = am_xml_parse(&x, text, bytes, err);
  for (size_t i = 0; i < r.n_slots; i++) am_free(to->ctx, r.slots[i].id);
  am_free(to->ctx, r.slots);
  am_buffer_free(to->ctx, &r.text);
  return st;
}

am_status am_reference_elan(am_rttm *to, const char *text, size_t bytes, const char *source, am_error *err) {
  am_status st = pass(to, text, bytes, source, true, err);
  return st || to->n ? st : pass(to, text, bytes, source, false, err);
}
