/* SPDX-License-Identifier: MIT */
/* io/h5_untrusted.c - a file is looked at before HDF5 is trusted with it.
 *
 * HDF5 follows what a file says about itself further than it checks it, and crafted files have crashed or
 * hung every version of it.  So the first bytes are checked against the file's size, and a file that may come
 * from anywhere is first read to the end by a child process, with the same functions that will read it here:
 * if that one dies or needs more memory than the file's size can explain, the file is refused.  This keeps the program
 * alive.  It does not protect against a file made to take over the reader, which may not harm the child
 * (docs/reliability.md). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "io/h5_inside.h"

/* The superblock: signature, then by version where the length of the file stands (HDF5 file format
 * specification 3.0, II.A).  All numbers are little-endian; all widths here are 8 bytes. */
enum { HEAD = 64 };

static uint64_t number_at(const unsigned char *at) {
  uint64_t x = 0;
  for (int i = 7; i >= 0; i--) x = x << 8 | at[i];
  return x;
}

static am_status check_head(const am_h5 *file, const unsigned char *head, size_t n, am_error *err) {
  static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  if (n < sizeof signature || memcmp(head, signature, sizeof signature))
    return am_fail(err, AM_E_FORMAT, "%s: not an HDF5 file, or damaged: it does not begin with HDF5's signature",
                   file->path);
  unsigned version = n > 8 ? head[8] : 255;
  const unsigned char *widths = head + (version < 2 ? 13 : 9);
  size_t base = version == 0 ? 24 : version == 1 ? 28 : 12, end = base + 16;
  if (n < end + 8 || version > 3 || widths[0] != 8 || widths[1] != 8 || number_at(head + base) != 0)
    return am_fail(err, AM_E_FORMAT, "%s: not an HDF5 file, or damaged: nobody writes such a superblock", file->path);
  uint64_t length = number_at(head + end);
  if (length > file->bytes)
    return am_fail(err, AM_E_FORMAT, "%s: a truncated file: of %llu bytes it has %llu", file->path,
                   (unsigned long long)length, (unsigned long long)file->bytes);
  return AM_OK;
}

am_status am_h5_check_head(const am_h5 *file, am_error *err) {
  unsigned char head[HEAD];
  size_t n = 0;
  if (file->image) return check_head(file, file->image, file->bytes < HEAD ? (size_t)file->bytes : HEAD, err);
  int fd = open(file->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return am_fail_errno(err, errno, "cannot open %s", file->path);
  for (ssize_t got; n < sizeof head; n += (size_t)got) {
    got = read(fd, head + n, sizeof head - n);
    if (got < 0 && errno == EINTR) got = 0;
    else if (got <= 0) break;
  }
  close(fd);
  return check_head(file, head, n, err);
}

/* ---- in the child ---- */

/* Does what is asked, and notes when our own memory has run out. */
typedef struct look {
  am_h5 *file;
  bool starved;
} look;

static bool good(look *l, am_status status) {
  if (status == AM_E_NOMEM) l->starved = true;
  return status == AM_OK;
}

static void read_attributes(look *l, const char *object) {
  am_names names;
  if (!good(l, am_h5_attributes(l->file, object, &names, NULL))) return;
  for (size_t i = 0; i < names.n; i++) {
    am_names texts;
    double number;
    if (good(l, am_h5_get_texts(l->file, object, names.at[i], &texts, NULL))) am_names_free(l->file->ctx, &texts);
    else (void)am_h5_get_real(l->file, object, names.at[i], &number, NULL);
  }
  am_names_free(l->file->ctx, &names);
}

static void read_array(look *l, const char *name) {
  static const am_h5_type types[] = {AM_H5_F32, AM_H5_F64, AM_H5_I64, AM_H5_PAIRS};
  am_h5_info info;
  void *data;
  char *text;
  if (!good(l, am_h5_get_info(l->file, name, &info, NULL))) return;
  read_attributes(l, name);
  if (info.type == AM_H5_TEXT) {
    if (good(l, am_h5_read_text(l->file, name, &text, NULL))) am_free(l->file->ctx, text);
    return;
  }
  if (am_mul(info.count, am_h5_type_size(info.type)) >= AM_H5_PLAIN_FROM && am_h5_read_is_plain(l->file, name))
    return; /* the data will be read past HDF5 */
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (good(l, am_h5_read_new(l->file, name, types[i], &info, &data, NULL))) {
      am_free_aligned(l->file->ctx, data);
      return;
    }
}

static void read_group(look *l, const char *group, int depth) {
  enum { DEPTH = 16 };
  am_names names;
  read_attributes(l, group);
  if (depth > DEPTH || !good(l, am_h5_children(l->file, group, &names, NULL))) return;
  for (size_t i = 0; i < names.n && !l->starved; i++) {
    char *name = am_format(l->file->ctx, "%s%s%s", group, *group ? "/" : "", names.at[i]);
    am_h5_kind kind = name ? am_h5_find(l->file, name) : AM_H5_NOTHING;
    if (!name) l->starved = true;
    if (kind == AM_H5_GROUP) read_group(l, name, depth + 1);
    if (kind == AM_H5_ARRAY) read_array(l, name);
    am_free(l->file->ctx, name);
  }
  am_names_free(l->file->ctx, &names);
}

/* Seconds of processor, and of the clock, that reading `bytes` may take: generous, a hang is endless. */
static rlim_t seconds_for(uint64_t bytes) { return (rlim_t)(5 + bytes / (10 << 20)); }

static void look_through(am_h5 *file, int report) {
  const rlim_t most = seconds_for(file->bytes);
  am_child_become(file->ctx, &(am_child_limits){.seconds = most, .bytes = am_h5_most(file->bytes)});
  am_child_log(file->ctx, NULL, NULL);
  alarm((unsigned)(10 * most));
  look l = {0};
  am_h5_unlock_child();
  am_h5_starved(true);
  /* A file that is refused in good order is refused again here, with its message. */
  const unsigned flags = file->flags & ~(unsigned)AM_H5_UNTRUSTED;
  if (good(&l, file->image
                   ? am_h5_open_image(file->ctx, file->image, (size_t)file->bytes, file->path, flags, &l.file, NULL)
                   : am_h5_open(file->ctx, file->path, flags, &l.file, NULL))) {
    read_group(&l, "", 0);
    am_names arrays;
    if (good(&l, am_h5_arrays(l.file, "", &arrays, NULL))) am_names_free(l.file->ctx, &arrays);
    am_h5_close(l.file);
  }
  const char *answer = l.starved || am_h5_starved(false) ? "m" : "y";
  while (write(report, answer, 1) < 0 && errno == EINTR) continue;
  _exit(0);
}

/* ---- in the parent ---- */

enum { TRIES = 6, LOOK_MS = 100, STILL_LOOKS = 15 };

/* What the child says ('y', or 'm' when memory ran out), 'n' when it dies, 's' when it stands still: for 1.5 s it has used no time of a processor
 * (base/child.h). */
static char listen_to(pid_t child, int fd) {
  char answer = 'n';
  struct pollfd end = {.fd = fd, .events = POLLIN};
  long long used = -1;
  for (int still = 0; still < STILL_LOOKS; still++) {
    int ready = poll(&end, 1, LOOK_MS);
    if (ready > 0) {
      while (read(fd, &answer, 1) < 0 && errno == EINTR) continue;
      return answer;
    }
    long long now = am_child_nanoseconds(child);
    if (ready < 0 || now != used) still = 0;
    used = now;
  }
  return 's';
}

void am_h5_end_child(am_h5 *file) {
  while (file->child > 0 && waitpid(file->child, NULL, 0) < 0 && errno == EINTR) continue;
  file->child = 0;
}

/* One child: *answer as of listen_to(); the last one is waited for until it answers or dies.  One that is content ends while the
 * file is read here. */
static am_status ask_child(am_h5 *file, bool last, char *answer, am_error *err) {
  int ends[2];
  *answer = 'n';
  /* No other thread is inside HDF5 while the process is copied, and no other child gets an end of this pipe. */
  am_h5_quiet q = am_h5_enter();
  pid_t child = am_child_pipe(ends) ? -2 : fork();
  int code = errno;
  if (!child) {
    close(ends[0]);
    look_through(file, ends[1]);
  }
  if (child != -2) close(ends[1]);
  am_h5_leave(q);
  if (child > 0) {
    *answer = listen_to(child, ends[0]);
    if (*answer == 's' && last) {
      *answer = 'n';
      while (read(ends[0], answer, 1) < 0 && errno == EINTR) continue;
    } else if (*answer == 's') {
      kill(child, SIGKILL);
    }
    file->child = child;
    if (*answer != 'y') am_h5_end_child(file);
  }
  if (child != -2) close(ends[0]);
  return child > 0 ? AM_OK : am_fail_errno(err, code, "%s: cannot start a process to read it first", file->path);
}

am_status am_h5_check_in_child(am_h5 *file, am_error *err) {
  char answer = 's';
  am_log(file->ctx, AM_LOG_DEBUG, "%s: a child process reads it first", file->path);
  for (int i = 1; i <= TRIES && answer == 's'; i++) {
    am_status status = ask_child(file, i == TRIES, &answer, err);
    if (status) return status;
  }
  if (answer == 'y') return AM_OK;
  if (answer == 'm')
    return am_fail(err, AM_E_FORMAT,
                   "%s: damaged, or made to take up memory: a process that read it first wanted more than 48 MB and 16 "
                   "times its size (%llu bytes)",
                   file->path, (unsigned long long)file->bytes);
  return am_fail(err, AM_E_FORMAT,
                 "%s: not an HDF5 file, or damaged: HDF5 crashed or hung in a process that read it first", file->path);
}
