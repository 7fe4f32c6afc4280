/* SPDX-License-Identifier: MIT */
/* synth/parts.h - between the parts of the demo voice synthesiser.
 *
 *   prosody.c  who speaks and how: draws of voice, room and delivery
 *   speech.c   what is said: sentence and delivery to control frames
 *   voice.c    control frames to sound: glottal source and formants
 *   room.c     the sound in a room: tone, reverberation, noise, level
 *   synth.c    clips and the corpus on disk
 *
 * References are in docs/synthetic-corpus.md. */
#ifndef AM_SYNTH_PARTS_H
#define AM_SYNTH_PARTS_H

#include "base/base.h"
#include "base/rng.h"
#include "synth/synth.h"

#define AM_SYNTH_FRAME 0.002 /* seconds between control frames */

/* Last word of a random stream's name: what the numbers are for. */
enum {
  AM_SYNTH_DRAW_VOICE = 1,
  AM_SYNTH_DRAW_ROOM,
  AM_SYNTH_DRAW_DELIVERY,
  AM_SYNTH_DRAW_TIMING,
  AM_SYNTH_DRAW_SOURCE,
  AM_SYNTH_DRAW_NOISE,
  AM_SYNTH_DRAW_HABIT
};

/* How a clip is spoken.  Semitones are st. */
typedef enum am_synth_cue {
  AM_CUE_LEVEL,  /* st above the speaker's own mean pitch */
  AM_CUE_ACCENT, /* st, height of the pitch accent on a stressed syllable */
  AM_CUE_SKEW,   /* -1 the peak comes early and falls, +1 it rises to the end of the syllable */
  AM_CUE_FOCUS,  /* -1 the accents are on the first words, +1 on the last */
  AM_CUE_SLOPE,  /* st from start to end of the utterance */
  AM_CUE_FINAL,  /* st moved on the last syllable */
  AM_CUE_TEMPO,  /* log2 of the speaking rate */
  AM_CUE_ACCEL,  /* log2 of the rate at the end over that at the start */
  AM_CUE_DRAWL,  /* log2 of the lengthening of stressed vowels */
  AM_CUE_PAUSE,  /* s, hesitation before the stressed words; negative is none */
  AM_CUE_ENERGY, /* dB */
  AM_CUE_PUNCH,  /* dB of stressed over unstressed syllables */
  AM_CUE_FADE,   /* dB lost from start to end */
  AM_CUE_ATTACK, /* log2 of the time constant of onsets over 15 ms */
  AM_CUE_TREMOR, /* st, depth of a 7-10 Hz modulation of pitch (and level) */
  AM_CUE_JITTER, /* %, random variation of the period */
  AM_CUE_BREATH, /* dB of aspiration relative to voicing */
  AM_CUE_OPEN,   /* open quotient of the glottal cycle */
  AM_CUE_TILT,   /* dB lost at 3 kHz by a rounded closure */
  AM_CUE_CREAK,  /* 0-1, alternation of periods towards the end */
  AM_CUE_SMILE,  /* %, shift of the formants */
  AM_CUES
} am_synth_cue;

/* A speaker: the same for all of an actor's clips. */
typedef struct am_synth_speaker {
  double pitch_hz;     /* mean, neutral */
  double tract;        /* formants relative to an average man's */
  double higher;       /* spacing of F4 and above relative to a uniform tube */
  double vowels[2];    /* F1 and F2 targets are spread by these: pronunciation */
  double cue[AM_CUES]; /* habit: added to every delivery */
  double expression;   /* how far emotions move the cues, 1 on average */
} am_synth_speaker;

/* The recording: the same for an actor, with a little movement a clip. */
typedef struct am_synth_room {
  double gain_db;    /* of the microphone: speech and noise alike */
  double energy_db;  /* of the voice, relative to a neutral clip: from the delivery */
  double tone_db;    /* shelf above 1 kHz */
  double bass_db;    /* shelf below 400 Hz */
  double noise_db;   /* noise, relative to neutral speech */
  double noise_tone; /* pole of its spectrum, 0 white .. 1 rumble */
  double wet;        /* reverberation's amplitude */
  double decay_s;    /* time to -60 dB */
} am_synth_room;

/* What the voice does at one moment. */
typedef struct am_synth_frame {
  float pitch_hz;
  float voice;               /* amplitude of voicing */
  float breath;              /* of aspiration noise */
  float hiss;                /* of frication noise */
  float hiss_hz, hiss_width; /* its resonance */
  float formant[3];          /* Hz, for this speaker */
  float creak;               /* 0-1 */
} am_synth_frame;

/* What stays the same through a clip. */
typedef struct am_synth_source {
  double open, tilt_db, jitter, shimmer_db;
  double higher;  /* Hz between F4, F5, ... */
  double damping; /* bandwidths relative to Klatt's */
} am_synth_source;

#endif
