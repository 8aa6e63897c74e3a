"""Keyspaces: seerdb keyspace, --keyspace of the commands that read and write, and how dumps show them."""
import json
import unittest

from cli_case import ERROR, NOT_FOUND, USAGE, CliCase

# What no argument can hold, what is not UTF-8, and what means something elsewhere.
ODD = b"\x00\xff\t\\ \n--db=x"


class Records(CliCase):
    def test_of_one_key_each_keyspace_has_its_own_value(self):
        self.on_db("put", "k", "in default")
        for name in ("a", "b"):
            self.on_db("put", "--keyspace", name, "k", "in " + name)
        self.on_db("put", "--keyspace", "b", "only b", "1")
        self.assertEqual(b"in default\n", self.on_db("get", "k").out)
        self.assertEqual(b"in default\n", self.on_db("get", "--keyspace", "default", "k").out)
        self.assertEqual(b"in a\n", self.on_db("get", "--keyspace", "a", "k").out)
        self.assertEqual(b"k\tin b\nonly b\t1\n", self.on_db("scan", "--keyspace", "b").out)
        self.assertEqual(b"only b\n", self.on_db("scan", "--keyspace=b", "--prefix", "only", "--keys-only").out)
        self.assert_error(self.on_db("get", "--keyspace", "a", "only b", code=NOT_FOUND), "not found: only b")
        self.on_db("delete", "--keyspace", "a", "k")
        self.assertEqual(b"", self.on_db("scan", "--keyspace", "a").out)
        self.assertEqual(b"k\tin default\n", self.on_db("scan").out)

    def test_files_of_keys(self):
        self.on_db("put", "k1", "default")
        self.on_db("load", "-", "--keyspace", "a", stdin=b"k1\t1\nk2\t2\nk3\t3\n")
        keys = self.write("keys", b"k1\nabsent\nk3\n")
        for batch in ("1", "2"):
            got = self.on_db("get", "--keyspace", "a", "--keys-from", keys, "--batch", batch, code=NOT_FOUND)
            self.assertEqual(b"k1\t1\nk3\t3\n", got.out)
        for batch in ("1", "1000"):
            self.on_db("delete", "--keyspace", "a", "--keys-from", keys, "--batch", batch)
        self.assertEqual(b"k2\t2\n", self.on_db("scan", "--keyspace", "a").out)
        self.assertEqual(b"k1\tdefault\n", self.on_db("scan").out)

    def test_loads(self):
        records = [(b"k%04d" % (i * 7919 % 3000), b"v%d" % i) for i in range(3000)]
        expected = [k + b"\t" + v for k, v in sorted(records)]
        for name, how in (("batches", ["--batch", "100"]), ("bulk", ["--bulk"])):
            self.load(records, "--keyspace", name, *how)
            self.assertEqual(expected, self.on_db("scan", "--keyspace", name).out.splitlines())
        self.load(sorted(records), "--keyspace", "sorted", "--bulk", "--sorted")
        self.assertEqual(b"3000\n", self.on_db("scan", "--keyspace", "sorted", "--count").out)
        self.assertEqual(b"", self.on_db("scan").out)
        self.on_db("compact")
        self.on_db("verify")
        self.assertEqual(expected, self.on_db("scan", "--keyspace", "bulk").out.splitlines())

    def test_odd_names(self):
        name = ["--keyspace-hex", ODD.hex()]
        self.on_db("put", *name, "k", "1")
        self.on_db("load", "-", *name, stdin=b"l\t2\n")
        self.assertEqual(b"1\n", self.on_db("get", *name, "k").out)
        self.on_db("delete", *name, "k")
        self.assertEqual(b"l\t2\n", self.on_db("scan", *name).out)
        # Keys are in hexadecimal with --hex, the name is not.
        self.on_db("put", "--keyspace", b"\xff\t=", "--hex", "00", "01")
        self.assertEqual(b"00\t01\n", self.on_db("scan", "--keyspace-hex", b"\xff\t=".hex(), "--hex").out)

    def test_missing_one_is_named(self):
        self.on_db("put", "k", "v")
        cases = [["get", "k"], ["get", "--keys-from", "-"], ["scan"], ["delete", "k"], ["delete", "--keys-from", "-"],
                 ["put", "--no-create", "k", "v"], ["load", "--no-create", "-"],
                 ["load", "--no-create", "--bulk", "-"]]
        for command in cases:
            with self.subTest(command=command):
                failed = self.on_db(command[0], "--keyspace-hex", b"no\nsuch".hex(), *command[1:],
                                    stdin=b"k\tv\n", code=ERROR)
                self.assertEqual(b"", failed.out)
                self.assert_error(failed, "there is no keyspace no\\x0asuch")
        self.assertEqual(b"0\tdefault\t-\n", self.run_tool("keyspace", "list", "--db", self.db).out)
        self.on_db("put", "--keyspace", "there", "k", "v")
        self.on_db("put", "--keyspace", "there", "--no-create", "k", "w")
        self.on_db("load", "-", "--keyspace", "there", "--no-create", stdin=b"l\tx\n")
        self.assertEqual(b"k\tw\nl\tx\n", self.on_db("scan", "--keyspace", "there").out)

    def test_wrong_names(self):
        wrong = [["--keyspace", ""], ["--keyspace", "n" * 256], ["--keyspace-hex", "0"], ["--keyspace-hex", "zz"],
                 ["--keyspace-hex", ""], ["--keyspace", "a", "--keyspace-hex", "61"]]
        for name in wrong:
            for command in (["put", "k", "v"], ["get", "k"], ["scan"], ["load", "-"], ["delete", "k"]):
                with self.subTest(name=name, command=command):
                    self.assert_error(self.on_db(command[0], *name, *command[1:], code=USAGE), "--keyspace")
        self.assertFalse(self.db.exists())
        self.on_db("put", "--keyspace", "n" * 255, "k", "v")
        self.assertEqual(b"v\n", self.on_db("get", "--keyspace", "n" * 255, "k").out)


class Keyspace(CliCase):
    def keyspace(self, command, *arguments, **how):
        return self.run_tool("keyspace", command, "--db", self.db, *arguments, **how)

    def lines(self, *arguments):
        return self.keyspace("list", *arguments).out.decode().splitlines()

    def test_help(self):
        self.assertIn(b"keyspace", self.run_tool("--help").out)
        out = self.run_tool("keyspace", "--help").out
        for command in (b"list", b"create", b"drop"):
            self.assertIn(command, out)
            self.assertIn(b"--db", self.run_tool("keyspace", command, "--help").out)

    def test_wrong_use(self):
        cases = [[], ["rename"], ["list"], ["create", "--db", "x"], ["drop", "--db", "x"], ["create", "a"],
                 ["create", "--db", "x", ""], ["create", "--db", "x", "n" * 256], ["create", "--db", "x", "--hex", "0"],
                 ["drop", "--db", "x", "--hex", "zz"], ["create", "--db", "x", "a", "--compression", "gzip"],
                 ["create", "--db", "x", "a", "b"], ["list", "--db", "x", "--output", "xml"]]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                outcome = self.run_tool("keyspace", *arguments, code=USAGE)
                self.assertEqual(b"", outcome.out)
                self.assertTrue(outcome.err.startswith(b"seerdb: "), outcome.err)

    def test_create_and_list(self):
        self.keyspace("create", "users", "--compression", "zstd")
        self.keyspace("create", "plain")
        self.keyspace("create", "stored", "--compression", "none")
        self.assertEqual(["0\tdefault\t-", "1\tusers\tcompression=zstd", "2\tplain\t-", "3\tstored\tcompression=none"],
                         self.lines())
        # Once more: what is not given stays as it is, and so do the keys.
        self.on_db("put", "--keyspace", "users", "k", "v")
        self.keyspace("create", "users")
        self.keyspace("create", "plain", "--compression", "lz4")
        self.assertEqual(["1\tusers\tcompression=zstd", "2\tplain\tcompression=lz4"], self.lines()[1:3])
        self.assertEqual(b"k\tv\n", self.on_db("scan", "--keyspace", "users").out)
        self.keyspace("create", "default", "--compression", "lz4")
        self.assertEqual("0\tdefault\tcompression=lz4", self.lines()[0])

    def test_compression_is_that_of_the_keyspace(self):
        text = [(b"k%04d" % i, b"value " * 50) for i in range(2000)]
        self.keyspace("create", "packed", "--compression", "zstd")
        self.load(text, "--keyspace", "packed")
        packed = sum(path.stat().st_size for path in self.files("*.sst"))
        self.load(text)
        self.assertGreater(sum(path.stat().st_size for path in self.files("*.sst")), 5 * packed)

    def test_forms_of_names(self):
        self.keyspace("create", "--hex", ODD.hex())
        self.keyspace("create", "zürich", "--compression", "lz4")
        self.assertEqual(["0\tdefault\t-", "1\t\\x00\\xff\\t\\\\ \\x0a--db=x\t-",
                          "2\tz\\xc3\\xbcrich\tcompression=lz4"], self.lines())
        in_hex = ["0\t" + b"default".hex() + "\t-", "1\t" + ODD.hex() + "\t-",
                  "2\t" + "zürich".encode().hex() + "\tcompression=lz4"]
        self.assertEqual(in_hex, self.lines("--output", "hex"))
        self.assertEqual(in_hex, self.lines("--hex"))
        self.assertIn(b"1\t" + ODD + b"\t-\n", self.keyspace("list", "--output", "raw").out)
        shown = [json.loads(line) for line in self.keyspace("list", "--hex", "--output", "json").out.splitlines()]
        self.assertEqual([{"id": 0, "name": "default", "options": {}},
                          {"id": 1, "name": {"hex": ODD.hex()}, "options": {}},
                          {"id": 2, "name": "zürich", "options": {"compression": "lz4"}}], shown)
        self.keyspace("drop", "--hex", ODD.hex())
        self.assertEqual(2, len(self.lines()))

    def test_drop(self):
        self.on_db("put", "k", "default")
        self.on_db("put", "--keyspace", "a", "k", "old")
        self.on_db("put", "--keyspace", "b", "k", "b")
        self.keyspace("drop", "a")
        self.assertEqual(["0\tdefault\t-", "2\tb\t-"], self.lines())
        self.assert_error(self.on_db("get", "--keyspace", "a", "k", code=ERROR), "there is no keyspace a")
        self.assert_error(self.keyspace("drop", "a", code=ERROR), "there is no keyspace a")
        self.assert_error(self.keyspace("drop", "default", code=ERROR), "default", "cannot be dropped")
        self.assertEqual(b"b\n", self.on_db("get", "--keyspace", "b", "k").out)
        # Another one under the same name begins empty.
        self.keyspace("create", "a")
        self.assertEqual(["0\tdefault\t-", "2\tb\t-", "3\ta\t-"], self.lines())
        self.on_db("get", "--keyspace", "a", "k", code=NOT_FOUND)
        self.on_db("compact")
        self.on_db("verify")
        self.assertEqual(b"", self.on_db("scan", "--keyspace", "a").out)
        self.assertEqual(b"k\tdefault\n", self.on_db("scan").out)

    def test_only_create_makes_a_database(self):
        for arguments in (["list"], ["drop", "a"], ["create", "a", "--no-create"]):
            with self.subTest(arguments=arguments):
                self.assert_error(self.keyspace(*arguments, code=ERROR), str(self.db))
                self.assertEqual([], list(self.db.iterdir()) if self.db.exists() else [])
        self.keyspace("create", "a")
        self.keyspace("create", "b", "--no-create")
        self.assertEqual(3, len(self.lines()))


class Dump(CliCase):
    def test_table(self):
        self.on_db("put", "--keyspace", "users", "ada", "lovelace")
        table, = self.files("*.sst")
        out = self.run_tool("dump", "--entries", table).out.decode()
        for name in ("smallest_key", "largest_key"):
            self.assertRegex(out, r"\n%s +keyspace 1: ada\n" % name)
        self.assertRegex(out, r"\nkeyspace 1: ada\t\d+\tput\tlovelace\n")

    def test_log(self):
        loader = self.start_loader("--keyspace", "users")
        loader.stdin.write(b"ada\tlovelace\ngrace\thopper\n")
        loader.stdin.flush()

        def written():
            for log in self.files("*.log"):
                if b"record 2," in self.run_tool("dump", log).out:
                    return log
            return None

        log = self.wait_until(written, "two frames in the log")
        loader.kill()
        loader.wait()
        out = self.run_tool("dump", "--entries", log).out.decode()
        self.assertIn("  1\tput\tkeyspace 1: ada\tlovelace\n", out)
        self.assertIn("  2\tput\tkeyspace 1: grace\thopper\n", out)
        self.assertEqual(b"ada\tlovelace\ngrace\thopper\n", self.on_db("scan", "--keyspace", "users").out)

    def test_manifest(self):
        """Each command writes a manifest of its own, so one holds the edit and the next one the state."""
        def manifest():
            return self.run_tool("dump", self.files("MANIFEST-*")[-1]).out.decode()

        self.run_tool("keyspace", "create", "--db", self.db, "z\n", "--compression", "zstd")
        made, state = manifest().split("state after the last edit:\n")
        line = "  keyspace 1 name z\\x0a compression zstd\n"
        self.assertIn("  next_keyspace_id 2\n" + line, made)
        self.assertIn("  next_keyspace_id 2\n" + line, state)
        self.on_db("put", "--keyspace", "z\n", "key", "v")
        edits, state = manifest().split("state after the last edit:\n")
        self.assertRegex(edits, r"\n  table \d+ keys keyspace 1: key \.\. keyspace 1: key\n")
        self.assertIn(line, state)
        self.run_tool("keyspace", "drop", "--db", self.db, "z\n")
        edits, state = manifest().split("state after the last edit:\n")
        self.assertIn("  drop keyspace 1\n", edits)
        self.assertIn("  next_keyspace_id 2\n", state)
        self.assertNotIn("keyspace 1", state)


if __name__ == "__main__":
    unittest.main()
