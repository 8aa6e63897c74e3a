"""What docs/benchmarks.md says of phases and method, and which phases a chart shows."""

# Title, file, phases in order.
CHARTS = [
    ("Writes", "writes", ["fillseq", "fillrandom", "fillbatch", "overwrite", "deleterandom", "fillsync"]),
    ("Synced writers", "synced", ["fillsync", "fillsync:4t", "fillsync:16t", "fillsync:32t"]),
    ("Gets", "gets", ["readrandom", "readzipf", "readmissing", "readrecent", "multiget",
                      "readrandom:unsettled"]),
    ("Scans", "scans", ["seekrandom", "seek100", "seekreverse100", "readseq", "readreverse", "readseq:runs",
                        "readseq:unsettled", "readseq:afterfillseq"]),
    ("YCSB", "ycsb", ["ycsbload:2t", "ycsba:2t", "ycsbb:2t", "ycsbc:2t", "ycsbd:2t", "ycsbe:2t", "ycsbf:2t"]),
    ("Debian file paths", "paths", ["fillrandom:paths", "readrandom:paths", "readmissing:paths", "readseq:paths"]),
    ("Upstream's suite", "upstream", ["fillseq:up", "readrandom:up", "readwrite:up", "seek100:up", "fillbatch:up"]),
    ("More data than memory", "larger", ["fillseq:larger", "readrandom:larger", "multiget:larger", "ycsba:larger:2t",
                                         "ycsbb:larger:2t"]),
    ("Load to a settled tree", "load", ["fillrandom:load", "readrandom:settled", "readmissing:settled",
                                        "seekrandom:settled", "readseq:settled"]),
    ("Two threads", "two", ["fillrandom:warm", "fillrandom:2t", "readrandom:2t"]),
]
MEANING = {
    "fillseq": "put each key once, in order",
    "fillrandom": "put each key once, in random order",
    "fillbatch": "the same in batches of 100, time a key",
    "fillsync": "put, each acknowledged after the device has it",
    "overwrite": "put of random existing keys",
    "deleterandom": "delete of random existing keys",
    "readrandom": "get of random existing keys, after a compaction",
    "readzipf": "the same, Zipf-distributed (0.99), scattered",
    "readmissing": "get of absent keys that lie between existing ones",
    "readrecent": "get of keys written just before",
    "multiget": "32 random keys a call, time a key",
    "seekrandom": "seek in a fresh view, then 10 entries",
    "seek100": "seek in a fresh view, then 100 entries",
    "readseq": "full scan, time an entry",
    "readreverse": "full scan backward, time an entry",
    "readrandom:unsettled": "readrandom after overwrite, no compaction asked for",
    "readseq:unsettled": "readseq after overwrite and deleterandom",
    "readseq:afterfillseq": "readseq after fillseq, no compaction asked for",
    "seekreverse100": "seek in a fresh view, then 100 entries backward",
    "readseq:runs": "readseq over five runs: a compacted one, three of overwrites, and a memtable",
    "ycsbload:2t": "put each key once, in random order",
    "ycsba:2t": "50 % get, 50 % update", "ycsbb:2t": "95 % get, 5 % update", "ycsbc:2t": "get",
    "ycsbd:2t": "95 % get of the latest, 5 % insert", "ycsbe:2t": "95 % scan of 1 to 100, 5 % insert",
    "ycsbf:2t": "50 % get, 50 % read-modify-write",
    "fillrandom:paths": "fillrandom of file paths", "readrandom:paths": "readrandom of file paths",
    "readmissing:paths": "paths of the same packages that are not there", "readseq:paths": "full scan of file paths",
    "fillseq:up": "put of 1 KiB, in order", "readrandom:up": "get of random existing keys",
    "readwrite:up": "half gets, half puts of existing keys", "seek100:up": "seek, then 100 entries",
    "fillbatch:up": "put in batches of 100, time a key",
    "fillseq:larger": "fillseq of 4 GiB, memory not limited",
    "readrandom:larger": "readrandom, 4 GiB of data in 1 GiB of memory", "multiget:larger": "32 random keys, same state",
    "ycsba:larger:2t": "50 % get, 50 % update, same state", "ycsbb:larger:2t": "95 % get, 5 % update, same state",
    "fillsync:4t": "fillsync from 4 threads, elapsed time by all writes",
    "fillsync:16t": "fillsync from 16 threads, elapsed time by all writes",
    "fillsync:32t": "fillsync from 32 threads, elapsed time by all writes",
    "fillrandom:load": "fillrandom, then settled (below)",
    "readrandom:settled": "readrandom after load and settle, no compaction asked for",
    "readmissing:settled": "readmissing in the same state", "seekrandom:settled": "seekrandom in the same state",
    "readseq:settled": "readseq in the same state",
    "fillrandom:warm": "fillrandom, the first of the process", "fillrandom:2t": "fillrandom from two threads", "readrandom:2t": "readrandom from two threads",
}

METHOD = """\
## Method

- One program, `seerdb_bench`, runs every engine through one interface (`bench/engine.h`). Keys, values
  and the order of operations follow from a seed alone, so each engine gets the same operations. Each read
  is counted and its bytes are hashed in order; a run fails unless all engines found the same (operations,
  hits, misses, checksum) in each phase. Phases in which threads race are not compared.
- Reads behind the warming are repeated with other draws for half a second, and three times unless that takes three
  seconds; the median of these passes is the time of the phase, and percentiles are of all of them. Engines are
  compared by what the first pass found.
- Rounds are interleaved: in each round every engine runs each chain of phases in an empty folder, and
  each round starts with another engine and seed. Figures are medians over the rounds, and the spread is
  shown. A ratio is taken between the runs of one round, then summarized.
- Durability is the same for all. Without sync, an acknowledged write survives a crash of the process:
  RocksDB, LevelDB and seerdb write their log to the kernel, LMDB writes its shared map, WiredTiger hands
  each log record to the kernel. In `fillsync` each write is on the device before it is acknowledged.
- Memory is the same for all: equal block caches (WiredTiger's cache, none for LMDB, which reads the page
  cache) and equal memtables. The data fits in memory, in the cache and in the page cache.
- Reads follow a full compaction by each engine's own call and a warming scan with gets, unless the name
  says `:unsettled`. A seek opens a fresh view each time, by the cheapest way the engine documents.
- `settle` ends a load: what the engine holds in memory is flushed by its own call, and its background work
  is waited for: by its call (seerdb `WaitForCompaction`), by asking until nothing runs or is pending (RocksDB's
  properties), by a checkpoint (WiredTiger). LevelDB has no call; a manual compaction of a range without keys
  makes it flush. Then, for every engine, the process must be quiet: 2 seconds in which its other threads have
  neither computed nor written. The time ends when they last did. The `:settled` reads follow at once, so
  that what a load saves is not paid by reads unseen.
- `:runs` has four passes of scattered overwrites behind a compaction, the first three flushed by each engine's own
  call (a checkpoint in WiredTiger; LMDB has none). That is one less than makes seerdb, RocksDB or LevelDB compact
  by itself, so each of the three then scans a table, three newer ones, and a memtable. seerdb's own count of its
  runs is in the results.
- File paths are made up from pieces of Debian's package, directory and file names (`bench/path_names.h`), the same
  on each machine; their mean length is that of the files of Debian's packages. Absent ones are files of the same
  packages.
- Bits a key of index and filter are counted whether mapped or not: the filter, the block index and its model as they
  stand in all table files, and in the data blocks the columns of tags and offsets.
- An open ends when a first get is answered. The clean one follows a close; files are in the page cache. The other
  follows SIGKILL of the process that had written the records, with a memtable that all of them fit in, so all are
  in the log; its time is by GiB of that log.
- The 1 GiB of memory is a cgroup, page cache included, with a cache of 256 MiB for every engine. The load runs
  outside of it; then the files are taken out of the page cache, and a new process opens them within.
- Bytes are those of the kernel's account of the process (`/proc/self/io`), logs included. A page counts when it
  is made dirty, through a call or a mapping, also if it is deleted before the device sees it; those are
  shown apart. Reads through a mapping count only when they miss the page cache.
- Every 16th call is timed for the percentiles; the mean comes from the wall clock of a whole pass.
  Drawing operations happens before the clock starts; making the key and hashing the result is part of the
  time, and is the same for all engines.
- `seerdb-floor` is seerdb with `log_mode = kBuffered`: the log that every file system can have, through write
  calls and fdatasync on allocated files. `rocksdb` is tuned, `rocksdb-default` is the library as it comes but for the size of its cache. The
  peers are Debian's packages; seerdb is built for baseline x86-64 as well.

What these figures do not say: nothing about more than two threads (16 in synced writes), or about other machines.
But for `:larger` memory that an engine's allocator holds is not limited, and all data fits in memory.
"""
