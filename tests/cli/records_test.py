"""Records in and out: load, get, put, delete, scan."""
import json
import os
import pty
import struct
import subprocess
import time
import unittest

from cli_case import BIN, ERROR, NOT_FOUND, USAGE, CliCase

EVERY_BYTE = bytes(range(256))


class PutGetDelete(CliCase):
    def test_text_round_trip(self):
        self.on_db("put", "name", "value with spaces")
        self.assertEqual(b"value with spaces\n", self.on_db("get", "name").out)
        self.assertEqual(b"value with spaces", self.on_db("get", "-n", "name").out)
        self.assertEqual(b"name\tvalue with spaces\n", self.on_db("get", "name", "--output", "text").out)

    def test_overwrite_and_delete(self):
        self.on_db("put", "k", "1")
        self.on_db("put", "k", "2")
        self.assertEqual(b"2\n", self.on_db("get", "k").out)
        self.on_db("delete", "k")
        missing = self.on_db("get", "k", code=NOT_FOUND)
        self.assertEqual(b"", missing.out)
        self.assert_error(missing, "not found: k")
        self.on_db("delete", "k")

    def test_binary_round_trip_in_hex(self):
        self.on_db("put", "--hex", EVERY_BYTE.hex(), EVERY_BYTE[::-1].hex().upper())
        got = self.on_db("get", "--hex", EVERY_BYTE.hex())
        self.assertEqual(EVERY_BYTE[::-1].hex().encode() + b"\n", got.out)
        self.on_db("delete", "--hex", EVERY_BYTE.hex())
        self.on_db("get", "--hex", EVERY_BYTE.hex(), code=NOT_FOUND)

    def test_value_from_stdin(self):
        value = EVERY_BYTE * 4096
        self.on_db("put", "big", "-", stdin=value)
        self.assertEqual(value, self.on_db("get", "-n", "big").out)
        self.on_db("put", "--hex", "00ff", "-", stdin=b"0a0b\n")
        self.assertEqual(b"0a0b\n", self.on_db("get", "--hex", "00ff").out)

    def test_empty_key_and_value(self):
        self.on_db("put", "", "")
        self.assertEqual(b"\n", self.on_db("get", "").out)
        self.assertEqual(b"{\"key\":\"\",\"value\":\"\"}\n", self.on_db("scan", "--output", "json").out)

    def test_dashes_behind_two_dashes(self):
        self.on_db("put", "--", "-k", "--v")
        self.assertEqual(b"--v\n", self.on_db("get", "--", "-k").out)

    def test_largest_key(self):
        key = b"k" * 65536
        self.on_db("put", key, "v")
        self.assertEqual(b"v\n", self.on_db("get", key).out)
        self.assert_error(self.on_db("put", key + b"k", "v", code=ERROR), "InvalidArgument", "65537")

    def test_keys_from_file(self):
        self.load([(b"k%03d" % i, b"v%d" % i) for i in range(100)])
        keys = self.write("keys", b"k007\nabsent\nk042\nk007")
        for batch in ("1", "2", "100"):
            got = self.on_db("get", "--keys-from", keys, "--batch", batch, "--report", code=NOT_FOUND)
            self.assertEqual(b"k007\tv7\nk042\tv42\nk007\tv7\n", got.out)
            self.assertIn(b"4 gets", got.err)
            self.assertIn(b"1 not found", got.err)
        got = self.on_db("get", "--hex", "--keys-from", "-", stdin=b"k042".hex().encode())
        self.assertEqual(b"6b303432\t763432\n", got.out)
        self.assertIn(b"deleted 4 keys", self.on_db("delete", "--keys-from", keys, "--batch", "3").out)
        self.assertEqual(b"98\n", self.on_db("scan", "--count").out)
        self.assert_error(self.on_db("get", "--hex", "--keys-from", "-", stdin=b"00\n0g\n", code=ERROR),
                          "line 2")


class Scan(CliCase):
    def setUp(self):
        super().setUp()
        self.records = [(b"a%02d" % i, b"v%d" % i) for i in range(20)] + [(b"b", b"x"), (b"c", b"y")]
        self.load(self.records)

    def scan(self, *arguments, **how):
        return self.on_db("scan", *arguments, **how).out

    def lines(self, records):
        return b"".join(k + b"\t" + v + b"\n" for k, v in records)

    def test_ranges(self):
        everything = self.records
        cases = [
            ([], everything),
            (["--reverse"], everything[::-1]),
            (["--limit", "3"], everything[:3]),
            (["--limit", "0"], []),
            (["--limit", "2", "--reverse"], everything[:-3:-1]),
            (["--prefix", "a1"], everything[10:20]),
            (["--prefix", "a1", "--reverse", "--limit", "1"], everything[19:20]),
            (["--start", "a05", "--end", "a08"], everything[5:8]),
            (["--start", "a05", "--end", "a08", "--reverse"], everything[5:8][::-1]),
            (["--start", "a18"], everything[18:]),
            (["--end", "a02"], everything[:2]),
            (["--prefix", "a1", "--start", "a15"], everything[15:20]),
            (["--prefix", "nothing"], []),
        ]
        for arguments, expected in cases:
            with self.subTest(arguments=arguments):
                self.assertEqual(self.lines(expected), self.scan(*arguments))
                self.assertEqual(b"".join(k + b"\n" for k, _ in expected),
                                 self.scan(*arguments, "--keys-only"))
                self.assertEqual(b"%d\n" % len(expected), self.scan(*arguments, "--count"))

    def test_output_forms(self):
        key, value = b"z\\\t\x00\xff\n~", "zürich".encode()
        self.on_db("put", "--hex", key.hex(), value.hex())
        bound = ["--start", "z"]
        self.assertEqual(b"z\\\\\\t\\x00\\xff\\x0a~\tz\\xc3\\xbcrich\n", self.scan(*bound))
        self.assertEqual(key.hex().encode() + b"\t" + value.hex().encode() + b"\n",
                         self.scan(*bound, "--output", "hex"))
        self.assertEqual(key + b"\t" + value + b"\n", self.scan(*bound, "--output", "raw"))
        shown = json.loads(self.scan(*bound, "--output", "json"))
        self.assertEqual({"key": {"hex": key.hex()}, "value": "zürich"}, shown)
        self.assertEqual(key.hex().encode() + b"\n", self.scan("--hex", "--prefix", "7a5c", "--keys-only"))

    def test_json_hex_for_what_is_not_utf8(self):
        for value in (b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
            self.on_db("put", "--hex", b"zz".hex(), value.hex())
            shown = json.loads(self.scan("--start", "zz", "--output", "json"))
            self.assertEqual({"hex": value.hex()}, shown["value"])
        for value in ("\U0010ffff", "\u0800", "\x00\"\\"):
            self.on_db("put", "--hex", b"zz".hex(), value.encode().hex())
            self.assertEqual(value, json.loads(self.scan("--start", "zz", "--output", "json"))["value"])


class Load(CliCase):
    def dump(self):
        return self.on_db("scan", "--output", "text").out

    def test_tsv(self):
        out = self.on_db("load", "-", stdin=b"b\t2\nc\t\n\tempty key\na\t1\tmore").out
        self.assertRegex(out, rb"^loaded 4 records, .* MB in .* s: .* records/s, .* MB/s\n$")
        self.assertEqual(b"\tempty key\na\t1\nb\t2\nc\t\n", self.dump())

    def test_last_of_equal_keys_wins_in_and_across_batches(self):
        self.on_db("load", "-", "--batch", "2", stdin=b"k\t1\nk\t2\nk\t3\nl\t4\n")
        self.assertEqual(b"k\t3\nl\t4\n", self.dump())

    def test_bulk(self):
        records = [(b"k%05d" % (i * 7919 % 5000), b"v%d" % i) for i in range(5000)]
        out = self.load(records + [(b"k00003", b"again")], "--bulk").out
        self.assertIn(b"loaded 5001 records", out)
        self.assertIn(b"dropped 1 records", out)
        self.assertEqual(b"again\n", self.on_db("get", "k00003").out)
        self.load(sorted((k, b"new") for k, _ in records), "--bulk", "--sorted", "--skip-bad")
        self.assertEqual([k + b"\tnew" for k, _ in sorted(records)],
                         self.on_db("scan").out.splitlines())
        self.on_db("verify")

    def test_bulk_is_all_or_nothing(self):
        refused = self.on_db("load", "-", "--bulk", "--sorted", stdin=b"b\t1\na\t2\n", code=ERROR)
        self.assert_error(refused, "nothing was stored", "entry 2", "'a' behind key 'b'")
        malformed = self.on_db("load", "-", "--bulk", stdin=b"a\t1\nb\n", code=ERROR)
        self.assert_error(malformed, "nothing was stored", "standard input line 2")
        self.assertEqual(b"", self.on_db("scan").out)
        for wrong in (["--sorted"], ["--bulk", "--batch", "5"], ["--bulk", "--sync"]):
            self.on_db("load", "-", *wrong, code=USAGE)

    def test_columns_by_number_and_by_name(self):
        text = b"x\tk1\ty\tv1\nx\tk2\ty\tv2\n"
        self.on_db("load", "-", "--key", "2", "--value", "4", stdin=text)
        self.assertEqual(b"k1\tv1\nk2\tv2\n", self.dump())
        named = b"a,key,b,value\r\n" + b"x,k3,y,v3\r\n"
        for key, value in (("key", "value"), ("2", "4")):
            self.on_db("load", "-", "--format", "csv", "--header", "--key", key, "--value", value, stdin=named)
        self.assertEqual(b"k1\tv1\nk2\tv2\nk3\tv3\n", self.dump())

    def test_wrong_columns_leave_no_database(self):
        for arguments in (["--key", "name"], ["--key", "0"], ["--value", "-1"],
                          ["--header", "--key", "name"], ["--header", "--value", "3"],
                          ["--format", "lp", "--key", "1"]):
            with self.subTest(arguments=arguments):
                self.assert_error(self.on_db("load", "-", *arguments, stdin=b"k\tv\n", code=USAGE))
                self.assertFalse(self.db.exists())

    def test_csv_quoting(self):
        text = (b'plain,1\n"comma, inside","2"\r\n"quote ""inside""",3\n"line\r\nend\n",4\n'
                b'"",""\nlast,"5"')
        self.on_db("load", "-", "--format", "csv", stdin=text)
        expected = (b"\t\ncomma, inside\t2\nlast\t5\nline\\x0d\\x0aend\\x0a\t4\n"
                    b'plain\t1\nquote "inside"\t3\n')
        self.assertEqual(expected, self.dump())

    def test_csv_longer_than_the_buffer(self):
        value = (b"0123456789," * 100 + b'"\n') * 1000
        self.on_db("load", "-", "--format", "csv", stdin=b'k,"' + value.replace(b'"', b'""') + b'"\nl,2\n')
        self.assertEqual(value, self.on_db("get", "-n", "k").out)
        self.assertEqual(b"2\n", self.on_db("get", "l").out)

    def test_malformed_lines_are_named(self):
        cases = [
            ("tsv", b"a\t1\nb\t2\nno tab\nc\t3\n", "line 3"),
            ("tsv", b"a\t1\n\nb\t2\n", "line 2"),
            ("tsv", b"k" * 65537 + b"\tv\n", "line 1"),
            ("csv", b'a,1\n"x\ny",2\nb"c,3\nd,4\n', "line 4"),
            ("csv", b'a,1\n"b"c,2\nd,4\n', "line 2"),
            ("csv", b'a,1\n"b,2\nd,4\n', "line 2"),
            ("csv", b"a,1\nb\n", "line 2"),
        ]
        for form, text, position in cases:
            with self.subTest(text=text[:40]):
                failed = self.on_db("load", "-", "--format", form, stdin=text, code=ERROR)
                self.assert_error(failed, "InvalidArgument", "standard input " + position + ":")
                skipped = self.on_db("load", "-", "--format", form, "--skip-bad", stdin=text)
                self.assertIn(b"skipped 1 malformed record", skipped.out)

    def test_records_in_front_of_a_malformed_one_are_stored(self):
        failed = self.on_db("load", "-", stdin=b"a\t1\nb\t2\nbad\nc\t3\n", code=ERROR)
        self.assert_error(failed, "after 2 records")
        self.assertEqual(b"a\t1\nb\t2\n", self.dump())
        self.on_db("load", "-", "--skip-bad", stdin=b"a\t1\nb\t2\nbad\nc\t3\n")
        self.assertEqual(b"a\t1\nb\t2\nc\t3\n", self.dump())

    def test_stats_of_the_load(self):
        out = self.on_db("load", "-", "--stats", stdin=b"a\t1\nb\t2\n").out
        self.assertRegex(out, rb"\ntotal_puts +2\n")
        self.assertRegex(out, rb"\ntotal_flushes +1\n")

    def test_length_prefixed(self):
        def record(key, value):
            return struct.pack("<I", len(key)) + key + struct.pack("<I", len(value)) + value

        text = record(EVERY_BYTE, b"") + record(b"", EVERY_BYTE * 3000) + record(b"k", b"\t\n")
        path = self.write("records", text)
        self.on_db("load", path, "--format", "lp")
        self.assertEqual(EVERY_BYTE * 3000, self.on_db("get", "-n", "").out)
        self.assertEqual(b"\n", self.on_db("get", "--hex", EVERY_BYTE.hex()).out)
        self.assertEqual(b"3\n", self.on_db("scan", "--count").out)
        for cut in (len(text) - 1, len(text) - 2, len(text) - 7, len(text) - 10):
            failed = self.on_db("load", "-", "--format", "lp", stdin=text[:cut], code=ERROR)
            self.assert_error(failed, "record 3 @", "end of the input")
        huge = struct.pack("<I", 1 << 31) + b"x"
        self.assert_error(self.on_db("load", "-", "--format", "lp", stdin=record(b"a", b"b") + huge,
                                     code=ERROR), "record 2 @10", "2147483648")

    def test_missing_input_leaves_no_database(self):
        self.assert_error(self.on_db("load", self.folder / "absent", code=ERROR), "IoError", "absent")
        self.assertFalse(self.db.exists())

    def test_bar_on_a_terminal(self):
        path = self.write("records", b"".join(b"%07d\tv\n" % i for i in range(20_000)))
        outer, inner = pty.openpty()
        loader = subprocess.Popen([BIN, "load", "--db", self.db, path, "--batch", "1", "--sync-policy",
                                   "none"], stdout=subprocess.PIPE, stderr=inner)
        os.close(inner)
        shown = b""
        while True:
            try:
                piece = os.read(outer, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(outer)
        out, _ = loader.communicate()
        self.assertEqual(0, loader.returncode)
        self.assertIn(b"loaded 20000 records", out)
        self.assertRegex(shown, rb"\r\[#*\.*\] \d+ %  \d+ records .* left")

    def test_plain_lines_elsewhere(self):
        loader = self.start_loader()
        loader.stdin.write(b"a\t1\n")
        loader.stdin.flush()
        time.sleep(3.5)
        out, err = loader.communicate(b"b\t2\n", timeout=60)
        self.assertEqual(0, loader.returncode, err)
        self.assertIn(b"loaded 2 records", out)
        self.assertRegex(err, rb"^\d records  .*records/s.*\n")
        self.assertNotIn(b"\r", err)


if __name__ == "__main__":
    unittest.main()
