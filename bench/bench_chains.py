"""The chains of phases that run_bench.py measures, and how large each of them is."""

import dataclasses

PEERS = ("rocksdb", "rocksdb-default", "leveldb", "lmdb", "wiredtiger")
# seerdb with the log that every file system can have; where nothing is logged it is seerdb again.
FLOOR = "seerdb-floor"
ENGINES = ("seerdb", FLOOR, *PEERS)
KEY_BYTES, PATH_BYTES = 16, 67
KILL = "kill"
GIB = 1 << 30


@dataclasses.dataclass(frozen=True)
class Chain:
    """Starts with an empty database. What is None or 1 is as the command line says.

    A phase with labels runs in another state than the plain one: :unsettled follows overwrites, :settled a load
    whose background work is done and nothing else, :runs three flushed passes of overwrites over a compacted tree
    and a fourth in memory; :2t has two threads. After `kill` the program is started again on the same database.
    """
    phases: tuple
    engines: tuple = (ENGINES[0], *PEERS)
    share: float = 1  # of --num
    num: int | None = None  # records, whatever --num says; divided by 20 with --quick
    ops: int | None = None  # likewise
    value_bytes: int | None = None
    values: str = "fixed"
    keys: str | None = None
    cache_bytes: int | None = None
    write_buffer_bytes: int | None = None
    # Phases that run in the first start; the others run within a memory cgroup of so many bytes.
    unlimited: int | None = None
    limit_bytes: int | None = None

    def parts(self):
        """The phases of each start of the program."""
        if self.unlimited is not None:
            return [self.phases[:self.unlimited], self.phases[self.unlimited:]]
        starts, part = [], []
        for phase in self.phases:
            part.append(phase)
            if phase == KILL:
                starts.append(part)
                part = []
        return starts + [part] if part else starts


def _ycsb(letters):
    return tuple(f"ycsb{letter}:2t" for letter in letters)


OVERWRITTEN = ("overwrite:run1", "flush:run1", "overwrite:run2", "flush:run2", "overwrite:run3", "flush:run3",
               "overwrite:run4")
SELF = (ENGINES[0],)
CHAINS = {
    # What a process pays once, as for memory that it touches first, is on neither side where two writers are compared
    # with one.
    "main": Chain(("fillrandom:warm", "fillrandom:2t", "fillrandom", "compact", "warm", "readrandom", "readrandom:2t", "readzipf",
                   "readmissing", "multiget", "seekrandom", "seek100", "seekreverse100", "readseq", "readreverse",
                   "readrecent", "overwrite", "readrandom:unsettled", "deleterandom", "readseq:unsettled")),
    "fillseq": Chain(("fillseq", "readseq:afterfillseq")),
    "fillbatch": Chain(("fillbatch",)),
    "runs": Chain(("fillseq:runs", "compact:runs", *OVERWRITTEN, "readseq:runs"), share=0.5),
    "sync1": Chain(("fillsync",), ENGINES),
    "sync4": Chain(("fillsync:4t",), ENGINES),
    "sync16": Chain(("fillsync:16t",), ENGINES),
    "ycsb": Chain(("ycsbload:2t", *_ycsb("abcfd")), share=0.2, ops=800_000, value_bytes=1000),
    "ycsbe": Chain(("ycsbload:e:2t", *_ycsb("e")), share=0.2, value_bytes=1000),
    "paths": Chain(("fillrandom:paths", "compact:paths", "warm:paths", "readrandom:paths", "readmissing:paths",
                    "readseq:paths"), share=0.5, keys="paths"),
    "upstream": Chain(("fillseq:up", "readrandom:up", "readwrite:up", "seek100:up", "fillbatch:up"),
                      num=100_000, ops=100_000, value_bytes=1024),
    "fixed": Chain(("fillrandom:fixed", "compact:fixed", "tables:fixed"), SELF, share=0.5),
    "variable": Chain(("fillrandom:variable", "compact:variable", "tables:variable"), SELF, share=0.5, values="varied"),
    "open": Chain(("fillrandom:open", "settle:open", "reopen"), SELF, num=20_000_000),
    # A memtable that is not full before the end, so that all of it is in the log.
    "kill": Chain(("fillrandom:kill", KILL, "recover"), SELF, num=4_000_000, write_buffer_bytes=GIB),
}
EXTRA_CHAINS = {
    "load": Chain(("fillrandom:load", "settle", "readrandom:settled", "readmissing:settled", "seekrandom:settled",
                   "readseq:settled"), ENGINES),
    "sync32": Chain(("fillsync:32t",), ENGINES),
}
LONG_CHAINS = {
    # 116 bytes a record. The strongest of those that read and of those that write, for the time that loads take.
    "larger": Chain(("fillseq:larger", "settle:larger", "readrandom:larger", "multiget:larger", "ycsba:larger:2t",
                     "ycsbb:larger:2t"),
                    (ENGINES[0], "rocksdb", "lmdb"),
                    num=37_000_000, ops=100_000, cache_bytes=GIB // 4, unlimited=2, limit_bytes=GIB),
    "20m": Chain(("fillrandom:20m", "settle:20m", "warm:20m", "readrandom:20m"), SELF, num=20_000_000),
    "100m": Chain(("fillrandom:100m", "settle:100m", "warm:100m", "readrandom:100m"), SELF, num=100_000_000),
}
ALL_CHAINS = CHAINS | EXTRA_CHAINS | LONG_CHAINS


def arguments(args, engine, name, seed, data_dir):
    """The command line without the phases, but for the program."""
    chain = ALL_CHAINS[name]
    shrink = 20 if args.quick else 1
    num = chain.num // shrink if chain.num else int(args.num * chain.share)
    keys = chain.keys or args.keys
    command = ["--engine", engine, "--db", data_dir, "--num", num,
               "--ops", chain.ops // shrink if chain.ops else args.ops, "--sync-ops", args.sync_ops,
               "--key-bytes", PATH_BYTES if keys == "paths" else KEY_BYTES,
               "--value-bytes", chain.value_bytes or args.value_bytes, "--values", chain.values, "--sync", "none",
               "--seed", seed, "--cache-bytes", chain.cache_bytes or args.cache_bytes, "--keys", keys,
               "--compression", args.compression, "--least-read-ms", 50 if args.quick else 500]
    if chain.write_buffer_bytes:
        command += ["--write-buffer-bytes", chain.write_buffer_bytes]
    return [str(word) for word in command]


def reasons(chains, broken):
    """{phase: why it was not measured}: its chain was not asked for, or is among `broken`, {chain: reason}."""
    found = {}
    for name, chain in ALL_CHAINS.items():
        reason = broken.get(name)
        if reason is None and name not in chains:
            reason = "only with `--long`" if name in LONG_CHAINS else f"chain `{name}` was not run"
        if reason:
            found.update((phase, reason) for phase in chain.phases)
    return found
