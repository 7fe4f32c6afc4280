/* SPDX-License-Identifier: MIT */
/* nn/contrastive.h - the supervised contrastive loss of embeddings (Khosla et al. 2020): clips of one class point in one
 * direction, those of others in others. */
#ifndef AM_CONTRASTIVE_H
#define AM_CONTRASTIVE_H

#include "audiomood/nn.h"

/* How many numbers of memory it takes for a batch. */
size_t am_contrastive_memory(int batch, int width);
/* Of the embeddings x (batch, width), scaled to length 1, with labels (batch): for each clip the mean, over the others of its
 * class, of -log softmax(cosine / temperature) over all others, summed over the clips.  A clip alone of its class has none, but is
 * one of the others; one whose embedding is zero points nowhere, and is left out altogether.  `factor` times the gradient by x is
 * added to dx (batch, width), or NULL.  Sums run in batch order. */
double am_contrastive_loss(const am_real *x, const int *labels, int batch, int width, double temperature, double factor,
                           double *memory, am_real *dx);

#endif
