/* cli/cmd_features.c - audiomood features: fills the feature cache. */
#include "cli/cli.h"

static am_status fill(cli *c, am_config *config, const am_dataset *d, am_error *err) {
  am_features *fx = NULL;
  am_store *store = NULL;
  am_status st = am_features_create(c->ctx, &config->features, &fx, err);
  if (!st)
    st = am_store_create(c->ctx, d, fx, &config->data, config->cache, am_augment_needs_sound(&config->augment), &store,
                         err);
  if (!st) {
    am_store_counts n = am_store_counted(store);
    cli_print(
        "%zu clips of %s: %zu from the cache, %zu computed, %zu skipped, %zu with nothing to hear, in %.2f s "
        "(%.0f clips/s, %d threads)\n",
        d->n, d->title, n.from_cache, n.computed, n.skipped, n.unheard, n.seconds,
        n.seconds > 0 ? (double)d->n / n.seconds : 0.0, am_context_threads(c->ctx));
    cli_print("features (T,F): F = %d, T at most %d\n", am_store_bins(store), am_store_max_frames(store));
  }
  am_store_free(store);
  am_features_free(fx);
  return st;
}

static am_status run(cli *c, am_error *err) {
  cli_overrides over;
  am_config *config = NULL;
  am_dataset *d = NULL;
  am_status st = cli_overrides_get(c, &over, err);
  if (!st) st = am_config_load(c->ctx, c->arguments[0], over.at, over.n, &config, err);
  if (!st) st = am_dataset_load(c->ctx, &config->data, &d, err);
  if (!st) {
    cli_warn_left_out(c, d);
    st = fill(c, config, d, err);
  }
  am_dataset_free(d);
  am_config_free(config);
  return st;
}

static const cli_flag flags[] = {
    {"set", "KEY=VALUE", "replaces one setting of the config (repeatable)"},
    {0},
};

const cli_command cli_features = {
    .name = "features",
    .summary = "computes the features of a corpus into the cache",
    .usage = "CONFIG [--set KEY=VALUE]...",
    .flags = flags,
    .min_arguments = 1,
    .max_arguments = 1,
    .run = run,
};
