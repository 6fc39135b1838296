create table public.src (id int primary key, a text);
create view public.one as select id from public.src;
create table public.two (id int primary key, a text);
create materialized view public.three as select id, a from public.src;
create view public.four as select id, a from public.src;
create function public.five(a int) returns int language sql as $$ select a $$;
create type public.six as enum ('a', 'b');
create view public.over_three as select id from public.three;
create function public.from_one() returns setof public.one language sql as $$ select * from public.one $$;
