# SPDX-License-Identifier: MIT
"""tools/bench without any peer: quartiles, ratios, intervals, refused rows, turns, the page, the history; and, with the path of
the command, that it still takes the settings of the models."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tools", "benchmark"))
import figures
import history
import kernel_sections
import kernels
import models
import over_time_sections
import page
import sections
import sounds
import workers


def side(name, rounds, key="train 32", **facts):
    return {"name": name, "facts": facts, "failure": {}, "peak_kb": {key: 2048}, "turns": {key: list(enumerate(rounds))}}


class Figures(unittest.TestCase):
    def test_quartile_lies_between_values(self):
        self.assertEqual(figures.quartile([5]), 5)
        self.assertEqual(figures.quartile([4, 1, 3, 2, 5]), 2)
        self.assertAlmostEqual(figures.quartile([1, 2, 3, 4]), 1.75)
        self.assertAlmostEqual(figures.quartile([10, 20], 0.75), 17.5)

    def test_ratio_is_of_lower_quartiles_and_noise_above_does_not_move_it(self):
        ours, peer = side("AudioMood", [[1], [1], [1], [1], [1]]), side("peer", [[3], [3], [3], [3], [30]])
        self.assertEqual(figures.ratio(ours, peer, "train 32"), 3)
        self.assertEqual(figures.median_ratio(ours, side("peer", [[2], [4], [5]]), "train 32"), 4)
        self.assertIsNone(figures.ratio(ours, peer, "forward 1"))

    def test_interval_holds_the_ratio_and_is_the_same_again(self):
        ours = side("AudioMood", [[1.0 + 0.01 * i] for i in range(20)])
        peer = side("peer", [[2.0 + 0.1 * (i * 7 % 20)] for i in range(20)])
        low, high = figures.interval(ours, peer, "train 32")
        self.assertTrue(low < figures.ratio(ours, peer, "train 32") < high)
        self.assertEqual((low, high), figures.interval(ours, peer, "train 32"))

    def test_interval_pairs_rounds(self):
        """A machine that is ten times slower in some rounds slows both sides: the ratio stays sure."""
        pace = [1, 10, 1, 10, 10, 1, 10, 1]
        ours, peer = side("AudioMood", [[p] for p in pace]), side("peer", [[2 * p] for p in pace])
        self.assertEqual(figures.interval(ours, peer, "train 32"), (2, 2))

    def test_interval_takes_only_rounds_of_both(self):
        ours, peer = side("AudioMood", [[1]] * 9), side("peer", [[2]] * 4)
        self.assertIsNone(figures.interval(ours, peer, "train 32"))

    def test_fastest_is_never_a_side_with_few_steps(self):
        slow = side("slow", [[9]])
        near, few = side("near", [[2]] * 5), side("few", [[1.5]] * 4)
        self.assertEqual(figures.fastest([slow, near], "train 32")["name"], "near")
        self.assertEqual(figures.fastest([near, few], "train 32")["name"], "near")
        self.assertIsNone(figures.fastest([slow], "train 32"))

    def test_rows_of_few_steps_are_refused(self):
        ours, near = side("AudioMood", [[1]] * 5), side("near", [[2]] * 5)
        self.assertIsNone(figures.refusal(ours, [near, side("slow", [[9]])], "train 32"))
        self.assertIsNone(figures.refusal(ours, [], "train 32"))
        self.assertIn("near had 4 steps", figures.refusal(ours, [side("near", [[2]] * 4)], "train 32"))
        self.assertIn("AudioMood had 1 step,", figures.refusal(side("AudioMood", [[1]]), [near], "train 32"))
        self.assertIn("AudioMood had 0 steps", figures.refusal(ours, [near], "forward 1"))


class Clock:
    """A time that passes by steps alone, in the place of workers.time."""

    def __init__(self):
        self.now = 0

    def monotonic(self):
        return self.now


class Stub:
    """A worker whose steps take the seconds given."""

    def __init__(self, clock, name, seconds):
        self.clock, self.seconds = clock, seconds
        self.side = {"name": name, "facts": {}, "failure": {}, "turns": {}, "peak_kb": {}}

    def alive(self):
        return True

    def turn(self, key, steps, limit, number):
        took = [self.seconds[key] * (1 + 0.1 * ((number * 3 + i) % 7)) for i in range(steps)]
        self.clock.now += sum(took)
        self.side["turns"].setdefault(key, []).append((number, took))


class Turns(unittest.TestCase):
    def setUp(self):
        self.kept, self.clock = workers.time, Clock()
        workers.time = self.clock

    def tearDown(self):
        workers.time = self.kept

    def take(self, soft, hard, *sides, keys=("train 32",)):
        all_of_them = [Stub(self.clock, name, seconds) for name, seconds in sides]
        workers.take_turns(all_of_them, list(keys), soft, hard, lambda text: None)
        return [w.side for w in all_of_them]

    def test_slow_peers_get_few_steps_and_others_enough(self):
        ours, near, far = self.take(20, 100, ("AudioMood", {"train 32": 1}), ("near", {"train 32": 1.5}), ("far", {"train 32": 8}))
        self.assertGreaterEqual(len(figures.seconds_of(ours, "train 32")), figures.LEAST)
        self.assertGreaterEqual(len(figures.seconds_of(near, "train 32")), figures.LEAST)
        self.assertEqual(len(figures.seconds_of(far, "train 32")), 1)

    def test_rows_without_enough_steps_go_on_until_the_hard_end(self):
        ours, peer = self.take(2, 1000, ("AudioMood", {"train 32": 3}), ("peer", {"train 32": 4}))
        self.assertIsNone(figures.refusal(ours, [peer], "train 32"))
        self.clock.now = 0
        ours, peer = self.take(2, 8, ("AudioMood", {"train 32": 3}), ("peer", {"train 32": 4}))
        self.assertIsNotNone(figures.refusal(ours, [peer], "train 32"))

    def test_time_goes_to_the_row_that_is_least_sure(self):
        def noisy(stub, key, steps, limit, number):
            Stub.turn(stub, key, steps, limit, number)
            if key == "forward 32":
                stub.side["turns"][key][-1] = (number, [0.5 * (1 + number * 5 % 7)])
        sides = [Stub(self.clock, name, {"train 32": 0.5, "forward 32": 0.5}) for name in ("AudioMood", "peer")]
        sides[1].turn = lambda *request: noisy(sides[1], *request)
        workers.take_turns(sides, ["train 32", "forward 32"], 60, 60, lambda text: None)
        given = {key: figures.rounds_of(sides[0].side, key) for key in ("train 32", "forward 32")}
        self.assertGreater(given["forward 32"], 2 * given["train 32"])


def result_of(sides, keys=("train 32",)):
    peak = {"sgemm_flops": 1e11, "copy_bytes": 1e10}
    return {"date": "2026-11-29", "commit": "0123456", "processor": "a processor", "system": "a system", "threads": 2, "command": "tools/bench",
            "load_before": 0.1, "minutes": 1, "audio": "none", "flac": False, "first": [],
            "models": [{"id": "cnn1", "model": "RAVDESS CNN 1", "targets": {"train 32": 3.5}, "peak": peak, "keys": list(keys), "sides": sides,
                        "layers": []}]}


OURS = {"parameters": 10, "forward_flops": 100, "backward_flops": 200}


class Page(unittest.TestCase):
    def test_reported_row_has_both_ratios_and_the_interval(self):
        text = page.rows_of(result_of([side("AudioMood", [[1]] * 6, **OURS), side("near", [[4]] * 6), side("slow", [[9]])]))
        self.assertIn("| near | 4 s | 4 s to 4 s | 6 | 4.00 | 4.00 | 4.00 to 4.00 |", text)
        self.assertIn("| slow | 9 s | 9 s to 9 s | 1 (far behind) | 9.0 |  |  |", text)
        self.assertIn("training step, batch 32: 4.00 times near by lower quartiles (4.00 to 4.00), 4.00 by medians, wanted 3.5", text)

    def test_refused_row_gives_no_figure(self):
        text = page.rows_of(result_of([side("AudioMood", [[1]] * 6, **OURS), side("near", [[4.321]] * 4)]))
        self.assertIn("Not reported: near had 4 steps, 5 are wanted.", text)
        self.assertNotIn("4.32", text)
        self.assertIn("Not known:", text)

    def test_ratios_for_the_history(self):
        ratios = sections.ratios(result_of([side("AudioMood", [[1]] * 6, **OURS), side("near", [[4]] * 6)], ["train 32", "forward 1"]))
        self.assertEqual(ratios, {"cnn1/train32": (4, (4, 4)), "cnn1/forward1": None})

    def test_rows_are_chosen_by_name_pattern_and_model(self):
        self.assertEqual(models.choose("cnn1/train32,features"), {"cnn1/train32", "features"})
        self.assertEqual(models.choose("*/forward1"), {m["id"] + "/forward1" for m in models.MODELS})
        self.assertIn("bilstm/first", models.choose("bilstm"))
        with self.assertRaises(ValueError):
            models.choose("cnn3")


class History(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.path = os.path.join(self.folder, "history.md")
        shutil.copy(history.STANDARD, self.path)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_of(self, factor, commit):
        pace = [1, 1.1, 1.2, 1, 1.1, 1.3]
        sides = [side("AudioMood", [[p] for p in pace], **OURS), side("near", [[factor * p] for p in pace])]
        return dict(result_of(sides), path="plain", commit=commit)

    def lines(self):
        with open(self.path) as file:
            return history.lines_of(file.read())

    def test_committed_lines_are_read(self):
        known = history.parse(self.lines()[1])
        self.assertEqual((known["date"], known["commit"]), ("2026-11-22", "340a3d7"))
        self.assertEqual(known["ratios"]["cnn2/train32"], 2.24)
        self.assertIsNone(known["ratios"]["cnn1/train32"], "a star: too few steps to compare with")
        self.assertEqual({row for cell in history.cells()[:4] for row in cell},
                         {row for row in models.all_rows() if "/" in row})

    def test_a_slower_commit_shows(self):
        before = len(self.lines())
        self.assertEqual(history.append(self.run_of(4, "aaaaaaa"), self.path), [])
        self.assertEqual(history.append(self.run_of(4, "bbbbbbb"), self.path), [])
        fell = history.append(self.run_of(3, "ccccccc"), self.path)
        self.assertEqual(len(fell), 1)
        self.assertIn("cnn1/train32: 3.00 (3.00 to 3.00), was 4 at bbbbbbb", fell[0])
        last = self.lines()
        self.assertEqual(len(last), before + 3)
        self.assertIn("| ccccccc | 2 cores, a processor, plain | **3.00** / - / - / - / - |", last[-1])
        self.assertEqual(history.parse(last[-1])["ratios"]["cnn1/train32"], 3)

    def test_another_machine_is_not_compared_with(self):
        history.append(self.run_of(4, "aaaaaaa"), self.path)
        self.assertEqual(history.append(dict(self.run_of(3, "bbbbbbb"), threads=8), self.path), [])


class Kernels(unittest.TestCase):
    def test_operations_are_those_of_the_definition(self):
        self.assertEqual(kernels.operations("forward conv/2/10/8/3/4/3"), 2 * 2 * 10 * 8 * 3 * 4 * 9)
        self.assertEqual(kernels.operations("backward conv/2/10/8/3/4/3"), 2 * kernels.operations("forward conv/2/10/8/3/4/3"))
        self.assertEqual(kernels.operations("forward dense/32/128/512"), 2 * 32 * 128 * 512)
        self.assertEqual(kernels.operations("forward lstm/3/5/7/11"), 2 * 3 * 5 * 2 * 4 * 11 * (7 + 11))

    def test_every_measure_can_be_told(self):
        measures = [key for _, key in kernels.keys()]
        self.assertEqual(len(measures), len(set(measures)))
        self.assertTrue(all(kernel_sections.shape_words(key) for key in measures))
        self.assertNotIn("backward conv/1/274/64/32/64/3", measures, "one clip is never trained on")

    def test_bars_are_to_scale_and_refused_rows_have_none(self):
        key = kernels.keys()[0][1]
        sides = [side("AudioMood", [[1]] * 5, key), side("oneDNN", [[2]] * 5, key), side("LIBXSMM", [[8]], key), side("BLIS", [], key)]
        lines = kernel_sections.bars(sides, key)
        self.assertEqual([line.count("#") for line in lines], [40, 20, 5])
        self.assertTrue(lines[1].endswith("2.00 (2.00 to 2.00)"))
        self.assertTrue(lines[2].endswith("8.00 (far behind, 1 passes)"))
        text = "\n".join(kernel_sections.kernels_section({"missing": ["BLIS (libblis-dev)"], "runs": [{"cores": 1, "sides": sides[:2]}]}))
        self.assertIn("Not installed: BLIS (libblis-dev).", text)
        self.assertIn("not reported: AudioMood had 0 steps", text)


class OverTime(unittest.TestCase):
    ROUND = {"sound": 60, "wall": 3, "processor": 2, "peak_kb": 2048, "delays": [0.01, 0.03, 0.02]}

    def test_stream(self):
        row = {"threads": 1, "speech": "model", "rounds": [dict(self.ROUND, wall=w) for w in (3, 3, 6, 30, 3)]}
        got = over_time_sections.stream_row(row)
        self.assertEqual((got["factor"], got["median"], got["hops"], got["peak"]), (0.05, 0.02, 15, 2))
        self.assertIn("| 1 | model | 0.0500 (0.0500 to 0.5000) | 2 s | 15 | 20 ms | 30 ms | 2 |", over_time_sections.stream_section([row]))
        row["rounds"] = row["rounds"][:4]
        self.assertIn("not reported: 4 rounds", "".join(over_time_sections.stream_section([row])))

    def test_words_of_the_history(self):
        row = {"threads": 1, "speech": "model", "rounds": [self.ROUND] * 5}
        self.assertEqual(over_time_sections.words({"stream": [row], "server": {"rates": [5, 20, 20, 20, 20]}}), ["20", "20 ms", "20"])
        self.assertEqual(over_time_sections.words({"stream": [row], "server": {"failure": "no"}}), ["20", "20 ms", "-"])


@unittest.skipUnless(sys.argv[1:], "no command was named")
class Settings(unittest.TestCase):
    def test_the_configs_can_be_trained_on_synthetic_speech(self):
        with tempfile.TemporaryDirectory() as folder:
            corpus = os.path.join(folder, "corpus")
            subprocess.run([sys.argv[1], "synth", corpus, "--actors", "1", "--repetitions", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
            for model in models.MODELS:
                run = subprocess.run([sys.argv[1], "train", os.path.join(ROOT, model["config"]), "--dry-run", "--quiet",
                                      *sounds.synthetic_settings(model, corpus, folder)], capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stderr)
            manifest = os.path.join(folder, "manifest.csv")
            sounds.write_manifest(sounds.sounds_in(corpus)[:2], manifest)
            for config in sounds.FEATURE_CONFIGS.values():
                self.assertGreaterEqual(sounds.our_features(sys.argv[1], config, manifest), 0)


def cases_of(suite):
    return [case for part in suite for case in (cases_of(part) if isinstance(part, unittest.TestSuite) else [part])]


def main():
    """In TAP, so that each case counts."""
    cases = cases_of(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        result = case.run()
        skipped = f" # SKIP {result.skipped[0][1]}" if result.skipped else ""
        for _, text in result.errors + result.failures:
            print("".join("# " + line + "\n" for line in text.splitlines()), end="")
        print(f"{'ok' if result.wasSuccessful() else 'not ok'} {number} - {case.id().removeprefix('__main__.')}{skipped}")
        failed += not result.wasSuccessful()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
