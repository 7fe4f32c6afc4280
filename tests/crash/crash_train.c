/* SPDX-License-Identifier: MIT */
/* tests/crash/crash_train.c - what tools/crashtest drives:
 *
 *   crash_train train CONFIG RUN [KEY=VALUE]... [FAULT]   a training over the file layer of faults.h
 *   crash_train resume RUN [KEY=VALUE]... [FAULT]
 *   crash_train check RUN                                 which checkpoints of a run can be trusted
 *   crash_train digest FILE                               of the weights and statistics
 *
 * FAULT is --kill N, --power N, --fail N:ERRNO or --fail-from N:ERRNO, with --seed S.  --hold TEXT stops the process
 * (SIGSTOP) at the first line of the log that begins with TEXT.  Training ends with 0 or 1 and the number of file calls
 * on standard output; the log goes to standard error. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "faults.h"
#include "model/checkpoint.h"

static const char *hold;

static void print_line(void *user, am_log_level level, const char *line) {
  (void)user;
  if (level == AM_LOG_DEBUG) return; /* names what is read, which is not the same in two folders */
  fprintf(stderr, "%s\n", line);
  fflush(stderr);
  if (!hold || strncmp(line, hold, strlen(hold))) return;
  hold = NULL;
  raise(SIGSTOP);
}

static int complain(const am_error *err) {
  fprintf(stderr, "crash_train: %s\n", err->message);
  return 1;
}

/* ---- train, resume ---- */

enum { MOST_OVERRIDES = 32 };

typedef struct arguments {
  const char *config, *run;
  const char *overrides[MOST_OVERRIDES];
  size_t n;
  fault_plan plan;
} arguments;

static bool parse(arguments *a, int argc, char **argv) {
  static const struct {
    const char *flag;
    fault_kind kind;
    bool lasting;
  } faults[] = {{"--kill", FAULT_KILL, false},
                {"--power", FAULT_POWER, false},
                {"--fail", FAULT_ERROR, false},
                {"--fail-from", FAULT_ERROR, true}};
  for (int i = 0; i < argc; i++) {
    if (argv[i][0] != '-') {
      if (a->n == MOST_OVERRIDES) return false;
      a->overrides[a->n++] = argv[i];
      continue;
    }
    if (++i == argc) return false;
    if (!strcmp(argv[i - 1], "--seed")) {
      a->plan.seed = strtoull(argv[i], NULL, 10);
      continue;
    }
    if (!strcmp(argv[i - 1], "--hold")) {
      hold = argv[i];
      continue;
    }
    char *end;
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++)
      if (!strcmp(argv[i - 1], faults[k].flag)) a->plan.kind = faults[k].kind, a->plan.lasting = faults[k].lasting;
    a->plan.at = strtol(argv[i], &end, 10);
    if (*end == ':') a->plan.error = (int)strtol(end + 1, NULL, 10);
    if (a->plan.kind == FAULT_NONE || a->plan.at < 1) return false;
  }
  return true;
}

static int train(am_context *ctx, arguments *a, bool resume) {
  am_error err = AM_ERROR_INIT;
  am_config *config = NULL;
  char *scratch = am_format(ctx, "%s.scratch", a->run);
  char *file = resume ? am_path_join(ctx, a->run, "config.yaml") : am_strdup(ctx, a->config);
  am_run_result result = {.size = sizeof result};
  a->plan.scratch = scratch;
  fault_begin(&a->plan);
  am_status status =
      file && scratch ? am_config_load(ctx, file, a->overrides, a->n, &config, &err) : am_no_memory(&err);
  if (!status) {
    am_context_set_system(ctx, &am_faults);
    am_run_options options = {.size = sizeof options, .out = a->run, .resume = resume};
    status = am_train_run(config, &options, &result, &err);
    am_context_set_system(ctx, &am_system_real);
  }
  am_run_result_free(&result);
  am_config_free(config);
  am_free(ctx, scratch);
  am_free(ctx, file);
  printf("%ld\n", fault_calls());
  return status ? complain(&err) : 0;
}

/* ---- check, digest ---- */

static int digest(am_context *ctx, const char *path) {
  am_error err = AM_ERROR_INIT;
  am_checkpoint *c;
  if (am_checkpoint_load(ctx, path, &c, &err)) return complain(&err);
  printf("%08x\n", (unsigned)am_checkpoint_digest(c->model));
  am_checkpoint_free(c);
  return 0;
}

static int check(am_context *ctx, const char *run) {
  static const char *const names[] = {"last.h5", "last-1.h5", "best.h5"};
  int good = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    am_error err = AM_ERROR_INIT;
    am_checkpoint *c = NULL;
    char *path = am_path_join(ctx, run, names[i]);
    if (path && am_file_exists(path)) {
      am_status status = am_checkpoint_verify(ctx, path, &err);
      if (!status) status = am_checkpoint_load(ctx, path, &c, &err);
      if (status) {
        printf("damaged %s: %s\n", names[i], err.message);
      } else {
        printf("valid %s epoch %llu digest %08x\n", names[i], (unsigned long long)c->epoch,
               (unsigned)am_checkpoint_digest(c->model));
        good += i < 2;
      }
      am_checkpoint_free(c);
    }
    am_free(ctx, path);
  }
  return good ? 0 : 1;
}

static int usage(void) {
  fprintf(stderr,
          "usage: crash_train train CONFIG RUN | resume RUN [KEY=VALUE]... [FAULT] | check RUN | digest FILE\n");
  return 2;
}

int main(int argc, char **argv) {
  const char *what = argc > 2 ? argv[1] : "";
  am_settings settings = {.size = sizeof settings, .threads = 2, .log = print_line};
  am_error err = AM_ERROR_INIT;
  am_context *ctx;
  if (am_context_create(&settings, &ctx, &err)) return complain(&err);
  arguments a = {0};
  int code;
  if (!strcmp(what, "train") && argc > 3) {
    a.config = argv[2];
    a.run = argv[3];
    code = parse(&a, argc - 4, argv + 4) ? train(ctx, &a, false) : usage();
  } else if (!strcmp(what, "resume")) {
    a.run = argv[2];
    code = parse(&a, argc - 3, argv + 3) ? train(ctx, &a, true) : usage();
  } else {
    code = !strcmp(what, "check") ? check(ctx, argv[2]) : !strcmp(what, "digest") ? digest(ctx, argv[2]) : usage();
  }
  am_context_free(ctx);
  return code;
}
