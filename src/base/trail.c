/* SPDX-License-Identifier: MIT */
/* base/trail.c - folders that a walk has searched, told apart by device and inode. */
#include "base/trail.h"

#include <string.h>

#include "base/file.h"

typedef struct am_trail_folder place;

/* Where the folder is, or would be put; there is always a free place. */
static place *find(const am_trail *trail, uint64_t device, uint64_t inode) {
  const uint64_t words[] = {device, inode};
  size_t i = (size_t)am_hash64(0, words, sizeof words) & (trail->room - 1);
  while (trail->at[i].used && (trail->at[i].device != device || trail->at[i].inode != inode))
    i = (i + 1) & (trail->room - 1);
  return &trail->at[i];
}

static am_status grow(am_trail *trail, am_error *err) {
  am_trail more = {.ctx = trail->ctx, .n = trail->n, .room = trail->room ? 2 * trail->room : 32};
  more.at = am_alloc(more.ctx, more.room, sizeof *more.at);
  if (!more.at) return am_no_memory(err);
  for (size_t i = 0; i < trail->room; i++)
    if (trail->at[i].used) *find(&more, trail->at[i].device, trail->at[i].inode) = trail->at[i];
  am_free(trail->ctx, trail->at);
  *trail = more;
  return AM_OK;
}

static am_status enter(am_trail *trail, const am_file_id *id, int depth, am_trail_step *step, am_error *err) {
  am_status status = 2 * trail->n >= trail->room ? grow(trail, err) : AM_OK;
  if (status) return status;
  place *p = find(trail, id->device, id->inode);
  *step = !p->used ? AM_TRAIL_NEW : depth < p->depth ? AM_TRAIL_NEARER : AM_TRAIL_KNOWN;
  if (*step == AM_TRAIL_KNOWN) return AM_OK;
  trail->n += !p->used;
  *p = (place){id->device, id->inode, depth, true};
  return AM_OK;
}

/* "root", "root/..", "root/../.." and so on up to the top, which is its own parent.  What cannot be looked at ends it:
 * no link to what is above can be followed from here either. */
am_status am_trail_begin(am_context *ctx, const char *root, am_trail *out, am_error *err) {
  am_buffer above = {0};
  am_file_id id;
  am_status status = AM_OK;
  am_trail_step step = AM_TRAIL_NEW;
  *out = (am_trail){.ctx = ctx};
  am_buffer_append(ctx, &above, root, strlen(root));
  while (!status && !above.failed && step == AM_TRAIL_NEW && am_file_identify(above.data, &id, NULL) == AM_OK) {
    status = enter(out, &id, 0, &step, err);
    am_buffer_append(ctx, &above, "/..", 3);
  }
  if (!status && above.failed) status = am_no_memory(err);
  am_buffer_free(ctx, &above);
  return status;
}

am_status am_trail_enter(am_trail *trail, const char *folder, int depth, am_trail_step *step, am_error *err) {
  am_file_id id;
  *step = AM_TRAIL_KNOWN;
  am_status status = am_file_identify(folder, &id, err);
  return status ? status : enter(trail, &id, depth, step, err);
}

void am_trail_end(am_trail *trail) {
  am_free(trail->ctx, trail->at);
  *trail = (am_trail){0};
}
