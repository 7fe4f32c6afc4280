/* SPDX-License-Identifier: MIT */
/* base/soname.c - no part of the program: linked with one library for each that is loaded when it is wanted, so that the linker
 * writes down the name by which that library is found (meson.build of this folder, tools/soname). */
void WANTED(void); /* one of its functions */
void (*am_soname(void))(void);
void (*am_soname(void))(void) { return WANTED; }
