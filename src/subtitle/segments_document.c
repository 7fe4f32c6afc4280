/* SPDX-License-Identifier: MIT */
/* subtitle/segments_document.c - Praat's TextGrid and ELAN's EAF, which say beforehand how much they hold. */
#include "subtitle/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *tier_of(am_segment_writer *w, const char *dimension) {
  if (!w->channel || !dimension) return am_strdup(w->ctx, dimension ? dimension : w->channel);
  return am_format(w->ctx, "%s: %s", w->channel, dimension);
}

/* `dimension`: NULL, or that of which label is the value. */
static void keep(am_segment_writer *w, const am_segment_row *row, const char *label, const char *dimension,
                 size_t tier) {
  am_error err = AM_ERROR_INIT;
  const bool named = w->channel || dimension;
  am_segment_kept one = {row->start, row->end, am_strdup(w->ctx, label), named ? tier_of(w, dimension) : NULL, tier};
  if (!one.label || (named && !one.channel) ||
      am_grow(w->ctx, &w->kept, &w->room, w->n_kept + 1, sizeof *w->kept, &err)) {
    am_free(w->ctx, one.label);
    am_free(w->ctx, one.channel);
    w->out.failed = true;
    return;
  }
  w->kept[w->n_kept++] = one;
}

void am_segment_keep(am_segment_writer *w, const am_segment_row *row) {
  const bool same =
      w->n_kept && (w->channel == w->last_kept || (w->channel && w->last_kept && !strcmp(w->channel, w->last_kept)));
  if (!same) w->n_channels++;
  w->last_kept = w->channel;
  if (!w->scale) {
    keep(w, row, row->label, NULL, w->n_channels);
    return;
  }
  for (int k = 0; k < w->classes; k++) {
    char value[32];
    if (row->p) snprintf(value, sizeof value, "%.2f", (double)row->p[k]);
    keep(w, row, row->p ? value : row->label, w->labels[k], w->n_channels * (size_t)w->classes + (size_t)k);
  }
}

static int by_tier(const void *a, const void *b) {
  const am_segment_kept *x = a, *y = b;
  if (x->tier != y->tier) return x->tier < y->tier ? -1 : 1;
  return (x->start > y->start) - (x->start < y->start);
}

/* Values come a row of all dimensions at a time, and tiers hold one of them. */
static void gather(am_segment_writer *w) {
  if (w->scale && w->n_kept) qsort(w->kept, w->n_kept, sizeof *w->kept, by_tier);
}

/* Segments of a channel follow each other: the end of those that begin at i. */
static size_t tier_end(const am_segment_writer *w, size_t i) {
  const char *name = w->kept[i].channel;
  while (i < w->n_kept &&
         (name == w->kept[i].channel || (name && w->kept[i].channel && !strcmp(name, w->kept[i].channel))))
    i++;
  return i;
}

static const char *tier_name(const am_segment_writer *w, size_t i) {
  if (i < w->n_kept && w->kept[i].channel) return w->kept[i].channel;
  return w->scale ? w->labels[0] : "emotion";
}

/* ---- TextGrid ---- */

static void quoted(am_segment_writer *w, const char *text) {
  am_buffer_append(w->ctx, &w->out, "\"", 1);
  for (; *text; text++) am_buffer_append(w->ctx, &w->out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
  am_buffer_append(w->ctx, &w->out, "\"", 1);
}

static void interval(am_segment_writer *w, size_t *n, double start, double end, const char *text) {
  am_buffer_printf(w->ctx, &w->out,
                   "        intervals [%zu]:\n            xmin = %.6f\n            xmax = %.6f\n            text = ",
                   ++*n, start, end);
  quoted(w, text);
  am_buffer_append(w->ctx, &w->out, "\n", 1);
}

/* A tier covers all of the sound: what is between segments from `first` to `last` is empty intervals.  How many they are. */
static size_t intervals(am_segment_writer *w, size_t first, size_t last, double seconds, bool write) {
  double at = 0;
  size_t n = 0;
  for (size_t i = first; i <= last; i++) {
    const double start = i < last ? w->kept[i].start : seconds;
    if (start > at + 5e-7) {
      if (write) interval(w, &n, at, start, "");
      else n++;
      at = start;
    }
    if (i == last) break;
    if (write) interval(w, &n, at, w->kept[i].end, w->kept[i].label);
    else n++;
    at = w->kept[i].end;
  }
  return n;
}

void am_segment_textgrid(am_segment_writer *w, double seconds) {
  size_t tiers = 0, number = 0;
  gather(w);
  for (size_t i = 0; i < w->n_kept; i++) seconds = w->kept[i].end > seconds ? w->kept[i].end : seconds;
  for (size_t i = 0; i < w->n_kept; i = tier_end(w, i)) tiers++;
  am_buffer_printf(w->ctx, &w->out,
                   "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = %.6f\ntiers? <exists>\n"
                   "size = %zu\nitem []:\n",
                   seconds, tiers ? tiers : 1);
  for (size_t i = 0, next; i < w->n_kept || !number; i = next) {
    next = i < w->n_kept ? tier_end(w, i) : 0;
    am_buffer_printf(w->ctx, &w->out, "    item [%zu]:\n        class = \"IntervalTier\"\n        name = ", ++number);
    quoted(w, tier_name(w, i));
    am_buffer_printf(w->ctx, &w->out, "\n        xmin = 0\n        xmax = %.6f\n        intervals: size = %zu\n",
                     seconds, intervals(w, i, next, seconds, false));
    intervals(w, i, next, seconds, true);
  }
}

/* ---- EAF ---- */

static void escaped(am_segment_writer *w, const char *text) {
  for (; *text; text++) {
    const unsigned char c = (unsigned char)*text;
    const char *as = c == '&'   ? "&amp;"
                     : c == '<' ? "&lt;"
                     : c == '>' ? "&gt;"
                     : c == '"' ? "&quot;"
                     : c < ' '  ? " "
                                : NULL;
    am_buffer_append(w->ctx, &w->out, as ? as : text, as ? strlen(as) : 1);
  }
}

static void slot(am_segment_writer *w, size_t n, double seconds) {
  am_buffer_printf(w->ctx, &w->out, "        <TIME_SLOT TIME_SLOT_ID=\"ts%zu\" TIME_VALUE=\"%.0f\"/>\n", n,
                   1000 * seconds);
}

static void annotation(am_segment_writer *w, size_t i) {
  am_buffer_printf(
      w->ctx, &w->out,
      "        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a%zu\" TIME_SLOT_REF1=\"ts%zu\" "
      "TIME_SLOT_REF2=\"ts%zu\">\n                <ANNOTATION_VALUE>",
      i + 1, 2 * i + 1, 2 * i + 2);
  escaped(w, w->kept[i].label);
  am_buffer_printf(w->ctx, &w->out,
                   "</ANNOTATION_VALUE>\n            </ALIGNABLE_ANNOTATION>\n        </ANNOTATION>\n");
}

void am_segment_elan(am_segment_writer *w, double seconds) {
  (void)seconds;
  gather(w);
  am_buffer_printf(
      w->ctx, &w->out,
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ANNOTATION_DOCUMENT AUTHOR=\"audiomood\" DATE=\"1970-01-01T00:00:00+00:00\" FORMAT=\"3.0\" VERSION=\"3.0\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n"
      "    <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\">\n"
      "        <MEDIA_DESCRIPTOR MEDIA_URL=\"");
  escaped(w, w->file);
  am_buffer_printf(w->ctx, &w->out, "\" MIME_TYPE=\"unknown\"/>\n    </HEADER>\n    <TIME_ORDER>\n");
  for (size_t i = 0; i < w->n_kept; i++) {
    slot(w, 2 * i + 1, w->kept[i].start);
    slot(w, 2 * i + 2, w->kept[i].end);
  }
  am_buffer_printf(w->ctx, &w->out, "    </TIME_ORDER>\n");
  for (size_t i = 0, next; i < w->n_kept; i = next) {
    next = tier_end(w, i);
    am_buffer_printf(w->ctx, &w->out, "    <TIER LINGUISTIC_TYPE_REF=\"default-lt\" TIER_ID=\"");
    escaped(w, tier_name(w, i));
    am_buffer_printf(w->ctx, &w->out, "\">\n");
    for (size_t k = i; k < next; k++) annotation(w, k);
    am_buffer_printf(w->ctx, &w->out, "    </TIER>\n");
  }
  am_buffer_printf(w->ctx, &w->out,
                   "    <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" "
                   "TIME_ALIGNABLE=\"true\"/>\n</ANNOTATION_DOCUMENT>\n");
}
