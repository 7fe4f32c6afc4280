/* SPDX-License-Identifier: MIT */
/* model/config.c - the configuration file: every section through its option table. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "io/yaml.h"
#include "model/config.h"
#include "nn/groups.h"

/* What the file holds at its top. */
typedef struct top {
  const char *name, *description, *cache;
  int64_t seed;
  const am_value *data, *split, *features, *augment, *model, *train, *tune;
} top;

#define TOP(member) offsetof(top, member)
const am_option am_config_table[] = {
    {"name", AM_OPT_TEXT, TOP(name), "", 0, 0, NULL, "name of the experiment; default the file's name"},
    {"description", AM_OPT_TEXT, TOP(description), "", 0, 0, NULL, "free text"},
    {"seed", AM_OPT_INT, TOP(seed), "42", 0, 9.2e18, NULL, "of weights, order, dropout and augmentation"},
    {"cache", AM_OPT_TEXT, TOP(cache), "cache", 0, 0, NULL, "folder of the feature cache; \"\" for none"},
    {"data", AM_OPT_MAP, TOP(data), "", 0, 0, NULL, "the corpus"},
    {"split", AM_OPT_MAP, TOP(split), "", 0, 0, NULL, "training, validation and test part"},
    {"features", AM_OPT_MAP, TOP(features), "", 0, 0, NULL, "from sound to the matrix a model sees"},
    {"augment", AM_OPT_MAP, TOP(augment), "", 0, 0, NULL, "random changes of training clips"},
    {"model", AM_OPT_MAP, TOP(model), NULL, 0, 0, NULL, "layers: the list of layers"},
    {"train", AM_OPT_MAP, TOP(train), "", 0, 0, NULL, "how it is trained"},
    {"tune", AM_OPT_MAP, TOP(tune), "", 0, 0, NULL, "settings that audiomood tune tries; all else passes over it"},
    AM_OPTION_END};

typedef struct model_section {
  const am_value *layers;
} model_section;
const am_option am_model_table[] = {
    {"layers", AM_OPT_LIST, offsetof(model_section, layers), NULL, 0, 0, NULL, "list of layers, input to output"},
    AM_OPTION_END};

#define TRAIN(member) offsetof(am_train_options, member)
const am_option am_train_table[] = {
    {"epochs", AM_OPT_INT, TRAIN(epochs), "15", 1, 1e9, NULL, "passes over the training part"},
    {"batch", AM_OPT_INT, TRAIN(batch), "32", 1, 65536, NULL, "clips a step; the last one of an epoch may be short"},
    {"groups", AM_OPT_INT, TRAIN(groups), "8", 1, AM_MOST_GROUPS, NULL,
     "parts of a batch, each summed by itself: as many processes can train together (docs/cluster.md)"},
    {"split_slots", AM_OPT_BOOL, TRAIN(split_slots), "false", 0, 0, NULL,
     "of several processes each keeps what the optimiser remembers of a part of the weights, which takes less memory "
     "and "
     "longer; the results are the same"},
    {"monitor", AM_OPT_CHOICE, TRAIN(monitor), "validation_loss", 0, 0, AM_WORDS(AM_MONITORS),
     "what chooses the best epoch; last: the last one is taken"},
    {"class_weights", AM_OPT_CHOICE, TRAIN(class_weights), "none", 0, 0, AM_WORDS(AM_CLASS_WEIGHTS),
     "weights of the loss; balanced: n / (classes * count)"},
    {"balance", AM_OPT_CHOICES, TRAIN(balance), "[]", 0, 0, AM_WORDS(AM_BALANCES),
     "draw every class, every corpus, or of every corpus every class equally often"},
    {"balanced_sampler", AM_OPT_BOOL, TRAIN(balanced_sampler), "false", 0, 0, NULL, "the same as balance: label"},
    {"bucket", AM_OPT_BOOL, TRAIN(bucket), "false", 0, 0, NULL, "batches of clips of similar length"},
    {"ema", AM_OPT_REAL, TRAIN(ema), "0", 0, 0.999999, NULL,
     "decay of averaged weights, which are then evaluated; 0 off"},
    {"early_stopping", AM_OPT_INT, TRAIN(early_stopping), "0", 0, 1e9, NULL, "epochs without a better monitor; 0 off"},
    {"save_minutes", AM_OPT_REAL, TRAIN(save_minutes), "0", 0, 1e6, NULL,
     "also save within epochs, every so many minutes; 0 off"},
    {"save_seconds", AM_OPT_REAL, TRAIN(save_seconds), "2", 0, 1e6, NULL,
     "the end of an epoch is saved when the last save is so many seconds old; 0: of every epoch"},
    {"tensorboard", AM_OPT_BOOL, TRAIN(tensorboard), "false", 0, 0, NULL,
     "also write the figures of each epoch to a file for TensorBoard, in the folder of the run"},
    {"max_steps", AM_OPT_INT, TRAIN(max_steps), "0", 0, 9.2e18, NULL, "pause the run after so many steps; 0 off"},
    {"calibrate", AM_OPT_CHOICE, TRAIN(calibrate), "none", 0, 0, AM_WORDS(AM_CALIBRATIONS),
     "how sure the best model says it is: temperature is fitted to the validation part"},
    {"wanted_precision", AM_OPT_REAL, TRAIN(wanted_precision), "0", 0, 0.99, NULL,
     "thresholds below which answers are uncertain, fitted so that this share of the others is right; 0 off"},
    {"auxiliary", AM_OPT_MAP, TRAIN(auxiliary), "", 0, 0, NULL,
     "what heads predict beside the class in training (speaker, gender, intensity, ...: a column of predictions.csv) "
     "-> weight of their gradient in the net, as in {intensity: 0.2, speaker: -0.1}; below 0 it is reversed, so that "
     "the net forgets it, and 0 only looks"},
    {"auxiliary_ramp", AM_OPT_CHOICE, TRAIN(auxiliary_ramp), "none", 0, 0, AM_WORDS(AM_AUXILIARY_RAMPS),
     "weights of auxiliary below 0 grow from 0 over the training (reversed), or are always as they are (none)"},
    {"targets", AM_OPT_TEXT, TRAIN(targets), "", 0, 0, NULL,
     "table of what other models say of the training clips, which is learned beside the labels (audiomood distil)"},
    {"targets_digest", AM_OPT_TEXT, TRAIN(targets_digest), "", 0, 0, NULL, "the digest of that file"},
    {"targets_share", AM_OPT_REAL, TRAIN(targets_share), "0.5", 0, 1, NULL,
     "how much of a target is theirs; the rest is the label"},
    {"targets_temperature", AM_OPT_REAL, TRAIN(targets_temperature), "1", 0.1, 100, NULL,
     "their probabilities to the power of 1 / this: above 1 they count as less sure"},
    {"precision", AM_OPT_CHOICE, TRAIN(precision), "float32", 0, 0, AM_WORDS(AM_PRECISIONS),
     "of the numbers that convolutions of 16 channels and more multiply in training steps: bf16 rounds them to "
     "bfloat16; sums, weights, validation and checkpoints are float32"},
    {"loss", AM_OPT_MAP, TRAIN(loss), "", 0, 0, NULL, "the loss"},
    {"optimiser", AM_OPT_MAP, TRAIN(optimiser), "", 0, 0, NULL, "the optimiser"},
    {"schedule", AM_OPT_MAP, TRAIN(schedule), "", 0, 0, NULL, "the learning rate over the run"},
    AM_OPTION_END};

/* ---- overrides ---- */

static void forget_lines(am_value *v, const char *source) {
  v->source = source;
  v->line = v->column = v->key_line = v->key_column = 0;
  for (am_value *child = v->first; child; child = child->next) forget_lines(child, source);
}

static am_status set_override(am_context *ctx, am_tree *tree, const char *text, am_error *err) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text)
    return am_fail(err, AM_E_USAGE, AM_CONFIG_OVERRIDE ": \"%s\" is not of the form key=value, such as train.epochs=3",
                   text);
  /* `key=` means an empty text, which YAML would read as nothing at all. */
  am_value *value = equals[1] ? NULL : am_value_text(tree, "", true);
  am_status status = AM_OK;
  if (equals[1]) status = am_yaml_read_text(tree, equals + 1, strlen(equals + 1), AM_CONFIG_OVERRIDE, &value, err);
  if (status) return status;
  if (!value) return am_no_memory(err);
  forget_lines(value, am_tree_string(tree, AM_CONFIG_OVERRIDE));
  char *path = am_format(ctx, "%.*s", (int)(equals - text), text);
  status = path ? am_value_set(tree, path, value, err) : am_no_memory(err);
  am_free(ctx, path);
  return status;
}

/* ---- reading ---- */

static am_status read_train(am_config *c, const am_value *section, am_error *err) {
  am_tree *tree = c->tree;
  am_status status = am_options_read(tree, am_train_table, section, "train", &c->train, err);
  if (!status && c->train.balanced_sampler) c->train.balance |= AM_BALANCE_LABEL;
  if (!status) status = am_options_read(tree, am_loss_table, c->train.loss, "train.loss", &c->loss, err);
  if (!status && c->data.target == AM_TARGET_DIMENSIONS && !am_value_get(c->train.loss, "kind"))
    c->loss.kind = AM_LOSS_CCC;
  if (!status)
    status = am_options_read(tree, am_optimiser_table, c->train.optimiser, "train.optimiser", &c->optimiser, err);
  if (!status)
    status = am_options_read(tree, am_schedule_table, c->train.schedule, "train.schedule", &c->schedule, err);
  return status;
}

static am_status check_auxiliary(const am_value *heads, am_error *err) {
  double weight;
  for (const am_value *v = heads ? heads->first : NULL; v; v = v->next) {
    if (!am_value_to_real(v, &weight) || !(fabs(weight) <= 1000))
      return am_fail_at(err, v, "train.auxiliary.%s: wanted a weight, a number from -1000 to 1000", v->key);
    if (am_value_get(heads, v->key) != v)
      return am_fail_at_key(err, v, "key \"%s\" in train.auxiliary is given twice", v->key);
  }
  return AM_OK;
}

/* What a table cannot say. */
static am_status check(const am_config *c, am_error *err) {
  const am_value *schedule = c->train.schedule;
  if (c->schedule.kind == AM_SCHEDULE_ONE_CYCLE && c->schedule.warmup_epochs > 0)
    return am_fail_at(err, am_value_get(schedule, "warmup_epochs"),
                      "train.schedule.warmup_epochs: one_cycle rises by itself; leave it out, or set peak_at");
  if (c->schedule.warmup_epochs > (double)c->train.epochs)
    return am_fail_at(err, am_value_get(schedule, "warmup_epochs"),
                      "train.schedule.warmup_epochs: %g is more than the %lld epochs of the run",
                      c->schedule.warmup_epochs, (long long)c->train.epochs);
  if (c->train.monitor == AM_MONITOR_LAST && c->train.early_stopping > 0)
    return am_fail_at(err, am_value_get(am_value_get(am_tree_root(c->tree), "train"), "early_stopping"),
                      "train.early_stopping: with monitor last no epoch is worse than the one before; choose another "
                      "monitor, or leave it out");
  const bool by_label = c->train.balance & AM_BALANCE_LABEL;
  if (by_label && c->train.class_weights == AM_CLASS_WEIGHTS_BALANCED)
    return am_fail_at(err, NULL, "train: %s and class_weights balanced would correct twice; choose one of them",
                      c->train.balanced_sampler ? "balanced_sampler" : "balance: label");
  if (c->loss.prior_adjust != 0) {
    const am_value *at =
        am_value_get(am_value_get(am_value_get(am_tree_root(c->tree), "train"), "loss"), "prior_adjust");
    if (c->loss.kind != AM_LOSS_CROSS_ENTROPY && c->loss.kind != AM_LOSS_FOCAL)
      return am_fail_at(err, at, "train.loss.prior_adjust: only cross_entropy and focal compare logits with classes");
    if (by_label || c->train.class_weights == AM_CLASS_WEIGHTS_BALANCED)
      return am_fail_at(
          err, at,
          "train.loss.prior_adjust: balance label, balanced_sampler or class_weights balanced would correct "
          "twice; choose one of them");
    if (c->train.balance)
      return am_fail_at(err, at,
                        "train.loss.prior_adjust: it counts the clips of each class, and balance corpus draws others; "
                        "choose one of them");
  }
  if (c->loss.contrastive > 0 && (c->augment.mixup > 0 || c->train.batch < 2)) {
    const am_value *at =
        am_value_get(am_value_get(am_value_get(am_tree_root(c->tree), "train"), "loss"), "contrastive");
    if (c->train.batch < 2)
      return am_fail_at(err, at, "train.loss.contrastive: it compares the clips of a batch, and train.batch is 1");
    return am_fail_at(
        err, at,
        "train.loss.contrastive: it needs clips of one class each, and augment.mixup mixes them; choose one "
        "of them");
  }
  if (c->features.kind == AM_FEATURE_FUNCTIONALS && c->augment.vtlp.n)
    return am_fail_at(
        err, am_value_get(am_value_get(am_tree_root(c->tree), "augment"), "vtlp"),
        "augment.vtlp: it warps the mel filters of log_mel, mel and mfcc, and features.kind is functionals");
  am_status status = am_optimiser_check(&c->optimiser, c->train.optimiser, err);
  if (!status) status = check_auxiliary(c->train.auxiliary, err);
  if (!status) status = am_config_check_target(c, err);
  return status ? status : am_augment_check(&c->augment, err);
}

static am_status read_sections(am_config *c, am_error *err) {
  am_tree *tree = c->tree;
  top t;
  model_section model;
  am_status status = am_options_read(tree, am_config_table, am_tree_root(tree), "the config", &t, err);
  if (!status) status = am_options_read(tree, am_data_table, t.data, "data", &c->data, err);
  if (!status) status = am_options_read(tree, am_split_table, t.split, "split", &c->split, err);
  if (!status) status = am_options_read(tree, am_feature_table, t.features, "features", &c->features, err);
  if (!status) status = am_options_read(tree, am_augment_table, t.augment, "augment", &c->augment, err);
  if (!status) status = am_options_read(tree, am_model_table, t.model, "model", &model, err);
  if (!status) status = read_train(c, t.train, err);
  if (status) return status;
  c->description = t.description;
  c->cache = t.cache;
  c->seed = (uint64_t)t.seed;
  c->layers = model.layers;
  c->tune = t.tune;
  c->name = t.name;
  if (*c->name) return AM_OK;
  const char *base = am_path_base(c->file);
  char *name = am_tree_take(tree, strlen(base) + 1, 1);
  if (!name) return am_no_memory(err);
  memcpy(name, base, strlen(base));
  char *dot = strrchr(name, '.');
  if (dot && dot != name) *dot = '\0';
  c->name = name;
  return AM_OK;
}

/* A stored config of before holds the settings of all corpora and optimisers. */
static void drop_others(am_value *root) {
  am_value *data = am_value_get(root, "data"), *corpora = am_value_get(data, "corpora");
  for (am_value *item = corpora && corpora->kind == AM_LIST ? corpora->first : NULL; item; item = item->next)
    am_options_drop_others(am_data_table, item);
  am_options_drop_others(am_data_table, data);
  am_options_drop_others(am_optimiser_table, am_value_find(root, "train.optimiser"));
}

/* ---- the effective config ---- */

static am_status emit(am_tree *tree, am_value *parent, const char *key, const am_option *table, const void *in,
                      am_error *err) {
  am_value *section;
  am_status status = am_options_emit(tree, table, in, &section, err);
  return status ? status : am_value_add(tree, parent, key, section, err);
}

static am_status emit_train(am_tree *tree, const am_config *c, am_value *root, am_error *err) {
  am_train_options filled = c->train; /* with sub-sections that have every default */
  am_value *loss, *optimiser, *schedule;
  am_status status = am_options_emit(tree, am_loss_table, &c->loss, &loss, err);
  if (!status) status = am_options_emit(tree, am_optimiser_table, &c->optimiser, &optimiser, err);
  if (!status) status = am_options_emit(tree, am_schedule_table, &c->schedule, &schedule, err);
  if (status) return status;
  filled.loss = loss;
  filled.optimiser = optimiser;
  filled.schedule = schedule;
  return emit(tree, root, "train", am_train_table, &filled, err);
}

static am_status make_effective(am_config *c, am_error *err) {
  am_status status = am_tree_create(c->ctx, &c->effective, err);
  if (status) return status;
  am_tree *tree = c->effective;
  if (am_tree_stored(c->tree)) am_tree_set_stored(tree);
  am_value *root = am_value_new(tree, AM_MAP);
  if (!root) return am_no_memory(err);
  am_tree_set_root(tree, root);
  am_value *layers = NULL;
  status = am_layers_fill(tree, c->layers, &layers, err);
  model_section model = {layers};
  if (am_tree_stored(tree)) c->layers = layers; /* what it does not say and then meant is written out there */
  if (!status) status = am_value_add(tree, root, "name", am_value_text(tree, c->name, true), err);
  if (!status) status = am_value_add(tree, root, "description", am_value_text(tree, c->description, true), err);
  if (!status) status = am_value_add(tree, root, "seed", am_value_int(tree, (int64_t)c->seed), err);
  if (!status) status = am_value_add(tree, root, "cache", am_value_text(tree, c->cache, true), err);
  if (!status) status = emit(tree, root, "data", am_data_table, &c->data, err);
  if (!status) status = emit(tree, root, "split", am_split_table, &c->split, err);
  if (!status) status = emit(tree, root, "features", am_feature_table, &c->features, err);
  if (!status) status = emit(tree, root, "augment", am_augment_table, &c->augment, err);
  if (!status) status = emit(tree, root, "model", am_model_table, &model, err);
  return status ? status : emit_train(tree, c, root, err);
}

/* ---- loading ---- */

/* Takes over `tree`, also on failure. */
static am_status config_from_tree(am_context *ctx, am_tree *tree, const char *file, const char *const *overrides,
                                  size_t n, am_config **out, am_error *err) {
  am_config *c = am_alloc(ctx, 1, sizeof *c);
  if (!c) {
    am_tree_free(tree);
    return am_no_memory(err);
  }
  c->ctx = ctx;
  c->tree = tree;
  c->file = am_tree_string(tree, file);
  am_status status = c->file ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < n && !status; i++) status = set_override(ctx, tree, overrides[i], err);
  if (!status && am_tree_stored(tree)) drop_others(am_tree_root(tree));
  if (!status) status = read_sections(c, err);
  if (!status) status = check(c, err);
  if (!status) status = make_effective(c, err);
  if (status) {
    am_config_free(c);
    return status;
  }
  *out = c;
  return AM_OK;
}

static am_status load(am_context *ctx, const char *file, bool stored, const char *const *overrides, size_t n,
                      am_config **out, am_error *err) {
  *out = NULL;
  am_tree *tree;
  am_status status = am_yaml_read_file(ctx, file, &tree, err);
  if (status) return status;
  if (stored) am_tree_set_stored(tree);
  return config_from_tree(ctx, tree, file, overrides, n, out, err);
}

/* Of the two public calls; `text` is the file's name or its content. */
static am_status check_arguments(am_context *ctx, const char *text, const char *const *overrides, size_t n,
                                 am_config **out, am_error *err) {
  am_status status = AM_NEED(err, out);
  if (status) return status;
  *out = NULL;
  status = AM_NEED(err, ctx);
  if (!status && !text) status = am_fail(err, AM_E_USAGE, "a config is wanted: its file, or text, may not be NULL");
  if (!status && n) status = AM_NEED(err, overrides);
  for (size_t i = 0; overrides && i < n && !status; i++) status = AM_NEED(err, overrides[i]);
  return status;
}

am_status am_config_load(am_context *ctx, const char *file, const char *const *overrides, size_t n, am_config **out,
                         am_error *err) {
  am_status status = check_arguments(ctx, file, overrides, n, out, err);
  if (status) return status;
  return load(ctx, file, false, overrides, n, out, err);
}

am_status am_config_load_stored(am_context *ctx, const char *file, const char *const *overrides, size_t n,
                                am_config **out, am_error *err) {
  return load(ctx, file, true, overrides, n, out, err);
}

/* A config of which data and split are all that is wanted gets the model of `trained`, or, where nothing is, the least there is. */
static am_status borrow_model(am_tree *tree, const am_config *trained, am_error *err) {
  static const char least[] = "{layers: [dense: {}]}";
  am_value *root = am_tree_root(tree), *model = NULL;
  am_status status = AM_OK;
  if (root->kind != AM_MAP || am_value_find(root, "model")) return AM_OK;
  if (trained) model = am_value_copy(tree, am_value_find(am_tree_root(trained->effective), "model"));
  else status = am_yaml_read_text(tree, least, sizeof least - 1, "model", &model, err);
  return status ? status : am_value_add(tree, root, "model", model, err);
}

am_status am_config_of_corpus(am_context *ctx, const char *corpus, const char *key, const char *file,
                              const am_config *trained, const char *const *overrides, size_t n, am_config **out,
                              am_error *err) {
  *out = NULL;
  am_tree *tree;
  am_status status = am_tree_create(ctx, &tree, err);
  if (status) return status;
  am_value *root = am_value_new(tree, AM_MAP), *data = am_value_new(tree, AM_MAP);
  status = root && data ? AM_OK : am_no_memory(err);
  if (!status) am_tree_set_root(tree, root);
  if (!status) status = am_value_add(tree, data, "corpus", am_value_text(tree, corpus, true), err);
  if (!status) status = am_value_add(tree, data, key, am_value_text(tree, file, true), err);
  if (!status) status = am_value_add(tree, root, "data", data, err);
  if (!status) status = borrow_model(tree, trained, err);
  if (!status) return config_from_tree(ctx, tree, file, overrides, n, out, err);
  am_tree_free(tree);
  return status;
}

am_status am_config_load_data(am_context *ctx, const char *file, const am_config *trained, const char *const *overrides,
                              size_t n, am_config **out, am_error *err) {
  *out = NULL;
  am_tree *tree;
  am_status status = am_yaml_read_file(ctx, file, &tree, err);
  if (status) return status;
  status = borrow_model(tree, trained, err);
  if (!status) return config_from_tree(ctx, tree, file, overrides, n, out, err);
  am_tree_free(tree);
  return status;
}

static am_status from_text(am_context *ctx, const char *yaml, const char *name, bool stored,
                           const char *const *overrides, size_t n, am_config **out, am_error *err) {
  *out = NULL;
  am_tree *tree;
  am_status status = am_tree_create(ctx, &tree, err);
  if (status) return status;
  if (stored) am_tree_set_stored(tree);
  am_value *root;
  status = am_yaml_read_text(tree, yaml, strlen(yaml), name, &root, err);
  if (status) {
    am_tree_free(tree);
    return status;
  }
  am_tree_set_root(tree, root);
  return config_from_tree(ctx, tree, name, overrides, n, out, err);
}

am_status am_config_from_text(am_context *ctx, const char *yaml, const char *name, const char *const *overrides,
                              size_t n, am_config **out, am_error *err) {
  am_status status = check_arguments(ctx, yaml, overrides, n, out, err);
  if (status) return status;
  return from_text(ctx, yaml, name ? name : "(a config in memory)", false, overrides, n, out, err);
}

am_status am_config_from_stored(am_context *ctx, const char *yaml, const char *name, const char *const *overrides,
                                size_t n, am_config **out, am_error *err) {
  return from_text(ctx, yaml, name, true, overrides, n, out, err);
}

void am_config_free(am_config *c) {
  if (!c) return;
  am_tree_free(c->tree);
  am_tree_free(c->effective);
  am_free(c->ctx, c);
}

am_status am_config_text(am_config *config, am_buffer *yaml, am_error *err) {
  am_yaml_write(config->ctx, am_tree_root(config->effective), yaml);
  return yaml->failed ? am_no_memory(err) : AM_OK;
}

bool am_config_calibrates(const am_config *config) {
  return config->train.calibrate != AM_CALIBRATE_NONE || config->train.wanted_precision > 0;
}

am_status am_config_model(const am_config *config, int frames, int bins, bool variable, int classes, am_model **out,
                          am_error *err) {
  am_status given = AM_NEED(err, out);
  if (given) return given;
  *out = NULL;
  if ((given = AM_NEED(err, config))) return given;
  am_error as_map = AM_ERROR_INIT, as_sequence = AM_ERROR_INIT;
  am_shape map = {.rank = 3, .t = frames, .f = bins, .c = 1, .variable = variable};
  am_shape sequence = {.rank = 2, .t = frames, .f = 1, .c = bins, .variable = variable};
  const am_precision precision = (am_precision)config->train.precision;
  am_status status = am_model_create_precise(config->ctx, config->layers, map, classes, precision, out, &as_map);
  if (!status) return AM_OK;
  if (status != AM_E_SHAPE && status != AM_E_CONFIG) return am_fail(err, status, "%s", as_map.message);
  if (am_model_create_precise(config->ctx, config->layers, sequence, classes, precision, out, &as_sequence) == AM_OK)
    return AM_OK;
  if (!strcmp(as_map.message, as_sequence.message)) return am_fail(err, status, "%s", as_map.message);
  return am_fail(err, status, "%s; and with clips as sequences (T,F): %s", as_map.message, as_sequence.message);
}
