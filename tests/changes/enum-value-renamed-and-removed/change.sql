alter type public.mood rename value 'so so' to 'okay';
drop view public.good_days;
alter table public.days drop constraint not_xl, alter size drop default;
alter type public.size rename to size_old;
create type public.size as enum ('s', 'm', 'l');
alter table public.days alter size type public.size using size::text::public.size, alter size set default 'm';
drop type public.size_old;
create view public.good_days as select id, mood, size from public.days where mood = 'good';
