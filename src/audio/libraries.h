/* audio/libraries.h - which versions of the outside libraries are in use; borrowed texts. */
#ifndef AM_AUDIO_LIBRARIES_H
#define AM_AUDIO_LIBRARIES_H

const char *am_fft_library(void);      /* fft.c */
const char *am_resample_library(void); /* resample.c */
const char *am_sound_library(void);    /* decode_sndfile.c */

#endif
