/* SPDX-License-Identifier: MIT */
/* Archives of Keras (.keras): goldens of Keras 2.15 and 3.15 (tools/golden-keras.py), ours out and in again, and zips that mean
 * harm. */
#include "exchange/archive.h"
#include "keras_fixture.h"

static void check_archive(const char *name, int mels, int frames, bool turned) {
  char *file = strdup(golden_file(name, ".keras")), *io = strdup(golden_file(name, ".io.h5"));
  check_golden_as(file, io, AM_KERAS_MEL_TIME, mels, frames, turned, "b.keras");
  check_golden_as(file, io, AM_KERAS_MEL_TIME, mels, frames, turned, "b.h5");
  free(file);
  free(io);
}

/* As Keras 3.15 writes it; weights in bfloat16. */
static void golden_chain(void **state) {
  (void)state;
  check_archive("archive_chain", 5, 6, false);
}

/* Add of two and of three, Concatenate, squeeze and excite, a model inside, TimeDistributed; deflated. */
static void golden_branches(void **state) {
  (void)state;
  check_archive("archive_branches", 5, 9, false);
}

/* Both directions as their sum and their mean, and as their product; deflated. */
static void golden_merge(void **state) {
  (void)state;
  check_archive("archive_merge", 5, 6, false);
  check_archive("archive_product", 5, 6, false);
}

/* A temporal convolutional network: causal padding with dilation and with a stride, noise and dropout that training alone knows. */
static void golden_causal(void **state) {
  (void)state;
  check_archive("archive_causal", 5, 13, false);
}

/* ZeroPadding before convolutions and poolings, of which each takes its zeros. */
static void golden_zeros(void **state) {
  (void)state;
  check_archive("archive_zeros", 6, 11, true);
}

/* Of Keras 2.15: residual blocks over a map. */
static void golden_of_2_15(void **state) {
  (void)state;
  check_archive("archive_old", 6, 9, true);
}

/* ---- ours ---- */

static void same_bytes(const char *a, const char *b) {
  char *x, *y;
  size_t n, m;
  am_test_ok(am_file_read(ctx, a, 1 << 20, &x, &n, &err), &err);
  am_test_ok(am_file_read(ctx, b, 1 << 20, &y, &m, &err), &err);
  assert_int_equal(n, m);
  assert_memory_equal(x, y, n);
  am_free(ctx, x);
  am_free(ctx, y);
}

/* What is ours goes along; the same model is the same bytes. */
static void ours_come_back(void **state) {
  (void)state;
  const am_exchange_options o = {0};
  am_checkpoint *c;
  am_h5 *h5;
  make_checkpoint(in_folder("a.h5"), "{conv2d: {filters: 4}}, global_average_pool",
                  (am_shape){.rank = 3, .t = 11, .f = 7, .c = 1});
  am_test_ok(am_h5_open(ctx, in_folder("a.h5"), AM_H5_UPDATE, &h5, &err), &err);
  am_test_ok(am_h5_set_text(h5, "/", "licence", "CC0", &err), &err);
  am_test_ok(am_h5_set_text(h5, "/", "attribution", "Voices (CC0): A", &err), &err);
  am_test_ok(am_h5_set_real(h5, "/", "temperature", 1.75, &err), &err);
  am_h5_close(h5);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("b.keras"), &err), &err);
  am_test_ok(am_keras_export(ctx, in_folder("a.h5"), &o, in_folder("c.keras"), &err), &err);
  same_bytes(in_folder("b.keras"), in_folder("c.keras"));
  am_test_ok(import(in_folder("b.keras"), in_folder("d.h5"), 0, 7, 11), &err);
  same_arrays(in_folder("a.h5"), in_folder("d.h5"));
  am_test_ok(am_checkpoint_load(ctx, in_folder("d.h5"), &c, &err), &err);
  assert_string_equal(am_checkpoint_licence(c), "CC0");
  assert_string_equal(am_checkpoint_attribution(c), "Voices (CC0): A");
  assert_true(am_checkpoint_temperature(c) == 1.75);
  am_checkpoint_free(c);
}

/* ---- harm ---- */

typedef struct part {
  const char *name;
  char *data;
  size_t n;
} part;

static void read_parts(part out[2]) {
  static const char *const names[] = {"config.json", "model.weights.h5"};
  am_archive *zip;
  am_test_ok(am_archive_open(ctx, golden_file("archive_chain", ".keras"), &zip, &err), &err);
  for (int i = 0; i < 2; i++) {
    out[i].name = names[i];
    am_test_ok(am_archive_read(zip, names[i], 1 << 20, &out[i].data, &out[i].n, &err), &err);
  }
  am_archive_close(zip);
}

static void refused(const char *file, am_status status, const char *words) {
  const char *path = in_folder(file);
  am_test_fails(import(path, in_folder("none.h5"), 0, 5, 6), status, &err, words);
  assert_false(am_file_exists(in_folder("none.h5")));
}

static void parts_are_missing(void **state) {
  (void)state;
  part p[2];
  read_parts(p);
  const struct {
    am_archive_part parts[3];
    size_t n;
    am_status status;
    const char *words;
  } cases[] = {
      {{{"config.json", p[0].data, p[0].n}}, 1, AM_E_FORMAT, "a zip without model.weights.h5"},
      {{{"model.weights.h5", p[1].data, p[1].n}}, 1, AM_E_FORMAT, "it has no config.json"},
      {{{"config.json", p[0].data, p[0].n}, {"model.weights.npz", "x", 1}},
       2,
       AM_E_UNSUPPORTED,
       "its weights are in model.weights.npz"},
      {{{"config.json", p[0].data, p[0].n}, {"model.weights.h5", "no HDF5", 7}},
       2,
       AM_E_FORMAT,
       "x.keras/model.weights.h5: not an HDF5 file"},
      {{{"config.json", p[0].data, p[0].n}, {"model.weights.h5", p[1].data, p[1].n / 2}}, 2, AM_E_FORMAT, "truncated"},
      {{{"config.json", "{\"class_name\": ", 15}, {"model.weights.h5", p[1].data, p[1].n}},
       2,
       AM_E_FORMAT,
       "model_config"},
      {{{"config.json", "{}\0{}", 5}, {"model.weights.h5", p[1].data, p[1].n}}, 2, AM_E_FORMAT, "a zero byte"},
      {{{"config.json", p[0].data, p[0].n}, {"model.weights.h5", p[1].data, p[1].n}, {"../../outside", "x", 1}},
       3,
       AM_OK,
       NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_test_ok(am_archive_write(ctx, in_folder("x.keras"), cases[i].parts, cases[i].n, &err), &err);
    if (cases[i].words) refused("x.keras", cases[i].status, cases[i].words);
    else
      am_test_ok(import(in_folder("x.keras"), in_folder("y.h5"), 0, 5, 6),
                 &err); /* what nobody asks for is not unpacked */
  }
  am_free(ctx, p[0].data);
  am_free(ctx, p[1].data);
}

static void put(char *data, size_t n, const char *from, const char *to, int most) {
  for (size_t i = 0, length = strlen(from); i + length <= n && most; i++)
    if (!memcmp(data + i, from, length)) {
      memcpy(data + i, to, length);
      most--;
    }
}

/* A part twice, as two readers may take different ones; a checksum that is not that of the bytes; the file cut. */
static void bytes_are_changed(void **state) {
  (void)state;
  char *data;
  size_t n;
  am_test_ok(am_file_read(ctx, golden_file("archive_chain", ".keras"), 1 << 20, &data, &n, &err), &err);
  put(data, n, "float32", "float23", 1); /* in the stored config */
  am_test_file(in_folder("x.keras"), data, n);
  refused("x.keras", AM_E_FORMAT, "is damaged");
  for (size_t cut = 0; cut < 24; cut++) {
    am_test_file(in_folder("x.keras"), data, n * cut / 24);
    err = (am_error)AM_ERROR_INIT;
    assert_int_not_equal(import(in_folder("x.keras"), in_folder("none.h5"), 0, 5, 6), AM_OK);
    assert_true(strlen(err.message) > 10);
  }
  am_free(ctx, data);
  am_test_file(in_folder("x.keras"), "PK\3\4 and so on", 14);
  refused("x.keras", AM_E_FORMAT, "not a zip, or damaged");
  part p[2];
  read_parts(p);
  const am_archive_part twice[] = {
      {"model.weights.h5", p[1].data, p[1].n}, {"config.json", p[0].data, p[0].n}, {"config.jsoN", p[0].data, p[0].n}};
  am_test_ok(am_archive_write(ctx, in_folder("t.keras"), twice, 3, &err), &err);
  am_test_ok(am_file_read(ctx, in_folder("t.keras"), 1 << 20, &data, &n, &err), &err);
  put(data, n, "config.jsoN", "config.json", -1);
  am_test_file(in_folder("x.keras"), data, n);
  am_free(ctx, data);
  refused("x.keras", AM_E_FORMAT, "two of its parts have one name");
  am_free(ctx, p[0].data);
  am_free(ctx, p[1].data);
}

/* Of a part, where it lies and in the directory: how it is packed, and its size unpacked (APPNOTE.TXT 4.3.7 and 4.3.12). */
static void say(char *data, size_t n, const char *name, int method, uint32_t size) {
  const size_t length = strlen(name);
  for (size_t i = 0; i + 46 + length <= n; i++) {
    const bool local = !memcmp(data + i, "PK\3\4", 4), central = !memcmp(data + i, "PK\1\2", 4);
    if ((!local && !central) || memcmp(data + i + (local ? 30 : 46), name, length) != 0) continue;
    data[i + (local ? 8 : 10)] = (char)method;
    for (int k = 0; k < 4; k++) data[i + (size_t)k + (local ? 22 : 24)] = (char)(size >> 8 * k);
  }
}

/* What unpacks to far more than it is, is refused before there is memory for it; so is what is longer than the caller takes. */
static void bombs(void **state) {
  (void)state;
  am_archive *zip;
  char *data;
  size_t n;
  am_test_ok(am_archive_open(ctx, golden_file("archive_branches", ".keras"), &zip, &err), &err);
  am_test_fails(am_archive_read(zip, "config.json", 1000, &data, &n, &err), AM_E_FORMAT, &err, "at most 1000 are read");
  am_archive_close(zip);
  static const struct {
    int method;
    uint32_t size;
    am_status status;
    const char *words;
  } cases[] = {{8, 100 << 20, AM_E_FORMAT, "made to take up memory: model.weights.h5 unpacks to 104857600 bytes"},
               {8, 0xfffffff0, AM_E_FORMAT, "made to take up memory"},
               {8, 1000, AM_E_FORMAT, "damaged"},
               {14, 1000, AM_E_UNSUPPORTED, "packed by method 14; only stored and deflated parts"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    am_test_ok(am_file_read(ctx, golden_file("archive_branches", ".keras"), 1 << 20, &data, &n, &err), &err);
    say(data, n, "model.weights.h5", cases[i].method, cases[i].size);
    am_test_file(in_folder("x.keras"), data, n);
    am_free(ctx, data);
    am_test_fails(import(in_folder("x.keras"), in_folder("none.h5"), 0, 5, 9), cases[i].status, &err, cases[i].words);
  }
}

/* ---- weights only ---- */

/* save_weights("x.weights.h5") writes the HDF5 of an archive by itself; the layers are those of the config. */
static void weights_alone(void **state) {
  (void)state;
  static const char *const layers[] = {
      ("model.layers=[{conv1d: {filters: 3, kernel: 2, activation: {leaky_relu: {alpha: 0.3}}}}, global_max_pool, "
       "dense]"),
      "model.layers=[{conv1d: {filters: 3, kernel: 2}}, global_max_pool, {dense: {units: 5}}, dense]",
      "model.layers=[{conv1d: {filters: 4, kernel: 2}}, global_max_pool, dense]"};
  static const char *const wrong[] = {NULL, "weights only, 4 arrays, and the layers of", "does not have the shape"};
  const char *set[] = {"features.mels=5", "features.samples=160", NULL};
  am_import_source o = {.config = AM_SOURCE_ROOT "/tests/exchange/golden/features.yaml", .overrides = set};
  am_archive *zip;
  char *data;
  size_t n;
  am_test_ok(am_archive_open(ctx, golden_file("archive_chain", ".keras"), &zip, &err), &err);
  am_test_ok(am_archive_read(zip, "model.weights.h5", 1 << 20, &data, &n, &err), &err);
  am_archive_close(zip);
  am_test_file(in_folder("x.weights.h5"), data, n);
  am_free(ctx, data);
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    set[2] = layers[i];
    o.n_overrides = 3;
    const am_exchange_options options = {0};
    if (wrong[i])
      am_test_fails(am_keras_import(ctx, in_folder("x.weights.h5"), &o, &options, in_folder("none.h5"), &err),
                    AM_E_SHAPE, &err, wrong[i]);
    else am_test_ok(am_keras_import(ctx, in_folder("x.weights.h5"), &o, &options, in_folder("w.h5"), &err), &err);
  }
  am_test_ok(import(golden_file("archive_chain", ".keras"), in_folder("a.h5"), 0, 5, 6), &err);
  am_checkpoint *one, *two;
  am_test_ok(am_checkpoint_load(ctx, in_folder("a.h5"), &one, &err), &err);
  am_test_ok(am_checkpoint_load(ctx, in_folder("w.h5"), &two, &err), &err);
  float x[30], y[4], z[4];
  for (int i = 0; i < 30; i++) x[i] = (float)sin(1.7 * i * i);
  forward(one->model, x, 1, y);
  forward(two->model, x, 1, z);
  assert_memory_equal(y, z, sizeof y);
  am_checkpoint_free(one);
  am_checkpoint_free(two);
  o.n_overrides = 2;
  am_test_fails(
      am_keras_import(ctx, in_folder("x.weights.h5"), &o, &(am_exchange_options){0}, in_folder("none.h5"), &err),
      AM_E_CONFIG, &err, "weights only, as save_weights() writes, so its layers are wanted as model.layers");
  assert_false(am_file_exists(in_folder("none.h5")));
}

static void each_allocation_fails(void **state) {
  (void)state;
  am_context *old = ctx;
  char *golden = strdup(golden_file("archive_branches", ".keras"));
  for (long n = 1;; n += getenv("AM_ALL_ALLOCATIONS") || n < 40 ? 1 : 23) {
    am_test_memory m;
    ctx = am_test_memory_context(&m, 1);
    am_test_memory_arm(&m, n);
    err = (am_error)AM_ERROR_INIT;
    am_status status = import(golden, in_folder("m.h5"), 0, 5, 9);
    if (!status)
      status = am_keras_export(ctx, in_folder("m.h5"), &(am_exchange_options){0}, in_folder("k.keras"), &err);
    bool fired = am_test_memory_fired(&m);
    if (!fired) am_test_ok(status, &err);
    am_context_free(ctx);
    assert_int_equal(atomic_load(&m.alive), 0);
    if (!fired) break;
  }
  ctx = old;
  free(golden);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden_chain),   cmocka_unit_test(golden_branches),   cmocka_unit_test(golden_merge),
      cmocka_unit_test(golden_causal),  cmocka_unit_test(golden_zeros),      cmocka_unit_test(golden_of_2_15),
      cmocka_unit_test(ours_come_back), cmocka_unit_test(parts_are_missing), cmocka_unit_test(bytes_are_changed),
      cmocka_unit_test(bombs),          cmocka_unit_test(weights_alone),     cmocka_unit_test(each_allocation_fails)};
  return cmocka_run_group_tests(tests, begin, end);
}
