/* SPDX-License-Identifier: MIT */
/* data/corpora/walk.c - every file below a folder, in a fixed order. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "data/corpora/corpus.h"

struct am_walk_link {
  char *name;
  int depth;
};

static void remember(char out[128], const char *name) {
  if (!*out) snprintf(out, 128, "%s", name);
}

static am_status visit(am_walk *walk, const char *folder, int depth, bool fresh, am_error *err);

/* Each folder once; again only on a shorter way, which leads to folders that were too deep before. */
static am_status visit_folder(am_walk *walk, const char *name, const char *path, int depth, am_error *err) {
  am_trail_step step;
  if (depth > AM_WALK_DEPTH) return AM_OK;
  am_status status = am_trail_enter(&walk->trail, path, depth, &step, err);
  if (status || step == AM_TRAIL_KNOWN) return status;
  if (step == AM_TRAIL_NEW) walk->folders++;
  remember(walk->first_folder, name);
  return visit(walk, name, depth, step == AM_TRAIL_NEW, err);
}

/* Links to folders wait until all that stands below the root has been searched, so that a folder of the corpus goes by
 * its own name, which often says who speaks. */
static am_status put_off(am_walk *walk, const char *name, int depth, am_error *err) {
  if (am_grow(walk->ctx, &walk->links, &walk->links_room, walk->n_links + 1, sizeof *walk->links, err))
    return AM_E_NOMEM;
  char *copy = am_strdup(walk->ctx, name);
  if (!copy) return am_no_memory(err);
  walk->links[walk->n_links++] = (struct am_walk_link){copy, depth};
  return AM_OK;
}

static am_status visit_file(am_walk *walk, const char *name, const char *path, am_error *err) {
  if (am_file_is_special(path)) return walk->special ? walk->special(walk->user, name, err) : AM_OK;
  if (*am_path_base(name) != '.') remember(walk->first_file, name);
  if (++walk->files > AM_WALK_FILES)
    return am_fail(err, AM_E_DATA, "%s: more than %d files below this folder; give the corpus's own folder", walk->root,
                   AM_WALK_FILES);
  return walk->file(walk->user, name, err);
}

/* One name of a folder: files in the first pass, folders in the second, so that shallow copies come first. */
static am_status visit_name(am_walk *walk, const char *folder, const char *base, bool folders, int depth,
                            am_error *err) {
  am_context *ctx = walk->ctx;
  char *name = am_path_join(ctx, folder, base), *path = name ? am_path_join(ctx, walk->root, name) : NULL;
  am_status status = AM_OK;
  if (!path) status = am_no_memory(err);
  else if (am_folder_exists(path) != folders || (folders && *base == '.')) status = AM_OK;
  else if (!folders) status = visit_file(walk, name, path, err);
  else if (am_file_is_link(path)) status = put_off(walk, name, depth + 1, err);
  else status = visit_folder(walk, name, path, depth + 1, err);
  am_free(ctx, path);
  am_free(ctx, name);
  return status;
}

/* fresh: for the first time; else its files are known. */
static am_status visit(am_walk *walk, const char *folder, int depth, bool fresh, am_error *err) {
  char *path = am_path_join(walk->ctx, walk->root, folder);
  if (!path) return am_no_memory(err);
  am_names names;
  am_status status = am_folder_list(walk->ctx, *folder ? path : walk->root, &names, err);
  am_free(walk->ctx, path);
  if (status) return status;
  for (int folders = fresh ? 0 : 1; folders < 2 && !status; folders++)
    for (size_t i = 0; i < names.n && !status; i++) status = visit_name(walk, folder, names.at[i], folders, depth, err);
  am_names_free(walk->ctx, &names);
  return status;
}

/* More links may come up on the way. */
static am_status follow_links(am_walk *walk, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < walk->n_links && !status; i++) {
    struct am_walk_link link = walk->links[i];
    char *path = am_path_join(walk->ctx, walk->root, link.name);
    status = path ? visit_folder(walk, link.name, path, link.depth, err) : am_no_memory(err);
    am_free(walk->ctx, path);
  }
  return status;
}

am_status am_walk_run(am_walk *walk, am_error *err) {
  am_status status = am_trail_begin(walk->ctx, walk->root, &walk->trail, err);
  if (!status) status = visit(walk, "", 0, true, err);
  if (!status) status = follow_links(walk, err);
  for (size_t i = 0; i < walk->n_links; i++) am_free(walk->ctx, walk->links[i].name);
  am_free(walk->ctx, walk->links);
  walk->links = NULL;
  walk->n_links = walk->links_room = 0;
  am_trail_end(&walk->trail);
  return status;
}
