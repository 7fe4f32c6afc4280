/* SPDX-License-Identifier: MIT */
/* optim/optimiser_slots.c - slots as checkpoints have them: whole arrays, whoever keeps which part of them. */
#include <string.h>

#include "optim/optimiser.h"

static int slots_of(const am_optimiser *o) {
  int n = 0;
  while (n < AM_MOST_SLOTS && o->slots[n]) n++;
  return n;
}

static am_real *slot_at(const am_optimiser *o, int slot) { return slot < slots_of(o) ? o->slots[slot] : o->ema; }

const char *am_optimiser_slot_name(const am_optimiser *o, int slot) {
  const int n = slots_of(o);
  return slot < n ? o->cls->slots[slot] : slot == n && o->ema ? "average" : NULL;
}

size_t am_optimiser_room(const am_optimiser *o) { return o->ranks ? o->array : 0; }

size_t am_optimiser_rows(const am_optimiser *o, const am_array_info *info) {
  enum { BLOCK = 1 << 18 };
  const size_t rows = info->rank ? (size_t)info->dims[0] : 1, width = rows ? info->count / rows : 0;
  const size_t most = width && width < BLOCK ? BLOCK / width : 1;
  return o->ranks && most < rows ? most : rows;
}

size_t am_optimiser_block(const am_optimiser *o, const am_model *model) {
  size_t most = 0;
  for (size_t i = 0; o->ranks && i < am_model_weight_count(model); i++) {
    const am_array_info info = *am_model_weight_info(model, i);
    const size_t rows = info.rank ? (size_t)info.dims[0] : 1;
    const size_t block = rows ? info.count / rows * am_optimiser_rows(o, &info) : 0;
    if (most < block) most = block;
  }
  return most;
}

/* What of `count` from `first` on is before a bound. */
static size_t before(size_t bound, size_t first, size_t count) {
  return bound < first ? 0 : bound - first > count ? count : bound - first;
}

am_status am_optimiser_slot(const am_optimiser *o, int slot, size_t first, size_t count, am_real *room,
                            const am_real **at, am_error *err) {
  const size_t skipped = before(o->begin, first, count), own = before(o->end, first, count) - skipped;
  const am_real *mine = own ? slot_at(o, slot) + (first + skipped - o->begin) : room;
  *at = mine;
  if (!o->ranks) return AM_OK;
  for (int r = 0; r < am_ranks_size(o->ranks); r++) o->ends[r] = before(o->bounds[r], first, count) * sizeof *room;
  *at = am_ranks_first(o->ranks) ? room : NULL;
  return am_ranks_collect(o->ranks, mine, room, o->ends, 0, err);
}

am_status am_optimiser_give(const am_optimiser *o, const am_model *model, am_error *err) {
  am_status status = AM_OK;
  if (!o->ranks || am_ranks_first(o->ranks)) return AM_OK;
  for (int slot = 0; am_optimiser_slot_name(o, slot); slot++)
    for (size_t i = 0; i < am_model_weight_count(model); i++) {
      const am_array_info info = *am_model_weight_info(model, i);
      const size_t rows = info.rank ? (size_t)info.dims[0] : 1, width = rows ? info.count / rows : 0;
      const size_t block = width * am_optimiser_rows(o, &info);
      for (size_t k = 0; k < info.count && !status; k += block) {
        const size_t count = info.count - k < block ? info.count - k : block;
        const am_real *none;
        status = am_optimiser_slot(o, slot, info.offset + k, count, NULL, &none, err);
      }
    }
  return status;
}

am_real *am_optimiser_slot_place(am_optimiser *o, int slot, const am_array_info *info, am_real *room) {
  return o->ranks ? room : slot_at(o, slot) + info->offset;
}

void am_optimiser_slot_take(am_optimiser *o, int slot, const am_array_info *info, const am_real *room) {
  const size_t first = info->offset, skipped = before(o->begin, first, info->count);
  const size_t own = before(o->end, first, info->count) - skipped;
  if (o->ranks && own) memcpy(slot_at(o, slot) + (first + skipped - o->begin), room + skipped, own * sizeof *room);
}
