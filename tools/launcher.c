/* SPDX-License-Identifier: MIT */
/* tools/launcher.c - bin/audiomood of the tree that `tools/package tarball` makes: starts the command by the loader and with the
 * libraries of that tree, whatever the system has.  It is linked statically, so it runs also where there is nothing else. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what) {
  fprintf(stderr, "audiomood: %s: %s\n", what, strerror(errno));
  exit(1);
}

int main(int argc, char **argv) {
  char self[PATH_MAX], loader[PATH_MAX + 32], libraries[PATH_MAX + 32], command[PATH_MAX + 32], config[PATH_MAX + 32];
  const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) fail("/proc/self/exe, by which it finds its files");
  self[n] = '\0';
  for (int i = 0; i < 2; i++) { /* of bin/audiomood */
    char *slash = strrchr(self, '/');
    if (slash) *slash = '\0';
  }
  snprintf(libraries, sizeof libraries, "%s/lib", self);
  snprintf(loader, sizeof loader, "%s/lib/" LOADER, self);
  snprintf(command, sizeof command, "%s/libexec/audiomood", self);
  /* What fontconfig and ALSA read; the system's may be for other versions of them, or not there, which ends PortAudio. */
  snprintf(config, sizeof config, "%s/share/fonts/fonts.conf", self);
  setenv("FONTCONFIG_FILE", config, 0);
  snprintf(config, sizeof config, "%s/share/alsa", self);
  setenv("ALSA_CONFIG_DIR", config, 0);
  char **all = calloc((size_t)argc + 6, sizeof *all);
  if (!all) fail("memory");
  char *before[] = {loader, "--library-path", libraries, "--argv0", argc ? argv[0] : command, command};
  memcpy(all, before, sizeof before);
  for (int i = 1; i < argc; i++) all[5 + i] = argv[i];
  execv(loader, all);
  fail(loader);
}
