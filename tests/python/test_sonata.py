"""Runs the program and checks the spike file it writes, attribute by attribute, and its conversion to the other formats.

The program is found in the environment: YDOT, or YDOT_EXECUTABLE as the build sets it.
"""
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

PROGRAM = os.environ.get("YDOT") or os.environ.get("YDOT_EXECUTABLE")
SIZE, DURATION_MS, RATE_HZ = 20, 500, 50
DESCRIPTION = f"""
[run]
duration_ms = {DURATION_MS}
[populations.noise]
model = "poisson_source"
size = {SIZE}
rate_Hz = {RATE_HZ}
[populations.two-words_2]
model = "poisson_source"
size = 3
rate_Hz = 200
"""


def run(*arguments):
    finished = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if finished.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit code {finished.returncode}\n{finished.stdout}{finished.stderr}")


def read_h5(path):
    """Population -> (times in ms, ids)."""
    with h5py.File(path, "r") as file:
        return {name: (group["timestamps"][()], group["node_ids"][()]) for name, group in file["spikes"].items()}


@unittest.skipUnless(PROGRAM, "YDOT does not name the program")
class Sonata(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        description = cls.folder / "tiny.toml"
        description.write_text(DESCRIPTION)
        run("run", description, "--out", cls.folder / "out", "--set", "plots=false")
        cls.path = cls.folder / "out" / "spikes.h5"
        cls.spikes = read_h5(cls.path)

    def assert_same_bits(self, found):
        self.assertEqual(set(found), set(self.spikes))
        for name, (times_ms, ids) in self.spikes.items():
            np.testing.assert_array_equal(found[name][0].view(np.uint64), times_ms.view(np.uint64), name)
            np.testing.assert_array_equal(found[name][1], ids, name)

    def test_root_attributes(self):
        with h5py.File(self.path, "r") as file:
            self.assertEqual(set(file.attrs), {"magic", "version"})
            magic, version = file.attrs["magic"], file.attrs["version"]
            self.assertEqual((magic.dtype, magic.shape, int(magic)), (np.dtype("uint32"), (), 0x0A7A))
            self.assertEqual((version.dtype, version.shape, version.tolist()), (np.dtype("uint32"), (2,), [0, 1]))
            self.assertEqual(set(file), {"spikes"})
            self.assertEqual(set(file["spikes"]), {"noise", "two-words_2"})

    def test_sorting_is_an_enum_with_the_values_of_the_standard(self):
        with h5py.File(self.path, "r") as file:
            group = file["spikes/noise"]
            self.assertEqual(set(group.attrs), {"sorting"})
            attribute = h5py.h5a.open(group.id, b"sorting")
            self.assertEqual(attribute.get_type().get_class(), h5py.h5t.ENUM)
            self.assertEqual(attribute.shape, ())
            self.assertEqual(h5py.check_enum_dtype(attribute.dtype), {"none": 0, "by_id": 1, "by_time": 2})
            times, ids = group["timestamps"][()], group["node_ids"][()]
            ordered = {0: True, 1: np.all(np.diff(ids.astype(np.int64)) >= 0), 2: np.all(np.diff(times) >= 0)}
            self.assertTrue(ordered[int(group.attrs["sorting"])])

    def test_datasets(self):
        with h5py.File(self.path, "r") as file:
            for group in file["spikes"].values():
                self.assertEqual(set(group), {"timestamps", "node_ids"})
                timestamps, node_ids = group["timestamps"], group["node_ids"]
                self.assertEqual((timestamps.dtype, node_ids.dtype), (np.dtype("<f8"), np.dtype("<u8")))
                self.assertEqual(timestamps.shape, node_ids.shape)
                self.assertEqual(len(timestamps.shape), 1)
                self.assertEqual((set(timestamps.attrs), set(node_ids.attrs)), ({"units"}, set()))
                self.assertEqual(timestamps.attrs["units"], "ms")
                self.assertTrue(h5py.h5a.open(timestamps.id, b"units").get_type().is_variable_str())

    def test_spikes_are_those_of_the_description(self):
        times_ms, ids = self.spikes["noise"]
        self.assertTrue(np.all((times_ms >= 0) & (times_ms <= DURATION_MS)))
        self.assertLess(ids.max(), SIZE)
        expected = SIZE * RATE_HZ * DURATION_MS / 1000
        self.assertAlmostEqual(len(ids), expected, delta=5 * np.sqrt(expected))  # Poisson count, alpha 6e-7 for a true rate

    def test_gdf_and_back(self):
        run("convert", self.path, self.folder / "s.gdf")
        rows = np.loadtxt(self.folder / "s.gdf", ndmin=2)
        self.assertEqual(rows.shape, (sum(len(ids) for _, ids in self.spikes.values()), 2))
        run("convert", self.folder / "s.gdf", self.folder / "from_gdf.h5")
        self.assert_same_bits(read_h5(self.folder / "from_gdf.h5"))

    def test_csv_and_back(self):
        run("convert", self.path, self.folder / "s.csv")
        self.assertEqual((self.folder / "s.csv").read_text().splitlines()[0], "population,id,time_ms")
        run("convert", self.folder / "s.csv", self.folder / "from_csv.h5")
        self.assert_same_bits(read_h5(self.folder / "from_csv.h5"))

    def test_npz_and_back(self):
        run("convert", self.path, self.folder / "s.npz")
        with np.load(self.folder / "s.npz") as arrays:
            names = {name.rsplit("/", 1)[0] for name in arrays}
            self.assert_same_bits({n: (arrays[f"{n}/times_ms"], arrays[f"{n}/ids"]) for n in names})
        run("convert", self.folder / "s.npz", self.folder / "from_npz.h5")
        self.assert_same_bits(read_h5(self.folder / "from_npz.h5"))

    def test_archives_of_numpy_are_read(self):
        arrays = {f"{name}/{key}": array for name, pair in self.spikes.items() for key, array in zip(("times_ms", "ids"), pair)}
        for save in (np.savez, np.savez_compressed):
            save(self.folder / "numpy.npz", **arrays)
            run("convert", self.folder / "numpy.npz", self.folder / "from_numpy.h5")
            self.assert_same_bits(read_h5(self.folder / "from_numpy.h5"))

    def test_same_run_same_bytes(self):
        run("run", self.folder / "tiny.toml", "--out", self.folder / "again", "--set", "plots=false")
        self.assertEqual((self.folder / "again" / "spikes.h5").read_bytes(), self.path.read_bytes())


if __name__ == "__main__":
    unittest.main()
