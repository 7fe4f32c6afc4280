/* SPDX-License-Identifier: MIT */
/* What files are: by the endings of their names, and by their content. */
#include "testing.h"

#include "audio/endings.h"

static void endings_of_sounds(void **state) {
  (void)state;
  static const char *const read[] = {"a.wav",  "A.WAV",  "/x.y/b.Flac", "c.d.ogg", "e.opus", "f.mp3",
                                     "g.aiff", "h.AIFC", "i.au",        "j.caf",   "k.w64",  "l.rf64",
                                     "m.sph",  "n.wave", "o.mp2",       "._p.wav"};
  static const char *const unread[] = {"a.m4a", "B.MP4",     "c.webm", "d.wma", "e.aac",
                                       "f.amr", "dir/g.mkv", "h.mov",  "i.3gp"};
  static const char *const neither[] = {"",        "wav",        ".wav",  "a.",   "a.txt", "a.wav.txt",
                                        "x.wav/b", "x.m4a/.mp3", "a.mat", "a.ts", "a.wav "};
  for (size_t i = 0; i < sizeof read / sizeof *read; i++)
    if (!am_sound_ending_known(read[i]) || am_sound_ending_unread(read[i])) fail_msg("%s", read[i]);
  for (size_t i = 0; i < sizeof unread / sizeof *unread; i++)
    if (am_sound_ending_known(unread[i]) || !am_sound_ending_unread(unread[i])) fail_msg("%s", unread[i]);
  for (size_t i = 0; i < sizeof neither / sizeof *neither; i++)
    if (am_sound_ending_known(neither[i]) || am_sound_ending_unread(neither[i])) fail_msg("\"%s\"", neither[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(endings_of_sounds)};
  return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
