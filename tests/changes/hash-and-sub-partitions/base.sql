create table public.h (id int not null, region text not null, v int) partition by list (region);
create table public.h_eu partition of public.h for values in ('de', 'fr') partition by hash (id);
create table public.h_eu_0 partition of public.h_eu for values with (modulus 2, remainder 0);
create table public.h_eu_1 partition of public.h_eu for values with (modulus 2, remainder 1);
create table public.h_rest partition of public.h default;
create index h_v on public.h (v);
