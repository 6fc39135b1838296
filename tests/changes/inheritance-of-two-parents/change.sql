alter table public.pa add column w date default '2024-01-01';
alter table public.pb alter y type bigint;
alter table public.kid alter x set default 'kid', add constraint z_ok check (z > 0);
alter table public.pa add constraint id_ok check (id > 0) no inherit;
alter table public.kid no inherit public.pb;
alter table public.pa rename column x to xx;
create table public.kid2 (extra text) inherits (public.pa);
create index kid_z on public.kid (z);
