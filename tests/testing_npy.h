/* SPDX-License-Identifier: MIT */
/* tests/testing_npy.h - reads the .npy files of golden numbers (format 1.0, C order, little-endian).
 * Include after testing.h. */
#ifndef AM_TESTING_NPY_H
#define AM_TESTING_NPY_H

typedef struct am_npy {
  char type[4]; /* "f4", "f8", "i2", "i4", "i8" */
  int dims;
  size_t shape[4];
  size_t n;   /* product of shape */
  void *data; /* am_npy_free */
} am_npy;

static inline void am_npy_shape(am_npy *a, const char *header, const char *path) {
  const char *descr = strstr(header, "'descr': '<"), *order = strstr(header, "'fortran_order': False");
  const char *shape = strstr(header, "'shape': (");
  if (!descr || !order || !shape) fail_msg("%s: not little-endian C-order numbers: %s", path, header);
  memcpy(a->type, descr + 11, 2);
  a->n = 1;
  for (const char *p = shape + 10; *p && *p != ')' && a->dims < 4;) {
    char *end;
    a->shape[a->dims] = strtoul(p, &end, 10);
    if (end == p) break;
    a->n *= a->shape[a->dims++];
    p = end + strspn(end, ", ");
  }
}

/* Fails the test when the file is absent or holds another type. */
static inline am_npy am_npy_read(const char *path, const char *type) {
  am_npy a = {0};
  unsigned char head[10];
  char header[1024] = {0};
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("cannot open %s", path);
  size_t length = 0;
  if (fread(head, 1, 10, file) == 10 && memcmp(head, "\x93NUMPY\x01", 7) == 0)
    length = (size_t)head[8] + 256 * (size_t)head[9];
  if (length == 0 || length >= sizeof header || fread(header, 1, length, file) != length)
    fail_msg("%s: not an .npy file of format 1.0", path);
  am_npy_shape(&a, header, path);
  if (strcmp(a.type, type) != 0) fail_msg("%s: holds %s, wanted %s", path, a.type, type);
  size_t bytes = a.n * (size_t)(a.type[1] - '0');
  a.data = malloc(bytes + 1);
  assert_non_null(a.data);
  if (fread(a.data, 1, bytes, file) != bytes || fgetc(file) != EOF)
    fail_msg("%s: has not %zu bytes of data", path, bytes);
  fclose(file);
  return a;
}

static inline void am_npy_free(am_npy *a) {
  free(a->data);
  a->data = NULL;
}

#endif
