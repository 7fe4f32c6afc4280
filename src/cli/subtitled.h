/* SPDX-License-Identifier: MIT */
/* cli/subtitled.h - what the command subtitle knows of its cues, and how it writes it. */
#ifndef AM_CLI_SUBTITLED_H
#define AM_CLI_SUBTITLED_H

#include "cli/recorded.h"
#include "subtitle/show.h"
#include "subtitle/tag.h"

typedef enum cli_subtitle_format {
  CLI_TO_SRT,
  CLI_TO_VTT,
  CLI_TO_ASS,
  CLI_TO_TTML,
  CLI_TO_CSV,
  CLI_TO_JSON,
  CLI_TO_FORMATS
} cli_subtitle_format;
extern const char *const cli_subtitle_formats[CLI_TO_FORMATS];
/* How a format of subtitles is written; NULL: it is a table. */
const am_cue_syntax *cli_subtitled_syntax(cli_subtitle_format format);

/* What is said of a cue. */
typedef struct cli_told {
  int top, label; /* of the classes; label -1: not sure; both -1: there was nothing to hear */
  double margin;  /* of the top above the next */
  bool shown;
} cli_told;

typedef struct cli_subtitled {
  cli *c;
  cli_models team;
  am_thresholds thresholds[2]; /* for a voice that is not known, and for one that is */
  bool decides[2], enrolled;   /* whether there are any; a voice was given */
  bool learns;                 /* voices are told by the cues */
  const char *media, *given;   /* NULL: no subtitles were given */
  cli_subtitle_format to;
  am_tag_style style;
  const char *language;
  am_show_options show;
  am_emotion_words words;
  const am_emotion_word **word; /* (K) NULL: the language has none */
  bool *quiet;                  /* (K) never shown */
  am_cues cues;                 /* that were given, in the format of `to` where it is one */
  float *priors;                /* (K) --neutral-prior, in `heard` already; NULL: none */
  cli_heard heard;
  bool *known;    /* (heard.n) of whether its voice is; NULL: `enrolled` is so of all */
  cli_told *told; /* (heard.n) */
} cli_subtitled;

/* Whether the cues name speakers whose voices the models use (subtitled_voices.c), and the sound can be read twice. */
bool cli_subtitled_knows_voices(const cli_subtitled *s);
/* All cues, each by the voice of its speaker. */
am_status cli_subtitled_hear_voices(cli_subtitled *s, am_error *err);
/* What each class is called, and which are never shown. */
am_status cli_subtitled_name(cli_subtitled *s, am_error *err);
/* From what was heard to what is shown; of cues that were given, in their texts, too. */
am_status cli_subtitled_decide(cli_subtitled *s, am_error *err);
/* All of it in the format wanted. */
am_status cli_subtitled_write(const cli_subtitled *s, am_buffer *out, am_error *err);

/* subtitled_page.c: all of the sound, as segments; and the page of --report, for which it is read again. */
am_status cli_subtitled_record(const cli_subtitled *s, cli_recorded *heard, am_error *err);
am_status cli_subtitled_page(cli_subtitled *s, const char *path, am_error *err);
/* Of a model of dimensions (subtitled_values.c): AM_E_USAGE where something of emotions is wanted, and, where no cues were given, the
 * steps of each utterance as predict --segments has them. */
am_status cli_subtitled_check_values(const cli_subtitled *s, am_error *err);
am_status cli_subtitled_hear_steps(cli_subtitled *s, am_error *err);

#endif
