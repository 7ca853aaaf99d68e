"""A list shared with children by fork: each sorts its part, has a child of its own check that, and writes it."""
import os
import sys
from hashlib import sha256

PARTS = 6
count = int(sys.argv[1]) * 6000
shared = [f"{n * 2654435761 % 2**32:08x}" * 5 for n in range(count)]


def digest(strings):
    whole = sha256()
    for s in strings:
        whole.update(s.encode())
    return whole.hexdigest()


def forked(work, *what):
    child = os.fork()
    if child == 0:
        try:
            work(*what)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def ended_well(children):
    # All of them are waited for, whoever failed.
    return all([os.waitpid(child, 0)[1] == 0 for child in children])


def in_order(mine):
    assert all(mine[at] <= mine[at + 1] for at in range(len(mine) - 1))


def sort_part(part):
    mine = sorted(shared[part::PARTS])
    assert ended_well([forked(in_order, mine)])
    with open(f"out/part-{part}", "w") as out:
        out.write(digest(mine))


before = digest(shared)
good = True
for first in range(0, PARTS, 2):
    good &= ended_well([forked(sort_part, part) for part in (first, first + 1)])
if not good:
    sys.exit("a child did not end well")
assert digest(shared) == before, "what a child does must not be seen here"
print(before)
