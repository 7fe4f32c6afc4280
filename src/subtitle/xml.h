/* SPDX-License-Identifier: MIT */
/* subtitle/xml.h - a document in XML (expat), element by element.
 *
 * Documents with a type (DOCTYPE) are refused, so that there are no entities but the five of XML.  Without expat (option `xml`) all are
 * AM_E_UNSUPPORTED. */
#ifndef AM_XML_H
#define AM_XML_H

#include "base/base.h"

enum { AM_XML_DEPTH = 200 };

typedef struct am_xml am_xml;
struct am_xml {
  am_context *ctx;
  const char *source;
  /* Names without their namespace; attributes are name, value, ..., NULL. */
  void (*open)(am_xml *x, const char *name, const char **attributes);
  void (*close)(am_xml *x, const char *name);
  void (*text)(am_xml *x, const char *text, size_t n); /* in pieces; NULL: passed over */
  void *user;
  /* Of the event at hand. */
  size_t at, n; /* its bytes in the document */
  int line;
  bool latin1;      /* the document is in ISO 8859-1; names and texts come in UTF-8 */
  size_t depth;     /* of the element, from 1 */
  am_status status; /* set by am_xml_fail */
  am_error *err;
  void *parser;
};

/* AM_E_FORMAT names the line, as does what `open`, `close` and `text` fail with. */
am_status am_xml_parse(am_xml *x, const char *text, size_t bytes, am_error *err);
/* The document is refused, with its name and line before the message. */
void am_xml_fail(am_xml *x, am_status status, const char *format, ...) AM_PRINTF(3, 4);
void am_xml_no_memory(am_xml *x);
const char *am_xml_attribute(const char **attributes, const char *name); /* NULL: there is none */
/* Text with <, >, &, " and ' written as XML has them, and without characters that XML lacks. */
void am_xml_put(am_context *ctx, am_buffer *out, const char *text, size_t n);

const char *am_xml_library(void); /* expat in use, "expat_2.5.0"; NULL: this build is without */

#endif
