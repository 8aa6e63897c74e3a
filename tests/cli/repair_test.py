"""seerdb repair, and what opening does with a damaged log by --recovery-mode."""
import unittest

from cli_case import ERROR, USAGE, CliCase, flip

RECORDS = [(b"k%05d" % i, b"value %d" % i) for i in range(5000)]


class Repair(CliCase):
    def setUp(self):
        super().setUp()
        self.load(RECORDS)
        self.whole = self.scan()

    def scan(self):
        return self.on_db("scan").out.splitlines()

    def test_a_whole_database(self):
        out = self.on_db("repair").out.decode()
        self.assertIn("manifest: whole", out)
        self.assertIn("nothing that can be told was lost", out)
        self.assertEqual(self.whole, self.scan())

    def test_without_current_and_manifest(self):
        for names in (["CURRENT"], ["MANIFEST-*"], ["CURRENT", "MANIFEST-*"]):
            with self.subTest(names=names):
                for name in names:
                    for path in self.files(name):
                        path.unlink()
                self.on_db("scan", code=ERROR)
                out = self.on_db("repair").out.decode()
                self.assertIn("nothing that can be told was lost", out)
                self.assertEqual(self.whole, self.scan())
                self.on_db("verify")

    def test_a_damaged_block(self):
        table = self.files("*.sst")[0]
        bytes_before = table.read_bytes()
        flip(table, 10_000)
        damaged = table.read_bytes()
        out = self.on_db("repair").out.decode()
        self.assertIn("1 salvaged", out)
        self.assertRegex(out, r'lost: .*%s @\d+, \d+ bytes, keys "k0\d+" to "k0\d+": crc found' % table.name)
        self.assertIn("moved ", out)
        left = self.scan()
        self.assertLess(set(left), set(self.whole))
        self.assertGreater(len(left), 4000)
        self.on_db("verify")
        # The damaged file lies aside as it was, with the report.
        self.assertEqual(damaged, (self.db / "lost" / table.name).read_bytes())
        self.assertNotEqual(bytes_before, damaged)
        reports = self.files("lost/repair-*.txt")
        self.assertEqual(1, len(reports))
        self.assertIn(reports[0].read_text(), out)
        self.assertFalse((self.db / "REPAIR").exists())

    def test_a_missing_table(self):
        self.files("*.sst")[0].unlink()
        self.assert_error(self.on_db("get", "k00001", code=ERROR), "Corruption", "missing")
        self.assertIn("the file is missing", self.on_db("repair").out.decode())
        self.scan()

    def test_refusals(self):
        self.assert_error(self.run_tool("repair", "--db", self.folder / "absent", code=ERROR), "no such directory")
        empty = self.folder / "empty"
        empty.mkdir()
        self.assert_error(self.run_tool("repair", "--db", empty, code=ERROR), "no file of a database")
        self.run_tool("repair", code=USAGE)
        (self.db / "REPAIR").write_text("unfinished")
        self.assert_error(self.on_db("scan", code=ERROR), "Corruption", "REPAIR")
        self.on_db("repair")
        self.assertEqual(self.whole, self.scan())


class RecoveryMode(CliCase):
    def test_modes(self):
        """Three records in a log, the first one damaged."""
        loader = self.start_loader()
        loader.stdin.write(b"first\t1\nsecond\t2\nthird\t3\n")
        loader.stdin.flush()

        def written():
            for log in self.files("*.log"):
                if b"record 3," in self.run_tool("dump", log).out:
                    return log
            return None

        log = self.wait_until(written, "three frames in the log")
        loader.kill()
        loader.wait()
        flip(log, 64 + 16 + 8 + 3)
        for mode in ("tolerate", "absolute"):
            failed = self.on_db("scan", "--recovery-mode", mode, code=ERROR)
            self.assert_error(failed, "Corruption", log.name)
        self.assertEqual(b"second\t2\nthird\t3\n", self.on_db("scan", "--recovery-mode", "salvage").out)
        self.on_db("scan", "--recovery-mode", "bogus", code=USAGE)


if __name__ == "__main__":
    unittest.main()
