/* SPDX-License-Identifier: MIT */
/* exchange/state_dict.c - which module of a state dict is which layer: as a map says, by the same names, or by order. */
#include "exchange/state_dict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define LEAVE_OUT "leave_out" /* in a map: what is not wanted */

/* A module of ours, and the name of theirs: "" for a file that is one module. */
typedef struct binding {
  size_t step;
  int part; /* of the step's modules */
  am_torch_kind kind;
  char *name, *theirs; /* NULL: not known yet */
} binding;

/* A module of theirs: tensors first to end - 1 of `sorted`, whose names begin with the same `length` bytes. */
typedef struct group {
  size_t first, end, length;
  int kind; /* am_torch_kind; -1: none of them */
  bool taken;
} group;

typedef struct job {
  am_context *ctx;
  am_torch *torch;
  const am_safetensors *file;
  const char *path;
  const am_value *map;
  binding *ours;
  size_t n, room;
  const am_tensor **sorted; /* by name, numbers in it by value */
  size_t n_sorted;
  group *groups;
  size_t n_groups;
  bool *used; /* by place in the file */
} job;

/* ---- ours ---- */

static am_status module_of(const job *j, const binding *b, am_torch_module *m, am_error *err) {
  am_torch_module parts[2];
  int n;
  am_status status = am_torch_modules(j->torch, am_model_step(j->torch->model, b->step), parts, &n, err);
  *m = parts[b->part];
  return status;
}

static am_status find_ours(job *j, am_error *err) {
  am_status status = AM_OK;
  for (size_t i = 0; i < am_model_steps(j->torch->model) && !status; i++) {
    am_torch_module parts[2];
    int n = 0;
    status = am_torch_modules(j->torch, am_model_step(j->torch->model, i), parts, &n, err);
    for (int k = 0; k < n && !status; k++) {
      status = am_grow(j->ctx, &j->ours, &j->room, j->n + 1, sizeof *j->ours, err);
      if (status) break;
      j->ours[j->n] = (binding){.step = i, .part = k, .kind = parts[k].kind, .name = am_torch_name(j->ctx, &parts[k])};
      if (!j->ours[j->n++].name) status = am_no_memory(err);
    }
  }
  return status;
}

/* ---- theirs ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "conv2" before "conv10". */
static int by_name(const void *x, const void *y) {
  const char *a = (*(const am_tensor *const *)x)->name, *b = (*(const am_tensor *const *)y)->name;
  while (*a && *b) {
    if (is_digit(*a) && is_digit(*b)) {
      while (*a == '0' && is_digit(a[1])) a++;
      while (*b == '0' && is_digit(b[1])) b++;
      size_t n = strspn(a, "0123456789"), k = strspn(b, "0123456789");
      int differ = n != k ? (n < k ? -1 : 1) : strncmp(a, b, n);
      if (differ) return differ;
      a += n, b += k;
    } else if (*a != *b) {
      /* a name ends before it goes on: "a.weight" before "a1.weight" */
      return *a == '.' || *b == '.' ? (*a == '.' ? -1 : 1) : (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    } else a++, b++;
  }
  return *a ? 1 : *b ? -1 : strcmp((*(const am_tensor *const *)x)->name, (*(const am_tensor *const *)y)->name);
}

static const char *last_part(const char *name) {
  const char *dot = strrchr(name, '.');
  return dot ? dot + 1 : name;
}

static bool is_counter(const am_tensor *t) { return !strcmp(last_part(t->name), "num_batches_tracked"); }

static const am_tensor *of_group(const job *j, const group *g, const char *part) {
  for (size_t i = g->first; i < g->end; i++)
    if (!strcmp(last_part(j->sorted[i]->name), part)) return j->sorted[i];
  return NULL;
}

static int kind_of(const job *j, const group *g) {
  static const int by_rank[] = {-1, AM_TORCH_LAYER_NORM, AM_TORCH_LINEAR, AM_TORCH_CONV1D, AM_TORCH_CONV2D};
  const am_tensor *weight = of_group(j, g, "weight");
  if (of_group(j, g, "weight_ih_l0")) return AM_TORCH_RECURRENT;
  if (of_group(j, g, "running_mean")) return AM_TORCH_BATCH_NORM;
  return weight && weight->rank <= 4 ? by_rank[weight->rank] : -1;
}

static am_status find_theirs(job *j, am_error *err) {
  const size_t n = am_safetensors_count(j->file);
  j->sorted = am_alloc(j->ctx, n + 1, sizeof *j->sorted);
  j->groups = am_alloc(j->ctx, n + 1, sizeof *j->groups);
  j->used = am_alloc(j->ctx, n + 1, sizeof *j->used);
  if (!j->sorted || !j->groups || !j->used) return am_no_memory(err);
  for (size_t i = 0; i < n; i++) j->sorted[i] = am_safetensors_at(j->file, i);
  j->n_sorted = n;
  qsort(j->sorted, n, sizeof *j->sorted, by_name);
  for (size_t i = 0; i < n; i++) {
    const char *name = j->sorted[i]->name;
    const size_t length = (size_t)(last_part(name) - name);
    group *g = j->n_groups ? &j->groups[j->n_groups - 1] : NULL;
    if (!g || g->length != length || memcmp(j->sorted[g->first]->name, name, length) != 0) {
      g = &j->groups[j->n_groups++];
      *g = (group){.first = i, .length = length};
    }
    g->end = i + 1;
  }
  for (size_t i = 0; i < j->n_groups; i++) j->groups[i].kind = kind_of(j, &j->groups[i]);
  return AM_OK;
}

/* Whether a module or tensor, or what it is in, is one that the map leaves out. */
static bool left_out(const job *j, const char *name, size_t length) {
  const am_value *list = am_value_get(j->map, LEAVE_OUT);
  for (const am_value *v = list ? list->first : NULL; v; v = v->next) {
    const size_t n = strlen(v->text);
    if (n <= length && !memcmp(name, v->text, n) && (n == length || name[n] == '.')) return true;
  }
  return false;
}

/* ---- names ---- */

/* What a map says of "conv2d_1" or "conv2d_1.weight": NULL: nothing. */
static const char *mapped(const job *j, const char *name) {
  const am_value *v = am_value_get(j->map, name);
  return v && v->kind == AM_SCALAR ? v->text : NULL;
}

/* The tensor of a module: as the map says of it alone, or within the module. *name: what it is called; am_free. */
static am_status find_tensor(const job *j, const binding *b, const char *part, const char *within, char **name,
                             const am_tensor **out, am_error *err) {
  char *own = am_format(j->ctx, "%s.%s", b->name, part);
  if (!own) return am_no_memory(err);
  const char *alone = mapped(j, own);
  *name = alone ? am_strdup(j->ctx, alone) : am_format(j->ctx, "%s%s%s", within, *within ? "." : "", part);
  am_free(j->ctx, own);
  if (!*name) return am_no_memory(err);
  *out = am_safetensors_find(j->file, *name);
  return AM_OK;
}

/* Whether the file has what the module cannot be without, in the module `within`. */
static am_status is_there(const job *j, const binding *b, const char *within, bool *out, am_error *err) {
  am_torch_module m;
  am_status status = module_of(j, b, &m, err);
  *out = true;
  for (int i = 0; i < m.n && !status && *out; i++) {
    char *name = NULL;
    const am_tensor *t = NULL;
    if (m.at[i].optional) continue;
    status = find_tensor(j, b, m.at[i].name, within, &name, &t, err);
    am_free(j->ctx, name);
    *out = t != NULL;
  }
  return status;
}

/* All modules by our own names, behind `prefix`: *out: whether all are there. */
static am_status bind_by_names(job *j, const char *prefix, bool *out, am_error *err) {
  am_status status = AM_OK;
  *out = true;
  for (size_t i = 0; i < j->n && *out && !status; i++) {
    if (mapped(j, j->ours[i].name)) continue;
    char *within = am_format(j->ctx, "%s%s", prefix, j->ours[i].name);
    if (!within) return am_no_memory(err);
    status = is_there(j, &j->ours[i], within, out, err);
    am_free(j->ctx, j->ours[i].theirs);
    j->ours[i].theirs = within;
  }
  for (size_t i = 0; i < j->n && !*out; i++) {
    if (mapped(j, j->ours[i].name)) continue;
    am_free(j->ctx, j->ours[i].theirs);
    j->ours[i].theirs = NULL;
  }
  return status;
}

/* What all names begin with, up to a dot: "module." of a model that was trained by several devices. am_free. */
static char *common_prefix(const job *j) {
  const char *first = j->n_sorted ? j->sorted[0]->name : "";
  size_t n = strlen(first);
  for (size_t i = 1; i < j->n_sorted; i++) {
    size_t k = 0;
    while (k < n && j->sorted[i]->name[k] == first[k]) k++;
    n = k;
  }
  while (n && first[n - 1] != '.') n--;
  return am_format(j->ctx, "%.*s", (int)n, first);
}

/* ---- order ---- */

/* Two modules that differ in a number alone are in the order of that number; which of two others of one shape comes first, the
 * file does not say. */
static bool numbered(const char *a, size_t n, const char *b, size_t k) {
  const char *const a_end = a + n, *const b_end = b + k;
  while (a < a_end || b < b_end) {
    while (a < a_end && is_digit(*a)) a++;
    while (b < b_end && is_digit(*b)) b++;
    if ((a < a_end) != (b < b_end) || (a < a_end && *a != *b)) return false;
    if (a < a_end) a++, b++;
  }
  return true;
}

static const am_tensor *shape_of(const job *j, const group *g) {
  const am_tensor *t = of_group(j, g, "weight_ih_l0");
  if (!t) t = of_group(j, g, "running_mean");
  return t ? t : of_group(j, g, "weight");
}

static bool same_shape(const am_tensor *a, const am_tensor *b) {
  return a->rank == b->rank && !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims);
}

static am_status fail_ambiguous(const job *j, const group *a, const group *b, am_error *err) {
  char shape[AM_TENSOR_TEXT];
  const am_tensor *t = shape_of(j, a);
  return am_fail(
      err, AM_E_UNSUPPORTED,
      "%s: %.*s and %.*s have one shape, %s, and nothing says which comes first; say which layers they are in "
      "a map of names",
      j->path, (int)(a->length ? a->length - 1 : 0), j->sorted[a->first]->name, (int)(b->length ? b->length - 1 : 0),
      j->sorted[b->first]->name, am_tensor_shape(t->rank, t->dims, shape));
}

/* The modules of one kind, `theirs` of them (n). */
static am_status bind_kind(job *j, am_torch_kind kind, group **theirs, size_t n, am_error *err) {
  size_t at = 0, ours = 0;
  for (size_t i = 0; i < j->n; i++) ours += j->ours[i].kind == kind && !j->ours[i].theirs;
  if (ours != n)
    return am_fail(err, AM_E_SHAPE,
                   "%s: the config has %zu layer%s for %s of PyTorch, and the file %zu%s%.*s; their names do not tell "
                   "which is which: see to it that the layers are the same, or give a map of names",
                   j->path, ours, am_count(ours, "", "s"), am_torch_kind_name(kind), n, n ? ", the first " : "",
                   n && theirs[0]->length ? (int)theirs[0]->length - 1 : 0, n ? j->sorted[theirs[0]->first]->name : "");
  for (size_t a = 0; a < n; a++)
    for (size_t b = a + 1; b < n; b++)
      if (same_shape(shape_of(j, theirs[a]), shape_of(j, theirs[b])) &&
          !numbered(j->sorted[theirs[a]->first]->name, theirs[a]->length, j->sorted[theirs[b]->first]->name,
                    theirs[b]->length))
        return fail_ambiguous(j, theirs[a], theirs[b], err);
  for (size_t i = 0; i < j->n; i++) {
    binding *b = &j->ours[i];
    if (b->kind != kind || b->theirs) continue;
    const group *g = theirs[at++];
    b->theirs = am_format(j->ctx, "%.*s", g->length ? (int)g->length - 1 : 0, j->sorted[g->first]->name);
    if (!b->theirs) return am_no_memory(err);
    am_log(j->ctx, AM_LOG_INFO, "%s: by their order %s is %s", j->path, *b->theirs ? b->theirs : "the whole file",
           b->name);
  }
  return AM_OK;
}

static am_status bind_by_order(job *j, am_error *err) {
  group **theirs = am_alloc(j->ctx, j->n_groups + 1, sizeof *theirs);
  am_status status = theirs ? AM_OK : am_no_memory(err);
  for (size_t i = 0; i < j->n_groups && !status; i++) {
    group *g = &j->groups[i];
    const char *name = j->sorted[g->first]->name;
    const size_t length = g->length ? g->length - 1 : 0;
    g->taken = left_out(j, name, length);
    for (size_t k = 0; k < j->n && !g->taken; k++) { /* by the map */
      const char *b = j->ours[k].theirs;
      g->taken = b && strlen(b) == length && !memcmp(b, name, length);
    }
  }
  for (int kind = AM_TORCH_CONV2D; kind <= AM_TORCH_RECURRENT && !status; kind++) {
    size_t n = 0;
    for (size_t i = 0; i < j->n_groups; i++)
      if (j->groups[i].kind == kind && !j->groups[i].taken) theirs[n++] = &j->groups[i];
    status = bind_kind(j, (am_torch_kind)kind, theirs, n, err);
  }
  am_free(j->ctx, theirs);
  return status;
}

/* ---- the map ---- */

/* Whether `key` is a module of ours, or a tensor of one. */
static am_status check_key(const job *j, const am_value *v, am_error *err) {
  for (size_t i = 0; i < j->n; i++) {
    const size_t n = strlen(j->ours[i].name);
    am_torch_module m;
    if (strncmp(v->key, j->ours[i].name, n) != 0 || (v->key[n] && v->key[n] != '.')) continue;
    if (!v->key[n]) return AM_OK;
    am_status status = module_of(j, &j->ours[i], &m, err);
    if (status) return status;
    for (int k = 0; k < m.n; k++)
      if (!strcmp(m.at[k].name, v->key + n + 1)) return AM_OK;
  }
  return am_fail_at_key(
      err, v,
      "there is no layer with weights %s in the config, and no tensor of that name; the first of them is %s "
      "(of a layer in a block: residual_1.conv2d_1)",
      v->key, j->n ? j->ours[0].name : "none");
}

static am_status check_map(job *j, am_error *err) {
  am_status status = AM_OK;
  if (!j->map) return AM_OK;
  if (j->map->kind != AM_MAP)
    return am_fail_at(err, j->map, "wanted a map, each line the name of a layer and that of the module in the file");
  for (const am_value *v = j->map->first; v && !status; v = v->next) {
    if (!strcmp(v->key, LEAVE_OUT)) {
      bool texts = v->kind == AM_LIST;
      for (const am_value *x = v->first; x && texts; x = x->next) texts = x->kind == AM_SCALAR && *x->text;
      if (!texts) status = am_fail_at(err, v, LEAVE_OUT ": wanted a list of names of modules or tensors");
    } else if (v->kind != AM_SCALAR) {
      status = am_fail_at(err, v, "%s: wanted the name of a module or of a tensor in the file", v->key);
    } else {
      status = check_key(j, v, err);
    }
  }
  for (size_t i = 0; i < j->n && !status; i++) {
    const char *module = mapped(j, j->ours[i].name);
    if (module && !(j->ours[i].theirs = am_strdup(j->ctx, module))) status = am_no_memory(err);
  }
  return status;
}

static am_status bind(job *j, am_error *err) {
  bool all = false;
  am_status status = check_map(j, err);
  if (!status) status = bind_by_names(j, "", &all, err);
  if (status || all) return status;
  char *prefix = common_prefix(j);
  status = prefix ? bind_by_names(j, prefix, &all, err) : am_no_memory(err);
  am_free(j->ctx, prefix);
  return status || all ? status : bind_by_order(j, err);
}

/* ---- numbers ---- */

/* A convolution of one tap is a linear layer: dimensions of 1 at the end do not count. */
static bool fits(const am_torch_tensor *x, const am_tensor *t) {
  for (int i = 0; i < 4 || i < t->rank; i++)
    if ((i < x->rank ? x->dims[i] : 1) != (i < t->rank ? t->dims[i] : 1)) return false;
  return true;
}

static am_status check_shape(const job *j, const binding *b, const am_torch_tensor *x, const am_tensor *t,
                             am_error *err) {
  char found[AM_TENSOR_TEXT], wanted[AM_TENSOR_TEXT];
  if (fits(x, t)) return AM_OK;
  return am_fail(err, AM_E_SHAPE, "%s: tensor %s is %s, and layer %s wants %s as PyTorch has it%s", j->path, t->name,
                 am_tensor_shape(t->rank, t->dims, found), b->name, am_tensor_shape(x->rank, x->dims, wanted),
                 b->kind == AM_TORCH_CONV2D && t->rank == 4 && t->dims[2] == x->dims[3] && t->dims[3] == x->dims[2]
                     ? "; is the option layout right?"
                     : "");
}

static am_status take_tensor(job *j, const binding *b, const am_torch_tensor *x, am_error *err) {
  const am_tensor *t = NULL;
  char *name = NULL, wanted[AM_TENSOR_TEXT];
  am_status status = find_tensor(j, b, x->name, b->theirs, &name, &t, err);
  if (!status && !t && !x->optional)
    status = am_fail(err, AM_E_FORMAT, "%s: there is no tensor %s, which layer %s wants as %s", j->path, name, b->name,
                     am_tensor_shape(x->rank, x->dims, wanted));
  am_free(j->ctx, name);
  if (status || !t) return status;
  status = check_shape(j, b, x, t, err);
  if (status) return status;
  j->used[t - am_safetensors_at(j->file, 0)] = true;
  float *theirs = am_alloc_aligned(j->ctx, am_mul(t->count, sizeof *theirs));
  if (!theirs) return am_no_memory(err);
  status = am_safetensors_read(j->file, t, theirs, err);
  if (!status) am_torch_take(j->torch, x, theirs);
  am_free_aligned(j->ctx, theirs);
  return status;
}

/* What PyTorch divides by is near 0 for a channel that says nothing, and then a thousandth more is much. */
static void say_epsilon(const job *j, const am_torch_module *m) {
  for (const am_option *o = m->layer->cls->table; o && o->name; o++) {
    const double *epsilon = (const double *)(const void *)((const char *)m->layer->options + o->offset);
    if (strcmp(o->name, "epsilon") != 0 || m->kind == AM_TORCH_LINEAR || *epsilon == 1e-5) continue;
    am_log(j->ctx, AM_LOG_WARNING, "layer %s has epsilon %g; PyTorch's own is 1e-05", m->layer->name, *epsilon);
  }
}

static am_status check_rest(const job *j, am_error *err) {
  char shape[AM_TENSOR_TEXT];
  for (size_t i = 0; i < am_safetensors_count(j->file); i++) {
    const am_tensor *t = am_safetensors_at(j->file, i);
    if (j->used[i] || is_counter(t) || left_out(j, t->name, strlen(t->name))) continue;
    return am_fail(
        err, AM_E_SHAPE,
        "%s: tensor %s, %s, belongs to no layer of the config; see to it that the layers are the same, or name "
        "it in a map of names, under " LEAVE_OUT ", if it is not wanted",
        j->path, t->name, am_tensor_shape(t->rank, t->dims, shape));
  }
  return AM_OK;
}

am_status am_state_dict_take(am_torch *torch, const am_safetensors *file, const am_value *map, am_error *err) {
  job j = {.ctx = torch->ctx, .torch = torch, .file = file, .path = am_safetensors_path(file), .map = map};
  am_status status = find_ours(&j, err);
  if (!status) status = find_theirs(&j, err);
  if (!status) status = bind(&j, err);
  for (size_t i = 0; i < j.n && !status; i++) {
    am_torch_module m;
    status = module_of(&j, &j.ours[i], &m, err);
    for (int k = 0; k < m.n && !status; k++) status = take_tensor(&j, &j.ours[i], &m.at[k], err);
    if (!status) say_epsilon(&j, &m);
  }
  if (!status) status = check_rest(&j, err);
  for (size_t i = 0; i < j.n; i++) {
    am_free(j.ctx, j.ours[i].name);
    am_free(j.ctx, j.ours[i].theirs);
  }
  am_free(j.ctx, j.ours);
  am_free(j.ctx, j.sorted);
  am_free(j.ctx, j.groups);
  am_free(j.ctx, j.used);
  return status;
}
