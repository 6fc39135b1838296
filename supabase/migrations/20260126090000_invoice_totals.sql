-- What each invoice comes to. security_invoker: the reader's own policies apply.

create view public.invoice_totals with (security_invoker = true) as
select
  invoices.id,
  invoices.team_id,
  invoices.number,
  invoices.status,
  customers.name as customer,
  coalesce(sum(invoice_lines.amount), 0) as total
from public.invoices
join public.customers on customers.id = invoices.customer_id
left join public.invoice_lines on invoice_lines.invoice_id = invoices.id
group by invoices.id, customers.name;

comment on view public.invoice_totals is 'One row per invoice with the sum of its lines.';
