"""CliCase: a test case with a temporary folder and a way to run the tool in it."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

BIN = os.environ.get("SEERDB_BIN", "seerdb")
NOT_FOUND, USAGE, ERROR = 1, 2, 3


class Outcome:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


class CliCase(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="seerdb-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.db = self.folder / "db"

    def run_tool(self, *arguments, stdin=b"", code=0, env=None):
        """Runs the tool; fails unless it ends with `code`."""
        command = [BIN, *(os.fsencode(a) if isinstance(a, (str, pathlib.Path)) else a for a in arguments)]
        environment = {k: v for k, v in os.environ.items() if k != "SEERDB_DB"} | (env or {})
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, timeout=300)
        self.assertEqual(code, done.returncode, (command, done.stdout[-2000:], done.stderr[-2000:]))
        return Outcome(done.returncode, done.stdout, done.stderr)

    def on_db(self, command, *arguments, **how):
        return self.run_tool(command, "--db", self.db, *arguments, **how)

    def assert_error(self, outcome, *parts):
        """stderr is one line, "seerdb: ...", that holds all parts."""
        text = outcome.err.decode()
        self.assertTrue(text.startswith("seerdb: "), text)
        self.assertEqual(1, text.count("\n"), text)
        for part in parts:
            self.assertIn(part, text)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def files(self, pattern):
        return sorted(self.db.glob(pattern))

    def load(self, records, *arguments):
        """Loads (key, value) pairs without tabs or line ends."""
        text = b"".join(k + b"\t" + v + b"\n" for k, v in records)
        return self.on_db("load", "-", *arguments, stdin=text)

    def start_loader(self, *arguments):
        """A process that holds the database open and stores each line written to its stdin."""
        loader = subprocess.Popen([BIN, "load", "--db", self.db, "-", "--batch", "1", *arguments],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def end():
            loader.kill()
            loader.communicate()

        self.addCleanup(end)
        return loader

    def wait_until(self, condition, what):
        """Polls; the limit only ends a test that has failed."""
        for _ in range(1200):
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail("gave up waiting for " + what)


def flip(path, offset):
    """Inverts one byte of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 0xFF]))
