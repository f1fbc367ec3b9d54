"""The catalog queries behind a snapshot: one set-based statement per kind of thing, none per table.

Every query takes `%(schemas)s`, an array of schema names. `{…}` are version gates, filled by `gates`. Names
that an expression mentions come out qualified because the reader empties the search path first.
"""

from __future__ import annotations

from collections.abc import Mapping

OLDEST_SUPPORTED = 130000


def gates(server_version: int) -> Mapping[str, str]:
    """Columns that older servers do not have, as the constants that they would hold."""
    return {
        "nulls_distinct": "NOT i.indnullsnotdistinct" if server_version >= 150000 else "true",
        "enforced": "c.conenforced" if server_version >= 180000 else "true",
    }


USER_SCHEMAS = r"""
SELECT n.nspname
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'banyan')
  AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
ORDER BY n.nspname
"""

TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text, d.description, c.reltuples::bigint, c.relrowsecurity,
       c.relforcerowsecurity, c.relispartition, pg_relation_size(c.oid), c.relispopulated, e.extname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
LEFT JOIN pg_depend x ON x.objid = c.oid AND x.classid = 'pg_class'::regclass AND x.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = x.refobjid AND x.refclassid = 'pg_extension'::regclass
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod),
       a.attnotnull, pg_get_expr(f.adbin, f.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, d.description
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_description d
       ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# Every type that a column reaches: through domains, arrays, ranges and the fields of row types.
TYPES = """
WITH RECURSIVE used(oid) AS (
    SELECT a.atttypid
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND a.attnum > 0 AND NOT a.attisdropped
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
       CASE t.typtype WHEN 'm' THEN regexp_replace(format_type(t.oid, NULL), 'multirange$', 'range')
            ELSE (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid) END
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
FROM pg_constraint c WHERE c.contypid = ANY(%(types)s) AND c.contype = 'c' ORDER BY c.contypid, c.conname
"""

COMPOSITE_FIELDS = """
SELECT t.oid, array_agg(ARRAY[a.attname::text, format_type(a.atttypid, a.atttypmod)] ORDER BY a.attnum)
FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
WHERE t.oid = ANY(%(types)s) AND t.typtype = 'c' GROUP BY t.oid
"""

# A foreign key of or to a partitioned table has a row per partition; those that repeat it are left out.
CONSTRAINTS = """
SELECT c.conrelid, c.conname, c.contype::text, c.conkey, c.condeferrable, c.convalidated, {enforced},
       CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid) END,
       CASE WHEN c.contype = 'x' THEN pg_get_constraintdef(c.oid) END, {nulls_distinct},
       tn.nspname, tc.relname, c.confupdtype::text, c.confdeltype::text,
       CASE WHEN c.contype = 'f' THEN (
           SELECT array_agg(a.attname::text ORDER BY k.position)
           FROM unnest(c.confkey) WITH ORDINALITY k(attnum, position)
           JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum) END
FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid
JOIN pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_constraint parent ON parent.oid = c.conparentid
LEFT JOIN pg_index i ON i.indexrelid = c.conindid AND c.contype IN ('p', 'u')
LEFT JOIN pg_class tc ON tc.oid = c.confrelid
LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.contype IN ('p', 'u', 'x', 'f', 'c')
  AND (c.contype <> 'f' OR parent.oid IS NULL OR parent.conrelid <> c.conrelid)
ORDER BY c.conrelid, c.conname COLLATE "C"
"""

INDEXES = """
SELECT i.indrelid, x.relname, am.amname, i.indkey::int2[], i.indnkeyatts, i.indisunique, i.indisvalid,
       {nulls_distinct}, pg_get_expr(i.indpred, i.indrelid), pg_get_indexdef(i.indexrelid)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am am ON am.oid = x.relam
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY i.indrelid, x.relname COLLATE "C"
"""

TRIGGERS = """
SELECT t.tgrelid, t.tgname, t.tgtype::int, t.tgenabled::text, pn.nspname || '.' || p.proname, p.prosecdef,
       substring(pg_get_triggerdef(t.oid) FROM ' WHEN \\((.*)\\) EXECUTE (?:FUNCTION|PROCEDURE)')
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal
ORDER BY t.tgrelid, t.tgname COLLATE "C"
"""

RULES = """
SELECT r.ev_class, r.rulename, r.ev_type::text, r.is_instead, pg_get_ruledef(r.oid)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND r.rulename <> '_RETURN'
ORDER BY r.ev_class, r.rulename COLLATE "C"
"""

POLICIES = """
SELECT p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
       ARRAY(SELECT CASE u.oid WHEN 0 THEN 'public' ELSE pg_get_userbyid(u.oid)::text END
             FROM unnest(p.polroles) u(oid) ORDER BY 1),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY p.polrelid, p.polname COLLATE "C"
"""

# Banyan's own roles are left out: granting from the contract must not make the schema look changed.
PRIVILEGES = """
SELECT g.oid, CASE x.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(x.grantee)::text END,
       lower(x.privilege_type), g.name
FROM (
    SELECT c.oid, c.relacl AS acl, NULL::name AS name, c.relowner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relacl IS NOT NULL
  UNION ALL
    SELECT c.oid, a.attacl, a.attname, c.relowner
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attacl IS NOT NULL
      AND NOT a.attisdropped
) g
CROSS JOIN LATERAL aclexplode(g.acl) x
WHERE x.grantee <> g.relowner AND (x.grantee = 0 OR pg_get_userbyid(x.grantee) !~ '^banyan_')
ORDER BY 1, 2, 3, 4
"""

INHERITANCE = """
SELECT i.inhrelid, pn.nspname, p.relname
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'f')
ORDER BY i.inhrelid, i.inhseqno
"""

# Which relations a view reads directly, and its parse tree, from which the origin of its columns is read.
VIEWS = """
SELECT v.oid, r.ev_action::text,
       ARRAY(SELECT DISTINCT d.refobjid FROM pg_depend d
             WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
               AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid)
FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND r.rulename = '_RETURN' AND v.relkind IN ('v', 'm')
"""

RELATION_NAMES = """
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%(relations)s)
"""

RELATION_COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname FROM pg_attribute a
WHERE a.attrelid = ANY(%(relations)s) AND a.attnum > 0 AND NOT a.attisdropped
"""

SEQUENCES = """
SELECT n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
       s.seqcycle, on_.nspname, oc.relname, oa.attname
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
                     AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_class oc ON oc.oid = d.refobjid
LEFT JOIN pg_namespace on_ ON on_.oid = oc.relnamespace
LEFT JOIN pg_attribute oa ON oa.attrelid = d.refobjid AND oa.attnum = d.refobjsubid
WHERE n.nspname = ANY(%(schemas)s)
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

FUNCTIONS = """
SELECT DISTINCT pn.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
       pg_get_function_result(p.oid), l.lanname, p.prosecdef
FROM (
    SELECT t.tgfoid AS oid
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%(schemas)s) AND NOT t.tgisinternal
  UNION
    SELECT d.refobjid
    FROM pg_rewrite r
    JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace n ON n.oid = v.relnamespace
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_proc'::regclass
    WHERE n.nspname = ANY(%(schemas)s)
) used
JOIN pg_proc p ON p.oid = used.oid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE pn.nspname <> 'pg_catalog'
"""
