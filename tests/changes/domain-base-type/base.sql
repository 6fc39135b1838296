create domain public.code as varchar(10) check (length(value) > 1);
create domain public.qty as int default 1;
create table public.item (id int primary key, code public.code, qty public.qty, codes public.code[]);
create view public.items as select id, code, qty from public.item;
create function public.code_of(i int) returns public.code language sql as $$ select 'xx'::public.code $$;
