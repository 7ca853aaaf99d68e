CREATE TABLE item (id INTEGER PRIMARY KEY, key INTEGER, size INTEGER, name TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < SIZE * 4000)
INSERT INTO item SELECT i, (i * 2654435761) % 1000003, i % 97, printf('%064x-%d', i * 40503 % 65521, i) FROM n;
CREATE INDEX item_key ON item (key);
SELECT count(*), sum(key), sum(size), sum(length(name)) FROM item;
SELECT 'range', (SELECT count(*) FROM item INDEXED BY item_key WHERE key BETWEEN 1000 AND 9000)
              = (SELECT count(*) FROM item NOT INDEXED WHERE key BETWEEN 1000 AND 9000);
UPDATE item SET size = size + 1 WHERE id % 10 = 3;
SELECT size, count(*), max(name) FROM item GROUP BY size ORDER BY size LIMIT 20;
DELETE FROM item WHERE id % 5 = 0;
SELECT 'join', count(*), sum(a.size * b.size) FROM item a JOIN item b ON a.key = b.key AND a.id < b.id WHERE a.key < 20000;
SELECT name FROM item ORDER BY name DESC LIMIT 5;
PRAGMA integrity_check;
