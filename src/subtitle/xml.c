/* SPDX-License-Identifier: MIT */
/* subtitle/xml.c - see xml.h. */
#include "subtitle/xml.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 1 << 20, SEPARATOR = '|' };

static const char *local(const char *name) {
  const char *bar = strrchr(name, SEPARATOR);
  return bar ? bar + 1 : name;
}

static void look(am_xml *x) {
  x->at = (size_t)XML_GetCurrentByteIndex(x->parser);
  x->n = (size_t)XML_GetCurrentByteCount(x->parser);
  x->line = (int)XML_GetCurrentLineNumber(x->parser);
}

void am_xml_fail(am_xml *x, am_status status, const char *format, ...) {
  char text[300];
  va_list args;
  if (x->status) return;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  x->status = am_fail(x->err, status, "%s:%d: %s", x->source, x->line, text);
  XML_StopParser(x->parser, XML_FALSE);
}

void am_xml_no_memory(am_xml *x) {
  if (x->status) return;
  x->status = am_no_memory(x->err);
  XML_StopParser(x->parser, XML_FALSE);
}

static void open_element(void *user, const char *name, const char **attributes) {
  am_xml *x = user;
  look(x);
  if (++x->depth > AM_XML_DEPTH) {
    am_xml_fail(x, AM_E_FORMAT, "more than %d elements in each other", AM_XML_DEPTH);
    return;
  }
  if (!x->status) x->open(x, local(name), attributes);
}

static void close_element(void *user, const char *name) {
  am_xml *x = user;
  look(x);
  if (!x->status) x->close(x, local(name));
  x->depth--;
}

static void take_text(void *user, const char *text, int n) {
  am_xml *x = user;
  if (!x->text || x->status) return;
  look(x);
  x->text(x, text, (size_t)n);
}

static void refuse_type(void *user, const char *name, const char *system, const char *public, int internal) {
  am_xml *x = user;
  (void)name, (void)system, (void)public, (void)internal;
  look(x);
  am_xml_fail(x, AM_E_FORMAT, "has a document type (DOCTYPE), which is not read");
}

static void take_encoding(void *user, const char *version, const char *encoding, int alone) {
  am_xml *x = user;
  (void)version, (void)alone;
  if (!encoding || !strcasecmp(encoding, "UTF-8")) return;
  x->latin1 = !strcasecmp(encoding, "ISO-8859-1");
  look(x);
  if (!x->latin1) am_xml_fail(x, AM_E_FORMAT, "is in %.40s; wanted UTF-8 or ISO-8859-1", encoding);
}

am_status am_xml_parse(am_xml *x, const char *text, size_t bytes, am_error *err) {
  XML_Parser p = XML_ParserCreateNS(NULL, SEPARATOR);
  if (!p) return am_no_memory(err);
  x->parser = p;
  x->err = err;
  x->status = AM_OK;
  x->depth = 0;
  XML_SetUserData(p, x);
  XML_SetElementHandler(p, open_element, close_element);
  XML_SetCharacterDataHandler(p, take_text);
  XML_SetXmlDeclHandler(p, take_encoding);
  XML_SetStartDoctypeDeclHandler(p, refuse_type);
  enum XML_Status st = XML_STATUS_OK;
  for (size_t at = 0; st == XML_STATUS_OK && (at < bytes || !at); at += PIECE) {
    const size_t n = bytes - at < PIECE ? bytes - at : PIECE;
    st = XML_Parse(p, text + at, (int)n, at + n == bytes);
  }
  if (st != XML_STATUS_OK && !x->status)
    x->status = XML_GetErrorCode(p) == XML_ERROR_NO_MEMORY
                    ? am_no_memory(err)
                    : am_fail(err, AM_E_FORMAT, "%s:%d:%d: %s; wanted XML", x->source, (int)XML_GetCurrentLineNumber(p),
                              (int)XML_GetCurrentColumnNumber(p) + 1, XML_ErrorString(XML_GetErrorCode(p)));
  XML_ParserFree(p);
  x->parser = NULL;
  return x->status;
}

const char *am_xml_attribute(const char **attributes, const char *name) {
  for (; *attributes; attributes += 2)
    if (!strcmp(local(*attributes), name)) return attributes[1];
  return NULL;
}

const char *am_xml_library(void) { return XML_ExpatVersion(); }
