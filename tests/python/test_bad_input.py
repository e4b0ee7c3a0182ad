"""Every mistake gives one line that says where, which key, what was found and what is allowed; exit code 2; and nothing is left behind."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
DESCRIPTION = """\
[run]
dt_ms = 1.0
seed = 1
[populations.input]
model = "image_source"
size = 784
rate_Hz = 100.0
[populations.hidden]
model = "poisson"
size = 20
tau_syn_ms = 5.0
[populations.top]
model = "poisson"
size = 10
[projections.up]
from = "input"
to = "hidden"
connector = "fixed_probability"
probability = 0.5
weight = {distribution = "normal", std = 1.0, fan_in = true}
delay_ms = 1.0
[projections.up.plasticity]
rule = "derivative"
tau_ms = 40.0
[projections.out]
from = "hidden"
to = "top"
connector = "fixed_probability"
probability = 0.6
delay_ms = 1.0
[projections.down]
from = "top"
to = "hidden"
connector = "disjoint"
of = "out"
probability = 0.3
delay_ms = 1.0
[schedule]
input = "input"
readout = "top"
epochs = 1.0
minibatch = 4
[[schedule.phases]]
name = "settle"
duration_ms = 5.0
[[schedule.phases]]
name = "predict"
duration_ms = 5.0
readout = true
[[schedule.phases]]
name = "teach, slowly"
duration_ms = 5.0
learns = ["*"]
clamps = ["top"]
[data]
train = 8
validation = 2
test = 2
[record]
populations = ["*"]
"""
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def write_idx(path, values, *shape, magic=None):
    path.write_bytes(struct.pack(f">{1 + len(shape)}I", magic or 0x0800 + len(shape), *shape) + bytes(values))


def write_digits(folder, side=28):
    folder.mkdir()
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte", [0] * (20 * side * side), 20, side, side)
        write_idx(folder / f"{part}-labels-idx1-ubyte", [k % 10 for k in range(20)], 20)


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class BadInput(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.file = self.folder / "net.toml"
        self.out = self.folder / "out"

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=self.folder)

    def assert_refused(self, finished, *parts):
        """Exit code 2, nothing on stdout, one line on stderr that holds all `parts`, no results."""
        self.assertEqual((finished.returncode, finished.stdout), (2, ""), finished.stderr)
        self.assertEqual(finished.stderr.count("\n"), 1, finished.stderr)
        self.assertTrue(finished.stderr.startswith("ydot: "), finished.stderr)
        for part in parts:
            self.assertIn(part, finished.stderr)
        self.assertFalse((self.folder / "results").exists())
        self.assertEqual([p.name for p in self.folder.iterdir() if "partial" in p.name or p.name.endswith(".tmp")], [])

    def refuse(self, old, new, key, *parts):
        """`new` instead of `old` in the description: the error names the position of the mark ^ in `new`, the key and the parts."""
        self.assertEqual(DESCRIPTION.count(old), 1, old)
        text = DESCRIPTION.replace(old, new)
        before = text[:text.index("^")]
        position = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        self.file.write_text(text.replace("^", "", 1))
        finished = self.run_program("run", self.file, "--out", self.out)
        self.assert_refused(finished, f"ydot: {self.file}:{position}: {key}: ", *parts)
        self.assertFalse(self.out.exists())

    def refuse_arguments(self, *parts, arguments):
        self.file.write_text(DESCRIPTION)
        self.assert_refused(self.run_program("run", self.file, "--out", self.out, *arguments), *parts)
        self.assertFalse(self.out.exists())

    def test_biases_that_are_spikes_have_no_likelihood(self):
        machine = pathlib.Path(os.environ["YDOT_SOURCE_DIR"]) / "examples/systems/spiking_rbm.toml"
        source = '[populations.always]\nmodel = "poisson_source"\n[projections.threshold]\nfrom = "always"\nto = "hidden"\nweight = 0.5\n'
        self.file.write_text(machine.read_text() + source)
        self.assert_refused(self.run_program("run", self.file, "--out", self.out), "metrics.likelihood: needs run.mode", "projections.threshold")
        self.assertFalse(self.out.exists())

    def test_the_description_itself_is_sound(self):
        self.file.write_text(DESCRIPTION)
        finished = self.run_program("run", self.file, "--out", self.out, "--set", "plots=false")
        self.assertEqual((finished.returncode, finished.stderr), (0, ""))

    def test_unknown_keys(self):
        cases = [
            ("seed = 1", "^sead = 1", "run.sead", "seed"),
            ("tau_syn_ms = 5.0", "tau_sin_ms = ^5.0", "populations.hidden.tau_sin_ms", "tau_syn_ms"),
            ("probability = 0.5", "probabilty = ^0.5", "projections.up.probabilty", "probability"),
            ("tau_syn_ms = 5.0", "tau_syn = ^5.0", "populations.hidden.tau_syn", "tau_syn_ms"),
            ("probability = 0.3", "probabilty = ^0.3", "projections.down.probabilty", "probability"),
            ('connector = "disjoint"', 'conector = ^"disjoint"', "projections.down.conector", "connector"),
            ("tau_ms = 40.0", "tau = ^40.0\ntau_ms = 40.0", "projections.up.plasticity.tau", "tau_ms"),
            ("tau_ms = 40.0", "tau_mss = ^40.0", "projections.up.plasticity.tau_mss", "tau_ms"),
            ("epochs = 1.0", "^epoch = 1.0", "schedule.epoch", "epochs"),
            ("readout = true", "^readuot = true", "schedule.phases.predict.readuot", "readout"),
            ("train = 8", "^trian = 8", "data.trian", "train"),
            ('populations = ["*"]', '^population = ["*"]', "record.population", "populations"),
            ("std = 1.0", "^sdt = 1.0", "projections.up.weight.sdt", "std"),
            ("[data]", "[^date]", "date", "data"),
        ]
        for old, new, key, meant in cases:
            with self.subTest(key):
                self.refuse(old, new, key, "unknown key", "Allowed: ", f"did you mean {meant}?")

    def test_wrong_types(self):
        self.refuse("size = 20", 'size = ^"ten"', "populations.hidden.size", "must be an integer", 'got "ten"')
        self.refuse("dt_ms = 1.0", "dt_ms = ^true", "run.dt_ms", "must be a number > 0", "got true")
        self.refuse("minibatch = 4", "minibatch = ^4.5", "schedule.minibatch", "must be an integer", "got 4.5")
        self.refuse('learns = ["*"]', 'learns = ^"*"', "schedule.phases.teach, slowly.learns", "must be a list of texts", 'got "*"')
        self.refuse("tau_syn_ms = 5.0", 'tau_syn_ms = ^"5 ms"', "populations.hidden.tau_syn_ms", "must be a number > 0", 'got "5 ms"')

    def test_values_out_of_range(self):
        self.refuse("tau_syn_ms = 5.0", "tau_syn_ms = ^-5.0", "populations.hidden.tau_syn_ms", "must be > 0, got -5")
        self.refuse("tau_ms = 40.0", "tau_ms = ^0", "projections.up.plasticity.tau_ms", "must be > 0, got 0")
        self.refuse("probability = 0.5", "probability = ^1.5", "projections.up.probability", "<= 1", "got 1.5")
        self.refuse("size = 20", "size = ^0", "populations.hidden.size", "must be >= 1", "got 0")

    def test_times_that_are_no_multiple_of_the_step(self):
        for key, old, new in [("projections.out.delay_ms", "probability = 0.6\ndelay_ms = 1.0", "probability = 0.6\ndelay_ms = ^1.5"),
                              ("schedule.phases.settle.duration_ms", '"settle"\nduration_ms = 5.0', '"settle"\nduration_ms = ^2.5')]:
            with self.subTest(key):
                self.refuse(old, new, key, "must be a multiple of run.dt_ms = 1", "got ")

    def test_names_of_nothing(self):
        self.refuse('from = "input"', 'from = ^"inptu"', "projections.up.from", 'no population "inptu"', "did you mean input?")
        self.refuse('model = "image_source"', 'model = ^"image_sauce"', "populations.input.model", '"image_sauce"', "did you mean image_source?")
        self.refuse('rule = "derivative"', 'rule = ^"derivate"', "projections.up.plasticity.rule", '"derivate"', "did you mean derivative?")
        self.refuse('connector = "disjoint"', 'connector = ^"disjont"', "projections.down.connector", '"disjont"', "did you mean disjoint?")
        self.refuse('of = "out"', 'of = ^"oot"', "projections.down.of", '"oot"')
        self.refuse('learns = ["*"]', 'learns = ^["upp"]', "schedule.phases.teach, slowly.learns", '"upp"', "did you mean up?")
        self.refuse('learns = ["*"]', 'learns = ^["out"]', "schedule.phases.teach, slowly.learns", '"out" cannot learn')
        self.refuse('populations = ["*"]', 'populations = ^["hiden"]', "record.populations", '"hiden"', "did you mean hidden?")

    def test_what_does_not_fit_together(self):
        self.refuse('of = "out"', 'of = ^"up"', "projections.down.of", "up runs from input to hidden")
        self.refuse('input = "input"', 'input = ^"hidden"', "schedule.input", "image_source", 'got "hidden", which is poisson')
        self.refuse('readout = "top"', 'readout = ^"input"', "schedule.readout", "fire with an intensity", 'got "input", which is image_source')
        self.refuse('[schedule]\ninput = "input"', "^[schedule]", "schedule.input", "is missing")
        self.refuse("size = 784", "size = ^700", "populations.input.size", "number of pixels of an image, 784", "got 700")
        self.refuse("size = 10", "size = ^5", "populations.top.size", "at least the number of classes", "got 5")
        self.refuse("readout = true", 'readout = true\nclamps = ^["top"]', "schedule.phases.predict.clamps", "would leak the label")
        self.refuse("[[schedule.phases]]\nname = \"settle\"\nduration_ms = 5.0\n[[schedule.phases]]\nname = \"predict\"\nduration_ms = 5.0\nreadout = true\n",
                    "^", "schedule.phases", "one phase must have readout = true")
        self.refuse('name = "settle"', 'name = "settle"\nclamps = ^["top"]', "schedule.phases.settle.clamps", "would leak the label")

    def test_clamps_of_units_without_a_target(self):
        for name in ("*", "hidden"):
            self.refuse('clamps = ["top"]', f'clamps = ^["{name}"]', "schedule.phases.teach, slowly.clamps", "only the readout population, top", f'got "{name}"')

    def test_distributions_that_cannot_be_drawn(self):
        self.refuse('weight = {distribution = "normal", std = 1.0,', 'weight = ^{distribution = "normal", std = 1.0, low = 20, high = 30,',
                    "projections.up.weight", "1000 draws in a row", "low = 20 and high = 30")
        self.refuse('delay_ms = 1.0\n[projections.up.plasticity]', 'delay_ms = ^{distribution = "lognormal", mean = 2, std = 0.1, high = 1}\n[projections.up.plasticity]',
                    "projections.up.delay_ms", "1000 draws in a row", "high = 1")
        self.refuse('{distribution = "normal", std = 1.0,', '{distribution = "uniform", low = 0, high = 1, std = ^1.0,', "projections.up.weight.std", "must be left out", "got 1")

    def test_dendritic_delays_that_vary_on_plastic_synapses(self):
        self.refuse('std = 1.0, fan_in = true}\ndelay_ms = 1.0',
                    'std = 1.0, fan_in = true}\ndelay_ms = {distribution = "uniform", low = 1, high = 3}\ndelay_site = ^"dendritic"',
                    "projections.up.delay_site", "must be constant")

    def test_disjoint_feedback_of_a_dense_projection(self):
        self.refuse('connector = "fixed_probability"\nprobability = 0.6\ndelay_ms = 1.0\n[projections.down]',
                    'connector = "all_to_all"\ndelay_ms = 1.0\n^[projections.down]', "projections.down", 'no pair to connect: "out" already connects every one')

    def test_missing_data(self):
        self.refuse("train = 8", 'train = 8\ndirectory = ^"nowhere"', "data.directory", 'no directory "nowhere"')
        self.refuse_arguments("ydot: --data: ", 'no directory "nowhere"', arguments=("--data", "nowhere"))

    def test_broken_data(self):
        whole = self.folder / "digits"
        write_digits(whole)

        def refuse_after(change, *parts):
            broken = self.folder / "broken"
            shutil.copytree(whole, broken)
            change(broken)
            self.refuse_arguments(*parts, arguments=("--data", broken))
            shutil.rmtree(broken)

        refuse_after(lambda d: (d / LABELS).unlink(), f"broken/{LABELS}: ", "does not exist")
        refuse_after(lambda d: (d / IMAGES).write_bytes((d / IMAGES).read_bytes()[:5000]), f"broken/{IMAGES}: ", "truncated",
                     f"{20 * 784} bytes", "4984 found")
        refuse_after(lambda d: (d / IMAGES).write_bytes(b"\0\0"), f"broken/{IMAGES}: ", "truncated")
        refuse_after(lambda d: write_idx(d / IMAGES, [0] * 20 * 784, 20, 28, 28, magic=0x801), f"broken/{IMAGES}: ",
                     "0x00000801 found, 0x00000803 expected")
        refuse_after(lambda d: write_idx(d / LABELS, [1] * 19, 19), f"broken/{IMAGES}: ", "20 images", "19 labels")
        self.refuse_arguments("images asked for, but there are ", arguments=("--data", whole, "--set", "data.train=1000"))

    def test_the_same_without_a_schedule(self):
        text = DESCRIPTION[:DESCRIPTION.index("[schedule]")].replace("seed = 1", "seed = 1\nduration_ms = 10")
        self.file.write_text(text)
        self.assert_refused(self.run_program("run", self.file, "--out", self.out, "--data", "nowhere"), "--data: ", '"nowhere"')
        self.file.write_text(text.replace("size = 784", "size = 700"))
        self.assert_refused(self.run_program("run", self.file, "--out", self.out), f"{self.file}:7:8: populations.input.size: ", "784", "got 700")
        self.file.write_text(text.replace("duration_ms = 10", "duration_ms = 0"))
        self.assert_refused(self.run_program("run", self.file, "--out", self.out), f"{self.file}:4:15: run.duration_ms: must be > 0", "schedule")
        self.assertFalse(self.out.exists())

    def test_other_results_are_left_untouched(self):
        self.out.mkdir()
        (self.out / "summary.json").write_text("precious")
        self.file.write_text(DESCRIPTION)
        for more in ((), ("--dry-run",)):
            self.assert_refused(self.run_program("run", self.file, "--out", self.out, *more), f"{self.out}: already holds", "--out")
        self.assertEqual({p.name: p.read_text() for p in self.out.iterdir()}, {"summary.json": "precious"})
        (self.folder / "file").write_text("text")
        self.assert_refused(self.run_program("run", self.file, "--out", self.folder / "file"), "file: is a file; --out must name a directory")
        self.assert_refused(self.run_program("data", "digits", self.out), f"{self.out}: already holds")

    def test_directories_that_cannot_be_made(self):
        self.file.write_text(DESCRIPTION)
        (self.folder / "file").write_text("text")
        below_file, in_proc = self.folder / "file" / "out", pathlib.Path("/proc/ydot_out")  # no permissions: root has them all
        for directory, more in ((below_file, ()), (below_file, ("--dry-run",)), (in_proc, ())):
            self.assert_refused(self.run_program("run", self.file, "--out", directory, *more), f"{directory}: cannot be made: ")

    def test_settings(self):
        cases = [
            ("run.sead=2", "--set run.sead: unknown key; did you mean seed?"),
            ("populations.hiden.size=3", "--set populations.hiden.size: populations.hiden: ", "did you mean hidden?"),
            ("populations.hidden.tau_sin_ms=3", "--set populations.hidden.tau_sin_ms: unknown key; did you mean tau_syn_ms?"),
            ("populations.hidden.tau_syn_ms=-1", "--set populations.hidden.tau_syn_ms: must be > 0, got -1"),
            ("projections.out.delay_ms=1.5", "--set projections.out.delay_ms: must be a multiple of run.dt_ms = 1, got 1.5"),
            ("run.seed", 'must look like key.path=value, got "run.seed"'),
            ("=3", 'must look like key.path=value, got "=3"'),
            ("run..seed=3", 'must look like key.path=value, got "run..seed=3"'),
            ("run.seed.x=3", "run.seed: is 1, which has no key x"),
            ("schedule.phases.predct.nudge=1", "did you mean predict?"),
        ]
        for setting, *parts in cases:
            with self.subTest(setting):
                self.refuse_arguments(*parts, arguments=("--set", setting))

    def test_the_file(self):
        self.assert_refused(self.run_program("run", "none.toml", "--out", self.out), "none.toml: cannot read the file: No such file")
        self.assert_refused(self.run_program("run", self.folder, "--out", self.out), "Is a directory")
        self.file.write_text("")
        self.assert_refused(self.run_program("run", self.file), f"{self.file}: is empty")
        for text, position in (("[run]\ndt_ms = \n", "2:9"), ("[run\n", "1:5"), ("[run]\nseed = 1\nseed = 2\n", "3:8"), ("[run]\nseed = 1 2\n", "2:10")):
            with self.subTest(text):
                self.file.write_text(text)
                self.assert_refused(self.run_program("run", self.file), f"ydot: {self.file}:{position}: ")
        self.file.write_bytes(b"\xff\xfe\0\0 not text")
        self.assert_refused(self.run_program("run", self.file), str(self.file))
        self.assertFalse(self.out.exists())

    def test_what_is_missing_altogether(self):
        self.file.write_text("[run]\nduration_ms = 10\n")
        self.assert_refused(self.run_program("run", self.file), f"ydot: {self.file}: populations: a description needs at least one [populations.NAME]")
        self.file.write_text('[populations.a]\nmodel = "lif"\n')
        self.assert_refused(self.run_program("run", self.file), f"ydot: {self.file}: run.duration_ms: must be > 0")

    def test_arguments(self):
        for arguments, part in [(("rnu", "x.toml"), "rnu"), ((), "subcommand"), (("run",), "FILE"), (("run", "a.toml", "--sede", "3"), "--sede"),
                                (("run", "a.toml", "--seed", "x"), "--seed"), (("run", "a.toml", "--progress", "loud"), "auto, plain, json, off"),
                                (("models", "poison"), "did you mean poisson?"), (("convert", "none.h5", "x.csv"), "none.h5"),
                                (("plot", "none", "-o", "x.png"), "none: there is no such file"), (("plot", ".", "--what", "rastr", "-o", "x.png"), "rastr"),
                                (("plot", ".", "-o", "x.gif"), ".png, .svg or .pdf"), (("data", "digits", "d", "--train", "0"), "--train")]:
            with self.subTest(arguments):
                self.assert_refused(self.run_program(*arguments), part)


if __name__ == "__main__":
    unittest.main()
