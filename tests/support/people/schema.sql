CREATE TABLE person (
    pers_no  int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner    text NOT NULL,
    frst_nm  varchar(20),
    lst_nm   varchar(30) NOT NULL,
    e_mail   text UNIQUE,
    upd_by   text NOT NULL DEFAULT 'legacy'
);
CREATE TABLE visit (
    visit_no int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pers_no  int NOT NULL REFERENCES person,
    on_day   date NOT NULL
);
INSERT INTO person (owner, frst_nm, lst_nm, e_mail) VALUES
    ('acme', 'Ada', 'Lovelace', 'ada@example.org'),
    ('acme', NULL, 'Plato', NULL),
    ('acme', 'Grace', 'Murray Hopper', 'grace@example.org'),
    ('bolt', 'Alan', 'Turing', 'alan@example.org'),
    ('second', 'Emmy', 'Noether', NULL),
    ('second', NULL, 'Hypatia', NULL);
INSERT INTO visit (pers_no, on_day) VALUES (1, '2026-01-01'), (1, '2026-02-02'), (3, '2026-03-03'), (4, '2026-04-04');
