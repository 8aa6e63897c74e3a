#!/usr/bin/env python3
"""Shows that the checks of tools/ can fail: each case breaks one rule in a small tree and names the complaint."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
CLEAN = {
    "CMakeLists.txt": "seerdb_room(base)\nseerdb_room(wal base)\n",
    "tools/layers.txt": "base:\nwal: base\n",
    "tools/ratchet.txt": "",
    "include/seerdb/a.h": '#include "seerdb/b.h"\n',
    "src/base/a.h": '#include "seerdb/a.h"\n// std::mutex in a comment, and "rand()" in a string, count as nothing.\n',
    "src/wal/b.cc": '#include "base/a.h"\nnamespace seerdb {\nint F(int a) { return a; }\n}\n',
}
LONG_FUNCTION = "namespace seerdb {\nX::X(int a)\n    : a_{a}, b_(1) {\n" + "  F();\n" * 69 + "}\n}\n"
SEVEN = "int F(int a, int b, std::map<int, int> c, int d, int e, int f, int g) { return 0; }\n"

# check, file, its text, what the complaint contains; None = no complaint
CASES = [
    ("layers", "src/base/a.h", '#include "wal/b.h"\n', "base may not include wal"),
    ("layers", "src/base/a.h", "#  include <wal/b.h>\n", "base may not include wal"),
    ("layers", "include/seerdb/a.h", '#include "base/a.h"\n', "a public header may not include base/a.h"),
    ("layers", "bench/x.cc", '#include "wal/b.h"\n', "bench may not include wal"),
    ("layers", "tools/layers.txt", "base: wal\nwal: base\n", "which is not above it"),
    ("layers", "tools/layers.txt", "base:\n", "without a line here"),
    ("layers", "tools/layers.txt", "base:\nwal:\n", "disagrees with tools/layers.txt"),
    ("layers", "CMakeLists.txt", "seerdb_room(base)\n", "no seerdb_room(wal"),
    ("ratchet", "src/wal/b.cc", "//\n" * 401, "file src/wal/b.cc: 401, limit 400"),
    ("ratchet", "src/wal/b.cc", "//\n" * 400, None),
    ("ratchet", "src/wal/b.cc", LONG_FUNCTION, "function src/wal/b.cc:X::X: 72, limit 70"),
    ("ratchet", "src/wal/b.cc", SEVEN, "parameters src/wal/b.cc:F: 7, limit 6"),
    ("ratchet", "tools/ratchet.txt", "file src/wal/b.cc 450\n", "within the limit now"),
    ("lint", "src/wal/b.cc", "std::mutex m;\n", "use Mutex"),
    ("lint", "src/wal/b.cc", "std::mutex m;  // lint: mutex: an interface of the C++ library asks for it\n", None),
    ("lint", "src/base/mutex.h", "std::mutex m;\n", None),
    ("lint", "src/wal/b.cc", "int fd = ::open(path, 0);\n", "use a FileSystem"),
    ("lint", "src/wal/b.cc", "auto t = std::chrono::steady_clock::now();\n", "use a Clock"),
    ("lint", "src/wal/b.cc", "std::thread t(f);\n", "use an Executor"),
    ("lint", "src/wal/b_test.cc", "std::thread t(f);\n", None),
    ("lint", "src/wal/b.cc", 'std::printf("x");\n', "use Options::logger"),
    ("lint", "src/wal/b.cc", 'std::snprintf(b, 1, "x");\n', None),
    ("lint", "src/wal/b.cc", "std::ifstream in;\n", "use a FileSystem"),
    ("lint", "src/wal/b.cc", "int x = rand();\n", "use Random"),
    ("lint", "src/wal/b.cc", "using namespace std;\n", "one a name"),
    ("lint", "src/wal/b.cc", "throw 1;\n", "use Status"),
    ("lint", "src/wal/b.cc", "__builtin_prefetch(p);\n", "use PrefetchLine"),
    ("lint", "src/base/prefetch.h", "__builtin_prefetch(p);\n", None),
    ("lint", "src/wal/b.cc", "// TO" "DO: later\n", "an issue, or do it now"),
    ("lint", "docs/x.md", "see /ro" "ot/x\n", "relative to the project"),
]


class ChecksTest(unittest.TestCase):
    def run_check(self, check, changes):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "tools").mkdir()
            for script in TOOLS.glob("*.py"):
                shutil.copy(script, root / "tools")
            for name, text in (CLEAN | changes).items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            done = subprocess.run([sys.executable, "-B", root / "tools" / f"check_{check}.py"], text=True,
                                  capture_output=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def test_clean_tree_passes(self):
        for check in ("layers", "ratchet", "lint"):
            with self.subTest(check):
                code, output = self.run_check(check, {})
                self.assertEqual(code, 0, output)

    def test_each_rule_can_be_broken(self):
        for check, name, text, want in CASES:
            with self.subTest(f"{check}: {text[:50]!r}"):
                code, output = self.run_check(check, {name: text})
                if want is None:
                    self.assertEqual(code, 0, output)
                else:
                    self.assertEqual(code, 1, output)
                    self.assertIn(want, output)


if __name__ == "__main__":
    unittest.main()
