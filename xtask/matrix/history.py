"""A stream for git fast-import: files of half a MiB, each changed a little from version to version, SIZE MiB in all."""
import random
import sys

versions = int(sys.argv[1]) * 2 // 8
out = sys.stdout.buffer
rng = random.Random(1)
words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(5000)]


def line():
    return b" ".join(rng.choices(words, k=10)) + b"\n"


files = [[line() for _ in range(8000)] for _ in range(8)]
for version in range(versions):
    out.write(b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 4\nnext\n" % (1000000000 + version))
    for name, lines in enumerate(files):
        for _ in range(30):
            lines[rng.randrange(len(lines))] = line()
        whole = b"".join(lines)
        out.write(b"M 100644 inline file%d\ndata %d\n%s\n" % (name, len(whole), whole))
