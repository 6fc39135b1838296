drop function public.from_one(); drop view public.one; create table public.one (id int primary key, more text);
create function public.from_one() returns setof public.one language sql as $$ select * from public.one $$;
drop table public.two; create view public.two as select id, a from public.src;
drop view public.over_three; drop materialized view public.three; create view public.three as select id, a from public.src; create view public.over_three as select id from public.three;
drop view public.four; create materialized view public.four as select id, a from public.src; create unique index four_id on public.four (id);
drop function public.five(int); create procedure public.five(a int) language sql as $$ select a $$;
drop type public.six; create domain public.six as text check (value in ('a', 'b'));
