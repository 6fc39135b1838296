create type public.span as range (subtype = int);
create table public.use (id int primary key, s public.span, n numrange);
create function public.spans(x public.span) returns public.span language sql as $$ select x $$;
