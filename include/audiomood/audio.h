/** @file audiomood/audio.h
 * sound files, resampling and trimming.
 *
 * Samples are float32, mono after reading, full scale +-1.  All functions here
 * are thread-safe for distinct objects.
 */
#ifndef AUDIOMOOD_AUDIO_H
#define AUDIOMOOD_AUDIO_H

#include "audiomood/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A mono sound.  Start from AM_SOUND_INIT; `samples` is owned by the struct: am_sound_free.  A failed read leaves it empty. */
typedef struct am_sound {
  size_t size; /**< sizeof(am_sound) */
  am_context
      *context;     /**< whose memory `samples` is, set by the calls that fill it; NULL: samples are the caller's own */
  float *samples;   /**< (n) */
  size_t n;         /**< samples */
  double rate;      /**< Hz */
  double file_rate; /**< Hz of the file it was read from, 0 if none */
  int file_channels; /**< of the file, 0 if none */
  uint64_t
      digest; /**< of rate and samples as decoded, before any resampling: those of equal sounds are equal, in whatever
                     * lossless file they are; 0 if it was not read */
} am_sound;

/** An empty sound. */
#ifdef __cplusplus
#define AM_SOUND_INIT \
  { sizeof(am_sound), NULL, NULL, 0, 0, 0, 0, 0 }
#else
#define AM_SOUND_INIT \
  { .size = sizeof(am_sound) }
#endif

/** Reads WAV and its kin, AIFF, AU, CAF, FLAC, MP3, MP2, Ogg (Vorbis, Opus, FLAC) and what else libsndfile reads, known by its
 * content, as the mean of its channels, at its own rate (rate 0; Opus has 48 kHz) or resampled to `rate` Hz (libsoxr HQ,
 * length ceil(n * ratio)).  Of chained Ogg, joined MP3 and joined FLAC all parts are heard, at the rate of the first.  Samples
 * are counted; what the header says of them is not believed.  What is left out is named in a warning in the context's log.
 * Decodes at most max_seconds (0: 600 s) and 1 GiB of file; a longer file is AM_E_FORMAT.  Takes no more memory than 64 MB
 * and 20 times the file, or than the sound itself, which at a rate above 48 kHz may be no larger than max_seconds at 48 kHz.
 * Fails naming the file for: unreadable, empty, not a sound (a text stub says so), another format (named, with the line for
 * ffmpeg that converts it), truncated, no samples, NaN or infinite samples (with the position).
 * @param ctx          gives memory, and hears warnings
 * @param path         the file
 * @param rate         Hz of the sound that is wanted; 0: its own
 * @param max_seconds  longest sound; 0: 600 s
 * @param[out] out     the sound; am_sound_free
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_IO, AM_E_FORMAT, AM_E_NUMERIC (samples that are not finite), AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_sound_read(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out,
                               am_error *err);
/** The same from memory (e.g. standard input); `name` is used in messages.
 * @param ctx          as am_sound_read
 * @param data         the bytes of the file, borrowed for the call
 * @param bytes        how many
 * @param name         what messages call it; may be NULL
 * @param rate         as am_sound_read
 * @param max_seconds  as am_sound_read
 * @param[out] out     the sound; am_sound_free
 * @param[out] err  the message of a failure, or NULL
 * @return as am_sound_read */
AM_API am_status am_sound_decode(am_context *ctx, const void *data, size_t bytes, const char *name, double rate,
                                 double max_seconds, am_sound *out, am_error *err);
/** What is in a file: decoded and counted, without keeping it (a header can lie).  Set `size` to sizeof(am_sound_info) first
 * (else AM_E_USAGE).  The whole file is read into memory (at most 1 GiB).  Nothing to free. */
typedef struct am_sound_info {
  size_t size;     /**< sizeof(am_sound_info) */
  uint64_t frames; /**< samples of each channel, of all parts */
  double rate;     /**< Hz, of the first part */
  int channels;    /**< of the first part */
  double seconds;  /**< of all parts */
} am_sound_info;
/** Decodes a file and counts, without keeping the sound.
 * @param ctx       gives memory, and hears warnings
 * @param path      the file
 * @param[out] out  what is in it
 * @param[out] err  the message of a failure, or NULL
 * @return as am_sound_read */
AM_API am_status am_sound_inspect(am_context *ctx, const char *path, am_sound_info *out, am_error *err);
/** 16-bit PCM or float32 WAV, written aside and renamed. Samples are clipped to +-1 for PCM.
 * @param ctx      gives memory
 * @param path     the file; one that is there is replaced, whole
 * @param samples  (n), mono
 * @param n        samples
 * @param rate     Hz, 1 to 1000000
 * @param pcm16    16 bits a sample; else float32
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_IO, AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_sound_write(am_context *ctx, const char *path, const float *samples, size_t n, double rate,
                                bool pcm16, am_error *err);
/** Whether there is anything to hear in n samples at `rate` Hz.  A model would give a confident answer to nothing as well. */
typedef enum am_unheard {
  AM_HEARD = 0,
  AM_UNHEARD_SILENT, /* highest and lowest sample lie less than 0.0002 apart: a peak below -80 dB of full scale, an offset
                        * aside.  So it is where channels cancel each other in their mean. */
  AM_UNHEARD_TOO_SHORT /* shorter than 0.1 s; also when silent */
} am_unheard;
/** Whether there is anything to hear.
 * @param samples  (n), mono
 * @param n        samples
 * @param rate     Hz
 * @return AM_HEARD, or why there is nothing to hear */
AM_API am_unheard am_sound_unheard(const float *samples, size_t n, double rate);
/** A reason in words.
 * @param reason  the reason
 * @return "silent", "too short"; "" for AM_HEARD.  Never NULL */
AM_API const char *am_unheard_name(am_unheard reason);
/** Frees the samples, not the struct.
 * @param sound  the sound; NULL, and one freed before, are allowed */
AM_API void am_sound_free(am_sound *sound);
/** Resamples in place of *sound (libsoxr HQ; samples that the caller owns stay the caller's, and new ones
 * replace them); rates lie between 1 Hz and 10 MHz and within a factor of 1000.
 * @param ctx    gives memory
 * @param sound  the sound
 * @param rate   Hz that is wanted
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE, AM_E_NOMEM; then the sound is as it was */
AM_API am_status am_sound_resample(am_context *ctx, am_sound *sound, double rate, am_error *err);
/** librosa.effects.trim: drops leading and trailing frames (frame 2048, hop 512) more than top_db below the
 * peak frame.  top_db must be above 0 (AM_E_USAGE).
 * @param ctx     the context
 * @param sound   the sound
 * @param top_db  dB
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE */
AM_API am_status am_sound_trim(am_context *ctx, am_sound *sound, double top_db, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
