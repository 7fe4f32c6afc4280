/* train/step.c - one optimiser step, and what to say when it goes wrong. */
#include <math.h>
#include <string.h>

#include "train/trainer.h"

/* ---- NaN and infinity ---- */

static bool finite_all(const am_real *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i])) return false;
  return true;
}

/* The first layer whose output in `session` is not finite; NULL when all that are kept are. */
static const char *first_bad(am_trainer *t, const am_session *session, int batch) {
  for (size_t i = 0; i < am_model_steps(t->model); i++) {
    const am_step *step = am_model_step(t->model, i);
    const am_real *y = am_session_tensor(session, step->output);
    if (y && !finite_all(y, (size_t)batch * am_shape_count(step->layer.out))) return step->layer.name;
  }
  return NULL;
}

/* The plan lets tensors share memory and fuses layers, so the batch runs once more in a session that keeps all;
 * without memory for it, the tensors that are still there must do. */
static const char *find_bad_layer(am_trainer *t, const am_batch *batch) {
  am_session *session = NULL;
  const char *name = NULL;
  am_model_set_keep(t->model, true);
  if (am_session_create(t->model, batch->n, true, &session, NULL) == AM_OK) {
    am_session_forward(session, batch, true);
    name = first_bad(t, session, batch->n);
    am_session_free(session);
  } else {
    name = first_bad(t, t->session, batch->n);
  }
  am_model_set_keep(t->model, false);
  return name ? name : "the loss itself";
}

static am_status fail_numeric(am_trainer *t, const char *what, const char *where, am_error *err) {
  bool kept = t->folder_ready && am_file_exists(t->last);
  return am_fail(err, AM_E_NUMERIC, "step %llu (epoch %llu): %s, first in %s; lower train.optimiser.learning_rate or set "
                 "clip_norm; %s%s", (unsigned long long)(t->state.step + 1), (unsigned long long)(t->state.epoch + 1),
                 what, where, kept ? "the state before it is kept in " : "no checkpoint had been written yet",
                 kept ? t->last : "");
}

/* ---- the step ---- */

static int best_of(const float *row, int n) {
  int best = 0;
  for (int k = 1; k < n; k++)
    if (row[k] > row[best]) best = k;
  return best;
}

static double divisor_of(const am_trainer *t, const am_loader_batch *b) {
  if (t->config->loss.divide_by == 0 || !b->weights) return b->n;
  double sum = 0;
  for (int i = 0; i < b->n; i++) sum += b->weights[i];
  return sum > 0 ? sum : 1;
}

am_status am_trainer_step(am_trainer *t, const am_loader_batch *b, am_error *err) {
  am_training_state *s = &t->state;
  int K = t->classes;
  am_batch batch = {.size = sizeof batch, .n = b->n, .x = b->x, .seed = t->config->seed, .epoch = s->epoch + 1,
                    .draws = b->draws};
  if (am_model_input(t->model).variable) batch.lengths = b->lengths;
  am_session_forward(t->session, &batch, true);
  const am_real *logits = am_session_output(t->session);
  double sum = am_loss(&t->config->loss, logits, b->targets, b->weights, b->n, K, t->dlogits, NULL);
  if (!isfinite(sum))
    return fail_numeric(t, isnan(sum) ? "the loss is not a number" : "the loss is infinite", find_bad_layer(t, &batch),
                        err);
  am_session_backward(t->session, t->dlogits);

  size_t n;
  double divisor = divisor_of(t, b);
  t->rate = t->config->optimiser.learning_rate *
            am_schedule_factor(&t->config->schedule, &s->schedule, s->step, t->per_epoch,
                               (uint64_t)t->config->train.epochs);
  am_optimiser_step(t->optimiser, am_model_weights(t->model, &n), am_session_gradients(t->session), divisor,
                    t->rate);
  if (t->optimiser->bad_array >= 0)
    return fail_numeric(t, "a gradient is not finite",
                        am_model_weight_info(t->model, (size_t)t->optimiser->bad_array).name, err);
  s->loss_sum += sum;
  s->divisor_sum += divisor;
  s->clips += (uint64_t)b->n;
  for (int i = 0; i < b->n; i++)
    s->correct += best_of(logits + (size_t)i * (size_t)K, K) == best_of(b->targets + (size_t)i * (size_t)K, K);
  s->step++;
  s->position++;
  return AM_OK;
}

void am_trainer_profile(am_trainer *t) {
  const am_step_time *times = am_session_times(t->session);
  double all = 0;
  for (size_t i = 0; i < am_model_steps(t->model); i++) all += times[i].forward + times[i].backward;
  am_trainer_log(t, AM_LOG_INFO, "%-28s %10s %10s %7s", "layer", "forward s", "backward s", "share");
  for (size_t i = 0; i < am_model_steps(t->model); i++) {
    double both = times[i].forward + times[i].backward;
    am_trainer_log(t, AM_LOG_INFO, "%-28s %10.3f %10.3f %6.1f%%", am_model_step(t->model, i)->layer.name,
                   times[i].forward, times[i].backward, all > 0 ? 100 * both / all : 0);
  }
}
