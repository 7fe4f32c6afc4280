/* SPDX-License-Identifier: MIT */
/* tests/crash/faults.c - see faults.h. */
#define _XOPEN_SOURCE 700 /* nftw */

#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static fault_plan plan;
static long calls;

/* A file with bytes that are not synced; `fd` is a duplicate, so it can be cut whatever its name is by then. */
typedef struct dirty_file {
  int fd;
  dev_t device;
  ino_t inode;
  off_t synced;
} dirty_file;

/* One name set to a file (its inode), to a folder, or to nothing, not yet synced. A rename is two that share a number. */
typedef struct name_change {
  char *path;
  ino_t inode; /* 0: nothing */
  bool folder;
  long number; /* of the call */
} name_change;

/* What a name stood for before its first change that is not synced. */
typedef struct name_base {
  char *path;
  ino_t inode;
} name_base;

enum { MOST = 256 };
static dirty_file dirty[MOST];
static name_change changes[MOST];
static name_base bases[MOST];
static int n_dirty, n_changes, n_bases;

static void must(bool good, const char *what) {
  if (good) return;
  fprintf(stderr, "fault layer: %s: %s\n", what, strerror(errno));
  _exit(99);
}

void fault_begin(const fault_plan *p) {
  plan = *p;
  if (plan.kind == FAULT_POWER) must(mkdir(plan.scratch, 0777) == 0 || errno == EEXIST, plan.scratch);
}

long fault_calls(void) { return calls; }

static uint64_t draw(void) { /* splitmix64 */
  uint64_t z = plan.seed += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* ---- files that are not synced ---- */

static dirty_file *find_dirty(const struct stat *info) {
  for (int i = 0; i < n_dirty; i++)
    if (dirty[i].device == info->st_dev && dirty[i].inode == info->st_ino) return &dirty[i];
  return NULL;
}

static void note_write(int fd) {
  struct stat info;
  must(fstat(fd, &info) == 0, "fstat");
  if (find_dirty(&info)) return;
  must(n_dirty < MOST, "too many unsynced files");
  dirty[n_dirty++] = (dirty_file){dup(fd), info.st_dev, info.st_ino, info.st_size};
  must(dirty[n_dirty - 1].fd >= 0, "dup");
}

static void forget_dirty(const struct stat *info) {
  dirty_file *d = find_dirty(info);
  if (!d) return;
  close(d->fd);
  *d = dirty[--n_dirty];
}

static void lose_bytes(const dirty_file *d) {
  struct stat info;
  must(fstat(d->fd, &info) == 0, "fstat");
  uint64_t how = draw() % 3;
  if (how == 2) return; /* the system had happened to write it */
  must(ftruncate(d->fd, d->synced) == 0, "ftruncate");
  if (how == 1) must(ftruncate(d->fd, info.st_size) == 0, "ftruncate"); /* the length without the bytes */
}

/* ---- names that are not synced ---- */

static void scratch_name(char out[4096], ino_t inode) {
  snprintf(out, 4096, "%s/%llu", plan.scratch, (unsigned long long)inode);
}

/* The inode behind a path, kept alive by a link of ours; 0: none. */
static ino_t hold(const char *path) {
  struct stat info;
  char link_name[4096];
  if (lstat(path, &info) || S_ISDIR(info.st_mode)) return 0;
  scratch_name(link_name, info.st_ino);
  must(link(path, link_name) == 0 || errno == EEXIST, path);
  return info.st_ino;
}

static void note_base(const char *path) {
  for (int i = 0; i < n_bases; i++)
    if (!strcmp(bases[i].path, path)) return;
  must(n_bases < MOST, "too many unsynced names");
  bases[n_bases++] = (name_base){strdup(path), hold(path)};
}

static void note_change(const char *path, ino_t inode, bool folder) {
  must(n_changes < MOST, "too many unsynced names");
  changes[n_changes++] = (name_change){strdup(path), inode, folder, calls};
}

static void folder_of(char out[4096], const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) snprintf(out, 4096, ".");
  else snprintf(out, 4096, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static bool stands_in(const char *path, const struct stat *folder) {
  char name[4096];
  struct stat info;
  folder_of(name, path);
  return stat(name, &info) || (info.st_dev == folder->st_dev && info.st_ino == folder->st_ino);
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where) {
  (void)info, (void)flag, (void)where;
  return remove(path);
}

static void remove_tree(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

static void sync_names(const struct stat *folder) {
  int kept = 0;
  for (int i = 0; i < n_changes; i++) {
    if (stands_in(changes[i].path, folder)) free(changes[i].path);
    else changes[kept++] = changes[i];
  }
  n_changes = kept;
  kept = 0;
  for (int i = 0; i < n_bases; i++) {
    if (stands_in(bases[i].path, folder)) free(bases[i].path);
    else bases[kept++] = bases[i];
  }
  n_bases = kept;
  if (kept) return;
  remove_tree(plan.scratch);
  must(mkdir(plan.scratch, 0777) == 0, plan.scratch);
}

static void set_name(const char *path, ino_t inode) {
  char link_name[4096];
  unlink(path);
  if (!inode) return;
  scratch_name(link_name, inode);
  must(link(link_name, path) == 0, path);
}

/* Half the time changes reach the disk in their order, as in a journal that was cut; else any of them may have. */
static void lose_names(void) {
  bool journal = draw() % 2, all[MOST];
  int cut = (int)(draw() % (uint64_t)(n_changes + 1));
  long last = cut < n_changes ? changes[cut].number : calls;
  for (int i = 0; i < n_changes; i++)
    all[i] = i && changes[i].number == changes[i - 1].number ? all[i - 1]
             : journal                                       ? changes[i].number < last
                                                             : draw() % 2;
  for (int b = 0; b < n_bases; b++) {
    ino_t inode = bases[b].inode;
    bool folder = false;
    for (int i = 0; i < n_changes; i++)
      if (!strcmp(changes[i].path, bases[b].path)) {
        folder = changes[i].folder;
        if (all[i]) inode = changes[i].inode;
      }
    if (!folder) set_name(bases[b].path, inode);
  }
  for (int i = 0; i < n_changes; i++)
    if (changes[i].folder && !all[i]) remove_tree(changes[i].path);
}

/* ---- the layer ---- */

static void die(void) {
  if (plan.kind == FAULT_POWER) {
    for (int i = 0; i < n_dirty; i++) lose_bytes(&dirty[i]);
    lose_names();
    remove_tree(plan.scratch);
  }
  raise(SIGKILL);
}

static bool models_power(void) { return plan.kind == FAULT_POWER; }

/* Counts a call; true when it must fail. */
static bool strike(void) {
  calls++;
  if (plan.kind == FAULT_NONE || !plan.at || calls < plan.at || (calls > plan.at && !plan.lasting)) return false;
  if (plan.kind != FAULT_ERROR) die();
  errno = plan.error;
  return true;
}

static int fault_open(const char *path, int flags, mode_t mode) {
  if (strike()) return -1;
  bool fresh = models_power() && flags & O_CREAT && access(path, F_OK);
  if (fresh) note_base(path);
  int fd = am_system_real.open(path, flags, mode);
  if (fd < 0) return fd;
  if (fresh) note_change(path, hold(path), false);
  if (models_power() && flags & O_TRUNC) note_write(fd);
  return fd;
}

static ssize_t fault_write(int fd, const void *data, size_t bytes) {
  if (models_power()) note_write(fd);
  if (plan.at && calls + 1 == plan.at && plan.kind != FAULT_NONE && bytes > 1) {
    ssize_t half = am_system_real.write(fd, data, bytes / 2); /* what is cut short is cut in its middle */
    must(half >= 0, "write");
  }
  return strike() ? -1 : am_system_real.write(fd, data, bytes);
}

static int fault_fsync(int fd) {
  if (strike()) return -1;
  if (models_power()) {
    struct stat info;
    must(fstat(fd, &info) == 0, "fstat");
    if (S_ISDIR(info.st_mode)) sync_names(&info);
    else forget_dirty(&info);
  }
  return am_system_real.fsync(fd);
}

/* A failed close closes, too. */
static int fault_close(int fd) {
  bool failed = strike();
  int code = errno, result = am_system_real.close(fd);
  errno = failed ? code : errno;
  return failed ? -1 : result;
}

static int fault_rename(const char *from, const char *to) {
  if (strike()) return -1;
  if (models_power()) {
    note_base(from);
    note_base(to);
    note_change(from, 0, false);
    note_change(to, hold(from), false);
  }
  return am_system_real.rename(from, to);
}

static int fault_unlink(const char *path) {
  if (strike()) return -1;
  if (models_power()) {
    note_base(path);
    note_change(path, 0, false);
  }
  return am_system_real.unlink(path);
}

static int fault_mkdir(const char *path, mode_t mode) {
  if (strike()) return -1;
  if (models_power()) {
    note_base(path);
    note_change(path, 0, true);
  }
  return am_system_real.mkdir(path, mode);
}

const am_system am_faults = {fault_open,   fault_write, fault_fsync, fault_close, fault_rename,
                             fault_unlink, fault_mkdir, flock,       ftruncate};
