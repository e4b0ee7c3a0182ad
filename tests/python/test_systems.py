"""`ydot systems` end to end: the list, quick runs of a catalogue that costs little, records, the report, and its mistakes."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
SOURCE = pathlib.Path(os.environ.get("YDOT_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
CATALOGUE = """\
quick = ["data.train=60", "data.validation=20", "data.test=20", "schedule.epochs=1", "schedule.evaluations=1", "metrics.gradient_images=2",
         "metrics.gradient_trials=3"]
[[systems]]
id = "S7"
name = "Feedback"
source = "A"
published_error_percent = 2.1
paper = "What it says."
[[systems.runs]]
name = "fixed"
what = "fixed feedback"
mode = "spiking"
file = "two_pass.toml"
headline = true
quick = ["populations.hidden.size=20"]
[[systems.runs]]
name = "symmetric"
what = "symmetric feedback"
mode = "spiking"
file = "two_pass.toml"
set = ["projections.feedback.connector=transpose"]
quick = ["populations.hidden.size=20"]
bound = 0.1
[[systems]]
id = "S8"
name = "Loops"
source = "B"
"""


@unittest.skipUnless(PROGRAM, "YDOT_EXECUTABLE does not name the program")
class Systems(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        self.records = self.folder / "records"
        self.catalogue = self.folder / "catalogue.toml"
        self.catalogue.write_text(CATALOGUE)
        (self.folder / "two_pass.toml").write_text((SOURCE / "examples" / "systems" / "two_pass.toml").read_text())

    def call(self, *arguments, code=0):
        finished = subprocess.run([PROGRAM, "systems", *map(str, arguments)], capture_output=True, text=True, timeout=300, cwd=self.folder)
        self.assertEqual(finished.returncode, code, finished.stdout + finished.stderr)
        return finished

    def systems(self, *arguments, code=0):
        """With the small catalogue."""
        return self.call(*arguments, "--catalogue", self.catalogue, code=code)

    def quick(self, *arguments):
        return self.systems("run", "all", "--quick", "--records", self.records, *arguments)

    def assert_refused(self, *parts, arguments):
        finished = self.systems(*arguments, code=2)
        self.assertEqual((finished.stdout, finished.stderr.count("\n")), ("", 1), finished.stderr)
        for part in ("ydot: ",) + parts:
            self.assertIn(part, finished.stderr)

    def test_the_catalogue_of_the_program_is_listed(self):
        shown = self.call()
        self.assertEqual(shown.stderr, "")
        lines = shown.stdout.splitlines()
        self.assertRegex(lines[0], "^id +system +source +published +rate +spiking +command$")
        self.assertEqual([line.split()[0] for line in lines[1:24]], [f"S{k}" for k in range(1, 24)])
        listed = json.loads(self.call("--json").stdout)
        self.assertEqual([s["id"] for s in listed], [f"S{k}" for k in range(1, 24)])
        for system in listed:
            self.assertTrue({"published_error_percent", "rate", "spiking", "name", "source", "runs"} <= set(system), system)
            for mode in ("rate", "spiking"):
                if system[mode] and "test_error_percent" in system[mode]:
                    self.assertEqual(set(system[mode]["test_error_percent"]), {"mean", "sd", "seeds"})
                    self.assertIn("ydot run examples/systems/", system[mode]["command"])

    def test_a_quick_run_prints_and_leaves_nothing(self):
        before = sorted(self.folder.rglob("*"))
        shown = self.systems("run", "S7", "--quick", "--run", "fixed")
        self.assertEqual(shown.stderr, "")
        self.assertRegex(shown.stdout, r"(?m)^S7 spiking fixed, seed 1 +test error \d+\.\d\d % .* images/s  .* s$")
        self.assertRegex(shown.stdout, r"(?m)^1 run in .* s$")
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_records_make_the_list_and_the_report(self):
        self.quick("--seeds", 2, "--first-seed", 3)
        names = [f"S7-spiking-{run}-drawn-quick-seed{seed}.json" for run in ("fixed", "symmetric") for seed in (3, 4)]
        self.assertEqual(sorted(p.name for p in self.records.iterdir()), names)
        record = json.loads((self.records / names[0]).read_text())
        self.assertEqual((record["system"], record["run"], record["mode"], record["seed"], record["data"]), ("S7", "fixed", "spiking", 3, "drawn digits"))
        self.assertEqual(record["summary"]["seed"], 3)
        self.assertEqual(record["summary"]["command"], record["command"])
        self.assertEqual([p["images"] for p in record["curve"]], [0, 60])
        self.assertEqual([g["projection"] for g in record["curve"][1]["gradient"]], ["input_to_hidden", "hidden_to_top"])
        self.assertNotIn(str(self.folder), json.dumps(record))

        listed = json.loads(self.systems("--json", "--records", self.records).stdout)
        errors = [json.loads((self.records / n).read_text())["summary"]["metrics"]["test_error_percent"] for n in names[:2]]
        figure = listed[0]["spiking"]["test_error_percent"]
        self.assertEqual((figure["mean"], figure["seeds"]), (sum(errors) / 2, 2))
        self.assertAlmostEqual(figure["sd"], abs(errors[0] - errors[1]) / 2**0.5)
        self.assertEqual((listed[0]["spiking"]["run"], listed[0]["spiking"]["quick"], listed[0]["rate"]), ("fixed", True, None))
        self.assertEqual((listed[1]["spiking"], listed[1]["published_error_percent"]), (None, None))

        report = self.folder / "docs" / "systems.md"
        report.parent.mkdir()
        self.systems("report", "-o", report, "--records", self.records)
        text = report.read_text()
        for part in ("## S7: Feedback", "What it says.", "**not reached**", "on drawn digits, quick", "images/systems/S7.png", "input_to_hidden"):
            self.assertIn(part, text)
        self.assertEqual((report.parent / "images" / "systems" / "S7.png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_the_command_of_a_record_repeats_the_run(self):
        self.quick("--run", "symmetric", "--threads", 1)
        record = json.loads(next(self.records.iterdir()).read_text())
        words = record["command"].replace("examples/systems/", "").split()[1:]
        subprocess.run([PROGRAM, *words, "--out", "again", "--set", "plots=false"], cwd=self.folder, check=True, capture_output=True, timeout=120)
        again = json.loads((self.folder / "again" / "summary.json").read_text())
        times = ("images_per_s", "training_s", "test_images_per_s", "untrained_test_images_per_s")
        self.assertEqual(*({k: v for k, v in s["metrics"].items() if k not in times} for s in (again, record["summary"])))
        self.assertEqual(again["rates_Hz"], record["summary"]["rates_Hz"])

    def test_results_directories_when_asked_for(self):
        self.systems("run", "S7", "--quick", "--run", "fixed", "--out", "out")
        self.assertTrue((self.folder / "out" / "S7-spiking-fixed-seed1" / "summary.json").exists())
        self.assert_refused("already holds results", arguments=("run", "S7", "--quick", "--run", "fixed", "--out", "out"))

    def test_a_record_of_another_command_is_named_and_not_counted(self):
        self.quick("--run", "fixed")
        self.catalogue.write_text(CATALOGUE.replace("hidden.size=20", "hidden.size=30"))
        listed = self.systems("--json", "--records", self.records)
        self.assertIsNone(json.loads(listed.stdout)[0]["spiking"])
        self.assertIn("not counted: S7-spiking-fixed-drawn-quick-seed1.json: made by another command", listed.stderr)

    def test_an_interrupt_keeps_what_is_finished(self):
        self.catalogue.write_text(CATALOGUE.replace('quick = ["populations.hidden.size=20"]\nbound', 'quick = ["data.train=40000"]\nbound'))
        program = subprocess.Popen([PROGRAM, "systems", "run", "S7", "--quick", "--records", self.records, "--catalogue", self.catalogue],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with program:
            self.assertIn("S7 spiking fixed", program.stdout.readline())
            program.send_signal(signal.SIGINT)
            _, complaint = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 130)
        self.assertIn("interrupted after 1 of 2 runs", complaint)
        self.assertEqual([p.name for p in self.records.iterdir()], ["S7-spiking-fixed-drawn-quick-seed1.json"])

    def test_bad_input(self):
        self.assert_refused('there is no system "S77"', "did you mean S7?", arguments=("run", "S77"))
        self.assert_refused("S8: the catalogue has no run of it yet", arguments=("run", "S8"))
        self.assert_refused("there is no such run. Known: S7 fixed (spiking), S7 symmetric (spiking)", arguments=("run", "S7", "--mode", "rate"))
        self.assert_refused("--mode: must be one of rate, spiking", arguments=("run", "S7", "--mode", "rates"))
        self.assert_refused("--seeds", arguments=("run", "S7", "--seeds", 0))
        self.assert_refused("data.directory", arguments=("run", "S7", "--run", "fixed", "--quick", "--data", self.folder / "nowhere"))
        self.assert_refused("there is no directory", arguments=("--records", self.folder / "nowhere"))
        self.catalogue.write_text(CATALOGUE.replace('name = "fixed"', 'nam = "fixed"'))
        self.assert_refused(f"{self.catalogue}:9:1: systems.S7.runs.0.name: is missing", arguments=())
        self.catalogue.write_text(CATALOGUE.replace("connector=transpose", "connector=transposed"))
        self.assert_refused("projections.feedback.connector", "transposed", arguments=("run", "S7", "--quick", "--run", "symmetric"))
        self.assertFalse(self.records.exists())
        self.assertIn("excludes", self.call("--json", "run", "S7", code=2).stderr)
        finished = self.call("rnu", code=2)
        self.assertIn("did you mean run?", finished.stderr)

    def test_a_broken_record_is_named(self):
        self.records.mkdir()
        (self.records / "broken.json").write_text("{}")
        self.assert_refused("broken.json: is no record of a run", arguments=("--records", self.records))


if __name__ == "__main__":
    unittest.main()
