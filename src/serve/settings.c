/* SPDX-License-Identifier: MIT */
/* serve/settings.c - see settings.h. */
#include "serve/settings.h"

#include <math.h>
#include <stddef.h>

#include "io/json.h"

#define AT(member) offsetof(am_hear_settings, member)

/* The bounds keep one client from asking for all of a machine: ten measurements a second of ten seconds are the most. */
const am_option am_hear_table[] = {
    {"rate", AM_OPT_REAL, AT(rate), "16000", 4000, 384000, NULL, "Hz, of the samples of a stream", NULL, NULL},
    {"window", AM_OPT_REAL, AT(window), "3", 0.5, 10, NULL, "s, longest stretch that is measured while somebody speaks",
     NULL, NULL},
    {"hop", AM_OPT_REAL, AT(hop), "1", 0.1, 10, NULL, "s, from one measurement to the next", NULL, NULL},
    {"min_silence", AM_OPT_REAL, AT(min_silence), "0.4", 0.01, 10, NULL, "s, a shorter pause does not end an utterance",
     NULL, NULL},
    {"switch_penalty", AM_OPT_REAL, AT(switch_penalty), "1", 0, 1000, NULL, "what a change of the label costs", NULL,
     NULL},
    {"threshold", AM_OPT_REAL, AT(threshold), "-1", -1, 1, NULL,
     "an answer is uncertain below this probability; -1: the model's own thresholds", NULL, NULL},
    {"learn_voice", AM_OPT_BOOL, AT(learn_voice), "false", 0, 0, NULL,
     "all speech is of one speaker, whose voice becomes known while it is heard", NULL, NULL},
    {"vad", AM_OPT_CHOICE, AT(vad), "usual", 0, 0, "usual|model|energy|none",
     "how speech is found; usual: by a detector where there is one, else by level; none: all of it is speech", NULL,
     NULL},
    {"measurements", AM_OPT_BOOL, AT(measurements), "true", 0, 0, NULL, "measurements are told, not segments alone",
     NULL, NULL},
    AM_OPTION_END,
};

static am_status check(const am_hear_settings *s, const char *source, am_error *err) {
  if (s->hop > s->window)
    return am_fail(err, AM_E_CONFIG, "%s: hop is %g s and window %g s; wanted a hop of at most the window", source,
                   s->hop, s->window);
  if (s->learn_voice && s->vad == AM_VAD_NONE)
    return am_fail(err, AM_E_CONFIG, "%s: learn_voice wants utterances, which vad: none does not find", source);
  return AM_OK;
}

static const char source[] = "settings";

am_status am_hear_settings_read(am_context *ctx, const char *text, size_t bytes, am_hear_settings *out, am_error *err) {
  am_tree *tree;
  am_value *root = NULL;
  am_status st = am_tree_create(ctx, &tree, err);
  if (st) return st;
  st = am_json_read_text(tree, text, bytes, source, &root, err);
  if (!st && root->kind != AM_MAP) st = am_fail(err, AM_E_CONFIG, "%s: wanted a JSON object", source);
  if (!st) st = am_options_read(tree, am_hear_table, root, source, out, err);
  if (!st) st = check(out, source, err);
  am_tree_free(tree);
  return st;
}

am_status am_hear_settings_of(am_context *ctx, const am_hear_field *fields, size_t n, am_hear_settings *out,
                              am_error *err) {
  am_tree *tree;
  am_status st = am_tree_create(ctx, &tree, err);
  if (st) return st;
  am_value *map = am_value_new(tree, AM_MAP);
  if (!map) st = am_no_memory(err);
  for (size_t i = 0; i < n && !st; i++)
    st = am_value_add(tree, map, fields[i].name, am_value_text(tree, fields[i].value, false), err);
  if (!st) st = am_options_read(tree, am_hear_table, map, source, out, err);
  if (!st) st = check(out, source, err);
  am_tree_free(tree);
  return st;
}

void am_hear_settings_apply(const am_hear_settings *s, am_stream_options *stream, am_segment_options *segments) {
  *stream = (am_stream_options){.size = sizeof *stream,
                                .window = s->window,
                                .hop = s->hop,
                                .first = fmin(s->window, 1),
                                .min_silence = s->min_silence,
                                .speech = s->vad == AM_VAD_NONE ? AM_SPEECH_ALL : AM_SPEECH_BY_LEVEL,
                                .learn_voice = s->learn_voice};
  *segments =
      (am_segment_options){.size = sizeof *segments, .switch_penalty = s->switch_penalty > 0 ? s->switch_penalty : -1};
}
