/* io/h5_plain.c - large arrays of our own files, read past HDF5 by all threads.
 *
 * An array without compression or conversion is one piece of the file; HDF5 would read it in one thread, and its
 * checksum would take another pass over memory.  Here each thread reads a stretch and sums it while it is in cache. */
#include <errno.h>
#include <unistd.h>

#include "io/h5_inside.h"

enum { PIECE = 2 << 20 };
static const size_t worth_it = 4 * PIECE;

bool am_h5_is_plain(const am_h5 *file, const am_h5_info *info, size_t bytes, int *descriptor) {
  int *handle = NULL;
  /* A file that is being written may stand in HDF5's buffers, a foreign array is converted. */
  if (file->image || file->flags & (AM_H5_UPDATE | AM_H5_FOREIGN) || bytes < worth_it || info->offset == UINT64_MAX)
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
} job;

static size_t piece_bytes(const job *j, size_t piece) {
  size_t left = j->bytes - piece * PIECE;
  return left < PIECE ? left : PIECE;
}

static void read_piece(void *arg, size_t piece, int worker) {
  const job *j = arg;
  (void)worker;
  size_t bytes = piece_bytes(j, piece), done = 0;
  char *to = j->to + piece * PIECE;
  while (done < bytes) {
    ssize_t got = pread(j->descriptor, to + done, bytes - done, (off_t)(j->offset + piece * PIECE + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      j->codes[piece] = got < 0 ? errno : -1;
      return;
    }
    done += (size_t)got;
  }
  j->crcs[piece] = am_crc32c(0, to, bytes);
}

am_status am_h5_read_plain(const am_h5 *file, int descriptor, uint64_t offset, const char *name, void *to, size_t bytes,
                           uint32_t *crc, am_error *err) {
  size_t pieces = (bytes + PIECE - 1) / PIECE;
  job j = {descriptor,
           offset,
           to,
           bytes,
           am_alloc(file->ctx, pieces, sizeof *j.crcs),
           am_alloc(file->ctx, pieces, sizeof *j.codes)};
  am_status status = j.crcs && j.codes ? AM_OK : am_no_memory(err);
  if (!status) am_parallel_for(file->ctx, pieces, read_piece, &j);
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
