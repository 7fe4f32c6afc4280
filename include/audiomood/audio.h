/* SPDX-License-Identifier: MIT */
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

/** A mono sound.  Start from AM_SOUND_INIT.  The struct owns `samples`: am_sound_free.  A failed read leaves it
 * empty. */
typedef struct am_sound {
  size_t size; /**< sizeof(am_sound) */
  am_context
      *context;      /**< owner of the memory of `samples`, set by the calls that fill it; NULL: the caller owns them */
  float *samples;    /**< (n) */
  size_t n;          /**< samples */
  double rate;       /**< Hz */
  double file_rate;  /**< Hz of the file it was read from, 0 if none */
  int file_channels; /**< of the file, 0 if none */
  uint64_t
      digest; /**< of rate and decoded samples, before resampling.  Equal sounds have equal digests in every lossless
                     * format.  0 if it was not read */
} am_sound;

/** An empty sound. */
#ifdef __cplusplus
#define AM_SOUND_INIT \
  { sizeof(am_sound), NULL, NULL, 0, 0, 0, 0, 0 }
#else
#define AM_SOUND_INIT \
  { .size = sizeof(am_sound) }
#endif

/** Reads a sound file as the mean of its channels.
 *
 * Formats: WAV and its variants, AIFF, AU, CAF, FLAC, MP3, MP2, Ogg (Vorbis, Opus, FLAC) and others that libsndfile
 * reads.  The format is recognised by the content, not by the name.  Of chained Ogg, joined MP3 and joined FLAC all
 * parts are read, at the rate of the first.  Samples are counted as they are decoded; the header's number is not used.
 * A warning in the context's log names what is left out.  Films and their like (MP4, MKV, WebM, M4A ...) are read where FFmpeg was there to
 * build with and is on the machine, by a child process, if am_settings.read_in_child allows one: their first track of sound.
 *
 * Rate: the file's own (rate 0; 48 kHz for Opus), or resampled to `rate` Hz (libsoxr HQ, length ceil(n * ratio)).
 *
 * Limits: decodes at most max_seconds (0: 600 s) and 1 GiB of file; a longer file is AM_E_FORMAT.  Takes at most 64 MB
 * and 20 times the file's size, or the size of the sound.  At a rate above 48 kHz the sound may be no larger than
 * max_seconds at 48 kHz.
 *
 * Fails, and names the file, when it is unreadable, empty, no sound (a message says so for a text file), of another
 * format (the message gives the ffmpeg command that converts it) or truncated, or when it has no samples, or NaN or
 * infinite samples (with the position).
 * @param ctx          gives memory, and receives warnings
 * @param path         the file
 * @param rate         Hz of the result; 0: the file's own
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
/** Receives the next samples of a sound.
 * @param user      what the call was given
 * @param samples   (n) mono samples, borrowed for the call
 * @param n         at least 1
 * @param[out] err  for the message of a failure
 * @return AM_OK to continue; any other status ends the call, which returns it */
typedef am_status (*am_sound_fn)(void *user, const float *samples, size_t n, am_error *err);
/** Like am_sound_read, but hands the samples on, a block at a time, instead of keeping them.  They are the same samples.  A
 * failure may come after some were handed on.
 *
 * With am_settings.read_in_child an ordinary file is read by a child process, which has some megabytes of it in memory at a time:
 * it may have any size, and one that makes a decoder crash, hang or take up memory gives AM_E_FORMAT.  (Its memory is limited to
 * 512 MB, its time of processor to a minute and a twentieth of max_seconds; when it says nothing for 60 s it is ended.)  Without,
 * the file is in memory.
 * @param ctx          gives memory, and receives warnings
 * @param path         the file
 * @param rate         Hz of the samples; 0: the file's own, which out->rate says
 * @param max_seconds  longest sound; 0: 600 s
 * @param channel      that is heard, 1, 2 ...; 0: the mean of all
 * @param each         called for each block
 * @param user         passed to it
 * @param[out] out     what was read, with `n` as counted and without samples
 * @param[out] err     the message of a failure, or NULL
 * @return as am_sound_read, and what `each` returned; AM_E_USAGE: there is no such channel */
AM_API am_status am_sound_feed(am_context *ctx, const char *path, double rate, double max_seconds, int channel,
                               am_sound_fn each, void *user, am_sound *out, am_error *err);
/** The same from memory, as am_sound_decode.
 * @param ctx          gives memory, and receives warnings
 * @param data         the bytes of the file, borrowed for the call
 * @param bytes        how many
 * @param name         what messages call it; may be NULL
 * @param rate         as am_sound_feed
 * @param max_seconds  as am_sound_feed
 * @param channel      as am_sound_feed
 * @param each         called for each block
 * @param user         passed to it
 * @param[out] out     what was read, with `n` as counted and without samples
 * @param[out] err     the message of a failure, or NULL
 * @return as am_sound_feed */
AM_API am_status am_sound_feed_decoded(am_context *ctx, const void *data, size_t bytes, const char *name, double rate,
                                       double max_seconds, int channel, am_sound_fn each, void *user, am_sound *out,
                                       am_error *err);
/** What is in a file, counted while decoding (a header can be wrong); the samples are not kept.  Set `size` to
 * sizeof(am_sound_info) first (else AM_E_USAGE).  Nothing to free. */
typedef struct am_sound_info {
  size_t size;     /**< sizeof(am_sound_info) */
  uint64_t frames; /**< samples of each channel, of all parts */
  double rate;     /**< Hz, of the first part */
  int channels;    /**< of the first part */
  double seconds;  /**< of all parts */
} am_sound_info;
/** Decodes a file and counts, without keeping the sound; by a child process as am_sound_feed, or else of at most 1 GiB.
 * @param ctx       gives memory, and receives warnings
 * @param path      the file
 * @param[out] out  what is in it
 * @param[out] err  the message of a failure, or NULL
 * @return as am_sound_read */
AM_API am_status am_sound_inspect(am_context *ctx, const char *path, am_sound_info *out, am_error *err);
/** Writes 16-bit PCM or float32 WAV, under a temporary name that is renamed.  For PCM samples are clipped to +-1.
 * @param ctx      gives memory
 * @param path     the file; an existing one is replaced at the end
 * @param samples  (n), mono
 * @param n        samples
 * @param rate     Hz, 1 to 1000000
 * @param pcm16    16 bits a sample; else float32
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_IO, AM_E_USAGE, AM_E_NOMEM */
AM_API am_status am_sound_write(am_context *ctx, const char *path, const float *samples, size_t n, double rate,
                                bool pcm16, am_error *err);
/** Whether there is anything to hear in n samples at `rate` Hz.  A model would also give a confident answer for
 * silence. */
typedef enum am_unheard {
  AM_HEARD = 0,
  /** Highest and lowest sample are less than 0.0002 apart: a peak below -80 dB of full scale, not counting an offset.
   * Also when channels cancel each other in their mean. */
  AM_UNHEARD_SILENT,
  AM_UNHEARD_TOO_SHORT /**< shorter than 0.1 s; also when silent */
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
/** Replaces the samples of *sound by resampled ones (libsoxr HQ).  Samples that the caller owns stay the caller's.
 * Rates lie between 1 Hz and 10 MHz and within a factor of 1000.
 * @param ctx    gives memory
 * @param sound  the sound
 * @param rate   the new rate, Hz
 * @param[out] err  the message of a failure, or NULL
 * @return AM_OK; AM_E_USAGE, AM_E_NOMEM, which leave the sound unchanged */
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
