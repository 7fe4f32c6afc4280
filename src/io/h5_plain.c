/* SPDX-License-Identifier: MIT */
/* io/h5_plain.c - large arrays of our own files, read past HDF5 by all threads.
 *
 * An array without compression or conversion is one piece of the file; HDF5 would read it in one thread, and its
 * checksum would take another pass over memory.  Here each thread reads a stretch, sums it, and looks for numbers that are not
 * finite, while it is in cache. */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "io/h5_inside.h"
#include "tensor/tensor.h"

enum { PIECE = 2 << 20, STEP = 1 << 18 }; /* a huge page; what a cache of a core holds */

bool am_h5_is_plain(const am_h5 *file, const am_h5_info *info, size_t bytes, int *descriptor) {
  int *handle = NULL;
  /* A file that is being written may stand in HDF5's buffers, a foreign array is converted. */
  if (file->image || file->flags & (AM_H5_UPDATE | AM_H5_FOREIGN) || bytes < AM_H5_PLAIN_FROM ||
      info->offset == UINT64_MAX)
    return false;
  if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, (void **)&handle) < 0 || !handle) return false;
  *descriptor = *handle;
  return true;
}

typedef struct job {
  int descriptor;
  uint64_t offset;
  char *to;
  size_t bytes;
  uint32_t *crcs; /* (pieces) */
  int *codes;     /* (pieces) errno, -1: the file ends */
  bool floats;
  atomic_bool lost;
} job;

static size_t piece_bytes(const job *j, size_t piece) {
  size_t left = j->bytes - piece * PIECE;
  return left < PIECE ? left : PIECE;
}

/* As of a piece's codes; 0: all is read. */
static int read_bytes(int descriptor, uint64_t offset, char *to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t got = pread(descriptor, to + done, bytes - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 ? errno : -1;
    done += (size_t)got;
  }
  return 0;
}

static void read_piece(void *arg, size_t piece, int worker) {
  job *j = arg;
  (void)worker;
  const size_t begin = piece * PIECE, end = begin + piece_bytes(j, piece);
  for (size_t at = begin, step; at < end && !j->codes[piece]; at += step) {
    step = end - at < STEP ? end - at : STEP;
    j->codes[piece] = read_bytes(j->descriptor, j->offset + at, j->to + at, step);
    if (j->codes[piece]) break;
    j->crcs[piece] = am_crc32c(j->crcs[piece], j->to + at, step);
    if (j->floats && !am_all_finite((const float *)(const void *)(j->to + at), step / sizeof(float)))
      atomic_store(&j->lost, true);
  }
}

am_status am_h5_read_plain(am_h5 *file, int descriptor, uint64_t offset, const char *name, am_h5_type type, void *to,
                           size_t bytes, uint32_t *crc, am_error *err) {
  size_t pieces = (bytes + PIECE - 1) / PIECE;
  job j = {descriptor,
           offset,
           to,
           bytes,
           am_alloc(file->ctx, pieces, sizeof *j.crcs),
           am_alloc(file->ctx, pieces, sizeof *j.codes),
           type == AM_H5_F32};
  am_status status = j.crcs && j.codes ? AM_OK : am_no_memory(err);
  if (!status) am_parallel_for(file->ctx, pieces, read_piece, &j);
  if (atomic_load(&j.lost)) file->lost = true;
  *crc = 0;
  for (size_t i = 0; i < pieces && !status; i++) {
    if (j.codes[i] > 0) status = am_fail_errno(err, j.codes[i], "cannot read %s of %s", name, file->path);
    else if (j.codes[i])
      status = am_fail(err, AM_E_FORMAT, "%s: %s is cut off: the file ends inside it", file->path, name);
    else *crc = am_crc32c_join(*crc, j.crcs[i], piece_bytes(&j, i));
  }
  am_free(file->ctx, j.crcs);
  am_free(file->ctx, j.codes);
  return status;
}
