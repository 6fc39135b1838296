create table public.m (id int primary key, qty int, label varchar(10));
create function public.total() returns bigint language sql stable begin atomic select sum(qty) from public.m; end;
create function public.labels() returns setof varchar language sql stable begin atomic select label from public.m; end;
create view public.mt as select public.total() as t;
create procedure public.addm(i int) language sql begin atomic insert into public.m (id, qty) values (i, 1); end;
