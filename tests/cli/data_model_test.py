"""Merge operators, times to live and range deletes: seerdb merge, --ttl, get --u64, delete --from and the options
of keyspaces."""
import json
import pathlib
import unittest

from cli_case import ERROR, NOT_FOUND, USAGE, CliCase

HUNDRED_YEARS = "3155760000"
WRONG_TTLS = ["", "soon", "-1", "nan", "inf", "1s", "0x10", " 1", "3155760001", "1e300"]
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "v1" / "range_delete"
OPERATORS = ["seerdb.u64_add", "seerdb.u64_max", "seerdb.u64_min", "seerdb.list_append"]


class DataModelCase(CliCase):
    def create(self, name, *arguments, **how):
        return self.run_tool("keyspace", "create", "--db", self.db, name, *arguments, **how)

    def with_operator(self, name):
        self.create("default", "--merge-operator", name)

    def keyspaces(self, *arguments):
        return self.run_tool("keyspace", "list", "--db", self.db, *arguments).out.decode().splitlines()

    def number(self, key, *arguments):
        return int(self.on_db("get", key, "--u64", *arguments).out)

    def wait_until_gone(self, key):
        self.wait_until(lambda: not self.on_db("scan", "--start", key, "--end", key + "\x01").out, key + " to expire")
        self.on_db("get", key, code=NOT_FOUND)


class Merge(DataModelCase):
    def test_counters(self):
        for name in ("u64_add", "u64_max", "u64_min"):
            self.create(name, "--merge-operator", "seerdb." + name)
        for operand in (17, 5, 20):
            for name in ("u64_add", "u64_max", "u64_min"):
                self.on_db("merge", "--keyspace", name, "k", str(operand), "--u64")
        for name, expected in (("u64_add", 42), ("u64_max", 20), ("u64_min", 5)):
            self.assertEqual(expected, self.number("k", "--keyspace", name))
        self.on_db("compact")
        self.assertEqual(42, self.number("k", "--keyspace", "u64_add"))

    def test_default_keyspace(self):
        self.on_db("put", "other", "stays")
        self.with_operator("seerdb.u64_add")
        self.on_db("put", "--hex", b"k".hex(), "0a00000000000000")
        self.on_db("merge", "--sync", "k", "3", "--u64")
        self.on_db("merge", "k", "--hex", "-", stdin=b"", code=USAGE)  # of "k" as hexadecimal
        self.on_db("merge", "--hex", b"k".hex(), "-", stdin=b"0100000000000000\n")
        self.assertEqual(14, self.number("k"))
        self.on_db("merge", "k", str(2**64 - 14), "--u64")
        self.assertEqual(0, self.number("k"))
        self.assertEqual(b"stays\n", self.on_db("get", "other").out)

    def test_lists(self):
        self.with_operator("seerdb.list_append")
        self.on_db("merge", "k", "one", "--item")
        self.on_db("merge", "k", "", "--item")
        self.on_db("merge", "--hex", "--item", b"k".hex(), "00ff")
        self.on_db("merge", "k", "-", "--item", stdin=b"a\n")
        self.on_db("merge", "k", b"\x01x\x01y")  # a list of two
        self.assertEqual(b"\x03one" b"\x00" b"\x02\x00\xff" b"\x02a\n" b"\x01x\x01y", self.on_db("get", "-n", "k").out)

    def test_strings(self):
        self.with_operator("seerdb.string_append:, ")
        self.on_db("put", "k", "first")
        for i in range(20):
            self.on_db("merge", "k", str(i))
        expected = ", ".join(["first", *map(str, range(20))])
        self.assertEqual(expected + "\n", self.on_db("get", "k").out.decode())
        self.assertEqual("k\t%s\n" % expected, self.on_db("scan").out.decode())
        self.on_db("delete", "k")
        self.on_db("merge", "k", "again")
        self.assertEqual(b"again\n", self.on_db("get", "k").out)

    def test_operand_that_does_not_fit(self):
        self.with_operator("seerdb.u64_add")
        self.on_db("merge", "k", "abc")
        self.assert_error(self.on_db("get", "k", code=ERROR), "seerdb.u64_add refuses")
        self.on_db("put", "k", "12345678")
        self.assertEqual(b"12345678\n", self.on_db("get", "k").out)

    def test_without_an_operator(self):
        self.assert_error(self.on_db("merge", "k", "1", code=ERROR), str(self.db))
        self.on_db("put", "k", "v")
        self.assert_error(self.on_db("merge", "k", "1", code=ERROR), "merge operator")
        self.assert_error(self.on_db("merge", "--keyspace", "a", "k", "1", code=ERROR), "there is no keyspace a")
        self.assertEqual(["0\tdefault\t-"], self.keyspaces())
        self.assertEqual(b"k\tv\n", self.on_db("scan").out)

    def test_wrong_use(self):
        numbers = ["", "-", "1.5", "0x1", " 1", "1 ", "+1", str(2**64)]
        cases = [["k"], ["k", "1", "2"], ["k", "0", "--hex"], ["0", "00", "--hex"], ["k", "1", "--u64", "--item"],
                 ["00", "01", "--u64", "--hex"], ["k", "--u64", "--", "-1"], *(["k", n, "--u64"] for n in numbers),
                 *(["k", "1", "--ttl", ttl] for ttl in [*WRONG_TTLS, "0"])]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                self.assertTrue(self.on_db("merge", *arguments, code=USAGE).err.startswith(b"seerdb: "))
        self.assertFalse(self.db.exists())


class Numbers(DataModelCase):
    def test_forms(self):
        self.with_operator("seerdb.u64_add")
        for key, number in ((b"a", 1), (b"\xff", 2**64 - 1)):
            self.on_db("merge", key, str(number), "--u64")
        self.assertEqual(b"1\n", self.on_db("get", "a", "--u64").out)
        self.assertEqual(b"1", self.on_db("get", "a", "--u64", "-n").out)
        self.assertEqual(b"18446744073709551615\n", self.on_db("get", "ff", "--hex", "--u64").out)
        self.assertEqual(b"a\t1\n", self.on_db("get", "a", "--u64", "--output", "text").out)
        self.assertEqual(b"61\t1\n", self.on_db("get", "a", "--u64", "--output", "hex").out)
        shown = self.on_db("get", "--hex", "ff", "--u64", "--output", "json").out
        self.assertEqual({"key": {"hex": "ff"}, "value": 2**64 - 1}, json.loads(shown))
        self.on_db("get", "absent", "--u64", code=NOT_FOUND)
        keys = self.write("keys", b"a\nabsent\n\xff\n")
        for batch in ("1", "2"):
            got = self.on_db("get", "--keys-from", keys, "--u64", "--batch", batch, code=NOT_FOUND)
            self.assertEqual(b"a\t1\n\\xff\t18446744073709551615\n", got.out)

    def test_other_lengths(self):
        self.load([(b"good", b"\x01" + bytes(7)), (b"k\x07", b"1234567"), (b"z", b"123456789")])
        for key, size in ((b"k\x07", "7"), (b"z", "9")):
            failed = self.on_db("get", key, "--u64", code=ERROR)
            self.assertEqual(b"", failed.out)
            self.assert_error(failed, "has %s bytes, expected 8" % size)
        failed = self.on_db("get", "--keys-from", "-", "--u64", stdin=b"good\nk\x07\ngood\n", code=ERROR)
        self.assertEqual(b"good\t1\n", failed.out)
        self.assert_error(failed, "the value of k\\x07 has 7 bytes")


class TimeToLive(DataModelCase):
    def test_put(self):
        self.on_db("put", "k", "old")
        self.on_db("put", "k", "new", "--ttl", HUNDRED_YEARS)
        self.on_db("put", "short", "for ever")
        self.on_db("put", "short", "v", "--ttl", "0.2")
        self.on_db("put", "shortest", "v", "--ttl", "1e-9")
        self.wait_until_gone("short")
        self.wait_until_gone("shortest")
        self.on_db("compact")
        self.assertEqual(b"k\tnew\n", self.on_db("scan").out)

    def test_merge(self):
        self.with_operator("seerdb.u64_add")
        self.on_db("merge", "k", "1", "--u64", "--ttl", "0.2")
        self.on_db("merge", "k", "2", "--u64", "--ttl", "86400")
        self.on_db("merge", "k", "4", "--u64")
        self.wait_until(lambda: self.number("k") == 6, "an operand to expire")
        self.on_db("merge", "k", "8", "--u64", "--ttl", "0.2")  # takes what is older along
        self.wait_until_gone("k")

    def test_default_of_a_keyspace(self):
        self.create("default", "--ttl", "0.2")
        self.on_db("put", "by default", "v")
        self.on_db("put", "own", "v", "--ttl", "86400")
        self.load([(b"loaded", b"v")])
        self.load([(b"bulk", b"v")], "--bulk")
        self.wait_until_gone("by default")
        self.wait_until_gone("loaded")
        self.create("default", "--ttl", "0")
        self.on_db("put", "then", "v")
        self.assertEqual(b"bulk\nown\nthen\n", self.on_db("scan", "--keys-only").out)
        self.assertEqual(["0\tdefault\t-"], self.keyspaces())

    def test_wrong_use(self):
        for ttl in WRONG_TTLS:
            with self.subTest(ttl=ttl):
                self.assert_error(self.on_db("put", "k", "v", "--ttl", ttl, code=USAGE), "--ttl", "100 years")
                self.assert_error(self.create("a", "--ttl", ttl, code=USAGE), "--ttl", "100 years")
        for ttl in ("0", "0.0", "-0"):
            self.assert_error(self.on_db("put", "k", "v", "--ttl", ttl, code=USAGE), "--ttl", "above 0")
        self.assertFalse(self.db.exists())


class RangeDelete(DataModelCase):
    def setUp(self):
        super().setUp()
        for keyspace in ("default", "other"):
            self.load([(bytes([c]), b"v") for c in b"abcdef"], "--keyspace", keyspace)

    def keys(self, *arguments):
        return self.on_db("scan", "--keys-only", *arguments).out.split()

    def test_from_begin_up_to_end(self):
        self.assertEqual(b"", self.on_db("delete", "--from", "b", "--to", "d").out)
        self.assertEqual([b"a", b"d", b"e", b"f"], self.keys())
        self.on_db("get", "b", code=NOT_FOUND)
        self.on_db("put", "c", "again")
        self.on_db("delete", "--sync", "--from", "d5", "--to", "e5")  # bounds need not be keys
        self.on_db("delete", "--from", "a", "--to", "a")  # holds no key
        self.assertEqual([b"a", b"c", b"d", b"f"], self.keys())
        self.on_db("compact")
        self.on_db("verify")
        self.assertEqual([b"a", b"c", b"d", b"f"], self.keys())
        self.assertEqual(6, len(self.keys("--keyspace", "other")))

    def test_open_end(self):
        self.on_db("put", "--hex", "ffffff", "00")
        self.on_db("delete", "--from", "c")
        self.assertEqual([b"a", b"b"], self.keys())
        self.assertEqual(6, len(self.keys("--keyspace", "other")), "the keyspace behind stays")

    def test_from_the_first_key(self):
        self.on_db("put", "", "under the empty key")
        self.on_db("delete", "--from", "", "--to", "c")
        self.assertEqual([b"c", b"d", b"e", b"f"], self.keys())
        self.on_db("get", "", code=NOT_FOUND)
        self.on_db("delete", "--from", "")
        self.assertEqual([], self.keys())
        self.assertEqual(6, len(self.keys("--keyspace", "other")))

    def test_empty_end_holds_no_key(self):
        self.on_db("delete", "--from", "", "--to", "")
        self.assertEqual(6, len(self.keys()))

    def test_in_a_keyspace(self):
        self.on_db("delete", "--keyspace", "other", "--from", "b", "--to", "d")
        self.on_db("delete", "--keyspace", "other", "--from", "f")
        self.assertEqual([b"a", b"d", b"e"], self.keys("--keyspace", "other"))
        self.assertEqual(6, len(self.keys()))
        failed = self.on_db("delete", "--keyspace", "absent", "--from", "", code=ERROR)
        self.assert_error(failed, "there is no keyspace absent")

    def test_hex(self):
        for key in ("00", "00ff", "80", "ff"):
            self.on_db("put", "--hex", key, "00")
        self.on_db("delete", "--hex", "--from", "00ff", "--to", "62")
        self.assertEqual([b"00", *(b"%02x" % c for c in b"bcdef"), b"80", b"ff"], self.keys("--hex"))
        self.on_db("delete", "--hex", "--from", "80")
        self.assertEqual([b"00", *(b"%02x" % c for c in b"bcdef")], self.keys("--hex"))

    def test_inverted_range_is_refused(self):
        for arguments in (["--from", "d", "--to", "b"], ["--from", "a", "--to", ""]):
            with self.subTest(arguments=arguments):
                self.assert_error(self.on_db("delete", *arguments, code=ERROR), "InvalidArgument", "below the begin")
        self.assertEqual(6, len(self.keys()))

    def test_wrong_use(self):
        cases = [[], ["--to", "b"], ["k", "--from", "a"], ["k", "--to", "b"], ["k", "--from", "a", "--to", "b"],
                 ["--keys-from", "-", "--from", "a"], ["--keys-from", "-", "--to", "b"], ["--from"],
                 ["--hex", "--from", "0"], ["--hex", "--from", "00", "--to", "zz"]]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                outcome = self.on_db("delete", *arguments, stdin=b"a\n", code=USAGE)
                self.assertEqual(b"", outcome.out)
                self.assertTrue(outcome.err.startswith(b"seerdb: "), outcome.err)
        self.assertEqual(6, len(self.keys()))

    def test_dump_of_a_manifest(self):
        def manifest():
            dumped = self.run_tool("dump", self.files("MANIFEST-*")[-1]).out.decode()
            return dumped.split("state after the last edit:\n")

        self.on_db("delete", "--hex", "--from", b"b\x00".hex(), "--to", "64")
        edits, state = manifest()
        self.assertRegex(edits, r"\n  range tombstone \d+ keys b\\x00 \.\. d\n")
        self.assertRegex(state, r"\n  range tombstone \d+ keys b\\x00 \.\. d\n")
        self.on_db("delete", "--keyspace", "other", "--from", "e")
        edits, state = manifest()
        self.assertRegex(edits, r"\n  range tombstone \d+ keys keyspace 1: e \.\.\n")
        self.assertEqual(2, state.count("range tombstone"))
        self.on_db("compact")
        self.assertNotIn("range tombstone", manifest()[1])

    def test_dump_of_a_log(self):
        out = "".join(self.run_tool("dump", "--entries", log).out.decode() for log in sorted(GOLDEN.glob("*.log")))
        for line in ("delete-range\tf\tg", "delete-range\tkeyspace 1: \tkeyspace 1: c", "delete-range\tkeyspace 1: e"):
            self.assertRegex(out, "\n  \\d+\t" + line + "\n")


class KeyspaceOptions(DataModelCase):
    def test_are_listed(self):
        self.create("a", "--ttl", "0.25", "--merge-operator", "seerdb.string_append: \t\n", "--compression", "lz4")
        self.create("b", "--ttl", HUNDRED_YEARS)
        self.create("c", "--ttl", "1.000001", "--merge-operator", b"seerdb.string_append:\xff")
        for name in OPERATORS:
            self.create(name, "--merge-operator", name)
        self.assertEqual(["0\tdefault\t-",
                          "1\ta\tcompression=lz4 ttl=0.25 merge_operator=seerdb.string_append: \\t\\x0a",
                          "2\tb\tttl=" + HUNDRED_YEARS,
                          "3\tc\tttl=1.000001 merge_operator=seerdb.string_append:\\xff",
                          *("%d\t%s\tmerge_operator=%s" % (4 + i, name, name) for i, name in enumerate(OPERATORS))],
                         self.keyspaces())
        self.assertEqual("3\t63\tttl=1.000001 merge_operator=seerdb.string_append:\\xff", self.keyspaces("--hex")[3])
        shown = [json.loads(line)["options"] for line in self.keyspaces("--output", "json")]
        self.assertEqual({"compression": "lz4", "ttl": 0.25, "merge_operator": "seerdb.string_append: \t\n"}, shown[1])
        self.assertEqual({"ttl": int(HUNDRED_YEARS)}, shown[2])
        self.assertEqual({"hex": b"seerdb.string_append:\xff".hex()}, shown[3]["merge_operator"])

    def test_stay_when_others_are_given(self):
        for name in ("default", "a"):
            self.create(name, "--merge-operator", "seerdb.u64_max")
            self.create(name, "--ttl", "86400")
            self.create(name, "--compression", "zstd")
            self.create(name)
            self.create(name, "--merge-operator", "seerdb.u64_max")
        options = "compression=zstd ttl=86400 merge_operator=seerdb.u64_max"
        self.assertEqual(["0\tdefault\t" + options, "1\ta\t" + options], self.keyspaces())

    def test_operator_is_for_good(self):
        for name in ("default", "a"):
            self.create(name, "--merge-operator", "seerdb.u64_max")
            failed = self.create(name, "--merge-operator", "seerdb.u64_add", "--ttl", "1", code=ERROR)
            self.assert_error(failed, "seerdb.u64_max", "seerdb.u64_add")
        self.assertEqual(["0\tdefault\tmerge_operator=seerdb.u64_max", "1\ta\tmerge_operator=seerdb.u64_max"],
                         self.keyspaces())

    def test_unknown_operators(self):
        for name in ("", "u64_add", "seerdb.u64_ad", "seerdb.string_append", "mine"):
            with self.subTest(name=name):
                failed = self.create("a", "--merge-operator", name, code=USAGE)
                self.assert_error(failed, *OPERATORS, "seerdb.string_append:DELIMITER")
        self.assertFalse(self.db.exists())


if __name__ == "__main__":
    unittest.main()
