/* SPDX-License-Identifier: MIT */
/** @file audiomood/audiomood.h
 * the whole public API.  Each header can be included alone. */
#ifndef AUDIOMOOD_AUDIOMOOD_H
#define AUDIOMOOD_AUDIOMOOD_H

#include "audiomood/audio.h"
#include "audiomood/base.h"
#include "audiomood/evaluate.h"
#include "audiomood/layer.h"
#include "audiomood/metrics.h"
#include "audiomood/nn.h"
#include "audiomood/predict.h"
#include "audiomood/profile.h"
#include "audiomood/segment.h"
#include "audiomood/stream.h"
#include "audiomood/train.h"

#endif
