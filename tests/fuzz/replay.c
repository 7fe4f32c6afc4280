/* SPDX-License-Identifier: MIT */
/* tests/fuzz/replay.c - main of a fuzz target without libFuzzer: TARGET [--memory] [--variants N] FILE|FOLDER...
 * Every file is one case (TAP): the input itself, then N variants of it, the same ones in every run.  With --memory each
 * is read in a process of its own, whose peak of resident memory, or that of a child which reads HDF5 for it, must stay
 * within what docs/reliability.md promises; not for builds with sanitizers, which take memory of their own. */
#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int cases, variants = 100;
static bool memory;
static size_t most_kb; /* the largest peak beyond what the process had at its start, of the file at hand */
static bool beyond;
static int failed;
static FILE *report; /* standard output; what sound libraries print there while reading goes to standard error */

/* xorshift64*; the variants of a file depend on nothing else. */
static uint64_t next(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 2685821657736338717u;
}

/* A target may have a way of its own to change an input (h5edit_mutate.c), as with libFuzzer. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) __attribute__((weak));

static uint64_t chance; /* of the input at hand */

/* One to four changes: a bit, a byte, a number at its limits, a stretch removed or repeated, an end cut off. */
static size_t vary(uint8_t *data, size_t n, size_t room, uint64_t *random) {
  static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
  for (uint64_t changes = 1 + next(random) % 4; changes && n; changes--) {
    size_t at = next(random) % n, length = 1 + next(random) % 16;
    if (length > n - at) length = n - at;
    switch (next(random) % 6) {
      case 0: data[at] ^= (uint8_t)(1u << next(random) % 8); break;
      case 1: data[at] = (uint8_t)next(random); break;
      case 2: memset(data + at, edges[next(random) % 5], length < 8 ? length : 8); break;
      case 3:
        memmove(data + at, data + at + length, n - at - length);
        n -= length;
        break;
      case 4:
        if (n + length > room) break;
        memmove(data + at + length, data + at, n - at);
        n += length;
        break;
      default:
        if (next(random) % 4 == 0) n = at;
    }
  }
  return n;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) { return vary(data, size, max_size, &chance); }

static size_t change(uint8_t *data, size_t n, size_t room) {
  return LLVMFuzzerCustomMutator ? LLVMFuzzerCustomMutator(data, n, room, (unsigned)next(&chance))
                                 : vary(data, n, room, &chance);
}

/* Exactly as long as the input, so that a sanitizer sees reads beyond its end. */
static void run_here(const uint8_t *data, size_t n) {
  uint8_t *copy = malloc(n ? n : 1);
  fuzz_require(copy);
  memcpy(copy, data, n);
  LLVMFuzzerTestOneInput(copy, n);
  free(copy);
}

static size_t resident_kb(void) {
  long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  fuzz_require(file && fscanf(file, "%ld %ld", &size, &resident) == 2);
  fclose(file);
  return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

/* What a file of n bytes may cost. */
static size_t promised_kb(size_t n) { return 64 * 1024 + 20 * (n / 1024); }

static void run_apart(const uint8_t *data, size_t n) {
  struct rusage used;
  int status;
  fflush(NULL);
  const size_t before = resident_kb();
  *fuzz_made = 0; /* shared: an input of a few edits stands for the file that they make */
  const pid_t child = fork();
  fuzz_require(child >= 0);
  if (!child) {
    run_here(data, n);
    exit(0);
  }
  fuzz_require(wait4(child, &status, 0, &used) == child);
  fuzz_require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  const size_t peak = (size_t)used.ru_maxrss > before ? (size_t)used.ru_maxrss - before : 0;
  if (peak > most_kb) most_kb = peak;
  if (peak <= promised_kb(n > *fuzz_made ? n : *fuzz_made)) return;
  beyond = true;
  FILE *kept = fopen("beyond-memory", "wb");
  if (kept) fwrite(data, 1, n, kept), fclose(kept);
}

static void run(const uint8_t *data, size_t n) { (memory ? run_apart : run_here)(data, n); }

static int replay(const char *path, const struct stat *info, int kind, struct FTW *at) {
  if (kind != FTW_F) return 0;
  size_t n = (size_t)info->st_size, room = n + 1024;
  uint8_t *seed = malloc(room), *data = malloc(room);
  FILE *file = fopen(path, "rb");
  most_kb = 0, beyond = false;
  fuzz_require(seed && data && file && fread(seed, 1, n, file) == n);
  fclose(file);
  run(seed, n);
  chance = 88172645463325252u + n;
  for (int i = 0; i < variants; i++) {
    memcpy(data, seed, n);
    run(data, change(data, n, room));
  }
  free(data);
  free(seed);
  if (beyond) fprintf(report, "# the input is in the file beyond-memory\n");
  fprintf(report, beyond ? "not ok %d - %s" : "ok %d - %s", ++cases, path + at->base);
  if (memory) fprintf(report, ": %zu kB", most_kb);
  fprintf(report, "\n");
  failed += beyond;
  fflush(report);
  return 0;
}

int main(int argc, char **argv) {
  int first = 1;
  report = fdopen(dup(STDOUT_FILENO), "w");
  fuzz_require(report && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0);
  if (argc > first && !strcmp(argv[first], "--memory")) memory = true, first++;
  if (memory) {
    fuzz_made = mmap(NULL, sizeof *fuzz_made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fuzz_require(fuzz_made != MAP_FAILED);
  }
  if (argc > first + 1 && !strcmp(argv[first], "--variants")) {
    variants = atoi(argv[first + 1]);
    first += 2;
  }
  for (int i = first; i < argc; i++)
    if (nftw(argv[i], replay, 16, FTW_PHYS) != 0) {
      fprintf(report, "not ok %d - %s cannot be read\n", ++cases, argv[i]);
      fclose(report);
      return 1;
    }
  fprintf(report, "1..%d\n", cases);
  fclose(report);
  return cases && !failed ? 0 : 1;
}
