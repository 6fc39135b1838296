create schema "My Schéma";
create table "My Schéma"."Tab""le" ("Sel ect" int primary key, "grüße" text default 'ü', "order" int);
create table public."aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg" (id int primary key, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffhhh" text);
create type "My Schéma"."E num" as enum ('ä b', 'it''s');
create function "My Schéma"."Fn ✓"("Arg 1" int) returns int language sql as $$ select "Arg 1" $$;
create table public."user" ("user" text primary key, "UPPER" "My Schéma"."E num" default 'it''s');
