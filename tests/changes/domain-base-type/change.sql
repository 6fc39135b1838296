drop view public.items; drop function public.code_of(int);
alter table public.item alter code type text, alter codes type text[];
drop domain public.code;
create domain public.code as text check (length(value) > 1);
alter table public.item alter code type public.code;
create view public.items as select id, code, qty from public.item;
create function public.code_of(i int) returns public.code language sql as $$ select 'xx'::public.code $$;
