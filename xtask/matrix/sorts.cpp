// Four threads sort a vector each, of numbers and of strings, and merge them; containers with many small nodes beside.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

static std::uint64_t number(std::uint64_t &state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

struct Part {
    std::vector<std::uint64_t> numbers;
    std::vector<std::string> strings;
    std::map<std::uint32_t, std::uint32_t> counts;
};

static void fill(Part &part, std::uint64_t seed, std::size_t mib) {
    for (std::size_t at = 0; at < mib * 65536; at++) part.numbers.push_back(number(seed));
    for (std::size_t at = 0; at < mib * 3000; at++) {
        std::string one(20 + number(seed) % 60, 'a' + at % 26);
        part.strings.push_back(std::to_string(number(seed)) + one);
        part.counts[number(seed) % 100000]++;
    }
    std::sort(part.numbers.begin(), part.numbers.end());
    std::sort(part.strings.begin(), part.strings.end());
}

int main(int, char **argv) {
    const std::size_t mib = std::strtoul(argv[1], nullptr, 10) / 4;
    std::vector<Part> parts(4);
    std::vector<std::thread> threads;
    for (std::size_t at = 0; at < 4; at++) threads.emplace_back(fill, std::ref(parts[at]), at + 1, mib);
    for (auto &thread : threads) thread.join();
    std::vector<std::uint64_t> all;
    std::uint64_t strings = 0, counts = 0;
    for (auto &part : parts) {
        std::vector<std::uint64_t> both(all.size() + part.numbers.size());
        std::merge(all.begin(), all.end(), part.numbers.begin(), part.numbers.end(), both.begin());
        all.swap(both);
        if (!std::is_sorted(part.strings.begin(), part.strings.end())) return 1;
        for (auto &one : part.strings) for (char c : one) strings = strings * 31 + std::uint64_t(c);
        for (auto &one : part.counts) counts = counts * 31 + one.first * one.second;
    }
    if (!std::is_sorted(all.begin(), all.end())) return 1;
    std::uint64_t numbers = 0;
    for (auto one : all) numbers = numbers * 31 + one;
    std::printf("%zu %llx %llx %llx\n", all.size(), (unsigned long long)numbers, (unsigned long long)strings,
                (unsigned long long)counts);
    return 0;
}
