"""Two arrays of SIZE/2 MiB each: written, added, sorted, cut, transposed. Integers, so that every run has the same sums."""
import sys
import numpy

count = int(sys.argv[1]) * (1 << 20) // 2 // 8
a = numpy.random.default_rng(1).integers(0, 1 << 40, count)
b = numpy.arange(count)
print(a.sum(), b.sum())
for _ in range(3):
    b += a
    a ^= b
print(a[::511].sum(), (b >> 3)[: count // 4].sum())
a.sort()
assert (a[1:] >= a[:-1]).all()
print(a[:: count // 7], numpy.searchsorted(a, b[: 1 << 12]).sum())
square = b[: (count // 1024) * 1024].reshape(1024, -1)
print(numpy.ascontiguousarray(square[:128].T).sum(axis=0)[::9])
