"""Large values: how dumps show value segments, and what points into them."""
import pathlib
import unittest

from cli_case import ERROR, CliCase, flip

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "v1" / "value_log"
SEGMENT = GOLDEN / "000003.vlog"


class Values(CliCase):
    def dump(self, *arguments, code=0):
        return self.run_tool("dump", *arguments, code=code)

    def test_dump_of_a_segment(self):
        out = self.dump(SEGMENT).out.decode()
        self.assertIn("kind                values\n", out)
        self.assertIn("segment             3\n", out)
        self.assertIn("record @64: value @94, 120 bytes, intact, key table\n", out)
        self.assertIn("record @368: value @398, 70 bytes, intact, key keyspace 1: table\n", out)
        self.assertEqual(8, out.count("intact"))
        self.assertTrue(out.endswith("records             8\nvalue_bytes         860\nend                 1176\n"), out)
        self.assertNotIn("large table", out)
        self.assertIn("  large table:", self.dump("--entries", SEGMENT).out.decode())

    def test_the_kind_is_told_by_name_bytes_or_option(self):
        want = self.dump(SEGMENT).out
        anonymous = self.write("anonymous", SEGMENT.read_bytes())
        self.assertEqual(want, self.dump(anonymous).out)
        self.assertEqual(want, self.dump("--kind", "values", anonymous).out)
        self.assert_error(self.dump("--kind", "values", GOLDEN / "000004.log", code=ERROR), "Corruption", "@0")
        self.assertIn(b"nothing written", self.dump(self.write("000009.vlog", b"")).out)

    def test_dump_of_a_damaged_segment_shows_what_is_whole(self):
        whole = SEGMENT.read_bytes()
        path = self.write("000003.vlog", whole)
        flip(path, 300)  # in the second value
        failed = self.dump(path, code=ERROR)
        self.assert_error(failed, "Corruption", "000003.vlog", "@248", "checksum")
        self.assertIn(b"record @214: value @248, 120 bytes, damaged, key ttl table\n", failed.out)
        self.assertEqual(7, failed.out.count(b"intact"))
        path.write_bytes(whole)
        flip(path, 240)  # in its key
        failed = self.dump(path, code=ERROR)
        self.assert_error(failed, "Corruption", "@214", "head")
        self.assertEqual(1, failed.out.count(b"intact"))
        for offset in range(64):
            path.write_bytes(whole)
            flip(path, offset)
            self.assert_error(self.dump(path, code=ERROR), "000003.vlog", "@0")

    def test_dump_of_a_segment_that_was_cut(self):
        whole = SEGMENT.read_bytes()
        for left in (64, 70, 88, 93, 100, 213, 500, len(whole) - 1):
            with self.subTest(left=left):
                out = self.dump(self.write("000003.vlog", whole[:left])).out.decode()
                self.assertEqual(left > 64, "torn" in out, out)
        out = self.dump(self.write("000003.vlog", whole + bytes(100))).out.decode()
        self.assertIn("end                 1176\ntorn", out)

    def test_pointers_are_shown_readably(self):
        out = self.dump("--entries", GOLDEN / "000004.log").out.decode()
        self.assertIn("\tput-pointer\tlog\tsegment 3 @652, 120 bytes\n", out)
        self.assertIn("\tput-pointer-expiring\tttl log\tsegment 3 @804, 120 bytes, expires_us 1700000060000000\n", out)
        out = self.dump("--entries", GOLDEN / "000005.sst").out.decode()
        self.assertIn("values              segment 3, 410 bytes\nvalues              segment 6, 156 bytes\n", out)
        self.assertIn("\ntable\t4\tput-pointer\tsegment 6 @94, 126 bytes\n", out)
        out = self.dump(GOLDEN / "MANIFEST-000001").out.decode()
        self.assertIn(" values 3:410 values 6:156", out)
        self.assertIn("keyspace 1 name apart separation_bytes 64\n", out)
        self.assertIn("keyspace 2 name together separation_bytes never\n", out)

    def test_what_the_tool_writes_lies_apart(self):
        self.load([(b"k%d" % i, b"v%d" % i * 3000) for i in range(10)])
        segments = self.files("*.vlog")
        self.assertEqual(1, len(segments))
        self.assertEqual(b"v7" * 3000 + b"\n", self.on_db("get", "k7").out)
        self.assertEqual(10, self.dump(segments[0]).out.count(b"intact"))


if __name__ == "__main__":
    unittest.main()
