/* SPDX-License-Identifier: MIT */
/* cli/licences.c - audiomood help licences: under which licence this binary is, and what it is made of. */
#include <string.h>

#include "cli/cli.h"

/* Names as SPDX has them (https://spdx.org/licenses).  A library of Debian is under the licence of its Debian package. */
typedef struct {
  const char *library, *licence;
} part;

static const part linked[] = {
    {"FFTW", "GPL-2.0-or-later"},
    {"libmpg123", "LGPL-2.1-only"},
    {"libsndfile", "LGPL-2.1-or-later"},
    {"libsoxr", "LGPL-2.1-or-later"},
    {"OpenBLAS", "BSD-3-Clause"},
    {"libvorbisfile", "BSD-3-Clause"},
    {"libopusfile", "BSD-3-Clause"},
    {"PCRE2", "BSD-3-Clause WITH PCRE2-exception"},
    {"protobuf-c", "BSD-2-Clause"},
    {"libaec", "BSD-2-Clause"},
    {"jansson", "MIT"},
    {"libyaml", "MIT"},
    {"utf8proc", "MIT AND Unicode-DFS-2015"},
    {"expat", "MIT"},
    {"zlib", "Zlib"},
};

/* Each is loaded when a command wants it, and is no part of the binary. */
static const part loaded[] = {
    {"Cairo", "LGPL-2.1-only OR MPL-1.1"},
    {"FFmpeg", "LGPL-2.1-or-later, GPL-2.0-or-later as Debian builds it"},
    {"libwebsockets", "MIT"},
    {"libzip", "BSD-3-Clause"},
    {"PortAudio", "MIT"},
    {"MPICH", "mpich2"},
    {"Open MPI", "BSD-3-Clause"},
};

static bool is_in_this_build(const char *library) {
  if (!strcmp(library, "expat")) return AM_WITH_XML;
  if (!strcmp(library, "zlib") || !strcmp(library, "libaec")) return AM_HDF5_INSIDE; /* which its archive may want */
  if (!strcmp(library, "protobuf-c")) return *AM_PROTOBUF_C != '\0';
  return true;
}

static void say(const char *library, const char *licence) { cli_print("  %-14s %s\n", library, licence); }

int cli_help_licences(void) {
  cli_print(
      "The sources of AudioMood are under the MIT licence (SPDX: MIT; the file LICENSE).\n"
      "This program is linked with FFTW, so whoever passes it on does so by the GNU General Public License,\n"
      "version 2 or later. The trained model and the speech detector are files of their own, under\n"
      "CC-BY-NC-SA-4.0: not for commercial use.\n\n");
  if (AM_HDF5_INSIDE)
    cli_print("Inside the program:\n\n  %-14s %s\n\n", "HDF5", "BSD-3-Clause; its notice stands below");
  cli_print("Linked with it:\n\n");
  for (size_t i = 0; i < sizeof linked / sizeof *linked; i++)
    if (is_in_this_build(linked[i].library)) say(linked[i].library, linked[i].licence);
  if (!AM_HDF5_INSIDE) say("HDF5", "BSD-3-Clause");
  cli_print("\nLoaded when a command wants it:\n\n");
  for (size_t i = 0; i < sizeof loaded / sizeof *loaded; i++) say(loaded[i].library, loaded[i].licence);
  cli_print("\n'audiomood --version --verbose' tells their versions, and which are there.\n");
  if (!AM_HDF5_INSIDE) return 0;
  cli_print("\n");
  for (const char *const *line = cli_licence_hdf5; *line; line++) cli_print("%s\n", *line);
  return 0;
}
