"""The catalog queries behind a snapshot: one set-based statement per kind of thing, none per table.

TABLES takes `%(schemas)s`, an array of names; everything else `%(relations)s`, the oids that TABLES found, so that a
part of a large schema costs what the part costs. `{…}` are version gates, filled by `gates`. Names that an expression
mentions come out qualified because the reader empties the search path first.
"""

from __future__ import annotations

from collections.abc import Mapping

OLDEST_SUPPORTED = 130000


def gates(server_version: int) -> Mapping[str, str]:
    """What older servers do not have, as the constants that it would hold. Below 15 nothing of this is tested."""
    locale = "c.colllocale" if server_version >= 170000 else "c.colliculocale" if server_version >= 150000 else "NULL"
    unproven = "SELECT k.conrelid, k.conkey[1] FROM pg_constraint k WHERE k.contype = 'n' AND NOT k.convalidated"
    proven = f"a.attnotnull AND (a.attrelid, a.attnum) NOT IN ({unproven})"
    return {
        "nulls_distinct": "NOT i.indnullsnotdistinct" if server_version >= 150000 else "true",
        "enforced": "c.conenforced" if server_version >= 180000 else "true",
        "period": "c.conperiod" if server_version >= 180000 else "false",
        "not_null": proven if server_version >= 180000 else "a.attnotnull",
        "cleared": "c.confdelsetcols" if server_version >= 150000 else "NULL::int2[]",
        "sql_body": "pg_get_function_sqlbody(p.oid)" if server_version >= 140000 else "NULL::text",
        "multirange": "r.rngmultitypid" if server_version >= 140000 else "0",
        # Until 14 the copies of a trigger on partitions were called internal.
        "declared": "NOT t.tgisinternal" if server_version >= 150000 else "(NOT t.tgisinternal OR t.tgparentid <> 0)",
        "locale": f"coalesce({locale}, c.collcollate::text)",
    }


USER_SCHEMAS = r"""
SELECT n.nspname
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'banyan')
  AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
ORDER BY n.nspname
"""

# Sizes are what VACUUM and ANALYZE noted: pg_relation_size would wait for every table that is being altered.
TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text, d.description, c.reltuples::bigint, c.relrowsecurity,
       c.relforcerowsecurity, c.relispartition, c.relpages::bigint * current_setting('block_size')::bigint,
       c.relispopulated, e.extname, c.relpersistence = 'u', s.srvname, pg_get_partkeydef(c.oid),
       pg_get_expr(c.relpartbound, c.oid), c.reloptions
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
LEFT JOIN pg_depend x ON x.objid = c.oid AND x.classid = 'pg_class'::regclass AND x.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = x.refobjid AND x.refclassid = 'pg_extension'::regclass
LEFT JOIN pg_foreign_table t ON t.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = t.ftserver
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (%(names)s::text[] IS NULL OR c.relname = ANY(%(names)s))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod),
       {not_null}, pg_get_expr(f.adbin, f.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END, d.description
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
LEFT JOIN pg_description d
       ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
WHERE a.attrelid = ANY(%(relations)s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

# A foreign key of or to a partitioned table has a row per partition; those that repeat it are left out.
CONSTRAINTS = """
SELECT c.conrelid, c.conname, c.contype::text, c.conkey, c.condeferrable, c.condeferred, c.convalidated, {enforced},
       {period}, c.connoinherit,
       CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid) END,
       CASE WHEN c.contype = 'x' THEN pg_get_constraintdef(c.oid) END, {nulls_distinct},
       tn.nspname, tc.relname, c.confupdtype::text, c.confdeltype::text, c.confmatchtype::text, {cleared},
       CASE WHEN c.contype = 'f' THEN (
           SELECT array_agg(a.attname::text ORDER BY k.position)
           FROM unnest(c.confkey) WITH ORDINALITY k(attnum, position)
           JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum) END
FROM pg_constraint c
LEFT JOIN pg_constraint parent ON parent.oid = c.conparentid
LEFT JOIN pg_index i ON i.indexrelid = c.conindid AND c.contype IN ('p', 'u')
LEFT JOIN pg_class tc ON tc.oid = c.confrelid
LEFT JOIN pg_namespace tn ON tn.oid = tc.relnamespace
WHERE c.conrelid = ANY(%(relations)s) AND c.contype IN ('p', 'u', 'x', 'f', 'c')
  AND (c.contype <> 'f' OR parent.oid IS NULL OR parent.conrelid <> c.conrelid)
ORDER BY c.conrelid, c.conname COLLATE "C"
"""

INDEXES = """
SELECT i.indrelid, x.relname, am.amname, i.indkey::int2[], i.indnkeyatts, i.indisunique, i.indisvalid,
       {nulls_distinct}, pg_get_expr(i.indpred, i.indrelid), pg_get_indexdef(i.indexrelid), i.indclass::oid[]
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am am ON am.oid = x.relam
WHERE i.indrelid = ANY(%(relations)s)
ORDER BY i.indrelid, x.relname COLLATE "C"
"""

OPERATOR_CLASSES = "SELECT o.oid, o.opcname FROM pg_opclass o WHERE NOT o.opcdefault"

TRIGGERS = """
SELECT t.tgrelid, t.tgname, t.tgtype::int, t.tgenabled::text, pn.nspname || '.' || p.proname, p.prosecdef,
       substring(pg_get_triggerdef(t.oid) FROM ' WHEN \\((.*)\\) EXECUTE (?:FUNCTION|PROCEDURE)'),
       t.tgattr::int2[], t.tgargs, CASE WHEN t.tgconstraint <> 0 THEN t.tginitdeferred END
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE t.tgrelid = ANY(%(relations)s) AND {declared}
ORDER BY t.tgrelid, t.tgname COLLATE "C"
"""

RULES = """
SELECT r.ev_class, r.rulename, r.ev_type::text, r.is_instead, pg_get_ruledef(r.oid), r.ev_enabled::text
FROM pg_rewrite r
WHERE r.ev_class = ANY(%(relations)s) AND r.rulename <> '_RETURN'
ORDER BY r.ev_class, r.rulename COLLATE "C"
"""

POLICIES = """
SELECT p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
       ARRAY(SELECT CASE u.oid WHEN 0 THEN 'public' ELSE pg_get_userbyid(u.oid)::text END
             FROM unnest(p.polroles) u(oid)),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p
WHERE p.polrelid = ANY(%(relations)s)
ORDER BY p.polrelid, p.polname COLLATE "C"
"""

# Banyan's own roles are left out: granting from the contract must not make the schema look changed. So is MAINTAIN,
# which GRANT ALL gives since PostgreSQL 17, and which lets nobody see or write a row.
PRIVILEGES = """
SELECT g.oid, CASE x.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(x.grantee)::text END,
       lower(x.privilege_type), g.name
FROM (
    SELECT c.oid, c.relacl AS acl, NULL::name AS name, c.relowner
    FROM pg_class c WHERE c.oid = ANY(%(relations)s) AND c.relacl IS NOT NULL
  UNION ALL
    SELECT c.oid, a.attacl, a.attname, c.relowner
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attrelid = ANY(%(relations)s) AND a.attacl IS NOT NULL AND NOT a.attisdropped
) g
CROSS JOIN LATERAL aclexplode(g.acl) x
WHERE x.grantee <> g.relowner AND x.privilege_type <> 'MAINTAIN'
  AND (x.grantee = 0 OR pg_get_userbyid(x.grantee) !~ '^banyan_')
"""

INHERITANCE = """
SELECT i.inhrelid, pn.nspname, p.relname
FROM pg_inherits i
JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE i.inhrelid = ANY(%(relations)s)
ORDER BY i.inhrelid, i.inhseqno
"""

# Which relations a view reads directly, its text, and its parse tree, from which the origin of its columns is read;
# the same of views below it, wherever they are. Not of PostgreSQL's own (oids below 16384): each version has others.
VIEWS = """
WITH RECURSIVE found(oid) AS (
    SELECT v.oid FROM pg_class v WHERE v.oid = ANY(%(relations)s) AND v.relkind IN ('v', 'm')
  UNION
    SELECT v.oid
    FROM found
    JOIN pg_rewrite r ON r.ev_class = found.oid AND r.rulename = '_RETURN'
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class v ON v.oid = d.refobjid AND v.relkind IN ('v', 'm') AND v.oid >= 16384
)
SELECT r.ev_class, pg_get_viewdef(r.ev_class),
       ARRAY(SELECT DISTINCT d.refobjid FROM pg_depend d
             WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
               AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),
       r.ev_action::text
FROM found JOIN pg_rewrite r ON r.ev_class = found.oid AND r.rulename = '_RETURN'
"""

# Which writes views take, as bits. The function fails on a foreign table whose wrapper has no handler, and on every
# view above one: those take none.
UPDATABLE_VIEWS = """
WITH RECURSIVE blind(oid) AS (
    SELECT t.ftrelid
    FROM pg_foreign_table t
    JOIN pg_foreign_server s ON s.oid = t.ftserver
    JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw AND w.fdwhandler = 0
  UNION
    SELECT r.ev_class
    FROM blind
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = blind.oid
                    AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
)
SELECT v.oid, pg_relation_is_updatable(v.oid, true)
FROM pg_class v
WHERE v.oid = ANY(%(relations)s) AND v.relkind = 'v' AND v.oid NOT IN (SELECT blind.oid FROM blind)
"""

RELATION_NAMES = """
SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%(others)s)
"""

RELATION_COLUMNS = """
SELECT a.attrelid, a.attnum, a.attname FROM pg_attribute a
WHERE a.attrelid = ANY(%(others)s) AND a.attnum > 0 AND NOT a.attisdropped
"""

# Of whole schemas every sequence, of single tables those that belong to them.
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
WHERE CASE WHEN %(names)s::text[] IS NULL THEN n.nspname = ANY(%(schemas)s) ELSE d.refobjid = ANY(%(relations)s) END
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

# What triggers, views, defaults, checks, policies and indexes call.
FUNCTIONS = """
SELECT pn.nspname, p.proname, pg_get_function_identity_arguments(p.oid), coalesce(pg_get_function_result(p.oid), ''),
       l.lanname, p.prosecdef, p.provolatile::text, has_function_privilege('public', p.oid, 'EXECUTE'),
       p.prosrc, {sql_body}
FROM pg_proc p
JOIN pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE pn.nspname <> 'pg_catalog' AND p.oid IN (
    SELECT t.tgfoid FROM pg_trigger t WHERE t.tgrelid = ANY(%(relations)s) AND {declared}
  UNION ALL
    SELECT d.refobjid
    FROM pg_depend d
    JOIN (
        SELECT 'pg_rewrite'::regclass::oid AS class, r.oid FROM pg_rewrite r WHERE r.ev_class = ANY(%(relations)s)
      UNION ALL SELECT 'pg_attrdef'::regclass, f.oid FROM pg_attrdef f WHERE f.adrelid = ANY(%(relations)s)
      UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = ANY(%(relations)s)
      UNION ALL SELECT 'pg_policy'::regclass, y.oid FROM pg_policy y WHERE y.polrelid = ANY(%(relations)s)
      UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = ANY(%(relations)s)
    ) used ON d.classid = used.class AND d.objid = used.oid
    WHERE d.refclassid = 'pg_proc'::regclass
)
"""
