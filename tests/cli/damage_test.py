"""Damaged files, logs that were not closed, and a second process."""
import unittest

from cli_case import ERROR, CliCase, flip

RECORDS = [(b"k%05d" % i, b"value %d" % i) for i in range(5000)]


class Damage(CliCase):
    def setUp(self):
        super().setUp()
        self.load(RECORDS)

    def test_verify_names_file_and_offset(self):
        table = self.files("*.sst")[0]
        flip(table, 10_000)
        failed = self.on_db("verify", code=ERROR)
        self.assert_error(failed, "Corruption", table.name, "@", "crc", "found", "expected")

    def test_reads_elsewhere_go_on(self):
        flip(self.files("*.sst")[0], 10_000)
        self.assertEqual(b"value 4999\n", self.on_db("get", "k04999").out)
        failed = self.on_db("scan", code=ERROR)
        self.assert_error(failed, "Corruption", ".sst", "@")
        self.assertTrue(failed.out.startswith(b"k00000\tvalue 0\n"))
        self.assertLess(failed.out.count(b"\n"), 5000)

    def test_dump_of_a_damaged_table_shows_what_is_whole(self):
        table = self.files("*.sst")[0]
        flip(table, 10_000)
        failed = self.run_tool("dump", "--entries", table, code=ERROR)
        self.assert_error(failed, "Corruption", table.name, "@")
        self.assertIn(b"entries", failed.out)
        self.assertIn(b"k00000\t1\tput\tvalue 0\n", failed.out)
        self.assertNotIn(b"k04999\t5000", failed.out)

    def test_dump_of_a_cut_table(self):
        whole = self.files("*.sst")[0].read_bytes()
        for bytes_left in (0, 1, 47, 48, 1000, len(whole) - 1):
            with self.subTest(bytes_left=bytes_left):
                cut = self.write("000001.sst", whole[:bytes_left])
                failed = self.run_tool("dump", cut, code=ERROR)
                self.assert_error(failed, "000001.sst", "@")
                self.assertIn(b"kind", failed.out)

    def test_any_flipped_byte_of_the_tail_is_an_error(self):
        whole = self.files("*.sst")[0].read_bytes()
        for offset in range(len(whole) - 100, len(whole)):
            with self.subTest(offset=offset):
                path = self.write("000001.sst", whole)
                flip(path, offset)
                self.assert_error(self.run_tool("dump", path, code=ERROR), "000001.sst")

    def test_damaged_manifest(self):
        manifest = self.files("MANIFEST-*")[-1]
        whole = manifest.read_bytes()
        flip(manifest, len(whole) // 3)
        self.assert_error(self.run_tool("dump", manifest, code=ERROR), "Corruption", manifest.name, "@")
        self.assert_error(self.on_db("get", "k00001", code=ERROR), "Corruption", manifest.name, "@")
        manifest.write_bytes(whole)
        self.assertEqual(b"value 1\n", self.on_db("get", "k00001").out)

    def test_damaged_current(self):
        current = self.db / "CURRENT"
        for content in (b"", b"MANIFEST-", b"MANIFEST-000001", b"../MANIFEST-000001\n", b"x" * 5000):
            with self.subTest(content=content[:20]):
                current.write_bytes(content)
                self.assert_error(self.run_tool("dump", current, code=ERROR), "CURRENT")
                self.assert_error(self.on_db("get", "k00001", code=ERROR), "CURRENT")


class Log(CliCase):
    def killed_loader(self):
        """Leaves a database whose last life was killed with two records in the log; returns the log."""
        loader = self.start_loader()
        loader.stdin.write(b"first\t1\nsecond\t2\n")
        loader.stdin.flush()

        def written():
            for log in self.files("*.log"):
                if b"record 2," in self.run_tool("dump", log).out:
                    return log
            return None

        log = self.wait_until(written, "two frames in the log")
        loader.kill()
        loader.wait()
        return log

    def test_dump_and_replay(self):
        log = self.killed_loader()
        out = self.run_tool("dump", log).out.decode()
        self.assertRegex(out, r"kind +log\n")
        self.assertIn("frame @64: record 1, ", out)
        self.assertNotIn("\tput\t", out)
        out = self.run_tool("dump", "--entries", log).out.decode()
        self.assertIn("  1\tput\tfirst\t1\n", out)
        self.assertIn("  2\tput\tsecond\t2\n", out)
        self.assertEqual(b"first\t1\nsecond\t2\n", self.on_db("scan").out)

    def test_lost_durable_record(self):
        log = self.killed_loader()
        flip(log, 64 + 16 + 8 + 3)
        for failed in (self.run_tool("dump", log, code=ERROR), self.on_db("scan", code=ERROR)):
            self.assert_error(failed, "Corruption", log.name, "@64")

    def test_dump_of_a_direct_log_goes_on_at_the_next_block(self):
        """Where each write is synced, logs come to be written by whole blocks, each group behind zeros."""
        loader = self.start_loader("--sync")
        loader.stdin.write(b"".join(b"key%d\t1\n" % i for i in range(300)))
        loader.stdin.flush()

        def written():
            return next((log for log in self.files("*.log") if b"key299" in log.read_bytes()), None)

        log = self.wait_until(written, "the last record in a log")
        loader.kill()
        loader.wait()
        out = self.run_tool("dump", "--entries", log).out.decode()
        self.assertIn("\tput\tkey299\t1\n", out)
        frames = [int(line[len("frame @"):].split(":")[0]) for line in out.splitlines() if line.startswith("frame @")]
        self.assertGreaterEqual(len(frames), 20)
        self.assertEqual([0] * 10, [offset % 4096 for offset in frames[-10:]])

    def test_torn_tail(self):
        log = self.killed_loader()
        out = self.run_tool("dump", log).out.decode()
        second = int(out.split("record 2,")[0].rsplit("frame @", 1)[1].rstrip(": "))
        flip(log, second + 20)
        out = self.run_tool("dump", log).out.decode()
        self.assertIn("torn", out)
        self.assertNotIn("record 2,", out)
        self.assertEqual(b"first\t1\n", self.on_db("scan").out)

    def test_damaged_header(self):
        log = self.killed_loader()
        flip(log, 20)
        self.assert_error(self.run_tool("dump", log, code=ERROR), "Corruption", log.name, "@0")


class SecondProcess(CliCase):
    def test_lock_names_its_holder(self):
        loader = self.start_loader()
        self.wait_until(lambda: (self.db / "CURRENT").exists(), "the first process")
        for command in (["get", "k"], ["put", "k", "v"], ["stats"], ["verify"]):
            failed = self.on_db(*command, code=ERROR)
            self.assert_error(failed, "Busy", "LOCK", str(loader.pid))
        out, err = loader.communicate(b"k\tv\n", timeout=60)
        self.assertEqual((0, b""), (loader.returncode, err))
        self.assertIn(b"loaded 1 records", out)
        self.assertEqual(b"v\n", self.on_db("get", "k").out)


if __name__ == "__main__":
    unittest.main()
