"""The catalog queries for types and collations. `%(types)s` are oids of types."""

from __future__ import annotations

# Every type that the types of columns reach: through domains, arrays, ranges and the fields of row types.
TYPES = """
WITH RECURSIVE used(oid) AS (
    SELECT unnest(%(types)s::oid[])
  UNION
    SELECT next.oid
    FROM used
    JOIN pg_type t ON t.oid = used.oid
    CROSS JOIN LATERAL (
        SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
      UNION ALL SELECT a.atttypid FROM pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) next
)
SELECT t.oid, n.nspname, t.typname, t.typtype::text, t.typcategory::text, t.typelem, t.typbasetype,
       t.typtypmod, t.typnotnull, t.typdefault, format_type(t.typbasetype, t.typtypmod), d.description,
       (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid OR {multirange} = t.oid)
FROM used
JOIN pg_type t ON t.oid = used.oid
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_type'::regclass AND d.objsubid = 0
"""

ENUM_LABELS = """
SELECT e.enumtypid, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_enum e WHERE e.enumtypid = ANY(%(types)s) GROUP BY e.enumtypid
"""

DOMAIN_CHECKS = """
SELECT c.contypid, c.conname, pg_get_expr(c.conbin, 0), c.convalidated
FROM pg_constraint c WHERE c.contypid = ANY(%(types)s) AND c.contype = 'c'
ORDER BY c.contypid, c.conname COLLATE "C"
"""

COMPOSITE_FIELDS = """
SELECT t.oid, array_agg(ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod)] ORDER BY a.attnum)
FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE t.oid = ANY(%(types)s) AND t.typtype = 'c' GROUP BY t.oid
"""

COLLATIONS = """
SELECT n.nspname, c.collname, c.collprovider::text, {locale}, c.collisdeterministic
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE n.nspname <> 'pg_catalog'
  AND c.oid IN (SELECT a.attcollation FROM pg_attribute a WHERE a.attrelid = ANY(%(relations)s))
ORDER BY n.nspname COLLATE "C", c.collname COLLATE "C"
"""
