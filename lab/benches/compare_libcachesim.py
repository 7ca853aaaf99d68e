#!/usr/bin/env python3
"""Miss counts of the lab beside libCacheSim's, on equal traces and sizes.

    pip install libcachesim
    python3 lab/benches/compare_libcachesim.py COMMAND..

COMMAND is what runs the lab, such as `target/release/mager lab`. Traces are made by it, in a temporary directory.
Ends with 0 if all that must be equal is, with 1 if not, and with 77, saying so, if libCacheSim is not installed.
"""
import csv
import io
import subprocess
import sys
import tempfile

try:
    import libcachesim as lcs
except ImportError:
    print("SKIPPED: libCacheSim is not installed (pip install libcachesim); nothing was compared", file=sys.stderr)
    sys.exit(77)

# Our policy, libCacheSim's, and whether the counts must be equal.
PAIRS = [
    ("fifo", lcs.FIFO, True),
    ("lru", lcs.LRU, True),
    ("clock", lcs.Clock, True),
    ("sieve", lcs.Sieve, True),
    ("opt", lcs.Belady, True),
    ("lfu", lcs.LFU, True),
    ("arc", lcs.ARC, True),
    ("2q", lcs.TwoQ, True),
    ("s3-fifo:counts=1", lcs.S3FIFO, False),
    ("s3-fifo:counts=1:fill-main=1", lcs.S3FIFO, True),
    # libCacheSim lets a LIR page go when a HIR page outside the stack is hit; the paper does not.
    ("lirs", lcs.LIRS, False),
]
TRACES = [
    ("zipf", ["--pages", "20000", "--accesses", "500000", "--skew", "1.0"], [50, 1000, 2000, 10000]),
    ("zipf", ["--pages", "20000", "--accesses", "500000", "--skew", "0.7", "--seed", "2"], [50, 1000, 2000, 10000]),
    ("scan", ["--pages", "5000", "--accesses", "100000"], [100, 4000, 4999]),
    ("loop", ["--pages", "8000", "--accesses", "300000", "--part", "0.2"], [200, 1500, 1700, 6000]),
    ("phases", ["--pages", "20000", "--accesses", "400000", "--part", "0.05", "--length", "20000"], [300, 900, 3000]),
    ("mix", ["--pages", "10000", "--accesses", "400000", "--scan", "0.3"], [100, 1000, 5000]),
]


def ours(command, path, sizes):
    """Misses by policy and size."""
    policies = ",".join(name for name, _, _ in PAIRS)
    memory = ",".join(f"{size}p" for size in sizes)
    out = subprocess.run(
        [*command, "run", path, "--policy", policies, "--memory", memory, "--csv"],
        check=True, capture_output=True, text=True,
    ).stdout
    rows = csv.DictReader(io.StringIO(out))
    return {(row["policy"], int(row["frames"])): int(row["faults"]) for row in rows}


def theirs(make, path, size, accesses):
    reader = lcs.TraceReader(trace=path, trace_type=lcs.TraceType.ORACLE_GENERAL_TRACE)
    ratio, _ = make(size).process_trace(reader)
    return round(ratio * accesses)


def main():
    command = sys.argv[1:] or sys.exit(__doc__)
    wrong = 0
    for number, (kind, options, sizes) in enumerate(TRACES):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/{number}.oracleGeneral"
            subprocess.run([*command, "generate", kind, *options, "-o", path], check=True)
            accesses = int(options[options.index("--accesses") + 1])
            found = ours(command, path, sizes)
            for name, make, equal in PAIRS:
                for size in sizes:
                    mine, other = found[name, size], theirs(make, path, size, accesses)
                    bad = equal and mine != other
                    wrong += bad
                    if bad or not equal:
                        verdict = "WRONG" if bad else f"{100 * (mine - other) / other:+.3f}%"
                        print(f"{kind:7} {size:6} {name:30} {mine:8} libCacheSim {other:8} {verdict}")
    print(f"{wrong} differences where there must be none")
    sys.exit(1 if wrong else 0)


main()
