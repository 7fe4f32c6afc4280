/* SPDX-License-Identifier: MIT */
/* base/file_aside.c - names under which files are written aside, and what killed writers left under them.
 *
 * "<path>.<process>.<machine><random>.audiomood.tmp": it cannot be guessed, so no link can be put there first.  Earlier versions
 * wrote "<path>.<process>.audiomood.tmp". */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/system.h"

#define ASIDE ".audiomood.tmp"
enum { HEX = 8, LONGEST_BASE = 200 }; /* bytes: a name has room for 255 */

/* The boot of this machine, and the container: process ids mean the same to those that agree in both. */
static uint32_t machine(void) {
  enum { EACH = 64 };
  char text[2 * EACH] = "";
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, text, EACH), m;
  if (fd >= 0) close(fd);
  if (n < 0) n = 0;
  m = readlink("/proc/self/ns/pid", text + n, EACH);
  return (uint32_t)am_hash64(1, text, (size_t)n + (size_t)(m > 0 ? m : 0));
}

/* Where the kernel has no random numbers yet, the clock must do: the file is opened so that it must be new. */
static uint32_t any_number(void) {
  uint32_t number;
  if (getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number) return number;
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint32_t)am_hash64((uint64_t)getpid(), &now.tv_nsec, sizeof now.tv_nsec);
}

char *am_file_aside(am_context *ctx, const char *path) {
  const char *base = am_path_base(path);
  size_t n = strlen(base);
  return am_format(ctx, "%.*s%.*s.%ld.%08" PRIx32 "%08" PRIx32 ASIDE, (int)(base - path), path,
                   (int)(n < LONGEST_BASE ? n : LONGEST_BASE), base, (long)getpid(), machine(), any_number());
}

/* What such a name says. */
typedef struct writer {
  long process;
  uint32_t machine;
  bool machine_known;
} writer;

static bool take_digits(const char *name, const char **end, long *process) {
  const char *at = *end;
  while (at > name && at[-1] >= '0' && at[-1] <= '9') at--;
  *process = at < *end && *end - at < 12 ? strtol(at, NULL, 10) : 0;
  *end = at - 1;
  return *process > 0 && *process <= INT_MAX && at > name && at[-1] == '.' && at - 1 > name;
}

static bool is_aside(const char *name, writer *w) {
  size_t n = strlen(name), ending = strlen(ASIDE);
  if (n <= ending || strcmp(name + n - ending, ASIDE) != 0) return false;
  const char *end = name + n - ending;
  *w = (writer){0};
  if (end - name > 2 * HEX && end[-2 * HEX - 1] == '.' && strspn(end - 2 * HEX, "0123456789abcdef") >= 2 * HEX) {
    char digits[HEX + 1] = "";
    memcpy(digits, end - 2 * HEX, HEX);
    const char *before = end - 2 * HEX - 1;
    w->machine = (uint32_t)strtoul(digits, NULL, 16);
    w->machine_known = take_digits(name, &before, &w->process);
    if (w->machine_known) return true;
  }
  return take_digits(name, &end, &w->process);
}

/* Of no age asks no clock: that of files may be ahead of time(), by a tick of the kernel or a step of the clock. */
static bool is_old(const char *path, double age) {
  struct stat info;
  return lstat(path, &info) == 0 && S_ISREG(info.st_mode) && (age <= 0 || difftime(time(NULL), info.st_mtime) >= age);
}

/* Without memory from the context: where that has run out, what is cleaned is no reason to fail. */
void am_folder_clean(am_context *ctx, const char *path, double age) {
  DIR *folder = opendir(path);
  char file[PATH_MAX];
  writer w;
  for (struct dirent *entry; folder && (entry = readdir(folder));) {
    if (!is_aside(entry->d_name, &w) || kill((pid_t)w.process, 0) == 0 || errno != ESRCH) continue;
    int n = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    bool of_ours = w.machine_known && w.machine == machine(); /* then its writer is surely dead */
    if (n > 0 && (size_t)n < sizeof file && is_old(file, of_ours ? 0 : age)) am_context_system(ctx)->unlink(file);
  }
  if (folder) closedir(folder);
}

void am_file_clean_beside(am_context *ctx, const char *path) {
  char folder[PATH_MAX];
  int n = snprintf(folder, sizeof folder, "%.*s.", (int)(am_path_base(path) - path), path);
  if (n > 0 && (size_t)n < sizeof folder) am_folder_clean(ctx, folder, AM_OLD_ASIDE);
}
