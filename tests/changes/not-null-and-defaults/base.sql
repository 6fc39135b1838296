create table public.f (id int primary key, a int, b text, c timestamptz, d jsonb default '{}', e int default 5 not null, u uuid);
create function public.now_text() returns text language sql volatile as $$ select now()::text $$;
