"""Runs the program as a user does and looks at what it leaves: files, keys, bits, pictures, exit codes."""
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py
import numpy as np

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
SOURCE = pathlib.Path(os.environ.get("YDOT_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
LEARN = SOURCE / "examples" / "learn_digits.toml"
TINY = ["--set", "populations.hidden.size=64", "--set", "schedule.epochs=1", "--set", "data.train=300", "--set", "data.validation=50", "--set", "data.test=50"]
NO_PLOTS = ["--set", "plots=false"]
FREE = """\
[run]
duration_ms = 200
warmup_ms = 50
[populations.played]
model = "spike_trains"
size = 5
file = "played.csv"
[populations.noise]
model = "poisson_source"
size = 40
rate_Hz = 60.0
[populations.hidden]
model = "poisson"
size = 10
[projections.up]
from = "noise"
to = "hidden"
weight = {distribution = "uniform", low = 0.0, high = 0.4}
[projections.up.plasticity]
rule = "stdp"
learning_rate = 0.1
[projections.side]
from = "played"
to = "hidden"
weight = 0.5
"""
PLAYED = [(0, 10), (4, 60), (2, 100), (3, 240)]  # unit, ms


def run(*arguments, code=0, folder=None):
    """stdout and stderr of a run that must end with `code`."""
    finished = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=folder)
    if finished.returncode != code:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit code {finished.returncode}\n{finished.stdout}{finished.stderr}")
    return finished.stdout, finished.stderr


def wait_for_content(path):
    limit = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size) and time.monotonic() < limit:
        time.sleep(0.02)


def read_spikes(directory):
    """Population -> (times in ms, ids)."""
    with h5py.File(directory / "spikes.h5", "r") as file:
        return {name: (group["timestamps"][()], group["node_ids"][()]) for name, group in file["spikes"].items()}


def read_weights(directory):
    """Projection -> column -> values."""
    with h5py.File(directory / "weights.h5", "r") as file:
        return {name: {key: data[()] for key, data in group.items()} for name, group in file["projections"].items()}


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bits(directory):
    """Everything that two runs of one description must share."""
    arrays = {f"{name}/{k}": column.tobytes() for name, columns in read_spikes(directory).items() for k, column in enumerate(columns)}
    arrays |= {f"{name}/{key}": column.tobytes() for name, columns in read_weights(directory).items() for key, column in columns.items()}
    if (directory / "learning.csv").exists():
        arrays["learning"] = [{k: v for k, v in row.items() if k != "seconds"} for row in read_rows(directory / "learning.csv")]
    summary = json.loads((directory / "summary.json").read_text())
    arrays["rates"] = summary["rates_Hz"]
    arrays["activity"] = summary.get("activity")
    arrays["metrics"] = {k: v for k, v in summary["metrics"].items() if k not in ("images_per_s", "training_s", "test_images_per_s", "untrained_test_images_per_s")}
    return arrays


class Workplace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)

    def assert_same_bits(self, a, b):
        a, b = bits(a), bits(b)
        self.assertEqual([k for k in a.keys() | b.keys() if a.get(k) != b.get(k)], [])

    def assert_picture(self, path):
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertGreater(path.stat().st_size, 5000)

    def assert_summary(self, directory):
        """The keys of a summary, and numbers that make sense."""
        summary = json.loads((directory / "summary.json").read_text())
        self.assertEqual(set(summary), {"version", "command", "seed", "threads", "network", "timing", "memory", "rates_Hz", "metrics"} | ({"activity"} if (directory / "activity.h5").exists() else set()))
        self.assertEqual(set(summary["network"]), {"neurons", "synapses"})
        self.assertEqual(set(summary["timing"]), {"build_s", "run_s", "cpu_s", "biological_s", "synaptic_events", "real_time_factor", "cpu_s_per_biological_s"})
        self.assertEqual(set(summary["memory"]), {"peak_bytes", "bytes_per_synapse"})
        timing = summary["timing"]
        self.assertAlmostEqual(timing["real_time_factor"], timing["run_s"] / timing["biological_s"] if timing["biological_s"] > 0 else 0)  # rate mode: no time
        self.assertGreater(summary["memory"]["peak_bytes"], 1e6)
        return summary


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class RateMode(Workplace):
    SYSTEMS = SOURCE / "examples" / "systems"
    FEW = ["--set", "data.train=2000", "--set", "data.validation=200", "--set", "data.test=200", *NO_PLOTS]

    def learn(self, name, file, *settings):
        out = self.folder / name
        said = run("run", self.SYSTEMS / file, *self.FEW, *(word for s in settings for word in ("--set", s)), "--out", out)
        return out, self.assert_summary(out), said[0]

    def test_one_file_two_readings(self):
        out, summary, said = self.learn("rate", "two_pass.toml", "run.mode=rate", "schedule.epochs=3", "populations.hidden.size=100")
        self.assertEqual({p.name for p in out.iterdir()}, {"summary.json", "config.toml", "weights.h5", "learning.csv"})  # no spikes
        self.assertLess(summary["metrics"]["test_error_percent"], 30)  # of ten classes
        self.assertNotIn("of activity", said)
        config = (out / "config.toml").read_text()
        self.assertIn('mode = "rate"', config)
        self.assertNotIn("[when", config)
        self.assertIn("[populations.bias]", config)
        again = self.folder / "again"
        run("run", out / "config.toml", "--out", again, "--threads", 1)
        for name, weights in read_weights(out).items():
            np.testing.assert_array_equal(weights["weight"], read_weights(again)[name]["weight"])

    def test_symmetric_feedback_follows_the_gradient_while_it_learns(self):
        out = self.learn("angle", "two_pass.toml", "run.mode=rate", "projections.feedback.connector=transpose", "projections.feedback.of=hidden_to_top",
                         "schedule.epochs=1", "schedule.evaluations=2", "populations.hidden.size=100", "metrics.gradient_angle=true")[0]
        for row in read_rows(out / "learning.csv"):
            for projection in ("input_to_hidden", "hidden_to_top"):
                self.assertLess(float(row["angle_degrees." + projection]), 0.01)  # single precision

    def test_angles_of_the_stage_that_reads_out(self):
        halves = self.learn("stages", "functional_symmetry.toml", "schedule.stages.machine 1.epochs=1", "schedule.stages.machine 2.epochs=1",
                            "schedule.stages.two passes.epochs=2", "schedule.evaluations=1", "metrics.gradient_angle=true")[0]
        *machines, before, after = read_rows(halves / "learning.csv")
        for row in machines:
            self.assertEqual(row["angle_degrees.up_3"], "nan")
        for row in (before, after):
            self.assertLess(float(row["angle_degrees.up_3"]), 0.01)
            self.assertLess(float(row["angle_degrees.bias_to_top"]), 0.01)
            self.assertGreater(float(row["angle_degrees.up_1"]), 20)
        self.assertFalse(any(key.startswith(("angle_degrees.down", "angle_degrees.bias_to_visible", "angle_degrees.bias_down")) for key in before))

    def test_what_is_learned_without_labels(self):
        out, summary, said = self.learn("machine", "rbm.toml", "schedule.epochs=3", "populations.hidden.size=50", "metrics.likelihood=false")
        metrics = summary["metrics"]
        self.assertNotIn("test_error_percent", metrics)
        self.assertLess(metrics["test_reconstruction_error"], 0.7 * metrics["untrained_test_reconstruction_error"])
        self.assertIn("error of reconstruction", said)
        self.assertNotIn("nan", said)
        self.assertEqual(list(read_rows(out / "learning.csv")[0])[-1], "reconstruction_error")

    def test_likelihood_of_a_machine(self):
        """Against the sum over all states of ten hidden units, learned with rates and with spikes."""
        digits = self.folder / "digits"
        run("data", "digits", digits, "--train", 350, "--test", 400)
        with open(digits / "t10k-images-idx3-ubyte", "rb") as file:
            grey = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 784) / 255
        binary = (np.random.default_rng(1).random((50, *grey.shape)) < grey).astype(np.float32)  # pixels are drawn: the program draws them once
        for description, epochs in (("rbm.toml", 10), ("spiking_rbm.toml", 1)):
            with self.subTest(description):
                out, summary, said = self.learn("likelihood of " + description, description, f"schedule.epochs={epochs}", "populations.hidden.size=10",
                                                "metrics.likelihood_temperatures=1000", "data.train=300", "data.validation=50", "data.test=400",
                                                f"data.directory={digits}")
                self.assertIn("log probability of a test image", said)
                weights = read_weights(out)
                W = np.zeros((10, 784))
                W[weights["up"]["target"], weights["up"]["source"]] = weights["up"]["weight"]
                bias = {"visible": np.full(784, -2.0), "hidden": np.zeros(10)}
                if description == "rbm.toml":
                    bias = {name: weights["bias_to_" + name]["weight"][np.argsort(weights["bias_to_" + name]["target"])].astype(float) for name in bias}
                states = (np.arange(1024)[:, None] >> np.arange(10)) & 1
                log_Z = np.logaddexp.reduce(states @ bias["hidden"] + np.logaddexp(0, bias["visible"] + states @ W).sum(1))
                metrics = summary["metrics"]
                self.assertLess(metrics["log_partition_error"], 0.1)
                self.assertLess(abs(metrics["log_partition"] - log_Z), 5 * metrics["log_partition_error"])
                values = binary @ bias["visible"] + np.logaddexp(0, bias["hidden"] + binary @ W.T).sum(2)
                noise = np.sqrt((values.var(0) / len(grey)).mean())
                self.assertLess(abs(metrics["test_log_likelihood_nats"] + metrics["log_partition"] - values.mean()), 5 * noise)

    def test_layers_that_judge_themselves(self):
        sizes = [f"populations.h{k}.size=100" for k in range(1, 5)]
        summary = self.learn("forward", "forward_forward.toml", "schedule.epochs=3", "schedule.evaluations=1", *sizes)[1]
        self.assertLess(summary["metrics"]["test_error_percent"], 60)

    def test_an_encoder_learns_a_code(self):
        settings = ["data.generator=one_hot", "populations.visible.size=4", "populations.hidden.size=2", "schedule.readout=visible",
                    "schedule.phases.reconstruction.readout=true", "schedule.minibatch=4", "schedule.epochs=2000", "schedule.annealing=none"]
        settings += [f"projections.{p}.plasticity.learning_rate=5" for p in ("up", "down", "bias_to_hidden", "bias_to_visible")]
        self.assertEqual(self.learn("encoder", "recirculation.toml", *settings)[1]["metrics"]["test_error_percent"], 0)


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class Training(Workplace):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.out = cls.folder / "first run"
        cls.said = run("run", LEARN, *TINY, "--out", cls.out, "--threads", 2, "--set", "plots=true")

    def test_files(self):
        self.assertEqual({p.name for p in self.out.iterdir()}, {"summary.json", "config.toml", "spikes.h5", "weights.h5", "learning.csv", "intervals.csv",
                                                                "raster.png", "learning.png", "fields.png"})
        for name in ("raster", "learning", "fields"):
            self.assert_picture(self.out / f"{name}.png")

    def test_what_it_says(self):
        out, err = self.said
        self.assertEqual(err, "")  # no terminal, no progress
        for part in ("neurons", "seed 1, 2 threads", "test error", f"results in {self.out}", "raster.png"):
            self.assertIn(part, out)
        self.assertNotIn("\r", out)
        self.assertNotIn("nan", out)

    def test_summary(self):
        summary = self.assert_summary(self.out)
        self.assertEqual((summary["seed"], summary["threads"]), (1, 2))
        self.assertEqual(summary["network"]["neurons"], 784 + 64 + 10)
        self.assertEqual(summary["network"]["synapses"], sum(len(p["weight"]) for p in read_weights(self.out).values()))
        self.assertTrue(summary["command"].startswith("ydot run ") and summary["command"].count("--set") == 6, summary["command"])
        self.assertIn(f"'{self.out}'", summary["command"])  # with a blank, so quoted
        self.assertEqual(set(summary["rates_Hz"]), {"input", "hidden", "top"})
        metrics = summary["metrics"]
        self.assertLessEqual({"test_error_percent", "validation_error_percent", "epochs", "images_per_s"}, set(metrics))
        self.assertEqual((metrics["epochs"], metrics["test_images"]), (1, 50))
        self.assertTrue(all(0 <= metrics[k] <= 100 for k in metrics if k.endswith("percent")), metrics)

    def test_learning_curve(self):
        rows = read_rows(self.out / "learning.csv")
        self.assertEqual(list(rows[0]), ["images", "epoch", "seconds", "train_error_percent", "validation_error_percent", "learning_fraction", "reconstruction_error"])
        images = [int(r["images"]) for r in rows]
        self.assertEqual((images[0], images[-1], images), (0, 300, sorted(set(images))))
        self.assertEqual(len(rows), 11)  # untrained, and schedule.evaluations = 10
        self.assertEqual(rows[0]["train_error_percent"], "nan")
        self.assertTrue(all(0 <= float(r["learning_fraction"]) <= 1 and 0 <= float(r["validation_error_percent"]) <= 100 for r in rows))

    def test_gradient_angle(self):
        out = self.folder / "angle"
        settings = ["metrics.gradient_angle=true", "metrics.gradient_images=4", "metrics.gradient_trials=3"]
        run("run", LEARN, *TINY, *(word for s in settings for word in ("--set", s)), "--out", out, *NO_PLOTS)
        rows = read_rows(out / "learning.csv")
        columns = ["angle_degrees", "angle_error_degrees", "norm_ratio", "sign_agreement", "mean_field_angle_degrees"]
        self.assertEqual(list(rows[0])[7:], [f"{c}.{p}" for p in ("input_to_hidden", "hidden_to_top") for c in columns])
        # before learning: the top descends, in the mean field as well; fixed random feedback tells the hidden units nothing yet
        self.assertLess(float(rows[0]["mean_field_angle_degrees.hidden_to_top"]), 60)
        self.assertLess(float(rows[0]["angle_degrees.hidden_to_top"]), 60)
        self.assertGreater(float(rows[0]["sign_agreement.hidden_to_top"]), 0.6)
        self.assertLess(abs(float(rows[0]["mean_field_angle_degrees.input_to_hidden"]) - 90), 10)
        # looking on changes nothing
        self.assertEqual({n: w["weight"].tolist() for n, w in read_weights(out).items()}, {n: w["weight"].tolist() for n, w in read_weights(self.out).items()})

    def test_a_loop_that_does_not_settle_has_no_gradient(self):
        out = self.folder / "unsettled"
        settings = ["metrics.gradient_angle=true", "metrics.gradient_images=4", "metrics.gradient_trials=3", "projections.hidden_to_top.weight.std=10",
                    "projections.feedback.weight.low=-3", "projections.feedback.weight.high=3", "data.train=50", "schedule.evaluations=1"]
        run("run", LEARN, *TINY, *(word for s in settings for word in ("--set", s)), "--out", out, *NO_PLOTS)
        rows = read_rows(out / "learning.csv")
        self.assertEqual([r["images"] for r in rows], ["0", "50"])  # it learned on
        for row in rows:
            self.assertEqual({row[k] for k in row if "degrees" in k}, {"nan"})

    def test_intervals(self):
        rows = read_rows(self.out / "intervals.csv")
        self.assertEqual(set(rows[0]), {"start_ms", "stop_ms", "level", "name"})
        phases = [r["name"] for r in rows if r["level"] == "phase"]
        self.assertEqual(phases[:6], ["settle", "predict", "pass 1", "pass 1, learning", "pass 2, learning", "pass 2"])
        presentations = [r for r in rows if r["level"] == "presentation"]
        self.assertEqual([r["name"].split(", ")[1] for r in presentations], ["before learning"] * 3 + ["after learning"] * 3)
        last = max(times.max() for times, _ in read_spikes(self.out).values())
        self.assertLessEqual(last, float(presentations[-1]["stop_ms"]))

    def test_config_runs_again_with_the_same_bits(self):
        run("run", self.out / "config.toml", "--out", self.folder / "again", *NO_PLOTS)
        self.assert_same_bits(self.out, self.folder / "again")
        first, again = ((d / "config.toml").read_text() for d in (self.out, self.folder / "again"))
        self.assertEqual(first.replace("plots = true", "plots = false"), again)

    def test_one_thread_gives_the_same_bits(self):
        run("run", LEARN, *TINY, "--out", self.folder / "single", "--threads", 1, *NO_PLOTS)
        self.assert_same_bits(self.out, self.folder / "single")

    def test_another_seed_gives_other_bits(self):
        run("run", LEARN, *TINY, "--out", self.folder / "seed", "--seed", 2, *NO_PLOTS)
        self.assertNotEqual(bits(self.out)["input_to_hidden/weight"], bits(self.folder / "seed")["input_to_hidden/weight"])

    def test_without_validation_images_the_last_weights_count(self):
        out, _ = run("run", LEARN, *TINY, "--set", "data.validation=0", "--out", self.folder / "blind", *NO_PLOTS)
        self.assertNotIn("nan", out)
        metrics = json.loads((self.folder / "blind" / "summary.json").read_text())["metrics"]
        self.assertEqual((metrics["chosen_epoch"], metrics["validation_error_percent"]), (1, None))

    def test_progress_as_json(self):
        _, err = run("run", LEARN, *TINY, "--out", self.folder / "json", "--progress", "json", *NO_PLOTS)
        lines = [json.loads(line) for line in err.splitlines()]
        self.assertTrue(all({"stage", "fraction", "rate", "rate_unit", "seconds_left"} <= set(line) for line in lines))
        self.assertEqual([line["images"] for line in lines if "images" in line], [int(r["images"]) for r in read_rows(self.folder / "json" / "learning.csv")])
        self.assertIn(("training", 1), [(line["stage"], line["fraction"]) for line in lines])

    def test_progress_as_lines(self):
        _, err = run("run", LEARN, *TINY, "--out", self.folder / "plain", "--progress", "plain", *NO_PLOTS)
        self.assertNotIn("\r", err)
        self.assertEqual((err.count("validation error"), err.count("training 100 %")), (11, 1))
        self.assertEqual(len(err.splitlines()), 11 + 10)

    def test_dry_run_writes_nothing(self):
        out, err = run("run", LEARN, *TINY, "--dry-run", folder=self.folder)
        self.assertIn("858 neurons", out)
        self.assertEqual(err, "")
        self.assertFalse((self.folder / "results").exists())

    def test_results_get_a_directory_that_is_new(self):
        folder = self.folder / "elsewhere"
        folder.mkdir()
        shutil.copy(self.out / "config.toml", folder)
        for expected in ("elsewhere", "elsewhere-2"):
            out, _ = run("run", "config.toml", "--set", "data.train=16", "--set", "record.presentations=0", *NO_PLOTS, folder=folder)
            self.assertIn(f"results in results/{expected}\n", out)
            self.assertTrue((folder / "results" / expected / "summary.json").is_file())

    def test_an_interrupted_run_leaves_its_results(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                out = self.folder / number.name
                process = subprocess.Popen([PROGRAM, "run", LEARN, *TINY, "--set", "schedule.epochs=100000", "--set", "schedule.evaluations=1000000",
                                            "--out", out, *NO_PLOTS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                wait_for_content(out / "learning.csv")
                time.sleep(0.1)
                process.send_signal(number)
                _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130)
                self.assertEqual((err.count("\n"), "interrupted" in err, str(out) in err), (1, True, True), err)
                self.assertEqual({p.name for p in out.iterdir()}, {"summary.json", "config.toml", "spikes.h5", "weights.h5", "learning.csv", "intervals.csv"})
                summary = self.assert_summary(out)
                self.assertLess(summary["metrics"]["epochs"], 100000)
                self.assertEqual(len(read_spikes(out)), 3)
                self.assertEqual(len(read_weights(out)), 3)
                self.assertGreater(len(read_rows(out / "learning.csv")), 0)

    def test_an_interrupt_ends_a_long_test(self):
        """Every label of 20,000 test images is tried for a second: hours."""
        out = self.folder / "long"
        process = subprocess.Popen([PROGRAM, "run", SOURCE / "examples" / "systems" / "spiking_forward_forward.toml", "--out", out, *NO_PLOTS,
                                    *(w for s in ("data.train=16", "data.validation=16", "data.test=20000", "schedule.test_readout_ms=1000", "populations.hidden.size=20") for w in ("--set", s)),
                                    "--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "testing untrained" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        metrics = self.assert_summary(out)["metrics"]
        self.assertEqual((metrics["epochs"], metrics["validation_error_percent"]), (0, None))
        self.assertFalse([m for m in metrics if "test_error" in m], metrics)
        self.assertEqual(len(read_weights(out)), 2)

    def test_a_killed_run_leaves_what_it_recorded(self):
        out = self.folder / "killed"
        process = subprocess.Popen([PROGRAM, "run", LEARN, *TINY, "--set", "schedule.epochs=100000", "--out", out, *NO_PLOTS])
        wait_for_content(out / "learning.csv")
        process.kill()
        process.wait()
        self.assertTrue(all(len(times) for times, _ in read_spikes(out).values()))
        self.assertEqual(len([r for r in read_rows(out / "intervals.csv") if r["level"] == "presentation"]), 3)
        self.assertEqual(len(read_rows(out / "learning.csv")), 1)
        run("run", out / "config.toml", "--dry-run", "--out", self.folder / "new")

    def test_plots_of_every_kind(self):
        for what in ("raster", "learning", "fields", "weights", "rates", "isi"):
            with self.subTest(what):
                out, err = run("plot", self.out, "--what", what, "-o", self.folder / f"{what}.png")
                self.assertEqual((out, err), (f"{self.folder / what}.png\n", ""))
                self.assert_picture(self.folder / f"{what}.png")

    def test_several_plots_and_other_formats(self):
        out, _ = run("plot", self.out, "--what", "raster,isi", "-o", self.folder / "two.svg")
        self.assertEqual([pathlib.Path(p).name for p in out.splitlines()], ["two-raster.svg", "two-isi.svg"])
        self.assertIn("<svg", (self.folder / "two-isi.svg").read_text()[:1000])


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class FreeRun(Workplace):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (self.here / "free.toml").write_text(FREE)
        (self.here / "played.csv").write_text("population,id,time_ms\n" + "".join(f"played,{u},{t}\n" for u, t in PLAYED))
        (self.here / "played.gdf").write_text("".join(f"{u}\t{t}\n" for u, t in PLAYED))

    def run_free(self, name, *settings, **options):
        run("run", "free.toml", "--out", name, *NO_PLOTS, *(word for s in settings for word in ("--set", s)), folder=self.here, **options)
        return self.here / name

    def test_online_learning(self):
        learned, still = self.run_free("learned"), self.run_free("still", "projections.up.plasticity.learning_rate=0")
        before, after = (read_weights(d)["up"]["weight"] for d in (still, learned))
        self.assertTrue(np.all(before >= 0) and np.all(before <= 0.4))
        self.assertGreater(np.mean(before != after), 0.9)
        np.testing.assert_array_equal(read_weights(learned)["side"]["weight"], np.float32(0.5))
        self.assert_summary(learned)
        self.assertEqual({p.name for p in learned.iterdir()}, {"summary.json", "config.toml", "spikes.h5", "weights.h5", "activity.h5"})

    def test_threads_and_config_give_the_same_bits(self):
        first = self.run_free("one", "run.threads=1")
        self.assert_same_bits(first, self.run_free("two", "run.threads=2"))
        run("run", "one/config.toml", "--out", "again", folder=self.here)
        self.assert_same_bits(first, self.here / "again")

    def test_nothing_is_recorded_in_the_warm_up(self):
        out = self.run_free("out")
        spikes = read_spikes(out)
        for times_ms, _ in spikes.values():
            self.assertTrue(np.all((times_ms > 50) & (times_ms <= 250)))
        summary = self.assert_summary(out)
        self.assertAlmostEqual(summary["timing"]["biological_s"], 0.2)
        for name, size in (("noise", 40), ("hidden", 10), ("played", 5)):
            self.assertAlmostEqual(summary["rates_Hz"][name], len(spikes[name][0]) / size / 0.2)

    def test_replay(self):
        for file in ("played.csv", "played.gdf"):
            with self.subTest(file):
                out = self.run_free(file + " out", f"populations.played.file={file}", "run.warmup_ms=0", "run.duration_ms=250")
                times_ms, ids = read_spikes(out)["played"]
                self.assertEqual(list(zip(ids.tolist(), times_ms.tolist())), PLAYED)

    def test_a_replayed_file_that_is_not_there(self):
        run("run", "free.toml", "--out", "none", "--set", "populations.played.file=none.csv", folder=self.here, code=2)
        self.assertFalse((self.here / "none").exists())

    def test_recorded_populations(self):
        self.assertEqual(set(read_spikes(self.run_free("all"))), {"played", "noise", "hidden"})
        self.assertEqual(set(read_spikes(self.run_free("one", 'record.populations=["hidden"]'))), {"hidden"})
        self.assertFalse((self.run_free("none", "record.spikes=false") / "spikes.h5").exists())

    def test_nothing_to_draw_is_no_failure(self):
        (self.here / "silent.toml").write_text('[run]\nduration_ms = 10\n[populations.silent]\nmodel = "poisson_source"\nsize = 3\nrate_Hz = 0\n')
        out, err = run("run", "silent.toml", "--out", "blank", folder=self.here)
        self.assertIn("no pictures: ", out)
        self.assertEqual(err, "")
        activity = self.assert_summary(self.here / "blank")["activity"]["silent"]
        self.assertEqual([activity[key] for key in ("rate_Hz", "cv", "fano", "correlation", "synchrony", "sample_synchrony")], [0] + 5 * [None])

    def test_activity(self):
        out = self.run_free("out", "run.duration_ms=2000")
        summary = self.assert_summary(out)
        self.assertEqual(set(summary["activity"]), {"played", "noise", "hidden"})
        with h5py.File(out / "activity.h5") as file:
            self.assertEqual((file.attrs["start_ms"], file.attrs["stop_ms"]), (50, 2050))
            for name, (times_ms, ids) in read_spikes(out).items():
                activity, group = summary["activity"][name], file["activity"][name]
                self.assertAlmostEqual(activity["rate_Hz"], summary["rates_Hz"][name])
                np.testing.assert_allclose(group["rate_Hz"][()], np.bincount(ids.astype(int), minlength=activity["units"]) / 2)
                whole = times_ms <= 50 + 3 * (2000 // 3)
                counts = np.bincount(np.ceil((times_ms[whole] - 50) / 3).astype(int) - 1, minlength=2000 // 3)
                np.testing.assert_array_equal(group["bins_with"][()], np.bincount(counts))
                self.assertAlmostEqual(activity["synchrony"], counts.var() / counts.mean())
                self.assertEqual(activity["sample_synchrony"], activity["synchrony"])  # fewer than 1000 units
                for unit, cv in enumerate(group["cv"][()]):
                    intervals = np.diff(times_ms[ids == unit])
                    self.assertEqual(np.isfinite(cv), len(intervals) >= 10)
                    if np.isfinite(cv):
                        self.assertAlmostEqual(cv, intervals.std() / intervals.mean())
                windows = [np.bincount(np.ceil((times_ms[ids == unit] - 50) / 100).astype(int) - 1, minlength=20) for unit in range(activity["units"])]
                for counts, fano in zip(windows, group["fano"][()]):
                    if counts.any():
                        self.assertAlmostEqual(fano, counts.var(ddof=1) / counts.mean())

    def test_activity_does_not_need_recorded_spikes(self):
        out, _ = run("run", "free.toml", "--set", "record.spikes=false", "--out", "unrecorded", folder=self.here)
        self.assertIn("synchrony", out)
        self.assertIn("rates.png", out)
        self.assert_picture(self.here / "unrecorded" / "rates.png")
        self.assertEqual(json.loads((self.here / "unrecorded" / "summary.json").read_text())["activity"],
                         json.loads((self.run_free("recorded") / "summary.json").read_text())["activity"])

    def test_continuous_time(self):
        out = self.run_free("continuous", "run.propagator=continuous")
        times_ms = read_spikes(out)["noise"][0]
        self.assertGreater(np.mean(times_ms != np.round(times_ms)), 0.99)
        self.assertTrue(np.all(np.diff(times_ms) >= 0))

    def test_convert(self):
        out = self.run_free("out")
        for suffix in ("gdf", "csv", "npz"):
            run("convert", out / "spikes.h5", self.here / f"s.{suffix}")
            run("convert", self.here / f"s.{suffix}", self.here / f"from_{suffix}.h5")
            self.assertGreater((self.here / f"from_{suffix}.h5").stat().st_size, 1000)

    def test_an_interrupted_run_leaves_its_spikes(self):
        out = self.here / "cut"
        process = subprocess.Popen([PROGRAM, "run", "free.toml", "--set", "run.duration_ms=1e9", "--set", "projections.up.plasticity.learning_rate=0",
                                    "--out", out, *NO_PLOTS], cwd=self.here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_content(out / "spikes.h5")
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertGreater(len(read_spikes(out)["noise"][0]), 0)
        self.assertLess(self.assert_summary(out)["timing"]["biological_s"], 1e6)


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class Compare(Workplace):
    """Two populations of Poisson sources."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "two.toml").write_text('[run]\nduration_ms = 3000\nwarmup_ms = 100\n'
                                             '[populations.slow]\nmodel = "poisson_source"\nsize = 200\nrate_Hz = 10\n'
                                             '[populations.fast]\nmodel = "poisson_source"\nsize = 100\nrate_Hz = 40\n')
        for name, *settings in (("a",), ("b", "run.seed=2"), ("faster", "populations.fast.rate_Hz=60"), ("coarse", "run.dt_ms=0.7", "run.duration_ms=3500", "run.warmup_ms=0")):
            run("run", "two.toml", "--out", name, *NO_PLOTS, *(word for s in settings for word in ("--set", s)), folder=cls.folder)

    def compare(self, *arguments, code=0):
        out, _ = run("compare", *arguments, "--json", folder=self.folder, code=code)
        return json.loads(out)

    def assert_refused(self, expected, *arguments):
        out, err = run("compare", *arguments, folder=self.folder, code=2)
        self.assertEqual((out, err.count("\n")), ("", 1))
        self.assertIn(expected, err)

    def test_a_result_is_like_itself(self):
        found = self.compare("a", "a", "--max-ks", 0)
        self.assertEqual((found["largest_ks"], found["exceeded"]), (0, False))
        self.assertEqual(list(found["populations"]), ["slow", "fast"])
        self.assertEqual(set(found["populations"]["slow"]), {"rate_Hz", "cv", "correlation"})
        self.assertEqual(found["populations"]["fast"]["correlation"]["a"]["count"], 100 * 99 / 2)

    def test_another_seed_is_within_the_limit_and_another_rate_is_not(self):
        for population in self.compare("a", "b", "--alpha", 1e-6)["populations"].values():
            for quantity in population.values():
                self.assertLess(quantity["ks"], quantity["limit"])
                self.assertGreater(quantity["ks"], 0)
        found = self.compare("a", "faster", "--alpha", 1e-6)["populations"]
        self.assertEqual(found["slow"]["rate_Hz"]["ks"], 0)  # one population more or less changes no number of another
        self.assertGreater(found["fast"]["rate_Hz"]["ks"], found["fast"]["rate_Hz"]["limit"])
        self.assertEqual(found["fast"]["rate_Hz"]["limit"], np.sqrt(-0.5 * np.log(5e-7)) * np.sqrt(2 / 100))

    def test_more_than_two_are_compared_in_pairs(self):
        pairs = [self.compare(*pair)["populations"]["fast"]["rate_Hz"] for pair in (("a", "b"), ("a", "faster"), ("b", "faster"))]
        found = self.compare("a", "b", "faster")["populations"]["fast"]["rate_Hz"]
        distances = [pair["ks"] for pair in pairs]
        self.assertEqual((found["pairs"], found["above_limit"]), (3, 2))
        self.assertEqual((found["median_ks"], found["largest_ks"]), (np.median(distances), max(distances)))
        means = [pairs[0]["a"]["mean"], pairs[0]["b"]["mean"], pairs[1]["b"]["mean"]]
        self.assertEqual((found["lowest_mean"], found["highest_mean"]), (min(means), max(means)))
        self.assertAlmostEqual(found["mean"], np.mean(means))
        self.assertTrue(self.compare("a", "b", "faster", "--max-ks", 0.5, code=1)["exceeded"])
        out, _ = run("compare", "a", "b", "faster", folder=self.folder)
        self.assertTrue(out.startswith("3 results, 3 pairs\n"))

    def test_exit_codes(self):
        self.assertTrue(self.compare("a", "faster", "--max-ks", 0.5, code=1)["exceeded"])
        out, err = run("compare", "a", "faster", "--max-ks", 0.5, folder=self.folder, code=1)
        self.assertIn("above --max-ks 0.5", err)
        self.assertIn("  *\n", out)
        run("compare", "a", "faster", "--max-ks", 1, folder=self.folder)
        run("compare", "a", "faster", folder=self.folder)

    def test_spike_files_are_taken_as_the_directory_was(self):
        for suffix in ("h5", "gdf", "csv", "npz"):
            with self.subTest(suffix):
                run("convert", "a/spikes.h5", f"copy.{suffix}", folder=self.folder)
                self.assertEqual(self.compare("a", f"copy.{suffix}", "--max-ks", 0)["largest_ks"], 0)
        both = self.compare("a/spikes.h5", "b/spikes.h5", "--start", 100, "--stop", 3100)["populations"]
        self.assertEqual(both, self.compare("a", "b")["populations"])

    def test_a_spike_file_alone_ends_with_its_last_spike(self):
        (self.folder / "x.csv").write_text("population,id,time_ms\n" + "".join(f"p,{k % 2},{10 * k}\n" for k in range(1, 101)))
        found = self.compare("x.csv", "x.csv")
        self.assertEqual((found["a"]["start_ms"], found["a"]["stop_ms"]), (0, 1000))
        rate = found["populations"]["p"]["rate_Hz"]
        self.assertEqual((rate["a"]["mean"], rate["a"]["count"]), (50, 2))
        self.assertAlmostEqual(found["populations"]["p"]["cv"]["a"]["mean"], 0)
        self.assertAlmostEqual(self.compare("x.csv", "x.csv", "--stop", 500)["populations"]["p"]["rate_Hz"]["a"]["mean"], 50)

    def test_a_population_that_is_missing_fails_a_check(self):
        (self.folder / "less.csv").write_text("population,id,time_ms\nslow,1,150\n")
        self.assertEqual(self.compare("a", "less.csv")["a"]["only_here"], ["fast"])
        self.assertTrue(self.compare("a", "less.csv", "--max-ks", 1, code=1)["exceeded"])

    def test_bad_input_is_one_line(self):
        (self.folder / "other.csv").write_text("population,id,time_ms\nother,1,150\n")
        (self.folder / "far.csv").write_text("population,id,time_ms\nslow,99999999999,150\n")
        (self.folder / "broken").mkdir(exist_ok=True)
        (self.folder / "broken" / "activity.h5").write_text("text")
        (self.folder / "empty").mkdir(exist_ok=True)
        self.assert_refused("there is no such file", "a", "none")
        self.assert_refused("holds no activity.h5", "empty", "a")
        self.assert_refused("activity.h5: cannot open it as an HDF5 file", "a", "broken")
        self.assert_refused("no population in common", "a", "other.csv")
        self.assert_refused("ids must be below", "a", "far.csv")
        self.assert_refused("must end in .h5", "a", "two.toml")
        self.assert_refused("are of bins of 2.1 ms", "a", "coarse")
        self.assert_refused("start and stop are for spike files", "a", "b", "--start", 5)
        self.assert_refused("must end after its start", "a/spikes.h5", "b/spikes.h5", "--start", 9000)
        self.assert_refused("--max-ks", "a", "b", "--max-ks", 3)


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class OtherCommands(Workplace):
    def test_models(self):
        out, _ = run("models")
        names = [line.split()[1] for line in out.split("\n\n")[0].splitlines()]
        self.assertLessEqual({"poisson", "lif", "poisson_source", "image_source", "stdp", "derivative", "all_to_all", "disjoint", "run", "phase"}, set(names))
        for name in names:
            self.assertTrue(run("models", name)[0].startswith(f"{name} ("))
        self.assertEqual([m["name"] for m in json.loads(run("models", "--json")[0])], names)

    def test_one_model(self):
        out, _ = run("models", "poisson")
        self.assertIn("lambda_max_Hz", out)
        model, = json.loads(run("models", "poisson", "--json")[0])
        self.assertEqual(set(model), {"kind", "name", "summary", "reference", "parameters"})
        rate = next(p for p in model["parameters"] if p["key"] == "lambda_max_Hz")
        self.assertEqual(set(rate), {"key", "unit", "default", "allowed", "doc"})
        self.assertEqual((rate["unit"], rate["allowed"]), ("Hz", "a number > 0"))

    def test_digits_and_a_run_on_them(self):
        digits = self.folder / "digits"
        out, _ = run("data", "digits", digits, "--train", 120, "--test", 30, "--seed", 3)
        self.assertIn("120 training and 30 test digits", out)
        self.assertEqual({p.name for p in digits.iterdir()}, {f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")})
        self.assertEqual((digits / "train-images-idx3-ubyte").stat().st_size, 16 + 120 * 784)
        run("run", LEARN, *TINY, "--set", "data.train=100", "--set", "data.validation=20", "--set", "data.test=30", "--data", digits, "--out", self.folder / "out", *NO_PLOTS)
        self.assertIn(f'directory = "{digits}"', (self.folder / "out" / "config.toml").read_text())
        run("run", self.folder / "out" / "config.toml", "--out", self.folder / "again")
        self.assertEqual(bits(self.folder / "out"), bits(self.folder / "again"))
        run("plot", digits, "--what", "digits", "-o", self.folder / "digits.png")
        self.assert_picture(self.folder / "digits.png")

    def test_help_shows_an_example(self):
        for command in ((), ("run",), ("models",), ("plot",), ("compare",), ("convert",), ("data",), ("data", "digits")):
            out, err = run(*command, "--help")
            self.assertIn(" ".join(("Example: ydot", *command)), out)
            self.assertEqual(err, "")
            self.assertLess(max(map(len, out.splitlines())), 160)

    def test_version(self):
        self.assertRegex(run("--version")[0], r"^ydot \d+\.\d+\.\d+\n$")

    def test_a_wrong_command(self):
        for arguments in (("rnu",), (), ("data", "digts", "x")):
            out, err = run(*arguments, code=2)
            self.assertEqual((out, err.count("\n")), ("", 1))
        self.assertIn('there is no command "digts"; did you mean digits?', err)


if __name__ == "__main__":
    unittest.main()
