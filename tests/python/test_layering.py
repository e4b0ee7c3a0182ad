"""Fails when a room includes a room it may not know.

The include path is the root of the repository, so the compiler finds every header of every room; the layers hold only
because this test reads the #include lines.
"""
import os
import pathlib
import re
import tempfile
import unittest

BASE = {"sim"}
LIBRARY = BASE | {"neurons", "plasticity", "networks", "data"}
# room -> the rooms it may include besides itself
MAY_INCLUDE = {
    "sim": set(),
    "neurons": BASE,
    "plasticity": BASE,
    "networks": BASE,
    "data": BASE,
    "app": LIBRARY,
    "verify": LIBRARY | {"app"},
    "bench": LIBRARY | {"app"},
    "systems": LIBRARY | {"app"},
    "cli": LIBRARY | {"app", "verify", "bench", "systems"},
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.MULTILINE)
SUFFIXES = {".hpp", ".cpp", ".h", ".ipp", ".inl"}


def violations(root):
    """Lines "file:line: why", one per #include that crosses a wall."""
    found = []
    for room, allowed in MAY_INCLUDE.items():
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            text = path.read_text(encoding="utf-8")
            for match in INCLUDE.finditer(text):
                target = folder_of(match.group(1), path, root)
                if target is not None and target != room and target not in allowed:
                    line = text.count("\n", 0, match.start(1)) + 1
                    found.append(f"{path.relative_to(root)}:{line}: {room} may not include {target} ({match.group(1)})")
    return found


def folder_of(include, includer, root):
    """Top folder of the repository an #include leads to; None for the files of others and for generated headers."""
    beside = pathlib.Path(os.path.normpath(includer.parent / include))
    if beside.is_file() and root in beside.parents:
        return beside.relative_to(root).parts[0]
    first = pathlib.PurePath(include).parts[0]
    # By name as well as by existence: an #include of a room's deleted header is still a wall crossed.
    return first if first in MAY_INCLUDE or (root / include).is_file() else None


class Layering(unittest.TestCase):
    def test_rooms_include_only_what_they_may(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        found = violations(root)
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_the_check_sees_violations(self):
        cases = [
            ("sim/a.hpp", '#include "neurons/lif.hpp"', True),
            ("sim/a.hpp", '#include <vector>\n#include "sim/b.hpp"\n#include "ydot_version.hpp"', False),
            ("neurons/a.hpp", '#include "sim/b.hpp"', False),
            ("neurons/a.hpp", "  #  include <plasticity/stdp.hpp>", True),
            ("neurons/a.hpp", '#include "../sim/b.hpp"', False),
            ("sim/a.cpp", '#include "../neurons/lif.hpp"', True),
            ("sim/sub/a.cpp", '#include "../../tests/help.hpp"', True),
            ("data/a.cpp", '#include "app/run.hpp"', True),
            ("app/a.cpp", '#include "data/spikes.hpp"', False),
            ("app/a.cpp", '#include "cli/main.hpp"', True),
            ("app/a.cpp", '#include "verify/check.hpp"', True),
            ("cli/a.cpp", '#include "app/run.hpp"\n#include "sim/b.hpp"', False),
        ]
        for name, text, bad in cases:
            with self.subTest(name=name, text=text), tempfile.TemporaryDirectory() as folder:
                root = pathlib.Path(folder).resolve()
                for other in ("sim/b.hpp", "neurons/lif.hpp", "tests/help.hpp", name):
                    (root / other).parent.mkdir(parents=True, exist_ok=True)
                    (root / other).write_text("")
                (root / name).write_text(text)
                self.assertEqual(bool(violations(root)), bad)


if __name__ == "__main__":
    unittest.main()
