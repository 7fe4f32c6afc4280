/* SPDX-License-Identifier: MIT */
/* run/metrics.c - metrics.json: what a finished run came to, written and read. */
#include "run/metrics.h"

#include "io/json.h"

static void write_part(am_json *j, const am_run_metrics *r, am_part part) {
  const char *name = am_part_name(part);
  am_protocol protocol = {.split = name,
                          .corpus = r->dataset->corpus,
                          .left_out = &r->left_out[part],
                          .speaker_independent = r->split->speaker_independent,
                          .synthetic = r->dataset->synthetic,
                          .transductive = r->transductive};
  if (r->of[part]) am_metrics_write(j, name, r->of[part], &protocol);
  else am_json_null(j, name);
}

am_status am_run_metrics_write(am_run_folder *f, const am_run_metrics *r, am_error *err) {
  am_buffer text = {0};
  am_json j = am_json_begin(f->ctx, &text, 2);
  am_json_open(&j, NULL, '{');
  am_json_text(&j, "name", r->name);
  am_json_int(&j, "epochs", (int64_t)r->epochs);
  am_json_int(&j, "steps", (int64_t)r->steps);
  am_json_int(&j, "best_epoch", (int64_t)r->best_epoch);
  am_json_bool(&j, "stopped_early", r->stopped_early);
  am_json_real(&j, "seconds", r->seconds);
  am_json_text(&j, "split_note", r->split->note);
  am_json_bool(&j, "speaker_independent", r->split->speaker_independent);
  am_json_bool(&j, "transductive", r->transductive);
  am_json_bool(&j, "synthetic", r->dataset->synthetic);
  if (r->temperature > 0) am_json_real(&j, "temperature", r->temperature);
  am_json_open(&j, "unheard", '{');
  for (int part = 0; part < 3; part++) am_json_int(&j, am_part_name((am_part)part), (int64_t)r->unheard[part]);
  am_json_close(&j);
  write_part(&j, r, AM_PART_VALIDATION);
  write_part(&j, r, AM_PART_TEST);
  am_json_close(&j);
  am_status status = am_run_folder_write(f, AM_FILE_METRICS, &text, err);
  am_buffer_free(f->ctx, &text);
  return status;
}

am_answered am_run_answered(const am_value *part) {
  const am_value *v = am_value_get(part, "answered");
  am_answered a = {0};
  int64_t given, right;
  if (!am_value_to_int(am_value_get(v, "n"), &given) || !am_value_to_int(am_value_get(v, "right"), &right)) return a;
  if (given < 0 || right < 0 || right > given) return a;
  a = (am_answered){.known = true, .given = (size_t)given, .right = (size_t)right};
  if (!am_value_to_real(am_value_get(v, "wanted_precision"), &a.wanted)) a.wanted = 0;
  return a;
}

am_status am_run_summary_read(am_context *ctx, const char *folder, am_run_summary *out, am_error *err) {
  char *path = am_run_file_path(ctx, folder, AM_FILE_METRICS);
  am_tree *tree = NULL;
  *out = (am_run_summary){0};
  am_status status = path ? am_json_read_file(ctx, path, &tree, err) : am_no_memory(err);
  const am_value *root = status ? NULL : am_tree_root(tree);
  int64_t best, epochs, unheard;
  if (!status && (!am_value_to_int(am_value_get(root, "best_epoch"), &best) ||
                  !am_value_to_int(am_value_get(root, "epochs"), &epochs) ||
                  !am_value_to_real(am_value_get(root, "seconds"), &out->seconds)))
    status = am_fail(err, AM_E_FORMAT, "%s: wanted numbers best_epoch, epochs and seconds", path);
  if (!status) {
    out->best_epoch = (uint64_t)best;
    out->epochs = (uint64_t)epochs;
    if (am_value_to_int(am_value_get(am_value_get(root, "unheard"), "test"), &unheard) && unheard > 0)
      out->unheard_test = (size_t)unheard;
    const am_value *test = am_value_get(root, "test");
    out->answered = am_run_answered(test && test->kind == AM_MAP ? test : am_value_get(root, "validation"));
  }
  am_tree_free(tree);
  am_free(ctx, path);
  return status;
}
