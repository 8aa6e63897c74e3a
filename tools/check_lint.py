#!/usr/bin/env python3
"""Fails when code uses what belongs behind a seam, and names what to use instead.

Each ban applies to the folders it lists, except in the files that own the thing. Comments and string
literals do not count, but for the bans on text. `// lint: <ban>: <reason>` on the line allows one use.
"""
import re
import subprocess
import sys

from cpp_text import ROOT, code_only, cpp_files

PRODUCT = ("include", "src", "tools")
EVERYWHERE = ("include", "src", "tools", "bench", "fuzz", "tests")
TEST = r"_test\.cc$|^tests/"

# name, pattern, folders, owners (pattern of paths), what to use instead
BANS = [
    ("mutex", r"\bstd::(recursive_|shared_|timed_)*mutex\b|\bstd::(lock_guard|unique_lock|scoped_lock|shared_lock"
     r"|condition_variable(_any)?)\b", EVERYWHERE, r"^src/base/mutex\.h$|" + TEST,
     "Mutex, MutexLock, CondVar of base/mutex.h"),
    ("thread", r"\bstd::(jthread|async)\b|\bstd::thread\b(?!::(id|hardware_concurrency))|\bpthread_create\b", PRODUCT,
     r"^src/env/|" + TEST, "an Executor (seerdb/executor.h)"),
    ("this_thread", r"\bstd::this_thread::(sleep_\w+|yield)\b|\b(usleep|nanosleep)\s*\(|(?<![\w.:])sleep\s*\(", PRODUCT,
     r"^src/env/|" + TEST, "Clock::SleepMicros, or a CondVar"),
    ("clock", r"\bstd::chrono::\w*_clock\b|\b(clock_gettime|gettimeofday)\s*\(|(?<![\w.:>])(std::)?time\s*\(\s*(NULL|nullptr|0|&)",
     PRODUCT, r"^src/env/|" + TEST, "a Clock (seerdb/clock.h)"),
    ("print", r"(?<![\w.:])(std::)?(printf|fprintf|puts|fputs|putchar)\s*\(|\bstd::(cout|cerr|clog)\b", ("include", "src"),
     r"^src/base/assert\.cc$|" + TEST, "Options::logger, or a Status"),
    ("stream", r"\bstd::(i|o)?fstream\b|(?<![\w.:])(std::)?fopen\s*\(|\bstd::filesystem\b", ("include", "src"),
     r"^src/env/|" + TEST, "a FileSystem (seerdb/file_system.h)"),
    ("system call", r"(?<![\w>])::(open|openat|creat|read|pread|preadv|write|pwrite|pwritev|fsync|fdatasync|mmap|munmap"
     r"|msync|madvise|ftruncate|fallocate|posix_fallocate|rename|unlink|mkdir|rmdir|stat|fstat|statvfs|flock|fcntl|close)\s*\(",
     ("include", "src", "tools"), r"^src/env/|" + TEST, "a FileSystem (seerdb/file_system.h)"),
    ("rand", r"(?<![\w.:])(std::)?s?rand\s*\(|\bstd::(random_device|mt19937(_64)?|default_random_engine)\b", EVERYWHERE,
     r"^src/base/random\.", "Random of base/random.h, and print the seed"),
    ("getenv", r"\b(secure_)?getenv\s*\(", ("include", "src"), r"^src/base/mutant\.cc$|" + TEST, "an option"),
    ("using namespace", r"\busing\s+namespace\b", EVERYWHERE, r"$^", "using declarations, one a name"),
    ("exception", r"\bthrow\b|\bcatch\s*\(", ("include", "src"), r"^src/env/|" + TEST, "Status or Result<T>"),
    ("prefetch", r"\b__builtin_prefetch\b", ("include", "src", "tools"), r"^src/base/prefetch\.h$",
     "PrefetchLine of base/prefetch.h, which compilers keep"),
    ("assert", r"(?<![\w.])assert\s*\(", ("src",), TEST, "SEERDB_ASSERT of base/assert.h, or a Status"),
]
TEXT_BANS = [
    ("marker", r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b", "an issue, or do it now"),
    ("path", r"(?<![\w.$}/:*-])/(root|work|Users)/\w", "a path relative to the project"),
    ("path", r"(?<![\w.$}-])/tmp/\w{1,2}(?![\w.-])", "mktemp, or testing::TempDir()"),
]


def project_files():
    """What git tracks or would track; without git everything but the build."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=False, capture_output=True, text=True)
    if listed.returncode == 0:
        return sorted(f for f in listed.stdout.split("\0") if f and (ROOT / f).is_file())
    files = (p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*") if p.is_file())
    return sorted(f for f in files if not f.startswith(("build/", ".git/", ".cache/")))


def main():
    problems = []
    compiled = [(name, re.compile(p), folders, re.compile(owners), use) for name, p, folders, owners, use in BANS]
    for path in cpp_files(*EVERYWHERE):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(errors="replace")
        raw = text.splitlines()
        for ban, pattern, folders, owners, use in compiled:
            if name.split("/")[0] not in folders or owners.search(name):
                continue
            for match in pattern.finditer(code_only(text)):
                number = text.count("\n", 0, match.start()) + 1
                if re.search(r"//.*\blint: " + re.escape(ban) + r": \w", raw[number - 1]):
                    continue
                problems.append(f"{name}:{number}: {match[0].strip(' (')}: use {use}")

    files = project_files()
    texts = [(name, re.compile(pattern), use) for name, pattern, use in TEXT_BANS]
    for name in files:
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for _, pattern, use in texts:
            for number, line in enumerate(lines, 1):
                match = pattern.search(line)
                if match and not (name == "tools/check_lint.py" and 'r"' in line):
                    problems.append(f"{name}:{number}: {match[0]}: use {use}")

    print("\n".join(problems) if problems else f"lint: {len(BANS) + len(TEXT_BANS)} bans, {len(files)} files, none broken")
    return bool(problems)


sys.exit(main())
