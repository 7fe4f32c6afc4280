/* SPDX-License-Identifier: MIT */
/* base/hash.h - checksums and hashes. */
#ifndef AM_HASH_H
#define AM_HASH_H

#include "base/base.h"

/* Castagnoli CRC-32 (RFC 3720), start with crc 0. */
uint32_t am_crc32c(uint32_t crc, const void *data, size_t bytes);
/* That of two parts one after the other, from theirs. */
uint32_t am_crc32c_join(uint32_t first, uint32_t second, size_t bytes_of_second);
/* 64-bit hash of bytes (FNV-1a folded with splitmix64) for cache keys; not cryptographic. */
uint64_t am_hash64(uint64_t seed, const void *data, size_t bytes);

#endif
