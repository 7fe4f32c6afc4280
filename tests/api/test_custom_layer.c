/* SPDX-License-Identifier: MIT */
/* tests/api/test_custom_layer.c - layers of a program's own, and the check of gradients, by the public headers alone. */
#include "testing.h"

#include <math.h>
#include <pthread.h>

#include "audiomood/audiomood.h"

/* `affine`: y = gain * w[c] * x + offset of the channel, over every other frame where `halve` is.  `fault` makes it wrong. */
typedef enum fault {
  RIGHT,
  DW_HALF,
  DX_SIGN,
  FIRST_CLIP,
  ONE_CHANNEL,
  OUT_RANK,
  OUT_SIZE,
  LENGTH,
  TWO_NAMES,
  NO_SIZE,
  TOO_MANY
} fault;

typedef struct affine_options {
  double gain;
  int64_t fault;
  bool halve;
  int kind;
  const char *note;
  int worked_out; /* no option: for build */
} affine_options;

static const am_layer_option affine_table[] = {
    {"gain", AM_LAYER_REAL, offsetof(affine_options, gain), "1", -10, 10, NULL, "factor of all"},
    {"fault", AM_LAYER_INT, offsetof(affine_options, fault), "0", 0, 100, NULL, NULL},
    {"halve", AM_LAYER_BOOL, offsetof(affine_options, halve), "false", 0, 0, NULL, NULL},
    {"kind", AM_LAYER_CHOICE, offsetof(affine_options, kind), "plain", 0, 0, "plain|negative", NULL},
    {"note", AM_LAYER_TEXT, offsetof(affine_options, note), "nothing", 0, 0, NULL, NULL},
    AM_LAYER_OPTION_END,
};

static affine_options seen; /* by the last build */

static am_status build(am_layer *layer, am_error *err) {
  affine_options *o = layer->options;
  const am_shape in = layer->in[0];
  const int c = in.c;
  if (o->worked_out) return am_layer_fail(layer, err, AM_E_USAGE, "memory that no option names is not zero");
  o->worked_out = 1;
  seen = *o;
  if (in.rank < 2) return am_layer_fail(layer, err, AM_E_SHAPE, "no frames");
  layer->out = in;
  if (o->halve) layer->out.t = (in.t + 1) / 2;
  layer->backward_needs_x = true;
  am_layer_weight(layer, "scale", AM_INIT_UNIFORM_FAN_IN, 1, &c, 4, 4, true);
  if (o->fault != NO_SIZE) am_layer_weight(layer, "offset", AM_INIT_ZERO, 1, &c, c, c, false);
  else am_layer_weight(layer, "offset", AM_INIT_ZERO, 1, (int[]){0}, c, c, false);
  if (o->fault == TWO_NAMES) am_layer_weight(layer, "scale", AM_INIT_ZERO, 1, &c, c, c, false);
  for (int i = 0; o->fault == TOO_MANY && i < 20; i++) {
    static const char *const names[20] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                          "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
    am_layer_weight(layer, names[i], AM_INIT_ZERO, 1, &c, c, c, false);
  }
  if (o->fault == OUT_RANK) layer->out.rank = 4;
  if (o->fault == OUT_SIZE) layer->out.t = 0;
  return AM_OK;
}

static int length(const am_layer *layer, int n) {
  const affine_options *o = layer->options;
  return (o->halve ? (n + 1) / 2 : n) + (o->fault == LENGTH && n == layer->in[0].t);
}

static double factor(const affine_options *o) { return o->kind ? -o->gain : o->gain; }

static void forward(const am_layer *layer, const am_pass *pass) {
  const affine_options *o = layer->options;
  const am_shape in = layer->in[0], out = layer->out;
  const int row = in.f * in.c, step = o->halve ? 2 : 1;
  for (int b = 0; b < pass->batch; b++)
    for (int t = 0; t < pass->y_most; t++)
      for (int i = 0; i < row; i++) {
        am_real *y = pass->y + ((size_t)b * (size_t)out.t + (size_t)t) * (size_t)row + i;
        const am_real *x = pass->x[0] + ((size_t)b * (size_t)in.t + (size_t)(t * step)) * (size_t)row + i;
        *y = t < pass->y_len[b] ? (am_real)factor(o) * pass->w[0][i % in.c] * *x + pass->w[1][i % in.c] : 0;
      }
}

static void backward(const am_layer *layer, const am_pass *pass) {
  const affine_options *o = layer->options;
  const am_shape in = layer->in[0], out = layer->out;
  const int row = in.f * in.c, step = o->halve ? 2 : 1;
  for (int b = 0; b < pass->batch; b++) {
    am_real *dx = pass->dx[0] ? pass->dx[0] + (size_t)b * (size_t)in.t * (size_t)row : NULL;
    if (dx) memset(dx, 0, (size_t)pass->x_most[0] * (size_t)row * sizeof *dx);
    for (int t = 0; t < pass->y_len[b]; t++)
      for (int i = 0; i < row; i++) {
        const int c = i % in.c;
        const am_real dy = pass->dy[((size_t)b * (size_t)out.t + (size_t)t) * (size_t)row + (size_t)i];
        const am_real x = pass->x[0][((size_t)b * (size_t)in.t + (size_t)(t * step)) * (size_t)row + (size_t)i];
        am_real slope = (am_real)factor(o);
        if (dx) dx[(size_t)(t * step * row + i)] = dy * slope * pass->w[0][c] * (o->fault == DX_SIGN ? -1 : 1);
        if ((o->fault == FIRST_CLIP && b) || (o->fault == ONE_CHANNEL && c == 1)) continue;
        pass->dw[0][c] += dy * slope * x * (o->fault == DW_HALF ? 0.5f : 1);
        pass->dw[1][c] += dy;
      }
  }
}

static const am_custom_layer affine = {.size = sizeof affine,
                                       .type = "affine",
                                       .help = "gain times a weight a channel, and an offset",
                                       .options = affine_table,
                                       .options_size = sizeof(affine_options),
                                       .build = build,
                                       .length = length,
                                       .forward = forward,
                                       .backward = backward};

static am_status model_of(am_context *ctx, const char *layers, am_model **out, am_error *err) {
  char yaml[1024];
  am_config *config = NULL;
  snprintf(yaml, sizeof yaml,
           "name: tiny\ndata: {corpus: ravdess, root: nowhere}\n"
           "features: {kind: log_mel, sample_rate: 8000, n_fft: 256, hop: 128, mels: 8}\n"
           "model: {layers: [%s]}\n",
           layers);
  *out = NULL;
  am_status status = am_config_from_text(ctx, yaml, "own.yaml", NULL, 0, &config, err);
  if (!status) status = am_config_model(config, 9, 8, true, 3, out, err);
  am_config_free(config);
  return status;
}

static void worst_of(am_context *ctx, const char *layers, am_gradient_report *report) {
  am_model *model;
  am_error err = AM_ERROR_INIT;
  size_t n, n_statistics;
  am_test_ok(model_of(ctx, layers, &model, &err), &err);
  am_model_initialise(model, 3);
  am_real *w = am_model_weights(model, &n), *before = malloc((n + 1) * sizeof *w);
  am_real *s = am_model_statistics(model, &n_statistics), *statistics = malloc((n_statistics + 1) * sizeof *s);
  memcpy(before, w, n * sizeof *w);
  memcpy(statistics, s, n_statistics * sizeof *s);
  *report = (am_gradient_report){.size = sizeof *report};
  am_test_ok(am_model_check_gradients(model, 5, report, &err), &err);
  assert_memory_equal(before, w, n * sizeof *w);
  assert_memory_equal(statistics, s, n_statistics * sizeof *s);
  free(before);
  free(statistics);
  am_model_free(model);
}

static void right_gradients_pass(void **state) {
  static const char *const layers[] = {
      "affine, global_average_pool, dense",
      "{affine: {gain: -2.5, halve: true}}, silu, global_average_pool, dense",
      ("{conv2d: {filters: 5, kernel: 3}}, {affine: {kind: negative}}, silu, {affine: {halve: true}}, "
       "global_average_pool, dense"),
      "{residual: {layers: [affine], activation: tanh}}, global_average_pool, dense",
      "batch_norm, silu, {dropout: {rate: 0.3}}, to_sequence, {lstm: {units: 12, return: last}}, dense",
  };
  (void)state;
  am_context *ctx = am_test_context(2, NULL);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_layer_register(ctx, &affine, &err), &err);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    am_gradient_report r;
    worst_of(ctx, layers[i], &r);
    print_message("# %s: %.6f of %s (%g, %g)\n", layers[i], r.worst, r.array, r.backward, r.differences);
    if (!(r.worst < 0.005)) fail_msg("%s: %g of %s (%g, %g)", layers[i], r.worst, r.array, r.backward, r.differences);
    assert_true(r.array[0]);
  }
  am_context_free(ctx);
}

static void wrong_gradients_are_found(void **state) {
  static const struct {
    fault fault;
    const char *array;
  } cases[] = {
      {DW_HALF, "affine_1/scale"}, {DX_SIGN, "first/kernel"}, {FIRST_CLIP, "affine_1/"}, {ONE_CHANNEL, "affine_1/"}};
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_layer_register(ctx, &affine, &err), &err);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char layers[200];
    am_gradient_report r;
    snprintf(layers, sizeof layers,
             "{conv2d: {filters: 4, kernel: 3, name: first}}, {affine: {fault: %d}}, silu, global_average_pool, dense",
             (int)cases[i].fault);
    worst_of(ctx, layers, &r);
    if (!(r.worst > 0.2)) fail_msg("fault %d: only %g", (int)cases[i].fault, r.worst);
    if (cases[i].fault == DX_SIGN && !strcmp(r.array, "input")) continue; /* what is before it feels it, too */
    if (!strstr(r.array, cases[i].array)) fail_msg("fault %d: found in %s", (int)cases[i].fault, r.array);
    assert_true(fabs(r.backward - r.differences) > 0);
  }
  am_context_free(ctx);
}

/* Member by member; the table is copied. */
static void options_are_read(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_model *model;
  am_layer_option table[sizeof affine_table / sizeof *affine_table];
  am_custom_layer mine = affine;
  memcpy(table, affine_table, sizeof table);
  mine.options = table;
  am_test_ok(am_layer_register(ctx, &mine, &err), &err);
  memset(table, 0, sizeof table);
  memset(&mine, 0, sizeof mine);
  am_test_ok(model_of(ctx,
                      "{affine: {gain: 2.5, halve: true, kind: negative, note: nothing}}, {global_average_pool: {over: "
                      "time}}, dense",
                      &model, &err),
             &err);
  assert_true(seen.gain == 2.5 && seen.halve && seen.kind == 1 && seen.fault == 0);
  assert_int_equal(am_model_weight_count(model), 4);
  assert_string_equal(am_model_weight_info(model, 0)->name, "affine_1/scale");
  assert_true(am_model_weight_info(model, 0)->decay);
  assert_false(am_model_weight_info(model, 1)->decay);
  am_model_free(model);
  am_test_ok(model_of(ctx, "affine, global_average_pool, dense", &model, &err), &err);
  assert_true(seen.gain == 1 && !seen.halve && seen.kind == 0);
  am_model_free(model);
  am_test_fails(model_of(ctx, "{affine: {gian: 2}}, dense", &model, &err), AM_E_CONFIG, &err,
                "own.yaml:4:28: unknown key \"gian\" in affine_1; did you mean \"gain\"?");
  am_test_fails(model_of(ctx, "{affine: {gain: 11}}, dense", &model, &err), AM_E_CONFIG, &err, "-10 to 10");
  am_test_fails(model_of(ctx, "{affine: {kind: odd}}, dense", &model, &err), AM_E_CONFIG, &err, "plain");
  am_test_fails(model_of(ctx, "global_average_pool, affine, dense", &model, &err), AM_E_SHAPE, &err,
                "layer affine_1, input (1): no frames");
  am_context_free(ctx);
}

static void a_context_has_its_own(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL), *other = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_model *model;
  am_test_ok(am_layer_register(ctx, &affine, &err), &err);
  am_test_fails(model_of(other, "affine, dense", &model, &err), AM_E_CONFIG, &err, "unknown layer \"affine\"");
  am_test_fails(model_of(ctx, "afine, dense", &model, &err), AM_E_CONFIG, &err, "did you mean \"affine\"?");
  err = (am_error)AM_ERROR_INIT;
  am_test_ok(am_layer_register(other, &affine, &err), &err);
  am_context_free(other);
  am_context_free(ctx);
}

/* What a layer gets wrong would be read and written as memory. */
static void builds_are_held_to_their_word(void **state) {
  static const struct {
    fault fault;
    const char *words;
  } cases[] = {{OUT_RANK, "its output has rank 4 and shape (9, 8, 1)"},
               {OUT_SIZE, "nothing would be left of its output (0, 8, 1)"},
               {LENGTH, "a clip of 9 frames has 10 frames after it; wanted 0 to 9"},
               {TWO_NAMES, "its build declares two arrays of one name"},
               {NO_SIZE, "its build declares an array with a size below 1"},
               {TOO_MANY, "its build declares more arrays than a layer may have"}};
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  am_test_ok(am_layer_register(ctx, &affine, &err), &err);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char layers[100];
    am_model *model;
    snprintf(layers, sizeof layers, "{affine: {fault: %d}}, global_average_pool, dense", (int)cases[i].fault);
    am_test_fails(model_of(ctx, layers, &model, &err), cases[i].fault == OUT_SIZE ? AM_E_SHAPE : AM_E_USAGE, &err,
                  cases[i].words);
    assert_null(model);
    assert_non_null(strstr(err.message, "layer affine_1, input (T<=9, 8, 1)"));
  }
  assert_null(am_layer_weight(NULL, "w", AM_INIT_ZERO, 1, (int[]){3}, 1, 1, false));
  assert_null(am_layer_statistic(NULL, "w", AM_INIT_ZERO, 1, (int[]){3}));
  assert_int_equal(am_layer_fail(NULL, NULL, AM_E_SHAPE, "x"), AM_E_SHAPE);
  am_context_free(ctx);
}

#define REFUSED(change, words) \
  do { \
    am_custom_layer mine = affine; \
    am_layer_option table[] = {affine_table[0], affine_table[1], AM_LAYER_OPTION_END}; \
    am_error why = AM_ERROR_INIT; \
    mine.options = table; \
    change; \
    am_test_fails(am_layer_register(ctx, &mine, &why), AM_E_USAGE, &why, words); \
  } while (0)

static void what_is_no_layer_is_refused(void **state) {
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  am_error err = AM_ERROR_INIT;
  struct {
    am_custom_layer known;
    void *more;
  } longer = {{.size = sizeof longer}, NULL};
  REFUSED(mine.size = 8, "am_custom_layer.size is 8");
  REFUSED(mine.type = NULL, "a layer of type \"\"");
  REFUSED(mine.type = "two words", "a layer of type \"two words\"; wanted a letter");
  REFUSED(mine.type = "1st", "a layer of type \"1st\"");
  REFUSED(mine.type = "conv2d", "a layer of type conv2d is there already, the library's own");
  REFUSED(mine.type = "add", "the library's own");
  REFUSED(mine.type = "residual", "a layer of type residual is there already, the library's own");
  REFUSED(mine.build = NULL, "layer affine: build, forward and backward may not be NULL");
  REFUSED(mine.forward = NULL, "may not be NULL");
  REFUSED(mine.backward = NULL, "may not be NULL");
  REFUSED(mine.options_size = 8, "layer affine, option 2 (fault): its member is not inside of options_size");
  REFUSED(mine.options_size = SIZE_MAX, "options_size is");
  REFUSED(table[1].offset = SIZE_MAX - 7, "its member is not inside of options_size");
  REFUSED(table[1].offset = 3, "its member is not inside of options_size");
  REFUSED(table[0].name = "name", "every layer has an option of that name");
  REFUSED(table[0].name = "activation", "every layer has an option of that name");
  REFUSED(table[0].name = "a:b", "its name is not a letter");
  REFUSED(table[1].name = "gain", "two options have that name");
  REFUSED(table[0].type = (am_layer_option_type)9, "its type is no am_layer_option_type");
  REFUSED(table[0].type = AM_LAYER_CHOICE, "a choice without choices");
  am_test_fails(am_layer_register(NULL, &affine, &err), AM_E_USAGE, &err, "ctx may not be NULL");
  am_test_fails(am_layer_register(ctx, NULL, &err), AM_E_USAGE, &err, "am_custom_layer may not be NULL");
  am_test_fails(am_model_check_gradients(NULL, 1, NULL, &err), AM_E_USAGE, &err, "model may not be NULL");
  err = (am_error)AM_ERROR_INIT;
  longer.known = affine;
  longer.known.size = sizeof longer;
  am_test_ok(am_layer_register(ctx, &longer.known, &err), &err);
  am_test_fails(am_layer_register(ctx, &affine, &err), AM_E_USAGE, &err,
                "a layer of type affine is there already, registered before");
  longer.more = &longer;
  longer.known.type = "longer";
  am_test_fails(am_layer_register(ctx, &longer.known, &err), AM_E_USAGE, &err,
                "am_custom_layer: this program sets members");
  am_context_free(ctx);
}

/* Threads that register at once: of one name one wins, and of many names none is lost. */
enum { THREADS = 8, EACH = 40 };
typedef struct racer {
  am_context *ctx;
  int number, won;
  char names[EACH][16];
} racer;

static void *race(void *arg) {
  racer *r = arg;
  for (int i = 0; i < EACH; i++) {
    char shared[16];
    am_custom_layer mine = affine;
    mine.type = strcpy(r->names[i], (snprintf(shared, sizeof shared, "own_%d_%d", r->number, i), shared));
    if (am_layer_register(r->ctx, &mine, NULL)) return "a name of its own was refused";
  }
  r->won = am_layer_register(r->ctx, &affine, NULL) == AM_OK;
  return NULL;
}

static void threads_may_register(void **state) {
  static racer racers[THREADS];
  pthread_t threads[THREADS];
  (void)state;
  am_context *ctx = am_test_context(1, NULL);
  int won = 0;
  for (int i = 0; i < THREADS; i++) {
    racers[i] = (racer){.ctx = ctx, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    if (failed) fail_msg("%s", (const char *)failed);
    won += racers[i].won;
  }
  assert_int_equal(won, 1);
  for (int i = 0; i < THREADS * EACH; i++) {
    am_custom_layer mine = affine;
    am_error err = AM_ERROR_INIT;
    mine.type = racers[i / EACH].names[i % EACH];
    am_test_fails(am_layer_register(ctx, &mine, &err), AM_E_USAGE, &err, "registered before");
  }
  am_context_free(ctx);
}

static void without_memory(void **state) {
  (void)state;
  for (long n = 1, fired = 1; fired; n++) {
    am_test_memory m;
    am_context *ctx = am_test_memory_context(&m, 1);
    am_error err = AM_ERROR_INIT;
    am_model *model = NULL;
    am_gradient_report r = {.size = sizeof r};
    am_test_memory_arm(&m, n);
    am_status status = am_layer_register(ctx, &affine, &err);
    if (!status) status = model_of(ctx, "affine, global_average_pool, dense", &model, &err);
    if (!status) status = am_model_check_gradients(model, 1, &r, &err);
    fired = am_test_memory_fired(&m);
    assert_int_equal(status, fired ? AM_E_NOMEM : AM_OK);
    am_model_free(model);
    am_context_free(ctx);
  }
}

/* Pieces of a program. */
static void count_piece(void *arg, size_t piece, int worker) {
  (void)worker;
  ((int *)arg)[piece]++;
}

static void pieces_run_once(void **state) {
  (void)state;
  int done[100] = {0};
  am_context *ctx = am_test_context(3, NULL);
  am_parallel_for(NULL, 100, count_piece, done);
  am_parallel_for(ctx, 100, NULL, done);
  for (int i = 0; i < 100; i++) assert_int_equal(done[i], 0);
  am_parallel_for(ctx, 100, count_piece, done);
  for (int i = 0; i < 100; i++) assert_int_equal(done[i], 1);
  am_context_free(ctx);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(right_gradients_pass),
      cmocka_unit_test(wrong_gradients_are_found),
      cmocka_unit_test(options_are_read),
      cmocka_unit_test(a_context_has_its_own),
      cmocka_unit_test(builds_are_held_to_their_word),
      cmocka_unit_test(what_is_no_layer_is_refused),
      cmocka_unit_test(threads_may_register),
      cmocka_unit_test(without_memory),
      cmocka_unit_test(pieces_run_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
