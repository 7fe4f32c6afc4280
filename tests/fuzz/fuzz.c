/* SPDX-License-Identifier: MIT */
/* tests/fuzz/fuzz.c - context, memory bound and files of the fuzz targets. */
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* Leaks of outside libraries, as in tests/testing.h; libsndfile (1.2.0) forgets what it began with when it refuses a
 * damaged Ogg file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5\nleak:^H5\nleak:libfontconfig\nleak:libsndfile\nleak:libvorbis\n";
}

typedef struct head {
  size_t bytes;
  max_align_t data[];
} head;

static struct {
  am_context *ctx;
  size_t live, most, at_start;
  bool strict;
  char folder[256];
} the;

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER; /* a loader reads ahead in a thread of its own */

static void *resize_counted(void *pointer, size_t bytes) {
  head *old = pointer ? (head *)((char *)pointer - offsetof(head, data)) : NULL;
  size_t before = old ? old->bytes : 0;
  if (!bytes) {
    the.live -= before;
    free(old);
    return NULL;
  }
  if (the.most && (bytes > the.most || the.live - before + bytes > the.most)) {
    if (!the.strict) return NULL;
    /* Also noticed when a child process of the library is where it happens. */
    fuzz_file("TOO-MUCH-MEMORY", "", 0);
    fprintf(stderr, "an allocation of %zu bytes, with %zu in use, for an input that justifies %zu\n", bytes, the.live,
            the.most);
    abort();
  }
  head *moved = realloc(old, offsetof(head, data) + bytes);
  if (!moved) return NULL;
  the.live += bytes - before;
  moved->bytes = bytes;
  return moved->data;
}

static void *count_resize(void *user, void *pointer, size_t bytes) {
  (void)user;
  pthread_mutex_lock(&counting);
  void *moved = resize_counted(pointer, bytes);
  pthread_mutex_unlock(&counting);
  return moved;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at) {
  (void)info, (void)kind, (void)at;
  return remove(path);
}

static void clean(void) {
  if (*the.folder) nftw(the.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

size_t *fuzz_made;

const char *fuzz_folder(void) {
  if (*the.folder) return the.folder;
  const char *root = getenv("TMPDIR");
  if (access("/dev/shm", W_OK) == 0) root = "/dev/shm";
  snprintf(the.folder, sizeof the.folder, "%s/am-fuzz-XXXXXX", root && *root ? root : "/tmp");
  fuzz_require(mkdtemp(the.folder));
  atexit(clean);
  return the.folder;
}

const char *fuzz_file(const char *name, const void *data, size_t bytes) {
  static char paths[4][1024];
  static int turn;
  char *path = paths[turn = (turn + 1) % 4];
  snprintf(path, sizeof paths[0], "%s/%s", fuzz_folder(), name);
  for (char *c = path + strlen(the.folder) + 1; *c; c++)
    if (*c == '/') {
      *c = '\0';
      mkdir(path, 0700);
      *c = '/';
    }
  FILE *file = fopen(path, "wb");
  fuzz_require(file && fwrite(data, 1, bytes, file) == bytes);
  fuzz_require(fclose(file) == 0);
  return path;
}

char *fuzz_text(const uint8_t *data, size_t bytes) {
  size_t n = bytes ? strnlen((const char *)data, bytes) : 0;
  char *text = malloc(n + 1);
  fuzz_require(text);
  if (n) memcpy(text, data, n);
  text[n] = '\0';
  return text;
}

am_context *fuzz_begin(size_t bytes, bool strict) {
  if (!the.ctx) {
    am_settings settings = {
        .size = sizeof settings, .threads = 1, .cpu = "plain", .resize = count_resize, .read_in_child = true};
    fuzz_require(am_context_create(&settings, &the.ctx, NULL) == AM_OK);
  }
  the.at_start = the.live;
  the.most = the.live + FUZZ_BASE + FUZZ_FACTOR * bytes;
  the.strict = strict;
  return the.ctx;
}

void fuzz_allow(size_t bytes) {
  the.most = the.live + bytes;
  the.strict = false;
}

void fuzz_remove(const char *name) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
  nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fuzz_end(void) {
  char path[300];
  snprintf(path, sizeof path, "%s/TOO-MUCH-MEMORY", the.folder);
  fuzz_require(!*the.folder || access(path, F_OK) != 0);
  fuzz_require(the.live == the.at_start);
  the.most = 0;
}

void fuzz_check(am_status status, const am_error *err) {
  if (getenv("AM_FUZZ_SAY")) fprintf(stderr, "said: %s\n", status ? err->message : "done");
  fuzz_require(status == err->status);
  fuzz_require(!status == !*err->message);
  fuzz_require(!strpbrk(err->message, "\n\r"));
}
