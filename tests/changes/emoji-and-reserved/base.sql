create schema "🚀 Launch";
create table "🚀 Launch"."select" ("from" int primary key, "où" text, "日本" text default 'é', "a;b" int);
create table public."order" ("group" int primary key, "desc" text);
create function public."do"("in" int) returns int language sql as $$ select "in" $$;
create role "team ☕ lead" nologin;
create function public."begin"() returns trigger language plpgsql as $$ begin return new; end $$;
