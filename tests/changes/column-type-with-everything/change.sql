drop publication pp; drop trigger on_amount on public.p; drop policy few on public.p; drop materialized view public.pm; drop view public.pv;
alter table public.p drop column twice;
alter table public.p alter amount type bigint;
alter table public.p add column twice bigint generated always as (amount * 2) stored;
create view public.pv as select id, amount from public.p;
create materialized view public.pm as select sum(amount) as s from public.p;
create policy few on public.p using (amount > 1);
create trigger on_amount before update of amount on public.p for each row when (new.amount > 2) execute function public.tg();
create publication pp for table public.p where (amount > 3);
