/* SPDX-License-Identifier: MIT */
/* cli/cli.h - what the subcommands share: arguments, sinks, tables.
 *
 * The command line is the only place that prints or picks an exit code:
 * results on stdout, everything else on stderr; 0 done, 1 failed, 2 bad usage
 * or config, CLI_EXIT_AGAIN, or the signal that ended the work. */
#ifndef AM_CLI_H
#define AM_CLI_H

#include <stdio.h>

#include "audiomood/profile.h"
#include "audiomood/segment.h"
#include "base/base.h"
#include "exchange/registry.h"
#include "model/checkpoint.h"
#include "model/metrics.h"

/* One flag of a command. Flags with an `argument` take a value. */
typedef struct cli_flag {
  const char *name;     /* without the dashes */
  const char *argument; /* NULL: a switch */
  const char *help;
} cli_flag;

typedef struct cli cli;

typedef struct cli_command {
  const char *name;
  const char *summary;   /* one line for the list of commands */
  const char *usage;     /* what follows the name */
  const char *details;   /* a paragraph for --help, or NULL */
  const cli_flag *flags; /* ended by a NULL name */
  const am_option *(*own)(
      const am_exchange *format);   /* the options that a format has for it, which are flags, too; NULL: none */
  int min_arguments, max_arguments; /* max -1: any number */
  bool resumes;                     /* what SIGUSR1 stopped can go on: CLI_EXIT_AGAIN */
  am_status (*run)(cli *c, am_error *err);
} cli_command;

enum { CLI_MAX_FLAGS = 64, CLI_MAX_COMMANDS = 64 };

/* commands.c: all of them in the order of help, ended by NULL. */
extern const cli_command *const cli_commands[];

/* Stopped by SIGUSR1: to be started again.  EX_TEMPFAIL of sysexits.h, "the user is invited to retry": no status of ours, of a
 * shell (126 and more) or of Slurm, whose tools end with 1. */
enum { CLI_EXIT_AGAIN = 75 };
/* And the number of a signal: what a shell says of a program that ended by it.  For processes that cannot, or may not. */
enum { CLI_EXIT_SIGNAL = 128 };

struct cli {
  am_context *ctx;
  const cli_command *command;
  int n_arguments;
  const char **arguments;
  struct am_ranks *ranks; /* that have left (ranks.c), to be freed when all is printed */
  bool silent;            /* another process prints the error */
  int n_given;            /* flags as given, in order */
  struct {
    const char *name, *value;
  } given[CLI_MAX_FLAGS];
};

/* args.c */
const cli_command *cli_command_find(const char *name, const cli_command *const *commands); /* NULL: there is none */
bool cli_flag_known(const cli_command *const *commands, const char *name, size_t length);  /* some command has it */
am_status cli_parse(cli *c, const cli_command *command, int argc, char **argv, am_error *err);
bool cli_has(const cli *c, const char *flag);
const char *cli_value(const cli *c, const char *flag, const char *fallback); /* the last one given */
/* All values of a repeatable flag into at[CLI_MAX_FLAGS]. */
size_t cli_values(const cli *c, const char *flag, const char **at);
/* A whole number in [low, high], or `fallback` when not given. */
am_status cli_int(const cli *c, const char *flag, int64_t low, int64_t high, int64_t fallback, int64_t *out,
                  am_error *err);
/* A number in [low, high], likewise. */
am_status cli_real(const cli *c, const char *flag, double low, double high, double fallback, double *out,
                   am_error *err);
/* --set and --seed as overrides "key=value"; `room` takes the seed's text. */
typedef struct cli_overrides {
  const char *at[CLI_MAX_FLAGS + 2];
  size_t n;
  char seed[48];
} cli_overrides;
am_status cli_overrides_get(const cli *c, cli_overrides *out, am_error *err);
extern const cli_flag cli_common_flags[];
/* exchange.c: whether a flag is an option of some format for this command; which format `flag` names, and its options. */
bool cli_exchange_flag(const cli_command *command, const char *name, size_t length, cli_flag *out);
am_status cli_exchange_find(const cli *c, const char *flag, const char *file, const am_exchange **out, am_error *err);
am_status cli_exchange_options(const cli *c, const am_exchange *format, am_exchange_options *out, am_error *err);
void cli_exchange_print(FILE *to, const cli_command *command);
void cli_print_help(FILE *to, const cli_command *command);
void cli_print_overview(FILE *to, const cli_command *const *commands);

/* print.c: all that is printed.  Formats are printf's, of which a text (%s) is put in as a part of a line, without what
 * steers a terminal; its width counts characters, its precision bytes. */
void cli_print(const char *format, ...) AM_PRINTF(1, 2); /* results: to standard output */
void cli_fprint(FILE *to, const char *format, ...) AM_PRINTF(2, 3);
void cli_put_lines(FILE *to, const char *text);    /* of several lines, our own or written so (YAML, JSON) */
void cli_put_data(const char *data, size_t bytes); /* to standard output as it is */
int cli_width(const char *text);                   /* in characters */
/* AM_E_IO when something printed was not written. */
am_status cli_flush(am_error *err);
/* Whether cli_flush has failed because whoever read standard output (`| head -1`) has left. */
bool cli_nobody_reads(void);

/* help.c: the sections of a config, by the tables they are read by; ended by a NULL name.  The first is its top. */
typedef struct cli_section {
  const char *name, *summary;
  const am_option *table;
} cli_section;
extern const cli_section cli_sections[];
/* `audiomood help [WORD]`, for commands, sections of the config and layers; the exit code. */
int cli_help(const char *word, const cli_command *const *commands);

/* sink.c */
void cli_sink_init(bool quiet, bool verbose);
void cli_sink_log(void *user, am_log_level level, const char *line);
void cli_sink_progress(void *user, const am_progress *progress);
void cli_sink_meter(const char *line); /* a line that is drawn in place, on a terminal alone */
void cli_sink_follow(bool follows);    /* another process says what is said, but for errors */
void cli_sink_clear(void);             /* ends an unfinished progress line before other output */

/* ranks.c: joins the processes that a launcher started to work as one, if it did; and tells how this one's work ended, which is
 * then that of all. */
am_status cli_ranks_join(cli *c, const char *doing, am_error *err);
am_status cli_ranks_leave(cli *c, am_status st, am_error *err);

/* signals.c: Ctrl-C and SIGTERM ask the context to stop; a second one ends at once.  One that was ignored when the
 * program was started stays so. */
void cli_signals_install(am_context *ctx, bool resumes); /* resumes: SIGUSR1 asks, too, any number of times */
void cli_signals_forget(void); /* before the context is freed; from then on a signal ends the program at once */
int cli_signal_received(void); /* 0: none */
_Noreturn void cli_signals_end(int number); /* ends the process by it */
bool cli_signals_pipe(void); /* whether SIGPIPE would have ended the program, had it not been ignored for a while */

/* common.c */
/* "run" folder -> its best.h5, a file -> itself. am_free. */
/* The config of the first argument, or, of the folder `resume` of a `kind`, the one stored as `name`; with --set. */
am_status cli_config_load(cli *c, const char *resume, const char *kind, const char *name, am_config **out,
                          am_error *err);
am_status cli_checkpoint_path(cli *c, const char *run_or_file, char **out, am_error *err);
/* AM_E_USAGE when what is written to `out` would replace the file `in` that it is made from. */
am_status cli_keep_input(const char *out, const char *in, am_error *err);
/* run_folder.c: runs/<name><kind>-<date>-<time>, with -2, -3 ... when taken.  It is made at once, so that of two runs that
 * begin in the same second each has its own. */
typedef struct cli_run_folder {
  char *path, *parent;
  bool made, made_parent;
} cli_run_folder;
/* `folder` is zero before, and to be ended whether it could be made or not. */
am_status cli_run_folder_make(cli *c, const char *name, const char *kind, cli_run_folder *folder, am_error *err);
void cli_run_folder_end(cli *c, cli_run_folder *folder); /* removes it again when nothing is in it */
/* ranks.c: the folder of a run that was not given any, which the first one makes: *path (am_free) is the same in all. */
am_status cli_ranks_folder_make(cli *c, const char *name, const char *kind, cli_run_folder *made, char **path,
                                am_error *err);
/* models.c: the model (or the cross-validation's models) given first and those of --with, which name the same emotions in the
 * same order.  On failure what was loaded is in `models` too: free it with cli_models_free. */
typedef struct cli_models {
  am_ensemble *ensemble; /* of all of them */
  am_checkpoint *at[CLI_MAX_FLAGS + 1];
  const char *given[CLI_MAX_FLAGS + 1]; /* as the user wrote it: a run's folder or a file */
  char *path[CLI_MAX_FLAGS + 1];        /* of the file */
  size_t n;
  am_checkpoint *detector; /* of speech (cli_detector_load); NULL: it is found by level */
} cli_models;
/* A folder of a cross-validation stands for the models of all its runs. */
bool cli_is_crossval(cli *c, const char *path);
/* Whether an argument is a model rather than a sound, by what is in it. */
bool cli_names_model(cli *c, const char *path);
/* Whether flags of predict or evaluate say that a voice is known. */
bool cli_knows_voices(const cli *c);
/* `first` NULL: the model that comes with AudioMood, of which it says what it is. */
/* Checkpoints. */
typedef struct cli_paths {
  char *at[CLI_MAX_FLAGS + 1];
  size_t n;
} cli_paths;
/* Of a run, a file, or a cross-validation, which is all of its models together. */
am_status cli_paths_add(cli *c, const char *given, cli_paths *paths, am_error *err);
void cli_paths_free(cli *c, cli_paths *paths);

/* Of the commands that predict, for cli_models_load. */
#define CLI_STORAGE_FLAG \
  { \
    "storage", "float32|float16", \
        "how the kernels of large dense layers are kept: float16 halves what a prediction reads, and rounds them " \
        "(float32)" \
  }
am_status cli_models_load(cli *c, const char *first, cli_models *models, am_error *err);
/* AM_E_USAGE where they tell dimensions, and `what` ("subtitles") wants emotions. */
am_status cli_models_need_classes(const cli_models *models, const char *what, am_error *err);
void cli_models_free(cli *c, cli_models *models);
/* detectors.c: --vad, of a command that takes `none` as well or does not. */
am_status cli_vad_check(const cli *c, bool none, am_error *err);
/* The detector that it names, or that is `usual`: model, if one came with AudioMood, or energy. */
am_status cli_detector_load(cli *c, cli_models *models, const char *usual, am_error *err);
/* tally.c: what is alike in several sounds, for one warning at the end: how many, the first few with their names. */
typedef struct cli_tally {
  size_t n;
  am_buffer names; /* "a.wav (8000 Hz), b.wav" */
} cli_tally;
void cli_tally_add(cli *c, cli_tally *tally, const char *format, ...) AM_PRINTF(3, 4);
/* The names, and " and 12 more" after them: once, when all are added.  Owned by the tally. */
const char *cli_tally_names(cli *c, cli_tally *tally);
void cli_tally_free(cli *c, cli_tally *tally);
/* sounds.c: what paths name; "-" is standard input.  On failure, too, to be freed. */
typedef struct cli_sounds {
  char **at;
  size_t n, room;
  cli_tally unread;      /* files in folders that are sounds of a kind that is not read */
  size_t hidden, others; /* and those that are passed over: begun with a dot, and no sounds by their names */
} cli_sounds;
am_status cli_sounds_list(cli *c, const char *const *paths, size_t n, cli_sounds *sounds, am_error *err);
void cli_sounds_free(cli *c, cli_sounds *sounds);
extern const double cli_longest_sound; /* s */
am_status cli_sound_read(cli *c, const char *path, double rate, am_sound *sound, am_error *err);
am_status cli_sound_read_track(cli *c, const char *path, double rate, am_sound *sound, am_error *err); /* by --track */
/* A channel (0: the mean of all) of --track, a block at a time: only once all of it is found to be whole.  `sound` gets no samples. */
am_status cli_sound_feed(cli *c, const char *path, double rate, int channel, am_sound_fn each, void *user,
                         am_sound *sound, am_error *err);
const char *cli_sound_shown(const char *path); /* "(standard input)" of "-" */
/* Whether a failure is of the sound alone, so that --skip-unreadable goes on with the next. */
bool cli_sound_is_bad(am_status st);
/* voice.c: the voice of --enrol, and of enrol.  Files among the sounds that are profiles are merged where `profiles` says so. */
typedef struct cli_voice {
  const cli_sounds *sounds;
  double window; /* s; sounds are heard in pieces so long; 0: as a whole */
  bool skip;     /* --skip-unreadable */
  bool profiles;
} cli_voice;
bool cli_is_hdf5(const char *path); /* an ordinary file that begins as HDF5 does */
am_status cli_voice_add(cli *c, const cli_voice *voice, am_profile *profile, am_error *err);
/* --threshold in place of the model's own, which only a model that is alone has; of two sets that for a voice that is known or is
 * not.  *some: whether there are any. */
am_status cli_thresholds(cli *c, const cli_models *models, bool known, am_thresholds *out, bool *some, am_error *err);
/* --shrink in place of the models' features.shrink. */
am_status cli_shrink(const cli *c, const cli_models *models, am_error *err);
void cli_voice_say_short(cli *c, const am_profile *profile); /* a warning, of less than a minute */
/* over_time.c: evaluate --over-time. */
am_status cli_over_time(cli *c, cli_models *models, const am_thresholds *thresholds, am_error *err);
/* priors.c: --neutral-prior P.  What each probability is multiplied by where speech is without emotion with this probability, and each
 * class was as likely as another before: *out (am_free) is NULL where the flag is not given. */
am_status cli_priors_get(const cli *c, const am_checkpoint *m, float **out, am_error *err);
void cli_priors_apply(const float *priors, int classes, const float *p,
                      float *out); /* of sum 1 again; priors NULL: as it was */
/* segments.c: predict --segments. */
typedef struct cli_segmenting {
  const struct am_segment_format *format;
  const char *rttm; /* file of who speaks when; NULL: none */
  bool split;       /* each channel is a speaker */
  bool one_voice;   /* all speech is of one speaker, whose voice is learned */
  am_stream_options stream;
  am_segment_options options;
  float *priors; /* (K) cli_priors_get; NULL: none */
} cli_segmenting;
am_status cli_segmenting_get(const cli *c, cli_segmenting *out, am_error *err);
/* Whether voices become known while they are heard. */
bool cli_segments_learn(const cli_segmenting *how);
bool cli_segments_of_one(const cli_segmenting *how); /* the format is of one sound */
/* What was heard of a sound: its measurements, by why there is no answer; and its speech. */
typedef struct cli_segmented {
  size_t measured, silent, too_short, utterances;
  double speech; /* s */
} cli_segmented;
/* What the rows begin with, added to `out`. */
am_status cli_segments_head(cli *c, const am_checkpoint *m, const cli_segmenting *how, am_buffer *out, am_error *err);
/* The row of a sound that has no segment, of a format with notes; error NULL: none. */
am_status cli_segments_note(cli *c, const am_checkpoint *m, const cli_segmenting *how, const char *file,
                            const char *reason, const char *error, am_buffer *out, am_error *err);
/* The segments of a sound, handed to `each` with what is shown as their label; *seconds: how long the sound is. */
typedef void (*cli_segment_fn)(void *user, const am_segment *segment, const char *label);
am_status cli_segments_of(cli *c, const cli_models *models, const cli_segmenting *how, const am_thresholds *thresholds,
                          const char *path, cli_segment_fn each, void *user, double *seconds, am_error *err);
/* The segments of a sound (or standard input), printed as they come, or added to `to`; *at_fault: a failure is of the sound alone. */
am_status cli_segments_print(cli *c, const cli_models *models, const cli_segmenting *how,
                             const am_thresholds *thresholds, const char *path, am_buffer *to, cli_segmented *out,
                             am_sound *sound, bool *at_fault, am_error *err);
/* spans.c: what is heard at the times of cues, or at each utterance.  The models stay as they are: no voice is learned. */
typedef struct cli_span {
  double start, end; /* s */
  bool measured;     /* false: silent, too short, or beyond the end of the sound */
} cli_span;
typedef struct cli_heard {
  cli_span *at; /* (n) */
  float *p;     /* (n, K); NaN where nothing was measured */
  size_t n;
} cli_heard;
/* The spans in any order, which may overlap, up to 32 at one moment; each is widened to 1.5 s, and of one of more than a minute the
 * first is heard.  cli_heard_free, also after a failure. */
am_status cli_spans_hear(cli *c, const cli_models *models, const char *path, const cli_span *spans, size_t n,
                         cli_heard *out, am_error *err);
am_status cli_utterances_hear(cli *c, const cli_models *models, const char *path, cli_heard *out, am_error *err);
void cli_heard_free(cli *c, cli_heard *heard);
typedef enum cli_format { CLI_TEXT, CLI_JSON, CLI_CSV } cli_format;
/* predicted.c: rows of predictions.  CSV is the data as it is, JSON and text hold nothing that steers a terminal. */
#define CLI_UNREADABLE "unreadable" /* the reason of a sound that has an error */
typedef struct cli_shape {
  cli_format format;
  bool windows;                    /* a row is of a part of the sound */
  const am_thresholds *thresholds; /* below which the answer is uncertain; NULL: always one is given */
  bool errors;                     /* with a place for why a sound could not be read */
} cli_shape;
typedef struct cli_predicted {
  const char *file;
  const float *p;     /* (K) */
  am_unheard unheard; /* why there is no label */
  double seconds, seconds_heard;
  double start, end; /* s, of a window */
  const char *error; /* why it could not be read; NULL: it could */
} cli_predicted;
/* They show in out->failed that memory ran out. */
void cli_predicted_head(cli *c, const am_checkpoint *m, const cli_shape *shape, am_buffer *out);
void cli_predicted_row(cli *c, const am_checkpoint *m, const cli_shape *shape, const cli_predicted *row,
                       am_buffer *out);
/* review.c: what was predicted of many sounds, for a person to correct: a manifest (data/corpora/manifest.c) in which those of which
 * the model is least sure come first. */
typedef struct cli_review cli_review;
/* `out` NULL: standard output.  A file that is there is refused: there may be corrections in it. */
am_status cli_review_open(cli *c, const char *out, const am_checkpoint *m, cli_review **review, am_error *err);
am_status cli_review_add(cli_review *review, const char *file, const float *p, am_error *err); /* borrows the name */
am_status cli_review_end(cli_review *review, am_error *err);
void cli_review_free(cli_review *review);
/* What the rows of a sound begin with, of CSV and JSON. */
void cli_predicted_name(cli *c, cli_format format, const char *file, am_buffer *out);
/* rows.c: where they go: standard output at once, for whoever reads along, or the file of --out, at whose end they are added. */
typedef struct cli_rows cli_rows;
/* Of an earlier call in that file its whole rows stay.  They must begin with `head` and end with a sound of these, which is heard
 * once more: another model is told by what it says.  `path` NULL: standard output.  Borrows head and sounds. */
am_status cli_rows_open(cli *c, const char *path, cli_format format, const am_buffer *head, const cli_sounds *sounds,
                        cli_rows **out, am_error *err);
size_t cli_rows_next(cli_rows *rows); /* the sound to be heard next; SIZE_MAX: there is none */
size_t cli_rows_left(const cli_rows *rows);
size_t cli_rows_unreadable(const cli_rows *rows); /* of an earlier call */
/* All rows of the sound i, or those that are there already, on standard output; `text` is empty then.  In the order of
 * cli_rows_next. */
am_status cli_rows_put(cli_rows *rows, size_t i, am_buffer *text, am_error *err);
am_status cli_rows_flush(cli_rows *rows, am_error *err); /* what was put is handed to the system */
am_status cli_rows_end(cli_rows *rows, am_error *err);   /* and is on disk */
void cli_rows_free(cli_rows *rows);
/* provenance.c: the clips a model is scored on. */
typedef struct cli_scored {
  const am_dataset *dataset;
  const am_split *split; /* without unreadable clips, as training drops them; may be NULL for another corpus */
  am_part part;
  const uint32_t *clips;
  size_t n;
  bool other_corpus; /* given by --data */
} cli_scored;
enum { CLI_DOUBT = 256 };
/* *doubt: "" when the model knows no speaker of these clips, else what to say of that; with a warning when it is a surprise.
 * `path` is the checkpoint's file. */
am_status cli_speakers_known(cli *c, const am_checkpoint *m, const char *path, const cli_scored *scored,
                             char doubt[CLI_DOUBT], am_error *err);

/* cmd_train.c: the figures of a run that has finished, and its page. */
void cli_train_report(cli *c, const am_config *config, const char *out, const am_run_result *result);
/* speakers: with the table of all of them; of three or more the spread is there anyway. */
void cli_print_metrics(FILE *to, const am_metrics *m, bool speakers);
void cli_print_dimensions(FILE *to, const am_metrics *m, bool speakers); /* print_dimensions.c: of dimensions */
/* Likewise: what a corpus says of its clips; nothing where it says nothing. */
void cli_print_values(const am_dataset *d);
/* clips per label and part, one row a label */
void cli_print_clips(FILE *to, const am_dataset *d);
void cli_warn_left_out(cli *c, const am_dataset *d);
/* The clips of the part that --split names (test), borrowed from *split, which is to be freed, on failure, too. */
am_status cli_split_part(const cli *c, const am_config *config, am_dataset *d, am_split **split, const uint32_t **clips,
                         size_t *n, am_error *err);

/* version.c: what this build and this machine have, a line each. */
am_status cli_print_parts(am_error *err);

/* audiomood help licences.  0. */
int cli_help_licences(void);
/* Lines of the notice of HDF5, up to NULL. */
extern const char *const cli_licence_hdf5[];

/* start.c: ends what began before main. */
void cli_start_end(void);

#endif
