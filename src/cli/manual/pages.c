/* SPDX-License-Identifier: MIT */
/* cli/manual/pages.c - what the pages say, whatever they are written in. */
#include <string.h>

#include "audio/condition.h"
#include "cli/manual/manual.h"
#include "nn/block.h"
#include "nn/item.h"
#include "nn/registry.h"

typedef struct pair {
  const char *name, *help;
} pair;

static const pair environment[] = {
    {"AUDIOMOOD_MODEL",
     "the checkpoint that is taken where no model is given, in place of the one that was installed; "
     "empty: there is none"},
    {"AUDIOMOOD_DETECTOR", "the checkpoint by which speech is found, likewise"},
    {"AM_CPU", "the kernels that compute: plain, avx2, avx512 or neon, in place of the fastest that the processor has"},
    {"AM_MEDIA", "0: films and the sounds that FFmpeg reads are refused"},
    {"AM_MPI_MODULE", "the module for the MPI that started this process, in place of the one that is found"},
    {"OPENBLAS_NUM_THREADS", "1: OpenBLAS starts no thread of its own; audiomood never uses one"},
    {"NO_COLOR", "progress is shown without what steers a terminal"},
    {"SLURM_CPUS_PER_TASK", "threads, where --threads is not given"},
    {0},
};

static const pair exit_codes[] = {
    {"0", "done"},
    {"1", "failed"},
    {"2", "the command line or a config is wrong"},
    {"75", "stopped by SIGUSR1, and can go on: 'train --resume', 'crossval --resume'"},
    {"of a signal", "the program ends by the signal that stopped it, when it has saved its work"},
    {0},
};

static const pair examples[] = {
    {"What is said in a recording, and how:", "audiomood predict voice.wav\naudiomood predict talk.wav --segments\n"},
    {"A training with another learning rate, and its results:",
     "audiomood train configs/demo.yaml --set train.optimiser.learning_rate=0.0005 --out run\naudiomood evaluate "
     "run\n"},
    {"Subtitles that say how something is said:", "audiomood subtitle film.mkv --srt film.srt --out film-how.srt\n"},
    {0},
};

size_t manual_way(const char *usage) {
  int depth = 0;
  for (const char *c = usage; *c; c++) {
    depth += (*c == '[') - (*c == ']');
    if (!depth && strncmp(c, " | ", 3) == 0) return (size_t)(c - usage);
  }
  return strlen(usage);
}

static void pairs(const manual_style *s, const pair *p) {
  for (; p->name; p++) s->item(p->name, NULL, p->help);
  s->end_items();
}

static void exits(const manual_style *s, bool resumes) {
  s->heading(1, "EXIT STATUS");
  for (const pair *p = exit_codes; p->name; p++)
    if (resumes || strcmp(p->name, "75")) s->item(p->name, NULL, p->help);
  s->end_items();
}

/* "audiomood-train" as a part of "audiomood-train(1), audiomood-config(5)". */
static void see_also(const manual_style *s, int level, const char *but) {
  char text[2048] = "";
  size_t used = 0;
  if (but) used += (size_t)snprintf(text, sizeof text, "audiomood(1), ");
  for (const cli_command *const *c = cli_commands; *c && used < sizeof text; c++)
    if (!but || strcmp(but, (*c)->name))
      used += (size_t)snprintf(text + used, sizeof text - used, "audiomood-%s(1), ", (*c)->name);
  if (used < sizeof text) snprintf(text + used, sizeof text - used, "audiomood-config(5)");
  s->heading(level, "SEE ALSO");
  s->text(text);
}

static void page_overview(const manual_style *s) {
  s->title("audiomood", 1, "emotion in speech: train, evaluate, predict");
  s->usage("audiomood", "COMMAND ...");
  s->usage("audiomood", "help [WORD]");
  s->usage("audiomood", "--version");
  s->heading(1, "DESCRIPTION");
  s->text(
      "audiomood goes from labelled recordings to a trained model, its accuracy for each emotion, and predictions on "
      "new "
      "sounds. Config files drive it, which audiomood-config(5) describes. Results go to standard output, and all else "
      "to standard error. Each command has a page of its own, and 'audiomood COMMAND --help'.\n\n"
      "A model knows the emotions that the actors of its corpus portrayed, in that language, with those microphones. "
      "What a voice sounds like is not what a person feels, and the program is not for decisions about people.");
  s->heading(1, "COMMANDS");
  for (const cli_command *const *c = cli_commands; *c; c++) s->item((*c)->name, NULL, (*c)->summary);
  s->item("help", "WORD", "explains a command, a section of a config, a layer, 'layers', 'conditions' or 'licences'");
  s->end_items();
  s->heading(1, "OPTIONS");
  s->text("All commands take these:");
  for (const cli_flag *f = cli_common_flags; f->name; f++) {
    char name[64];
    snprintf(name, sizeof name, "--%s", f->name);
    s->item(name, f->argument, f->help);
  }
  s->end_items();
  s->heading(1, "ENVIRONMENT");
  pairs(s, environment);
  exits(s, true);
  s->heading(1, "EXAMPLES");
  for (const pair *e = examples; e->name; e++) {
    s->text(e->name);
    s->code(e->help);
  }
  see_also(s, 1, NULL);
}

static void flags(const manual_style *s, const cli_flag *f) {
  for (; f && f->name; f++) {
    char name[64];
    snprintf(name, sizeof name, "--%s%s", f->name, strcmp(f->name, "out") ? "" : ", -o");
    s->item(name, f->argument, f->help);
  }
  s->end_items();
}

static bool takes(const cli_command *command, const char *argument) {
  for (const cli_flag *f = command->flags; f && f->name; f++)
    if (f->argument && strcmp(f->argument, argument) == 0) return true;
  return false;
}

static void conditions(const manual_style *s, int level) {
  size_t n;
  const am_condition *all = am_condition_all(&n);
  s->heading(level, "CONDITIONS");
  for (size_t i = 0; i < n; i++) s->item(all[i].name, NULL, all[i].help);
  s->end_items();
}

/* Below headings of `level` - 1. */
static void command_parts(const manual_style *s, const cli_command *command, int level) {
  s->heading(level, "OPTIONS");
  flags(s, command->flags);
  for (const am_variant *const *v = am_exchanges; command->own && *v; v++) {
    const am_option *o = command->own(am_exchange_find((*v)->name));
    char text[256], words[512];
    snprintf(text, sizeof text, "Format %s: %s. Its options:", (*v)->name, (*v)->help);
    if (o && o->name) s->text(text);
    for (; o && o->name; o++) {
      char name[64];
      const char *choices = am_option_words(o, words);
      snprintf(name, sizeof name, "--%s", o->name);
      s->item(name, choices ? choices : "N", o->help);
    }
    s->end_items();
  }
  if (takes(command, "CONDITION")) conditions(s, level);
}

static void page_command(const manual_style *s, const cli_command *command) {
  char name[64];
  snprintf(name, sizeof name, "audiomood-%s", command->name);
  s->title(name, 1, command->summary);
  snprintf(name, sizeof name, "audiomood %s", command->name);
  s->usage(name, command->usage);
  s->heading(1, "DESCRIPTION");
  snprintf(name, sizeof name, "audiomood %s ", command->name);
  char summary[256];
  snprintf(summary, sizeof summary, "%s%s.", name, command->summary);
  s->text(summary);
  if (command->details) s->text(command->details);
  command_parts(s, command, 1);
  s->heading(1, "COMMON OPTIONS");
  flags(s, cli_common_flags);
  exits(s, command->resumes);
  see_also(s, 1, command->name);
}

static void page_commands(const manual_style *s) {
  char name[64];
  s->title("audiomood", 1, "all commands");
  s->heading(1, "Options of all commands");
  flags(s, cli_common_flags);
  for (const cli_command *const *c = cli_commands; *c; c++) {
    s->heading(1, (*c)->name);
    snprintf(name, sizeof name, "audiomood %s", (*c)->name);
    s->usage(name, (*c)->usage);
    s->text((*c)->summary);
    if ((*c)->details) s->text((*c)->details);
    command_parts(s, *c, 2);
  }
}

/* ---- config ---- */

/* Tables that several variants share are written once. */
static void variants(const manual_style *s, const am_option *table) {
  for (const am_option *o = table; o->name; o++)
    for (size_t i = 0; o->variants && o->variants[i]; i++) {
      const am_variant *v = o->variants[i];
      char text[512];
      size_t first = 0;
      while (o->variants[first]->own != v->own) first++;
      const bool shared = v->own && first < i;
      snprintf(text, sizeof text, "%s %s", o->name, v->name);
      s->heading(3, text);
      snprintf(text, sizeof text, "%s%s%s.", v->help, shared ? "; settings of its own as with " : "",
               shared ? o->variants[first]->name : "");
      s->text(text);
      if (v->own && !shared) s->options(v->own);
    }
}

static void layers(const manual_style *s) {
  size_t n, n_blocks;
  const am_layer_class *const *all = am_layer_all(&n);
  const am_block *blocks = am_block_all(&n_blocks);
  s->heading(1, "LAYERS");
  s->text(
      "The list model.layers goes from the input to the output. An entry is a map of one key, the type, to its "
      "options; "
      "or the type alone. These keys may be in the options of each:");
  s->options(am_item_table);
  for (size_t i = 0; i < n; i++) {
    if (all[i]->max_inputs > 1) continue; /* of blocks, never written in a config */
    s->heading(2, all[i]->type);
    s->text(all[i]->help);
    if (all[i]->table) s->options(all[i]->table);
  }
  s->heading(1, "BLOCKS");
  s->text("Entries of the same list that become several layers.");
  for (size_t i = 0; i < n_blocks; i++) {
    char text[160];
    s->heading(2, blocks[i].type);
    s->text(blocks[i].help);
    snprintf(text, sizeof text, "The activation behind it is %s, when none is given.", blocks[i].activation);
    if (blocks[i].activation) s->text(text);
    if (blocks[i].table) s->options(blocks[i].table);
  }
}

static void page_config(const manual_style *s) {
  s->title("audiomood-config", 5, "what is trained, on what, and how");
  s->heading(1, "DESCRIPTION");
  s->text(
      "A config is a YAML or JSON file, a map of sections. An unknown key is an error that names line, column and the "
      "nearest known key. Paths are relative to the folder in which the command runs, not to the config.\n\n"
      "On the command line '--set KEY=VALUE' replaces one setting; KEY is the section, a dot and the key, as in "
      "'--set train.optimiser.learning_rate=0.0005', and VALUE is YAML. Keys of the top have no dot: '--set seed=7'. "
      "'audiomood inspect CONFIG --effective' prints a config with every default filled in.\n\n"
      "Types: int, real and bool are single values; bytes is an amount of memory, such as 400MB or 2GB; a word is one "
      "of "
      "those listed; ints, reals, texts and words are lists, and one alone is a list of one; a map or list is "
      "explained with its key.");
  s->heading(1, "EXAMPLE");
  s->code(
      "name: mine\n"
      "data: {corpus: manifest, root: my-recordings, manifest: my-recordings/list.csv}\n"
      "split: {kind: speaker, validation: 0.15, test: 0.2}\n"
      "features: {kind: log_mel, sample_rate: 16000, mels: 64, normalise: clip}\n"
      "model:\n"
      "  layers:\n"
      "    - conv2d: {filters: 32, kernel: 3, padding: same, activation: relu}\n"
      "    - to_sequence\n"
      "    - gru: {units: 64}\n"
      "    - dense: {}\n"
      "train: {epochs: 30, batch: 32}\n");
  s->heading(1, "SECTIONS");
  for (const cli_section *c = cli_sections; c->name; c++) {
    char text[256];
    const bool top = c == cli_sections;
    s->heading(2, top ? "the top" : c->name);
    snprintf(text, sizeof text, "%s.", c->summary);
    if (!top) s->text(text);
    s->options(c->table);
    variants(s, c->table);
  }
  layers(s);
  s->heading(1, "SEE ALSO");
  s->text("audiomood(1), audiomood-train(1), audiomood-inspect(1)");
}

bool manual_page(const manual_style *s, const char *word) {
  const cli_command *command = cli_command_find(word, cli_commands);
  if (strcmp(word, "audiomood") == 0) page_overview(s);
  else if (strcmp(word, "config") == 0) page_config(s);
  else if (strcmp(word, "commands") == 0 && s == &manual_markdown) page_commands(s);
  else if (command) page_command(s, command);
  else return false;
  return true;
}

void manual_list(void) {
  printf("audiomood audiomood.1\n");
  for (const cli_command *const *c = cli_commands; *c; c++) printf("%s audiomood-%s.1\n", (*c)->name, (*c)->name);
  printf("config audiomood-config.5\n");
}
