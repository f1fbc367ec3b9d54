-- Every PostgreSQL type, odd names, a composite key, a table without one, a view, a self-reference.
CREATE SCHEMA "odd schema";
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION hstore SCHEMA public;
CREATE TYPE "odd schema".mood AS ENUM ('sad', 'ok', 'over the moon');
CREATE DOMAIN "odd schema".positive AS int CHECK (VALUE > 0);
CREATE TYPE "odd schema".pair AS (a int, b text);
CREATE TABLE "odd schema"."All Types" (
    id int PRIMARY KEY,
    small int2, big int8, price numeric(12,2), free numeric, whole numeric(20,0), single float4, double float8,
    truth bool, words text, short varchar(5), padded char(6), one "char", folded citext, label name,
    mood "odd schema".mood, count "odd schema".positive, day date, wall time, wall_zone timetz,
    naive timestamp, moment timestamptz, span interval, uid uuid, raw bytea, doc json, docb jsonb, map hstore,
    ints int[], prices numeric[], codes char(3)[], nested text[][], pair "odd schema".pair,
    net inet, mac macaddr, bits bit(4), range int4range, many int4multirange, cash money, spot point, lsn pg_lsn,
    "Net % ""Amount""" numeric(8,2), "copy" text, "class" text, "limit" int, "select" text, "größe" int,
    computed int GENERATED ALWAYS AS (id * 2) STORED
);
INSERT INTO "odd schema"."All Types" VALUES
(1, 32767, 9223372036854775807, 9999999999.99, 0.1000000000000000055511151231257827, 12345678901234567890,
 1.1, 0.1, true, E'a "quote"\n \u2028 \\ é', 'x%y', 'ab', 'q', 'MiXed', 'label', 'over the moon', 7,
 '2024-02-29', '13:45:00.5', '13:45:00+02', '2024-07-01 12:00:00.123456', '2024-07-01 12:00:00.123456+02',
 '1 year 2 mons 3 days 04:05:06.7', '6f1c3b1e-7d0c-4a52-9d0c-0b8d4f6f3b11', '\x00ff10', '{"a" : [1, 1.50, null]}',
 '{"b": 12345678901234567890.5}', 'k=>v, n=>NULL', '{1,NULL,3}', '{1.50,NaN}', '{a,bc}', '{{a,b},{c,d}}', '(1,"x y")',
 '192.168.0.1', '08:00:2b:01:02:03', '1010', '[1,5)', '{[1,2),[5,7)}', '1234.50', '(1,2)', '16/B374D848',
 12.50, 'c', 'd', 5, 's', 9),
(2, -32768, -9223372036854775808, -0.01, 'NaN', -1, 'NaN', '-Infinity', false, '', '', '', '', '', '', 'sad', 1,
 'infinity', '00:00', '00:00+00', '-infinity', 'infinity', '-1 days', '00000000-0000-0000-0000-000000000000', '', 'null',
 '[]', '', '{}', '{}', '{}', '{}', '(,)', '::1/128', 'ff:ff:ff:ff:ff:ff', '0000', 'empty', '{}', '-0.01', '(0,0)', '0/0',
 0, '', '', -1, '', 0);
INSERT INTO "odd schema"."All Types" (id) VALUES (3);
CREATE TABLE "odd schema".pairs (a text, b int, label text, PRIMARY KEY (a, b));
INSERT INTO "odd schema".pairs VALUES ('x', 1, 'one'), ('x', 2, 'two'), ('a,b/c', -1, 'tricky'), ('é %', 0, 'é');
CREATE TABLE "odd schema".keyless (at timestamp, text text, n int);
INSERT INTO "odd schema".keyless SELECT '2024-01-01', 'same', 1 FROM generate_series(1, 23);
INSERT INTO "odd schema".keyless SELECT NULL, NULL, g FROM generate_series(1, 5) g;
CREATE VIEW "odd schema".totals AS SELECT a, count(*) AS lines, max(label) AS best FROM "odd schema".pairs GROUP BY a;
CREATE TABLE "odd schema".legacy (
    id bigint PRIMARY KEY, stat int2, fl char(1), ended date, gone char(1), parent bigint, owner char(8), nr varchar(10)
);
INSERT INTO "odd schema".legacy VALUES
(9007199254740993, 10, 'Y', '1900-01-01', 'N', NULL, 'ACME', ''), (2, 11, 'N', '2024-05-01', 'N', 9007199254740993, 'ACME', '0'),
(3, 99, 'X', NULL, ' ', 777, 'ACME', 'A1'), (4, 10, 'Y', '2024-01-01', 'Y', 2, 'ACME', 'A2'), (5, 10, 'Y', NULL, NULL, 2, 'BOLT', 'A3');
