/* SPDX-License-Identifier: MIT */
/* tests/fuzz/h5edit_mutate.c - inputs that change an HDF5 file by its structure: changing what they say. */
#include "fuzz/h5edit_inside.h"

enum { PLACES = 1024, LINES = 12, LINE = 400 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* ---- what is in the file ---- */

typedef enum kind { GROUP, NUMBERS, TEXT, ATTRIBUTE_NUMBER, ATTRIBUTE_TEXT } kind;

typedef struct place {
  char *name;
  kind kind;
  size_t words; /* of a text */
  int rank;
  hsize_t dims[H5S_MAX_RANK];
  bool wide; /* numbers of 8 bytes */
} place;

static struct {
  char *seed; /* the line that names the file */
  place at[PLACES];
  size_t n;
} the;

static size_t words_at(hid_t file, const char *name) {
  size_t at, length;
  char *text = h5edit_text_at(file, name);
  size_t n = text ? h5edit_words(text, SIZE_MAX, &at, &length) : 0;
  free(text);
  return n;
}

static herr_t note_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  (void)info;
  const char *of = user;
  if (the.n == PLACES || !strcmp(name, "crc32c")) return 0;
  char full[LINE];
  snprintf(full, sizeof full, "%s@%s", of, name);
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  bool text = H5Tget_class(type) == H5T_STRING;
  the.at[the.n++] = (place){.name = strdup(full),
                            .kind = text ? ATTRIBUTE_TEXT : ATTRIBUTE_NUMBER,
                            .words = text ? words_at(object, full) : 0};
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

static void note_array(hid_t file, place *p) {
  hid_t array = H5Dopen2(file, p->name, H5P_DEFAULT), type = H5Dget_type(array), space = H5Dget_space(array);
  p->kind = H5Tget_class(type) == H5T_STRING ? TEXT : NUMBERS;
  p->rank = H5Sget_simple_extent_dims(space, p->dims, NULL);
  p->wide = H5Tget_size(type) == 8;
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(array);
  if (p->kind == TEXT) p->words = words_at(file, p->name);
}

static herr_t note_object(hid_t file, const char *name, const H5O_info_t *info, void *user) {
  (void)user;
  if (the.n == PLACES) return 0;
  const char *full = strcmp(name, ".") ? name : "/";
  place *p = &the.at[the.n++];
  *p = (place){.name = strdup(full), .kind = GROUP};
  if (info->type == H5O_TYPE_DATASET) note_array(file, p);
  hid_t object = H5Oopen(file, full, H5P_DEFAULT);
  char *of = p->name;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, note_attribute, of);
  H5Oclose(object);
  return 0;
}

/* The places of the file that a text names, from the last call where it is the same; false: there is no such file. */
static bool look_into(const char *text) {
  size_t n = strcspn(text, "\n");
  if (the.seed && strlen(the.seed) == n && !strncmp(the.seed, text, n)) return the.n > 0;
  for (size_t i = 0; i < the.n; i++) free(the.at[i].name);
  free(the.seed);
  the.n = 0;
  the.seed = strndup(text, n);
  hid_t file = h5edit_seed(text);
  if (file < 0) return false;
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, note_object, NULL);
  H5Fclose(file);
  return the.n > 0;
}

/* ---- choosing ---- */

static uint64_t state;

/* xorshift64*; below n. */
static size_t any(size_t n) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (size_t)((state * 2685821657736338717u) >> 33) % n;
}

#define ANY_OF(table) ((table)[any(sizeof(table) / sizeof *(table))])

/* A place of one of the kinds in the mask, or any place. */
static const place *any_place(unsigned mask) {
  const place *p = &the.at[any(the.n)];
  for (int tries = 0; tries < 64 && !(mask >> p->kind & 1); tries++) p = &the.at[any(the.n)];
  return p;
}

static const char *whole(char out[32]) {
  static const char *const edges[] = {"0",
                                      "1",
                                      "-1",
                                      "2",
                                      "3",
                                      "4",
                                      "7",
                                      "8",
                                      "9",
                                      "16",
                                      "20",
                                      "63",
                                      "64",
                                      "65",
                                      "255",
                                      "256",
                                      "1000",
                                      "4096",
                                      "65535",
                                      "65536",
                                      "1048576",
                                      "2097152",
                                      "16777216",
                                      "2147483647",
                                      "2147483648",
                                      "-2147483648",
                                      "4294967295",
                                      "4294967296",
                                      "3037000500",
                                      "9223372036854775807",
                                      "-9223372036854775808"};
  if (any(3)) snprintf(out, 32, "%s", ANY_OF(edges));
  else snprintf(out, 32, "%zu", any(100));
  return out;
}

static const char *real(char out[32]) {
  static const char *const edges[] = {"nan",  "inf",   "-inf",  "0",     "-0.0",   "1",
                                      "-1",   "0.5",   "1e-45", "1e10",  "1e19",   "-1e19",
                                      "3e38", "-3e38", "1e39",  "1e308", "1e-308", "9007199254740993"};
  if (any(4)) snprintf(out, 32, "%s", ANY_OF(edges));
  else whole(out);
  return out;
}

static const char *word(char out[64]) {
  static const char *const words[] = {"true",
                                      "false",
                                      "null",
                                      "none",
                                      "clip",
                                      "train",
                                      "speaker",
                                      "log_mel",
                                      "mfcc",
                                      "mel",
                                      "wav",
                                      "relu",
                                      "softmax",
                                      "tanh",
                                      "sgd",
                                      "adam",
                                      "adamw",
                                      "same",
                                      "valid",
                                      "causal",
                                      "lstm",
                                      "gru",
                                      "dense",
                                      "conv1d",
                                      "conv2d",
                                      "flatten",
                                      "dropout",
                                      "batch_norm",
                                      "layer_norm",
                                      "attention_pool",
                                      "global_max_pool",
                                      "max_pool2d",
                                      "to_sequence",
                                      "add",
                                      "concat",
                                      "1e309",
                                      "0x10",
                                      "-",
                                      "[]",
                                      "{}",
                                      "[1, 2]",
                                      "{a: b}",
                                      "''",
                                      "Sequential",
                                      "Functional",
                                      "Dense",
                                      "LSTM",
                                      "Bidirectional",
                                      "channels_first",
                                      "channels_last",
                                      "float16",
                                      "\\n",
                                      "*a",
                                      "&a",
                                      "\xc3\xa9",
                                      "\x1b[2J"};
  char number[32];
  if (any(2)) snprintf(out, 64, "%s", ANY_OF(words));
  else snprintf(out, 64, "%s", any(4) ? whole(number) : real(number));
  return out;
}

/* The shape of an array, mostly changed a little. */
static const char *shape(const place *p, char out[128]) {
  hsize_t dims[H5S_MAX_RANK] = {1, 1, 1, 1, 1};
  int rank = p->kind == NUMBERS && p->rank < 5 ? p->rank : (int)any(3);
  memcpy(dims, p->dims, sizeof dims[0] * (size_t)(p->kind == NUMBERS ? rank : 0));
  char number[32];
  size_t i = any(rank ? (size_t)rank : 1);
  switch (any(8)) {
    case 0: break;
    case 1: dims[i]++; break;
    case 2: dims[i] -= dims[i] > 0; break;
    case 3: dims[i] = 0; break;
    case 4: dims[i] = strtoull(whole(number), NULL, 10); break;
    case 5: dims[rank++] = 1; break;
    case 6: rank -= rank > 0; break;
    default: {
      hsize_t first = dims[0];
      dims[0] = dims[i];
      dims[i] = first;
    }
  }
  size_t used = 0;
  snprintf(out, 128, "-");
  for (int k = 0; k < rank && used < 100; k++)
    used += (size_t)snprintf(out + used, 128 - used, "%s%llu", k ? "x" : "", (unsigned long long)dims[k]);
  return out;
}

/* ---- edits ---- */

enum {
  ON_GROUP = 1 << GROUP,
  ON_NUMBERS = 1 << NUMBERS,
  ON_TEXT = 1 << TEXT | 1 << ATTRIBUTE_TEXT,
  ON_ATTRIBUTE = 1 << ATTRIBUTE_NUMBER | 1 << ATTRIBUTE_TEXT,
  ON_ARRAY = 1 << NUMBERS | 1 << TEXT,
  ON_ALL = 31
};

static void edit_link(char line[LINE]) {
  static const char *const edits[] = {"soft", "hard", "copy", "copy", "move"};
  const place *to = any_place(ON_ARRAY | ON_GROUP), *from = any_place(ON_ARRAY | ON_GROUP);
  if (any(8) == 0) snprintf(line, LINE, "ext %s other.h5 %s", to->name, from->name);
  else snprintf(line, LINE, "%s %s%s %s", ANY_OF(edits), to->name, any(2) ? "" : "/more", from->name);
}

static void edit_array(char line[LINE]) {
  static const char *const types[] = {"f16", "f32", "f64", "be32", "i8",   "i32",
                                      "i64", "u8",  "u32", "text", "vlen", "pair"};
  const place *p = any_place(any(6) ? ON_NUMBERS : ON_ALL);
  char dims[128], fill[32];
  const char *type = any(3) ? p->wide ? "f64" : "f32" : ANY_OF(types);
  bool chunked = any(8) == 0;
  snprintf(line, LINE, "%s %s %s %s %s%s", chunked ? "chunk" : "array", p->name, type, shape(p, dims),
           any(2) ? "ramp" : real(fill), chunked ? " 4" : "");
}

static void edit_text(char line[LINE]) {
  const place *p = any_place(ON_TEXT);
  char text[64];
  if (p->words && any(8)) snprintf(line, LINE, "sub %s %zu %s", p->name, any(p->words), word(text));
  else snprintf(line, LINE, "text %s %s", p->name, word(text));
}

static void edit(char line[LINE]) {
  const place *p;
  char number[32];
  switch (any(16)) {
    case 0:
    case 1: snprintf(line, LINE, "del %s", any_place(ON_ALL)->name); break;
    case 2:
    case 3:
    case 4: snprintf(line, LINE, "int %s %s", any_place(1 << ATTRIBUTE_NUMBER)->name, whole(number)); break;
    case 5: snprintf(line, LINE, "real %s %s", any_place(ON_ATTRIBUTE)->name, real(number)); break;
    case 6:
      p = any_place(ON_NUMBERS);
      snprintf(line, LINE, "set %s %zu %s", p->name, any(256), real(number));
      break;
    case 7:
    case 8:
    case 9:
    case 10: edit_text(line); break;
    case 11: edit_link(line); break;
    case 12: snprintf(line, LINE, "group %s%s", any_place(ON_ARRAY | ON_GROUP)->name, any(2) ? "" : "/more"); break;
    default: edit_array(line);
  }
}

/* ---- programs ---- */

/* Without its last edits, so that it fits; what comes back ends with a line feed. */
static size_t put_lines(char *const *lines, size_t n, uint8_t *data, size_t most) {
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    size_t bytes = strlen(lines[i]);
    if (!bytes || used + bytes + 1 > most) continue;
    memcpy(data + used, lines[i], bytes);
    data[used + bytes] = '\n';
    used += bytes + 1;
  }
  return used;
}

static size_t mutate_program(char *text, uint8_t *data, size_t most) {
  char *lines[LINES + 2] = {NULL}, fresh[LINE];
  size_t n = 0;
  for (char *line; n < LINES && (line = strsep(&text, "\n"));) lines[n++] = line;
  edit(fresh);
  size_t at = n > 1 ? 1 + any(n - 1) : n;
  switch (n < 3 ? 0 : any(4)) {
    case 0:
      if (n < LINES) lines[n++] = fresh;
      else lines[at] = fresh;
      break;
    case 1: lines[at] = fresh; break;
    case 2: lines[at] = ""; break;
    default: /* the one before another: order matters */ lines[n++] = lines[at]; lines[at] = fresh;
  }
  return put_lines(lines, n, data, most);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  if (!h5edit_is(data, size)) return LLVMFuzzerMutate(data, size, max_size);
  state = seed + 88172645463325252u;
  any(2);
  if (any(16) == 0) return LLVMFuzzerMutate(data, size, max_size);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  for (size_t changes = 1 + any(3); changes; changes--) {
    char *text = fuzz_text(data, size);
    size = look_into(text) ? mutate_program(text, data, max_size) : LLVMFuzzerMutate(data, size, max_size);
    free(text);
  }
  return size;
}
