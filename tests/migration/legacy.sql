-- A small legacy database with one of each thing that a role can be given a privilege on.
CREATE SCHEMA "Old Books";
CREATE TABLE public.customer (cust_no integer PRIMARY KEY, nm varchar(40), secret text);
CREATE TABLE "Old Books"."Order Lines" (ord_no integer, line_no smallint, qty numeric(9, 2));
CREATE VIEW public.v_customer AS SELECT cust_no, nm FROM public.customer;
CREATE MATERIALIZED VIEW public.m_customer AS SELECT cust_no FROM public.customer;
CREATE SEQUENCE public.ord_seq;
CREATE TABLE public.stock_mv (d date, qty integer) PARTITION BY RANGE (d);
CREATE FUNCTION public.net(total numeric, "Rate: %" numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1 / (1 + $2)';
CREATE PROCEDURE public.close_day() LANGUAGE sql AS 'SELECT 1';
CREATE DOMAIN public.money_eur AS numeric(12, 2);
CREATE ROLE legacy_clerk_t NOLOGIN;
GRANT SELECT ON public.customer TO legacy_clerk_t;
GRANT SELECT (ord_no) ON "Old Books"."Order Lines" TO legacy_clerk_t;
