create domain public.qty as int default 1 constraint pos check (value > 0);
create table public.item (id int primary key, qty public.qty, many public.qty[]);
create view public.items as select id, qty from public.item;
create function public.one() returns public.qty language sql as $$ select 1 $$;
