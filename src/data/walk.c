/* data/walk.c - every file below a folder, in a fixed order. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/corpus.h"

static void remember(char out[128], const char *name) {
  if (!*out) snprintf(out, 128, "%s", name);
}

static am_status visit(am_walk *walk, const char *folder, int depth, am_error *err);

static am_status visit_folder(am_walk *walk, const char *name, const char *path, int depth, am_error *err) {
  bool entered;
  am_status status = am_trail_enter(&walk->trail, path, &entered, err);
  if (status || !entered) return status;
  walk->folders++;
  remember(walk->first_folder, name);
  if (depth < AM_WALK_DEPTH) status = visit(walk, name, depth + 1, err);
  am_trail_leave(&walk->trail);
  return status;
}

/* One name of a folder: files in the first pass, folders in the second, so that shallow copies come first. */
static am_status visit_name(am_walk *walk, const char *folder, const char *base, bool folders, int depth,
                            am_error *err) {
  am_context *ctx = walk->ctx;
  char *name = am_path_join(ctx, folder, base), *path = name ? am_path_join(ctx, walk->root, name) : NULL;
  am_status status = AM_OK;
  if (!path) {
    status = am_no_memory(err);
  } else if (am_folder_exists(path)) {
    if (folders && *base != '.') status = visit_folder(walk, name, path, depth, err);
  } else if (!folders && am_file_is_special(path)) {
    if (walk->special) status = walk->special(walk->user, name, err);
  } else if (!folders) {
    if (*base != '.') remember(walk->first_file, name);
    if (++walk->files > AM_WALK_FILES)
      status =
          am_fail(err, AM_E_DATA, "%s: more than %d files below this folder; give the corpus's own folder",
                  walk->root, AM_WALK_FILES);
    else
      status = walk->file(walk->user, name, err);
  }
  am_free(ctx, path);
  am_free(ctx, name);
  return status;
}

static am_status visit(am_walk *walk, const char *folder, int depth, am_error *err) {
  char *path = am_path_join(walk->ctx, walk->root, folder);
  if (!path) return am_no_memory(err);
  am_names names;
  am_status status = am_folder_list(walk->ctx, *folder ? path : walk->root, &names, err);
  am_free(walk->ctx, path);
  if (status) return status;
  for (int folders = 0; folders < 2 && !status; folders++)
    for (size_t i = 0; i < names.n && !status; i++)
      status = visit_name(walk, folder, names.at[i], folders, depth, err);
  am_names_free(walk->ctx, &names);
  return status;
}

am_status am_walk_run(am_walk *walk, am_error *err) {
  am_status status = am_trail_begin(walk->ctx, walk->root, &walk->trail, err);
  if (!status) status = visit(walk, "", 0, err);
  am_trail_end(&walk->trail);
  return status;
}
