#!/usr/bin/env python3
"""run_fuzzers.py passes when all is well, and fails on a finding, a decoder too little reached, a missing fuzzer."""
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run_fuzzers  # noqa: E402

WELL = "INITED\nDone 500 runs in 8 second(s)\n"


class RunFuzzersTest(unittest.TestCase):
    def outcome(self, output=WELL, returncode=0, covered=95, fuzzers=("log", "table")):
        """(exit status, output) of a run over fuzzers that end so, with decoders of 100 lines."""
        with tempfile.TemporaryDirectory() as build:
            programs = pathlib.Path(build) / "fuzz"
            programs.mkdir()
            for name in fuzzers:
                (programs / f"{name}_fuzzer").touch()
            ended = subprocess.CompletedProcess([], returncode, stdout=output)
            printed = io.StringIO()
            with mock.patch.object(sys, "argv", ["run_fuzzers.py", "--build", build]), \
                    mock.patch.object(run_fuzzers, "decoders", lambda: {"log": ["a.cc"], "table": ["b.cc"]}), \
                    mock.patch.object(run_fuzzers, "run_fuzzer", lambda *_: ended), \
                    mock.patch.object(run_fuzzers, "measure",
                                      lambda build, name, files: [(path, 100, covered) for path in files]), \
                    contextlib.redirect_stdout(printed), self.assertRaises(SystemExit) as exited:
                run_fuzzers.main()
            return exited.exception.code, printed.getvalue()

    def test_passes_and_ends_with_a_line_a_target(self):
        status, output = self.outcome()
        self.assertEqual(status, 0)
        self.assertEqual(output.splitlines()[-2:],
                         ["fuzz: log: 500 runs, 8 s, 95.0 % of decoder lines",
                          "fuzz: table: 500 runs, 8 s, 95.0 % of decoder lines"])

    def test_fails_on_a_finding(self):
        status, output = self.outcome(output="==1== ERROR: AddressSanitizer\n", returncode=77)
        self.assertEqual(status, 1)
        self.assertIn("AddressSanitizer", output)
        self.assertIn("fuzz: log: FAILED", output)

    def test_fails_when_a_fuzzer_ends_early(self):
        self.assertEqual(self.outcome(output="INITED\n")[0], 1)

    def test_fails_below_the_least_coverage(self):
        self.assertEqual(self.outcome(covered=90)[0], 0)
        status, output = self.outcome(covered=89)
        self.assertEqual(status, 1)
        self.assertIn("log: a.cc: 89.0 % of lines reached, expected 90 %", output)

    def test_fails_without_a_fuzzer_that_decoders_need(self):
        self.assertIn("no fuzzer for table", str(self.outcome(fuzzers=("log",))[0]))
        self.assertIn("no fuzzer for", str(self.outcome(fuzzers=())[0]))

    def test_lines_of_a_source_by_any_name_of_its_folder(self):
        def entry(name, count, covered):
            return {"filename": name, "summary": {"lines": {"count": count, "covered": covered}}}
        entries = [entry("/a/build/fuzz/../../src/x/y.h", 10, 9), entry("/a/src/x/y.h", 10, 2),
                   entry("/a/src/z/x/y.h", 10, 10)]
        self.assertEqual(run_fuzzers.lines_of("src/x/y.h", entries), (10, 9))
        self.assertEqual(run_fuzzers.lines_of("src/x/w.h", entries), (0, 0))

    def test_every_decoder_listed_exists_and_has_a_target(self):
        targets = (run_fuzzers.ROOT / "fuzz/targets.h").read_text()
        for target in run_fuzzers.decoders():
            self.assertIn(f'{{"{target}", ', targets)


if __name__ == "__main__":
    unittest.main()
