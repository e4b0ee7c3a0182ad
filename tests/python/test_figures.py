"""Draws every figure from a made-up run and looks whether it is a picture of something."""
import contextlib
import io
import json
import pathlib
import struct
import sys
import tempfile
import unittest

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
import matplotlib.image

import ydot_figures

CONFIG = """
[run]
dt_ms = 1
[schedule]
input = "input"
readout = "output"
[populations.input]
size = 784
[populations.hidden]
size = 12
[populations.output]
size = 10
[projections.fixed]
from = "input"
to = "output"
[projections.learned]
from = "input"
to = "hidden"
[projections.learned.plasticity]
rule = "stdp"
"""
SIZES = {"output": 10, "input": 784, "hidden": 12}


def write_spikes(path, rate_Hz=30, duration_ms=400):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        for name, size in SIZES.items():
            count = random.poisson(size * rate_Hz * duration_ms / 1000) if rate_Hz else 0
            group = file.create_group(f"spikes/{name}")
            group["timestamps"] = np.sort(random.uniform(0, duration_ms, count))
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = random.integers(0, size, count).astype(np.uint64)


def write_weights(path, sources=784):
    random = np.random.default_rng(2)
    with h5py.File(path, "w", track_order=True) as file:
        for name, target, targets in (("fixed", "output", 10), ("learned", "hidden", 12)):
            group = file.create_group(f"projections/{name}")
            source, unit = np.indices((sources, targets)).astype(np.uint32)
            group["source"], group["target"] = source.ravel(), unit.ravel()
            group["weight"] = random.normal(size=source.size).astype(np.float32)
            group["delay_ms"] = np.ones(1, np.float32)
            group.attrs.update({"from": "input", "to": target, "sources": np.uint32(sources), "targets": np.uint32(targets)})


def write_run(folder):
    (folder / "config.toml").write_text(CONFIG)
    write_spikes(folder / "spikes.h5")
    write_weights(folder / "weights.h5")
    (folder / "intervals.csv").write_text('start_ms,stop_ms,level,name\n0,200,presentation,"label 7, before learning"\n0,100,phase,settle\n'
                                          '100,200,phase,predict\n200,400,presentation,"label 7, after learning"\n200,300,phase,settle\n')
    (folder / "learning.csv").write_text("images,epoch,seconds,train_error_percent,validation_error_percent,learning_fraction\n"
                                         "0,0,0,,90,1\n500,0.5,1,40,30,1\n1000,1,2,12.5,10,1\n")


def write_activity(path, populations=("L23E", "L23I", "L4E", "L4I"), units=50):
    random = np.random.default_rng(5)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs.update({"start_ms": 0.0, "stop_ms": 1000.0, "bin_ms": 3.0, "window_ms": 100.0, "correlation_bin_ms": 2.0,
                           "sampled_units": np.uint32(1000), "correlated_units": np.uint32(100), "least_intervals": np.uint32(10)})
        for name in populations:
            group = file.create_group(f"activity/{name}", track_order=True)
            group["rate_Hz"], group["cv"], group["fano"] = random.gamma(2, 3, units), random.normal(0.8, 0.1, units), random.normal(1, 0.1, units)
            group["cv"][:10] = np.nan
            group["correlation"] = random.normal(0, 0.02, units * (units - 1) // 2)
            group["bins_with"] = group["sample_bins_with"] = np.bincount(random.poisson(4, 333)).astype(np.uint64)


def write_circuit(folder, names=("L23E", "L23I", "L4E", "L4I"), config="", sizes=(2000, 500, 3000, 10)):
    random = np.random.default_rng(6)
    (folder / "config.toml").write_text("[run]\ndt_ms = 0.1\nduration_ms = 900\nwarmup_ms = 100\n" +
                                        "".join(f"[populations.{n}]\nsize = {s}\n" for n, s in zip(names, sizes)) + config)
    with h5py.File(folder / "spikes.h5", "w") as file:
        for name, size in zip(names, sizes):
            file[f"spikes/{name}/timestamps"] = np.sort(random.uniform(100, 1000, size * 5))
            file[f"spikes/{name}/node_ids"] = random.integers(0, size, size * 5).astype(np.uint64)
    write_activity(folder / "activity.h5", names)


def write_report(path, population="hidden", units="mV", columns=12, start_ms=0.0, step_ms=0.5, frames=800):
    random = np.random.default_rng(6)
    with h5py.File(path, "w") as file:
        group = file.create_group(f"report/{population}")
        group["data"] = (-65 + random.normal(size=(frames, columns)).cumsum(axis=0) / 10).astype(np.float32)
        group["data"].attrs["units"] = units
        group["mapping/node_ids"] = np.arange(columns, dtype=np.uint64)
        group["mapping/time"] = [start_ms, start_ms + frames * step_ms, step_ms]


def write_digits(folder, labelled=True):
    random = np.random.default_rng(3)
    images = random.integers(0, 256, (200, 28, 28), np.uint8)
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 200, 28, 28) + images.tobytes())
    if labelled:
        labels = (np.arange(200) % 10).astype(np.uint8)
        (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 200) + labels.tobytes())


def verification_panel(points=1, lines=0, log=False, labels=("f (Hz)", "gain")):
    x, y, error = [0.5, 1, 10, 50], [1, None, 0.02, 3], [0.1, 0.1, 0.05, 0.2]  # None: what C++ had as NaN
    series = [{"name": f"points {k}", "x": x, "y": y, "error": error if k == 0 else [], "line": False} for k in range(points)]
    series += [{"name": f"line {k}", "x": x, "y": y, "error": [], "line": True} for k in range(lines)]
    return {"x_label": labels[0], "y_label": labels[1], "x_log": log, "y_log": log, "series": series}


def write_verification(folder, figures):
    """figures: name -> panels; each of a check of its own."""
    checks = [{"name": name, "figures": [{"name": name, "caption": "", "panels": panels}]} for name, panels in figures.items()]
    (folder / "verification.json").write_text(json.dumps({"checks": [{"name": "none", "figures": []}] + checks}))


class Figures(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def run_script(self, *arguments):
        """Exit code, stdout, stderr."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = ydot_figures.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def assert_refused(self, expected, *arguments):
        """Exit code 2 and one line that says `expected`."""
        code, out, err = self.run_script(*arguments)
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(expected, err)

    def assert_picture(self, path):
        """A PNG of a size that fits a page, with something on it."""
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        pixels = matplotlib.image.imread(path)[..., :3]
        height, width = pixels.shape[:2]
        self.assertTrue(400 <= width <= 1300 and 250 <= height <= 1800, f"{path.name}: {width} x {height}")
        dark = np.mean(pixels.min(axis=2) < 0.8)
        self.assertTrue(0.005 < dark < 0.9, f"{path.name}: {100 * dark:.2f} % of the pixels are not pale")

    def test_all_writes_what_applies_and_prints_the_names(self):
        write_run(self.folder)
        code, out, err = self.run_script("--all", self.folder)
        self.assertEqual((code, out.split(), err), (0, ["raster.png", "learning.png", "fields.png"], ""))
        for name in out.split():
            self.assert_picture(self.folder / name)
        self.assertEqual(list(self.folder.glob(".*")), [])

    def test_without_held_out_images_the_training_error_is_drawn(self):
        (self.folder / "learning.csv").write_text("images,train_error_percent,validation_error_percent\n0,nan,nan\n500,40,nan\n1000,12.5,nan\n")
        axes = ydot_figures.draw_learning(ydot_figures.Results(self.folder)).axes[0]
        (line,) = axes.get_lines()
        self.assertEqual((line.get_label(), list(line.get_xdata()), list(line.get_ydata())), ("training", [500, 1000], [40, 12.5]))
        self.assertEqual([t.get_text() for t in axes.texts], ["12.5 %"])
        (self.folder / "learning.csv").write_text("images,train_error_percent,validation_error_percent\n0,nan,nan\n500,nan,nan\n")
        with self.assertRaisesRegex(ydot_figures.NothingToDraw, "no row with an error"):
            ydot_figures.draw_learning(ydot_figures.Results(self.folder))

    def test_all_of_a_run_without_learning_is_the_raster(self):
        write_spikes(self.folder / "spikes.h5")
        self.assertEqual(self.run_script("--all", self.folder)[:2], (0, "raster.png\n"))

    def test_every_figure_is_drawn(self):
        write_run(self.folder)
        write_digits(self.folder)
        write_activity(self.folder / "activity.h5")
        with open(self.folder / "config.toml", "a") as file:
            file.write('[[record.reports]]\nname = "a"\nvariables = ["v_mV", "stimulus_pA"]\n')
        write_report(self.folder / "a_v_mV.h5")
        for name in ydot_figures.FIGURES:
            with self.subTest(name):
                self.assertEqual(self.run_script(self.folder, "--what", name, "-o", self.folder / "out.png")[0], 0)
                self.assert_picture(self.folder / "out.png")

    def test_potentials(self):
        write_spikes(self.folder / "spikes.h5")
        (self.folder / "config.toml").write_text('[[record.reports]]\nname = "a"\nvariables = ["i_pA", "v_mV", "stimulus_pA"]\n'
                                                 '[[record.reports]]\nname = "b"\nvariables = ["v_mV"]\n')
        write_report(self.folder / "a_v_mV.h5")
        write_report(self.folder / "b_v_mV.h5", "output", columns=2, start_ms=100)
        write_report(self.folder / "a_stimulus_pA.h5", units="pA")
        code, out, err = self.run_script("--all", self.folder)
        self.assertEqual((code, out.split(), err), (0, ["raster.png", "potentials.png"], ""))
        figure = ydot_figures.draw_potentials(ydot_figures.Results(self.folder), (150, 200))
        self.assertEqual([axis.get_ylabel() for axis in figure.axes], ["hidden\npotential (mV)", "current (pA)", "output\npotential (mV)"])
        self.assertEqual([len(axis.lines) for axis in figure.axes], [8, 8, 2])  # at most eight units
        np.testing.assert_allclose(figure.axes[0].lines[0].get_xdata(), np.arange(150, 200, 0.5))
        np.testing.assert_allclose(figure.axes[2].lines[0].get_xdata(), np.arange(150, 200, 0.5))
        with h5py.File(self.folder / "a_v_mV.h5") as file:
            np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), file["report/hidden/data"][300:400, 0], rtol=1e-6)

    def test_a_report_that_is_none(self):
        with h5py.File(self.folder / "a_v_mV.h5", "w") as file:
            file["report/lif/data"] = np.zeros(3)
        code, _, err = self.run_script(self.folder / "a_v_mV.h5", "--what", "potentials", "-o", self.folder / "out.png")
        self.assertEqual((code, "/report must hold a population" in err), (2, True))

    def test_all_of_a_circuit_is_the_raster_and_the_rates(self):
        write_circuit(self.folder)
        code, out, err = self.run_script("--all", self.folder)
        self.assertEqual((code, out.split(), err), (0, ["raster.png", "rates.png"], ""))
        for name in out.split():
            self.assert_picture(self.folder / name)

    def test_a_circuit_shows_the_same_share_of_every_population_at_its_end(self):
        write_circuit(self.folder)
        results = ydot_figures.Results(self.folder)
        self.assertEqual(ydot_figures.shown_window(results), (600, 1000))
        bands = ydot_figures.stack_to_scale(results.spikes, results.colours(["L23E", "L23I", "L4E", "L4I"]))[::-1]
        self.assertEqual([len(b.shown) for b in bands], [907, 227, 1361, 10])  # 2500 of 5510, but all of the ten
        self.assertAlmostEqual(bands[2].height / bands[0].height, 1361 / 907)

    def test_signs_come_from_weights_and_then_from_names(self):
        write_circuit(self.folder, ("a", "b", "pyr_exc", "L4I"), '[projections.ab]\nfrom = "a"\nto = "b"\nweight = {distribution = "normal", mean = -2.0, std = 3.0}\n'
                                                               '[projections.pa]\nfrom = "pyr_exc"\nto = "a"\nweight = -1.0\n')
        results = ydot_figures.Results(self.folder)
        self.assertEqual([results.sign_of(name) for name in ("a", "b", "pyr_exc", "L4I")], [-1, 0, -1, -1])
        self.assertEqual([results.sign_of(name) for name in ("L23E", "e_1", "exc", "inh", "L5_i", "noise", "API", "hidden", "CE", "i")],
                         [1, 0, 1, -1, -1, 0, 0, 0, 0, -1])
        self.assertEqual(results.colours(["a", "b"]), ydot_figures.COLOURS[:2])  # not all signs are known
        self.assertEqual(len(set(results.colours(["L1E", "L2E", "L1I", "L2I"]))), 4)

    def test_a_circuit_without_signs_is_drawn_as_well(self):
        write_circuit(self.folder, ("a", "b", "c", "d"))
        for name in ("raster", "rates", "isi", "correlation"):
            with self.subTest(name):
                self.assertEqual(self.run_script(self.folder, "--what", name, "-o", self.folder / "out.png")[0], 0)
                self.assert_picture(self.folder / "out.png")

    def test_populations_without_cv_or_pairs_are_drawn(self):
        write_activity(self.folder / "activity.h5", ("one", "two"))
        with h5py.File(self.folder / "activity.h5", "r+") as file:
            file["activity/one/cv"][:] = np.nan
            del file["activity/one/correlation"]
            file["activity/one/correlation"] = np.zeros(0)
        for name in ("rates", "correlation"):
            with self.subTest(name):
                self.assertEqual(self.run_script(self.folder, "--what", name, "-o", self.folder / "out.png")[0], 0)

    def test_single_files_are_enough(self):
        write_run(self.folder)
        (self.folder / "config.toml").unlink()
        for file, what in (("spikes.h5", "raster"), ("learning.csv", "learning"), ("weights.h5", "fields"), ("weights.h5", "weights")):
            with self.subTest(what):
                self.assertEqual(self.run_script(self.folder / file, "--what", what, "-o", self.folder / "out.png")[0], 0)
                self.assert_picture(self.folder / "out.png")

    def test_several_figures_get_names_of_their_own(self):
        write_run(self.folder)
        code, out, _ = self.run_script(self.folder, "--what", "raster,rates", "-o", self.folder / "out.svg")
        self.assertEqual((code, [pathlib.Path(p).name for p in out.split()]), (0, ["out-raster.svg", "out-rates.svg"]))
        self.assertIn("<svg", (self.folder / "out-raster.svg").read_text()[:1000])

    def test_populations_are_in_the_order_of_the_description(self):
        write_run(self.folder)
        results = ydot_figures.Results(self.folder)
        self.assertEqual([(p.name, p.size) for p in results.spikes], [("input", 784), ("hidden", 12), ("output", 10)])

    def test_a_large_population_is_thinned_and_says_so(self):
        write_run(self.folder)
        input_band = ydot_figures.stack_bands(ydot_figures.Results(self.folder).spikes)[-1]
        self.assertEqual(input_band.label, "input\n200 of 784 shown")
        self.assertEqual(len(set(input_band.shown)), 200)

    def test_fields_show_the_projection_that_learns(self):
        write_run(self.folder)
        self.assertEqual(ydot_figures.input_projection(ydot_figures.Results(self.folder)).name, "learned")

    def test_the_cv_of_a_clock_is_zero_and_that_of_a_poisson_train_near_one(self):
        random = np.random.default_rng(4)
        clock, poisson = np.arange(0, 5000, 1.0), np.cumsum(random.exponential(1, 5000))
        spikes = ydot_figures.Spikes("p", np.concatenate([poisson, clock]), np.repeat([1, 0], 5000), 2)
        isi, cv = ydot_figures.unit_intervals(spikes)
        self.assertEqual(len(isi), 9998)
        self.assertAlmostEqual(cv[0], 0, delta=1e-6)
        self.assertAlmostEqual(cv[1], 1, delta=4 / np.sqrt(4999))  # sampling error of a CV over N intervals: 1/sqrt(N)

    def test_no_interval_reaches_from_one_presentation_into_the_next(self):
        spikes = ydot_figures.Spikes("p", np.array([10.0, 30, 100, 140, 170]), np.zeros(5, int), 1)
        self.assertEqual(ydot_figures.unit_intervals(spikes, [0, 100])[0].tolist(), [20, 70, 30])  # a spike at 100 is of the first
        self.assertEqual(ydot_figures.unit_intervals(spikes)[0].tolist(), [20, 70, 40, 30])

    def test_a_window_is_open_below_and_closed_above(self):
        times_ms = np.array([0, 1, 5, 6, 10.0])
        self.assertEqual(ydot_figures.within(times_ms, 0, 5).tolist(), [True, True, True, False, False])
        self.assertEqual(ydot_figures.within(times_ms, 5, 10).tolist(), [False, False, False, True, True])

    def test_names_of_phases_may_hold_commas(self):
        write_run(self.folder)
        with open(self.folder / "intervals.csv", "a", encoding="utf-8") as file:
            file.write('300,400,phase,"pass 2, ""learning"""\n')
        self.assertEqual(ydot_figures.Results(self.folder).intervals[-1].name, 'pass 2, "learning"')

    def test_a_recording_starts_behind_the_warm_up(self):
        (self.folder / "config.toml").write_text("[run]\nduration_ms = 300\nwarmup_ms = 100\n")
        write_spikes(self.folder / "spikes.h5")
        self.assertEqual(ydot_figures.shown_window(ydot_figures.Results(self.folder)), (100, 400))

    def test_bad_usage_is_one_line(self):
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(SystemExit) as stopped:
            ydot_figures.main([str(self.folder), "--what", "rastr", "-o", "x.png"])
        self.assertEqual((stopped.exception.code, err.getvalue().count("\n")), (2, 1))

    def test_bad_input_is_one_line_and_exit_code_2(self):
        out = self.folder / "out.png"
        self.assert_refused("there is no such file", self.folder / "none", "-o", out)
        self.assert_refused("there is no spikes.h5", self.folder, "-o", out)
        self.assert_refused("there is no activity.h5", self.folder, "--what", "correlation", "-o", out)
        self.assert_refused("nothing to draw", "--all", self.folder)
        write_spikes(self.folder / "spikes.h5", rate_Hz=0)
        self.assert_refused("there are no spikes", self.folder, "-o", out)
        self.assert_refused("must end in", self.folder, "-o", self.folder / "out.gif")
        (self.folder / "spikes.h5").write_text("text")
        self.assert_refused("is not an HDF5 file", self.folder, "-o", out)
        (self.folder / "config.toml").write_text("[run")
        write_spikes(self.folder / "spikes.h5")
        self.assert_refused("config.toml", self.folder, "-o", out)
        (self.folder / "learning.csv").write_text("images\n1\n")
        self.assert_refused("there must be a column train_error_percent", self.folder, "--what", "learning", "-o", out)
        (self.folder / "learning.csv").write_text("images,train_error_percent,validation_error_percent\n1,x,3\n")
        self.assert_refused("must be a number, got 'x'", self.folder, "--what", "learning", "-o", out)
        self.assertFalse(out.exists())

    def test_a_population_that_is_not_square_has_no_fields(self):
        write_run(self.folder)
        write_weights(self.folder / "weights.h5", sources=700)
        self.assert_refused("not a square image", self.folder, "--what", "fields", "-o", self.folder / "out.png")

    def test_a_list_of_figures_gets_a_picture_for_each(self):
        file, folder = self.folder / "figures.json", self.folder / "pictures"
        file.write_text(json.dumps({"figures": [{"name": "S7", "panels": [verification_panel(1, 1)] * 2}, {"name": "S8", "panels": [verification_panel()]}]}))
        code, out, err = self.run_script("--panels", file, folder)
        self.assertEqual((code, out.split(), err), (0, ["S7.png", "S8.png"], ""))
        for name in ("S7", "S8"):
            self.assert_picture(folder / f"{name}.png")
        file.write_text("[]")
        self.assert_refused("figures.json: is not a list of figures", "--panels", file, folder)
        self.assert_refused("nowhere.json: is not a list of figures", "--panels", self.folder / "nowhere.json", folder)

    def test_a_verification_gets_a_picture_for_each_figure(self):
        write_verification(self.folder, {
            "one": [verification_panel()], "bode": [verification_panel(2, 2, log=True)] * 2, "three": [verification_panel(3, 1)] * 3,
            "four": [verification_panel(0, 3, log=True)] * 4, "many": [verification_panel(9)] * 5,
            "empty": [{"x_label": "", "y_label": "", "x_log": True, "y_log": True, "series": []}]})
        code, out, err = self.run_script("--verification", self.folder)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.split(), [f"verification/{name}.png" for name in ("one", "bode", "three", "four", "many", "empty")])
        for name in out.split()[:-1]:
            self.assert_picture(self.folder / name)

    def test_a_law_has_the_colour_of_its_measurement(self):
        def colours(points, lines):
            panel = ydot_figures.read_panel(verification_panel(points, lines))
            return ydot_figures.series_colours(panel.series)

        self.assertEqual(colours(2, 2), ydot_figures.COLOURS[:2] * 2)
        self.assertEqual(colours(2, 1), [*ydot_figures.COLOURS[:2], "0.45"])
        self.assertEqual(colours(1, 2), ydot_figures.COLOURS[:3])
        self.assertEqual(colours(0, 1), ydot_figures.COLOURS[:1])

    def test_a_series_without_a_name_belongs_to_the_one_before(self):
        panel = verification_panel(1, 2)
        panel["series"][2]["name"] = ""
        write_verification(self.folder, {"a": [panel]})
        self.assertEqual(self.run_script("--verification", self.folder)[0], 0)
        self.assertEqual(ydot_figures.series_colours(ydot_figures.read_panel(panel).series), [ydot_figures.COLOURS[0], "0.45", "0.45"])

    def test_a_law_and_its_measurement_share_an_entry_of_the_legend(self):
        panel = ydot_figures.read_panel(verification_panel(2, 2))
        self.assertEqual(list(ydot_figures.legend_entries(panel.series)), ["points 0", "points 1", "line 0", "line 1"])
        for series, name in zip(panel.series, ("a, b, from spikes", "c, from spikes", "a, b, law", "c, law")):
            series.name = name
        self.assertEqual(ydot_figures.legend_entries(panel.series), {"a, b": ("a, b, from spikes", "a, b, law"), "c": ("c, from spikes", "c, law")})

    def test_reports_that_are_none_are_refused(self):
        path = self.folder / "verification.json"
        self.assert_refused("there is no verification.json", "--verification", self.folder)
        for text in ("{", "[]", '{"checks": [{}]}', '{"checks": [{"figures": [{"name": "a", "panels": [{}]}]}]}'):
            path.write_text(text)
            self.assert_refused("verification.json: is not the report of a verification", "--verification", self.folder)
        panel = verification_panel()
        panel["series"][0]["y"] = [1]
        write_verification(self.folder, {"a": [panel]})
        self.assert_refused("series points 0 has 4 x, 1 y", "--verification", self.folder)
        write_verification(self.folder, {})
        self.assert_refused("there are no figures", "--verification", self.folder)


if __name__ == "__main__":
    unittest.main()
