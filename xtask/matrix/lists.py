"""Lists and dicts of small objects: built in order, sorted, looked up at random, rebuilt. About SIZE MiB of them."""
import sys
from hashlib import sha256

count = int(sys.argv[1]) * 4000
state = 1


def number():
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return state >> 20


numbers = [number() for _ in range(count)]
names = {f"name-{n:x}-{at}": (n, at) for at, n in enumerate(numbers)}
found = 0
for at in range(0, count, 40):
    at = number() % count
    n, where = names[f"name-{numbers[at]:x}-{at}"]
    assert where == at and n == numbers[at]
    found += n
doubled = [n * 2 for n in numbers]
for name in [name for name, (n, at) in names.items() if at % 2]:
    del names[name]
numbers.sort()
assert all(numbers[at] <= numbers[at + 1] for at in range(count - 1))
digest = sha256()
for name, (n, at) in names.items():
    digest.update(name.encode())
    assert doubled[at] == 2 * n
print(count, len(names), found, sum(doubled), digest.hexdigest())
