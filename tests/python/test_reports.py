"""Currents, frame reports and rates: the files a run writes, number by number, and every mistake that is refused."""
import csv
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
DESCRIPTION = """\
[run]
dt_ms = 0.1
duration_ms = 100.0
warmup_ms = 10.0
seed = 3
[populations.source]
model = "poisson_source"
size = 50
rate_Hz = 100.0
[populations.lif]
model = "lif"
size = 20
v_rest_mV = -65.0
v_th_mV = -50.0
[populations.quiet]
model = "lif"
size = 5000
v_rest_mV = -65.0
[projections.learned]
from = "source"
to = "lif"
weight = {distribution = "normal", mean = 80.0, std = 5.0}
connector = "fixed_probability"
probability = 0.5
delay_ms = 1.5
[projections.learned.plasticity]
rule = "stdp"
learning_rate = 5.0
[projections.fixed]
from = "source"
to = "lif"
weight = 10.0
[stimuli.step]
model = "step_current"
to = "quiet"
unit_range = [10, 4999]
times_ms = [20.0, 60.0]
amplitudes_pA = [100.0, -50.0]
[record]
rates_bin_ms = 5.0
[[record.reports]]
name = "quiet"
population = "quiet"
variables = ["v_mV", "stimulus_pA"]
units = [4999, 3, 10]
[[record.reports]]
name = "some"
population = "lif"
variables = ["i_pA"]
interval_ms = 0.7
start_ms = 5.0
stop_ms = 50.0
[[record.reports]]
name = "synapses"
projection = "learned"
unit_range = [5, 9]
interval_ms = 10.0
start_ms = 30.0
"""


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        (cls.folder / "net.toml").write_text(DESCRIPTION)
        cls.out = cls.folder / "out"
        cls.run_program("net.toml", "--out", cls.out, "--set", "plots=false", "--threads", "1")

    @classmethod
    def run_program(cls, *arguments):
        finished = subprocess.run([PROGRAM, "run", *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=cls.folder)
        if finished.returncode:
            raise AssertionError(finished.stdout + finished.stderr)

    def report(self, name, population, units):
        """Checks the layout that SONATA asks for; returns times, ids, pointers, elements, data."""
        with h5py.File(self.out / name) as file:
            self.assertEqual((file.attrs["magic"], file.attrs["magic"].dtype, list(file.attrs["version"])), (0x0A7A, np.uint32, [0, 1]))
            self.assertEqual(list(file), ["report"])
            self.assertEqual(list(file["report"]), [population])
            group = file["report"][population]
            data, mapping = group["data"], group["mapping"]
            self.assertEqual((data.dtype, data.attrs["units"], mapping["time"].attrs["units"]), (np.float32, units, "ms"))
            types = {key: mapping[key].dtype for key in ("node_ids", "index_pointers", "element_ids", "time")}
            self.assertEqual(types, {"node_ids": np.uint64, "index_pointers": np.uint64, "element_ids": np.uint32, "time": np.float64})
            self.assertEqual(mapping["node_ids"].attrs["sorted"], 1)
            start, stop, step = mapping["time"][()]
            ids, pointers, elements = (mapping[key][()] for key in ("node_ids", "index_pointers", "element_ids"))
            self.assertEqual((len(pointers), pointers[0], pointers[-1]), (len(ids) + 1, 0, data.shape[1]))
            self.assertEqual(len(elements), data.shape[1])
            self.assertTrue(np.all(np.diff(ids.astype(int)) > 0))
            self.assertEqual(data.shape[0], round((stop - start) / step))
            sources = mapping["source_ids"][()] if "source_ids" in mapping else None
            return start + step * np.arange(len(data)), ids, pointers, elements, data[()], sources

    def test_potentials_are_the_closed_form_at_the_times_of_the_frames(self):
        times, ids, _, elements, v, _ = self.report("quiet_v_mV.h5", "quiet", "mV")
        _, _, _, _, pA, _ = self.report("quiet_stimulus_pA.h5", "quiet", "pA")
        self.assertEqual((list(ids), list(elements), len(times)), ([3, 10, 4999], [0, 0, 0], 1000))
        np.testing.assert_allclose(times[[0, -1]], [10, 109.9])
        exact = np.full(len(times), -65.0)
        for at, jump in ((20, 100), (60, -150)):
            exact += np.where(times > at, jump * 10 / 250 * -np.expm1(-np.maximum(times - at, 0) / 10), 0)
        np.testing.assert_array_equal(v[:, 0], -65)
        for column in (1, 2):
            np.testing.assert_allclose(v[:, column], exact, atol=2e-5)  # float32 near -65 has steps of 8e-6
        expected = np.where(times > 60 + 0.05, -50, np.where(times > 20 + 0.05, 100, 0))
        np.testing.assert_array_equal(pA[:, 1], expected)
        np.testing.assert_array_equal(pA[:, 0], 0)

    def test_start_interval_and_stop(self):
        times, ids, pointers, _, i, _ = self.report("some_i_pA.h5", "lif", "pA")
        np.testing.assert_allclose(times, np.arange(10, 50, 0.7))  # not before the end of the warm-up
        self.assertEqual((list(ids), list(pointers)), (list(range(20)), list(range(21))))
        self.assertGreater(i.std(), 1)

    def test_weights(self):
        times, ids, pointers, elements, w, sources = self.report("synapses_weight.h5", "lif", "1")
        np.testing.assert_allclose(times, np.arange(30, 110, 10))
        self.assertEqual(list(ids), [5, 6, 7, 8, 9])
        with h5py.File(self.out / "weights.h5") as file:
            group = file["projections/learned"]
            source, target, last = (group[key][()] for key in ("source", "target", "weight"))
        np.testing.assert_array_equal(target[elements], np.repeat(ids, np.diff(pointers.astype(int))))
        np.testing.assert_array_equal(source[elements], sources)
        self.assertEqual(len(elements), np.isin(target, ids).sum())
        self.assertTrue(np.any(np.diff(w, axis=0) != 0))
        self.assertGreater(np.corrcoef(w[-1], last[elements])[0, 1], 0.99)

    def test_weights_at_the_end_are_those_of_a_shorter_run(self):
        """The weights at 100 ms are what a run of 100 ms ends with."""
        short = self.folder / "short"
        self.run_program("net.toml", "--out", short, "--set", "plots=false", "--set", "run.duration_ms=90.0")
        times, _, _, elements, w, _ = self.report("synapses_weight.h5", "lif", "1")
        with h5py.File(short / "weights.h5") as file:
            np.testing.assert_array_equal(file["projections/learned/weight"][()][elements], w[int(np.argmin(abs(times - 100)))])

    def test_rates(self):
        with open(self.out / "rates.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["start_ms", "source", "lif", "quiet"])
        self.assertEqual([float(r["start_ms"]) for r in rows], list(np.arange(10, 110, 5.0)))
        with h5py.File(self.out / "spikes.h5") as file:
            for name, size in (("source", 50), ("lif", 20), ("quiet", 5000)):
                steps = np.round(file[f"spikes/{name}/timestamps"][()] / 0.1).astype(int)  # a spike at t is of the step that ends then
                counts = np.bincount((steps - 1 - 100) // 50, minlength=20)
                np.testing.assert_allclose([float(r[name]) for r in rows], counts / size / 5e-3, rtol=1e-5)
        self.assertGreater(sum(float(r["lif"]) for r in rows), 0)

    def test_the_record_of_the_run_gives_the_same_bytes_with_any_threads(self):
        again = self.folder / "again"
        self.run_program(self.out / "config.toml", "--out", again, "--set", "plots=false", "--threads", "5")
        files = sorted(p.name for p in self.out.iterdir() if p.suffix in (".h5", ".csv"))
        self.assertEqual(len(files), 3 + 1 + 4)
        for name in files:
            self.assertEqual((again / name).read_bytes(), (self.out / name).read_bytes(), name)

    def test_recording_changes_nothing(self):
        plain = self.folder / "plain"
        text = DESCRIPTION[:DESCRIPTION.index("[record]")]
        (self.folder / "plain.toml").write_text(text)
        self.run_program("plain.toml", "--out", plain, "--set", "plots=false")
        for name in ("spikes.h5", "weights.h5"):
            self.assertEqual((plain / name).read_bytes(), (self.out / name).read_bytes(), name)

    def refuse(self, old, new, *parts):
        self.assertEqual(DESCRIPTION.count(old), 1, old)
        file, out = self.folder / "bad.toml", self.folder / "bad"
        file.write_text(DESCRIPTION.replace(old, new))
        finished = subprocess.run([PROGRAM, "run", file, "--out", out], capture_output=True, text=True, timeout=60)
        self.assertEqual((finished.returncode, finished.stdout, finished.stderr.count("\n")), (2, "", 1), finished.stderr)
        for part in (f"{file}:", *parts):
            self.assertIn(part, finished.stderr)
        self.assertFalse(out.exists())

    def test_bad_reports(self):
        cases = [
            ('population = "lif"', 'population = "lyf"', "record.reports.some.population", 'no population "lyf"', "did you mean lif?"),
            ('["i_pA"]', '["ipA"]', "record.reports.some.variables", 'lif has no variable "ipA"', "did you mean i_pA?", "refractory_steps"),
            ('["i_pA"]', "[]", "record.reports.some.variables", "is missing"),
            ("interval_ms = 0.7", "interval_ms = 0.75", "record.reports.some.interval_ms", "must be a multiple of run.dt_ms = 0.1, got 0.75"),
            ("interval_ms = 0.7", "interval = 0.7", "record.reports.some.interval", "unknown key", "interval_ms"),
            ("stop_ms = 50.0", "stop_ms = 8.0", "record.reports.some.stop_ms", "must be > 10"),
            ("start_ms = 30.0", "start_ms = 110.0", "record.reports.synapses.start_ms", "must be < 110"),
            ("[4999, 3, 10]", "[5000]", "record.reports.quiet.units", "below the size of the population, 5000, got 5000"),
            ("[4999, 3, 10]", "[3, 3]", "record.reports.quiet.units", "unit 3 comes twice"),
            ("[4999, 3, 10]", "[0.5]", "record.reports.quiet.units", "integers"),
            ("[5, 9]", "[9, 5]", "record.reports.synapses.unit_range", "must not descend"),
            ('projection = "learned"', 'projection = "learnt"', "record.reports.synapses.projection", "did you mean learned?"),
            ('projection = "learned"', 'projection = "fixed"', "record.reports.synapses.projection", "no plasticity"),
            ('projection = "learned"', 'projection = "learned"\npopulation = "lif"', "record.reports.synapses", "and not both"),
            ('projection = "learned"', 'projection = "learned"\nvariables = ["w"]', "record.reports.synapses.variables", "must be left out"),
            ('population = "lif"', 'population = "source"', "record.reports.some.variables", "poisson_source has no variables to record"),
            ('name = "some"', 'name = "quiet"', "names an earlier report"),
            ('name = "some"\n', "", "record.reports.1.name", "is missing"),
            ("rates_bin_ms = 5.0", "rates_bin_ms = 0.25", "record.rates_bin_ms", "must be a multiple of run.dt_ms"),
        ]
        for old, new, *parts in cases:
            with self.subTest(new):
                self.refuse(old, new, *parts)

    def test_bad_stimuli(self):
        cases = [
            ('to = "quiet"', 'to = "quite"', "stimuli.step.to", "did you mean quiet?"),
            ('to = "quiet"\nunit_range = [10, 4999]', 'to = "source"', "stimuli.step.to", "source is poisson_source, which takes no current; models that do: lif"),
            ('"step_current"', '"steps_current"', "stimuli.step.model", "did you mean step_current?"),
            ("[20.0, 60.0]", "[20.0, 60.05]", "stimuli.step.times_ms", "must be a multiple of run.dt_ms = 0.1, got 60.05"),
            ("[20.0, 60.0]", "[20.0]", "stimuli.step", "of one length", "got 1 and 2"),
            ("[20.0, 60.0]", "[60.0, 20.0]", "stimuli.step.times_ms", "must ascend"),
            ("amplitudes_pA", "amplitude_pA", "stimuli.step.amplitude_pA", "did you mean amplitudes_pA?"),
            ("[10, 4999]", "[10, 5000]", "stimuli.step.unit_range", "below the size of the population, 5000, got 5000"),
            ("[10, 4999]", "[10]", "stimuli.step.unit_range", "must be [first, last]"),
        ]
        for old, new, *parts in cases:
            with self.subTest(new):
                self.refuse(old, new, *parts)


if __name__ == "__main__":
    unittest.main()
