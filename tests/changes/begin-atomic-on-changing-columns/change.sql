drop view public.mt; drop function public.total(); drop function public.labels(); drop procedure public.addm(int);
alter table public.m alter qty type numeric(12,2), alter label type text;
create function public.total() returns numeric language sql stable begin atomic select sum(qty) from public.m; end;
create function public.labels() returns setof text language sql stable begin atomic select label from public.m; end;
create procedure public.addm(i int) language sql begin atomic insert into public.m (id, qty) values (i, 1.5); end;
create view public.mt as select public.total() as t;
