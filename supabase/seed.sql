-- A few rows to look at after a reset. The two people have no password: nobody can sign in as them.

insert into auth.users (id, aud, role, email, raw_user_meta_data)
values
  ('00000000-0000-4000-8000-000000000001', 'authenticated', 'authenticated', 'ada@example.com', '{"full_name": "Ada"}'),
  ('00000000-0000-4000-8000-000000000002', 'authenticated', 'authenticated', 'ben@example.com', '{"full_name": "Ben"}');

-- Their profiles were made by the trigger on auth.users.
with team as (
  insert into public.teams (name) values ('Harbour Studio') returning id
), members as (
  insert into public.team_members (team_id, user_id, role)
  select team.id, person.id, person.role
  from team, (
    values
      ('00000000-0000-4000-8000-000000000001'::uuid, 'owner'::public.team_role),
      ('00000000-0000-4000-8000-000000000002'::uuid, 'member'::public.team_role)
  ) as person (id, role)
), customer as (
  insert into public.customers (team_id, name, email)
  select id, 'Lighthouse Bakery', 'office@lighthouse.example' from team
  returning id, team_id
), invoice as (
  insert into public.invoices (team_id, customer_id, number, status, due_on)
  select team_id, id, '2026-001', 'sent', date '2026-02-28' from customer
  returning id
)
insert into public.invoice_lines (invoice_id, description, quantity, unit_price)
select invoice.id, line.description, line.quantity, line.unit_price
from invoice, (
  values ('Logo design', 1, 480.00), ('Shop sign, per hour', 6.5, 72.00)
) as line (description, quantity, unit_price);
