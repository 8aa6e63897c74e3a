"""What the tool says about a database: help, exit codes, stats, tree, compact, verify, dump."""
import json
import unittest

from cli_case import ERROR, USAGE, CliCase

COMMANDS = ["load", "get", "put", "delete", "scan", "stats", "health", "verify", "compact", "tree", "dump",
            "config"]
READERS = [["get", "k"], ["delete", "k"], ["scan"], ["stats"], ["health"], ["verify"], ["compact"], ["tree"]]


class Usage(CliCase):
    def test_help_of_every_command(self):
        self.assertIn(b"Exit codes", self.run_tool("--help").out)
        for command in COMMANDS:
            out = self.run_tool(command, "--help").out.decode()
            self.assertIn(command, self.run_tool("--help").out.decode())
            self.assertIn("--help", out)
            self.assertEqual(command not in ("dump", "config"), "--db" in out)

    def test_version(self):
        self.assertRegex(self.run_tool("--version").out, rb"^seerdb \d+\.\d+\.\d+\n$")

    def test_wrong_use(self):
        cases = [[], ["unknown"], ["get"], ["get", "k"], ["put", "--db", "x", "k"], ["dump"],
                 ["get", "--db", "x"], ["delete", "--db", "x"], ["get", "--db", "x", "--hex", "0"],
                 ["get", "--db", "x", "--hex", "zz"], ["delete", "--db", "x", "--hex", "0"],
                 ["put", "--db", "x", "--hex", "00", "0"], ["scan", "--db", "x", "--hex", "--start", "0"],
                 ["compact", "--db", "x", "--hex", "--end", "q"], ["scan", "--db", "x", "--limit", "-1"],
                 ["scan", "--db", "x", "--output", "xml"], ["stats", "--db", "x", "--output", "xml"], ["load", "--db", "x", "-", "--batch", "0"],
                 ["load", "--db", "x", "-", "--format", "yaml"], ["put", "--db", "x", "k", "v", "more"],
                 ["put", "--db", "x", "k", "v", "--sync-policy", "sometimes"],
                 ["get", "--db", "x", "k", "--keys-from", "-"], ["config", "--preset", "fast"],
                 ["config", "--workload", "some"], ["config", "--memory", "much"],
                 ["config", "--preset", "default", "--memory", "1GB"]]
        for arguments in cases:
            with self.subTest(arguments=arguments):
                outcome = self.run_tool(*arguments, code=USAGE)
                self.assertEqual(b"", outcome.out)
                self.assertTrue(outcome.err.startswith(b"seerdb: "), outcome.err)

    def test_config(self):
        def shown(*arguments):
            return dict(line.split(" ", 1) for line in self.run_tool("config", *arguments).out.decode().splitlines())

        standard = shown()
        self.assertEqual("64 MiB", standard["memtable_capacity"])
        self.assertEqual("true", standard["create_if_missing"])
        self.assertEqual(standard, shown("--preset", "default"))
        cases = [(["--preset", "embedded"], "metrics", "false"), (["--preset", "large_scale"], "base_level_size", "4 GiB"),
                 (["--preset", "high_throughput"], "memtable_capacity", "512 MiB"),
                 (["--memory", "1073741824"], "max_memory_bytes", "1 GiB"), (["--memory", "1GB"], "max_memory_bytes", "1 GiB"),
                 (["--memory", "1GiB"], "max_memory_bytes", "1 GiB"),
                 (["--disk", "100G"], "min_disk_space_bytes", "5 GiB"),
                 (["--workload", "bulk"], "compaction_policy", "tiered"),
                 (["--memory", "8MB", "--disk", "1TB", "--workload", "scan_heavy"], "compaction_policy", "leveled")]
        for arguments, name, value in cases:
            with self.subTest(arguments=arguments):
                self.assertEqual(value, shown(*arguments)[name])

    def test_database_from_the_environment(self):
        environment = {"SEERDB_DB": str(self.db)}
        self.run_tool("put", "k", "v", env=environment)
        self.assertEqual(b"v\n", self.run_tool("get", "k", env=environment).out)
        self.assertEqual(b"v\n", self.on_db("get", "k", env={"SEERDB_DB": "/nowhere"}).out)

    def test_readers_never_create(self):
        for command in READERS + [["put", "--no-create", "k", "v"], ["load", "--no-create", "-"]]:
            with self.subTest(command=command):
                self.assert_error(self.on_db(*command, code=ERROR), str(self.db))
                self.assertEqual([], list(self.db.iterdir()) if self.db.exists() else [])

    def test_path_that_is_a_file(self):
        self.db.write_bytes(b"not a database")
        self.assert_error(self.on_db("put", "k", "v", code=ERROR), str(self.db))
        self.assertEqual(b"not a database", self.db.read_bytes())

    def test_options_of_the_engine(self):
        records = [(b"k%05d" % i, b"value " * 20) for i in range(3000)]
        for compression in ("none", "lz4", "zstd"):
            for access in ("auto", "mapped", "pread"):
                for policy in ("none", "barrier", "data", "all"):
                    how = ["--compression", compression, "--table-access", access, "--sync-policy", policy]
                    self.load(records[:500], *how, "--sync")
        self.assertEqual(b"500\n", self.on_db("scan", "--count").out)


class Shape(CliCase):
    def setUp(self):
        super().setUp()
        self.records = [(b"k%05d" % i, b"v%d" % i) for i in range(5000)]
        self.load(self.records)

    def test_stats(self):
        text = self.on_db("stats").out.decode()
        self.assertIn("\ntotal_sstables ", text)
        self.assertIn("\nwrite_stall          healthy ", text)
        stats = json.loads(self.on_db("stats", "--output", "json").out)
        for name in ("total_puts", "write_amplification", "directory_bytes"):
            self.assertIn(name, stats)
        self.assertEqual(0, stats["get_latency"]["count"])
        self.assertEqual("healthy", stats["health"]["compaction_lag"]["status"])
        self.assertEqual(5000, sum(level["entries"] for level in stats["levels"]))
        self.assertEqual(stats["total_disk_bytes"], sum(level["bytes"] for level in stats["levels"]))
        self.assertGreaterEqual(stats["last_sequence"], 5000)

    def test_stats_for_prometheus(self):
        out = self.on_db("stats", "--output", "prometheus").out.decode()
        self.assertRegex(out, r"(?m)^# TYPE seerdb_puts_total counter\nseerdb_puts_total 0$")
        self.assertRegex(out, r'(?m)^seerdb_level_entries\{level="\d"\} 5000$')
        self.assertRegex(out, r'(?m)^seerdb_health\{check="wal_size"\} 0$')
        self.assertRegex(out, r'(?m)^seerdb_get_latency_seconds_count 0$')

    def test_health(self):
        lines = self.on_db("health").out.decode().splitlines()
        self.assertEqual("healthy", lines[0])
        self.assertEqual(["compaction_lag", "wal_size", "memtable_utilization", "put_latency_p99", "get_latency_p99",
                          "worker_errors", "write_stall"], [line.split()[0] for line in lines[1:]])
        self.assertTrue(all(line.split()[1] == "healthy" for line in lines[1:]), lines)

    def test_verify(self):
        out = self.on_db("verify").out.decode()
        counters = dict(line.split() for line in out.splitlines()[1:])
        self.assertEqual(["sstables_verified", "blocks_verified", "sstable_bytes_verified", "vlog_verified",
                          "vlog_records_verified", "vlog_bytes_verified"], list(counters))
        self.assertEqual(len(self.files("*.sst")), int(counters["sstables_verified"]))
        self.assertGreater(int(counters["blocks_verified"]), 1)

    def test_tree_and_compact(self):
        tree = self.on_db("tree").out.decode()
        self.assertRegex(tree, r"L\d +1 +1 +5000 +0 +[\d.]+ KiB  #+\n")
        self.assertRegex(tree, r"all +1 +1 +5000 ")
        self.on_db("delete", "--keys-from", "-", stdin=b"".join(k + b"\n" for k, _ in self.records[::2]))
        out = self.on_db("compact").out.decode()
        self.assertIn("compacted", out)
        self.assertRegex(out, r"all +1 +1 +2500 +0 ")
        self.assertEqual(b"2500\n", self.on_db("scan", "--count").out)

    def test_compact_a_range(self):
        self.assertIn(b"compacted", self.on_db("compact", "--start", "k00100", "--end", "k00200").out)
        self.assertEqual(b"5000\n", self.on_db("scan", "--count").out)

    def test_dump_table(self):
        table = self.files("*.sst")[0]
        out = self.run_tool("dump", table).out.decode()
        fields = dict(line.split(None, 1) for line in out.splitlines())
        self.assertEqual("table", fields["kind"])
        self.assertEqual("5000", fields["entries"])
        self.assertEqual("k00000", fields["smallest_key"])
        self.assertEqual("k04999", fields["largest_key"])
        self.assertEqual(str(table.stat().st_size), fields["file_bytes"])
        for part in ("filter_bytes", "index_bytes", "column_bytes", "model_segments", "verified_blocks"):
            self.assertIn(part, fields)
        out = self.run_tool("dump", "--entries", table).out.decode()
        self.assertEqual(5000, out.count("\tput\tv"))
        self.assertIn("\nk00042\t43\tput\tv42\n", out)

    def test_dump_by_content(self):
        copy = self.write("renamed", self.files("*.sst")[0].read_bytes())
        self.assertIn(b"5000", self.run_tool("dump", copy).out)
        other = self.write("other", b"neither one nor the other")
        self.assert_error(self.run_tool("dump", other, code=ERROR), str(other))
        self.assert_error(self.run_tool("dump", self.folder, code=ERROR), "directory")
        self.assert_error(self.run_tool("dump", self.folder / "absent", code=ERROR), "absent")

    def test_dump_manifest_current_lock(self):
        manifest = self.files("MANIFEST-*")[-1]
        table = int(self.files("*.sst")[0].stem)
        out = self.run_tool("dump", manifest).out.decode()
        self.assertRegex(out, r"kind +manifest\n")
        self.assertIn("edit @", out)
        self.assertRegex(out, r"\b0*%d\b" % table)
        self.assertIn("state after the last edit", out)
        out = self.run_tool("dump", self.db / "CURRENT").out.decode()
        self.assertRegex(out, r"kind +current\nmanifest +MANIFEST-\d+\n")
        self.assertRegex(self.run_tool("dump", self.db / "LOCK").out, rb"kind +lock\n")


if __name__ == "__main__":
    unittest.main()
