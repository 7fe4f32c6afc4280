/* SPDX-License-Identifier: MIT */
#include "audio/endings.h"

#include "base/file.h"

#include <string.h>
#include <strings.h>

static bool ends_in(const char *name, const char *const *endings) {
  const char *base = am_path_base(name), *dot = strrchr(base, '.');
  if (!dot || dot == base) return false;
  for (size_t i = 0; endings[i]; i++)
    if (strcasecmp(dot + 1, endings[i]) == 0) return true;
  return false;
}

/* Not endings that mostly stand for something else (mat, htk, iff, sf, raw, xi): a file named by itself is
 * known by its content. */
const char *const am_sound_endings[] = {"wav",  "wave", "bwf", "rf64", "w64", "aif",   "aiff", "aifc", "caf",
                                        "au",   "snd",  "sph", "nist", "voc", "ircam", "paf",  "svx",  "8svx",
                                        "flac", "ogg",  "oga", "opus", "mp3", "mp2",   "mp1",  "mpga", NULL};

const char *const am_sound_endings_unread[] = {
    "m4a",  "m4b",  "m4r",  "mp4", "m4v", "mov",  "qt",   "3gp",  "3gpp", "3g2", "f4a", "f4v", "aac",
    "adts", "loas", "amr",  "awb", "wma", "wmv",  "asf",  "webm", "weba", "mka", "mkv", "avi", "flv",
    "mpg",  "mpeg", "m2v",  "vob", "mts", "m2ts", "ogv",  "ogx",  "spx",  "ape", "wv",  "tta", "tak",
    "mpc",  "ac3",  "eac3", "dts", "ra",  "rm",   "rmvb", "dsf",  "dff",  "shn", "gsm", NULL};

bool am_sound_ending_known(const char *name) { return ends_in(name, am_sound_endings); }

bool am_sound_ending_unread(const char *name) { return ends_in(name, am_sound_endings_unread); }
