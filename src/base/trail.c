/* base/trail.c - folders on the way to where a walk stands, told apart by device and inode. */
#include "base/trail.h"

#include <string.h>

#include "base/file.h"

static am_status push(am_trail *trail, const am_file_id *id, am_error *err) {
  if (trail->n == trail->room) {
    size_t room = trail->room ? 2 * trail->room : 16;
    struct am_trail_folder *moved = am_resize(trail->ctx, trail->at, room, sizeof *moved);
    if (!moved) return am_no_memory(err);
    trail->at = moved;
    trail->room = room;
  }
  trail->at[trail->n++] = (struct am_trail_folder){id->device, id->inode};
  return AM_OK;
}

static bool holds(const am_trail *trail, const am_file_id *id) {
  for (size_t i = 0; i < trail->n; i++)
    if (trail->at[i].device == id->device && trail->at[i].inode == id->inode) return true;
  return false;
}

/* "root", "root/..", "root/../.." and so on up to the top, which is its own parent.  What cannot be looked at ends it:
 * no link to what is above can be followed from here either. */
am_status am_trail_begin(am_context *ctx, const char *root, am_trail *out, am_error *err) {
  am_buffer above = {0};
  am_file_id id;
  am_status status = AM_OK;
  *out = (am_trail){.ctx = ctx};
  am_buffer_append(ctx, &above, root, strlen(root));
  while (!status && !above.failed && am_file_identify(above.data, &id, NULL) == AM_OK && !holds(out, &id)) {
    status = push(out, &id, err);
    am_buffer_append(ctx, &above, "/..", 3);
  }
  if (!status && above.failed) status = am_no_memory(err);
  am_buffer_free(ctx, &above);
  return status;
}

am_status am_trail_enter(am_trail *trail, const char *folder, bool *entered, am_error *err) {
  am_file_id id;
  *entered = false;
  am_status status = am_file_identify(folder, &id, err);
  if (status || holds(trail, &id)) return status;
  status = push(trail, &id, err);
  *entered = !status;
  return status;
}

void am_trail_leave(am_trail *trail) { trail->n--; }

void am_trail_end(am_trail *trail) {
  am_free(trail->ctx, trail->at);
  *trail = (am_trail){0};
}
