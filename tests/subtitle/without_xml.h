/* SPDX-License-Identifier: MIT */
/* tests/subtitle/without_xml.h - tests of TTML and ELAN's files are skipped in a build without expat (option `xml`). */
#ifndef AM_TEST_WITHOUT_XML_H
#define AM_TEST_WITHOUT_XML_H

#include "testing.h"

#include "subtitle/cue.h"

static inline bool without_xml(am_context *ctx) {
  am_error err = AM_ERROR_INIT;
  am_cues c;
  const am_status st = am_cues_parse(ctx, "<tt/>", 5, "x", &am_ttml, &c, &err);
  if (!st) am_cues_free(&c);
  return st == AM_E_UNSUPPORTED;
}

#endif
