/* SPDX-License-Identifier: MIT */
/* tests/crash/faults.h - a file layer that fails, dies or loses power on purpose.
 *
 * It stands in for am_system_real and counts the calls that change files.  At call number `at`:
 *   FAULT_KILL   the process kills itself; a write is done by half before
 *   FAULT_POWER  the same, and whatever was not synced is lost as after a power cut: of each file that was written
 *                since its last fsync the new part is gone, zero, or there; of the names that were made, changed or
 *                removed since the last fsync of their folder any subset has reached the disk
 *   FAULT_ERROR  this call, or this one and all after it, fail with `error`
 * What is lost is drawn from `seed`. */
#ifndef AM_FAULTS_H
#define AM_FAULTS_H

#include "base/system.h"

typedef enum fault_kind { FAULT_NONE, FAULT_KILL, FAULT_POWER, FAULT_ERROR } fault_kind;

typedef struct fault_plan {
  fault_kind kind;
  long at;      /* from 1 */
  int error;    /* errno */
  bool lasting; /* all calls from `at` on fail */
  uint64_t seed;
  const char *scratch; /* FAULT_POWER: a folder on the same file system, made and used by the layer only */
} fault_plan;

extern const am_system am_faults;
/* One plan a process. */
void fault_begin(const fault_plan *plan);
long fault_calls(void);

#endif
