create type public.bill_state as enum ('open', 'paid');
drop view public.open_bills;
alter table public.bill drop constraint known, alter state drop default, alter state type public.bill_state using state::public.bill_state, alter state set default 'open';
alter table public.bill alter amount type numeric(10,2) using amount::numeric;
create view public.open_bills as select id, state from public.bill where state = 'open';
