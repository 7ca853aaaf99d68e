// Objects, a map and typed arrays, about SIZE MiB of them.
'use strict';
const { createHash } = require('crypto');
const count = Number(process.argv[2]) * 3000;
const objects = [], byName = new Map();
for (let at = 0; at < count; at++) {
    const one = { at, key: Math.imul(at, 2654435761) >>> 0, name: `object-${(at * 7919) % count}`, more: [at, at + 1] };
    objects.push(one);
    byName.set(`${one.name}/${at}`, one);
}
let sum = 0;
for (let at = 0; at < count; at += 5) {
    const one = byName.get(`object-${(at * 7919) % count}/${at}`);
    if (one !== objects[at]) throw new Error(`wrong object at ${at}`);
    sum = (sum + one.key * one.more[1]) % 9007199254740881;
}
const numbers = new Float64Array(count * 8);
for (let at = 0; at < numbers.length; at++) numbers[at] = Math.imul(at, 40503) % 65521;
numbers.sort();
objects.sort((a, b) => a.key - b.key);
const hash = createHash('sha256');
for (const one of objects) hash.update(one.name);
console.log(count, sum, numbers[1], numbers[numbers.length >> 1], hash.digest('hex'));
