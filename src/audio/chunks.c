/* SPDX-License-Identifier: MIT */
/* audio/chunks.c - WAV and its relatives (RIFX, RF64, BW64, W64), AIFF, CAF, AU: is the sound there that the header
 * promises? */
#include "audio/chunks.h"
#include "audio/container.h"
#include "audio/tags.h"

#include <string.h>

/* How a format lays out its chunks: an id, a size, content.  In Sony's W64 ids are GUIDs that begin with the
 * RIFF letters, and the size counts the id and itself. */
typedef struct layout {
  size_t first;      /* where the first chunk begins */
  size_t id, size;   /* bytes of the id and of the size */
  size_t align;      /* chunks begin at multiples of this */
  bool big;          /* endian */
  bool whole;        /* the size counts the chunk's own header */
  const char *sound; /* the chunk that holds the sound */
  size_t lead;       /* bytes in it before the first sample */
  bool wave;
  size_t ds64; /* RF64, BW64: where the 64-bit sizes stand, 0: nowhere */
} layout;

typedef struct chunk {
  size_t at, from; /* where it begins, and its content */
  uint64_t size;   /* of the content, as its header says */
} chunk;

static uint64_t read_number(const unsigned char *p, size_t bytes, bool big) {
  uint64_t x = 0;
  for (size_t i = 0; i < bytes; i++) x = x << 8 | p[big ? i : bytes - 1 - i];
  return x;
}

/* Programs that write to a pipe cannot know the length: ffmpeg leaves 0xffffffff, sox 0x7ffff000, CAF has -1.
 * From there on a size means "until the end". */
static bool unknown_length(uint64_t size, size_t bytes) {
  return bytes == 4 ? size >= 0x7ffff000 && size <= UINT32_MAX : size >= (uint64_t)1 << 62;
}

static bool layout_of(const unsigned char *data, size_t bytes, layout *l) {
  *l = (layout){.first = 12, .id = 4, .size = 4, .align = 2, .sound = "data"};
  if (bytes < 12) return false;
  l->wave = memcmp(data + 8, "WAVE", 4) == 0;
  if (l->wave && memcmp(data, "RIFF", 4) == 0) return true;
  if (l->wave && memcmp(data, "RIFX", 4) == 0) return l->big = true;
  if (l->wave && (memcmp(data, "RF64", 4) == 0 || memcmp(data, "BW64", 4) == 0)) {
    if (bytes >= 36 && memcmp(data + 12, "ds64", 4) == 0) l->ds64 = 20;
    return true;
  }
  if (memcmp(data, "FORM", 4) == 0 && memcmp(data + 8, "AIF", 3) == 0) {
    l->sound = "SSND", l->lead = 8;
    return l->big = true;
  }
  if (memcmp(data, "caff", 4) == 0) {
    *l = (layout){.first = 8, .id = 4, .size = 8, .align = 1, .big = true, .sound = "data", .lead = 4};
    return true;
  }
  *l = (layout){.first = 40, .id = 16, .size = 8, .align = 8, .whole = true, .sound = "data", .wave = true};
  return memcmp(data, "riff\x2e\x91\xcf\x11", 8) == 0;
}

static bool is_au(const unsigned char *data, size_t bytes) {
  return bytes >= 24 && (memcmp(data, ".snd", 4) == 0 || memcmp(data, "dns.", 4) == 0);
}

bool am_chunks_begin(const unsigned char *data, size_t bytes) {
  layout l;
  return layout_of(data, bytes, &l) || is_au(data, bytes);
}

static bool chunk_at(const am_part *p, const layout *l, size_t at, chunk *out) {
  size_t head = l->id + l->size;
  if (at > p->bytes || p->bytes - at < head) return false;
  *out = (chunk){.at = at, .from = at + head, .size = read_number(p->data + at + l->id, l->size, l->big)};
  if (l->whole) out->size = out->size > head ? out->size - head : 0;
  return true;
}

/* Where the chunk after one begins, whose content is all there. */
static size_t behind(const layout *l, const chunk *k) {
  size_t at = k->from + (size_t)k->size;
  return at + (l->align - at % l->align) % l->align;
}

/* The first chunk of this id; false: none, and *last is what the search ended at (its size beyond the file,
 * or no chunk). */
static bool find(const am_part *p, const layout *l, const char *id, chunk *last) {
  for (size_t at = l->first; chunk_at(p, l, at, last); at = behind(l, last)) {
    if (memcmp(p->data + at, id, 4) == 0) return true;
    if (last->size > p->bytes - last->from) return false;
  }
  *last = (chunk){.at = p->bytes, .from = p->bytes};
  return false;
}

static bool printable(const unsigned char *id) {
  for (int i = 0; i < 4; i++)
    if (id[i] < 0x20 || id[i] > 0x7e) return false;
  return true;
}

/* Do nothing but whole chunks follow, down to the last byte? */
static bool chunks_to_the_end(const am_part *p, const layout *l, size_t at) {
  chunk k;
  while (at < p->bytes) {
    if (!chunk_at(p, l, at, &k) || !printable(p->data + at) || k.size > p->bytes - k.from) return false;
    at = behind(l, &k);
  }
  return true;
}

static am_status fail_truncated(const am_container *c, const char *what, uint64_t promised, uint64_t found,
                                am_error *err) {
  return am_fail(err, AM_E_FORMAT,
                 "%s: truncated: its '%s' header promises %llu bytes of sound and %llu are there; copy or "
                 "download it again",
                 c->name, what, (unsigned long long)promised, (unsigned long long)found);
}

/* A length that was never filled in: the recorder was killed, or could not go back. */
static void warn_length(const am_container *c, uint64_t said, size_t found) {
  if (!c->quiet)
    am_log(c->ctx, AM_LOG_WARNING, "%s: its header says %llu bytes of sound; all %zu that follow are read as sound",
           c->name, (unsigned long long)said, found);
}

/* Puts the length of the sound right, and all that libraries hold it against. */
static void mend(am_part *p, const layout *l, const chunk *sound, size_t left) {
  chunk comm;
  am_part_patch(p, sound->at + l->id, left + (l->whole ? l->id + l->size : 0), (int)l->size, l->big);
  if (l->ds64) {
    am_part_patch(p, 0, 0x52494646, 4, true);  /* RIFF: 32 bits are enough */
    am_part_patch(p, 12, 0x4a554e4b, 4, true); /* JUNK */
  }
  if (l->first == 12) am_part_patch(p, 4, p->bytes - 8, 4, l->big);
  if (l->whole) am_part_patch(p, 16, p->bytes, 8, false);
  /* AIFF counts samples, too: any larger number than there are */
  if (!l->wave && l->first == 12 && find(p, l, "COMM", &comm) && comm.size >= 18)
    am_part_patch(p, comm.from + 2, UINT32_MAX, 4, true);
}

/* What follows the sound and is neither a tag nor zeros, from `at` on. */
static void warn_rest(const am_container *c, const am_part *p, size_t at) {
  size_t rest = at < p->bytes ? p->bytes - at : 0, n = 0;
  rest -= am_tags_behind(p->data + p->bytes - rest, rest);
  while (n < rest && p->data[at + n] == 0) n++;
  if (!c->quiet && n < rest && rest >= 64)
    am_log(c->ctx, AM_LOG_WARNING, "%s: %zu bytes follow the sound that its header tells of; they are left out",
           c->name, rest);
}

/* What follows the sound: chunks with titles and the like, or something that nobody will hear, and that
 * libsndfile is not shown, which would take it for damage. */
static void look_behind(const am_container *c, am_part *p, const layout *l, size_t at) {
  chunk k;
  while (chunk_at(p, l, at, &k) && printable(p->data + at)) {
    bool file = am_chunks_begin(p->data + at, p->bytes - at);
    if (file && !c->quiet)
      am_log(c->ctx, AM_LOG_WARNING, "%s: another sound file begins at its byte %zu, after the sound; it is left out",
             c->name, at + c->at);
    if (!file && k.size > p->bytes - k.from) break;
    bool second = !file && memcmp(p->data + at, l->sound, 4) == 0;
    if (second && !c->quiet)
      am_log(c->ctx, AM_LOG_WARNING, "%s: a second '%s' chunk of %llu bytes follows the first; it is left out", c->name,
             l->sound, (unsigned long long)k.size);
    if (file || second) {
      p->bytes = at;
      return;
    }
    at = behind(l, &k);
  }
  warn_rest(c, p, at);
}

/* The codec that a WAV's fmt chunk names, 0: none.  In W64 libsndfile takes every extensible format for whole
 * numbers. */
static unsigned wave_codec(am_part *p, const layout *l) {
  chunk fmt;
  if (!l->wave || !find(p, l, "fmt ", &fmt) || fmt.size < 16 || fmt.size > p->bytes - fmt.from) return 0;
  unsigned tag = (unsigned)read_number(p->data + fmt.from, 2, l->big);
  if (tag == 0xfffe && fmt.size >= 40) {
    tag = (unsigned)read_number(p->data + fmt.from + 24, 2, l->big);
    if (l->whole) am_part_patch(p, fmt.from, tag, 2, false);
  }
  return tag;
}

/* The flags that stand for ALAC's bits a sample, by its own header, which may lie in two atoms; 0: nobody
 * knows. */
static int alac_flags(const am_part *p, const layout *l) {
  chunk k;
  if (!find(p, l, "kuki", &k) || k.size > p->bytes - k.from || k.size < 24) return 0;
  const unsigned char *at = p->data + k.from, *end = at + k.size;
  if (memcmp(at + 4, "frma", 4) == 0) at += 12;
  if (end - at >= 12 && memcmp(at + 4, "alac", 4) == 0) at += 12;
  int bits = end - at >= 24 ? at[5] : 0;
  return bits == 16 ? 1 : bits == 20 ? 2 : bits == 24 ? 3 : bits == 32 ? 4 : 0;
}

/* libsndfile prints on standard output what is wrong in ALAC's table of packets; and it does not read what
 * ffmpeg writes, which leaves the flags out. */
static bool alac_is_damaged(am_part *p, const layout *l) {
  chunk k;
  if (l->first != 8 || !find(p, l, "desc", &k) || k.size < 32 || k.size > p->bytes - k.from) return false;
  if (memcmp(p->data + k.from + 8, "alac", 4) != 0) return false;
  uint64_t flags = read_number(p->data + k.from + 12, 4, true);
  int known = flags == 0 ? alac_flags(p, l) : 0;
  if (known) am_part_patch(p, k.from + 12, (uint64_t)known, 4, true);
  if (flags > 4 || (!flags && !known) || !find(p, l, "pakt", &k) || k.size > p->bytes - k.from) return true;
  const unsigned char *at = p->data + k.from;
  for (size_t i = 24; i < k.size;) {
    uint32_t value = 0;
    int n = 0;
    do {
      if (n == 5 || i == k.size) return true;
      value = value << 7 | (at[i] & 127);
      n++;
    } while (at[i++] & 128);
    if (value == 0) break;
  }
  return false;
}

/* AU: ".snd", where the sound begins, its size. */
static am_status read_au(const am_container *c, am_part *p, am_error *err) {
  bool big = p->data[0] == '.';
  uint64_t from = read_number(p->data + 4, 4, big), size = read_number(p->data + 8, 4, big),
           left = p->bytes > from ? p->bytes - from : 0;
  if (unknown_length(size, 4)) return AM_OK;
  if (size > left) return fail_truncated(c, big ? ".snd" : "dns.", size, left, err);
  if (size == 0 && left > 0) {
    warn_length(c, size, (size_t)left);
    am_part_patch(p, 8, left, 4, big);
  } else {
    warn_rest(c, p, (size_t)(from + size));
  }
  return AM_OK;
}

am_status am_chunks_read(const am_container *c, am_part *p, am_error *err) {
  layout l;
  chunk sound;
  *p = (am_part){.codec = AM_DECODE_SNDFILE, .data = c->data + c->at, .bytes = c->bytes - c->at};
  if (!layout_of(p->data, p->bytes, &l)) return read_au(c, p, err);
  bool found = find(p, &l, l.sound, &sound);
  if (!found && sound.from < p->bytes)
    return am_fail(err, AM_E_FORMAT,
                   "%s: truncated: the file ends inside its '%.4s' chunk, before any sound; copy or download it again",
                   c->name, (const char *)p->data + sound.at);
  if (!found)
    return am_fail(err, AM_E_FORMAT, "%s: has no '%s' chunk, so no sound; it ends after %zu bytes", c->name, l.sound,
                   p->bytes);
  size_t left = p->bytes - sound.from;
  if (l.ds64 && sound.size == UINT32_MAX) sound.size = read_number(p->data + l.ds64 + 8, 8, false);
  bool unknown = unknown_length(sound.size, l.size) || unknown_length(sound.size, 8),
       empty = sound.size <= l.lead && left > l.lead && !chunks_to_the_end(p, &l, behind(&l, &sound));
  if (!unknown && sound.size > left) return fail_truncated(c, l.sound, sound.size, left, err);
  if (empty) warn_length(c, sound.size, left - l.lead);
  if (unknown || empty) {
    mend(p, &l, &sound, left);
    sound.size = left;
  } else if (memcmp(p->data, "BW64", 4) == 0) {
    mend(p, &l, &sound, (size_t)sound.size);
  }
  look_behind(c, p, &l, behind(&l, &sound));
  size_t end = sound.from + (size_t)sound.size;
  if (l.whole && end < p->bytes) p->bytes = end; /* libsndfile takes what follows in a W64 for sound */
  if (alac_is_damaged(p, &l))
    return am_fail(err, AM_E_FORMAT,
                   "%s: damaged: its ALAC sound has no complete table of packets; copy or download it again", c->name);
  unsigned codec = wave_codec(p, &l);
  if (codec == 0x50 || codec == 0x55) /* MPEG: libsndfile would guess its length */
    *p = (am_part){.codec = AM_DECODE_MPEG, .data = p->data + sound.from, .bytes = (size_t)sound.size};
  return AM_OK;
}
