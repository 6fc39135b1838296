create table public.h_us partition of public.h for values in ('us', null) partition by range (id);
create table public.h_us_1 partition of public.h_us for values from (minvalue) to (100);
alter table public.h add constraint h_pk primary key (id, region);
create index h_only on only public.h (region, v);
alter table public.h_eu_1 add constraint eu1 check (v > 0);
alter table public.h_rest alter v set default 3;
create statistics public.h_stat (ndistinct, mcv) on region, v from public.h;
alter statistics public.h_stat set statistics 300;
