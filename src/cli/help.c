/* SPDX-License-Identifier: MIT */
/* cli/help.c - audiomood help: the commands; the sections of a config and the layers, from the tables they are read by. */
#include <ctype.h>
#include <string.h>

#include "audio/condition.h"
#include "cli/cli.h"
#include "nn/block.h"
#include "nn/item.h"
#include "nn/registry.h"
#include "study/tune.h"

const cli_section cli_sections[] = {
    {"config", "a map is a section of its own, as in 'help data'", am_config_table},
    {"data", "the corpus", am_data_table},
    {"split", "its training, validation and test part", am_split_table},
    {"features", "from sound to the matrix a model sees", am_feature_table},
    {"augment", "random changes of training clips", am_augment_table},
    {"model", "what is trained; 'help layers' lists what it is made of", am_model_table},
    {"train", "how it is trained; also 'help train.loss', 'help train.optimiser', 'help train.schedule'",
     am_train_table},
    {"train.loss", "what training makes small", am_loss_table},
    {"train.optimiser", "how weights follow the gradient", am_optimiser_table},
    {"train.schedule", "the learning rate over the run", am_schedule_table},
    {"tune", "what audiomood tune tries (docs/tune.md)", am_tune_table},
    {0},
};
enum { SECTIONS = sizeof cli_sections / sizeof *cli_sections - 1, MOST_OPTIONS = 32, MOST_WORDS = 128 };

static const cli_section *find_section(const char *name) {
  for (size_t i = 0; i < SECTIONS; i++)
    if (strcmp(cli_sections[i].name, name) == 0) return &cli_sections[i];
  return NULL;
}

/* ---- tables ---- */

static bool has_lists(const am_option *table) {
  for (; table && table->name; table++) {
    if (table->type == AM_OPT_INTS || table->type == AM_OPT_REALS || table->type == AM_OPT_TEXTS ||
        table->type == AM_OPT_CHOICES)
      return true;
    for (const am_variant *const *v = table->variants; v && *v; v++)
      if (has_lists((*v)->own)) return true;
  }
  return false;
}

static int print_table(const am_option *table) {
  am_settings settings = {.size = sizeof settings, .threads = 1};
  am_context *ctx = NULL;
  am_error err = AM_ERROR_INIT;
  am_buffer text = {0};
  am_status st = am_context_create(&settings, &ctx, &err);
  if (!st) {
    am_options_help(ctx, table, &text);
    if (text.failed) st = am_no_memory(&err);
  }
  if (!st) {
    cli_print("\n");
    cli_put_lines(stdout, text.data);
  }
  if (!st && has_lists(table)) cli_print("\nints, reals, texts and words are lists; one alone is a list of one.\n");
  if (st) cli_fprint(stderr, "audiomood: %s\n", err.message[0] ? err.message : am_status_name(st));
  if (ctx) am_buffer_free(ctx, &text);
  am_context_free(ctx);
  return st ? 1 : 0;
}

static int help_section(const cli_section *s) {
  bool top = s->table == am_config_table;
  cli_print("%s%s of a config: %s.\n", top ? "The top" : "Section ", top ? "" : s->name, s->summary);
  int code = print_table(s->table);
  if (!code) cli_print("\nOn the command line: --set %s%sKEY=VALUE\n", top ? "" : s->name, top ? "" : ".");
  return code;
}

/* ---- layers ---- */

/* Own options first, then those that every layer takes.  `activation`: that of a block when none is given. */
static int help_item(const char *type, const char *help, const am_option *own, const char *activation) {
  am_option all[MOST_OPTIONS] = {{0}};
  size_t n = 0;
  for (; own && own->name && n + 1 < MOST_OPTIONS; own++) all[n++] = *own;
  for (const am_option *o = am_item_table; o->name && n + 1 < MOST_OPTIONS; o++) {
    all[n] = *o;
    if (activation && strcmp(o->name, "activation") == 0) all[n].fallback = activation;
    n++;
  }
  cli_print("Layer %s: %s.\n", type, help);
  int code = print_table(all);
  if (!code) cli_print("\nIn the list model.layers of a config: - %s: {KEY: VALUE, ...}\n", type);
  return code;
}

static int help_layer(const am_layer_class *cls) {
  if (cls->max_inputs == 1) return help_item(cls->type, cls->help, cls->table, NULL);
  cli_print("Layer %s: %s.\n\nBlocks put it in; it is never written in a config, and has no options.\n", cls->type,
            cls->help);
  return 0;
}

static void print_layers(bool joins) {
  size_t n;
  const am_layer_class *const *all = am_layer_all(&n);
  for (size_t i = 0; i < n; i++)
    if ((all[i]->max_inputs > 1) == joins) cli_print("  %-19s  %s\n", all[i]->type, all[i]->help);
}

static int help_layers(void) {
  size_t n;
  const am_block *blocks = am_block_all(&n);
  cli_print(
      "The list model.layers of a config goes from the input to the output. An entry is `type: {options}`, or the\n"
      "type alone.\n\n");
  print_layers(false);
  cli_print("\nBlocks, which become several layers:\n\n");
  for (size_t i = 0; i < n; i++) cli_print("  %-19s  %s\n", blocks[i].type, blocks[i].help);
  cli_print("\nPut in by blocks, never written in a config:\n\n");
  print_layers(true);
  cli_print("\n'audiomood help LAYER' lists the options of one.\n");
  return 0;
}

/* ---- conditions ---- */

static int help_conditions(void) {
  size_t n;
  const am_condition *all = am_condition_all(&n);
  cli_print("What 'evaluate --under CONDITION' makes of every sound before a model hears it:\n\n");
  for (size_t i = 0; i < n; i++) cli_print("  %-10s  %s\n", all[i].name, all[i].help);
  return 0;
}

/* ---- words ---- */

/* "Batch-Norm", "batchnorm" and "batch_norms" become alike, "optimizer" what "optimiser" becomes, and "license" what "licences"
 * does. */
static void fold(const char *word, char *out, size_t size) {
  size_t n = 0;
  for (; *word && n + 1 < size; word++)
    if (*word != '_' && *word != '-' && *word != ' ' && *word != '.') out[n++] = (char)tolower((unsigned char)*word);
  for (size_t i = 0; i + 1 < n; i++)
    if (out[i] == 'i' && out[i + 1] == 'z') out[i + 1] = 's';
  for (size_t i = 1; i + 1 < n; i++)
    if (out[i - 1] == 'n' && out[i] == 's' && out[i + 1] == 'e') out[i] = 'c';
  while (n > 1 && out[n - 1] == 's') n--;
  out[n] = 0;
}

static bool alike(const char *a, const char *b) {
  char x[64], y[64];
  fold(a, x, sizeof x);
  fold(b, y, sizeof y);
  return !strcmp(x, y);
}

/* What a word means that is no name as it stands: another spelling, or the end of a section's name ("loss").  The word
 * itself where nothing is like it. */
static const char *meant(const char *word, const char *const *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(word, words[i])) return word;
  for (size_t i = 0; i < n; i++) {
    const char *dot = strchr(words[i], '.');
    if (alike(word, words[i]) || (dot && alike(word, dot + 1))) return words[i];
  }
  return word;
}

/* All that there is help on. */
static size_t all_words(const cli_command *const *commands, const char **words) {
  size_t n = 0, layers, blocks;
  const am_layer_class *const *all = am_layer_all(&layers);
  const am_block *block = am_block_all(&blocks);
  words[n++] = "layers";
  words[n++] = "conditions";
  words[n++] = "licences";
  for (; *commands && n < MOST_WORDS; commands++) words[n++] = (*commands)->name;
  for (size_t i = 0; i < SECTIONS && n < MOST_WORDS; i++) words[n++] = cli_sections[i].name;
  for (size_t i = 0; i < layers && n < MOST_WORDS; i++) words[n++] = all[i]->type;
  for (size_t i = 0; i < blocks && n < MOST_WORDS; i++) words[n++] = block[i].type;
  return n;
}

static int unknown_word(const char *word, const char *const *words, size_t n) {
  const char *near = am_nearest(word, words, n, sizeof *words), *ends[SECTIONS];
  size_t n_ends = 0;
  for (size_t i = 0; i < SECTIONS; i++)
    if (strchr(cli_sections[i].name, '.')) ends[n_ends++] = strchr(cli_sections[i].name, '.') + 1;
  if (!near) near = am_nearest(word, ends, n_ends, sizeof *ends);
  cli_fprint(stderr, "audiomood help: '%s' is no command, section of the config or layer", word);
  if (near) cli_fprint(stderr, "; did you mean '%s'?", near);
  cli_fprint(stderr,
             "\nRun 'audiomood --help' for the commands and sections, 'audiomood help layers' for the layers.\n");
  return 2;
}

int cli_help(const char *word, const cli_command *const *commands) {
  const char *words[MOST_WORDS];
  if (!word || word[0] == '-') {
    cli_print_overview(stdout, commands);
    return 0;
  }
  size_t n = all_words(commands, words);
  const char *given = word;
  word = meant(word, words, n);
  const cli_command *command = cli_command_find(word, commands);
  const cli_section *in_config = find_section(word);
  const am_layer_class *cls = am_layer_find(NULL, word);
  const am_block *block = am_block_find(word);
  if (command) cli_print_help(stdout, command);
  if (command && in_config) cli_print("\n"); /* train and features are both */
  if (in_config) return help_section(in_config);
  if (command) return 0;
  if (cls) return help_layer(cls);
  if (block) return help_item(block->type, block->help, block->table, block->activation);
  if (strcmp(word, "layers") == 0) return help_layers();
  if (strcmp(word, "conditions") == 0) return help_conditions();
  if (strcmp(word, "licences") == 0) return cli_help_licences();
  return unknown_word(given, words, n);
}
