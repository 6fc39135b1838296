-- Customers of a team and what they owe.

create type public.invoice_status as enum ('draft', 'sent', 'paid', 'void');

create table public.customers (
  id bigint generated always as identity primary key,
  team_id bigint not null references public.teams (id) on delete cascade,
  name text not null,
  email text,
  created_at timestamptz not null default now(),
  -- lets an invoice prove that its customer belongs to the same team
  unique (team_id, id)
);

create table public.invoices (
  id bigint generated always as identity primary key,
  team_id bigint not null references public.teams (id) on delete cascade,
  customer_id bigint not null,
  number text not null,
  status public.invoice_status not null default 'draft',
  due_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (team_id, number),
  foreign key (team_id, customer_id) references public.customers (team_id, id)
);

create table public.invoice_lines (
  id bigint generated always as identity primary key,
  invoice_id bigint not null references public.invoices (id) on delete cascade,
  description text not null,
  quantity numeric(10, 2) not null default 1 check (quantity > 0),
  unit_price numeric(12, 2) not null,
  amount numeric(14, 2) generated always as (round(quantity * unit_price, 2)) stored
);

create index invoices_team_customer_idx on public.invoices (team_id, customer_id);
create index invoices_due_on_idx on public.invoices (due_on) where status = 'sent';
create index invoice_lines_invoice_id_idx on public.invoice_lines (invoice_id);

create function public.set_updated_at() returns trigger
language plpgsql set search_path = ''
as $$
begin
  new.updated_at := now();
  return new;
end;
$$;

create trigger invoices_set_updated_at
before update on public.invoices
for each row execute function public.set_updated_at();
