/* SPDX-License-Identifier: MIT */
/* base/hash.c - CRC-32C for what is stored, a 64-bit hash for cache keys. */
#include "base/file.h"

#include <string.h>

/* Half a byte at a time: entry i is i times the reflected polynomial 0x82F63B78 (RFC 3720, appendix B.4). */
static uint32_t crc_plain(uint32_t crc, const unsigned char *p, size_t n) {
  static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                     0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                     0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    crc = (crc >> 4) ^ table[crc & 15];
    crc = (crc >> 4) ^ table[crc & 15];
  }
  return crc;
}

#if defined(__x86_64__)
/* SSE4.2 has this polynomial as an instruction; the answer is the same. */
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc, const unsigned char *p, size_t n) {
  uint64_t wide = crc;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    memcpy(&word, p, 8);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = (uint32_t)wide;
  for (; n; p++, n--) crc = __builtin_ia32_crc32qi(crc, *p);
  return crc;
}

/* The instruction's answer takes three cycles, but one can be asked each cycle: three thirds side by side. */
__attribute__((target("sse4.2"))) static uint32_t crc_thirds(uint32_t crc, const unsigned char *p, size_t n) {
  size_t third = n / 3 / 8 * 8;
  uint64_t a = ~crc, b = ~0u, c = ~0u;
  for (size_t i = 0; i < third; i += 8) {
    uint64_t words[3];
    memcpy(&words[0], p + i, 8);
    memcpy(&words[1], p + third + i, 8);
    memcpy(&words[2], p + 2 * third + i, 8);
    a = __builtin_ia32_crc32di(a, words[0]);
    b = __builtin_ia32_crc32di(b, words[1]);
    c = __builtin_ia32_crc32di(c, words[2]);
  }
  crc = am_crc32c_join(am_crc32c_join(~(uint32_t)a, ~(uint32_t)b, third), ~(uint32_t)c, third);
  return ~crc_sse42(~crc, p + 3 * third, n - 3 * third);
}
#endif

/* a times b modulo the polynomial, both reflected: the highest bit is the coefficient of 1. */
static uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? (b >> 1) ^ 0x82f63b78 : b >> 1;
  }
  return product;
}

/* What follows moves the first part's remainder up by 8 n powers of x. */
uint32_t am_crc32c_join(uint32_t first, uint32_t second, size_t bytes_of_second) {
  uint32_t power = 1u << 23, shift = 1u << 31; /* x^8, 1 */
  for (size_t n = bytes_of_second; n; n >>= 1) {
    if (n & 1) shift = multiply(shift, power);
    power = multiply(power, power);
  }
  return multiply(shift, first) ^ second;
}

uint32_t am_crc32c(uint32_t crc, const void *data, size_t bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    return bytes < 1 << 16 ? ~crc_sse42(~crc, data, bytes) : crc_thirds(crc, data, bytes);
#endif
  return ~crc_plain(~crc, data, bytes);
}

/* FNV-1a (Fowler, Noll, Vo) over the bytes, then splitmix64's finisher, which FNV's high bits lack. */
uint64_t am_hash64(uint64_t seed, const void *data, size_t bytes) {
  const unsigned char *p = data;
  uint64_t h = 0xcbf29ce484222325u ^ (seed * 0x9E3779B97F4A7C15u);
  for (size_t i = 0; i < bytes; i++) h = (h ^ p[i]) * 0x100000001b3u;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9u;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBu;
  return h ^ (h >> 31);
}
