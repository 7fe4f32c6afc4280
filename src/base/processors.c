/* SPDX-License-Identifier: MIT */
/* base/processors.c - see processors.h. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/processors.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/number.h"

enum { MOST = 1024, PATH_ROOM = 1024 };

static bool read_line(const char *path, char *out, size_t room) {
  FILE *file = fopen(path, "re");
  if (!file) return false;
  const bool read = fgets(out, (int)room, file) != NULL;
  fclose(file);
  if (read) out[strcspn(out, "\n")] = '\0';
  return read;
}

/* Microseconds of processors in a period of so many; 0: no limit that could be read. */
static int share_of(const char *quota, const char *period) {
  int64_t some, all;
  if (!am_text_to_int(quota, &some) || !am_text_to_int(period, &all) || some <= 0 || all <= 0) return 0;
  const int64_t whole = some / all + (some % all != 0);
  return whole < MOST ? (int)whole : 0;
}

/* "150000 100000", or "max 100000" */
static int limit_unified(const char *folder) {
  char path[PATH_ROOM + 32], text[64];
  snprintf(path, sizeof path, "%s/cpu.max", folder);
  if (!read_line(path, text, sizeof text)) return 0;
  char *blank = strchr(text, ' ');
  if (!blank) return 0;
  *blank = '\0';
  return share_of(text, blank + 1);
}

static int limit_of_old(const char *folder) {
  char path[PATH_ROOM + 32], quota[64], period[64];
  snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
  if (!read_line(path, quota, sizeof quota)) return 0;
  snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
  return read_line(path, period, sizeof period) ? share_of(quota, period) : 0;
}

/* The least of a group and those above it: each limits all below.  In a container the group may be named as the host names
 * it; the one at the top is then what the container has. */
static int limit_upwards(const char *mount, const char *group, int (*limit)(const char *folder), int least) {
  char folder[PATH_ROOM];
  const int top = snprintf(folder, sizeof folder, "%s", mount);
  if (top < 0 || snprintf(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder) return least;
  for (;;) {
    const int here = limit(folder);
    if (here && here < least) least = here;
    char *last = strrchr(folder + top, '/');
    if (!last) return least;
    *last = '\0';
  }
}

/* Whether "cpu" is one of "cpu,cpuacct". */
static bool has_cpu(const char *controllers) {
  for (const char *at = controllers; *at;) {
    const size_t n = strcspn(at, ",");
    if (n == 3 && !memcmp(at, "cpu", 3)) return true;
    at += n + (at[n] == ',');
  }
  return false;
}

/* "4:cpu,cpuacct:/a/b", or "0::/a/b" of the unified hierarchy. */
static int limit_by_line(const char *root, char *line, int least) {
  char mount[PATH_ROOM];
  char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
  if (!group) return least;
  controllers++;
  *group++ = '\0';
  if (*controllers && !has_cpu(controllers)) return least;
  if (snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, *controllers ? "/cpu" : "") >= (int)sizeof mount)
    return least;
  return limit_upwards(mount, group, *controllers ? limit_of_old : limit_unified, least);
}

static int limit_by_groups(const char *root, int least) {
  char path[PATH_ROOM + 32], line[PATH_ROOM];
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  FILE *groups = fopen(path, "re");
  if (!groups) return least;
  while (fgets(line, sizeof line, groups)) {
    line[strcspn(line, "\n")] = '\0';
    least = limit_by_line(root, line, least);
  }
  fclose(groups);
  return least;
}

int am_processors_of(int affinity, const char *root, const char *slurm) {
  int64_t task;
  int least = limit_by_groups(root, affinity > 0 && affinity < MOST ? affinity : affinity > 0 ? MOST : 1);
  if (slurm && am_text_to_int(slurm, &task) && task > 0 && task < least) least = (int)task;
  return least;
}

int am_processors(void) {
  cpu_set_t set;
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const bool known = sched_getaffinity(0, sizeof set, &set) == 0;
  const int affinity = known ? CPU_COUNT(&set) : online > 0 && online < MOST ? (int)online : 1;
  return am_processors_of(affinity, "", getenv("SLURM_JOB_ID") ? getenv("SLURM_CPUS_PER_TASK") : NULL);
}
