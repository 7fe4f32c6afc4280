/* data/split_parts.c - what came out of a split: clips, speakers and classes of each part. */
#include "data/split.h"

size_t am_split_clips(const am_dataset *d, const am_split *s, am_part part, int label) {
  size_t n = 0;
  for (size_t i = 0; i < s->n[part]; i++) n += label < 0 || d->clips[s->at[part][i]].label == label;
  return n;
}

int am_split_classes(const am_dataset *d, const am_split *s, am_part part) {
  int n = 0;
  for (int k = 0; k < d->n_labels; k++) {
    size_t i = 0;
    while (i < s->n[part] && d->clips[s->at[part][i]].label != k) i++;
    n += i < s->n[part];
  }
  return n;
}
