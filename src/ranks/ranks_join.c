/* SPDX-License-Identifier: MIT */
/* ranks/ranks_join.c - which MPI started this process, and its module. */
#include "ranks/ranks_inside.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

typedef struct launcher {
  const char *size, *rank; /* what it puts into the environment */
  const char *library, *package, *module;
  int how; /* dlopen's */
} launcher;

/* Open MPI loads parts of its own, which look for its names among those of the program. */
static const launcher launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "Open MPI", "libopenmpi-dev", "audiomood-openmpi.so", RTLD_GLOBAL},
    {"SLURM_STEP_NUM_TASKS", "PMIX_RANK", "Open MPI", "libopenmpi-dev", "audiomood-openmpi.so", RTLD_GLOBAL}, /* srun */
    {"PMI_SIZE", "PMI_RANK", "MPICH", "libmpich-dev", "audiomood-mpich.so", RTLD_LOCAL},
};

static int number_in(const char *variable) {
  const char *text = getenv(variable);
  return text ? atoi(text) : 0; /* NOLINT(cert-err34-c): a launcher's number, and 0 for whatever else */
}

static const launcher *started_by(void) {
  for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
    if (number_in(launchers[i].size) > 0 && getenv(launchers[i].rank)) return &launchers[i];
  return NULL;
}

int am_ranks_started(void) {
  const launcher *l = started_by();
  return l ? number_in(l->size) : 0;
}

bool am_ranks_started_first(void) {
  const launcher *l = started_by();
  return !l || number_in(l->rank) == 0;
}

/* NULL: it is nowhere. Where it was built, where it is installed beside the program, where meson was told to install it. */
static char *find_module(am_context *ctx, const launcher *l) {
  static const char *const beside[] = {"../ranks/", "../../src/ranks/", "../" AM_LIBDIR_NAME "/audiomood/"};
  const char *named = getenv("AM_MPI_MODULE");
  if (named && *named) return am_strdup(ctx, named);
  for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
    char *from = am_format(ctx, "%s%s", beside[i], l->module);
    char *path = from ? am_path_from_program(ctx, from) : NULL;
    am_free(ctx, from);
    if (path) return path;
  }
  char *path = am_format(ctx, "%s/audiomood/%s", AM_LIBDIR, l->module);
  if (path && am_file_exists(path)) return path;
  am_free(ctx, path);
  return NULL;
}

const char *am_ranks_module(am_context *ctx, size_t i, char **path) {
  const launcher *l = i < 2 ? &launchers[i + 1] : NULL; /* two launchers are of one MPI */
  *path = l ? find_module(ctx, l) : NULL;
  return l ? l->library : NULL;
}

typedef struct start {
  am_context *ctx;
  const launcher *launcher;
  double since;
} start;

static void not_all_begun(void *arg) {
  const start *s = arg;
  am_log(
      s->ctx, AM_LOG_ERROR,
      "%d processes were started by %s, and after %.0f s not all of them have begun (one is stopped, or a host or the "
      "network is down); the job ends",
      number_in(s->launcher->size), s->launcher->library, am_now() - s->since);
}

static am_status open_module(am_context *ctx, const launcher *l, am_link *link, am_error *err) {
  char why[256] = "";
  char *path = find_module(ctx, l);
  /* The first one tells of it, and the next one if that is stopped itself. */
  const double hang = am_ranks_hang();
  start s = {ctx, l, am_now()};
  const am_link_start all = {hang > 0 ? am_ranks_until_turn(number_in(l->rank), hang) : 0, not_all_begun, &s};
  if (!path)
    return am_fail(err, AM_E_UNSUPPORTED,
                   "%d processes were started by %s, and this AudioMood has no module for it (%s); install %s and "
                   "build with -Dmpi=enabled",
                   number_in(l->size), l->library, l->module, l->package);
  /* Never unloaded: MPI does not stand it. */
  void *module = dlopen(path, RTLD_NOW | RTLD_NODELETE | l->how), *at = module ? dlsym(module, AM_LINK_OPEN) : NULL;
  am_status status = AM_OK;
  __typeof__(&am_link_open) open;
  memcpy(&open, &at, sizeof open);
  if (!module)
    status = am_fail(err, AM_E_UNSUPPORTED, "cannot load the module for %s: %s; is %s installed?", l->library,
                     dlerror(), l->library);
  else if (!at)
    status =
        am_fail(err, AM_E_UNSUPPORTED, "%s: no module of AudioMood for MPI; AM_MPI_MODULE names another file", path);
  else if (!open(link, &all, why, sizeof why))
    status = am_fail(err, AM_E_IO, "%s: %s cannot be used: %s", path, l->library, why);
  else if (link->abi != AM_LINK_ABI)
    status = am_fail(err, AM_E_UNSUPPORTED, "%s: made for another version of AudioMood; install them together", path);
  else if (link->size != number_in(l->size))
    status =
        am_fail(err, AM_E_IO, "%s says that it has %d ranks, but %s started %d; is the module %s that of another MPI?",
                link->name, link->size, l->library, number_in(l->size), path);
  am_free(ctx, path);
  return status;
}

/* srun without --mpi starts tasks that do not know of each other: it may be meant so, if each has a config of its own. */
static void warn_of_slurm(am_context *ctx) {
  const int tasks = number_in("SLURM_STEP_NUM_TASKS");
  if (tasks < 2 || number_in("SLURM_PROCID") != 0) return;
  am_log(ctx, AM_LOG_WARNING,
         "srun started %d tasks that cannot talk to each other, so each trains alone; to train together, start them by "
         "srun with its plug-in pmi2 (MPICH) or pmix (Open MPI), or by mpirun",
         tasks);
}

am_status am_ranks_join(am_context *ctx, am_ranks **out, am_error *err) {
  enum { BEFORE_OTHERS = 2 };
  const launcher *l = started_by();
  am_link link = {0};
  *out = NULL;
  if (!l) {
    warn_of_slurm(ctx);
    return AM_OK;
  }
  if (number_in(l->size) == 1 && !getenv("AM_MPI_MODULE")) { /* what it has is not needed */
    char *path = find_module(ctx, l);
    am_free(ctx, path);
    if (!path) return AM_OK;
  }
  am_status status = open_module(ctx, l, &link, err);
  if (!status) return am_ranks_join_over(ctx, &link, out, err);
  /* A launcher ends all processes when the first one fails: the one that tells why comes first. */
  if (!am_ranks_started_first()) nanosleep(&(struct timespec){.tv_sec = BEFORE_OTHERS}, NULL);
  return status;
}
