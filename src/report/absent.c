/* SPDX-License-Identifier: MIT */
/* report/absent.c - what the command says of pages and pictures in a build without them (option `report`). */
#include "report/plot.h"
#include "report/recording.h"
#include "report/report.h"

static am_status left_out(am_error *err) {
  return am_fail(err, AM_E_UNSUPPORTED,
                 "pages and pictures were left out when this program was built; "
                 "with Cairo installed, build it again after: meson setup --reconfigure -Dreport=enabled BUILD-FOLDER");
}

am_status am_report_write(am_context *ctx, const char *run, const char *out, am_error *err) {
  (void)ctx, (void)run, (void)out;
  return left_out(err);
}

am_status am_plot_spectrograms(am_context *ctx, const am_plot_style *style, const am_spectrogram_view *views, size_t n,
                               am_buffer *out, am_error *err) {
  (void)ctx, (void)style, (void)views, (void)n, (void)out;
  return left_out(err);
}

am_status am_plot_why(am_context *ctx, const am_plot_style *style, const am_why_view *view, am_buffer *out,
                      am_error *err) {
  (void)ctx, (void)style, (void)view, (void)out;
  return left_out(err);
}

am_status am_plot_save(am_context *ctx, const char *path, const am_buffer *picture, am_error *err) {
  (void)ctx, (void)path, (void)picture;
  return left_out(err);
}

am_status am_recording_page(am_context *ctx, const am_recording *r, am_buffer *out, am_error *err) {
  (void)ctx, (void)r, (void)out;
  return left_out(err);
}

am_status am_report_library(char *out, size_t room, am_error *err) {
  (void)out, (void)room;
  return left_out(err);
}
