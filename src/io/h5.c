/* SPDX-License-Identifier: MIT */
/* io/h5.c - HDF5 files: the lock, opening and committing, groups and names. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/h5_inside.h"

/* HDF5 keeps its state in globals of its own and is not thread-safe, so what
 * guards it has to be as wide as they are: the process.  The library has two
 * more mutable statics, for the same reason: audio/fft.c guards FFTW's planner,
 * tensor/gemm.c counts OpenBLAS's buffers. */
static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

/* Set when a call into HDF5 failed for want of memory; guarded by the lock as well. */
static bool starved;

static herr_t on_line(unsigned n, const H5E_error2_t *line, void *user) {
  (void)n, (void)user;
  if (line->min_num == H5E_NOSPACE || line->min_num == H5E_CANTALLOC) starved = true;
  return 0;
}

/* In place of printing, at every failing call. */
static herr_t on_failure(hid_t stack, void *user) { return H5Ewalk2(stack, H5E_WALK_UPWARD, on_line, user); }

bool am_h5_starved(bool again) {
  bool was = starved;
  if (again) starved = false;
  return was;
}

am_h5_quiet am_h5_enter(void) {
  am_h5_quiet q = {0};
  pthread_mutex_lock(&hdf5_lock);
  /* Heard only before HDF5's first use: no clean-up at the program's end.  All files are closed by then, and
   * after a damaged file it prints or crashes. */
  H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &q.print, &q.data);
  H5Eset_auto2(H5E_DEFAULT, on_failure, NULL);
  H5Eclear2(H5E_DEFAULT);
  return q;
}

void am_h5_leave(am_h5_quiet q) {
  H5Eclear2(H5E_DEFAULT);
  H5Eset_auto2(H5E_DEFAULT, q.print, q.data);
  pthread_mutex_unlock(&hdf5_lock);
}

void am_h5_unlock_child(void) { pthread_mutex_unlock(&hdf5_lock); }

/* The outermost line of HDF5's error stack says what failed, the innermost why. */
static herr_t keep_line(unsigned n, const H5E_error2_t *line, void *user) {
  char(*texts)[256] = user;
  snprintf(texts[n ? 1 : 0], sizeof texts[0], "%s", line->desc ? line->desc : "");
  return 0;
}

am_status(am_h5_fail)(const am_h5 *file, am_error *err, am_status status, const char *what, const char *name) {
  char texts[2][256] = {"", ""};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_line, texts);
  return am_fail(err, status, "%s: %s%s%s: HDF5 says: %s%s%s", file->path, what, *name ? " " : "", name, texts[0],
                 *texts[1] ? ": " : "", texts[1]);
}

/* Files */

static hid_t access_list(void) {
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  /* Our files are whole before they have their name and never change after, so locks
   * guard nothing and fail on some network folders. */
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list, false, true);
#endif
  H5Pset_fclose_degree(list, H5F_CLOSE_STRONG);
  /* The format of HDF5 1.8: all that describes a file carries checksums.  In the one before,
   * which is HDF5's default, one wrong bit can lead its own code astray. */
  H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18);
  return list;
}

/* Without time stamps, so the same calls give the same bytes. */
static hid_t timeless(hid_t class) {
  hid_t list = H5Pcreate(class);
  H5Pset_obj_track_times(list, false);
  return list;
}

static am_status new_file(am_context *ctx, const char *path, bool aside, am_h5 **out, am_error *err) {
  am_h5 *file = am_alloc(ctx, 1, sizeof *file);
  if (!file) return am_no_memory(err);
  *file = (am_h5){.ctx = ctx,
                  .near = am_alloc(ctx, 1, sizeof *file->near),
                  .id = -1,
                  .at = -1,
                  .whose = AM_OURS,
                  .path = am_strdup(ctx, path)};
  if (file->near) file->near->group = -1;
  if (aside) file->aside = am_file_aside(ctx, path);
  if (!file->path || !file->near || (aside && !file->aside)) {
    am_h5_close(file);
    return am_no_memory(err);
  }
  *out = file;
  return AM_OK;
}

static herr_t pass_by(hid_t group, const char *name, const H5O_info_t *info, void *user) {
  (void)group, (void)name, (void)info, (void)user;
  return 0;
}

/* An object whose header is damaged cannot be opened, and whoever asks for it may take it for one that was never
 * there: the history, a normaliser's mean. So a file of ours opens only when all that is in it can be. */
static am_status check_objects(const am_h5 *file, am_error *err) {
  if (H5Ovisit2(file->id, H5_INDEX_NAME, H5_ITER_NATIVE, pass_by, NULL, H5O_INFO_BASIC) >= 0) return AM_OK;
  return am_h5_fail(file, err, AM_E_FORMAT, "damaged: something in it cannot be opened", "");
}

/* HDF5 takes an image for bytes to change, and copies it. */
static hid_t open_in_hdf5(am_h5 *file, hid_t list) {
  hid_t id = -1;
  if (!file->image) id = H5Fopen(file->path, file->flags & AM_H5_UPDATE ? H5F_ACC_RDWR : H5F_ACC_RDONLY, list);
  else if (H5Pset_fapl_core(list, 1 << 20, false) >= 0 &&
           H5Pset_file_image(list, (void *)file->image, (size_t)file->bytes) >= 0)
    id = H5Fopen(file->path, H5F_ACC_RDONLY, list);
  return id;
}

static herr_t find_lock(unsigned n, const H5E_error2_t *line, void *user) {
  bool *found = user;
  (void)n;
#ifdef H5E_CANTLOCKFILE
  *found = *found || line->min_num == H5E_CANTLOCKFILE;
#endif
  return 0;
}

/* Files are locked only when the user wants it by HDF5's own variable. */
static am_status fail_open(const am_h5 *file, am_error *err) {
  bool locking = false;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, find_lock, &locking);
  if (!locking) return am_h5_fail(file, err, AM_E_FORMAT, "not an HDF5 file, or damaged", "");
  return am_h5_fail(file, err, AM_E_IO, "cannot be locked, which HDF5_USE_FILE_LOCKING demands and nothing here needs",
                    "");
}

/* The file is freed on failure. */
static am_status open_known(am_h5 *file, am_h5 **out, am_error *err) {
  am_status status = am_h5_check_head(file, err);
  if (!status && file->flags & AM_H5_UNTRUSTED && am_context_reads_in_child(file->ctx))
    status = am_h5_check_in_child(file, err);
  if (status) {
    am_h5_close(file);
    return status;
  }
  am_h5_quiet q = am_h5_enter();
  const hid_t list = access_list();
  file->id = file->at = open_in_hdf5(file, list);
  if (file->id < 0) status = fail_open(file, err);
  H5Pclose(list); /* after that HDF5 does not know any more what failed */
  if (!status && !(file->flags & AM_H5_FOREIGN)) status = check_objects(file, err);
  am_h5_leave(q);
  if (status) am_h5_close(file);
  else *out = file;
  return status;
}

am_status am_h5_open(am_context *ctx, const char *path, unsigned flags, am_h5 **out, am_error *err) {
  *out = NULL;
  am_file_id id;
  am_h5 *file = NULL;
  am_log(ctx, AM_LOG_DEBUG, "reading %s", path);
  if (am_folder_exists(path)) return am_fail(err, AM_E_IO, "%s is a folder; wanted an HDF5 file", path);
  if (am_file_is_special(path)) return am_fail(err, AM_E_IO, "%s is a device or a pipe; wanted an HDF5 file", path);
  if (access(path, flags & AM_H5_UPDATE ? R_OK | W_OK : R_OK)) return am_fail_errno(err, errno, "cannot open %s", path);
  am_status status = am_file_identify(path, &id, err);
  if (!status) status = new_file(ctx, path, false, &file, err);
  if (status) return status;
  file->flags = flags;
  file->bytes = id.size;
  return open_known(file, out, err);
}

am_status am_h5_open_image(am_context *ctx, const void *data, size_t bytes, const char *name, unsigned flags,
                           am_h5 **out, am_error *err) {
  am_h5 *file = NULL;
  *out = NULL;
  am_status status = new_file(ctx, name, false, &file, err);
  if (status) return status;
  file->flags = flags;
  file->image = data;
  file->bytes = bytes;
  return open_known(file, out, err);
}

/* New files are built in memory and written by am_file_write: when HDF5 itself meets a full disk,
 * it keeps the file half closed and crashes at the program's end. */
enum { GROW = 1 << 20 };

am_status am_h5_create_aside(am_context *ctx, const char *path, am_h5 **out, am_error *err) {
  *out = NULL;
  am_h5 *file = NULL;
  am_status status = new_file(ctx, path, true, &file, err);
  if (!status) status = am_file_can_be_made(ctx, path, err);
  if (status) {
    am_h5_close(file);
    return status;
  }
  file->flags = AM_H5_UPDATE;
  file->bytes = UINT64_MAX;
  am_h5_quiet q = am_h5_enter();
  hid_t list = access_list(), root = timeless(H5P_FILE_CREATE);
  H5Pset_fapl_core(list, GROW, false);
  file->id = file->at = H5Fcreate(file->aside, H5F_ACC_TRUNC, root, list);
  if (file->id < 0) status = am_h5_fail(file, err, AM_E_IO, "cannot create the file", "");
  H5Pclose(root);
  H5Pclose(list);
  am_h5_leave(q);
  if (status) am_h5_close(file);
  else *out = file;
  return status;
}

void am_h5_is_given(am_h5 *file) { file->whose = AM_GIVEN; }
void am_h5_is_private(am_h5 *file) { file->whose = AM_PRIVATE; }

am_status am_h5_like(am_h5 *file, const char *path, am_error *err) {
  am_free(file->ctx, file->like);
  file->like = am_strdup(file->ctx, path);
  return file->like ? AM_OK : am_no_memory(err);
}

/* The memory that a new file was built in (what the core driver gives as its handle). */
static am_status get_image(am_h5 *file, void **image, size_t *bytes, am_error *err) {
  void **handle = NULL;
  am_h5_quiet q = am_h5_enter();
  ssize_t used = 0; /* the memory is a little longer */
  bool good = H5Fflush(file->id, H5F_SCOPE_GLOBAL) >= 0 && (used = H5Fget_file_image(file->id, NULL, 0)) > 0 &&
              H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&handle) >= 0 && handle;
  am_status status = good ? AM_OK : am_h5_fail(file, err, AM_E_NOMEM, "cannot finish the file in memory", "");
  am_h5_leave(q);
  *image = good ? *handle : NULL;
  *bytes = good ? (size_t)used : 0;
  return status;
}

am_status am_h5_image(am_h5 *file, const void **data, size_t *bytes, am_error *err) {
  void *image;
  am_status status = get_image(file, &image, bytes, err);
  *data = image;
  return status;
}

static am_status close_in_place(am_h5 *file, am_error *err) {
  am_status status = am_h5_flush(file, err);
  am_h5_quiet q = am_h5_enter();
  if (H5Fclose(file->id) < 0 && !status)
    status = am_h5_fail(file, err, AM_E_IO, "cannot close (is the disk full?)", "");
  file->id = file->at = -1;
  am_h5_leave(q);
  return status;
}

am_status am_h5_commit(am_h5 *file, am_error *err) {
  am_status status;
  if (file->aside) {
    void *image;
    size_t bytes;
    status = get_image(file, &image, &bytes, err);
    if (!status && file->whose != AM_OURS)
      status = am_file_write_as(file->ctx, file->whose, file->path, image, bytes, err);
    else if (!status) status = am_file_write_own(file->ctx, file->path, file->like, image, bytes, err);
  } else {
    status = close_in_place(file, err);
  }
  am_h5_close(file);
  return status;
}

am_status am_h5_flush(am_h5 *file, am_error *err) {
  am_h5_quiet q = am_h5_enter();
  am_status status = AM_OK;
  if (H5Fflush(file->id, H5F_SCOPE_GLOBAL) < 0)
    status = am_h5_fail(file, err, AM_E_IO, "cannot write (is the disk full?)", "");
  am_h5_leave(q);
  return status;
}

void am_h5_close(am_h5 *file) {
  if (!file) return;
  am_h5_quiet q = am_h5_enter();
  if (file->id >= 0) H5Fclose(file->id);
  /* HDF5 keeps freed blocks in lists by size: an array that grows from save to save would leave one of each size. */
  H5garbage_collect();
  am_h5_leave(q);
  am_h5_end_child(file);
  am_free(file->ctx, file->near);
  am_free(file->ctx, file->aside);
  am_free(file->ctx, file->like);
  am_free(file->ctx, file->path);
  am_free(file->ctx, file);
}

const char *am_h5_path(const am_h5 *file) { return file->path; }

void am_h5_library(char out[32]) {
  unsigned major = 0, minor = 0, release = 0;
  am_h5_quiet q = am_h5_enter();
  H5get_libversion(&major, &minor, &release);
  am_h5_leave(q);
  snprintf(out, 32, "%u.%u.%u", major, minor, release);
}

uint64_t am_h5_most(uint64_t bytes) {
  const uint64_t always = 48 << 20, times = 16;
  return bytes < (UINT64_MAX - always) / times ? always + times * bytes : UINT64_MAX;
}

am_status am_h5_charge(am_h5 *file, const char *name, size_t bytes, am_error *err) {
  if (!(file->flags & AM_H5_UNTRUSTED)) return AM_OK;
  if (bytes <= am_h5_most(file->bytes) / 2 - file->given) {
    file->given += bytes;
    return AM_OK;
  }
  return am_fail(err, AM_E_FORMAT,
                 "%s: with %s more would be read from it than 24 MB and 8 times its size (%llu bytes)", file->path,
                 name, (unsigned long long)file->bytes);
}

uint64_t am_h5_size(const am_h5 *file) {
  hsize_t now = 0;
  if (file->flags & AM_H5_UPDATE) H5Fget_filesize(file->id, &now);
  return now ? now : file->bytes;
}

/* Names */

bool am_h5_is_root(const char *name) { return !*name || !strcmp(name, "/"); }

void am_h5_forget_near(const am_h5 *file) {
  if (file->near->group >= 0) H5Gclose(file->near->group);
  file->near->group = -1;
  file->near->kind = AM_H5_NOTHING;
}

static bool is_hard(hid_t from, const char *name) {
  H5L_info_t link;
  return H5Lget_info(from, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
}

/* The group of the first n characters of a name, as the near one; -1: hard links alone lead to no group of that name. */
static hid_t go_near(const am_h5 *file, const char *name, size_t n) {
  am_h5_near *near = file->near;
  if (near->group >= 0 && near->n == n && !memcmp(near->name, name, n)) return near->group;
  am_h5_forget_near(file);
  near->n = n;
  memcpy(near->name, name, n);
  near->name[n] = '\0';
  for (size_t i = 1; i <= n; i++) {
    if (name[i] != '/') continue;
    near->name[i] = '\0';
    if (!is_hard(file->at, near->name)) return -1;
    if (i < n) near->name[i] = '/';
  }
  return near->group = H5Gopen2(file->at, near->name, H5P_DEFAULT);
}

am_h5_kind am_h5_lookup(const am_h5 *file, const char *name) {
  am_h5_near *near = file->near;
  const size_t n = strlen(name);
  if (am_h5_is_root(name)) return AM_H5_GROUP;
  if (n >= sizeof near->found) return AM_H5_NOTHING;
  if (near->kind != AM_H5_NOTHING && !strcmp(near->found, name)) return near->kind;
  const char *slash = strrchr(name, '/'), *last = slash && slash > name ? slash + 1 : name;
  const hid_t from = last == name ? file->at : go_near(file, name, (size_t)(slash - name));
  if (from < 0 || !is_hard(from, last)) return AM_H5_NOTHING;
  H5O_info_t object;
  if (H5Oget_info_by_name2(from, last, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return AM_H5_NOTHING;
  near->kind = object.type == H5O_TYPE_GROUP     ? AM_H5_GROUP
               : object.type == H5O_TYPE_DATASET ? AM_H5_ARRAY
                                                 : AM_H5_NOTHING;
  memcpy(near->found, name, n + 1);
  return near->kind;
}

static void leave_group(am_h5 *file) {
  am_h5_forget_near(file);
  if (file->at != file->id) H5Gclose(file->at);
  file->at = file->id;
}

am_status am_h5_within(am_h5 *file, const char *group, am_error *err) {
  am_status status = AM_OK;
  am_h5_quiet q = am_h5_enter();
  leave_group(file);
  if (!am_h5_is_root(group)) {
    const bool there = am_h5_lookup(file, group) == AM_H5_GROUP;
    hid_t id = there ? H5Gopen2(file->id, group, H5P_DEFAULT) : -1;
    if (id >= 0) file->at = id;
    else if (there) status = am_h5_fail(file, err, AM_E_FORMAT, "cannot open", group);
    else status = am_fail(err, AM_E_FORMAT, "%s: there is no group called \"%s\"", file->path, group);
  }
  am_h5_leave(q);
  return status;
}

am_status am_h5_copy(const am_h5 *from, am_h5 *to, const char *group, am_error *err) {
  am_status status = AM_OK;
  am_h5_quiet q = am_h5_enter();
  const char *slash = strrchr(group, '/');
  if (am_h5_lookup(to, group) != AM_H5_NOTHING)
    status = am_fail(err, AM_E_USAGE, "%s: there is a \"%s\" already", to->path, group);
  else if (slash) status = am_h5_make_groups(to, group, (size_t)(slash - group), err);
  if (!status && H5Ocopy(from->at, ".", to->at, group, H5P_DEFAULT, H5P_DEFAULT) < 0)
    status = am_h5_fail(to, err, AM_E_FORMAT, "cannot copy into", group);
  am_h5_leave(q);
  return status;
}

am_h5_kind am_h5_find(am_h5 *file, const char *name) {
  am_h5_quiet q = am_h5_enter();
  am_h5_kind kind = am_h5_lookup(file, name);
  am_h5_leave(q);
  return kind;
}

/* Groups down to the first `n` characters of a name. */
am_status am_h5_make_groups(const am_h5 *file, const char *name, size_t n, am_error *err) {
  char part[1024];
  if (n >= sizeof part) return am_fail(err, AM_E_USAGE, "%s: a name of %zu characters is too long", file->path, n);
  memcpy(part, name, n);
  part[n] = '\0';
  hid_t list = timeless(H5P_GROUP_CREATE);
  am_status status = AM_OK;
  for (size_t i = 1; i <= n && !status; i++) {
    if (i < n && name[i] != '/') continue;
    part[i] = '\0';
    am_h5_kind kind = am_h5_lookup(file, part);
    if (kind == AM_H5_ARRAY) status = am_fail(err, AM_E_USAGE, "%s: \"%s\" is an array, not a group", file->path, part);
    if (kind == AM_H5_NOTHING) {
      hid_t group = H5Gcreate2(file->at, part, H5P_DEFAULT, list, H5P_DEFAULT);
      if (group < 0) status = am_h5_fail(file, err, AM_E_IO, "cannot make group", part);
      else H5Gclose(group);
    }
    if (i < n) part[i] = '/';
  }
  H5Pclose(list);
  return status;
}

am_status am_h5_group(am_h5 *file, const char *name, am_error *err) {
  am_h5_quiet q = am_h5_enter();
  am_status status = am_h5_is_root(name) ? AM_OK : am_h5_make_groups(file, name, strlen(name), err);
  am_h5_leave(q);
  return status;
}

am_status am_h5_delete(am_h5 *file, const char *name, am_error *err) {
  am_status status = AM_OK;
  am_h5_quiet q = am_h5_enter();
  if (am_h5_is_root(name) || am_h5_lookup(file, name) == AM_H5_NOTHING)
    status = am_fail(err, AM_E_USAGE, "%s: there is nothing called \"%s\" to delete", file->path, name);
  else if (am_h5_forget_near(file), H5Ldelete(file->at, name, H5P_DEFAULT) < 0)
    status = am_h5_fail(file, err, AM_E_IO, "cannot delete", name);
  am_h5_leave(q);
  return status;
}

/* Lists of names */

typedef struct gather {
  am_context *ctx;
  am_names *names;
  size_t room;
  bool failed;
} gather;

static void gather_add(gather *g, const char *name) {
  if (g->failed) return;
  if (am_grow(g->ctx, &g->names->at, &g->room, g->names->n + 1, sizeof *g->names->at, NULL)) {
    g->failed = true;
    return;
  }
  char *copy = am_strdup(g->ctx, name);
  if (copy) g->names->at[g->names->n++] = copy;
  else g->failed = true;
}

static herr_t on_link(hid_t group, const char *name, const H5L_info_t *info, void *user) {
  (void)group;
  (void)info;
  gather_add(user, name);
  return 0;
}

/* Visits each object once, so hard links in a circle end. */
static herr_t on_object(hid_t group, const char *name, const H5O_info_t *info, void *user) {
  (void)group;
  if (info->type == H5O_TYPE_DATASET) gather_add(user, name);
  return 0;
}

static herr_t on_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user) {
  (void)object;
  (void)info;
  if (strcmp(name, "crc32c")) gather_add(user, name);
  return 0;
}

typedef enum gather_what { CHILDREN, ARRAYS, ATTRIBUTES } gather_what;

static am_status gather_names(am_h5 *file, const char *object, gather_what what, am_names *out, am_error *err) {
  *out = (am_names){0};
  gather g = {.ctx = file->ctx, .names = out};
  am_status status = AM_OK;
  am_h5_quiet q = am_h5_enter();
  am_h5_kind kind = am_h5_lookup(file, object);
  hid_t id = -1;
  if (kind == AM_H5_NOTHING || (what != ATTRIBUTES && kind != AM_H5_GROUP))
    status = am_fail(err, AM_E_FORMAT, "%s: there is no %s called \"%s\"", file->path,
                     what == ATTRIBUTES ? "group or array" : "group", object);
  else if ((id = H5Oopen(file->at, am_h5_is_root(object) ? "." : object, H5P_DEFAULT)) < 0)
    status = am_h5_fail(file, err, AM_E_FORMAT, "cannot open", object);
  if (!status) {
    hsize_t at = 0;
    herr_t done = what == CHILDREN ? H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, &at, on_link, &g)
                  : what == ARRAYS ? H5Ovisit2(id, H5_INDEX_NAME, H5_ITER_INC, on_object, &g, H5O_INFO_BASIC)
                                   : H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, &at, on_attribute, &g);
    if (done < 0) status = am_h5_fail(file, err, AM_E_FORMAT, "cannot list", object);
    else if (g.failed) status = am_no_memory(err);
  }
  if (id >= 0) H5Oclose(id);
  am_h5_leave(q);
  if (status) am_names_free(file->ctx, out);
  else am_names_sort(out);
  return status;
}

am_status am_h5_children(am_h5 *file, const char *group, am_names *out, am_error *err) {
  return gather_names(file, group, CHILDREN, out, err);
}

am_status am_h5_arrays(am_h5 *file, const char *group, am_names *out, am_error *err) {
  return gather_names(file, group, ARRAYS, out, err);
}

am_status am_h5_attributes(am_h5 *file, const char *object, am_names *out, am_error *err) {
  return gather_names(file, object, ATTRIBUTES, out, err);
}
