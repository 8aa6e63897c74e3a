# The suites of scripts/test, one function each. Sourced, never run. Each runs in a shell of its own with
# errexit, from the project's folder; LONG is 1 under --long.
# shellcheck shell=bash

# name, when (q = in --quick, d = by default and in --long, l = only in --long, - = only by name), what.
# The order is the order of running: what is quick, and what needs the release build, before what takes long.
SUITES=(
  "layers|qd|includes follow tools/layers.txt"
  "ratchet|qd|files, functions and parameter lists stay short"
  "lint|qd|nothing bypasses the seams"
  "checks|qd|these checks fail when their rule is broken; the reports of scripts/bench and study add up"
  "format|qd|every file is as clang-format leaves it"
  "headers|qd|every header compiles alone"
  "release|qd|release build, all unit tests in it"
  "metrics-cost|d|what metrics cost in instructions, counted by callgrind: at most 3 %"
  "counted|d|instructions, allocations and bytes written of each operation are at most those of a table"
  "install|d|find_package and pkg-config from another folder, static and shared; exported symbols"
  "readme|d|the README's own program compiles against the installed package and runs"
  "main-job|d|scripts/run on the fallback source"
  "engine|d|crash, differential, metamorphic, kill and peer, side by side"
  "unit|l|debug build with assertions, all unit tests"
  "tsan|d|the tests of the rooms with threads under ThreadSanitizer"
  "asan|d|the tests under AddressSanitizer and UndefinedBehaviorSanitizer"
  "crash|-|a crash at every file operation, and the rest of the gating tests, in release"
  "differential|-|random operations against std::map, in release"
  "metamorphic|-|one random script gives the same answers under every option set; failing ones are shrunk"
  "kill|-|processes killed while they write, on real files, and what a power cut would have left of them"
  "peer|-|random operations against RocksDB, where its library can be had"
  "bench-smoke|l|seerdb_bench and its peers agree on a small data set"
  "fuzz|d|each fuzzer for a while, from its seeds; the lines of the decoders they reach"
  "mutants|d|every deliberate fault makes its test fail"
  "study|d|scripts/study --quick: every kind of index answers rightly on every key set, and the report comes out"
  "soak|l|two hours of mixed load over 10 GB: memory and descriptors stay flat"
  "soak-space|l|half an hour of overwrites and deletes: space under its target every second, memory flat"
  "golden|-|files of earlier versions read and written byte for byte (also part of release and unit)"
  "tidy|l|clang-tidy on the library and the tools"
)

# Test programs of the suite engine, in release; each is one thread for most of its time. Under the sanitizers
# they run with all others.
OWN_SUITE='^(differential|gating|kill|metamorphic|peer_rocksdb)_test$'
# The tests whose code runs threads. What threads do with manifests and compaction is in those of the whole engine.
THREADED='^(base|env|cache|memtable|wal|db|concurrency|gating|differential|values|transaction)_test$'

suite_layers() { python3 tools/check_layers.py; }
suite_ratchet() { python3 tools/check_ratchet.py; }
suite_lint() { python3 tools/check_lint.py; }
suite_checks() {
  python3 tests/checks/checks_test.py
  python3 bench/run_bench_test.py
  python3 bench/run_study_test.py
  python3 tests/counted/limits_test.py
}
suite_format() { bash scripts/format --check; }
suite_headers() { tools/check_headers.sh clang++; }

# run_tests PRESET [ctest arguments]
run_tests() {
  local preset=$1
  shift
  ctest --preset "$preset" --parallel "$JOBS" --no-tests=error "$@"
}

suite_release() {
  configure release
  build release
  run_tests release -E "$OWN_SUITE"
}

suite_unit() {
  configure debug
  build debug
  run_tests debug -E "$OWN_SUITE"
}

suite_asan() {
  configure asan
  build asan
  $(without_aslr) ctest --preset asan --parallel "$JOBS"
}

# Builds only the programs that it runs. A crash at every call is explored, and every damaged byte read, on one
# thread: nothing to see here.
suite_tsan() {
  local programs
  configure tsan
  mapfile -t programs < <(ctest --test-dir build/tsan -N -R "$THREADED" | sed -n 's/^ *Test *#[0-9]*: //p')
  [ ${#programs[@]} -gt 0 ] || die "no test matches $THREADED"
  build tsan "${programs[@]}"
  SEERDB_DIFFERENTIAL_OPS=${SEERDB_DIFFERENTIAL_OPS:-30000} GTEST_FILTER=${GTEST_FILTER:--Crash.*:Gating.CrashOpen*:ValueCrash.*:ValueGolden.*} \
    $(without_aslr) ctest --preset tsan --parallel "$JOBS" -R "$THREADED"
}

# release_program NAME: one test program, in release.
release_program() {
  configure release
  build release "$1"
  run_tests release -R "^$1\$" --verbose
}
# The build looks for the peer's library anew: it may have come since it was configured.
configure_with_peer() {
  want_packages librocksdb-dev
  configure release
  cmake -S . -B build/release -Wno-dev --log-level=NOTICE
}
suite_engine() {
  configure_with_peer
  build release
  run_tests release -R "$OWN_SUITE" --verbose
}
suite_crash() { release_program gating_test; }
suite_differential() { release_program differential_test; }
suite_metamorphic() { release_program metamorphic_test; }
suite_kill() { release_program kill_test; }
suite_peer() {
  configure_with_peer
  if ! ctest --test-dir build/release -N -R '^peer_rocksdb_test$' | grep -q 'Total Tests: 1'; then
    warn "librocksdb was not found: nothing is compared"
    return 0
  fi
  release_program peer_rocksdb_test
}

suite_metrics-cost() {
  need_packages valgrind
  configure release
  build release metrics_cost
  python3 tests/metrics_cost/metrics_cost_test.py build/release/tests/metrics_cost
}

suite_counted() {
  need_packages valgrind
  configure release
  build release counted
  python3 tests/counted/counted_test.py build/release/tests/counted
}

# What scripts/study --quick does, with the release build that is there.
suite_study() {
  configure release
  build release study_bench
  python3 bench/run_study.py --quick --build build/release --out build/study-quick
}

suite_golden() {
  local program found=0
  configure release
  build release
  for program in $(find build/release -name '*_test' -type f -executable | sort); do
    if "$program" --gtest_list_tests --gtest_filter='*Golden*' | grep -q '^  '; then
      "$program" --gtest_filter='*Golden*'
      found=$((found + 1))
    fi
  done
  [ "$found" -gt 0 ] || die "no golden test"
}

suite_soak() {
  SEERDB_SOAK_SECONDS=${SEERDB_SOAK_SECONDS:-7200} SEERDB_SOAK_MB=${SEERDB_SOAK_MB:-10240} \
    release_program soak_test
}

suite_soak-space() {
  SEERDB_SOAK_SECONDS=${SEERDB_SOAK_SECONDS:-1800} SEERDB_SOAK_MB=${SEERDB_SOAK_MB:-400} \
    release_program space_soak_test
}

suite_mutants() { python3 scripts/mutants; }
suite_install() { bash tests/install/run install; }
suite_readme() { bash tests/install/run readme; }
suite_main-job() { SEERDB_SOURCE=fallback bash scripts/run; }
suite_bench-smoke() { bash scripts/bench --quick --out "$ROOT/build/bench-smoke"; }

# A few seconds a target, a minute under --long; then the lines of the decoders that these runs reached.
suite_fuzz() {
  local seconds=8
  [ "$LONG" = 0 ] || seconds=60
  need_packages llvm
  python3 fuzz/run_fuzzers_test.py
  configure fuzz
  build fuzz fuzzers
  $(without_aslr) python3 fuzz/run_fuzzers.py --build build/fuzz --seconds "${SEERDB_FUZZ_SECONDS:-$seconds}" \
    --jobs "$JOBS"
}

suite_tidy() {
  local files
  configure tidy
  mapfile -t files < <(find src tools -name '*.cc' ! -name '*_test.cc' -type f | sort)
  printf '%s\0' "${files[@]}" | xargs -0 -P "$JOBS" -n 1 clang-tidy -p build/tidy --quiet
}
