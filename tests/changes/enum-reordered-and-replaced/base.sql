create type public.level as enum ('low', 'mid', 'high');
create type public.kind as enum ('a', 'b');
create table public.alarm (id int primary key, level public.level default 'low', kind public.kind not null default 'a', all_kinds public.kind[]);
create index alarm_level on public.alarm (level) where level > 'low';
create view public.alarms as select id, level, kind from public.alarm;
create function public.worst(l public.level default 'high') returns public.level language sql as $$ select l $$;
