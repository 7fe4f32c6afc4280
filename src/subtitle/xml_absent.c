/* SPDX-License-Identifier: MIT */
/* subtitle/xml_absent.c - what is said of XML in a build without expat (option `xml`). */
#include "subtitle/xml.h"

am_status am_xml_parse(am_xml *x, const char *text, size_t bytes, am_error *err) {
  (void)text, (void)bytes;
  return am_fail(err, AM_E_UNSUPPORTED,
                 "%s: TTML and ELAN's files are XML, whose reader was left out when this program was built; with expat "
                 "installed, build it again with the option xml enabled",
                 x->source);
}

void am_xml_fail(am_xml *x, am_status status, const char *format, ...) { (void)x, (void)status, (void)format; }

void am_xml_no_memory(am_xml *x) { (void)x; }

const char *am_xml_attribute(const char **attributes, const char *name) {
  (void)attributes, (void)name;
  return NULL;
}

const char *am_xml_library(void) { return NULL; }
