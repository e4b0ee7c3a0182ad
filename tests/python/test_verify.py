"""`ydot verify` end to end, on the checks that cost least."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
CHEAP = "exact_integration"
DESCRIPTION = '''\
plots = false
[populations.input]
model = "image_source"
size = 784
rate_Hz = 400.0
[populations.top]
model = "poisson"
size = 10
phi = "softmax"
lambda_max_Hz = 1000.0
tau_syn_ms = 5.0
[projections.up]
from = "input"
to = "top"
weight = 0.0
[projections.up.plasticity]
rule = "derivative"
tau_ms = 40.0
gate = "pre"
learning_rate = 1e-9
[schedule]
input = "input"
readout = "top"
epochs = 0.5
evaluations = 1
minibatch = 4
[[schedule.phases]]
name = "predict"
duration_ms = 40.0
readout = true
[[schedule.phases]]
name = "pass 1"
duration_ms = 30.0
learns = ["*"]
[[schedule.phases]]
name = "pass 2"
duration_ms = 30.0
learns = ["*"]
clamps = ["top"]
[data]
train = 8
validation = 2
test = 2
[metrics]
gradient_images = 4
gradient_trials = 16
'''


def without_times(report):
    """What must not depend on the machine and the number of threads."""
    checks = [{key: value for key, value in check.items() if key != "seconds"} for check in report["checks"]]
    return {key: value for key, value in report.items() if key not in ("seconds", "threads", "command")} | {"checks": checks}


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class Verify(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.out = self.folder / "out"

    def verify(self, *arguments, code=0, **environment):
        finished = subprocess.run([PROGRAM, "verify", *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=self.folder,
                                  env=os.environ | environment)
        self.assertEqual(finished.returncode, code, finished.stdout + finished.stderr)
        return finished

    def assert_refused(self, *parts, arguments):
        """Exit code 2, one line that holds all parts, nothing else."""
        finished = self.verify(*arguments, code=2)
        self.assertEqual((finished.stdout, finished.stderr.count("\n")), ("", 1), finished.stderr)
        for part in ("ydot: ",) + parts:
            self.assertIn(part, finished.stderr)

    def report(self, *arguments):
        return json.loads(self.verify(*arguments, "--json").stdout)

    def test_the_table_has_a_line_for_every_measurement(self):
        lines = self.verify(CHEAP, "--quick").stdout.splitlines()
        measurements = self.report(CHEAP, "--quick")["checks"][0]["measurements"]
        self.assertRegex(lines[0], "^check .*measured .*figure .*law and bound .*verdict$")
        self.assertEqual(len([line for line in lines if line.startswith(CHEAP)]), len(measurements) + 1)
        self.assertGreater(len(measurements), 0)
        self.assertTrue(all(len(line) <= 150 for line in lines))
        self.assertRegex(lines[-1], "^1 check in .* s, seed 1, quick: passed$")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_report(self):
        printed = self.verify(CHEAP, "pairing", "--quick", "--seed", 3, "--out", self.out).stdout
        report = json.loads((self.out / "verification.json").read_text())
        self.assertEqual([check["name"] for check in report["checks"]], [CHEAP, "pairing"])
        self.assertEqual((report["seed"], report["quick"], report["passed"], report["interrupted"]), (3, True, True, False))
        text = (self.out / "verification.md").read_text()
        pictures = [f"verification/{figure['name']}.png" for check in report["checks"] for figure in check["figures"]]
        self.assertGreater(len(pictures), 0)
        self.assertEqual(re.findall(r"!\[.*\]\((.*)\)", text), pictures)
        for name in pictures:
            self.assertEqual((self.out / name).read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        for name in ["verification.json", "verification.md", *pictures]:
            self.assertIn(f"  {name}\n", printed)
        self.assertEqual(sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*") if p.is_file()),
                         sorted(["verification.json", "verification.md", *pictures]))

    def test_markdown_tables_have_as_many_cells_in_every_row(self):
        self.verify(CHEAP, "pairing", "--quick", "--out", self.out)
        tables = re.findall(r"(?:^\|.*\n)+", (self.out / "verification.md").read_text(), re.MULTILINE)
        self.assertEqual(len(tables), 3)
        for table in tables:
            self.assertEqual(len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}), 1, table)

    def test_a_report_without_python_says_why_it_has_no_pictures(self):
        printed = self.verify(CHEAP, "--quick", "--out", self.out, YDOT_PYTHON="/bin/false").stdout
        self.assertIn("no pictures: ", printed)
        self.assertTrue((self.out / "verification.json").is_file())
        text = (self.out / "verification.md").read_text()
        self.assertIn("No pictures: ", text)
        self.assertNotIn("![", text)

    def test_the_same_seed_gives_the_same_report_for_any_number_of_threads(self):
        one, two = (without_times(self.report(CHEAP, "pairing", "poisson", "--quick", "--seed", 7, "--threads", n)) for n in (1, 2))
        self.assertEqual(one, two)
        self.assertEqual(one["seed"], 7)

    def test_checks_go_by_name_or_law_and_run_once(self):
        report = self.report("pairing", CHEAP, "V6", "--quick")
        self.assertEqual([check["name"] for check in report["checks"]], ["pairing", CHEAP])
        self.assertEqual(report["checks"][1]["law"], "V6")

    def test_help_lists_every_check(self):
        shown = self.verify("--help").stdout
        for name in ("bode", "pairing", "gradient", CHEAP, "Example: ydot verify "):
            self.assertIn(name, shown)

    def test_a_failed_check_ends_with_exit_code_1(self):
        """The reversed rule learns uphill: 125 +- 1 degrees to the gradient in place of 60 +- 1."""
        file, data = self.folder / "net.toml", self.folder / "digits"
        file.write_text(DESCRIPTION)
        subprocess.run([PROGRAM, "data", "digits", data, "--train", "10", "--test", "2"], check=True, capture_output=True)
        for rule, code, end in (("derivative", 0, "passed"), ("recirculation", 1, "FAILED: circuit")):
            with self.subTest(rule):
                finished = self.verify(file, "--data", data, "--set", f"projections.up.plasticity.rule={rule}", code=code)
                self.assertEqual(finished.stderr, "")
                self.assertTrue(finished.stdout.endswith(f"seed 1: {end}\n"), finished.stdout)
        out = self.folder / "out"
        self.verify(file, "--data", data, "--set", "projections.up.plasticity.rule=recirculation", "--json", "--out", out, code=1)
        self.assertFalse(json.loads((out / "verification.json").read_text())["passed"])

    def test_what_is_wrong_with_a_file_is_bad_input(self):
        file = self.folder / "net.toml"
        file.write_text(DESCRIPTION)
        self.assert_refused("--set projections.up.weight: must be", arguments=(file, "--set", "projections.up.weight=true"))
        self.assert_refused("--set schedule.phases: is missing: without a schedule", arguments=(file, "--set", "schedule.phases=[]"))
        file.write_text(DESCRIPTION[:DESCRIPTION.index("[schedule]")])
        self.assert_refused(f"{file}: schedule.phases: is missing: without a schedule", arguments=(file,))

    def test_bad_input(self):
        self.assert_refused("exact_integratoin: is no check", "did you mean exact_integration?", arguments=("exact_integratoin",))
        self.assert_refused("--seed", arguments=(CHEAP, "--seed", "x"))
        self.assert_refused("--threads", arguments=(CHEAP, "--threads=-1"))
        self.assert_refused("--quik", arguments=(CHEAP, "--quik"))
        self.assert_refused("proc/ydot: cannot be made", arguments=(CHEAP, "--out", "/proc/ydot"))

    def test_other_results_are_left_untouched(self):
        self.out.mkdir()
        (self.out / "verification.md").write_text("precious")
        self.assert_refused(f"{self.out}: already holds results", arguments=(CHEAP, "--out", self.out))
        self.assertEqual({p.name: p.read_text() for p in self.out.iterdir()}, {"verification.md": "precious"})
        self.assert_refused("bodes", arguments=("bodes", "--out", self.folder / "new"))
        self.assertFalse((self.folder / "new").exists())

    def test_an_interrupt_ends_after_the_check_that_runs(self):
        program = subprocess.Popen([PROGRAM, "verify", CHEAP, "bode", "pairing", "--quick", "--out", self.out],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with program:
            while CHEAP not in program.stdout.readline():
                self.assertIsNone(program.poll())
            program.send_signal(signal.SIGINT)
            _, complaint = program.communicate(timeout=300)
        self.assertEqual(program.returncode, 130)
        self.assertRegex(complaint, "interrupted after [12] of 3 checks")
        report = json.loads((self.out / "verification.json").read_text())
        self.assertEqual((report["interrupted"], report["passed"]), (True, False))


if __name__ == "__main__":
    unittest.main()
