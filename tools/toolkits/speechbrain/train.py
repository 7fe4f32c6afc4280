#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Emotion from speech with SpeechBrain, in the form of its IEMOCAP recipe: python train.py small.yaml --data_folder WAVS --lists LISTS

Beside what the recipe does: training ends after the epoch in which hparams.most_seconds is past, and OUTPUT/predictions.csv and OUTPUT/times.json
tell what it answered and how long it took.
"""
import csv
import json
import os
import sys
import time

import speechbrain as sb
import torch
from hyperpyyaml import load_hyperpyyaml


class EmotionBrain(sb.Brain):
    def compute_forward(self, batch, stage):
        batch = batch.to(self.device)
        wavs, lens = batch.sig
        feats = self.modules.mean_var_norm(self.modules.compute_features(wavs), lens)
        return self.modules.classifier(self.modules.embedding_model(feats, lens))

    def compute_objectives(self, predictions, batch, stage):
        emo, _ = batch.emo_encoded
        if stage == sb.Stage.TRAIN and hasattr(self.hparams.lr_annealing, "on_batch_end"):
            self.hparams.lr_annealing.on_batch_end(self.optimizer)
        if stage != sb.Stage.TRAIN:
            self.error_metrics.append(batch.id, predictions, emo)
        if stage == sb.Stage.TEST:
            self.answers += zip(batch.id, batch.emo, predictions.argmax(-1).flatten().tolist())
        return self.hparams.compute_cost(predictions, emo)

    def on_stage_start(self, stage, epoch=None):
        self.answers = []
        if stage != sb.Stage.TRAIN:
            self.error_metrics = self.hparams.error_stats()

    def on_stage_end(self, stage, stage_loss, epoch=None):
        if stage == sb.Stage.TRAIN:
            self.train_loss = stage_loss
            return
        stats = {"loss": stage_loss, "error": self.error_metrics.summarize("average")}
        if stage == sb.Stage.VALID:
            old_lr, new_lr = self.hparams.lr_annealing(epoch)
            sb.nnet.schedulers.update_learning_rate(self.optimizer, new_lr)
            self.hparams.train_logger.log_stats({"Epoch": epoch, "lr": old_lr}, {"loss": self.train_loss}, stats)
            self.checkpointer.save_and_keep_only(meta=stats, min_keys=["error"])
            if time.time() - self.began > self.hparams.most_seconds:
                self.hparams.epoch_counter.limit = epoch
        else:
            self.hparams.train_logger.log_stats({"Epoch loaded": self.hparams.epoch_counter.current}, test_stats=stats)


def data_sets(hparams):
    @sb.utils.data_pipeline.takes("wav")
    @sb.utils.data_pipeline.provides("sig")
    def audio(wav):
        return sb.dataio.dataio.read_audio(wav)

    encoder = sb.dataio.encoder.CategoricalEncoder()

    @sb.utils.data_pipeline.takes("emo")
    @sb.utils.data_pipeline.provides("emo", "emo_encoded")
    def label(emo):
        yield emo
        yield encoder.encode_label_torch(emo)

    sets = {name: sb.dataio.dataset.DynamicItemDataset.from_json(
        json_path=os.path.join(hparams["lists"], name + ".json"), replacements={"data_root": hparams["data_folder"]},
        dynamic_items=[audio, label], output_keys=["id", "sig", "emo", "emo_encoded"]) for name in ("train", "valid", "test")}
    encoder.load_or_create(path=os.path.join(hparams["save_folder"], "label_encoder.txt"), from_didatasets=[sets["train"]],
                           output_key="emo")
    return sets, encoder


def main():
    hparams_file, run_opts, overrides = sb.parse_arguments(sys.argv[1:])
    with open(hparams_file) as text:
        hparams = load_hyperpyyaml(text, overrides)
    sb.create_experiment_directory(hparams["output_folder"], hparams_file, overrides)
    sets, encoder = data_sets(hparams)
    brain = EmotionBrain(hparams["modules"], hparams["opt_class"], hparams, run_opts, hparams["checkpointer"])
    brain.began = time.time()
    options = hparams["dataloader_options"]
    brain.fit(hparams["epoch_counter"], sets["train"], sets["valid"], train_loader_kwargs=options, valid_loader_kwargs=options)
    trained = time.time()
    brain.evaluate(sets["test"], min_key="error", test_loader_kwargs=options)
    with open(os.path.join(hparams["output_folder"], "predictions.csv"), "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "label", "predicted"])
        rows.writerows((id, emo, encoder.ind2lab[at]) for id, emo, at in brain.answers)
    with open(os.path.join(hparams["output_folder"], "times.json"), "w") as out:
        parameters = sum(p.numel() for p in brain.modules.parameters() if p.requires_grad)
        json.dump({"train": trained - brain.began, "test": time.time() - trained, "epochs": hparams["epoch_counter"].current,
                   "parameters": parameters, "threads": torch.get_num_threads()}, out)


main()
