/* train/evaluate.h - running a model over clips; shared by the training loop and the commands. */
#ifndef AM_EVALUATE_H
#define AM_EVALUATE_H

#include "io/json.h"
#include "train/train.h"

/* What clips become a model's input with. All borrowed. */
typedef struct am_source {
  const am_dataset *dataset;
  const am_store *store;
  const am_features *fx;
  const am_normaliser *normaliser;
} am_source;

/* Logits (n,K) of the clips, in their order, by an inference session for at most `batch` clips.  Progress is
 * reported as `task`. AM_E_STOPPED when asked to stop. */
am_status am_evaluate_logits(am_context *ctx, const am_model *model, am_session *session, int batch,
                             const am_source *source, const uint32_t *clips, size_t n, const char *task, float *logits,
                             am_error *err);
/* Clips of the list whose features are longer than the model's input: they are cut. */
size_t am_evaluate_cut(const am_model *model, const am_store *store, const uint32_t *clips, size_t n);
/* am_metrics_json's object as a value of a larger one. */
void am_metrics_write(am_json *j, const char *key, const am_metrics *m, char *const *labels,
                      const am_protocol *protocol);

/* Kept in a checkpoint between predictions: session, features and room for one clip. */
typedef struct am_predictor am_predictor;
/* What became of a sound: why it has no probabilities (they are NaN then), or how much of it the model heard. */
typedef struct am_heard {
  am_unheard unheard;
  bool cut;       /* its end was not heard */
  double seconds; /* heard; without what was trimmed, too */
} am_heard;
/* am_predict_sound, which logs and fails where this one tells. */
am_status am_predict_heard(am_context *ctx, am_checkpoint *c, const float *samples, size_t n, float *probabilities,
                           am_heard *heard, am_error *err);
void am_predictor_free(am_context *ctx, am_predictor *p);

#endif
