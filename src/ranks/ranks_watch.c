/* SPDX-License-Identifier: MIT */
/* ranks/ranks_watch.c - the watching thread: who is alive and at work, and sums that go on behind the computing. */
#include "ranks/ranks_inside.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- words of others ---- */

static void take(am_ranks *ranks, const control *word) {
  if (word->rank < 0 || word->rank >= ranks->link.size || word->rank == ranks->link.rank) return;
  rank_state *from = &ranks->peers[word->rank];
  from->heard = am_now();
  if (word->kind == SAY_BEAT) from->still = word->still;
  if (word->kind == SAY_GONE) from->gone = true;
  if (word->kind != SAY_BYE) return;
  from->bye = true;
  from->word = *word;
  from->word.message[sizeof word->message - 1] = '\0';
  if (!ranks->greeted) snprintf(from->host, sizeof from->host, "%.*s", HOST_ROOM - 1, word->host);
  if (!word->status) return;
  if (word->origin != word->rank)
    am_ranks_break(ranks, word->origin, (am_status)word->status, "%s", from->word.message);
  else
    am_ranks_break(ranks, word->rank, (am_status)word->status, "rank %d on %s: %s", word->rank, from->host,
                   from->word.message);
}

/* Nobody says anything after he is gone, so that no receive is left over at the end. */
static bool more_to_hear(const am_ranks *ranks) {
  for (int p = 0; p < ranks->link.size; p++)
    if (p != ranks->link.rank && !ranks->peers[p].gone && !ranks->peers[p].lost) return true;
  return false;
}

void am_ranks_hear(am_ranks *ranks) {
  while (more_to_hear(ranks)) {
    if (!ranks->hears)
      ranks->hears =
          am_ranks_receive(ranks, &ranks->heard, sizeof ranks->heard, AM_LINK_ANY, TAG_CONTROL, &ranks->hearing);
    if (!ranks->hears || !am_ranks_test(ranks, AM_LINK_ANY, &ranks->hearing)) return;
    ranks->hears = false;
    take(ranks, &ranks->heard);
  }
}

/* ---- who is alive ---- */

/* Rank 0 hears of all, and all of rank 0. */
static bool is_watched(const am_ranks *ranks, int p) {
  return p != ranks->link.rank && (p == 0 || ranks->link.rank == 0);
}

static void beat(am_ranks *ranks) {
  for (int p = 0; p < ranks->link.size; p++) {
    rank_state *to = &ranks->peers[p];
    if (!is_watched(ranks, p) || to->lost || to->gone) continue;
    if (to->beating && am_ranks_test(ranks, p, &to->beat)) to->beating = false;
    if (to->beating || ranks->last[1].kind == SAY_GONE) continue; /* gone is the last word */
    to->beating = am_ranks_send(ranks, &ranks->beat, offsetof(control, host), p, TAG_CONTROL, &to->beat);
  }
}

/* ---- who is at work ---- */

/* The kernel says of a thread that it waits for a disk or a file server: D, and of some file systems I. */
static bool waits_for_files(void) {
  bool any = false;
  DIR *threads = opendir("/proc/self/task");
  for (const struct dirent *e; threads && !any && (e = readdir(threads));) {
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", e->d_name);
    FILE *file = *e->d_name == '.' ? NULL : fopen(path, "re");
    const size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')'); /* "12 (audiomood) D 1 ..." */
    any = name_end && (!strncmp(name_end, ") D", 3) || !strncmp(name_end, ") I", 3));
  }
  if (threads) closedir(threads);
  return any;
}

/* What this rank's beat says of its program.  Where this thread did not run, the others may not have, either. */
static void look_at_own(am_ranks *ranks, double now) {
  const unsigned worked = am_context_worked(ranks->ctx) + ranks->calls;
  const double since = now - ranks->looked, most = 2 * ranks->beat_each;
  ranks->still += since < most ? since : most;
  if (worked != ranks->worked || atomic_load(&ranks->waiting) || waits_for_files()) ranks->still = 0;
  ranks->worked = worked;
  ranks->looked = now;
  ranks->beat.still = (float)ranks->still;
}

/* The same turns as below. It may have stood still before this one began to wait for it, when all did: that is no sign. */
static void look_for_hung(am_ranks *ranks, double now) {
  const int me = ranks->link.rank;
  const double most = am_ranks_until_turn(me ? me - 1 : 0, ranks->hang);
  if (!(ranks->hang > 0) || !(ranks->waiting_since > 0) || now - ranks->waiting_since < most || ranks->fault.status)
    return;
  for (int p = 0; p < ranks->link.size; p++) {
    const rank_state *of = &ranks->peers[p];
    if (!is_watched(ranks, p) || of->lost || of->gone || of->bye || of->still < most) continue;
    am_log(ranks->ctx, AM_LOG_ERROR,
           "rank %d on %s: no progress for %.0f s, though it is alive (hung); the job of %d ranks ends", p, of->host,
           (double)of->still, ranks->link.size);
    ranks->link.abort(&ranks->link, 1);
  }
}

/* Rank 0 tells of the one that is lost. If that is rank 0 the next one does, and if it is lost as well, the one after it a turn later. */
static void look_for_lost(am_ranks *ranks, double now) {
  const int me = ranks->link.rank;
  const double most = am_ranks_until_turn(me ? me - 1 : 0, ranks->patience);
  if (ranks->last[1].kind == SAY_GONE) return; /* nobody beats for this one any more */
  for (int p = 0; p < ranks->link.size; p++) {
    const rank_state *of = &ranks->peers[p];
    if (!is_watched(ranks, p) || of->lost || of->gone || now - of->heard < most) continue;
    am_log(ranks->ctx, AM_LOG_ERROR,
           "rank %d on %s: not heard of for %.0f s (stopped, or its host or the network is down); the job of %d ranks "
           "ends",
           p, of->host, now - of->heard, ranks->link.size);
    ranks->link.abort(&ranks->link, 1);
  }
}

/* If this process itself did not run for a while, that says nothing of others. */
static void forgive(am_ranks *ranks, double pause) {
  if (pause < ranks->patience / 4) return;
  for (int p = 0; p < ranks->link.size; p++) ranks->peers[p].heard += pause;
}

static void *watch(void *arg) {
  am_ranks *ranks = arg;
  enum { NOT_SO_SOON = 20 };
  double next = 0, before = am_now();
  unsigned turn = NOT_SO_SOON;
  pthread_mutex_lock(&ranks->lock);
  while (!ranks->over) {
    const double now = am_now();
    forgive(ranks, now - before);
    before = now;
    am_ranks_hear(ranks);
    if (now >= next) {
      look_at_own(ranks, now);
      beat(ranks);
      look_for_lost(ranks, now);
      look_for_hung(ranks, now);
      next = now + ranks->beat_each;
    }
    const bool busy = ranks->under_way_since > 0 && !atomic_load(&ranks->waiting) && !ranks->fault.status;
    if (busy) {
      am_ranks_sums_go_on(ranks);
      pthread_mutex_unlock(&ranks->lock);
      am_ranks_rest(turn++);
      pthread_mutex_lock(&ranks->lock);
      continue;
    }
    turn = NOT_SO_SOON;
    const double until = now + (ranks->beat_each < 0.25 ? ranks->beat_each : 0.25);
    struct timespec t = {.tv_sec = (time_t)until, .tv_nsec = (long)((until - (double)(time_t)until) * 1e9)};
    pthread_cond_timedwait(&ranks->wake, &ranks->lock, &t);
  }
  pthread_mutex_unlock(&ranks->lock);
  return NULL;
}

am_status am_ranks_watch_start(am_ranks *ranks, am_error *err) {
  sigset_t all, before;
  const double now = am_now();
  ranks->beat = (control){.kind = SAY_BEAT, .rank = ranks->link.rank};
  for (int p = 0; p < ranks->link.size; p++) ranks->peers[p].heard = now;
  ranks->looked = now;
  if (ranks->link.size == 1) return AM_OK; /* nobody to watch */
  sigfillset(&all);                        /* signals are for the threads of the program */
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&ranks->watch, NULL, watch, ranks);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code) return am_fail_errno(err, code, "cannot start a thread");
  ranks->watched = true;
  return AM_OK;
}

void am_ranks_watch_end(am_ranks *ranks) {
  if (!ranks->watched) return;
  pthread_mutex_lock(&ranks->lock);
  ranks->over = true;
  pthread_cond_signal(&ranks->wake);
  pthread_mutex_unlock(&ranks->lock);
  pthread_join(ranks->watch, NULL);
  ranks->watched = false;
}
