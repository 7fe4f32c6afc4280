/* SPDX-License-Identifier: MIT */
/* nn/layers/recurrent.h - what LSTM and GRU share, and what a cell must supply. */
#ifndef AM_RECURRENT_H
#define AM_RECURRENT_H

#include "nn/layer.h"

#define AM_RECURRENT_RETURNS(X) X(AM_RETURN_SEQUENCE, "sequence") X(AM_RETURN_LAST, "last")
typedef enum am_recurrent_return { AM_RECURRENT_RETURNS(AM_WORD_NAME) } am_recurrent_return;

typedef struct am_recurrent_options {
  int64_t units, layers;
  bool bidirectional;
  int returns;           /* am_recurrent_return */
  bool unit_forget_bias; /* lstm */
  bool reset_after;      /* gru */
} am_recurrent_options;

/* Backward: one frame of one direction, for `rows` clips side by side (the longest first).
 * The first `rows_before` of them have an earlier frame in this direction; the
 * others start here from zeros.  H units, G gates; all matrices contiguous. */
typedef struct am_cell_step {
  const am_kernels *kernels;
  int h, rows, rows_before;
  const am_real *u[2];         /* recurrent kernel, transposed and packed by parts */
  const am_real *gates;        /* (rows,G*H): the activations */
  const am_real *h_before;     /* (rows_before,H) */
  const am_real *extra_before; /* (rows_before,H) */
  const am_real *extra;        /* (rows,H): the cell's own: state of an LSTM */
  am_real *work;               /* (rows,H) */
  am_real *dh;                 /* (rows,H): in d loss/d h, out d loss/d h_before for rows_before */
  am_real *dstate;             /* (rows,H): carried from frame to frame for the cell */
  am_real *dgates;             /* (rows,4H) */
} am_cell_step;

/* Gate `gate` of the kernels takes its gradient from block `from` of dgates. */
typedef struct am_cell {
  int gates;        /* G, at most 4 */
  bool second_bias; /* bias is (2,G*H): of the input product and of the recurrent one */
  int input_from[4], recurrent_from[4];
  int parts[2];   /* gates whose gradients one recurrent product takes at once, and the rest */
  int extra_gate; /* this gate's recurrent kernel multiplied `extra`, not h_before; -1: none */
  /* Forward, many frames of one direction; U (H,G*H) is packed for it. */
  size_t (*packed_count)(const am_kernels *kernels, int h);
  void (*pack)(const am_kernels *kernels, int h, const am_real *u, am_real *packed);
  void (*forward)(const am_kernels *kernels, const am_recurrence *recurrence);
  void (*backward)(const am_cell_step *step);
} am_cell;

am_status am_recurrent_build(am_layer *layer, const am_cell *cell, am_error *err);
void am_recurrent_forward(const am_layer *layer, const am_pass *pass, const am_cell *cell);
void am_recurrent_backward(const am_layer *layer, const am_pass *pass, const am_cell *cell);
size_t am_recurrent_packed_bytes(const am_layer *layer, const am_cell *cell);
void am_recurrent_pack(const am_layer *layer, const am_pass *pass, const am_cell *cell, void *packed);
double am_recurrent_operations(const am_layer *layer, const am_cell *cell);

#define AM_RECURRENT_OPTIONS \
  {"units", AM_OPT_INT, offsetof(am_recurrent_options, units), NULL, 1, 65536, NULL, "units H of one direction"}, \
      {"layers", \
       AM_OPT_INT, \
       offsetof(am_recurrent_options, layers), \
       "1", \
       1, \
       5, \
       NULL, \
       "layers stacked on each other (at most 2 when bidirectional; repeat the layer for more)"}, \
      {"bidirectional", \
       AM_OPT_BOOL, \
       offsetof(am_recurrent_options, bidirectional), \
       "false", \
       0, \
       0, \
       NULL, \
       "a second direction from each clip's last frame; outputs side by side (2H)"}, \
  { \
    "return", AM_OPT_CHOICE, offsetof(am_recurrent_options, returns), "sequence", 0, 0, \
        AM_WORDS(AM_RECURRENT_RETURNS), \
        "every frame (T,H), or the state after the last one (H); backwards that is the state at frame 0" \
  }

#endif
