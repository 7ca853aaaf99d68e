"""Processes that share a list by fork, or have their parts sent to them after spawn, and send large results back."""
import multiprocessing
import sys
from hashlib import sha256

PARTS = 8
shared = []


def item(n):
    return f"{n * 2654435761 % 2**32:08x}" * 5


def digest(strings):
    whole = sha256()
    for s in strings:
        whole.update(s.encode())
    return whole.hexdigest()


def of_shared(part):
    mine = sorted(shared[part::PARTS])
    return digest(mine), mine[:: PARTS * 2]


def of_sent(strings):
    mine = sorted(strings)
    return digest(mine), mine[:: PARTS * 2]


if __name__ == "__main__":
    way, count = sys.argv[1], int(sys.argv[2]) * 6000
    shared += [item(n) for n in range(count)]
    before = digest(shared)
    with multiprocessing.get_context(way).Pool(2, maxtasksperchild=2) as pool:
        if way == "fork":
            results = pool.map(of_shared, range(PARTS), 1)
        else:
            results = pool.map(of_sent, [shared[part::PARTS] for part in range(PARTS)], 1)
    assert digest(shared) == before, "what a child does must not be seen here"
    print(before)
    for whole, some in results:
        print(whole, len(some), digest(some))
