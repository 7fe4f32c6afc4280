/* subtitle/segments_document.c - Praat's TextGrid and ELAN's EAF, which say beforehand how much they hold. */
#include "subtitle/segments.h"

#include <string.h>

void am_segment_keep(am_segment_writer *w, const am_segment_row *row) {
  am_error err = AM_ERROR_INIT;
  char *label = am_strdup(w->ctx, row->label);
  if (!label || am_grow(w->ctx, &w->kept, &w->room, w->n_kept + 1, sizeof *w->kept, &err)) {
    am_free(w->ctx, label);
    w->out.failed = true;
    return;
  }
  w->kept[w->n_kept++] = (am_segment_kept){row->start, row->end, label};
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

/* The tier covers all of the sound: what is between segments is empty intervals.  False: only count. */
static size_t intervals(am_segment_writer *w, double seconds, bool write) {
  double at = 0;
  size_t n = 0;
  for (size_t i = 0; i <= w->n_kept; i++) {
    const double start = i < w->n_kept ? w->kept[i].start : seconds;
    if (start > at + 5e-7) {
      if (write) interval(w, &n, at, start, "");
      else n++;
      at = start;
    }
    if (i == w->n_kept) break;
    if (write) interval(w, &n, at, w->kept[i].end, w->kept[i].label);
    else n++;
    at = w->kept[i].end;
  }
  return n;
}

void am_segment_textgrid(am_segment_writer *w, double seconds) {
  if (w->n_kept && w->kept[w->n_kept - 1].end > seconds) seconds = w->kept[w->n_kept - 1].end;
  am_buffer_printf(w->ctx, &w->out,
                   "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = %.6f\ntiers? <exists>\n"
                   "size = 1\nitem []:\n    item [1]:\n        class = \"IntervalTier\"\n        name = \"emotion\"\n"
                   "        xmin = 0\n        xmax = %.6f\n        intervals: size = %zu\n",
                   seconds, seconds, intervals(w, seconds, false));
  intervals(w, seconds, true);
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

void am_segment_elan(am_segment_writer *w, double seconds) {
  (void)seconds;
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
  am_buffer_printf(w->ctx, &w->out,
                   "    </TIME_ORDER>\n    <TIER LINGUISTIC_TYPE_REF=\"default-lt\" TIER_ID=\"emotion\">\n");
  for (size_t i = 0; i < w->n_kept; i++) {
    am_buffer_printf(
        w->ctx, &w->out,
        "        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a%zu\" TIME_SLOT_REF1=\"ts%zu\" "
        "TIME_SLOT_REF2=\"ts%zu\">\n                <ANNOTATION_VALUE>",
        i + 1, 2 * i + 1, 2 * i + 2);
    escaped(w, w->kept[i].label);
    am_buffer_printf(w->ctx, &w->out,
                     "</ANNOTATION_VALUE>\n            </ALIGNABLE_ANNOTATION>\n        </ANNOTATION>\n");
  }
  am_buffer_printf(w->ctx, &w->out,
                   "    </TIER>\n    <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" "
                   "TIME_ALIGNABLE=\"true\"/>\n</ANNOTATION_DOCUMENT>\n");
}
