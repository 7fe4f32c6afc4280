/* SPDX-License-Identifier: MIT */
/* base/file.h - files written so that a crash at any moment leaves the old
 * content or the new one: write aside, fsync, rename, fsync the folder.  A
 * failed fsync fails the save and leaves the old file.  All system calls that
 * change files go through the table in file.c, so tests can make any of them fail. */
#ifndef AM_FILE_H
#define AM_FILE_H

#include "base/base.h"
#include "base/hash.h"
#include "base/lock.h"

/* Whose word a path is.  What the user names is written as he names it: a symbolic link stays one and the file it leads to is
 * replaced, devices and pipes are written to as they are.  A name of our own in a folder that the user names (a run's) may have
 * been put there by whoever made the folder: no link is followed, it is replaced, and the folder is not left.
 * In both cases the new file has the mode and, where that may be, the group of the one it takes the place of. */
typedef enum am_whose {
  AM_GIVEN,
  AM_OURS,
  AM_PRIVATE /* named by the user, and about a person: a new file is for its owner alone (mode 0600) */
} am_whose;
am_status am_file_write_as(am_context *ctx, am_whose whose, const char *path, const void *data, size_t bytes,
                           am_error *err);
/* That of a path given by the user. */
am_status am_file_write(am_context *ctx, const char *path, const void *data, size_t bytes, am_error *err);
/* That of our own; `like` is the file whose mode it takes, NULL: of the one that it replaces. */
am_status am_file_write_own(am_context *ctx, const char *path, const char *like, const void *data, size_t bytes,
                            am_error *err);
/* Hours of work should not end in a folder that is not there: whether am_file_write could begin, as far as one can say. */
am_status am_file_can_be_made(am_context *ctx, const char *path, am_error *err);
/* Puts `data` behind the first `keep` bytes of a file of our own, which others may be reading: it stays the same file.  What it
 * held behind them is gone.  A crash can leave a part of `data`.  AM_E_FORMAT: it is shorter, or no ordinary file. */
am_status am_file_append_own(am_context *ctx, const char *path, size_t keep, const void *data, size_t bytes,
                             am_error *err);
/* Reads a whole file of at most `limit` bytes; terminated; free with am_free. */
am_status am_file_read(am_context *ctx, const char *path, size_t limit, char **data, size_t *bytes, am_error *err);
/* The same of an ordinary file or a link to one.  A device or a pipe, which may never end, is refused (AM_E_FORMAT);
 * `wanted`, such as "a sound file", is what the message says instead. */
am_status am_file_read_ordinary(am_context *ctx, const char *path, const char *wanted, size_t limit, char **data,
                                size_t *bytes, am_error *err);
/* Reads a file of our own: a link, a device or a pipe in its place is AM_E_FORMAT. */
am_status am_file_read_own(am_context *ctx, const char *path, size_t limit, char **data, size_t *bytes, am_error *err);
/* The second half for files that a library wrote: `aside` is fsynced, renamed to `path`, folder fsynced. */
am_status am_file_commit(am_context *ctx, const char *aside, const char *path, am_error *err);
/* A name for writing aside, "<path>.<pid>.<machine><random>.audiomood.tmp" (am_free), each time another. */
char *am_file_aside(am_context *ctx, const char *path);
am_status am_folder_create(am_context *ctx, const char *path,
                           am_error *err); /* with parents, synced; existing is fine */
/* Creates `below` (a name of ours, or several: "seed-1/fold-2") in `folder`, with parents.  AM_E_IO when one of those below is a
 * link: we write only in the folder itself. */
am_status am_folder_own(am_context *ctx, const char *folder, const char *below, am_error *err);
/* The same look without making any. */
am_status am_folder_check_own(am_context *ctx, const char *folder, const char *below, am_error *err);
/* One new folder, synced, whose parent is there; *made: false when the name is taken. */
am_status am_folder_claim(am_context *ctx, const char *path, bool *made, am_error *err);
/* The name is gone for good: its folder is synced. One that is not there is fine. */
am_status am_file_remove(am_context *ctx, const char *path, am_error *err);
/* What a symbolic link leads to, which is written in its stead; else `path` itself, also of a link to nowhere.  am_free. */
char *am_file_target(am_context *ctx, const char *path);
bool am_file_is_special(const char *path); /* neither a regular file nor a folder: a device, a pipe, a socket */
bool am_file_is_link(const char *path);    /* a symbolic one */
bool am_file_exists(const char *path);
bool am_folder_exists(const char *path);
bool am_folder_has(am_context *ctx, const char *folder, const char *name); /* a file of that name */
/* Joins with one '/'; `name` absolute wins.  am_free. */
char *am_path_join(am_context *ctx, const char *folder, const char *name);
/* Of a file or folder that is there, given relative to the folder of the running program: its path without links; else NULL. */
char *am_path_from_program(am_context *ctx, const char *relative);
const char *am_path_base(const char *path); /* after the last '/' */
bool am_text_ends(const char *text, const char *end);

/* Names in a folder, sorted by byte order, "." and ".." left out.  Free with am_names_free. */
typedef struct am_names {
  char **at;
  size_t n;
} am_names;
am_status am_folder_list(am_context *ctx, const char *path, am_names *out, am_error *err);
void am_names_sort(am_names *names); /* by byte order */
void am_names_free(am_context *ctx, am_names *names);
/* Removes what writers killed in am_file_write left aside there.  What a living process of this machine writes is left alone;
 * what those of other machines, containers and versions before left is known by the age alone, and goes when it is at least
 * `age` seconds old: 0 only under a lock that keeps other writers out.  Failures do not matter: it is only rubbish. */
enum { AM_OLD_ASIDE = 3600 }; /* `age` without such a lock */
void am_folder_clean(am_context *ctx, const char *path, double age);
/* The same of the folder that a file is in, without a lock. */
void am_file_clean_beside(am_context *ctx, const char *path);

/* What identifies a file's content without reading it.  The change time moves even when someone
 * sets the modification time back. */
typedef struct am_file_id {
  uint64_t size, mtime_ns, ctime_ns, inode, device;
} am_file_id;
am_status am_file_identify(const char *path, am_file_id *out, am_error *err);
/* am_file_exists and am_file_identify in one look. */
bool am_file_exists_as(const char *path, am_file_id *out);

#endif
