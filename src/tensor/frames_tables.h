/* SPDX-License-Identifier: MIT */
/* tensor/frames_tables.h - the tables of frames.h, one a processor path. */
#ifndef AM_TENSOR_FRAMES_TABLES_H
#define AM_TENSOR_FRAMES_TABLES_H

#include "tensor/frames.h"

extern const am_frame_kernels am_frame_table_plain;
#ifdef AM_HAVE_X86
extern const am_frame_kernels am_frame_table_avx2, am_frame_table_avx512;
#endif
#ifdef AM_HAVE_NEON
extern const am_frame_kernels am_frame_table_neon;
#endif

#endif
