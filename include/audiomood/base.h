/* SPDX-License-Identifier: MIT */
/** @file audiomood/base.h
 * status, errors, context, log and progress.
 *
 * Every call that can fail returns an am_status (0 is success) and takes an
 * am_error that receives the message; the am_error may be NULL.  The library
 * never prints and never exits.  Its only mutable globals guard HDF5, FFTW's
 * planner and OpenBLAS, of which a process has one each.  Its first matrix
 * product sets OpenBLAS to one thread, for the whole process too.  All other
 * state that would be global is in an am_context.  Functions that make an
 * object from nothing take a context; what is made from a model or a config
 * uses theirs.  Threads may share a context.  They may not share objects made
 * from it, unless the header of the object says so.
 */
#ifndef AUDIOMOOD_BASE_H
#define AUDIOMOOD_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @def AM_API
 * A function of the library.
 * @def AM_PRINTF(f, a)
 * Of a function that takes a format as printf: the numbers of its arguments, the format's and the first that is printed. */
#if defined(__GNUC__)
#define AM_API __attribute__((visibility("default")))
#define AM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define AM_API
#define AM_PRINTF(f, a)
#endif

#define AM_VERSION_MAJOR 0 /**< Version of these headers. */
#define AM_VERSION_MINOR 2 /**< Version of these headers. */
#define AM_VERSION_PATCH 0 /**< Version of these headers. */
/** Version of the library that runs.
 * @return "major.minor.patch" */
AM_API const char *am_version(void);

/** Kinds of failure.  The command ends with exit code 2 for AM_E_USAGE and
 * AM_E_CONFIG, and with 1 for every other failure. */
typedef enum am_status {
  AM_OK = 0,
  AM_E_USAGE = -1,       /**< an argument of the call, or of the command, is wrong */
  AM_E_CONFIG = -2,      /**< a configuration file or setting is wrong */
  AM_E_NOMEM = -3,       /**< the allocator returned NULL */
  AM_E_IO = -4,          /**< the system refused to open, read, write or sync */
  AM_E_FORMAT = -5,      /**< a file is not what it should be, or is damaged */
  AM_E_SHAPE = -6,       /**< shapes do not fit together */
  AM_E_DATA = -7,        /**< a corpus lacks what was asked of it */
  AM_E_NUMERIC = -8,     /**< NaN or infinity where there must be none */
  AM_E_STOPPED = -9,     /**< am_context_stop was called (am_context_resume revokes it), or
                            train.max_steps was reached; the work so far is kept */
  AM_E_UNSUPPORTED = -10 /**< understood, but not offered by this build */
} am_status;

/** A status in words.
 * @param status  the status
 * @return a short English name ("out of memory"); never NULL */
AM_API const char *am_status_name(am_status status);

/** Receives the message of a failure: file, line or key, what was found, what
 * was expected, what to do.  Start from AM_ERROR_INIT.  The caller owns it.  A
 * successful call does not change it.  A call that fails in several ways keeps
 * the first failure. */
typedef struct am_error {
  size_t size;        /**< sizeof(am_error) */
  am_status status;   /**< AM_OK: there is no failure yet */
  char message[1024]; /**< UTF-8, one line, no final newline, always terminated */
} am_error;

/** No failure. */
#ifdef __cplusplus
#define AM_ERROR_INIT \
  { sizeof(am_error), AM_OK, "" }
#else
#define AM_ERROR_INIT \
  { .size = sizeof(am_error) }
#endif

/** How much a line of the log matters. */
typedef enum am_log_level { AM_LOG_ERROR, AM_LOG_WARNING, AM_LOG_INFO, AM_LOG_DEBUG } am_log_level;

/** A step of a long piece of work, for a progress line. `total` is 0 when
 * unknown.  `note` may be NULL; strings are valid during the call only. */
typedef struct am_progress {
  size_t size;      /**< sizeof(am_progress) of the library */
  const char *task; /**< "features", "epoch 3/15" */
  const char *unit; /**< "clips" */
  uint64_t done;    /**< so far */
  uint64_t total;   /**< of all; 0: not known */
  double seconds;   /**< since the task began */
  const char *note; /**< e.g. "loss 1.234" */
  bool finished;    /**< the last call for this task */
} am_progress;

/** How a context behaves.  Zero or NULL in any member means its default.
 * Sinks may be called from any thread, one call at a time. */
typedef struct am_settings {
  size_t size; /**< sizeof(am_settings) */
  int threads; /**< 0: one per processor this process may use: by its affinity, its control group, and SLURM_CPUS_PER_TASK in a job of
                  Slurm */
  const char *cpu; /**< "plain", "avx2", "avx512", "neon"; NULL: AM_CPU of the environment, else the best */
  void (*log)(void *user, am_log_level level,
              const char *line);                             /**< receives each line of the log, without its newline */
  void (*progress)(void *user, const am_progress *progress); /**< receives the steps of long work */
  void *user;                                                /**< is handed to both */
  /** The allocator: `resize` follows realloc (pointer NULL allocates, bytes 0
   * frees and returns NULL), aligned for any type.  Must be thread-safe. */
  void *(*resize)(void *memory_user, void *pointer, size_t bytes);
  void *memory_user; /**< is handed to it */
  /** A child process (fork) reads a checkpoint before it is opened here, and sounds that are handed on (am_sound_feed).  So a
   * file that makes HDF5 or a decoder crash or hang gives AM_E_FORMAT instead.  Off by default: a program with other threads or with open devices may not want to fork.  Turn
   * it on when files come from others, as the command does. */
  bool read_in_child;
} am_settings;

/** What all other things are made from: memory, threads and sinks. */
typedef struct am_context am_context;

/** Creates a context and its thread pool.  `settings` may be NULL: all defaults.  On failure *out is NULL.
 * @param settings  how it behaves, copied; NULL: all defaults
 * @param[out] out  the context; am_context_free
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE: a setting is wrong; AM_E_NOMEM */
AM_API am_status am_context_create(const am_settings *settings, am_context **out, am_error *err);
/** Frees it; every object created from it must have been freed.
 * @param ctx  the context; NULL is allowed */
AM_API void am_context_free(am_context *ctx);
/** Asks running work to stop after its current step.  Work that begins later stops too, until am_context_resume.
 * Async-signal-safe.
 * @param ctx  the context; NULL is allowed */
AM_API void am_context_stop(am_context *ctx);
/** Revokes am_context_stop: call it after the stopped work has returned.  Async-signal-safe.
 * @param ctx  the context; NULL is allowed */
AM_API void am_context_resume(am_context *ctx);
/** Whether work is to stop.
 * @param ctx  the context
 * @return whether am_context_stop was called and not revoked; false for NULL */
AM_API bool am_context_stopping(const am_context *ctx);
/** Threads that work, the calling one among them.
 * @param ctx  the context
 * @return how many; 0 of NULL */
AM_API int am_context_threads(const am_context *ctx);
/** The processor path in use.
 * @param ctx  the context
 * @return "plain", "avx2", "avx512" or "neon"; "" of NULL */
AM_API const char *am_context_cpu(const am_context *ctx);

/** A piece of work.
 * @param arg     what am_parallel_for was given
 * @param piece   its number, 0 to n - 1
 * @param worker  who runs it, 0 to am_context_threads - 1: says whose working memory to use */
typedef void (*am_piece_fn)(void *arg, size_t piece, int worker);
/** Runs the pieces 0 to n - 1 by the threads of the context; returns when all are done. Which worker runs a piece is
 * not fixed.  So that results do not depend on the number of threads, cut pieces by the size of the work, and let what
 * a piece does depend on its number alone.  A call from inside a piece runs its pieces one after another in the same
 * worker.  Any thread may call it; calls of several threads take turns.
 * @param ctx  the context; NULL: nothing is done
 * @param n    pieces
 * @param fn   runs one of them; NULL: nothing is done
 * @param arg  is handed to it */
AM_API void am_parallel_for(am_context *ctx, size_t n, am_piece_fn fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
