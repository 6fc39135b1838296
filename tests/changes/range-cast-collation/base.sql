create type public.code as (v text);
create function public.code_of(t text) returns public.code language sql immutable as $$ select row(t)::public.code $$;
create table public.slots (id int primary key, name text, during tstzrange);
